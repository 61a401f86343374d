"""What a graph holds in memory, and what its products cost: the page's chart and the lines of the command."""

MEMORY: dict[str, tuple[str, str]] = {
    "memory.title": ("Memory over the steps", "단계별 메모리"),
    "memory.saved": ("saved for backward", "역전파용으로 저장"),
    "memory.gradients": ("gradients", "기울기"),
    "memory.peak": ("peak", "최대"),
    "memory.peak_at": ("{bytes} · {node}", "{bytes} · {node}"),
    "memory.backward": ("backward →", "역전파 →"),
    "memory.step": ("step", "단계"),
    "memory.start": ("start", "시작"),
    "memory.node": ("{name} in {module}", "{module}의 {name}"),
    "memory.node_backward": ("backward of {name}", "{name}의 역전파"),
    "memory.node_update": ("update of {name}", "{name} 갱신"),
    "memory.hover": (
        "Step {step}: {node}<br>saved for backward {saved}<br>gradients {gradients}<br><b>together {total}</b>",
        "{step}단계: {node}<br>역전파용으로 저장 {saved}<br>기울기 {gradients}<br><b>합계 {total}</b>",
    ),
    "memory.most": (
        "At most **{bytes}** are held at once, at step {step} of {steps} ({node}): {saved} saved for backward, {gradients} of gradients.",
        "동시에 최대 **{bytes}**를 차지합니다. {steps}단계 중 {step}단계({node})이며, 역전파용 저장 {saved}, 기울기 {gradients}입니다.",
    ),
    "memory.go": ("Go to the peak", "최대 지점으로 이동"),
    "memory.counted": (
        (
            "Counted are the tensors that the graph keeps for its backward, each storage once, and gradients on their way or in `.grad`. "
            "Not counted: parameters, buffers, the optimizer's state, what only variables hold, and what a checkpoint computes anew. Click "
            "a point to go to its step."
        ),
        (
            "그래프가 역전파를 위해 보관하는 텐서(같은 저장소는 한 번만)와, 전달 중이거나 `.grad`에 있는 기울기를 셉니다. 매개변수, 버퍼, "
            "옵티마이저 상태, 변수만 붙들고 있는 텐서, 체크포인트가 다시 계산하는 것은 세지 않습니다. 점을 클릭하면 그 단계로 이동합니다."
        ),
    ),
    "memory.fake": (
        "Worked out from shapes: nothing of this was allocated.",
        "형상에서 계산한 값이며, 실제로 할당된 메모리는 없습니다.",
    ),
    "memory.unknown": (
        "{count} more of unknown size (sparse or symbolic) are not in it.",
        "크기를 알 수 없는(희소 또는 기호 크기) 텐서 {count}개는 포함되지 않았습니다.",
    ),
    "memory.flops": (
        "Matrix products, convolutions and attention take **{forward}** forward and **{backward}** backward.",
        "행렬곱, 합성곱, 어텐션의 연산량은 순전파 **{forward}**, 역전파 **{backward}**입니다.",
    ),
    "memory.flops_unknown": (
        "Not counted, as no rule tells their cost: {names}.",
        "연산량을 알 수 없어 세지 않은 연산: {names}.",
    ),
    "memory.no_backward": (
        "No backward pass was recorded, so nothing was kept for one. Record a program that calls `backward()` on its loss.",
        "역전파가 기록되지 않아 보관된 것이 없습니다. 손실에 `backward()`를 호출하는 프로그램을 기록하세요.",
    ),
    "memory.not_told": (
        "This recording does not tell which memory its tensors lay in; record the program again to see it.",
        "이 기록에는 텐서가 놓인 메모리 정보가 없습니다. 프로그램을 다시 기록하면 볼 수 있습니다.",
    ),
    "memory.line": (
        "at most {bytes} for backward and gradients ({saved} saved), at step {step}, node {node}; {forward} forward, {backward} backward",
        "역전파용 저장과 기울기 최대 {bytes}(저장 {saved}), {step}단계 노드 {node}; 연산량 순전파 {forward}, 역전파 {backward}",
    ),
}
