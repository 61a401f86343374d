"""What the controls of lessons say: chain rule, matrix product, three ways to a gradient, ranks and data types."""

TRYING: dict[str, tuple[str, str]] = {
    # matrix product
    "trying.cell": ("Cell of the result (row, column)", "결과의 칸 (행, 열)"),
    "trying.cells_left": (
        "Cells not chosen yet: {count}. Work each out before you choose it.",
        "아직 고르지 않은 칸: {count}개. 먼저 계산해 보고 골라 보십시오.",
    ),
    # tangent
    "trying.functions": ("Functions", "함수"),
    "trying.curve": ("y = f(g(x))", "y = f(g(x))"),
    "trying.tangent": ("tangent", "접선"),
    "trying.chart": (
        "The curve and its tangent at x = {x}, where y = {y} and the slope is {slope}",
        "곡선과 x = {x}에서의 접선. y = {y}, 기울기 {slope}",
    ),
    "trying.kink": (
        "[u > 0] is 1 where this holds and 0 elsewhere. At the kink, u = 0, there is no derivative; PyTorch takes 0.",
        "[u > 0]은 조건이 맞으면 1, 아니면 0입니다. 꺾이는 점 u = 0에서는 미분할 수 없으며, PyTorch는 0을 씁니다.",
    ),
    # three ways
    "trying.by_hand": ("by hand: the product of the local slopes", "손으로: 국소 기울기의 곱"),
    "trying.by_nudging": ("by nudging: central difference in `float64`", "값을 움직여서: `float64` 중앙 차분"),
    "trying.by_autograd": ("autograd: `backward()`", "autograd: `backward()`"),
    "trying.difference": ("largest difference", "가장 큰 차이"),
    "trying.along_the_path": ("The product by hand, from the loss back:", "손실에서 거슬러 가며 손으로 구한 곱은 다음과 같습니다."),
    "trying.recorded_run": ("From the recorded run (torch {torch}).", "기록해 둔 실행의 결과입니다(torch {torch})."),
    "trying.run_now": ("Computed just now on this computer (torch {torch}).", "이 컴퓨터에서 방금 계산한 결과입니다(torch {torch})."),
    "trying.run": ("Run it now", "지금 실행하기"),
    "trying.running": ("Running …", "실행하고 있습니다 …"),
    # ranks
    "trying.rank": ("Rank", "랭크"),
    "trying.rank_0": ("0 · scalar", "0 · 스칼라"),
    "trying.rank_1": ("1 · vector", "1 · 벡터"),
    "trying.rank_2": ("2 · matrix", "2 · 행렬"),
    "trying.rank_3": ("3", "3"),
    "trying.rank_4": ("4", "4"),
    "trying.index": ("Index along dimension {dimension}", "{dimension}번 차원의 인덱스"),
    "trying.cells": ("Cells of the tensor", "텐서의 칸"),
    "trying.part": (
        "`{code}` has rank {rank} and the shape {shape}; numbers in it: {count}.",
        "`{code}`의 랭크는 {rank}, 형상은 {shape}, 담긴 수는 {count}개입니다.",
    ),
    "trying.one_number": ("It is the number {value}.", "이 수는 {value}입니다."),
    # data types
    "trying.number": ("A number", "수"),
    "trying.dtype": ("data type", "자료형"),
    "trying.bytes": ("bytes", "바이트"),
    "trying.kept": ("what is kept", "저장되는 값"),
    "trying.off_by": ("off by", "오차"),
    "trying.types_note": (
        "Integer types cut decimals off; a whole number that does not fit wraps around. “–”: too large for the type, the result is open.",
        "정수형은 소수 부분을 버립니다. 범위를 벗어난 정수는 범위 안의 다른 수로 바뀝니다. “–”는 결과가 정해져 있지 않다는 뜻입니다.",
    ),
    # view or copy
    "trying.operation": ("Operation", "연산"),
    "trying.write": ("Write {value} into the first cell of the result", "결과의 첫 칸에 {value} 쓰기"),
    "trying.storage": ("Storage of `{name}`, read with the strides {strides}", "`{name}`의 저장소 (스트라이드 {strides}로 읽습니다)"),
    "trying.view": (
        "**A view**: the result reads the same storage, with the strides {strides}, from place {offset} on.",
        "**뷰입니다.** 결과는 같은 저장소를 {offset}번 자리부터 스트라이드 {strides}로 읽습니다.",
    ),
    "trying.copy": ("**A copy**: the result has a storage of its own.", "**복사본입니다.** 결과는 자기 저장소를 따로 가집니다."),
    "trying.changed": (
        "{value} was written into the result, and `b` has changed with it: it is the same place in memory.",
        "결과에 {value}를 썼더니 `b`도 함께 바뀌었습니다. 메모리의 같은 자리이기 때문입니다.",
    ),
    "trying.unchanged": (
        "{value} was written into the result; `b` is as it was.",
        "결과에 {value}를 썼지만 `b`는 그대로입니다.",
    ),
    "trying.no_view": (
        "`view` never copies. No stride can read the six numbers in this order as one row: PyTorch refuses. `reshape` would copy here.",
        "`view`는 복사하지 않습니다. 어떤 스트라이드로도 여섯 수를 이 순서대로 한 줄로 읽을 수 없어 오류가 납니다. `reshape`은 복사합니다.",
    ),
    "trying.numpy_view": ("NumPy: `{line}` is a view, too.", "NumPy의 `{line}`도 뷰입니다."),
    "trying.numpy_copy": ("NumPy: `{line}` is a copy.", "NumPy의 `{line}`도 복사본을 만듭니다."),
}
