"""What can be said of a training run on disk, and of what is asked of one."""

RUNS: dict[str, tuple[str, str]] = {
    "runs.missing": (
        'There is no training run in "{path}"; name the folder that holds its run.json.',
        '"{path}"에 학습 실행 기록이 없습니다. run.json이 들어 있는 폴더를 지정하세요.',
    ),
    "runs.damaged": (
        'The training run in "{path}" is damaged or was not written by Autograd Explorer; restore the folder from a copy.',
        '"{path}"의 학습 실행 기록이 손상되었거나 Autograd Explorer가 쓴 것이 아닙니다. 사본에서 폴더를 복원하세요.',
    ),
    "runs.newer": (
        'The training run in "{path}" was written by a newer version; update autograd-explorer to read it.',
        '"{path}"의 학습 실행 기록은 더 새로운 버전에서 쓴 것입니다. autograd-explorer를 업데이트한 뒤 여세요.',
    ),
    "runs.unreadable": (
        'The training run in "{path}" cannot be read ({reason}); check the folder and its permissions.',
        '"{path}"의 학습 실행 기록을 읽을 수 없습니다({reason}). 폴더와 접근 권한을 확인하세요.',
    ),
    "runs.there_already": (
        'There is a training run in "{path}" already; choose another folder, or resume that one.',
        '"{path}"에 이미 학습 실행 기록이 있습니다. 다른 폴더를 고르거나 그 학습을 이어서 하세요.',
    ),
    "runs.not_empty": (
        '"{path}" holds something else; choose a folder that is empty or not there yet.',
        '"{path}"에 다른 파일이 있습니다. 비어 있거나 아직 없는 폴더를 고르세요.',
    ),
    "runs.no_place": (
        'Nothing can be written to "{path}" ({reason}); choose another folder.',
        '"{path}"에 쓸 수 없습니다({reason}). 다른 폴더를 고르세요.',
    ),
    "runs.busy": (
        'Another process is writing the training run in "{path}"; stop it first, or choose another folder.',
        '다른 프로세스가 "{path}"의 학습 실행 기록을 쓰고 있습니다. 먼저 그 학습을 멈추거나 다른 폴더를 고르세요.',
    ),
    "runs.cannot_store": (
        'The training run in "{path}" cannot be stored any further ({reason}); what was stored is kept. Make room and resume it.',
        '"{path}"에 학습 실행 기록을 더 저장할 수 없습니다({reason}). 지금까지 저장된 것은 남아 있습니다. 공간을 확보한 뒤 이어서 하세요.',
    ),
    "runs.unknown_request": (
        "A training run cannot be asked to {kind}; it can be asked to: {kinds}.",
        "학습 실행에 {kind}을(를) 요청할 수 없습니다. 요청할 수 있는 것: {kinds}.",
    ),
    "runs.no_folder": (
        'There is no folder "{path}"; name one that holds training runs.',
        '"{path}" 폴더가 없습니다. 학습 실행 기록이 있는 폴더를 지정하세요.',
    ),
    "runs.none": ('There are no training runs in "{path}".', '"{path}"에 학습 실행 기록이 없습니다.'),
    "runs.export_suffix": (
        '"{path}" names no format for metrics; end it in .csv or .parquet.',
        '"{path}"에는 지표의 형식이 없습니다. .csv 또는 .parquet으로 끝나는 이름을 쓰세요.',
    ),
    "runs.line": ("{path}: {state}, {steps} steps, {traces} recorded", "{path}: {state}, {steps}단계, 기록 {traces}개"),
    "runs.line_loss": (", loss {first} → {last}", ", 손실 {first} → {last}"),
    "runs.state.running": ("running", "학습 중"),
    "runs.state.paused": ("paused", "일시 중지"),
    "runs.state.finished": ("finished", "완료"),
    "runs.state.stopped": ("stopped", "중지됨"),
    "runs.state.failed": ("failed", "실패"),
    "runs.state.died": ("ended without a word", "예고 없이 종료됨"),
}
