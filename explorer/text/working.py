"""What a page says beside the arithmetic of one node."""

WORKING: dict[str, tuple[str, str]] = {
    "working.equal": ("This is what torch delivered.", "torch가 전달한 값과 같습니다."),
    "working.close": (
        "torch delivered the same but for rounding in {dtype}: the largest difference is {difference}.",
        "torch가 전달한 값과 {dtype} 반올림 오차 안에서 같습니다. 최대 차이는 {difference}입니다.",
    ),
    "working.differs": (
        "torch delivered something else: the largest difference is {difference}.",
        "torch가 전달한 값과 다릅니다. 최대 차이는 {difference}입니다.",
    ),
    "working.seed": ("start of backward", "역전파의 시작"),
    "working.received_shape": ("{start} {shape}, from: {names}", "{start} {shape}, 보낸 곳: {names}"),
    "working.summed": (
        "{left}: summed over the dimensions it was broadcast along, {before} → {after}",
        "{left}: 브로드캐스트된 차원을 따라 합산, {before} → {after}",
    ),
    "working.no_rule": (
        "No rule was written for {name}, so nothing is worked out here.",
        "{name}에 대한 규칙이 작성되어 있지 않아 여기서는 계산하지 않습니다.",
    ),
    "working.no_formula": ("No rule is known for this node.", "이 노드의 규칙은 알려져 있지 않습니다."),
    "working.torchs": ("This is torch's own line, as its source has it.", "torch 소스에 있는 그대로의 규칙입니다."),
    "working.users": ("This is the source of the program's own backward.", "프로그램이 직접 정의한 backward의 소스입니다."),
    "working.unmatched": (
        "Which argument of the op this is was not recorded, so nothing is worked out here.",
        "연산의 어느 인자인지 기록되지 않아 여기서는 계산하지 않습니다.",
    ),
    "working.not_recorded": (
        "The values of {what} are not in the trace, which keeps arrays of at most 64 elements (all with --values all).",
        "{what}의 값이 기록에 없습니다. 원소 64개 이하의 배열만 기록됩니다(--values all이면 모두).",
    ),
    "working.too_many": (
        "torch delivered an array {shape}; its values are not in the trace, so it is not compared here.",
        "torch가 전달한 배열 {shape}의 값이 기록에 없어 여기서는 비교하지 않습니다.",
    ),
    "working.other_use": (
        "The rule was not written for this use of the op, so nothing is worked out here.",
        "이 연산을 이렇게 쓴 경우에 대한 규칙이 아니어서 여기서는 계산하지 않습니다.",
    ),
    "working.symbolic": ("The sizes are not known, so nothing is worked out here.", "크기를 알 수 없어 여기서는 계산하지 않습니다."),
    "working.nothing_flowed": ("No gradient reached this node.", "이 노드에는 기울기가 도달하지 않았습니다."),
    "working.large": ("The arrays are too large to be worked out here.", "배열이 너무 커서 여기서는 계산하지 않습니다."),
    "working.not_delivered": ("torch delivered no gradient along this edge.", "torch가 이 간선으로 기울기를 전달하지 않았습니다."),
    "working.too_many_here": (
        "torch's gradient is an array whose values are not in the trace, so it is not compared here.",
        "torch가 계산한 기울기 배열의 값이 기록에 없어 여기서는 비교하지 않습니다.",
    ),
    "working.long_way": (
        "More than {count} nodes lie between this one and the loss, so the paths are not worked out.",
        "이 노드와 손실 사이에 노드가 {count}개 넘게 있어 경로를 계산하지 않습니다.",
    ),
}
