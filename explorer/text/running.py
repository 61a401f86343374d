"""What can go wrong when a program is found, started and watched."""

RUNNING: dict[str, tuple[str, str]] = {
    "running.too_deep": (
        "The graph has more than 30,000 nodes, too deep to take apart safely in this process; trace a file, or pass deep=True.",
        "그래프의 노드가 30,000개를 넘어 이 프로세스에서 안전하게 해제할 수 없습니다. 파일을 추적하거나 deep=True를 주세요.",
    ),
    "running.not_traceable": (
        "A {kind} cannot be traced; give a function without arguments, the text of a target, or a loss tensor.",
        "{kind}은(는) 추적할 수 없습니다. 인자 없는 함수, 대상을 가리키는 문자열, 손실 텐서 중 하나를 주세요.",
    ),
    "running.still_recording": (
        "The recording is not over: read it after the with block.",
        "기록이 아직 끝나지 않았습니다. with 블록이 끝난 뒤에 읽으세요.",
    ),
    "running.nested_recording": (
        "This thread is being recorded already: end that recording before another one begins.",
        "이 스레드는 이미 기록 중입니다. 그 기록을 끝낸 뒤에 새 기록을 시작하세요.",
    ),
    "running.no_graph_here": (
        "This tensor has no graph: it does not require a gradient. Pass a loss computed from tensors with requires_grad=True.",
        "이 텐서에는 그래프가 없습니다. 기울기가 필요한 텐서가 아닙니다. requires_grad=True인 텐서로 계산한 손실을 넘기세요.",
    ),
    # Finding the program
    "running.no_example": (
        'There is no example program "{name}"; see "autograd-explorer examples", or name path/file.py, path/file.py:f or package.module:f.',
        '예제 프로그램 "{name}"이(가) 없습니다. "autograd-explorer examples"로 확인하거나 path/file.py, path/file.py:f로 쓰세요.',
    ),
    "running.no_example_near": (
        'There is no example program "{name}"; did you mean "{near}"?',
        '"{name}"이라는 예제 프로그램이 없습니다. "{near}"을(를) 찾으셨나요?',
    ),
    "running.no_file": (
        'There is no file "{path}"; check the path, which starts from the folder you are in.',
        '"{path}" 파일이 없습니다. 경로는 현재 폴더를 기준으로 하니 다시 확인하세요.',
    ),
    "running.is_folder": (
        '"{path}" is a folder; name a Python file in it, such as "{path}/train.py".',
        '"{path}"은(는) 폴더입니다. "{path}/train.py"처럼 그 안의 Python 파일을 지정하세요.',
    ),
    "running.not_python": (
        '"{path}" is not a Python file; a program ends in .py, and a recording is shown with "autograd-explorer serve".',
        '"{path}"은(는) Python 파일이 아닙니다. 프로그램은 .py로 끝나야 하며, 기록 파일은 "autograd-explorer serve"로 여세요.',
    ),
    "running.unreadable": (
        'The file "{path}" cannot be read ({reason}); check its permissions.',
        '"{path}" 파일을 읽을 수 없습니다({reason}). 접근 권한을 확인하세요.',
    ),
    "running.no_module": (
        'There is no module "{module}"; install it, or start in the folder that holds it.',
        '"{module}" 모듈을 찾을 수 없습니다. 설치하거나 그 모듈이 있는 폴더에서 실행하세요.',
    ),
    "running.no_callable": (
        '"{place}" has no callable "{name}"; it has {names}.',
        '"{place}"에 호출할 수 있는 "{name}"이(가) 없습니다. 사용할 수 있는 이름: {names}.',
    ),
    "running.no_callable_at_all": (
        '"{place}" has no callable "{name}" and defines no other; name the file alone to run it as a script.',
        '"{place}"에는 "{name}"을(를) 비롯해 호출할 수 있는 것이 없습니다. 파일만 지정해 스크립트로 실행하세요.',
    ),
    "running.not_callable": (
        '"{name}" in "{place}" cannot be called (it is a {kind}); name a function that takes no argument.',
        '"{place}"의 "{name}"은(는) {kind}이므로 호출할 수 없습니다. 인자 없이 호출되는 함수를 지정하세요.',
    ),
    "running.no_name": (
        '"{target}" names no callable after the colon; write path/file.py:callable, or leave the colon out to run a script.',
        '"{target}"의 콜론 뒤에 이름이 없습니다. path/file.py:callable로 쓰거나, 스크립트라면 콜론을 빼세요.',
    ),
    "running.needs_arguments": (
        '"{name}" needs {arguments}, and is called with no argument; give defaults, or wrap it in a function without parameters.',
        '"{name}"은(는) 인자 없이 호출되는데 {arguments} 인자가 필요합니다. 기본값을 주거나 인자 없는 함수로 감싸세요.',
    ),
    "running.not_run_yet": (
        '"{name}" is a {kind} function, which computes nothing when it is called; name a plain function.',
        '"{name}"은(는) {kind} 함수라서 호출해도 아무것도 계산하지 않습니다. 일반 함수를 지정하세요.',
    ),
    "running.too_few_passes": (
        "Pass {wanted} was asked for, but the program made {passes}; ask for one of these with --pass.",
        "{wanted}번째 패스를 요청했지만 프로그램이 실행한 패스는 {passes}개입니다. --pass로 그중 하나를 지정하세요.",
    ),
    # Devices
    "running.no_device.unknown": (
        'PyTorch knows no device "{device}"; use one of {names}.',
        'PyTorch에 "{device}" 장치가 없습니다. 사용할 수 있는 장치: {names}.',
    ),
    "running.no_device.not_built": (
        'The device "{device}" is not available here, because this PyTorch was built without {what}; use one of {names}.',
        '설치된 PyTorch가 {what} 없이 빌드되어 "{device}" 장치를 사용할 수 없습니다. 사용할 수 있는 장치: {names}.',
    ),
    "running.no_device.not_found": (
        'The device "{device}" is not available here, because no {what} device or no driver for it was found; use one of {names}.',
        '{what} 장치나 드라이버를 찾지 못해 "{device}" 장치를 사용할 수 없습니다. 사용할 수 있는 장치: {names}.',
    ),
    "running.no_device.number": (
        'There is no device "{device}", only {count} of that kind; use one of {names}.',
        '"{device}" 장치가 없습니다. 같은 종류의 장치는 {count}개뿐입니다. 사용할 수 있는 장치: {names}.',
    ),
    "running.no_dtype": (
        'There is no data type "{dtype}" to choose; use one of {names}.',
        '"{dtype}" 자료형은 선택할 수 없습니다. 사용할 수 있는 자료형: {names}.',
    ),
    "running.dtype_unsupported": (
        'The device "{device}" does not compute in {dtype}; use one of {names}.',
        '"{device}" 장치는 {dtype} 계산을 지원하지 않습니다. 사용할 수 있는 자료형: {names}.',
    ),
    "running.fake_only": (
        '"{name}" is too large to be computed and is only drawn from its shapes; add --device fake.',
        '"{name}"은(는) 실제로 계산하기에는 너무 커서 형상만으로 그립니다. --device fake를 붙이세요.',
    ),
    "running.device.not_built": ("this PyTorch was built without {what}", "설치된 PyTorch가 {what} 없이 빌드되었습니다"),
    "running.device.not_found": (
        "no {what} device, or no driver for it, was found",
        "{what} 장치 또는 드라이버를 찾지 못했습니다",
    ),
    "running.device.cpu": ("CPU, {threads} threads", "CPU, 스레드 {threads}개"),
    "running.device.fake": (
        "shapes and data types only: nothing is computed and no memory is needed",
        "형상과 자료형만 다룹니다. 실제 계산을 하지 않으며 메모리도 필요 없습니다",
    ),
    # Data types: why a device has none of it, and what to expect of it where it has
    "running.dtype.none": ("this device does not compute in {dtype}", "이 장치는 {dtype} 계산을 지원하지 않습니다"),
    "running.dtype.none.float64.mps": ("Apple's GPUs have no float64", "Apple GPU에는 float64가 없습니다"),
    "running.dtype.none.float64.xpu": ("this GPU has no float64", "이 GPU에는 float64가 없습니다"),
    "running.dtype.float64": (
        "15 digits, the type to check gradients in; twice the memory of float32",
        "유효 숫자 15자리로 기울기 검증에 알맞습니다. 메모리는 float32의 두 배입니다",
    ),
    "running.dtype.float64.cuda": (
        "15 digits, the type to check gradients in; twice the memory of float32, and far slower on most GPUs",
        "유효 숫자 15자리로 기울기 검증에 알맞습니다. 메모리는 float32의 두 배이고 대부분의 GPU에서 훨씬 느립니다",
    ),
    "running.dtype.float32": ("7 digits; the usual type", "유효 숫자 7자리로 가장 널리 쓰입니다"),
    "running.dtype.bfloat16": (
        "2 to 3 digits: small updates get lost, and gradients cannot be checked by differences; no linear algebra (solve, svd)",
        "유효 숫자 2–3자리라 작은 갱신은 사라지고 차분으로 기울기를 검증할 수 없습니다. 선형대수(solve, svd)는 없습니다",
    ),
    "running.dtype.float16": (
        "3 digits, at most 65504: small gradients become 0 unless the loss is scaled; no linear algebra (solve, svd)",
        "유효 숫자 3자리, 최댓값 65504. 손실을 키우지 않으면 작은 기울기는 0이 됩니다. 선형대수(solve, svd)는 없습니다",
    ),
    "running.dtype.float16.cpu": (
        "3 digits, at most 65504: small gradients become 0 unless the loss is scaled; often slow, no linear algebra (solve, svd), no FFT",
        "유효 숫자 3자리, 최댓값 65504. 손실을 키우지 않으면 작은 기울기는 0이 됩니다. 느린 편이며 선형대수(solve, svd)와 FFT가 없습니다",
    ),
    "running.dtype.bfloat16.cpu": (
        "2 to 3 digits: small updates get lost, and gradients cannot be checked by differences; no linear algebra (solve, svd) and no FFT",
        "유효 숫자 2–3자리라 작은 갱신은 사라지고 차분으로 기울기를 검증할 수 없습니다. 선형대수(solve, svd)와 FFT가 없습니다",
    ),
    "running.dtype.fake": ("shapes only: no values and no gradients", "형상만 있고 값이나 기울기는 없습니다"),
    # Starting
    "running.no_torch": (
        "PyTorch is not installed for {python}, and a program cannot run without it; install it with pip install torch.",
        "{python}에 PyTorch가 설치되어 있지 않아 프로그램을 실행할 수 없습니다. pip install torch로 설치하세요.",
    ),
    "running.cannot_start": (
        "The program could not be started ({reason}); free some memory or disk space and try again.",
        "프로그램을 시작하지 못했습니다({reason}). 메모리나 디스크 공간을 확보한 뒤 다시 시도하세요.",
    ),
    "running.start_limit": (
        "PyTorch did not start within {seconds} seconds; try again when the machine is less busy.",
        "PyTorch가 {seconds}초 안에 시작되지 않았습니다. 컴퓨터가 덜 바쁠 때 다시 시도하세요.",
    ),
    "running.cannot_write": (
        "The record could not be written to the folder for temporary files; free some disk space and try again.",
        "임시 폴더에 기록을 쓰지 못했습니다. 디스크 공간을 확보한 뒤 다시 시도하세요.",
    ),
    "running.wrong_choice": (
        "{name} cannot be {value!r}; use one of {choices}.",
        "{name}에 {value!r}을(를) 쓸 수 없습니다. 사용할 수 있는 값: {choices}.",
    ),
    # The program failed
    "running.raised": (
        "The program failed with {error}; its own traceback says where.",
        "프로그램이 {error} 오류로 실패했습니다. 위치는 프로그램의 트레이스백을 확인하세요.",
    ),
    "running.exited": (
        "The program ended itself with exit code {code}; correct what made it give up, and run it again.",
        "프로그램이 종료 코드 {code}로 스스로 끝났습니다. 원인을 고친 뒤 다시 실행하세요.",
    ),
    "running.exited_saying": (
        'The program ended itself, saying "{text}"; correct what made it give up, and run it again.',
        '프로그램이 "{text}"라는 메시지와 함께 스스로 끝났습니다. 원인을 고친 뒤 다시 실행하세요.',
    ),
    "running.needs_values": (
        "Line {line} of {file} asks for numbers ({code}), which tensors on the device fake do not have; drop it, or take another device.",
        "{file} {line}번째 줄이 실제 값을 요구하지만({code}) fake 장치의 텐서에는 형상만 있습니다. 줄을 빼거나 다른 장치에서 실행하세요.",
    ),
    "running.needs_values.size": (
        (
            "Line {line} of {file} makes a tensor whose size depends on numbers ({code}), and on the device fake there are none; mask with "
            "torch.where(condition, a, b), which keeps the size, or take another device."
        ),
        (
            "{file} {line}번째 줄은 결과의 크기가 값에 따라 달라지는데({code}) fake 장치에는 값이 없습니다. 크기가 그대로인 "
            "torch.where(condition, a, b)로 가리거나 다른 장치에서 실행하세요."
        ),
    ),
    "running.needs_values.somewhere": (
        "The program asked for a number ({what}), and the device fake has only shapes; run it on another device.",
        "프로그램이 실제 값을 요구했지만({what}) fake 장치에는 형상만 있습니다. 다른 장치에서 실행하세요.",
    ),
    "running.crashed.unlinked": (
        (
            "The program made a fake tensor on {device} that needs a gradient; this PyTorch is built without {device}, and its autograd "
            "ended the process. Make such tensors on cpu, or without requires_grad."
        ),
        (
            "프로그램이 기울기가 필요한 가짜 텐서를 {device}에 만들었습니다. 이 PyTorch는 {device} 없이 빌드되어 autograd가 프로세스를 "
            "끝냈습니다. 그런 텐서는 cpu에 만들거나 requires_grad 없이 만드세요."
        ),
    ),
    "running.crashed": (
        "The program crashed the Python interpreter ({signal}); the last line it reached is the place to look.",
        "프로그램 때문에 Python 인터프리터가 비정상 종료되었습니다({signal}). 마지막으로 실행된 줄을 확인하세요.",
    ),
    "running.killed": (
        "The program was killed from outside (SIGKILL), most often for lack of memory; make it smaller, or use --device fake.",
        "프로그램이 외부에서 강제 종료되었습니다(SIGKILL). 메모리 부족이 가장 흔한 원인이니 크기를 줄이거나 --device fake를 사용하세요.",
    ),
    "running.vanished": (
        "The program ended its process at once (code {code}, as os._exit does), before its record was complete; use sys.exit instead.",
        "프로그램이 기록을 마치기 전에 os._exit처럼 코드 {code}로 프로세스를 바로 끝냈습니다. 대신 sys.exit를 사용하세요.",
    ),
    "running.timeout": (
        "The program was stopped after {seconds} seconds; allow more with --timeout, or make it shorter.",
        "{seconds}초가 지나 프로그램을 중지했습니다. --timeout으로 시간을 늘리거나 프로그램을 줄이세요.",
    ),
    "running.memory": (
        "The program was stopped because it took more than {limit} GB of memory; allow more with --memory-limit, or make it smaller.",
        "메모리를 {limit} GB 넘게 사용해 프로그램을 중지했습니다. --memory-limit로 한도를 늘리거나 프로그램을 줄이세요.",
    ),
    "running.output": (
        "The program was stopped because it printed more than {limit} MB; print less, then run it again.",
        "출력이 {limit} MB를 넘어 프로그램을 중지했습니다. 출력을 줄인 뒤 다시 실행하세요.",
    ),
    "running.interrupted": (
        "The program was stopped because you interrupted it; what was recorded until then was kept.",
        "중단하여 프로그램을 중지했습니다. 그때까지 기록된 내용은 남겨 두었습니다.",
    ),
    "running.cancelled": ("The program was stopped because you cancelled it.", "취소하여 프로그램을 중지했습니다."),
    "running.internal": (
        "Autograd Explorer itself failed while watching the program ({error}); please report it with the program that shows it.",
        "프로그램을 지켜보는 중에 Autograd Explorer에서 오류가 발생했습니다({error}). 해당 프로그램과 함께 알려 주세요.",
    ),
    # Progress
    "running.phase.starting": ("starting PyTorch", "PyTorch 시작 중"),
    "running.phase.training": ("training", "학습 중"),
    "running.phase.forward": ("forward pass", "순전파"),
    "running.phase.backward": ("backward pass", "역전파"),
    "running.phase.checking": ("checking gradients by differences", "차분으로 기울기 검증 중"),
    "running.phase.assembling": ("assembling the record", "기록 정리 중"),
    "running.phase.writing": ("writing the record", "기록 저장 중"),
    "running.phase.drawing": ("drawing", "그리는 중"),
    "running.phase.reading": ("reading the record", "기록 읽는 중"),
}
