"""What is said of verification: verdicts, why something was not checked, and the report that `check` prints."""

CHECKS: dict[str, tuple[str, str]] = {
    "check.verdict.equal": ("equal", "일치"),
    "check.verdict.close": ("close", "근사"),
    "check.verdict.wrong": ("WRONG", "틀림"),
    "check.verdict.skipped": ("not checked", "검증 안 함"),
    # Why something was not checked, or not in full: of nodes
    "check.reason.packed": (
        "hooks unpack what it saved (a checkpoint, an offload), which works once or runs code again",
        "저장한 텐서를 훅이 풀어 주는데(체크포인트, 오프로드) 한 번만 가능하거나 코드를 다시 실행합니다",
    ),
    "check.reason.runs_backward": (
        "its backward runs a backward of its own, which would add to .grad a second time",
        "역전파 안에서 또 다른 역전파를 실행하므로 다시 호출하면 .grad에 두 번 더해집니다",
    ),
    "check.reason.changes_saved": (
        "its backward changes what it saved, so a second call would see something else",
        "역전파가 저장해 둔 값을 바꾸므로 다시 호출하면 다른 값을 보게 됩니다",
    ),
    "check.reason.hooks": (
        "a hook of the program changes gradients here",
        "프로그램의 훅이 이곳의 기울기를 바꿉니다",
    ),
    "check.reason.averaged": ("gradients are averaged over processes", "여러 프로세스의 기울기를 평균 냅니다"),
    "check.reason.stale": ("what it saved has been changed since", "저장한 값이 그 뒤에 바뀌었습니다"),
    "check.reason.freed": ("what it saved has been freed", "저장한 값이 이미 해제되었습니다"),
    "check.reason.raised": ("it raised an error when it was run again", "다시 실행하니 오류가 났습니다"),
    "check.reason.fake": ("the fake device has shapes and no numbers", "fake 장치에는 형상만 있고 값이 없습니다"),
    "check.reason.torch_func": (
        "it ran inside a transformation of torch.func",
        "torch.func 변환 안에서 실행되었습니다",
    ),
    "check.reason.not_watched": ("it ran unwatched, on a thread of its own", "다른 스레드에서 실행되어 지켜보지 못했습니다"),
    # Of gradients
    "check.reason.kind": (
        "a tensor of a special kind takes part (sparse, nested, quantized, distributed or of a class of its own)",
        "특수한 텐서가 쓰입니다(희소, 중첩, 양자화, 분산 또는 자체 클래스)",
    ),
    "check.reason.no_replay": ("an op has no form in double precision", "배정밀도로 다시 실행할 수 없는 연산이 있습니다"),
    "check.reason.random": (
        "an op draws random numbers in a way that cannot be repeated",
        "난수를 되풀이할 수 없는 방식으로 뽑는 연산이 있습니다",
    ),
    "check.reason.replay_differs": (
        "run again in double precision the ops give another result, so something happened that no op shows",
        "배정밀도로 다시 실행한 결과가 다릅니다. 연산에 드러나지 않는 일이 있었다는 뜻입니다",
    ),
    "check.reason.not_recorded": (
        "what it depends on was computed before the recording began, or in a way that no op shows",
        "기록이 시작되기 전이나 연산에 드러나지 않는 방식으로 계산되었습니다",
    ),
    "check.reason.made_before": (
        "part of the graph was made before the recording began",
        "그래프의 일부가 기록이 시작되기 전에 만들어졌습니다",
    ),
    "check.reason.changed_unseen": (
        "a value was changed in place where autograd does not look (no_grad, detach, .data)",
        "자동 미분이 보지 않는 곳(no_grad, detach, .data)에서 값이 제자리에서 바뀌었습니다",
    ),
    "check.reason.together": (
        "one difference over an element of each of several tensors at once, to save time",
        "시간을 줄이려고 여러 텐서의 원소를 하나씩 한꺼번에 움직여 차분 하나로 비교했습니다",
    ),
    "check.reason.in_place": (
        "its memory is written to in place, so that this value cannot be changed alone",
        "메모리가 제자리 연산으로 덮어써져 이 값만 따로 바꿀 수 없습니다",
    ),
    "check.reason.none_came": (
        "backward brought no gradient here, yet the result depends on it: the backward of a custom Function gives None for it",
        "결과가 이 값에 의존하는데도 역전파가 기울기를 전하지 않았습니다. 사용자 정의 Function의 backward가 None을 돌려준 것입니다",
    ),
    "check.reason.no_path": ("the result does not depend on it", "결과가 이 값에 의존하지 않습니다"),
    "check.reason.kink": (
        "the function has a kink here: the slopes on both sides differ",
        "이 점에서 함수가 꺾여 양쪽 기울기가 다릅니다",
    ),
    "check.reason.not_finite": ("the values are not finite (NaN or inf)", "값이 유한하지 않습니다(NaN 또는 inf)"),
    "check.reason.unresolved": (
        "the gradient is too small beside the loss for differences to show it",
        "손실에 비해 기울기가 너무 작아 차분으로 알 수 없습니다",
    ),
    "check.reason.rounding": (
        "the gradient is so small beside what it was summed from that rounding shows",
        "더해진 값들에 비해 기울기가 아주 작아 반올림 오차가 드러납니다",
    ),
    "check.reason.time": ("time ended the sample", "시간이 다해 표본을 다 보지 못했습니다"),
    "check.reason.sample": ("a sample of its elements", "원소의 일부만 표본으로 확인했습니다"),
    "check.reason.failed": ("the program failed before", "그 전에 프로그램이 실패했습니다"),
    "check.reason.about": ("{reason} ({about})", "{reason} ({about})"),
    # The report
    "check.heading": ("{title}: loss {loss}, {nodes} nodes", "{title}: 손실 {loss}, 노드 {nodes}개"),
    "check.heading.no_loss": ("{title}: {nodes} nodes", "{title}: 노드 {nodes}개"),
    "check.heading.pass": ("{heading} (pass {number})", "{heading} (패스 {number})"),
    "check.gradients": (
        "Gradients, beside central differences in double precision:",
        "기울기와 배정밀도 중앙 차분의 비교:",
    ),
    "check.column.name": ("name", "이름"),
    "check.column.shape": ("shape", "형상"),
    "check.column.checked": ("checked", "확인한 원소"),
    "check.column.difference": ("largest difference", "최대 차이"),
    "check.column.verdict": ("verdict", "판정"),
    "check.checked": ("{checked} of {elements}", "{elements}개 중 {checked}개"),
    "check.difference": ("{absolute} ({relative} of the largest)", "{absolute} (최댓값의 {relative}배)"),
    "check.no_gradients": ("No gradient reached a leaf.", "기울기가 도달한 리프가 없습니다."),
    "check.nodes": (
        "Nodes run again alone: {checked} of {executed} checked, {passed} agree.",
        "노드 단독 재실행: {executed}개 중 {checked}개 검증, {passed}개 일치.",
    ),
    "check.node_wrong": (
        "  WRONG: node {node} ({name}) gives something else when it is run again, off by {error}.",
        "  틀림: 노드 {node}({name})을(를) 다시 실행하면 다른 값이 나옵니다(차이 {error}).",
    ),
    "check.nodes_skipped": ("  not checked: {count} × {name}: {reason}.", "  검증 안 함: {name} {count}개: {reason}."),
    "check.finding.error": ("Error: {message}", "오류: {message}"),
    "check.finding.warning": ("Warning: {message}", "경고: {message}"),
    "check.finding.info": ("Note: {message}", "참고: {message}"),
    "check.finding.later": ("in pass {number}, {message}", "{number}번째 패스에서: {message}"),
    "check.finding.at": ("  {file}:{line}  {code}", "  {file}:{line}  {code}"),
    "check.finding.remedy": ("  {remedy}", "  {remedy}"),
    "check.more": ("… and {count} more (--json has all)", "… 그 밖에 {count}개(--json에 모두 있습니다)"),
    "check.passed": ("All that was checked agrees.", "검증한 것이 모두 일치합니다."),
    "check.passed_warning": ("All that was checked agrees; there is 1 warning.", "검증한 것이 모두 일치하지만 경고가 1개 있습니다."),
    "check.passed_warnings": (
        "All that was checked agrees; there are {count} warnings.",
        "검증한 것이 모두 일치하지만 경고가 {count}개 있습니다.",
    ),
    "check.found_nothing": ("Nothing was checked.", "검증한 것이 없습니다."),
    "check.wrong": ("{count} verdicts are wrong.", "틀린 판정이 {count}개 있습니다."),
    "check.wrong_one": ("1 verdict is wrong.", "틀린 판정이 1개 있습니다."),
    "check.errors": ("{count} errors were found.", "오류를 {count}개 찾았습니다."),
    "check.errors_one": ("1 error was found.", "오류를 1개 찾았습니다."),
    # A run without us
    "check.unwatched.same": (
        "Run again without us: the same loss, gradients and nodes.",
        "지켜보지 않고 다시 실행한 결과: 손실, 기울기, 노드가 모두 같습니다.",
    ),
    "check.unwatched.loss": (
        "Run again without us: the loss is {unwatched}, watched {watched}.",
        "지켜보지 않고 다시 실행하면 손실이 {unwatched}이고, 지켜볼 때는 {watched}입니다.",
    ),
    "check.unwatched.gradients": (
        "Run again without us: other gradients of {names}.",
        "지켜보지 않고 다시 실행하면 기울기가 다른 것: {names}.",
    ),
    "check.unwatched.nodes": (
        "Run again without us: the graph has {unwatched} where it has {watched} watched.",
        "지켜보지 않고 다시 실행하면 그래프에 {watched} 대신 {unwatched}이(가) 있습니다.",
    ),
    "check.unwatched.nothing": ("nothing", "아무것도 없음"),
    "check.unwatched.failed": (
        "The run without us failed ({error}), so there is nothing to compare.",
        "지켜보지 않은 실행이 실패해({error}) 비교할 수 없습니다.",
    ),
    # A trace in a few lines
    "summary.leaf": ("{name}: {shape} {dtype}, gradient norm {norm}", "{name}: {shape} {dtype}, 기울기 노름 {norm}"),
    "summary.leaf_without": ("{name}: {shape} {dtype}, no gradient yet", "{name}: {shape} {dtype}, 아직 기울기 없음"),
    "summary.more_leaves": ("… and {count} more", "… 그 밖에 {count}개"),
    "summary.checks": ("verified nodes: {counts}", "노드 검증: {counts}"),
    "summary.structure": (
        "structure only: backward has not run yet, so gradients and most values are not known",
        "구조만 있습니다. 아직 역전파가 실행되지 않아 기울기와 대부분의 값을 알 수 없습니다",
    ),
    "summary.next": (
        'next: .nodes, .edges, .findings; explorer.export(trace, "graph.svg"); explorer.check(function) verifies gradients',
        '다음: .nodes, .edges, .findings, explorer.export(trace, "graph.svg"), 기울기 검증은 explorer.check(함수)',
    ),
    # In tests
    "check.test.failed": ("the gradients of {name} do not pass:", "{name}의 기울기가 검증을 통과하지 못했습니다:"),
    "check.test.gradient": (
        "the gradient of {name} is not the derivative: at {index} autograd has {autograd}, a central difference {numeric}",
        "{name}의 기울기가 도함수와 다릅니다: {index}에서 자동 미분 {autograd}, 중앙 차분 {numeric}",
    ),
    "check.test.gradient_sampled": (
        "the gradient of {name} is not the derivative: off by {error} ({relative} of the largest), in a sample of {checked}",
        "{name}의 기울기가 도함수와 다릅니다: 표본 {checked}개에서 차이 {error}(최댓값의 {relative}배)",
    ),
    "check.test.tolerance": (
        "the gradient of {name} is off by {relative} of the largest, more than the tolerance {tolerance}",
        "{name}의 기울기 차이가 최댓값의 {relative}배로 허용 오차 {tolerance}보다 큽니다",
    ),
    "check.test.node": (
        "node {node} ({name}) gives something else when it is run again, off by {error}",
        "노드 {node}({name})을(를) 다시 실행하면 다른 값이 나옵니다(차이 {error})",
    ),
    "check.test.nothing": (
        "no gradient could be checked: {reason}",
        "검증할 수 있는 기울기가 없습니다: {reason}",
    ),
    "check.test.nearest": (
        "the first backward to go wrong is that of {name} at {place}",
        "역전파가 처음 틀린 곳: {name}, 위치 {place}",
    ),
}
