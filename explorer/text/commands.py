"""What the command line says: help and messages."""

# Commands are the same in every language.
_TRACE = """\
  autograd-explorer trace gpt2 -o gpt2.svg
  autograd-explorer trace train.py -o step3.json --pass 3
  autograd-explorer trace model.py:loss -o model.trace -o model.png --device cuda --seed 1
  autograd-explorer trace gpt2_xl -o xl.svg --device fake --depth 2"""
_EXPORT = """\
  autograd-explorer export gpt2.trace -o gpt2.pdf --depth 2
  autograd-explorer export gpt2.trace -o attention.svg --focus 40 --hops 3 --theme dark --lang ko"""
_CHECK = """\
  autograd-explorer check logistic_neuron
  autograd-explorer check train.py:step --fail-on warning
  autograd-explorer check model.py:loss --dtype float64 --json
  autograd-explorer check train.py --pass 3 --unwatched"""
_EXAMPLES = """\
  autograd-explorer examples
  autograd-explorer examples --json"""
_DEVICES = """\
  autograd-explorer devices
  autograd-explorer devices --json"""
_SERVE = """\
  autograd-explorer serve
  autograd-explorer serve gpt2.trace --port 8600
  autograd-explorer serve runs"""

COMMANDS: dict[str, tuple[str, str]] = {
    "command.about": (
        "Record what PyTorch's autograd really computed, draw it, and step through it: forward, backward, update.",
        "PyTorch 자동 미분이 실제로 계산한 순전파, 역전파, 업데이트를 기록하고 그림으로 그려 단계별로 살펴봅니다.",
    ),
    # Verbs
    "command.trace": (
        "run a program and write what it computed, as a recording or a picture",
        "프로그램을 실행하고 계산한 내용을 기록이나 그림으로 저장합니다",
    ),
    "command.export": ("write a recording in another format, or as a picture", "기록을 다른 형식이나 그림으로 저장합니다"),
    "command.check": (
        "run a program and verify its gradients: each backward node again alone, and each gradient beside differences",
        "프로그램을 실행하고 기울기를 검증합니다. 역전파 노드를 하나씩 다시 실행하고 기울기를 차분과 비교합니다",
    ),
    "command.examples": ("list the example programs", "예제 프로그램 목록을 보여 줍니다"),
    "command.devices": (
        "list the devices a program can run on, and what each can do in which data type",
        "프로그램을 실행할 수 있는 장치와 자료형별로 가능한 것을 보여 줍니다",
    ),
    "command.serve": ("open the web app, on this machine only", "이 컴퓨터에서만 열리는 웹 앱을 시작합니다"),
    "command.serve.code": (
        (
            "Code pasted into the page, and files named there, run only while the page can be opened from this machine alone.\n"
            "With AUTOGRAD_EXPLORER_ALLOW_CODE=1 in the environment, whoever can open the page may run code as you."
        ),
        (
            "페이지에 입력한 코드와 거기에 적은 파일은 이 컴퓨터에서만 페이지를 열 수 있는 동안에만 실행됩니다.\n"
            "환경 변수 AUTOGRAD_EXPLORER_ALLOW_CODE=1을 설정하면 페이지를 열 수 있는 누구나 사용자 권한으로 코드를 실행할 수 있습니다."
        ),
    ),
    # Examples under the help of each verb
    "command.examples_heading": ("examples:", "사용 예:"),
    "command.trace.examples": (_TRACE, _TRACE),
    "command.export.examples": (_EXPORT, _EXPORT),
    "command.check.examples": (_CHECK, _CHECK),
    "command.examples.examples": (_EXAMPLES, _EXAMPLES),
    "command.devices.examples": (_DEVICES, _DEVICES),
    "command.serve.examples": (_SERVE, _SERVE),
    "command.exit_codes": (
        "exit codes: 0 done; 1 check found something; 2 the request cannot be met; 3 the program failed, crashed or passed a limit",
        "종료 코드: 0 완료, 1 check에서 문제 발견, 2 잘못되었거나 처리할 수 없는 요청, 3 프로그램의 실패·비정상 종료·한도 초과",
    ),
    # Options
    "command.help": ("show this help and exit", "이 도움말을 보여 주고 끝냅니다"),
    "command.version": ("show the version and exit", "버전을 보여 주고 끝냅니다"),
    "command.target": (
        "an example's name, path/file.py (a script), path/file.py:callable, or package.module:callable",
        "예제 이름, path/file.py(스크립트), path/file.py:함수 또는 package.module:함수",
    ),
    "command.recording": ("a .trace or .json file that trace wrote", "trace가 저장한 .trace 또는 .json 파일"),
    "command.output": (
        "where to write; the suffix decides the format ({suffixes}), and -o may be given several times",
        "저장할 곳. 확장자가 형식을 정하며({suffixes}) -o를 여러 번 줄 수 있습니다",
    ),
    "command.json": ("print one JSON document on standard output, and nothing else", "표준 출력에 JSON 문서 하나만 출력합니다"),
    "command.run_group": ("running the program", "프로그램 실행"),
    "command.device": (
        'a device that "autograd-explorer devices" lists, or fake (default: cpu)',
        '"autograd-explorer devices"에 나오는 장치 또는 fake (기본값: cpu)',
    ),
    "command.dtype": (
        'float32, float64, bfloat16 or float16 (default: what the program takes; "autograd-explorer devices" says what each can do)',
        'float32, float64, bfloat16 또는 float16 (기본값: 프로그램이 정한 것, 자료형별 특징: "autograd-explorer devices")',
    ),
    "command.seed": ("where random numbers start (default: 0)", "난수의 시작값 (기본값: 0)"),
    "command.timeout": (
        "seconds after which the program is stopped (default: 600)",
        "프로그램을 중지할 때까지의 시간(초, 기본값: 600)",
    ),
    "command.memory_limit": (
        "gigabytes of memory above which the program is stopped (default: no limit)",
        "이 값(GB)보다 메모리를 많이 쓰면 프로그램을 중지합니다 (기본값: 제한 없음)",
    ),
    "command.values": (
        "what is kept of tensors: stats (numbers about each, default), all (whole tensors, in .trace), none (shapes only)",
        "텐서에서 남길 것: stats(통계, 기본값), all(.trace에 텐서 전체), none(형상만)",
    ),
    "command.pass": (
        "which backward pass to record, counted from 1 (default: 1), or all: a list in .json, numbered files otherwise",
        "기록할 역전파의 번호(1부터, 기본값: 1). all이면 .json에는 목록으로, 다른 형식은 번호를 붙인 파일로 저장합니다",
    ),
    "command.to_end": (
        "let the program run to its end; otherwise it ends after the wanted pass and its update",
        "프로그램을 끝까지 실행합니다. 주지 않으면 원하는 패스와 그 업데이트 뒤에 끝냅니다",
    ),
    "command.view_group": ("the picture", "그림"),
    "command.depth": (
        "module levels shown open (default: so many that at most 60 boxes show)",
        "펼쳐 보일 모듈 단계 수 (기본값: 상자가 60개를 넘지 않을 만큼)",
    ),
    "command.expand": ("open every module", "모든 모듈을 펼칩니다"),
    "command.focus": ("show the surroundings of this node only", "이 노드 주변만 보여 줍니다"),
    "command.hops": ("how many edges away from --focus are shown", "--focus에서 몇 간선 거리까지 보여 줄지 정합니다"),
    "command.between": ("show only the paths between these two nodes", "이 두 노드 사이의 경로만 보여 줍니다"),
    "command.reaching": (
        "show only what backward goes through to reach this node, such as a parameter",
        "역전파가 이 노드(예: 매개변수)에 닿기까지 지나는 것만 보여 줍니다",
    ),
    "command.only": (
        "show only what a gradient flows through (gradient), or only the modules of this class",
        "기울기가 흐르는 곳만(gradient), 또는 이 클래스의 모듈만 보여 줍니다",
    ),
    "command.open": (
        "open this module (its path, such as h.3) beyond --depth; may be given several times",
        "--depth와 관계없이 이 모듈(h.3 같은 경로)을 펼칩니다. 여러 번 줄 수 있습니다",
    ),
    "command.direction": ("which way the arrows point", "화살표가 가리키는 방향"),
    "command.flow": ("which way the picture runs", "그림이 뻗는 방향"),
    "command.overlay": ("what the colours of the boxes tell", "상자의 색이 나타내는 값"),
    "command.step": (
        "the picture after so many of the trace's steps; 0 is before the first",
        "이만큼의 단계를 지난 뒤의 그림. 0은 첫 단계 이전입니다",
    ),
    "command.lang": ("language of the picture and of messages", "그림과 안내문의 언어"),
    "command.lang_messages": ("language of messages", "안내문의 언어"),
    "command.fail_on": (
        "end with exit code 1 from which severity on (a wrong verdict is an error; default: error)",
        "어느 심각도부터 종료 코드 1로 끝낼지 (틀린 판정은 오류로 봄, 기본값: error)",
    ),
    "command.unwatched": (
        "run the program a second time without watching it, and compare loss, gradients and nodes",
        "지켜보지 않고 한 번 더 실행해 손실, 기울기, 노드를 비교합니다",
    ),
    "command.theme": ("colours of the picture", "그림의 색 구성"),
    "command.port": (
        "the port to listen on (default: 8501, or the next free one)",
        "사용할 포트 (기본값: 8501, 사용 중이면 다음 빈 포트)",
    ),
    # What it prints
    "command.wrote": (
        "{path}: {nodes} nodes, loss {loss}, pass {number} of {passes}",
        "{path}: 노드 {nodes}개, 손실 {loss}, 패스 {number}/{passes}",
    ),
    "command.wrote_no_loss": ("{path}: {nodes} nodes, pass {number} of {passes}", "{path}: 노드 {nodes}개, 패스 {number}/{passes}"),
    "command.wrote_forward": ("{path}: {nodes} nodes, no backward pass", "{path}: 노드 {nodes}개, 역전파 없음"),
    "command.wrote_passes": ("{path}: {count} passes", "{path}: 패스 {count}개"),
    "command.partial": ("{line} (partial)", "{line} (일부만 기록됨)"),
    "command.finding.error": ("  error: {message}", "  오류: {message}"),
    "command.finding.warning": ("  warning: {message}", "  경고: {message}"),
    "command.more_findings": ("  and {count} more in the recording", "  그 밖에 {count}개가 기록에 있습니다"),
    "command.available": ("available: {description}", "사용 가능: {description}"),
    "command.absent": ("not available: {reason}", "사용 불가: {reason}"),
    "command.no_dtype": ("not usable: {reason}", "사용 불가: {reason}"),
    # What can be wrong
    "command.usage": ('{problem}; see "{program} --help".', '{problem}; "{program} --help"를 확인하세요.'),
    "command.not_positive": ("must be a number above 0", "0보다 큰 수여야 합니다"),
    "command.not_count": ("must be a whole number from {least}", "{least} 이상의 정수여야 합니다"),
    "command.not_pass": ('must be a whole number from 1, or "all"', '1 이상의 정수 또는 "all"이어야 합니다'),
    "command.not_port": ("must be a whole number from 1 to 65535", "1부터 65535까지의 정수여야 합니다"),
    "command.suffix": (
        '"{path}" has no suffix that names a format; end it in one of {suffixes}.',
        '"{path}"의 확장자로 형식을 알 수 없습니다. {suffixes} 중 하나로 끝나야 합니다.',
    ),
    "command.same_output": (
        '"{path}" is named twice; give each output a place of its own.',
        '"{path}"을(를) 두 번 지정했습니다. 출력마다 다른 이름을 주세요.',
    ),
    "command.port_taken": (
        "Port {port} is in use; choose another with --port.",
        "{port}번 포트가 이미 사용 중입니다. --port로 다른 포트를 고르세요.",
    ),
    "command.no_streamlit": (
        "The web app needs Streamlit, which is not installed; install it with pip install streamlit.",
        "웹 앱에는 Streamlit이 필요하지만 설치되어 있지 않습니다. pip install streamlit으로 설치하세요.",
    ),
    "command.no_torch": (
        "Looking for devices needs PyTorch, which is not installed; install it with pip install torch.",
        "장치를 찾으려면 PyTorch가 필요하지만 설치되어 있지 않습니다. pip install torch로 설치하세요.",
    ),
}
