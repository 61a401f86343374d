"""What can go wrong when a training loop is watched, or a training program is started."""

# Commands are the same in every language.
_TRAIN = """\
  autograd-explorer train simple_net --run runs/first --steps 500
  autograd-explorer train simple_net --run runs/second --set learning_rate=0.1 --set optimizer=adam
  autograd-explorer train train.py:train --run runs/mine --device cuda --record-every 100
  autograd-explorer train train.py:train --run runs/mine --resume --steps 2000"""
_RUNS = """\
  autograd-explorer runs runs
  autograd-explorer runs runs --json
  autograd-explorer runs runs/first --export first.csv"""

_AGAIN = "\n  autograd-explorer train {target} --run {path} --resume --steps {step} --record-at {step}"

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
    "training.no_checkpoint": (
        'No checkpoint could be written to "{path}" ({reason}); the training goes on without, and cannot be resumed. Make room there.',
        '"{path}"에 체크포인트를 쓸 수 없습니다({reason}). 체크포인트 없이 학습하며 이어서 할 수 없습니다. 공간을 확보하세요.',
    ),
    "training.cannot_keep": (
        'A {kind} in "{what}" cannot be kept in a checkpoint, so this training cannot be resumed; use numbers, texts and tensors.',
        '"{what}" 안의 {kind}은(는) 체크포인트에 담을 수 없어 이 학습은 이어서 할 수 없습니다. 수, 문자열, 텐서를 쓰세요.',
    ),
    "training.no_weights": (
        'There are no weights in "{path}"; name the folder of a run that was trained before.',
        '"{path}"에 가중치가 없습니다. 먼저 학습한 실행의 폴더를 지정하세요.',
    ),
    "training.other_weights": (
        'The weights in "{path}" are those of another model; build the model as it was in that run.',
        '"{path}"의 가중치는 다른 모델의 것입니다. 그 학습과 같은 구조로 모델을 만드세요.',
    ),
    "training.no_state": (
        'A {kind} cannot be kept as "{name}": it has no state_dict and load_state_dict.',
        '{kind}에는 state_dict와 load_state_dict가 없어 "{name}"(으)로 보관할 수 없습니다.',
    ),
    "training.not_kept": (
        'The checkpoint in "{path}" has no state of "{name}"; resume with the same registration as before.',
        '"{path}"의 체크포인트에 "{name}"의 상태가 없습니다. 처음과 같이 등록한 뒤 이어서 하세요.',
    ),
    "training.no_metrics": (
        'A training function yields a dict of metrics with "loss" after each step; this one yielded a {kind}.',
        '학습 함수는 단계마다 "loss"가 든 지표의 dict를 내보내야 하는데 {kind}을(를) 내보냈습니다.',
    ),
    "training.resume_needs_register": (
        "This program does not register its model, so it cannot be resumed; write a generator function that calls run.register.",
        "이 프로그램은 모델을 등록하지 않아 이어서 할 수 없습니다. run.register를 부르는 제너레이터 함수로 쓰세요.",
    ),
    "training.no_setting": (
        '"{name}" has no setting "{setting}"; it has: {settings}.',
        '"{name}"에는 "{setting}" 설정이 없습니다. 사용할 수 있는 설정: {settings}.',
    ),
    "training.no_settings": (
        '"{name}" is a script, which has no settings to choose; name a function in it.',
        '"{name}"은(는) 스크립트라서 고를 설정이 없습니다. 그 안의 함수를 지정하세요.',
    ),
    "training.wrong_setting": (
        '"{value}" is not a value for the setting "{setting}"; give a value of the kind {kind}.',
        '"{value}"은(는) "{setting}" 설정에 쓸 수 없습니다. {kind} 형식의 값을 주세요.',
    ),
    "training.no_fake": (
        "The device fake has no numbers to train with; choose another device.",
        "fake 장치에는 학습할 수가 없습니다. 다른 장치를 고르세요.",
    ),
    "training.nan": (
        "The loss was not finite first at step {step}. To see the graph in which it arose, do the steps since the last checkpoint again:"
        + _AGAIN,
        "손실이 {step}단계에서 처음으로 유한하지 않게 되었습니다. 그 그래프를 보려면 마지막 체크포인트부터 다시 실행하세요." + _AGAIN,
    ),
    "training.not_started": ("The training could not be started: {told}", "학습을 시작하지 못했습니다: {told}"),
    "training.needs": (
        '"{name}" goes on from weights that were trained before; name their run with --set {setting}=DIR.',
        '"{name}"은(는) 먼저 학습한 가중치에서 시작합니다. --set {setting}=DIR로 그 실행을 지정하세요.',
    ),
    "training.no_step": (
        '"{name}" ended without a training step: no optimizer stepped, and nothing was yielded.',
        '"{name}"이(가) 학습 단계 없이 끝났습니다. 옵티마이저가 움직이지 않았고 내보낸 지표도 없습니다.',
    ),
    # The command line
    "command.train": ("train a program and write the run to a folder", "프로그램을 학습시키고 그 과정을 폴더에 기록합니다"),
    "command.train.examples": (_TRAIN, _TRAIN),
    "command.runs": ("list training runs, or write their metrics to a file", "학습 실행 기록을 보여 주거나 지표를 파일로 저장합니다"),
    "command.runs.examples": (_RUNS, _RUNS),
    "command.recording_or_runs": (
        "a recording (.trace), or a folder with training runs or of one",
        "기록 파일(.trace) 또는 학습 실행 기록이 있는 폴더",
    ),
    "command.runs_folder": ("a folder with training runs, or one of them", "학습 실행 기록이 있는 폴더 또는 그중 하나"),
    "command.runs_export": ("write all metrics, a row a step (.csv or .parquet)", "모든 지표를 단계마다 한 줄로 저장 (.csv 또는 .parquet)"),
    "command.train_target": (
        "a training program: a name, path/file.py (each optimizer.step() is a step), path/file.py:function or package.module:function",
        "학습 프로그램: 이름, path/file.py(optimizer.step()마다 한 단계), path/file.py:function 또는 package.module:function",
    ),
    "command.train_run": (
        "the folder of the run, new or with --resume one that is there",
        "학습 실행 폴더. 새 폴더, 또는 --resume이면 이미 있는 폴더",
    ),
    "command.train_steps": (
        "how many steps in all (default: as many as the program says, else 1000; a script runs to its end)",
        "전체 단계 수 (기본값: 프로그램이 정한 수, 없으면 1000. 스크립트는 끝까지 실행)",
    ),
    "command.train_resume": (
        "go on from the last checkpoint of the run; what is not given is as it was",
        "마지막 체크포인트부터 이어서 학습하며, 주지 않은 값은 이전과 같습니다",
    ),
    "command.train_set": (
        "a setting of the program, such as learning_rate=0.01 (may be given several times)",
        "프로그램의 설정. 예: learning_rate=0.01 (여러 번 쓸 수 있음)",
    ),
    "command.train_every": (
        "measure the parameters every N steps (default: as often as 2 %% of the time allow)",
        "N단계마다 매개변수를 측정 (기본값: 시간의 2%%가 허락하는 만큼)",
    ),
    "command.train_record_every": (
        "record every N-th step whole, beside the first and the last",
        "첫 단계와 마지막 단계 말고도 N단계마다 전체를 기록",
    ),
    "command.train_record_at": ("record this step whole (may be given several times)", "이 단계 전체를 기록 (여러 번 쓸 수 있음)"),
    "command.train_on_nan": ("what to do when the loss is not finite (default: mark)", "손실이 유한하지 않을 때 할 일 (기본값: mark)"),
    "command.train_on_full": ("what to do when the disk is full (default: continue)", "디스크가 가득 찼을 때 할 일 (기본값: continue)"),
    "command.train_seed": (
        "where random numbers start (default: 0, or as the run that is resumed)",
        "난수의 시작값 (기본값: 0 또는 이어서 하는 실행의 값)",
    ),
    "command.train_timeout": (
        "seconds after which the program is stopped (default: never)",
        "프로그램을 중지할 때까지의 시간(초, 기본값: 제한 없음)",
    ),
    "command.not_setting": ("write NAME=VALUE, such as learning_rate=0.01", "learning_rate=0.01처럼 NAME=VALUE로 쓰세요"),
    # Programs that train, and nothing else (explorer.text.programs has the others)
    "programs.moons": ("Two moons", "두 개의 달"),
    "programs.moons.about": (
        "Three layers learn to tell two half circles apart; the surface between them is drawn as it forms.",
        "세 개의 층이 두 반원을 구별하는 법을 배웁니다. 그 사이의 경계면이 만들어지는 모습을 그립니다.",
    ),
    "programs.two_spirals": ("Two spirals", "두 개의 나선"),
    "programs.two_spirals.about": (
        "The same network on two arms that turn around each other, which takes it far longer.",
        "같은 신경망이 서로 감긴 두 나선을 배웁니다. 훨씬 오래 걸립니다.",
    ),
    "programs.digits": ("Handwritten digits", "손글씨 숫자"),
    "programs.digits.about": (
        "A small convolutional network learns to read 1,797 digits of 8 × 8 pixels.",
        "작은 합성곱 신경망이 8 × 8 픽셀의 숫자 1,797개를 읽는 법을 배웁니다.",
    ),
    "programs.char_gpt": ("A GPT learns to write", "글쓰기를 배우는 GPT"),
    "programs.char_gpt.about": (
        "Pre-training: a small GPT learns Shakespeare character by character, and shows what it writes.",
        "사전 학습: 작은 GPT가 셰익스피어를 한 글자씩 배우며 무엇을 쓰는지 보여 줍니다.",
    ),
    "programs.char_gpt_fine_tuned": ("A GPT learns another text", "다른 글을 배우는 GPT"),
    "programs.char_gpt_fine_tuned.about": (
        "Fine-tuning: the GPT that knows Shakespeare goes on with “Alice's Adventures in Wonderland”.",
        "미세 조정: 셰익스피어를 배운 GPT가 “이상한 나라의 앨리스”를 이어서 배웁니다.",
    ),
    "programs.char_gpt_korean": ("A GPT learns to write Korean", "한국어를 배우는 GPT"),
    "programs.char_gpt_korean.about": (
        "Pre-training on sixteen Korean stories of the 1920s and 1930s, jamo by jamo.",
        "사전 학습: 1920~30년대 한국 단편소설 열여섯 편을 자모 단위로 배웁니다.",
    ),
    "programs.char_gpt_korean_fine_tuned": ("A GPT learns another Korean text", "다른 한국어 글을 배우는 GPT"),
    "programs.char_gpt_korean_fine_tuned.about": (
        "Fine-tuning: the GPT that knows those stories goes on with Yi Sang's tale of the ox and the goblin.",
        "미세 조정: 그 소설들을 배운 GPT가 이상의 “황소와 도깨비”를 이어서 배웁니다.",
    ),
}
