"""Why an op makes NaN or infinity, and what helps: clauses without a full stop."""

CAUSES: dict[str, tuple[str, str]] = {
    "finding.cause.negative_root": (
        "the square root of a negative number",
        "음수의 제곱근입니다",
    ),
    "finding.cure.negative_root": (
        "Keep what is under the root at zero or above: clamp(min=0), or a small constant added",
        "제곱근 안이 0 이상이 되도록 clamp(min=0)을 쓰거나 작은 상수를 더하세요",
    ),
    "finding.cause.negative_logarithm": (
        "the logarithm of a negative number",
        "음수의 로그입니다",
    ),
    "finding.cure.negative_logarithm": (
        "Make the input positive first, with softplus, exp or clamp; for probabilities use log_softmax or logsigmoid",
        "softplus, exp, clamp로 입력을 먼저 양수로 만드세요. 확률이라면 log_softmax나 logsigmoid를 쓰세요",
    ),
    "finding.cause.negative_power": (
        "a negative number to a power that is no integer",
        "음수를 정수가 아닌 지수로 거듭제곱했습니다",
    ),
    "finding.cure.negative_power": (
        "Clamp the base to zero or above, or take sign(x) * abs(x) ** p",
        "밑을 0 이상으로 clamp하거나 sign(x) * abs(x) ** p를 쓰세요",
    ),
    "finding.cause.outside": (
        "its input lies outside of where the function is defined",
        "입력이 함수의 정의역을 벗어났습니다",
    ),
    "finding.cure.outside": (
        "Clamp the input to just inside of the range, as to ±(1 - 1e-6) for acos",
        "acos라면 ±(1 - 1e-6)처럼 입력을 정의역 안쪽으로 clamp하세요",
    ),
    "finding.cause.masked_row": (
        "a row of softmax is -inf in every place, so that it is 0/0",
        "softmax의 한 행이 모두 -inf라서 0/0이 됩니다",
    ),
    "finding.cure.masked_row": (
        "Leave at least one place of each row unmasked, or fill the mask with a large negative number in place of -inf",
        "행마다 한 곳 이상은 가리지 말거나, -inf 대신 큰 음수로 마스크를 채우세요",
    ),
    "finding.cause.one_element": (
        "the deviation of one element alone, which divides by zero (n - 1)",
        "원소 하나만의 표준편차라서 0(n - 1)으로 나눕니다",
    ),
    "finding.cure.one_element": (
        "Take correction=0, or take the statistics over more than one element",
        "correction=0을 쓰거나 둘 이상의 원소로 통계를 내세요",
    ),
    "finding.cause.mean_of_nothing": (
        "a mean over no element at all",
        "원소가 하나도 없는 평균입니다",
    ),
    "finding.cure.mean_of_nothing": (
        "Look whether the batch or the mask is empty, or every target is ignored; skip such a batch",
        "배치나 마스크가 비어 있거나 모든 정답이 무시되는지 확인하고, 그런 배치는 건너뛰세요",
    ),
    "finding.cause.zero_by_zero": (
        "0/0",
        "0/0입니다",
    ),
    "finding.cure.zero_by_zero": (
        "Add a small constant to the divisor or clamp it, or leave out what is divided by zero",
        "나누는 수에 작은 상수를 더하거나 clamp하고, 0으로 나누는 부분은 빼세요",
    ),
    "finding.cause.infinite_by_infinite": (
        "infinity divided by infinity",
        "무한대를 무한대로 나누었습니다",
    ),
    "finding.cure.infinite_by_infinite": (
        "Look where the infinity came from: the finding about it names the op",
        "무한대가 어디서 왔는지 확인하세요. 무한대에 대한 발견이 그 연산을 알려 줍니다",
    ),
    "finding.cause.zero_times_infinite": (
        "infinity times zero, or infinities that cancel",
        "무한대에 0을 곱했거나 무한대끼리 상쇄되었습니다",
    ),
    "finding.cure.zero_times_infinite": (
        "Look where the infinity came from; a mask is better applied with torch.where than by multiplying",
        "무한대가 어디서 왔는지 확인하세요. 마스크는 곱하기보다 torch.where로 적용하는 것이 좋습니다",
    ),
    "finding.cause.infinite_less_infinite": (
        "infinity minus infinity",
        "무한대에서 무한대를 뺐습니다",
    ),
    "finding.cure.infinite_less_infinite": (
        "Look where the infinity came from; use logsumexp and log_softmax for sums of exponentials",
        "무한대가 어디서 왔는지 확인하세요. 지수의 합에는 logsumexp와 log_softmax를 쓰세요",
    ),
    "finding.cause.unfilled": (
        "it is memory as it was found, and nothing filled it",
        "메모리에 남아 있던 값이며 아무것도 채우지 않았습니다",
    ),
    "finding.cure.unfilled": (
        "Fill it before it is read, or ask for torch.zeros in place of torch.empty",
        "읽기 전에 값을 채우거나 torch.empty 대신 torch.zeros를 쓰세요",
    ),
    "finding.cause.written_nan": (
        "NaN is written down there, as torch does itself where there is no result",
        "그 자리에 NaN이 직접 적혀 있습니다. 결과가 없는 곳에는 torch도 NaN을 적습니다",
    ),
    "finding.cure.written_nan": (
        "If torch wrote it, mend what it was given (logdet, say, needs a positive determinant); otherwise fill in a number",
        "torch가 적은 것이라면 입력을 고치세요(예: logdet에는 양의 행렬식이 필요합니다). 아니라면 다른 수로 채우세요",
    ),
    "finding.cause.new_nan": (
        "none of its inputs had one",
        "입력에는 NaN이 없었습니다",
    ),
    "finding.cure.new_nan": (
        "Look at its inputs: a root or logarithm of a negative number, 0/0, or infinity minus infinity",
        "입력을 확인하세요. 음수의 제곱근이나 로그, 0/0, 무한대 빼기 무한대가 흔한 원인입니다",
    ),
    "finding.cause.logarithm_of_zero": (
        "the logarithm of zero",
        "0의 로그입니다",
    ),
    "finding.cure.logarithm_of_zero": (
        "Compute it in one step (log_softmax, logsigmoid, log1p), or add a small constant to the input",
        "한 번에 계산하는 함수(log_softmax, logsigmoid, log1p)를 쓰거나 입력에 작은 상수를 더하세요",
    ),
    "finding.cause.division_by_zero": (
        "a division by zero",
        "0으로 나누었습니다",
    ),
    "finding.cure.division_by_zero": (
        "Add a small constant to the divisor, or clamp it away from zero",
        "나누는 수에 작은 상수를 더하거나 0에서 떨어지도록 clamp하세요",
    ),
    "finding.cause.overflow": (
        "the result is larger than the largest number of its data type",
        "결과가 자료형의 가장 큰 수보다 큽니다",
    ),
    "finding.cure.overflow": (
        "Make the numbers smaller first (normalise, subtract the maximum before exp, clamp), or take a wider type: bfloat16, float32",
        "연산 전에 값을 줄이거나(정규화, exp 전에 최댓값 빼기, clamp) bfloat16이나 float32처럼 더 넓은 자료형을 쓰세요",
    ),
    "finding.cause.pole": (
        "its input lies at the edge of its range, where the function goes to infinity",
        "입력이 정의역의 끝에 있고, 그곳에서 함수가 무한대로 발산합니다",
    ),
    "finding.cure.pole": (
        "Clamp the input to just inside of the range: from -1 + 1e-6 for log1p, ±(1 - 1e-6) for atanh; torch.logit takes eps=1e-6",
        "log1p라면 -1 + 1e-6 이상, atanh라면 ±(1 - 1e-6)처럼 입력을 정의역 안쪽으로 clamp하세요. torch.logit에는 eps=1e-6을 줄 수 있습니다",
    ),
    "finding.cause.written_inf": (
        "infinity is filled in there",
        "그 자리에 무한대를 채웠습니다",
    ),
    "finding.cure.written_inf": (
        "Fill in a large finite number, such as torch.finfo(dtype).min, or see to it that softmax alone reads it",
        "torch.finfo(dtype).min처럼 큰 유한한 수로 채우거나, 무한대는 softmax에서만 쓰이게 하세요",
    ),
    "finding.cause.new_inf": (
        "none of its inputs had one",
        "입력에는 무한대가 없었습니다",
    ),
    "finding.cure.new_inf": (
        "Look at its inputs: a division by zero, a logarithm of zero, or a number too large for the data type",
        "입력을 확인하세요. 0으로 나누기, 0의 로그, 자료형에 비해 너무 큰 수가 흔한 원인입니다",
    ),
    "finding.cause.received_infinite": (
        "it received an infinite gradient, and infinity times 0 or minus infinity is NaN",
        "무한대 기울기를 받았고, 무한대에 0을 곱하거나 무한대를 빼면 NaN이 됩니다",
    ),
    "finding.cure.received_infinite": (
        "Mend the op that made the infinite gradient, or the infinite value: the finding about it names it",
        "무한대 기울기나 무한대 값을 만든 연산을 고치세요. 그에 대한 발견이 연산을 알려 줍니다",
    ),
    "finding.cause.value_not_finite": (
        "a value that it needs is not finite",
        "그 계산에 필요한 값이 유한하지 않습니다",
    ),
    "finding.cure.value_not_finite": (
        "Mend the value first: the finding about the forward pass names where it came from",
        "값을 먼저 고치세요. 순전파에 대한 발견이 그 값이 어디서 왔는지 알려 줍니다",
    ),
    "finding.cause.root_at_zero": (
        "the slope of a root at 0 is infinite",
        "0에서 제곱근의 기울기가 무한대입니다",
    ),
    "finding.cure.root_at_zero": (
        "Add a small constant under the root; for a length use torch.linalg.vector_norm, whose gradient at 0 is 0",
        "제곱근 안에 작은 상수를 더하세요. 길이라면 0에서 기울기가 0인 torch.linalg.vector_norm을 쓰세요",
    ),
    "finding.cause.power_at_zero": (
        "the slope of a power below 1 at 0 is infinite",
        "1보다 작은 거듭제곱의 기울기가 0에서(at 0) 무한대입니다",
    ),
    "finding.cure.power_at_zero": (
        "Add a small constant to the base, or clamp it above zero",
        "밑에 작은 상수를 더하거나 0보다 크게 clamp하세요",
    ),
    "finding.cause.logarithm_at_zero": (
        "the slope of a logarithm at 0 is infinite",
        "0에서 로그의 기울기가 무한대입니다",
    ),
    "finding.cure.logarithm_at_zero": (
        "Compute it in one step (log_softmax, logsigmoid), or keep the input above zero with a small constant",
        "한 번에 계산하는 함수(log_softmax, logsigmoid)를 쓰거나 작은 상수로 입력을 0보다 크게 유지하세요",
    ),
    "finding.cause.division_at_zero": (
        "the slope of a division by 0 is not finite",
        "0으로 나누는 곳의 기울기가 유한하지 않습니다",
    ),
    "finding.cure.division_at_zero": (
        "Add a small constant to the divisor, or clamp it away from zero",
        "나누는 수에 작은 상수를 더하거나 0에서 떨어지도록 clamp하세요",
    ),
    "finding.cause.spread_of_equals": (
        "the deviation of equal values is 0, and the slope of its root there is not finite",
        "같은 값들의 표준편차는 0이고, 그 제곱근의 기울기는 유한하지 않습니다",
    ),
    "finding.cure.spread_of_equals": (
        "Add a small constant to the variance before the root, as normalisation layers do",
        "정규화 층처럼 제곱근 전에 분산에 작은 상수를 더하세요",
    ),
    "finding.cause.length_of_zero": (
        "the length of a zero vector has no slope",
        "영벡터의 길이에는 기울기가 없습니다",
    ),
    "finding.cure.length_of_zero": (
        "Add a small constant to the squared length, or leave zero vectors out",
        "길이의 제곱에 작은 상수를 더하거나 영벡터를 빼세요",
    ),
    "finding.cause.edge_of_range": (
        "at the edge of its range its slope is infinite",
        "정의역의 끝에서 기울기가 무한대입니다",
    ),
    "finding.cure.edge_of_range": (
        "Clamp the input to just inside of the range, as to ±(1 - 1e-6) for acos",
        "acos라면 ±(1 - 1e-6)처럼 입력을 정의역 안쪽으로 clamp하세요",
    ),
    "finding.cause.angle_of_zero": (
        "the angle of the point (0, 0) has no slope",
        "점 (0, 0)의 각도에는 기울기가 없습니다",
    ),
    "finding.cure.angle_of_zero": (
        "Leave the origin out, or move it by a small constant",
        "원점을 빼거나 작은 상수만큼 옮기세요",
    ),
    "finding.cause.gradient_overflow": (
        "its derivative is finite, but the gradient that it sends is larger than the largest number of its data type",
        "도함수는 유한하지만 보내는 기울기가 자료형의 가장 큰 수보다 큽니다",
    ),
    "finding.cure.gradient_overflow": (
        "A torch.amp.GradScaler leaves such a step out and lowers its scale: use one, or compute this part in bfloat16 or float32",
        "torch.amp.GradScaler는 이런 단계를 건너뛰고 배율을 낮춥니다. GradScaler를 쓰거나 이 부분을 bfloat16이나 float32로 계산하세요",
    ),
    "finding.cause.wide_overflow": (
        "its derivative is finite, but the gradient that it sends is larger than the largest number of its data type",
        "도함수는 유한하지만 보내는 기울기가 자료형의 가장 큰 수보다 큽니다",
    ),
    "finding.cure.wide_overflow": (
        "Make the factors of the loss smaller, or normalise what they multiply; clipping comes too late for what is infinite already",
        "손실에 곱하는 수를 줄이거나 곱해지는 값을 정규화하세요. 이미 무한대가 된 기울기는 클리핑으로 되돌릴 수 없습니다",
    ),
    "finding.cause.no_derivative": (
        "what it received was finite, so its derivative is not, at this value",
        "받은 기울기는 정상이므로 이 값에서 도함수가 유한하지 않습니다",
    ),
    "finding.cure.no_derivative": (
        "Keep the input away from this value, with a small constant or clamp; where torch.where leaves it out, make the input safe first",
        "작은 상수를 더하거나 clamp로 입력을 이 값에서 떨어뜨리세요. torch.where가 쓰지 않는 쪽이라면 입력을 먼저 안전하게 바꾸세요",
    ),
}
