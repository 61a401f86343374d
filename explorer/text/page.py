"""The web app: labels, step sentences, help and empty states.

"page." is what Streamlit shows, "player." goes to the player in the browser, "step." are the sentences of steps. Values in step
sentences are numbers and names, so the Korean ones use no particle that depends on the sound before it.
"""

PAGE: dict[str, tuple[str, str]] = {
    # one sentence a step
    "step.initialise": (
        "Initialise: {leaves}.",
        "초기화: {leaves}.",
    ),
    "step.equals": ("{name} = {value}", "{name} = {value}"),
    "step.more": ("and {count} more", "외 {count}개"),
    "step.count_parameter": ("{count} parameters", "매개변수 {count}개"),
    "step.count_input": ("{count} inputs", "입력 {count}개"),
    "step.count_constant": ("{count} constants", "상수 {count}개"),
    "step.count_buffer": ("{count} buffers", "버퍼 {count}개"),
    "step.makes": ("{op} gives {result}.", "{op}: {result} 값을 만듭니다."),
    "step.computes": ("{op} reads {operands} and gives {result}.", "{op}: {operands} 값을 읽어 {result} 값을 계산합니다."),
    "step.operand": ("{name} ({value})", "{name} ({value})"),
    "step.loss": (
        "The loss is {loss}. From here the backward pass starts with gradient {seed}.",
        "손실: {loss}. 여기에서 기울기 {seed} 값으로 역전파가 시작됩니다.",
    ),
    "step.seeds": (
        "The backward pass starts at {count} outputs: {seeds}.",
        "역전파가 출력 {count}개에서 시작됩니다: {seeds}.",
    ),
    "step.seed": (
        "The backward pass starts at {name} with gradient {seed}.",
        "역전파가 {name}에서 기울기 {seed} 값으로 시작됩니다.",
    ),
    "step.to": ("{value} to {target}", "{target}에 {value}"),
    "step.sends": ("{name} receives {received} and sends {targets}.", "{name}: {received} 값을 받아 {targets} 값을 보냅니다."),
    "step.sends_only": ("{name} sends {targets}.", "{name}: {targets} 값을 보냅니다."),
    "step.receives": ("{name} receives {received} and sends nothing on.", "{name}: {received} 값을 받고, 더 보내지 않습니다."),
    "step.runs": ("{name} runs; no gradient was recorded here.", "{name}: 실행되었지만 여기에서 기록된 기울기는 없습니다."),
    "step.meets": ("At {name} they add up: {terms} = {total}.", "{name}에서 더해집니다: {terms} = {total}."),
    "step.arrives": (
        "At {name}, contribution {arrived} of {expected} arrives and is added.",
        "{name}에 기여분 {expected}개 중 {arrived}번째가 도착해 더해집니다.",
    ),
    "step.grad_first": ("{name}.grad was empty; now it is {after}.", "{name}.grad: 비어 있다가 {after} 값이 들어갑니다."),
    "step.grad_added": (
        "{gradient} is added to {name}.grad: {before} → {after}.",
        "{name}.grad: {gradient} 값이 더해집니다, {before} → {after}.",
    ),
    "step.gradient_is": ("The gradient of {name} is {gradient}.", "{name}의 기울기: {gradient}."),
    "step.update_rate": (
        "{optimizer} updates {name}: {before} → {after} (learning rate {rate}).",
        "{optimizer}: {name} 갱신, {before} → {after} (학습률 {rate}).",
    ),
    "step.update": ("{optimizer} updates {name}: {before} → {after}.", "{optimizer}: {name} 갱신, {before} → {after}."),
    "step.by_hand": ("The program changes {name} itself: {before} → {after}.", "프로그램이 직접 {name} 값을 바꿉니다: {before} → {after}."),
}
