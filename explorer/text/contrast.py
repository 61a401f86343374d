"""Two devices or data types beside each other. Names and numbers stand where a Korean particle does not depend on their sound."""

CONTRAST: dict[str, tuple[str, str]] = {
    "contrast.title": ("Compare two devices or data types", "두 장치나 자료형 비교"),
    "contrast.about": (
        "The same program with the same seed runs once on each side. fake is not offered: it has no values.",
        "같은 프로그램을 같은 시드로 양쪽에서 한 번씩 실행합니다. fake에는 값이 없어 고를 수 없습니다.",
    ),
    "contrast.only_fake": (
        "This program is too large to be computed, so there are no values to compare.",
        "실제로 계산하기에는 너무 큰 프로그램이라 비교할 값이 없습니다.",
    ),
    "contrast.first": ("First", "첫째"),
    "contrast.second": ("Second", "둘째"),
    "contrast.device_of": ("{side}: device", "{side}: 장치"),
    "contrast.dtype_of": ("{side}: data type", "{side}: 자료형"),
    "contrast.run": ("Compare", "비교"),
    "contrast.same_sides": ("Choose two different sides to compare.", "서로 다른 두 쪽을 고르세요."),
    "contrast.tolerance": ("Relative tolerance", "상대 허용 오차"),
    "contrast.by_dtype": ("by data type", "자료형에 따라"),
    "contrast.tolerance_help": (
        (
            "A difference counts against the largest magnitude of its tensor. By data type: float64 1e-7, float32 1.3e-6, float16 1e-3, "
            "bfloat16 1.6e-2, that of the coarser side; whole numbers have to be equal."
        ),
        (
            "차이를 그 텐서에서 절댓값이 가장 큰 값과 견줍니다. 자료형에 따라서는 float64 1e-7, float32 1.3e-6, float16 1e-3, "
            "bfloat16 1.6e-2이고 두 쪽 중 더 거친 쪽을 따르며, 정수는 같아야 합니다."
        ),
    ),
    # what was found
    "contrast.agree": (
        "All {count} values and gradients agree within tolerance. The largest relative difference: {relative}, at {name}.",
        "값과 기울기 {count}개가 모두 허용 오차 안에서 같습니다. 가장 큰 상대 차이: {relative}, 위치: {name}.",
    ),
    "contrast.equal": ("All {count} values and gradients are exactly equal.", "값과 기울기 {count}개가 모두 정확히 같습니다."),
    "contrast.value_of": ("the value of {name}", "{name}의 값"),
    "contrast.gradient_of": ("the gradient of {name}", "{name}의 기울기"),
    "contrast.begins": (
        "The first difference above tolerance arises in {what}: {difference}, relative {relative}. The {before} before it agree.",
        "허용 오차를 넘는 첫 차이: {what}, 차이 {difference}, 상대 차이 {relative}. 그보다 먼저 계산된 {before}개는 같습니다.",
    ),
    "contrast.agree_shown": (
        "Nothing differs by more than the tolerance, as far as statistics show. The largest relative difference: {relative}, at {name}.",
        "통계로 드러나는 한 허용 오차를 넘게 다른 것은 없습니다. 가장 큰 상대 차이: {relative}, 위치: {name}.",
    ),
    "contrast.begins_shown": (
        (
            "The first difference above tolerance shows in {what}: {difference}, relative {relative}. It may begin before, where only "
            "statistics are known."
        ),
        (
            "허용 오차를 넘는 차이가 처음 드러나는 곳: {what}, 차이 {difference}, 상대 차이 {relative}. 통계만 남긴 앞부분에서 "
            "시작되었을 수도 있습니다."
        ),
    ),
    "contrast.begins_missing": (
        "The first difference arises in {what}: it is there on one side only, or in another shape. The {before} before it agree.",
        "첫 차이: {what}. 한쪽에만 있거나 형상이 다릅니다. 그보다 먼저 계산된 {before}개는 같습니다.",
    ),
    "contrast.start": (
        (
            "The two sides start from different numbers: {what} differs by {difference}, relative {relative}. A data type rounds what it "
            "holds, and random numbers are drawn otherwise on another device or in another data type; to start from the same ones, draw "
            "them in one way and convert, as in torch.randn(3, dtype=torch.float32).to(device, dtype)."
        ),
        (
            "두 쪽이 서로 다른 숫자에서 시작합니다: {what}, 차이 {difference}, 상대 차이 {relative}. 자료형은 담은 값을 반올림하고, "
            "난수는 장치나 자료형에 따라 다르게 뽑힙니다. 같은 숫자에서 시작하려면 한 가지 방법으로 뽑은 뒤 "
            "torch.randn(3, dtype=torch.float32).to(device, dtype)처럼 변환하세요."
        ),
    ),
    "contrast.above": ("{above} of {count} differ by more than the tolerance.", "{count}개 중 {above}개가 허용 오차를 넘게 다릅니다."),
    "contrast.parted": (
        "From {name} on the two sides do different things; compared are what comes before it and leaves of the same name.",
        "{name}부터 두 쪽이 서로 다른 일을 하므로 그 앞부분과 이름이 같은 리프만 비교합니다.",
    ),
    "contrast.parted_end": (
        "The second side goes on where the first ends; compared is what both did.",
        "첫째가 끝난 뒤에도 둘째는 더 계산하므로 양쪽이 함께 한 부분만 비교합니다.",
    ),
    "contrast.no_values": ("Neither side has values to compare.", "양쪽 모두 비교할 값이 없습니다."),
    "contrast.bounded": (
        "Of {count} tensors only statistics were kept, for their size; they differ by at least what is shown (≥).",
        "텐서 {count}개는 너무 커서 통계만 남겼습니다. 실제 차이는 표시된 값 이상(≥)입니다.",
    ),
    "contrast.partial": (
        "One side stopped early, so the comparison ends there.",
        "한쪽이 중간에 멈추어 거기까지만 비교합니다.",
    ),
    # the table
    "contrast.table": ("Values and gradients beside each other", "나란히 놓은 값과 기울기"),
    "contrast.where": ("Node", "노드"),
    "contrast.difference": ("Largest difference", "최대 차이"),
    "contrast.relative": ("Relative", "상대"),
    "contrast.value": ("value", "값"),
    "contrast.gradient": ("gradient", "기울기"),
    "contrast.is_above": ("above tolerance", "허용 오차 초과"),
    "contrast.is_within": ("within tolerance", "허용 오차 이내"),
    "contrast.is_alike": ("its statistics agree", "통계가 허용 오차 이내"),
    "contrast.is_unknown": ("not compared", "비교 안 함"),
    "contrast.why_shape": ("another shape", "다른 형상"),
    "contrast.why_missing": ("on one side only", "한쪽에만 있음"),
    "contrast.why_no_values": ("no values kept", "값을 남기지 않음"),
    "contrast.why_kind": ("complex or empty", "복소수이거나 비어 있음"),
    "contrast.only_above": ("Only above tolerance", "허용 오차를 넘는 것만"),
    "contrast.largest_first": ("Largest first", "큰 차이부터"),
    "contrast.show": ("Show in the player", "플레이어에서 보기"),
    "contrast.none": ("Nothing is above tolerance.", "허용 오차를 넘는 것이 없습니다."),
    "contrast.more": ("{count} smaller differences are in the files below only.", "더 작은 차이 {count}개는 아래 파일에만 있습니다."),
    "contrast.csv": ("Table, CSV", "표, CSV"),
    "contrast.json": ("Table, JSON", "표, JSON"),
}
