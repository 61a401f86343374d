"""Recipes of tensors: what cannot be asked for, and why torch refuses what was."""

RECIPES: dict[str, tuple[str, str]] = {
    # recipes that are refused
    "tensors.bad.recipe": (
        "This cannot be read as a list of steps such as arange(0,12);reshape(a,[3,4]).",
        "arange(0,12);reshape(a,[3,4]) 같은 단계 목록으로 읽을 수 없습니다.",
    ),
    "tensors.bad.long": ("At most {most} steps are possible.", "단계는 최대 {most}개까지 가능합니다."),
    "tensors.bad.letters": ("This is too long: at most {most:,} characters.", "너무 깁니다. 최대 {most:,}자까지 가능합니다."),
    "tensors.bad.unknown": ("Step {step}: there is no operation {what}.", "{step}단계: {what} 연산은 없습니다."),
    "tensors.bad.argument": (
        "Step {step}: {name} of {op} is missing or is not a value that fits.",
        "{step}단계: {op}의 {name} 값이 없거나 알맞지 않습니다.",
    ),
    "tensors.bad.large": (
        "Step {step} asks for {size:,} elements; at most {most:,} are possible here.",
        "{step}단계가 요소 {size:,}개를 요구합니다. 여기서는 최대 {most:,}개까지 가능합니다.",
    ),
    "tensors.bad.literal": (
        "Write numbers in nested lists, such as [[1, 2], [3, 4]]; nan, inf, True and 1+2j are numbers, too.",
        "[[1, 2], [3, 4]]처럼 수를 중첩 리스트로 쓰세요. nan, inf, True, 1+2j도 쓸 수 있습니다.",
    ),
    "tensors.no_bench": (
        'PyTorch does not start here, so nothing can be computed on this page; check with `python -c "import torch"`.',
        'PyTorch가 시작되지 않아 이 페이지에서 계산할 수 없습니다. `python -c "import torch"`로 확인해 보세요.',
    ),
    "tensors.too_slow": (
        "This took longer than {seconds} s and was ended; try something smaller.",
        "{seconds}초가 넘게 걸려 중단했습니다. 더 작은 것으로 시도해 보세요.",
    ),
    "tensors.bench_died": (
        "The process that computes ended without an answer; try again, it starts anew.",
        "계산하던 프로세스가 응답 없이 종료되었습니다. 새로 시작되니 다시 시도해 보세요.",
    ),
    # why torch refuses
    "tensors.why.broadcast": (
        "Seen from the right, sizes must be equal, or one of them 1 or missing. Dimension {number} from the right: {left} against {right}.",
        "오른쪽부터 맞춰 볼 때 두 크기가 같거나, 한쪽이 1이거나 없어야 합니다. 오른쪽에서 {number}번째 차원: {left} 대 {right}.",
    ),
    "tensors.why.matmul": (
        "A row of the first is multiplied with a column of the second: both must have as many elements. Here {left} against {right}.",
        "첫 텐서의 행과 둘째 텐서의 열을 곱하므로 요소 수가 같아야 합니다. 지금은 {left} 대 {right}입니다.",
    ),
    "tensors.why.matmul_scalar": (
        "A matrix product needs at least one dimension on both sides; multiply by a scalar with *.",
        "행렬 곱에는 양쪽 모두 차원이 하나 이상 있어야 합니다. 스칼라는 *로 곱하세요.",
    ),
    "tensors.why.matmul_batch": (
        "The dimensions before the last two must broadcast, and here they do not.",
        "마지막 두 차원보다 앞의 차원들은 브로드캐스트되어야 하는데, 여기서는 맞지 않습니다.",
    ),
    "tensors.why.matmul_dtype": (
        "Both sides of a matrix product must have the same data type; bring one over with .to.",
        "행렬 곱의 양쪽은 자료형이 같아야 합니다. .to로 한쪽을 바꾸세요.",
    ),
    "tensors.why.count": (
        "A new shape must hold just as many elements: there are {elements:,}, the shape asked for holds {asked:,}.",
        "새 형상의 요소 수는 그대로여야 합니다. 지금 요소는 {elements:,}개, 요청한 형상은 {asked:,}개입니다.",
    ),
    "tensors.why.count_unknown": (
        "One −1 stands for the size that is left over, and {elements:,} elements cannot be divided that way.",
        "−1은 남는 크기를 뜻하며 하나만 쓸 수 있습니다. 요소 {elements:,}개는 그렇게 나눌 수 없습니다.",
    ),
    "tensors.why.strides": (
        "The count fits, but no strides reach the elements in this order where they lie. reshape or contiguous().view(…) copies them.",
        "요소 수는 맞지만, 지금 놓인 자리에서 이 순서로 읽는 스트라이드가 없습니다. reshape나 contiguous().view(…)는 복사합니다.",
    ),
    "tensors.why.dim": (
        "There is no dimension {dim} here: rank {rank} allows {low} to {high}.",
        "{dim}번 차원은 없습니다. 랭크 {rank}에서는 {low}부터 {high}까지 쓸 수 있습니다.",
    ),
    "tensors.why.permute": (
        "permute wants each of the {rank} dimensions exactly once: some order of {dims}.",
        "permute에는 {rank}개 차원을 한 번씩 모두 써야 합니다: {dims}의 순서를 바꾼 것.",
    ),
    "tensors.why.expand": (
        "expand repeats dimensions of size 1 without copying, and adds new ones in front; any other size must stay as it is.",
        "expand는 크기가 1인 차원만 복사 없이 반복하고 앞에 새 차원을 더합니다. 다른 크기는 바꿀 수 없습니다.",
    ),
    "tensors.why.index": (
        "There is no such place: dimension {dim} has {size} elements, counted from 0.",
        "그런 위치는 없습니다. {dim}번 차원의 요소는 {size}개이고 0부터 셉니다.",
    ),
    "tensors.why.step": (
        "torch takes no slice backwards: use flip, which copies. NumPy gives a view with a negative stride.",
        "torch는 거꾸로 슬라이스하지 못합니다. 복사하는 flip을 쓰세요. NumPy는 음수 스트라이드인 뷰를 줍니다.",
    ),
    "tensors.why.too_many": (
        "{count} places are given for a tensor of rank {rank}.",
        "랭크 {rank}인 텐서에 위치를 {count}개 썼습니다.",
    ),
    "tensors.why.leaf": (
        "A leaf whose gradient is wanted cannot be changed in place: autograd would lose track. Change a clone instead.",
        "기울기를 구할 리프 텐서는 제자리에서 바꿀 수 없습니다. autograd의 기록이 깨지기 때문입니다. clone으로 복사해 바꾸세요.",
    ),
    "tensors.why.mean": (
        "The mean of {dtype} would have to be a fraction: convert to a floating-point type first. NumPy does so by itself.",
        "{dtype}의 평균은 정수가 아닐 수 있으니 먼저 부동소수점 자료형으로 바꾸세요. NumPy는 스스로 바꿉니다.",
    ),
    "tensors.why.cat": (
        "cat joins along a dimension that both have: all other sizes must be equal.",
        "cat은 둘 다 가진 차원을 따라 잇습니다. 나머지 크기는 모두 같아야 합니다.",
    ),
    "tensors.why.stack": (
        "stack needs two tensors of exactly the same shape.",
        "stack에는 형상이 완전히 같은 두 텐서가 필요합니다.",
    ),
    "tensors.why.grad_dtype": (
        "Only floating-point and complex tensors can have a gradient, not {dtype}.",
        "기울기는 부동소수점이나 복소수 텐서에만 있습니다. {dtype}에는 없습니다.",
    ),
    "tensors.why.backward_none": (
        "Nothing here requires a gradient: make the first tensor with requires_grad=True.",
        "기울기가 필요한 텐서가 없습니다. 처음 텐서를 requires_grad=True로 만드세요.",
    ),
    "tensors.why.backward_shape": (
        "backward() starts from a single number: take .sum() or .mean() first.",
        "backward()는 수 하나에서 시작합니다. 먼저 .sum()이나 .mean()을 하세요.",
    ),
    "tensors.why.backward_again": (
        "The graph was used already, and what it kept was freed.",
        "그래프를 이미 한 번 썼고, 보관하던 값은 해제되었습니다.",
    ),
    "tensors.why.device": (
        "There is no device {device} on this machine, or this torch was built without it.",
        "이 컴퓨터에 {device} 장치가 없거나, 이 torch가 그 장치 없이 빌드되었습니다.",
    ),
    "tensors.why.meta": (
        "A tensor on the device meta has no values that could be brought back.",
        "meta 장치의 텐서에는 되가져올 값이 없습니다.",
    ),
    "tensors.why.cast": (
        "In place the data type cannot change, and {dtype} cannot hold the result.",
        "제자리에서는 자료형을 바꿀 수 없는데, {dtype}에는 결과가 들어가지 않습니다.",
    ),
    "tensors.why.empty": ("There is no largest of no elements.", "요소가 없으면 최댓값도 없습니다."),
    "tensors.why.unsupported": (
        "torch does not do this with {dtype}; convert with .to first.",
        "torch는 {dtype}에 이 연산을 하지 않습니다. 먼저 .to로 바꾸세요.",
    ),
    "tensors.why.negative": (
        "A size cannot be negative; −1 only means “what is left” where a shape is changed.",
        "크기는 음수일 수 없습니다. −1은 형상을 바꿀 때만 “나머지”를 뜻합니다.",
    ),
    "tensors.why.no_range": (
        "The upper bound must be greater than the lower one.",
        "상한은 최솟값보다 커야 합니다.",
    ),
    "tensors.why.counting": (
        "The step must lead from the start to the end, and its sign must fit; bool and complex numbers are not counted.",
        "간격은 0이 아니어야 하고 시작에서 끝으로 가는 부호여야 합니다. bool과 복소수로는 셀 수 없습니다.",
    ),
    "tensors.why.ragged": (
        "All rows of a tensor have the same length, and its numbers must fit the data type.",
        "텐서의 행은 길이가 모두 같고, 수는 자료형에 맞아야 합니다.",
    ),
    "tensors.why.made": (
        "torch cannot make this tensor with these arguments.",
        "이 인자로는 torch가 텐서를 만들 수 없습니다.",
    ),
    "tensors.why.large": (
        "The result would have {size:,} elements; at most {most:,} are possible here.",
        "결과의 요소가 {size:,}개가 됩니다. 여기서는 최대 {most:,}개까지 가능합니다.",
    ),
    "tensors.why.other": ("torch refuses this step.", "torch가 이 단계를 거부했습니다."),
}
