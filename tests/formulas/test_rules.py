"""No rule is shown that torch does not agree with: each one against torch.autograd.grad in float64, and its forward against the op."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from explorer.formulas import mathml, rule_of
from explorer.formulas.language import called, parse
from explorer.formulas.rules import Rule
from explorer.formulas.table import RULES, rule_for
from explorer.formulas.vocabulary import WORDS
from explorer.formulas.words import FUNCTIONS
from explorer.text import LANGUAGES
from tests.formulas import elementwise, layers, moves, reductions
from tests.formulas.oracle import Case, Ran, leaves, ran, setting

CASES: list[Case] = [*elementwise.CASES, *reductions.CASES, *moves.CASES, *layers.CASES]
LAYOUTS = [
    pytest.param(one, transposed, id=f"{number}-{one.name}-{'transposed' if transposed else 'contiguous'}")
    for number, one in enumerate(CASES)
    for transposed in (False, True)
    if not (transposed and one.contiguous)
]


def compared(of: Ran, precision: float = 1e-9) -> Rule:
    """The rule for what ran, once all that it gives is what autograd gave."""
    rule = rule_for(of.autograd, of.arguments)
    assert rule is not None, of.autograd
    numbers = setting(rule, of)
    symbols = {slot.name: slot.symbol for slot in rule.slots}
    assert of.expected
    for (name, index), expected in of.expected.items():
        got = numbers.contribution(symbols[name], index)
        assert got.shape == expected.shape, name
        np.testing.assert_allclose(got, expected, rtol=precision, atol=precision / 100, err_msg=f"{rule.key}: {name}")
    if rule.forward is not None:
        forward, y = numbers.formula(rule.forward), of.outputs[0]
        if np.size(forward) == y.size:  # sums keep their dimensions
            forward = np.reshape(forward, y.shape)
        np.testing.assert_allclose(forward, y, rtol=precision, atol=precision / 100, err_msg=f"{rule.key}: forward")
    return rule


@pytest.mark.parametrize(("one", "transposed"), LAYOUTS)
def test_rule_gives_what_autograd_gives(one: Case, transposed: bool) -> None:
    """On random inputs every contribution has the shape and, to twelve digits, the values that torch.autograd.grad returns."""
    of = ran(one.call, leaves(one, transposed=transposed))
    rule = compared(of, one.precision)
    assert rule.key == one.key


@pytest.mark.parametrize("make", layers.STAND_INS)
def test_rule_of_an_op_made_elsewhere(make: Callable[[], Ran]) -> None:
    """What is one op on other devices or in other types follows its rule too, held to the ops that it stands for."""
    compared(make())


SPECIAL = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-300, 1e300, -1e300, 1.0, -1.0, 3.0, -3.0, 30.0, -30.0]
AT_THE_EDGES = [one for one in elementwise.CASES if one.shapes in (((5,),), ((3, 4), (3, 4))) and one.key not in ("where", "masked_fill")]


@pytest.mark.parametrize("one", AT_THE_EDGES, ids=lambda one: one.name)
def test_rule_gives_what_autograd_gives_at_the_edges(one: Case) -> None:
    """At NaN, infinities, zeros, kinks and the limits of a float, alone and in pairs, an elementwise rule says what torch says."""
    edges = torch.tensor(SPECIAL, dtype=torch.float64)
    pairs = [edges] if len(one.shapes) == 1 else torch.meshgrid(edges, edges, indexing="ij")
    of = ran(one.call, [pair.clone().requires_grad_() for pair in pairs])
    rule = rule_for(of.autograd, of.arguments)
    assert rule is not None
    symbols = {slot.name: slot.symbol for slot in rule.slots}
    for (name, index), expected in of.expected.items():
        got = setting(rule, of).contribution(symbols[name], index)
        if rule.key == "pow" and not float(of.arguments["exponent"]).is_integer():
            got, expected = got[5:], expected[5:]  # numpy's roots of -inf and -0 differ from torch's in their sign
        if rule.key in ("elu", "celu", "hardswish") and torch.backends.cpu.get_cpu_capability() == "DEFAULT":
            got, expected = got[1:], expected[1:]  # torch's gradient at NaN is another where it uses no vector instructions
        np.testing.assert_allclose(got, expected, rtol=max(1e-6, one.precision), atol=0, err_msg=f"{rule.key}: {name}")


def test_every_rule_has_cases() -> None:
    """Each executable rule is run under each of its names, with a gradient for each of its inputs."""
    seen: Counter[tuple[str, str]] = Counter()
    inputs: Counter[tuple[str, str]] = Counter()
    for of in [*(ran(one.call, leaves(one, transposed=False)) for one in CASES), *(make() for make in layers.STAND_INS)]:
        rule = rule_for(of.autograd, of.arguments)
        assert rule is not None
        seen[rule.key, of.autograd] += 1
        for name, _ in of.expected:
            inputs[rule.key, name] += 1
    for rule in RULES:
        if rule.is_executable:
            assert all(seen[rule.key, name] for name in rule.autograd), rule.key
            assert all(inputs[rule.key, slot.name] for slot in rule.slots if slot.symbol in rule.gradients), rule.key


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.key}-{rule.autograd[0]}")
def test_every_rule_can_be_read(rule: object) -> None:
    """Its LaTeX becomes well-formed MathML in which no command is left over, and it says a sentence in each language."""
    shown = ElementTree.fromstring(mathml(rule.latex))  # type: ignore[attr-defined]
    text = "".join(shown.itertext())
    assert "\\" not in text and not re.search(r"operatorname|mathrm|begin", text), text
    assert set(rule.words) == set(LANGUAGES)  # type: ignore[attr-defined]


def test_words_are_those_that_rules_use() -> None:
    """Each word of the vocabulary is used, has a function and a look; nothing else is called."""
    formulas = [text for rule in RULES for text in [*rule.gradients.values(), *rule.where.values(), rule.forward or "g"]]
    used = {word for text in formulas for word in called(parse(text))}
    assert used == WORDS.keys() == FUNCTIONS.keys()


def test_table_loads_without_numpy_and_torch() -> None:
    """A rule's LaTeX and words need neither numpy nor torch."""
    import subprocess

    code = (
        "import sys; from explorer.formulas import rule_of; rule_of('MulBackward0').latex; print({'numpy', 'torch'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "set()"


def test_a_rule_shows_what_it_computes() -> None:
    """The LaTeX of a product and of a sigmoid, as they stand in a textbook."""
    mul, sigmoid = rule_of("MulBackward0"), rule_of("SigmoidBackward0")
    assert mul is not None and sigmoid is not None
    assert r"\frac{\partial L}{\partial a} &= g \odot b" in mul.latex
    assert r"\frac{\partial L}{\partial x} &= g \odot y \odot \left(1 - y\right)" in sigmoid.latex
    assert isinstance(parse("g * y"), ast.BinOp)
