"""No rule is shown that torch does not agree with: each one against torch.autograd.grad in float64, and its forward against the op."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from xml.etree import ElementTree

import numpy as np
import pytest

from explorer.formulas import mathml, rule_of
from explorer.formulas.language import called, parse
from explorer.formulas.table import RULES, rule_for
from explorer.formulas.vocabulary import WORDS
from explorer.formulas.words import FUNCTIONS
from explorer.text import LANGUAGES
from tests.formulas import elementwise
from tests.formulas.oracle import Case, leaves, ran, setting

CASES: list[Case] = [*elementwise.CASES]
NUMBERED = [pytest.param(one, id=f"{number}-{one.name}") for number, one in enumerate(CASES)]


@pytest.mark.parametrize("one", NUMBERED)
@pytest.mark.parametrize("transposed", [False, True], ids=["contiguous", "transposed"])
def test_rule_gives_what_autograd_gives(one: Case, transposed: bool) -> None:
    """On random inputs every contribution has the shape and, to twelve digits, the values that torch.autograd.grad returns."""
    of = ran(one.call, leaves(one, transposed=transposed))
    rule = rule_for(of.autograd, of.arguments)
    assert rule is not None, of.autograd
    assert rule.key == one.key
    numbers = setting(rule, of)
    symbols = {slot.name: slot.symbol for slot in rule.slots}
    assert of.expected
    for (name, index), expected in of.expected.items():
        got = numbers.contribution(symbols[name], index)
        assert got.shape == expected.shape, name
        np.testing.assert_allclose(got, expected, rtol=one.precision, atol=one.precision / 100, err_msg=f"{rule.key}: {name}")
    if rule.forward is not None:
        np.testing.assert_allclose(
            numbers.formula(rule.forward), of.outputs[0], rtol=one.precision, atol=one.precision / 100, err_msg=f"{rule.key}: forward"
        )


def test_every_rule_has_cases() -> None:
    """Each executable rule is run under each of its names, with a gradient for each of its inputs."""
    seen: Counter[tuple[str, str]] = Counter()
    inputs: Counter[tuple[str, str]] = Counter()
    for one in CASES:
        of = ran(one.call, leaves(one, transposed=False))
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
    used = {
        word
        for rule in RULES
        for text in [*rule.gradients.values(), *rule.where.values(), rule.forward or "g"]
        for word in called(parse(text))
    }
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
