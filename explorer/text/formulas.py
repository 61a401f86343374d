"""What each derivative rule says, in a sentence: ops that work element by element, sums and means."""

FORMULAS: dict[str, tuple[str, str]] = {
    # element by element
    "formula.add": ("A sum hands its gradient on to both terms as it is.", "덧셈은 받은 기울기를 두 항에 그대로 전달합니다."),
    "formula.add_alpha": (
        "A sum hands its gradient on to the first term as it is, and times alpha to the second.",
        "덧셈은 받은 기울기를 첫째 항에 그대로 전달하고, 둘째 항에는 alpha를 곱해 전달합니다.",
    ),
    "formula.sub": (
        "The first term gets the gradient as it is, the one taken away gets it with the opposite sign.",
        "앞의 항은 기울기를 그대로 받고, 빼는 항은 부호를 바꾸어 받습니다.",
    ),
    "formula.sub_alpha": (
        "The first term gets the gradient as it is, the one taken away gets it times minus alpha.",
        "앞의 항은 기울기를 그대로 받고, 빼는 항은 −alpha를 곱해 받습니다.",
    ),
    "formula.rsub": (
        "The term taken away gets the gradient with the opposite sign, the other one as it is.",
        "빼는 항은 부호를 바꾼 기울기를 받고, 다른 항은 그대로 받습니다.",
    ),
    "formula.rsub_alpha": (
        "The term taken away gets the gradient times minus alpha, the other one as it is.",
        "빼는 항은 −alpha를 곱한 기울기를 받고, 다른 항은 그대로 받습니다.",
    ),
    "formula.mul": (
        "In a product each factor gets the gradient times the other factor.",
        "곱셈에서는 각 인수가 기울기에 상대 인수를 곱한 값을 받습니다.",
    ),
    "formula.div": (
        "The numerator gets the gradient divided by the denominator; the denominator gets minus the gradient times the result over b.",
        "분자는 기울기를 분모로 나눈 값을, 분모는 기울기에 결과를 곱하고 b로 나누어 부호를 바꾼 값을 받습니다.",
    ),
    "formula.neg": ("The gradient changes its sign.", "기울기의 부호가 바뀝니다."),
    "formula.abs": (
        "The gradient keeps its sign where x is positive and changes it where x is negative.",
        "x가 양수이면 기울기의 부호가 유지되고, 음수이면 바뀝니다.",
    ),
    "formula.reciprocal": ("The gradient times minus the square of the result.", "기울기에 결과의 제곱을 곱하고 부호를 바꿉니다."),
    "formula.pow0": ("x to the power 0 is always 1, so nothing flows back.", "x의 0제곱은 항상 1이므로 아무것도 되돌아가지 않습니다."),
    "formula.pow": ("The gradient times the exponent times x to the exponent minus one.", "기울기에 지수와 x의 (지수−1)제곱을 곱합니다."),
    "formula.pow_tensor": (
        "The base gets the power rule; the exponent gets the gradient times the result times the logarithm of the base.",
        "밑은 거듭제곱 규칙을 따르고, 지수는 기울기에 결과와 밑의 로그를 곱한 값을 받습니다.",
    ),
    "formula.pow_of_number": (
        "The exponent gets the gradient times the result times the logarithm of the base.",
        "지수는 기울기에 결과와 밑의 로그를 곱한 값을 받습니다.",
    ),
    "formula.sqrt": ("The gradient divided by twice the root.", "기울기를 제곱근의 두 배로 나눕니다."),
    "formula.rsqrt": ("The gradient times minus half the cube of the result.", "기울기에 결과의 세제곱의 −1/2을 곱합니다."),
    "formula.exp": (
        "The exponential function is its own derivative: the gradient times the result.",
        "지수 함수의 도함수는 자기 자신입니다. 기울기에 결과를 곱합니다.",
    ),
    "formula.exp2": ("The gradient times the result times ln 2.", "기울기에 결과와 ln 2를 곱합니다."),
    "formula.expm1": ("The gradient times exp(x), which is the result plus one.", "기울기에 exp(x), 즉 결과에 1을 더한 값을 곱합니다."),
    "formula.log": ("The gradient divided by x.", "기울기를 x로 나눕니다."),
    "formula.log2": ("The gradient divided by x times ln 2.", "기울기를 x와 ln 2의 곱으로 나눕니다."),
    "formula.log10": ("The gradient divided by x times ln 10.", "기울기를 x와 ln 10의 곱으로 나눕니다."),
    "formula.log1p": ("The gradient divided by one plus x.", "기울기를 1 + x로 나눕니다."),
    "formula.addcmul": (
        "The term that is added to gets the gradient as it is; each factor gets it times the other factor and the number v.",
        "더해지는 항은 기울기를 그대로 받고, 각 인수는 상대 인수와 수 v를 곱한 값을 받습니다.",
    ),
    "formula.addcdiv": (
        "The term that is added to gets the gradient as it is; numerator and denominator follow the quotient rule, times the number v.",
        "더해지는 항은 기울기를 그대로 받고, 분자와 분모는 나눗셈 규칙에 수 v를 곱한 값을 받습니다.",
    ),
    "formula.lerp": (
        "Between two values the gradient is shared out: 1 − w to the start, w to the end, and their difference to w.",
        "두 값 사이의 보간에서 기울기는 나뉩니다. 시작값에 1 − w, 끝값에 w, 가중치 w에는 두 값의 차를 곱합니다.",
    ),
    "formula.maximum": (
        "The larger of the two gets the whole gradient; where they are equal each gets half.",
        "두 값 중 큰 쪽이 기울기를 모두 받고, 같으면 절반씩 받습니다.",
    ),
    "formula.minimum": (
        "The smaller of the two gets the whole gradient; where they are equal each gets half.",
        "두 값 중 작은 쪽이 기울기를 모두 받고, 같으면 절반씩 받습니다.",
    ),
    "formula.where": (
        "Each element of the gradient goes to the side it was taken from; the other side gets 0 there.",
        "기울기의 각 원소는 값을 가져온 쪽으로 가고, 다른 쪽은 그 자리에서 0을 받습니다.",
    ),
    "formula.masked_fill": (
        "Where the mask filled in a value nothing flows back to x; everywhere else the gradient passes as it is.",
        "마스크로 채워진 자리에서는 x로 아무것도 되돌아가지 않고, 나머지 자리에서는 기울기가 그대로 지나갑니다.",
    ),
    "formula.clamp_low": (
        "The gradient passes where x was not raised to the bound, else it is 0.",
        "x가 하한으로 올려지지 않은 자리에서만 기울기가 지나가고, 나머지는 0입니다.",
    ),
    "formula.clamp_high": (
        "The gradient passes where x was not lowered to the bound, else it is 0.",
        "x가 상한으로 내려지지 않은 자리에서만 기울기가 지나가고, 나머지는 0입니다.",
    ),
    "formula.clamp": (
        "The gradient passes where x lies between the bounds, else it is 0.",
        "x가 두 경계 사이에 있는 자리에서만 기울기가 지나가고, 나머지는 0입니다.",
    ),
    "formula.hardtanh": (
        "The gradient passes where x lies strictly between the bounds, else it is 0.",
        "x가 두 경계 안쪽에 있는 자리에서만 기울기가 지나가고, 나머지는 0입니다.",
    ),
    "formula.threshold": (
        "The gradient passes where x is above the threshold, else it is 0.",
        "x가 문턱값보다 큰 자리에서만 기울기가 지나가고, 나머지는 0입니다.",
    ),
    "formula.flat": (
        "A step function is flat almost everywhere, so nothing flows back.",
        "계단 함수는 거의 모든 곳에서 평평하므로 아무것도 되돌아가지 않습니다.",
    ),
    "formula.sin": ("The gradient times the cosine of x.", "기울기에 x의 코사인을 곱합니다."),
    "formula.cos": ("The gradient times minus the sine of x.", "기울기에 x의 사인을 곱하고 부호를 바꿉니다."),
    "formula.tan": ("The gradient times one plus the square of the result.", "기울기에 1 + (결과의 제곱)을 곱합니다."),
    "formula.asin": ("The gradient divided by the root of one minus x squared.", "기울기를 √(1 − x²)으로 나눕니다."),
    "formula.acos": ("Minus the gradient divided by the root of one minus x squared.", "기울기를 √(1 − x²)으로 나누고 부호를 바꿉니다."),
    "formula.atan": ("The gradient divided by one plus x squared.", "기울기를 1 + x²으로 나눕니다."),
    "formula.sinh": ("The gradient times the hyperbolic cosine of x.", "기울기에 x의 쌍곡코사인을 곱합니다."),
    "formula.cosh": ("The gradient times the hyperbolic sine of x.", "기울기에 x의 쌍곡사인을 곱합니다."),
    "formula.erf": ("The gradient times the bell curve at x.", "기울기에 x에서의 종 모양 곡선 값을 곱합니다."),
    "formula.tanh": (
        "The gradient times one minus the square of the result: near −1 and 1 almost nothing passes.",
        "기울기에 1 − (결과의 제곱)을 곱합니다. 결과가 −1이나 1에 가까우면 거의 지나가지 못합니다.",
    ),
    "formula.sigmoid": (
        "The gradient times y(1 − y), never more than a quarter: near 0 and 1 almost nothing passes.",
        "기울기에 y(1 − y)를 곱합니다. 많아야 1/4이고, 결과가 0이나 1에 가까우면 거의 지나가지 못합니다.",
    ),
    "formula.relu": (
        "The gradient passes where the result is above 0; a unit that gave 0 gets nothing.",
        "결과가 0보다 큰 자리에서만 기울기가 지나가고, 0을 낸 유닛은 아무것도 받지 못합니다.",
    ),
    "formula.leaky_relu": (
        "The gradient passes as it is where x is above 0, and times the small slope elsewhere.",
        "x가 0보다 크면 기울기가 그대로 지나가고, 아니면 작은 기울기 값을 곱해 지나갑니다.",
    ),
    "formula.prelu": (
        "Where x is above 0 the gradient passes as it is, elsewhere times the learned slope, which gets the gradient times x there.",
        "x가 0보다 크면 기울기가 그대로, 아니면 학습되는 계수를 곱해 지나갑니다. 계수는 그 자리에서 기울기 곱하기 x를 받습니다.",
    ),
    "formula.elu": (
        "The gradient passes where x is above 0; below, it is damped by the exponential of x.",
        "x가 0보다 크면 기울기가 지나가고, 아니면 x의 지수 함수만큼 줄어듭니다.",
    ),
    "formula.celu": (
        "The gradient passes where x is above 0; below, it is damped by the exponential of x over alpha.",
        "x가 0보다 크면 기울기가 지나가고, 아니면 x/alpha의 지수 함수만큼 줄어듭니다.",
    ),
    "formula.gelu": (
        "The gradient times the share Φ of the bell curve below x, plus x times the curve's height.",
        "기울기에 종 모양 곡선의 누적 비율 Φ와, x와 곡선 높이의 곱을 더한 값을 곱합니다.",
    ),
    "formula.gelu_tanh": (
        "As for GELU, with the bell curve approximated by a tanh of a cubic.",
        "GELU와 같으며, 종 모양 곡선을 삼차식의 tanh로 근사합니다.",
    ),
    "formula.silu": (
        "x times its sigmoid s: the product rule gives s plus x s (1 − s), times the gradient.",
        "x에 시그모이드 s를 곱한 함수입니다. 곱의 규칙에 따라 s + x s (1 − s)를 기울기에 곱합니다.",
    ),
    "formula.mish": ("x times a tanh t of its softplus, by the product rule.", "x에 softplus의 tanh를 곱한 함수로, 곱의 규칙을 따릅니다."),
    "formula.hardsigmoid": (
        "A sixth of the gradient passes between −3 and 3, nothing outside.",
        "−3과 3 사이에서는 기울기의 1/6이 지나가고, 그 밖에서는 지나가지 않습니다.",
    ),
    "formula.hardswish": (
        "Nothing passes below −3, all of it above 3, and in between the gradient times x/3 + 1/2.",
        "−3 이하에서는 지나가지 않고, 3 이상에서는 모두 지나가며, 그 사이에서는 기울기에 x/3 + 1/2을 곱합니다.",
    ),
    "formula.softplus": ("The gradient times the sigmoid of x.", "기울기에 x의 시그모이드를 곱합니다."),
    "formula.log_sigmoid": ("The gradient times the sigmoid of −x.", "기울기에 −x의 시그모이드를 곱합니다."),
    # sums, means, extremes
    "formula.sum": ("Every element that was summed gets the gradient of the sum.", "더해진 모든 원소가 합의 기울기를 그대로 받습니다."),
    "formula.mean": (
        "Every element gets the gradient of the mean divided by how many elements were averaged.",
        "모든 원소가 평균의 기울기를 평균 낸 원소 수로 나눈 값을 받습니다.",
    ),
    "formula.var": (
        "Every element gets the gradient times twice its distance from the mean, over the count minus the correction c.",
        "모든 원소가 기울기에 평균과의 차의 두 배를 곱하고, 원소 수에서 보정값 c를 뺀 수로 나눈 값을 받습니다.",
    ),
    "formula.std": (
        "As for the variance, divided by twice the standard deviation.",
        "분산의 규칙을 표준편차의 두 배로 나눈 것입니다.",
    ),
    "formula.prod": (
        "Every factor gets the gradient times the product of all others.",
        "각 인수가 기울기에 나머지 모든 인수의 곱을 곱한 값을 받습니다.",
    ),
    "formula.extreme": (
        "The elements equal to the extreme share the gradient evenly; all others get 0.",
        "최댓값(최솟값)과 같은 원소들이 기울기를 똑같이 나누어 받고, 나머지는 0을 받습니다.",
    ),
    "formula.chosen": (
        "The gradient goes to the elements that were chosen; all others get 0.",
        "기울기는 선택된 원소로만 가고, 나머지는 0을 받습니다.",
    ),
    "formula.cumsum": (
        "Each element took part in every later sum, so it gets the sum of all their gradients.",
        "각 원소는 그 뒤의 모든 누적합에 들어가므로, 그 기울기를 모두 더한 값을 받습니다.",
    ),
    "formula.logsumexp": ("The gradient is shared out by the softmax of x.", "기울기가 x의 softmax 비율로 나누어집니다."),
    "formula.norm": ("The gradient times the unit vector of x.", "기울기에 x 방향의 단위벡터를 곱합니다."),
    "formula.norm1": ("The gradient times the sign of each element.", "기울기에 각 원소의 부호를 곱합니다."),
    "formula.softmax": (
        "Each probability times how far its gradient lies above their weighted average.",
        "각 확률에, 그 기울기가 확률로 가중한 평균보다 얼마나 큰지를 곱합니다.",
    ),
    "formula.log_softmax": (
        "The gradient minus its sum shared out by the probabilities.",
        "기울기에서, 기울기의 합을 확률대로 나눈 값을 뺍니다.",
    ),
}
