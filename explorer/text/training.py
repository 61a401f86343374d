"""What can go wrong when a training loop is watched, or a training program is started."""

TRAINING: dict[str, tuple[str, str]] = {
    "training.wrong_choice": (
        "{name} cannot be {value}; it can be: {choices}.",
        "{name}에 {value}을(를) 쓸 수 없습니다. 쓸 수 있는 값: {choices}.",
    ),
    "training.no_model": (
        "A {kind} cannot be watched; give the torch.nn.Module that is trained.",
        "{kind}은(는) 지켜볼 수 없습니다. 학습하는 torch.nn.Module을 주세요.",
    ),
    "training.no_optimizer": (
        "A {kind} is no optimizer; give a torch.optim.Optimizer, or leave it out.",
        "{kind}은(는) 옵티마이저가 아닙니다. torch.optim.Optimizer를 주거나 생략하세요.",
    ),
    "training.registered_twice": (
        "The run has its model already; register it once, before the first step.",
        "이 학습 실행에는 이미 모델이 있습니다. 첫 단계 전에 한 번만 등록하세요.",
    ),
    "training.not_open": (
        "The run is not open; call step inside the with block.",
        "학습 실행이 열려 있지 않습니다. with 블록 안에서 step을 부르세요.",
    ),
    "training.no_number": (
        'The metric "{name}" is a {kind}, which is no single number; give a number or a tensor with one element.',
        '지표 "{name}"의 값 {kind}은(는) 하나의 수가 아닙니다. 수 하나 또는 원소가 하나인 텐서를 주세요.',
    ),
    "training.other_model": (
        'The run in "{path}" has a model of {before:,} parameters, this one has {now:,}; resume it with the model that it was begun with.',
        '"{path}"의 모델은 매개변수가 {before:,}개인데 지금 모델은 {now:,}개입니다. 처음 시작한 모델로 이어서 하세요.',
    ),
    "training.no_first_rank": (
        'The process with rank 0 has not begun the run in "{path}"; start all ranks with the same folder.',
        '랭크 0인 프로세스가 "{path}"에 학습 실행을 시작하지 않았습니다. 모든 랭크를 같은 폴더로 시작하세요.',
    ),
}
