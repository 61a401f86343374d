"""The JSON document of format 1: every field there and back, the schema, the same bytes each time, and strict reading."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer import model
from explorer.document import FORMAT, document_lines, from_document, to_document
from explorer.errors import FileError
from explorer.files import assets_folder
from explorer.model import Note, Trace
from tests.dummy import chain_trace, dummy_trace, nonfinite_trace

SCHEMA = json.loads((assets_folder() / "trace.schema.json").read_text(encoding="utf-8"))
WHOLE = dummy_trace(modules=True, updates=True, findings=True, checks=True)
BARE = Note((1, 2), "float32", "cpu", 1.0, 1.0, 1.0, 0.5, 2.0, 0, 0, 0)


def text_of(trace: Trace, *, sources: bool = False) -> bytes:
    return b"".join(document_lines(trace, sources=sources))


def keys(words: str) -> list[str]:
    return words.split()


def again(trace: Trace) -> Trace:
    """The trace written as text and read back."""
    return from_document(json.loads(text_of(trace, sources=True)))


# Any trace at all, true or not: what is written is read back, whatever it says.
words = st.text(st.characters(codec="utf-8"), max_size=6)
whole = st.integers(0, 2**63 - 1)
small = st.integers(0, 5)
numbers = st.floats().map(lambda value: math.nan if math.isnan(value) else value)  # one nan object, so that == holds
maybe = lambda strategy: st.none() | strategy  # noqa: E731
tuples = lambda strategy: st.lists(strategy, max_size=3).map(tuple)  # noqa: E731
mappings = lambda strategy: st.dictionaries(words, strategy, max_size=2).map(MappingProxyType)  # noqa: E731
VALUES = {
    "float32": numbers,
    "int64": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "complex64": st.complex_numbers().map(str),
}


@st.composite
def notes(draw: st.DrawFn) -> Note:
    dtype = draw(st.sampled_from(sorted(VALUES)))
    shape = draw(st.lists(st.integers(0, 3), max_size=3).map(tuple))
    figures = draw(st.tuples(*[maybe(numbers)] * 5))
    counts = draw(st.tuples(*[maybe(small)] * 3))

    def nested(sizes: tuple[int, ...]) -> Any:
        return tuple(nested(sizes[1:]) for _ in range(sizes[0])) if sizes else draw(VALUES[dtype])

    values = nested(shape) if draw(st.booleans()) else None
    return Note(shape if values is not None else (*shape, draw(words | small)), dtype, "cpu", *figures, *counts, values)


sources = st.builds(model.Source, words, whole, words, words, small, small, maybe(whole))
saved = st.builds(
    model.Saved, words, tuples(small | words), words, whole, maybe(whole), st.sampled_from(["kept", "freed", "stale"]), maybe(small)
)
formulas = st.builds(model.Formula, words, st.sampled_from(["derivatives.yaml", "explorer", "user code"]), maybe(words))
number_settings = numbers | st.booleans() | st.none() | st.integers(-(2**70), 2**70) | st.tuples(numbers, numbers)
nodes = st.builds(
    model.Node,
    id=whole,
    kind=st.sampled_from(model.KINDS),
    name=maybe(words),
    names=tuples(words),
    op=maybe(words),
    autograd=maybe(words),
    module=words,
    source=maybe(sources),
    outputs=tuples(notes()),
    gradients=tuples(maybe(notes())),
    seeds=tuples(maybe(notes())),
    accumulated=maybe(st.builds(model.Accumulated, maybe(notes()), maybe(notes()))),
    status=st.sampled_from(model.STATUSES),
    reason=maybe(words),
    saved=tuples(saved),
    formula=maybe(formulas),
    time=st.builds(model.Time, maybe(numbers), maybe(numbers)),
    hooks=tuples(words),
    arguments=mappings(number_settings | words.filter(lambda word: word not in ("nan", "inf", "-inf"))).map(model.Arguments),
    received=tuples(maybe(small)),
)
edges = st.builds(model.Edge, whole, small, whole, small, maybe(notes()), st.booleans(), maybe(small))
updates = st.builds(
    model.Update, whole, maybe(words), maybe(small), notes(), maybe(notes()), notes(), mappings(notes()), mappings(number_settings)
)
sentences = st.builds(lambda en, ko: MappingProxyType({"en": en, "ko": ko}), words, words)
findings = st.builds(
    model.Finding,
    kind=words,
    severity=st.sampled_from(["error", "warning", "info"]),
    node=maybe(whole),
    name=maybe(words),
    source=maybe(sources),
    related=tuples(st.builds(model.Related, words, sources)),
    message=sentences,
    remedy=sentences,
)
verdicts = st.sampled_from(["equal", "close", "wrong", "skipped"])


@st.composite
def gradient_checks(draw: st.DrawFn) -> model.GradientCheck:
    shape = draw(st.lists(st.integers(0, 3), max_size=3).map(tuple))

    def nested(sizes: tuple[int, ...], kind: Any) -> Any:
        return tuple(nested(sizes[1:], kind) for _ in range(sizes[0])) if sizes else draw(kind)

    kind = draw(st.sampled_from([numbers, st.complex_numbers(allow_nan=False).map(str)]))
    return model.GradientCheck(
        draw(whole),
        draw(maybe(words)),
        shape,
        nested(shape, kind),
        nested(shape, maybe(kind)) if draw(st.booleans()) else None,
        draw(small),
        *draw(st.tuples(maybe(numbers), maybe(numbers), verdicts, maybe(words), tuples(st.builds(model.StepError, numbers, numbers)))),
        output=draw(small),
    )


checks = st.builds(
    model.Checks, tuples(st.builds(model.NodeCheck, whole, verdicts, maybe(numbers), maybe(words))), tuples(gradient_checks())
)
traces = st.builds(
    Trace,
    title=words,
    partial=st.booleans(),
    number=whole,
    passes=whole,
    made_with=st.builds(model.MadeWith, words, words, words, words, words, maybe(st.integers(-(2**63), 2**64 - 1))),
    loss=maybe(numbers),
    modules=tuples(st.builds(model.Module, words, words, maybe(words), whole)),
    nodes=tuples(nodes),
    edges=tuples(edges),
    forward=tuples(whole),
    backward=tuples(whole),
    updates=tuples(updates),
    findings=tuples(findings),
    sources=mappings(words),
    checks=maybe(checks),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(traces)
def test_every_field_comes_back(trace: Trace) -> None:
    """Whatever a trace holds is read back equal, and written again it gives the same bytes (which tell 1 from 1.0 and 0.0 from -0.0)."""
    back = again(trace)
    assert back == trace
    assert text_of(back, sources=True) == text_of(trace, sources=True)


@pytest.mark.parametrize("trace", [WHOLE, dummy_trace(), nonfinite_trace(), chain_trace(3)], ids=lambda trace: trace.title)
def test_document_keeps_the_schema(trace: Trace) -> None:
    """What is written is valid under the JSON Schema in the repository, with and without the user's files."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.check_schema(SCHEMA)
    validator.validate(to_document(trace))
    validator.validate(json.loads(text_of(trace, sources=True)))


def test_value_and_text_are_one_document() -> None:
    """`to_document` gives what the text parses to."""
    for trace in (WHOLE, nonfinite_trace()):
        assert json.loads(text_of(trace)) == to_document(trace)


def test_keys_are_those_of_the_format() -> None:
    """Every key, in the order of the contract; "class" and "pass" have names that Python could not give."""
    document = to_document(WHOLE)
    assert list(document) == keys(
        "format title partial pass passes made_with loss modules nodes edges forward backward updates findings checks storages memory flops"
    )
    assert list(document["made_with"]) == keys("explorer torch python device dtype seed")
    assert document["modules"][2] == {"path": "cell.scale", "class": "Scale", "parent": "cell", "parameters": 1}
    node = document["nodes"][5]
    assert list(node) == keys(
        "id kind name names op autograd module source outputs gradients seeds accumulated status reason saved formula time_us hooks"
        " arguments received flops"
    )
    assert list(node["source"]) == keys("file line code function column end_column end_line")
    assert list(node["outputs"][0]) == keys("shape dtype device min max mean std norm zeros nans infs values")
    assert node["saved"] == [
        {"name": "result", "shape": [1], "dtype": "float32", "bytes": 4, "shared_with": 5, "state": "freed", "storage": 0}
    ]
    assert list(node["formula"]) == ["text", "source", "latex"]
    assert node["time_us"] == {"forward": 12.5, "backward": 8.25}
    assert list(document["edges"][0]) == keys("source output target input gradient differentiable storage")
    assert list(document["updates"][0]) == keys("node optimizer group before gradient after state settings")
    assert list(document["findings"][0]) == keys("kind severity node name source related message remedy")
    assert list(document["findings"][1]["related"][0]) == ["role", "source"]
    assert list(document["checks"]) == ["nodes", "gradients"]
    assert list(document["checks"]["nodes"][0]) == keys("node verdict max_abs_error reason")
    assert list(document["checks"]["gradients"][0]) == keys(
        "node output name shape autograd numeric checked max_abs_error max_rel_error verdict reason curve"
    )


def test_schema_knows_every_key() -> None:
    """The schema lists exactly the keys that are written: a field added to the model is added there too."""
    document, defs = to_document(WHOLE), SCHEMA["$defs"]
    assert [*document, "sources"] == list(SCHEMA["properties"])
    for name, written in (
        ("node", document["nodes"][5]),
        ("edge", document["edges"][0]),
        ("update", document["updates"][0]),
        ("finding", document["findings"][0]),
        ("note", document["nodes"][0]["outputs"][0]),
        ("source", document["nodes"][0]["source"] or document["nodes"][2]["source"]),
        ("saved", document["nodes"][5]["saved"][0]),
        ("formula", document["nodes"][5]["formula"]),
        ("node_check", document["checks"]["nodes"][0]),
        ("gradient_check", document["checks"]["gradients"][0]),
    ):
        assert list(written) == list(defs[name]["properties"])


def test_numbers_that_are_not_finite_are_strings() -> None:
    """NaN and infinities stand as "nan", "inf" and "-inf", in statistics, values and the loss: plain JSON has no other way."""
    text = text_of(nonfinite_trace())
    document = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert document["loss"] == "nan"
    assert document["nodes"][1]["outputs"][0]["values"] == [0.0, "-inf", "nan"]
    assert document["nodes"][0]["gradients"][0]["max"] == "inf"


def test_statistics_that_were_left_out_are_null() -> None:
    """A note without statistics says null, not zero, and comes back so."""
    bare = Note((4096, 4096), "float32")
    trace = replace(WHOLE, nodes=(replace(WHOLE.nodes[0], outputs=(bare,)), *WHOLE.nodes[1:]))
    written = to_document(trace)["nodes"][0]["outputs"][0]
    assert all(written[name] is None for name in keys("min max mean std norm zeros nans infs values"))
    assert again(trace).nodes[0].outputs == (bare,)


def test_same_trace_same_bytes() -> None:
    """Two equal traces, built apart and with their mappings filled in another order, give the same bytes."""
    update = WHOLE.updates[0]
    turned = replace(update, settings=MappingProxyType(dict(reversed(update.settings.items()))))
    other = replace(dummy_trace(modules=True, updates=True, findings=True, checks=True), updates=(turned, *WHOLE.updates[1:]))
    assert text_of(other, sources=True) == text_of(WHOLE, sources=True)


def test_the_text_can_be_read_and_compared_by_people() -> None:
    """One node or edge a line, Hangul as Hangul."""
    lines = text_of(WHOLE).decode().splitlines()
    assert sum(line.startswith('  {"id": ') for line in lines) == len(WHOLE.nodes)
    assert "이 줄을 살펴보세요." in "".join(lines)


def test_a_name_that_is_not_unicode_survives() -> None:
    """A lone surrogate, as Python makes of a file name that is not UTF-8, is written and read back."""
    assert again(replace(WHOLE, title="\udcff.py")).title == "\udcff.py"


def test_equal_parts_are_one_object() -> None:
    """Equal notes and sources are shared after reading, which keeps a large trace small; -0.0 and 0.0 are not equal."""
    back = again(WHOLE)
    assert back.edges[2].gradient is back.edges[3].gradient is back.nodes[4].gradients[0]
    zeros = [Note((), "float32", values=value) for value in (0.0, -0.0)]
    trace = again(replace(WHOLE, nodes=(replace(WHOLE.nodes[0], outputs=tuple(zeros)),)))
    assert [math.copysign(1, note.values) for note in trace.nodes[0].outputs] == [1, -1]


def test_unknown_keys_are_passed_over() -> None:
    """Format 1 may grow: a key that this version does not know is no error."""
    document = to_document(WHOLE)
    document["nodes"][0]["colour"] = document["weather"] = {"sun": 1}
    assert from_document(document).nodes == WHOLE.nodes


def test_keys_that_came_later_may_be_missing() -> None:
    """`end_line`, `settings`, `hooks`, `arguments` and what tells of memory are additions to format 1; a document without them is whole."""
    document = copy.deepcopy(to_document(WHOLE))
    del document["updates"][0]["settings"], document["nodes"][0]["source"]["end_line"], document["nodes"][0]["hooks"]
    del document["nodes"][0]["arguments"], document["nodes"][0]["received"], document["storages"]
    for part in (*document["edges"], *(saved for node in document["nodes"] for saved in node["saved"])):
        del part["storage"]
    back = from_document(document)
    assert back.nodes[0].hooks == ()
    assert back.nodes[0].arguments == {}
    assert back.nodes[0].received == back.storages == ()
    assert {edge.storage for edge in back.edges} == {None}
    assert back.updates[0].settings == {}
    assert back.nodes[0].source is not None
    assert back.nodes[0].source.end_line is None


def put(*way: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    """An edit that sets the value at the end of `way`."""

    def edit(document: dict[str, Any]) -> None:
        here: Any = document
        for step in way[:-1]:
            here = here[step]
        here[way[-1]] = value

    return edit


OUTPUT = ("nodes", 3, "outputs", 0)
WRONG: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("title", put("title", value=None)),
    ("partial", put("partial", value=0)),
    ("pass", put("pass", value=True)),
    ("passes", put("passes", value=1.0)),
    ("made_with", put("made_with", value=[])),
    ("made_with.torch", put("made_with", "torch", value=2.13)),
    ("made_with.seed", put("made_with", "seed", value=2**200)),
    ("loss", put("loss", value="0.5")),
    ("modules", put("modules", value={})),
    ("modules[1].parent", put("modules", 1, "parent", value=0)),
    ("modules[1].parameters", put("modules", 1, "parameters", value=-1)),
    ("nodes", put("nodes", value="x" * 10)),
    ("nodes[3]", put("nodes", 3, value=[])),
    ("nodes[3].id", put("nodes", 3, "id", value=3.0)),
    ("nodes[3].id", put("nodes", 3, "id", value=math.nan)),
    ("nodes[3].kind", put("nodes", 3, "kind", value="leaf")),
    ("nodes[3].kind", put("nodes", 3, "kind", value=[])),
    ("nodes[3].names[0]", put("nodes", 3, "names", value=[1])),
    ("nodes[3].op", put("nodes", 3, "op", value=0)),
    ("nodes[3].module", put("nodes", 3, "module", value=None)),
    ("nodes[2].source.line", put("nodes", 2, "source", "line", value="9")),
    ("nodes[2].source.end_line", put("nodes", 2, "source", "end_line", value=-1)),
    ("nodes[3].outputs[0]", put("nodes", 3, "outputs", value=[None])),
    ("nodes[3].outputs[0].shape", put(*OUTPUT, "shape", value=1)),
    ("nodes[3].outputs[0].shape", put(*OUTPUT, "shape", value=[1] * 65)),
    ("nodes[3].outputs[0].shape", put(*OUTPUT, "shape", value=[10**9] * 3)),
    ("nodes[3].outputs[0].shape[1]", put(*OUTPUT, "shape", value=[1, -1])),
    ("nodes[3].outputs[0].shape[0]", put(*OUTPUT, "shape", value=[2**63])),
    ("nodes[3].outputs[0].shape[0]", put(*OUTPUT, "shape", value=[True])),
    ("nodes[3].outputs[0].dtype", put(*OUTPUT, "dtype", value=None)),
    ("nodes[3].outputs[0].mean", put(*OUTPUT, "mean", value=False)),
    ("nodes[3].outputs[0].mean", put(*OUTPUT, "mean", value="NaN")),
    ("nodes[3].outputs[0].mean", put(*OUTPUT, "mean", value=10**400)),
    ("nodes[3].outputs[0].nans", put(*OUTPUT, "nans", value="nan")),
    ("nodes[3].outputs[0].nans", put(*OUTPUT, "nans", value=0.0)),
    ("nodes[3].outputs[0].values", put(*OUTPUT, "values", value=["one"])),
    ("nodes[3].outputs[0].values", put(*OUTPUT, "values", value=0.5)),
    ("nodes[3].outputs[0].values", put(*OUTPUT, "values", value=[[0.5]])),
    ("nodes[3].outputs[0].values", put(*OUTPUT, "values", value=[0.5] * 65)),
    ("nodes[3].gradients", put("nodes", 3, "gradients", value=None)),
    ("nodes[3].gradients[0]", put("nodes", 3, "gradients", value=[1])),
    ("nodes[3].accumulated", put("nodes", 3, "accumulated", value=[])),
    ("nodes[3].accumulated.after", put("nodes", 3, "accumulated", "after", value=0)),
    ("nodes[3].status", put("nodes", 3, "status", value="ran")),
    ("nodes[5].saved[0].state", put("nodes", 5, "saved", 0, "state", value="gone")),
    ("nodes[5].saved[0].shape[0]", put("nodes", 5, "saved", 0, "shape", value=[None])),
    ("nodes[5].formula.source", put("nodes", 5, "formula", "source", value="me")),
    ("nodes[5].time_us", put("nodes", 5, "time_us", value=None)),
    ("nodes[5].time_us.forward", put("nodes", 5, "time_us", "forward", value="soon")),
    ("nodes[5].hooks", put("nodes", 5, "hooks", value="halve")),
    ("nodes[5].hooks[0]", put("nodes", 5, "hooks", value=[None])),
    ("nodes[5].received[0]", put("nodes", 5, "received", value=[-1])),
    ("nodes[5].saved[0].storage", put("nodes", 5, "saved", 0, "storage", value="0")),
    ("edges[0].storage", put("edges", 0, "storage", value=0.5)),
    ("storages[0]", put("storages", value=[None])),
    ("nodes[5].arguments", put("nodes", 5, "arguments", value=None)),
    ("nodes[5].arguments.dim", put("nodes", 5, "arguments", value={"dim": {}})),
    ("edges[1].input", put("edges", 1, "input", value=None)),
    ("edges[1].source", put("edges", 1, "source", value=-1)),
    ("edges[1].differentiable", put("edges", 1, "differentiable", value="yes")),
    ("edges[1].gradient.dtype", put("edges", 1, "gradient", value={"shape": [], "dtype": 1})),
    ("forward[0]", put("forward", value=["2"])),
    ("backward", put("backward", value=7)),
    ("updates[0].before", put("updates", 0, "before", value=None)),
    ("updates[0].state", put("updates", 0, "state", value=[])),
    ("updates[0].state.momentum_buffer", put("updates", 0, "state", "momentum_buffer", value=1)),
    ("updates[0].settings.lr", put("updates", 0, "settings", "lr", value={})),
    ("findings[1].severity", put("findings", 1, "severity", value="fatal")),
    ("findings[1].related[0].source", put("findings", 1, "related", 0, "source", value=None)),
    ("findings[1].message", put("findings", 1, "message", value="look")),
    ("findings[1].message.ko", put("findings", 1, "message", value={"en": "look"})),
    ("checks", put("checks", value=[])),
    ("checks.nodes[0].verdict", put("checks", "nodes", 0, "verdict", value="right")),
    ("checks.gradients[0].numeric", put("checks", "gradients", 0, "numeric", value=1.0)),
    ("checks.gradients[0].autograd", put("checks", "gradients", 0, "autograd", value=["1.0"])),
    ("checks.gradients[0].curve[1]", put("checks", "gradients", 0, "curve", value=[[0.1, 1.0], [0.1]])),
    ("sources.a", put("sources", value={"a": 1})),
]


@pytest.mark.parametrize(("place", "edit"), WRONG, ids=[f"{place}-{number}" for number, (place, _) in enumerate(WRONG)])
def test_a_wrong_type_names_its_place(place: str, edit: Callable[[dict[str, Any]], None]) -> None:
    """One sentence with the file and the exact place; nothing is guessed or coerced."""
    document = copy.deepcopy(to_document(WHOLE))
    edit(document)
    with pytest.raises(FileError) as caught:
        from_document(document, path="bad.json")
    assert caught.value.key == "file.field"
    assert caught.value.values["place"] == place
    assert str(caught.value).startswith("bad.json cannot be read as a trace: `")


def missing_keys() -> list[tuple[str, tuple[Any, ...]]]:
    """Every key of every kind of object in the document, but the ones that may be missing."""
    ways: dict[str, tuple[Any, ...]] = {}

    def walk(value: Any, way: tuple[Any, ...]) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                ways.setdefault(".".join(step for step in (*way, key) if isinstance(step, str)), (*way, key))
                walk(inner, (*way, key))
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                walk(inner, (*way, place))

    walk(to_document(WHOLE), ())
    free = {"format", "checks", "end_line", "settings", "hooks", "arguments", "dim", "momentum_buffer", "lr", "momentum", "nesterov"}
    free |= {"received", "storage", "storages"}
    derived = {"memory", "flops"}
    return [(name, way) for name, way in ways.items() if way[-1] not in free and not derived & set(way)]


@pytest.mark.parametrize("way", [pytest.param(way, id=name) for name, way in missing_keys()])
def test_a_missing_key_names_its_place(way: tuple[Any, ...]) -> None:
    """No key is filled in with a default: what is not there is said to be missing."""
    document = json.loads(json.dumps(to_document(WHOLE)))
    here = document
    for step in way[:-1]:
        here = here[step]
    del here[way[-1]]
    with pytest.raises(FileError) as caught:
        from_document(document)
    assert str(caught.value.values["place"]).endswith(str(way[-1]))


@pytest.mark.parametrize("document", [None, [], 1, {}, {"format": None}, {"format": "1"}, {"format": 0}, {"format": True}, {"nodes": []}])
def test_other_json_is_not_a_trace(document: Any) -> None:
    """JSON of something else is told apart from a broken trace."""
    with pytest.raises(FileError) as caught:
        from_document(document)
    assert caught.value.key == "file.not_a_trace"


def test_a_newer_format_says_to_update() -> None:
    """A later version's file is not called broken, whatever else it holds."""
    with pytest.raises(FileError) as caught:
        from_document({"format": FORMAT + 1}, path="later.json")
    assert "written by a newer version (format 2" in str(caught.value)
    assert "Update" in str(caught.value)


def test_every_part_of_the_model_is_in_the_document() -> None:
    """No field of a Trace is forgotten: each has its key, or is kept in the `.trace` file only."""
    worked_out = {"memory", "flops"}
    keys = {*to_document(WHOLE), "sources", "tensors"} - {"format"} - worked_out
    assert {field.name for field in fields(Trace)} - {"number"} == keys - {"pass"}


@pytest.mark.slow
def test_a_large_trace_is_written_and_read_in_seconds() -> None:
    """100,000 nodes in a chain: no recursion, nothing quadratic."""
    trace = chain_trace(100_000)
    begin = time.process_time()
    assert again(trace).nodes == trace.nodes
    assert time.process_time() - begin < 30


def test_schema_stands_beside_the_contract() -> None:
    """The schema is found wherever the package is."""
    assert isinstance(assets_folder(), Path)
    assert SCHEMA["properties"]["format"] == {"const": FORMAT}


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("shape", [True, 2], ".shape[0]"),
        ("shape", [1.0, 2], ".shape[0]"),
        ("zeros", False, ".zeros"),
        ("nans", 0.0, ".nans"),
        ("mean", True, ".mean"),
        ("dtype", None, ".dtype"),
        ("norm", ..., ".norm"),
    ],
)
def test_a_note_like_one_that_was_read_is_read_as_strictly(key: str, value: Any, place: str) -> None:
    """What an edge brought is compared with what its source received before it is read: equal in Python is not equal in the format."""
    trace = replace(WHOLE, edges=WHOLE.edges[4:5], nodes=tuple(replace(node, gradients=(BARE,)) for node in WHOLE.nodes))
    document = json.loads(text_of(replace(trace, edges=(replace(trace.edges[0], gradient=BARE),))))
    back = from_document(document)
    assert back.edges[0].gradient is back.nodes[4].gradients[0]
    if value is ...:
        del document["edges"][0]["gradient"][key]
    else:
        document["edges"][0]["gradient"][key] = value
    with pytest.raises(FileError) as caught:
        from_document(document)
    assert caught.value.values["place"] == f"edges[0].gradient{place}"


def test_the_sign_of_zero_is_kept_in_equal_notes() -> None:
    """-0.0 and 0.0 are equal in Python, and are not one object after reading."""
    zero, minus = replace(BARE, min=0.0), replace(BARE, min=-0.0)
    nodes = tuple(replace(node, gradients=(zero,)) for node in WHOLE.nodes)
    edges = tuple(replace(edge, gradient=minus) for edge in WHOLE.edges)
    back = again(replace(WHOLE, nodes=nodes, edges=edges))
    assert [math.copysign(1, note.min) for note in (back.nodes[4].gradients[0], back.edges[4].gradient)] == [1, -1]  # type: ignore[union-attr, arg-type]


def test_what_stands_in_several_places_is_read_as_one_object() -> None:
    """Notes of few values, a deviation of zero among them: an edge's is its source's, equal figures are one. Zeros keep signs."""
    back = again(chain_trace(10))
    edge = next(edge for edge in back.edges if edge.gradient is not None and edge.gradient.std == 0.0)
    kept = edge.gradient
    assert kept is not None
    assert any(kept is note for node in back.nodes for note in node.gradients)
    assert kept.min is kept.max is kept.mean
    minus = replace(BARE, shape=(2,), min=-0.0, values=(-0.0, 0.0))
    (note,) = again(replace(WHOLE, nodes=(replace(WHOLE.nodes[0], outputs=(minus,)), *WHOLE.nodes[1:]))).nodes[0].outputs
    assert str((note.min, note.values)) == "(-0.0, (-0.0, 0.0))"
