"""The controls of the later lessons: drawn as their lessons say, and holding to torch where they calculate themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.capture.programs import EXAMPLES
from explorer.files import assets_folder, load
from explorer.footprint import memory
from explorer.lessons import lesson_names, lessons_folder, read_lesson
from explorer.sizes import PRESETS, parameters
from explorer.text import LANGUAGES
from explorer.ui.controls import configuration, descent, differences, dropout, faults, heads, modes
from explorer.ui.controls import memory as held_memory

torch = pytest.importorskip("torch")

OURS = ("06", "07", "08", "09", "10")
TRIES = [
    (one.control, one.settings)
    for name in lesson_names(lessons_folder())
    if name[:2] in OURS
    for one in read_lesson(lessons_folder() / name).controls.values()
]


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """AppTest's `__main__` does not stay."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


def recording(name: str) -> Any:
    return load(assets_folder() / "samples" / f"{name}.trace")


def drawn(control: str, settings: Any, language: str = "en") -> AppTest:
    def page(control: str, settings: dict[str, object], language: str) -> None:
        from explorer.ui.controls import draw

        draw(control, settings, language, key="here")

    app = AppTest.from_function(page, args=(control, dict(settings), language), default_timeout=60).run()
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.parametrize(("control", "settings"), TRIES, ids=[name for name, _ in TRIES])
def test_it_is_drawn_in_both_languages(control: str, settings: Any) -> None:
    """As its lesson says, without an error, with Hangul in Korean only."""
    for language in LANGUAGES:
        app = drawn(control, settings, language)
        labels = [one.label for kind in ("button", "slider", "select_slider", "toggle", "button_group") for one in app.get(kind)]
        words = " ".join([*labels, *(one.value for kind in (app.markdown, app.caption) for one in kind)])
        hangul = any("가" <= letter <= "힣" for letter in words)
        assert hangul == (language == "ko"), words


def test_descent_is_that_of_torch() -> None:
    """Each loss of twenty turns equals SGD's in double precision, for each learning rate."""
    from explorer.capture.programs.simple_net import SimpleNet

    for rate in descent.RATES:
        torch.manual_seed(0)
        model, x = SimpleNet(), torch.randn(1, 10)
        model, x, label = model.double(), x.double(), torch.ones(1, 1, dtype=torch.float64)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        expected = []
        for _ in range(21):
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
        assert descent.descend(recording("simple_net"), rate, 20) == pytest.approx(expected, rel=1e-6)


@pytest.mark.filterwarnings("ignore:.torch.jit.script:DeprecationWarning")  # from within torch, when forward mode is first used
@pytest.mark.parametrize(("inputs", "outputs"), [(5, 1), (1, 5), (10, 10)])
def test_the_cost_of_a_jacobian_is_what_torch_counts(inputs: int, outputs: int) -> None:
    """The function alone, n passes forward, and one evaluation with m passes back, in the products that torch carries out."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Products(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, op: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            # A factor without a tangent is a tensor of zeros here; where nobody watches, torch leaves such products out.
            if op is torch.ops.aten.mm.default and all(one.any() for one in args):
                self.count += 2 * args[0].shape[0] * args[0].shape[1] * args[1].shape[1]
            return op(*args, **(kwargs or {}))

    first, second = torch.randn(inputs, modes.HIDDEN), torch.randn(modes.HIDDEN, outputs)
    x = torch.randn(1, inputs)

    def function(x: Any) -> Any:
        return torch.tanh(x @ first) @ second

    def counted(work: Any) -> int:
        with Products() as products:
            work()
        return products.count

    def forward() -> None:
        for place in range(inputs):
            torch.func.jvp(function, (x,), (torch.eye(inputs)[place : place + 1],))

    def reverse() -> None:
        _, back = torch.func.vjp(function, x)
        for place in range(outputs):
            back(torch.eye(outputs)[place : place + 1])

    assert tuple(map(counted, (lambda: function(x), forward, reverse))) == modes.cost(inputs, outputs)


def test_what_is_held_is_what_memory_counts() -> None:
    """At every step of SimpleNet something is listed exactly where bytes are saved for backward."""
    trace = recording("simple_net")
    found = memory(trace)
    assert found is not None
    for place, saved in enumerate(found.saved):
        assert bool(held_memory.held(trace, found, place)) == bool(saved), place


def test_epsilon_is_that_of_torch() -> None:
    """The rounding that is drawn beside the errors is that of the data type, and the errors go down and up again."""
    for name, epsilon in differences.EPSILON.items():
        assert epsilon == torch.finfo(getattr(torch, name)).eps
    check, dtype = differences.check_of(recording("karpathy_neuron"), "x1")
    errors = [one.error for one in sorted(check.curve, key=lambda one: one.step)]
    assert dtype == "float64"
    assert min(errors) < 1e-3 * errors[0]
    assert min(errors) < 1e-3 * errors[-1]


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_add_up(preset: str) -> None:
    """The bars of a configuration add up to its parameters, and its sketch says how many blocks there are."""
    config = PRESETS[preset]
    assert sum(configuration.summed(config).values()) == parameters(config)
    for language in LANGUAGES:
        assert str(config.n_layers) in configuration.sketch(config, language, theme="light")


def test_heads_that_do_not_divide_say_what_to_change() -> None:
    """25 heads and 768 dimensions: a warning with a remedy instead of a count."""
    app = drawn("configuration", {})
    app.select_slider(key="here_n_heads_en").set_value(25).run()
    assert not app.exception
    assert "25" in app.warning[0].value


def test_recorded_heads_and_dropout() -> None:
    """Weights are lower triangular with rows that sum to 1; where dropout zeroed, nothing came back; off, nothing is changed."""
    for table in heads.weights_of(recording("attention_heads"), "weights"):
        assert [sum(row) for row in table] == pytest.approx([1.0] * 5)
        assert all(weight == 0 for i, row in enumerate(table) for weight in row[i + 1 :])
    before, after, gradient = dropout.rows_of(recording("dropout"), "hidden", "kept")
    for row, kept, back in zip(before, after, gradient, strict=True):
        assert all((new == 0 and sent == 0) or new == pytest.approx(2 * old) for old, new, sent in zip(row, kept, back, strict=True))
    before, after, _ = dropout.rows_of(recording("dropout_off"), "hidden", "kept")
    assert before == after


def test_findings_lead_to_a_step() -> None:
    """Each fault program of the lesson shows a finding only when it is asked for, and it leads to a step of its node."""
    programs = dict(TRIES)["faults"]["programs"]
    for program in programs:
        trace = recording(program)
        found = [one for one in trace.findings if one.severity != "info"]
        assert found
        assert all(faults.step_of(trace, one) for one in found)
        assert EXAMPLES[program].topic == "faults"
    app = drawn("faults", {"programs": programs})
    assert not app.warning
    app.button[0].click().run()
    assert app.warning
