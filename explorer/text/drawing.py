"""Words in pictures, and what is said when one cannot be drawn or written."""

DRAWING: dict[str, tuple[str, str]] = {
    # kinds and states of a node
    "drawing.parameter": ("parameter", "매개변수"),
    "drawing.input": ("input", "입력"),
    "drawing.constant": ("constant", "상수"),
    "drawing.buffer": ("buffer", "버퍼"),
    "drawing.op": ("op", "연산"),
    "drawing.frozen": ("frozen", "고정됨"),
    "drawing.not_executed": ("not executed", "실행되지 않음"),
    "drawing.not_computed": ("not computed", "아직 계산되지 않음"),
    "drawing.no_gradient": ("no gradient", "기울기 없음"),
    "drawing.starts": ("backward starts here", "여기서 역전파 시작"),
    "drawing.loss": ("loss", "손실"),
    "drawing.unknown_op": ("unknown op", "알 수 없는 연산"),
    "drawing.also": ("also {name}", "다른 이름 {name}"),
    # why there is no gradient
    "drawing.reason.detach": ("cut by detach", "detach로 끊김"),
    "drawing.reason.item": ("cut by item", "item으로 끊김"),
    "drawing.reason.integer": ("cut: integers carry no gradient", "정수라서 기울기가 끊김"),
    "drawing.reason.no_grad": ("under no_grad", "no_grad 구간"),
    "drawing.reason.inference_mode": ("under inference_mode", "inference_mode 구간"),
    "drawing.reason.not reached": ("not reached by backward", "역전파가 닿지 않음"),
    "drawing.reason.constant": ("needs no gradient", "기울기가 필요하지 않음"),
    "drawing.reason.not differentiable": ("not differentiable", "미분할 수 없음"),
    "drawing.reason.custom_function": ("inside a custom function", "사용자 정의 함수 안"),
    "drawing.reason.captured": ("gradient taken here", "여기서 기울기를 가져감"),
    "drawing.reason.inner backward": ("reached by a backward inside this one", "안쪽에서 실행된 역전파가 닿음"),
    "drawing.reason.failed": ("failed here", "여기서 실패함"),
    # figures
    "drawing.value": ("value {figure}", "값 {figure}"),
    "drawing.gradient": ("gradient {figure}", "기울기 {figure}"),
    "drawing.no_gradient_yet": ("gradient not computed", "기울기 아직 계산되지 않음"),
    "drawing.updated": ("updated to {figure}", "갱신된 값 {figure}"),
    "drawing.not_finite_value": ("{count} NaN or inf in it", "NaN 또는 inf {count}개 포함"),
    "drawing.not_finite_gradient": ("{count} NaN or inf in its gradient", "기울기에 NaN 또는 inf {count}개 포함"),
    "drawing.scalar": ("scalar", "스칼라"),
    "drawing.more": ("+{count} more", "외 {count}개"),
    "drawing.ops": ("{count} ops", "연산 {count}개"),
    "drawing.one_op": ("1 op", "연산 1개"),
    "drawing.parts": ("{count} parts, {ops}", "묶음 {count}개, {ops}"),
    "drawing.leaves": ("{count} tensors", "텐서 {count}개"),
    "drawing.findings": ("{count} findings", "발견 {count}건"),
    # the caption
    "drawing.forward": ("forward pass: arrows carry values", "순전파: 화살표를 따라 값이 흐릅니다"),
    "drawing.backward": ("backward pass: arrows carry gradients", "역전파: 화살표를 따라 기울기가 흐릅니다"),
    "drawing.pass": ("pass {number} of {passes}", "패스 {number}/{passes}"),
    "drawing.loss_is": ("loss {figure}", "손실 {figure}"),
    "drawing.step": ("after step {step}", "{step}단계까지"),
    "drawing.focus": ("around {name}", "{name} 주변"),
    "drawing.partial": ("partial recording", "일부만 기록됨"),
    "drawing.simplified": ("shown collapsed: the full picture took too long", "전체 그림이 너무 오래 걸려 접어서 표시했습니다"),
    "drawing.empty": ("nothing was recorded", "기록된 것이 없습니다"),
    "drawing.overlay.gradient": ("gradient, root mean square", "기울기의 제곱평균제곱근"),
    "drawing.overlay.value": ("value, root mean square", "값의 제곱평균제곱근"),
    "drawing.overlay.time": ("time, microseconds", "시간(마이크로초)"),
    "drawing.overlay.memory": ("bytes kept for backward", "역전파를 위해 보관한 바이트"),
    "drawing.overlay.unknown": ("unknown", "알 수 없음"),
    "drawing.overlay.not_finite": ("NaN or inf", "NaN 또는 inf"),
    # requests that cannot be met
    "drawing.bad_choice": (
        "--{option} cannot be {value!r}. Choose one of: {known}.",
        "--{option}에는 {value!r}을(를) 쓸 수 없습니다. 다음 중에서 고르세요: {known}.",
    ),
    "drawing.bad_number": (
        "--{option} cannot be {value!r}. Give a whole number from 0.",
        "--{option}에는 {value!r}을(를) 쓸 수 없습니다. 0 이상의 정수를 넣으세요.",
    ),
    "drawing.no_focus": (
        "There is no node {focus} in this trace. Its nodes are numbered 0 to {last}.",
        "이 트레이스에는 노드 {focus}이(가) 없습니다. 노드 번호는 0부터 {last}까지입니다.",
    ),
    "drawing.no_focus_at_all": (
        "There is no node {focus}: this trace has no nodes. Leave --focus out.",
        "노드 {focus}이(가) 없습니다. 이 트레이스에는 노드가 하나도 없습니다. --focus를 빼세요.",
    ),
    "drawing.no_step": (
        "There is no step {step} in this trace. Its steps are numbered 0 to {last}.",
        "이 트레이스에는 {step}단계가 없습니다. 단계 번호는 0부터 {last}까지입니다.",
    ),
    "drawing.unknown_option": (
        "A picture has no option {option!r}. It has: {known}.",
        "그림에는 {option!r} 옵션이 없습니다. 쓸 수 있는 옵션: {known}.",
    ),
    "drawing.unknown_suffix": (
        "The name {name!r} does not end in a format that can be written. End it in one of: {known}.",
        "{name!r}의 끝이 쓸 수 있는 형식이 아닙니다. 다음 중 하나로 끝내세요: {known}.",
    ),
    "drawing.too_large": (
        "Drawing took longer than {seconds} seconds and was stopped. Show less of it: a smaller --depth, or --focus on one node.",
        "그리는 데 {seconds}초가 넘게 걸려 멈췄습니다. --depth를 줄이거나 --focus로 노드 하나만 골라 더 적게 표시하세요.",
    ),
    "drawing.too_many_to_play": (
        "The player holds at most {most:,} nodes and this recording has {nodes:,}. Draw it as .svg or .dot, or keep it as .trace or .json.",
        "플레이어에는 노드를 {most:,}개까지만 담을 수 있는데 이 기록은 {nodes:,}개입니다. .svg나 .dot으로 그리거나 .trace로 저장하세요.",
    ),
    "drawing.engine_failed": (
        "Graphviz ({engine}) could not draw this picture: {what}. Show less with --depth, or set AUTOGRAD_EXPLORER_DOT to another one.",
        "Graphviz({engine})가 이 그림을 그리지 못했습니다: {what}. --depth로 줄이거나 AUTOGRAD_EXPLORER_DOT로 다른 엔진을 고르세요.",
    ),
    "drawing.no_engine": (
        "No Graphviz can be started here ({what}). Run: pip install pygraphviz, or write .dot or .json instead.",
        "여기서 실행할 수 있는 Graphviz가 없습니다({what}). pip install pygraphviz를 실행하거나 .dot 또는 .json으로 저장하세요.",
    ),
    "drawing.unknown_engine": (
        "AUTOGRAD_EXPLORER_DOT is {value!r}. Set it to one of: {known}, or remove it.",
        "AUTOGRAD_EXPLORER_DOT의 값이 {value!r}입니다. 다음 중 하나로 바꾸거나 지우세요: {known}.",
    ),
    "drawing.no_format": (
        "The {engine} engine cannot write {format}. Install pygraphviz, or write .svg instead.",
        "{engine} 엔진은 {format} 형식을 쓰지 못합니다. pygraphviz를 설치하거나 .svg로 저장하세요.",
    ),
}
