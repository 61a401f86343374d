"""What is wrong in a lesson's files, for whoever writes it; the place stands before the sentence."""

LESSONS: dict[str, tuple[str, str]] = {
    "lesson.broken": (
        "A lesson cannot be shown: {file}, line {line}: {mistake}",
        "레슨을 보여 줄 수 없습니다. {file} {line}번째 줄: {mistake}",
    ),
    "lesson.missing_language": (
        "there is no {file}; a lesson has en.md and ko.md",
        "{file} 파일이 없습니다. 레슨에는 en.md와 ko.md가 모두 있어야 합니다",
    ),
    "lesson.missing_settings": (
        "there is no {file}; it names programs, numbers and questions",
        "{file} 파일이 없습니다. 이 파일에 프로그램, 숫자, 문제를 적습니다",
    ),
    "lesson.no_toml": ("this is no TOML: {reason}", "TOML 형식이 아닙니다: {reason}"),
    "lesson.no_recorded": (
        "{file} cannot be read; write it with `python tests/lessons.py --write`",
        "{file} 파일을 읽을 수 없습니다. `python tests/lessons.py --write`로 다시 쓰세요",
    ),
    "lesson.not_recorded": (
        "no value is recorded for `{expression}`; run `python tests/lessons.py --write`",
        "`{expression}`의 값이 기록되어 있지 않습니다. `python tests/lessons.py --write`를 실행하세요",
    ),
    "lesson.no_title": ("the first line has to be `# Title`", "첫 줄은 `# 제목`이어야 합니다"),
    "lesson.no_goal": (
        "under the title a paragraph that begins with `> ` says what one can do afterwards",
        "제목 아래에 `> `로 시작하는 문단으로 이 레슨을 마치면 무엇을 할 수 있는지 적어야 합니다",
    ),
    "lesson.unknown_directive": ("there is no directive `::: {what}`", "`::: {what}` 지시문은 없습니다"),
    "lesson.no_name": ("`::: {what}` needs a name", "`::: {what}`에는 이름이 필요합니다"),
    "lesson.nested": (
        "`::: {what}` stands inside `{name}`, which is not closed with `:::`",
        "`:::`로 닫지 않은 `{name}` 안에 `::: {what}`가 있습니다",
    ),
    "lesson.outside": ("`::: {what}` belongs into a question", "`::: {what}`는 문제 안에 있어야 합니다"),
    "lesson.twice": ("`::: {what}` stands twice in the question `{name}`", "문제 `{name}`에 `::: {what}`가 두 번 있습니다"),
    "lesson.nothing_open": ("`:::` closes nothing", "`:::`로 닫을 것이 없습니다"),
    "lesson.not_closed": ("`::: {what} {name}` is not closed with `:::`", "`::: {what} {name}`을 `:::`로 닫지 않았습니다"),
    "lesson.fence_open": ("a block of code is not closed", "코드 블록을 닫지 않았습니다"),
    "lesson.question_without_asked": ("the question `{name}` asks nothing", "문제 `{name}`에 묻는 내용이 없습니다"),
    "lesson.question_without_hint": ("the question `{name}` has no `::: hint`", "문제 `{name}`에 `::: hint`가 없습니다"),
    "lesson.question_without_why": ("the question `{name}` has no `::: why`", "문제 `{name}`에 `::: why`가 없습니다"),
    "lesson.no_minutes": ("`minutes` has to be a whole number above 0", "`minutes`는 1 이상의 정수여야 합니다"),
    "lesson.unknown_key": ("`{key}` is not known here; known are: {known}", "`{key}`는 여기에서 쓸 수 없습니다. 쓸 수 있는 것: {known}"),
    "lesson.no_table": ("`{name}` has to be a table", "`{name}`은 테이블이어야 합니다"),
    "lesson.wrong_type": ("`{key}` has to be of the type {kind}", "`{key}`의 형식은 {kind}여야 합니다"),
    "lesson.no_program": ("the player `{name}` names no program", "플레이어 `{name}`에 프로그램이 없습니다"),
    "lesson.unknown_phase": ("there is no phase `{phase}`; there are: {known}", "`{phase}` 단계는 없습니다. 있는 것: {known}"),
    "lesson.player_where": (
        "the player `{name}` needs either `step` or `phase`",
        "플레이어 `{name}`에는 `step`과 `phase` 중 하나만 있어야 합니다",
    ),
    "lesson.unknown_what": ('there is no `what = "{what}"`; there are: {known}', '`what = "{what}"`는 없습니다. 있는 것: {known}'),
    "lesson.long_expression": ("an expression has one line", "식은 한 줄이어야 합니다"),
    "lesson.wanted_how": (
        "`{name}` needs either `expression`, or `program`, `of` and `what`",
        "`{name}`에는 `expression`이 있거나 `program`, `of`, `what`이 모두 있어야 합니다",
    ),
    "lesson.unknown_kind": (
        "there is no kind `{kind}` of question; there are: {known}",
        "`{kind}` 종류의 문제는 없습니다. 있는 것: {known}",
    ),
    "lesson.few_items": ("the question `{name}` needs at least two `items`", "문제 `{name}`에는 `items`가 둘 이상 필요합니다"),
    "lesson.few_options": ("the question `{name}` needs at least two `options`", "문제 `{name}`에는 `options`가 둘 이상 필요합니다"),
    "lesson.no_control": ("`try.{name}` names no control", "`try.{name}`에 컨트롤이 없습니다"),
    "lesson.unknown_control": ("there is no control `{control}`; there are: {known}", "`{control}` 컨트롤은 없습니다. 있는 것: {known}"),
    "lesson.unknown_program": ("there is no recording of a program `{program}`", "`{program}` 프로그램의 기록이 없습니다"),
    "lesson.unknown_placeholder": (
        "`{{{{{name}}}}}` stands in no `[numbers.{name}]`",
        "`{{{{{name}}}}}`에 해당하는 `[numbers.{name}]`이 없습니다",
    ),
    "lesson.broken_placeholder": ("a placeholder is written `{{{{name}}}}`", "자리 표시는 `{{{{name}}}}`처럼 씁니다"),
    "lesson.not_bold": (
        "`{text}` is not shown as bold: move the punctuation outside, or a space behind it",
        "`{text}`는 굵게 표시되지 않습니다. 문장 부호를 밖으로 옮기거나 뒤를 띄우세요",
    ),
    "lesson.unknown_player": ("there is no `[player.{name}]`", "`[player.{name}]`이 없습니다"),
    "lesson.unknown_try": ("there is no `[try.{name}]`", "`[try.{name}]`이 없습니다"),
    "lesson.unknown_question": ("there is no `[question.{name}]`", "`[question.{name}]`이 없습니다"),
    "lesson.asked_twice": ("the question `{name}` is asked twice", "문제 `{name}`이 두 번 나옵니다"),
    "lesson.few_questions": (
        "there are {count} questions; a lesson has at least {fewest}",
        "문제가 {count}개입니다. 레슨에는 {fewest}개 이상 있어야 합니다",
    ),
    "lesson.no_try": (
        "there is nothing to try; a lesson has at least one `::: try`",
        "직접 해 볼 것이 없습니다. 레슨에는 `::: try`가 하나 이상 있어야 합니다",
    ),
    "lesson.no_summary": ("the lesson has to end with `::: summary`", "레슨은 `::: summary`로 끝나야 합니다"),
    "lesson.when_without_mistake": (
        "`::: when {when}` in `{name}` belongs to no `[question.{name}.mistakes.{when}]` and to no option",
        "`{name}`의 `::: when {when}`에 해당하는 `[question.{name}.mistakes.{when}]`이나 선택지가 없습니다",
    ),
    "lesson.mistake_without_when": (
        "the question `{name}` has no `::: when {when}` for that mistake",
        "문제 `{name}`에 이 오답에 대한 `::: when {when}`이 없습니다",
    ),
    "lesson.unknown_option": ("`{option}` is no option of the question `{name}`", "`{option}`은 문제 `{name}`의 선택지가 아닙니다"),
    "lesson.sections_differ": ("there are {count} sections, and {wanted} in {other}", "절이 {count}개이고 {other}에는 {wanted}개입니다"),
    "lesson.directives_differ": (
        "in this section stands `{here}` where {file}, line {line}, has `{there}`",
        "이 절에는 `{here}`가 있지만 {file} {line}번째 줄의 절에는 `{there}`가 있습니다",
    ),
    "lesson.placeholders_differ": (
        "in this section and in that of {file}, line {line}, not the same placeholders stand: {names}",
        "이 절과 {file} {line}번째 줄의 절에 있는 자리 표시가 다릅니다: {names}",
    ),
    "lesson.figures_differ": (
        "in this section and in that of {file}, line {line}, not the same pictures stand: {names}",
        "이 절과 {file} {line}번째 줄의 절에 있는 그림이 다릅니다: {names}",
    ),
    "lesson.not_used": ("`[{kind}.{name}]` is used in no text", "`[{kind}.{name}]`이 어느 글에서도 쓰이지 않습니다"),
    "lesson.no_node": ("`{program}` has no variable, parameter or op `{of}`", "`{program}`에 변수, 매개변수, 연산 `{of}`가 없습니다"),
    "lesson.several_nodes": (
        "`{program}` has {count} times `{of}`; say which with `nth`",
        "`{program}`에 `{of}`가 {count}번 나옵니다. `nth`로 몇 번째인지 정하세요",
    ),
    "lesson.no_nth": (
        "`{program}` has {count} times `{of}`, so there is no number {nth}",
        "`{program}`에 `{of}`가 {count}번 나오므로 {nth}번째는 없습니다",
    ),
    "lesson.no_step": (
        "`{program}` has {count} steps, so there is no step {step}",
        "`{program}`은 {count}단계이므로 {step}단계는 없습니다",
    ),
    "lesson.no_such_step": (
        "`{program}` has {count} steps of the phase {phase} with `{op}`, so there is no number {nth}",
        "`{program}`에서 `{op}`의 {phase} 단계는 {count}개이므로 {nth}번째는 없습니다",
    ),
    "lesson.not_in_order": (
        "`{of}` does not take part in this pass of `{program}`",
        "`{of}`는 `{program}`의 이 과정에서 실행되지 않습니다",
    ),
    "lesson.no_finding": ("`{program}` has no finding `{finding}`", "`{program}`에 `{finding}` 발견 사항이 없습니다"),
    "lesson.no_line": ("of `{of}` in `{program}` no line is known", "`{program}`의 `{of}`가 어느 줄인지 알 수 없습니다"),
    "lesson.no_value": ("`{of}` in `{program}` has no {what}", "`{program}`의 `{of}`에는 {what} 값이 없습니다"),
    "lesson.too_large": (
        "of `{of}` in `{program}`, of the shape {shape}, not every value is recorded; use an expression",
        "`{program}`의 `{of}`는 형상이 {shape}여서 모든 값이 기록되어 있지 않습니다. 식을 쓰세요",
    ),
    "lesson.no_cell": ("there is no cell {cell}", "{cell} 칸은 없습니다"),
    "lesson.no_module": ("no module `{path}` ran", "`{path}` 모듈은 실행되지 않았습니다"),
    "lesson.wrong_format": ("the format `{format}` does not fit: {reason}", "`{format}` 형식이 맞지 않습니다: {reason}"),
    "lesson.answer_is_wrong": (
        "the answer {answer} to `{name}` is not accepted itself",
        "`{name}`의 답 {answer}이 스스로 정답으로 인정되지 않습니다",
    ),
    "lesson.answer_kind": ("the answer {answer} to `{name}` is no {kind}", "`{name}`의 답 {answer}은 {kind} 종류가 아닙니다"),
    "lesson.answer_no_option": ("the answer {answer} to `{name}` is none of its options", "`{name}`의 답 {answer}이 선택지에 없습니다"),
    "lesson.answer_broken": (
        "the answer to `{name}` does not fit its kind: {reason}",
        "`{name}`의 답이 문제 종류에 맞지 않습니다: {reason}",
    ),
    "lesson.order_is_answer": ("the items of `{name}` stand in the right order already", "`{name}`의 `items`가 이미 정답 순서입니다"),
    "lesson.order_items": ("the answer to `{name}` does not hold the same items", "`{name}`의 답과 `items`의 항목이 다릅니다"),
    "lesson.mistake_is_answer": (
        "the mistake `{when}` in `{name}` is not told from the right answer or from another mistake",
        "`{name}`의 오답 `{when}`을 정답이나 다른 오답과 구별할 수 없습니다",
    ),
    "lesson.raised": ("`{expression}` raised {error}", "`{expression}`에서 오류가 났습니다: {error}"),
    "lesson.setup_raised": ("`setup` raised {error}", "`setup`에서 오류가 났습니다: {error}"),
    "lesson.stale": (
        "`{expression}` gives {now}, and {recorded} is recorded; run `python tests/lessons.py --write`",
        "`{expression}`의 값은 {now}인데 {recorded}로 기록되어 있습니다. `python tests/lessons.py --write`를 실행하세요",
    ),
}
