"""A configuration that cannot be: one sentence that says what to change."""

SIZES: dict[str, tuple[str, str]] = {
    "sizes.unknown_name": (
        "The configuration has no {name}; it knows {names}.",
        "설정에 {name} 항목은 없습니다. 쓸 수 있는 항목은 {names}입니다.",
    ),
    "sizes.not_whole": (
        "{name} is a whole number, not {value}: write it without fractions or quotes.",
        "{name}에는 {value} 대신 정수를 적어 주세요.",
    ),
    "sizes.not_a_number": (
        "{name} is a number, not {value}: write it without quotes.",
        "{name}에는 {value} 대신 따옴표 없이 숫자를 적어 주세요.",
    ),
    "sizes.not_a_switch": (
        "{name} is either true or false, not {value}: choose one of the two.",
        "{name}에는 {value} 대신 참(true)이나 거짓(false) 중 하나를 적어 주세요.",
    ),
    "sizes.too_small": (
        "{name} is {value}, and there is no such model: choose {low} or more.",
        "{name} 값이 {value}인 모델은 있을 수 없습니다. {low} 이상으로 정해 주세요.",
    ),
    "sizes.too_large": (
        "{name} is {value}, larger than anything that could be built: choose at most {high}.",
        "{name} 값이 {value}이면 만들 수 있는 범위를 벗어납니다. {high} 이하로 정해 주세요.",
    ),
    "sizes.rate": (
        "drop_rate is {value}, but it is the share of numbers that are set to zero: choose 0 or more, and less than 1.",
        "drop_rate는 0으로 만들 값의 비율이므로 {value}일 수 없습니다. 0 이상 1 미만으로 정해 주세요.",
    ),
    "sizes.heads": (
        "{heads} heads cannot share an embedding of {size} equally: choose {fewer} heads, or emb_dim {wider}.",
        "임베딩 차원({size})은 헤드 수({heads})로 나누어떨어지지 않습니다. n_heads = {fewer} 또는 emb_dim = {wider} 중 하나로 바꿔 주세요.",
    ),
}
