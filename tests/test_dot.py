"""The DOT text of a view: the same every time, true to kind and status, and unharmed by any name."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import Any, get_args

import pytest

from explorer import dot, layout
from explorer.labels import figure, plain
from explorer.model import KINDS, STATUSES, NodeCheck, Note, Trace
from explorer.palette import PALETTE, SCALES
from explorer.view import Overlay, make_view
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace

HOSTILE = {
    "quote": 'a"b',
    "tag": "<script>alert(1)</script>",
    "html label": "<B>bold</B>",
    "entity": "&amp; &lt; &#0;",
    "backslash": "a\\nb\\N\\G\\",
    "newline": "two\nlines\r\n",
    "braces": '}" ]; n9 -> n9; {',
    "comment": "/* // #",
    "long": "x" * 10_000,
    "nul": "a\x00b\x1b[31m",
    "surrogate": "\ud800 lone",
    "emoji": "🙂👩‍👩‍👧",
    "right to left": "مرحبا\u202eevil\u2066",
    "hangul": "가중치",
    "empty": "",
    "keyword": "graph",
}


def with_name(name: str) -> Trace:
    """A trace that says `name` wherever a program may choose a word."""
    trace = dummy_trace(modules=True, findings=True)
    nodes = [replace(node, name=name, names=(name, name + "2"), op=node.op and name, reason=name) for node in trace.nodes]
    nodes[2] = replace(nodes[2], outputs=(Note((name, 3), name, name),))
    modules = tuple(replace(module, class_name=name) for module in trace.modules)
    message = {"en": name, "ko": name}
    findings = tuple(replace(finding, message=message) for finding in trace.findings)
    return replace(trace, title=name, nodes=tuple(nodes), modules=modules, findings=findings)


def lines_of(text: str, node: str) -> str:
    """The statement of one node."""
    return next(line for line in text.splitlines() if line.strip().startswith(f"{node} ["))


def heads(text: str) -> list[str]:
    """How each line begins: the names that stand in it, before any attribute."""
    return re.findall(r"^[\w\s>-]*", text, flags=re.MULTILINE)


@pytest.mark.parametrize("trace", [dummy_trace(modules=True, updates=True, findings=True), chain_trace(500), nonfinite_trace()])
@pytest.mark.parametrize(
    "options", [{}, {"expand": "all"}, {"direction": "backward", "overlay": "gradient", "language": "ko", "theme": "dark"}]
)
def test_the_same_trace_gives_the_same_text(trace: Trace, options: dict[str, Any]) -> None:
    """Byte for byte, from views made anew."""
    assert dot.write(make_view(trace, **options)) == dot.write(make_view(trace, **options))


def test_ids_are_ours() -> None:
    """Nodes are n12, closed modules m3, segments s40, open modules cluster_m3, arrows e7, each also as the id in the picture."""
    text = dot.write(make_view(dummy_trace(modules=True)))
    assert {"id=n2", "id=cluster_m2", "id=e4"} <= set(re.findall(r"\bid=\w+", text))
    assert "id=m1" in dot.write(make_view(dummy_trace(modules=True), depth=0))
    assert "id=s1" in dot.write(make_view(chain_trace(500))) or "id=s0" in dot.write(make_view(chain_trace(500)))


@pytest.mark.parametrize(("kind", "status"), list(product(KINDS, STATUSES)))
def test_every_kind_and_status_has_a_look(kind: Any, status: Any) -> None:
    """Each is in the class of its box, and a leaf's kind is also written in words."""
    trace = dummy_trace()
    node = replace(trace.nodes[2], kind=kind, status=status)
    statement = lines_of(dot.write(make_view(replace(trace, nodes=(*trace.nodes[:2], node, *trace.nodes[3:])))), "n2")
    assert f'class="{kind} {status.replace(" ", "-")}' in statement
    assert kind == "op" or f">{kind}" in statement
    assert (status == "not executed") == ("not executed" in statement)


@pytest.mark.parametrize("reason", ["detach", "item", "integer"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_cut_is_drawn_as_a_cut(reason: str, direction: Any) -> None:
    """The edge into it ends in two bars, dashed, and the box says what cut it."""
    trace = dummy_trace()
    node = replace(trace.nodes[4], status="no gradient", reason=reason)
    edges = tuple(replace(edge, differentiable=edge.target != 4 and edge.differentiable) for edge in trace.edges)
    text = dot.write(make_view(replace(trace, nodes=(*trace.nodes[:4], node, *trace.nodes[5:]), edges=edges), direction=direction))
    edge = next(line for line in text.splitlines() if "n2 -> n4" in line)
    assert "teetee" in edge and "dashed" in edge
    assert "cut" in lines_of(text, "n4")


def test_no_grad_is_said() -> None:
    """An op under no_grad is dashed and says so, in both languages."""
    trace = dummy_trace()
    node = replace(trace.nodes[4], status="no gradient", reason="no_grad")
    shown = replace(trace, nodes=(*trace.nodes[:4], node, *trace.nodes[5:]))
    for language, words in (("en", "under no_grad"), ("ko", "no_grad 구간")):
        statement = lines_of(dot.write(make_view(shown, language=language)), "n4")
        assert "dashed" in statement and words in statement


def test_values_and_gradients_are_written_in_their_colours() -> None:
    """w of the neuron reads 2.2 in blue and −0.0898 in orange."""
    statement = lines_of(dot.write(make_view(dummy_trace())), "n1")
    colors = PALETTE["light"]
    assert f'COLOR="{colors["value"]}">value 2.2<' in statement
    assert f'COLOR="{colors["gradient"]}">gradient −0.0898<' in statement


def test_few_values_are_shown_whole_and_nan_is_never_hidden() -> None:
    """Up to four values stand in the box, NaN and inf among them; of more, it is said how many are not finite."""
    trace = nonfinite_trace()
    text = dot.write(make_view(trace))
    assert "value [0, −inf, NaN]" in lines_of(text, "n1") and "gradient [1, inf, −1]" in lines_of(text, "n0")
    large = replace(trace.nodes[1], outputs=(replace(trace.nodes[1].outputs[0], values=None),))
    text = dot.write(make_view(replace(trace, nodes=(trace.nodes[0], large, trace.nodes[2]))))
    assert "2 NaN or inf in it" in lines_of(text, "n1")


def test_what_is_not_reached_is_not_shown() -> None:
    """Before the first step nothing is computed: no number of the trace stands in the picture, not even its loss."""
    text = dot.write(make_view(dummy_trace(updates=True), step=0, values=(), gradients=(), updated=(), flowed=()))
    assert text.count(">not computed<") == 8
    assert not re.search(r"2\.42|2\.2|0\.0898|0\.0852|0\.9183", re.sub(r'tooltip="[^"]*"', "", text))
    forward = dot.write(make_view(dummy_trace(), values=range(8), gradients=(), updated=(), flowed=()))
    assert "gradient not computed" in lines_of(forward, "n1")
    assert "0.0898" not in forward


def test_arrows_turn_with_the_direction() -> None:
    """Forward they are blue; backward orange, pointing against the values, with the contribution written beside them."""
    forward, backward = (dot.write(make_view(dummy_trace(), direction=way)) for way in ("forward", "backward"))
    arrow = next(line for line in forward.splitlines() if "n1 -> n2" in line)
    assert PALETTE["light"]["value"] in arrow and "dir=back" not in arrow
    arrow = next(line for line in backward.splitlines() if "n1 -> n2" in line)
    assert PALETTE["light"]["gradient"] in arrow and "dir=back" in arrow and "−0.0898" in arrow
    assert "style=dashed" in next(line for line in backward.splitlines() if "n0 -> n2" in line)


def test_findings_mark_their_box() -> None:
    """A warning marks its node, or the closed module it is in, with ⚠, an error with ⌧; information does not. The caption says so."""
    assert "⚠" in lines_of(dot.write(make_view(dummy_trace(findings=True))), "n5")
    assert "⚠" not in lines_of(dot.write(make_view(dummy_trace(findings=True))), "n0")
    assert "⚠" in lines_of(dot.write(make_view(dummy_trace(modules=True, findings=True), depth=0)), "m4")
    trace = dummy_trace(findings=True)
    graver = replace(trace.findings[1], severity="error")
    text = dot.write(make_view(replace(trace, findings=(*trace.findings, graver)), language="ko"))
    assert "⌧" in lines_of(text, "n5") and "⚠" not in lines_of(text, "n5")
    caption = text.split("label=<")[1]
    assert "⌧" in caption and "오류" in caption and "⚠" not in caption
    assert "⚠" not in dot.write(make_view(dummy_trace()))


def test_verification_marks_its_box() -> None:
    """✓ equal, ≈ close, ✗ wrong and – skipped stand on their boxes and in the caption; of many nodes in a box the gravest counts."""
    trace = dummy_trace(modules=True, checks=True)
    text = dot.write(make_view(trace))
    for node, sign in ((7, "✓"), (5, "≈"), (2, "–")):
        assert sign in lines_of(text, f"n{node}") and sign in text.split("label=<")[1]
    assert "✗" not in text
    assert trace.checks is not None
    wrong = replace(trace.checks, nodes=(NodeCheck(5, "wrong", 1.0), *trace.checks.nodes[::2]))
    text = dot.write(make_view(replace(trace, checks=wrong), depth=0, language="ko"))
    assert "✗" in lines_of(text, "m4") and "검증 실패" in text.split("label=<")[1]
    gradient = replace(trace.checks.gradients[0], verdict="wrong")
    text = dot.write(make_view(replace(trace, checks=replace(trace.checks, gradients=(gradient,)))))
    assert "✗" in lines_of(text, f"n{gradient.node}")
    assert not {"✓", "≈", "✗"} & set(dot.write(make_view(dummy_trace())))


@pytest.mark.parametrize("name", list(HOSTILE.values()), ids=list(HOSTILE))
@pytest.mark.parametrize("options", [{}, {"depth": 0, "language": "ko", "direction": "backward"}])
def test_hostile_names_stay_text(name: str, options: dict[str, Any]) -> None:
    """Whatever a program calls its things, the text has the same statements, is encodable, and stays short."""
    text = dot.write(make_view(with_name(name), **options))
    plain_text = dot.write(make_view(with_name("w"), **options))
    text.encode()
    assert not {"\x00", "\x1b", "\u202e", "\ud800"} & set(text)
    assert "<script" not in re.sub(r'tooltip="[^"]*"', "", text)
    assert not name or heads(text) == heads(plain_text)  # a constant without a name moves to where it is read
    assert len(text) < len(plain_text) + 40_000


@pytest.mark.parametrize("overlay", get_args(Overlay))
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_overlay_has_a_legend(overlay: Any, theme: Any) -> None:
    """Boxes take the colours of its scale, and the caption says what they mean."""
    text = dot.write(make_view(dummy_trace(), overlay=overlay, theme=theme))
    assert any(color in lines_of(text, f"n{n}") for n in range(8) for color in SCALES[theme][overlay])
    assert SCALES[theme][overlay][0] in text.split("label=<")[1]


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio as WCAG 2 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", list(PALETTE))
def test_text_can_be_read_on_every_fill(theme: str) -> None:
    """At least 4.5 to 1 for every colour of text on every fill, and for ink on every step of every overlay."""
    colors = PALETTE[theme]
    fills = [
        "op",
        "module",
        "segment",
        "parameter",
        "input",
        "constant",
        "buffer",
        "loss",
        "muted_fill",
        "paper",
        "cluster",
        "cluster_inner",
    ]
    for text, fill in product(("ink", "muted", "value", "gradient", "mark", "error", "warning"), fills):
        assert contrast(colors[text], colors[fill]) >= 4.5, (text, fill)
    for fill in (colors["bad"], *(color for steps in SCALES[theme].values() for color in steps)):
        assert contrast(colors["ink"], fill) >= 4.5, fill


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"), (-0.0898262933, "−0.0898"), (2.4200000763, "2.42"), (1.0, "1"), (-3.0, "−3"), (0.000012345, "1.23e−5"),
        (123456.789, "123457"), (12345678.9, "1.23e7"), (float("nan"), "NaN"), (float("inf"), "inf"), (float("-inf"), "−inf"),
    ],
)  # fmt: skip
def test_figures(number: float, text: str) -> None:
    """At least three figures, at most four decimals, a true minus sign."""
    assert figure(number) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\tb\nc", "a b c"), ("a\x00b", "ab"), ("\u202eabc", "abc"), ("x" * 50, "x" * 22 + "…" + "x" * 11), ("가중치", "가중치")],
)
def test_plain(text: str, shown: str) -> None:
    """One line, nothing that no picture can hold, both ends of what is too long."""
    assert plain(text) == shown


@pytest.mark.parametrize(("language", "words"), [("en", "tied weight: one parameter in several places"), ("ko", "공유 가중치")])
@pytest.mark.parametrize("compact", [True, False])
def test_tied_weights_have_a_sign(language: str, words: str, compact: bool) -> None:
    """A parameter that the model names twice bears a sign wherever it stands, which the caption and the tip explain; others do not."""
    trace = dummy_trace(modules=True)
    leaf = next(node for node in trace.nodes if node.kind == "parameter")
    tied = replace(leaf, names=(leaf.name or "", "head.weight"))
    nodes = tuple(tied if node.id == leaf.id else node for node in trace.nodes)
    shown = make_view(replace(trace, nodes=nodes), language=language, compact=compact, expand="all")
    text = layout.draw(shown, "svg").decode()
    assert words in text and text.count("↔") == 3  # its box or tile, its tip, the caption
    assert "↔" not in layout.draw(make_view(trace, language=language, compact=compact, expand="all"), "svg").decode()
