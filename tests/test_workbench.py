"""The workbench: what torch and NumPy really do with a recipe, what a recipe may say, and that the child is there again after any doubt."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.capture import workbench
from explorer.capture.fits import fit, grown
from explorer.capture.recipe_text import literal, read, written
from explorer.capture.recipes import LARGEST, MOST_STEPS, TABLE, arguments, checked
from explorer.capture.workbench import Answer, ask, positions
from explorer.errors import RequestError
from explorer.text import TEXTS


@pytest.fixture(scope="module", autouse=True)
def child() -> Iterator[None]:
    """One child for all tests here, gone afterwards."""
    yield
    workbench.close()


def done(text: str) -> Answer:
    """What a recipe gives, which all goes well."""
    answer = ask(read(text))
    assert answer["error"] is None, answer["error"]
    return answer


def refused(text: str) -> Any:
    """Why torch does not follow a recipe."""
    error = ask(read(text))["error"]
    assert error is not None
    assert error["message"] or error["why"] == "large"
    assert f"tensors.why.{error['why']}" in TEXTS
    TEXTS[f"tensors.why.{error['why']}"][1].format(**error["values"])
    return error


def test_views_and_copies_are_told_apart() -> None:
    """Reshape, transpose and slice share the storage of a; a flattened transpose does not. Strides, offset and places are torch's."""
    answer = done("arange(0,12);reshape(a,[3,4]);T(b);slice(c,'1:, ::2');flatten(c);contiguous(a)")
    assert [step["relation"] for step in answer["steps"]] == ["new", "view", "view", "view", "copy", "same"]
    a, b, c, d, e, f = answer["tensors"]
    assert [made["storage"] for made in (a, b, c, d, e, f)] == [0, 0, 0, 0, 1, 0]
    assert (b["strides"], c["strides"], d["strides"], d["offset"]) == ([4, 1], [1, 4], [1, 8], 1)
    assert (c["contiguous"], e["contiguous"]) == (False, True)
    assert positions(d) == d["values"] == [1, 9, 2, 10, 3, 11]
    assert (a["dtype"], a["bytes"], d["bytes"], d["storage_bytes"]) == ("int64", 96, 48, 96)
    assert [step["line"] for step in answer["steps"]][2:4] == ["c = b.T", "d = c[1:, ::2]"]


def test_writing_into_one_changes_the_others() -> None:
    """What is written into a slice stands in all that share its storage, and not in a copy; NumPy's line does the same."""
    answer = done("arange(0,6);reshape(a,[2,3]);clone(a);set(b,'1, 0',99)")
    a, b, c = (made["values"] for made in answer["tensors"])
    assert (a, b, c) == ([0, 1, 2, 99, 4, 5], [0, 1, 2, 99, 4, 5], [0, 1, 2, 3, 4, 5])
    assert answer["steps"][-1]["shares"] == ["a", "b"]
    assert answer["steps"][-1]["numpy"]["line"] == "b[1, 0] = 99"


def test_expanding_repeats_without_copying() -> None:
    """A stride of 0: every row is the same place of the storage."""
    made = done("arange(0,3);expand(a,[4,3])")["tensors"][1]
    assert (made["strides"], positions(made)) == ([0, 1], [0, 1, 2] * 4)


@pytest.mark.parametrize(
    ("text", "values", "dtype"),
    [
        ("literal([[1, nan], [inf, -2.5]])", [1.0, "nan", "inf", -2.5], "float32"),
        ("literal([1+2j, -1j])", [[1.0, 2.0], [0.0, -1.0]], "complex64"),
        ("literal([True, False])", [True, False], "bool"),
        ("literal([1, 2.5], dtype='bfloat16')", [1.0, 2.5], "bfloat16"),
        ("literal([])", [], "float32"),
        ("zeros([2, 0, 3])", [], "float32"),
        ("literal(7)", [7], "int64"),
        ("full([2], -inf)", ["-inf", "-inf"], "float32"),
        ("literal([1.0]);to_device(a,'meta')", None, "float32"),
        ("eye(2,dtype='uint8')", [1, 0, 0, 1], "uint8"),
    ],
)
def test_values_of_every_kind(text: str, values: list[Any] | None, dtype: str) -> None:
    """Empty, scalar, NaN, infinite, complex, bool, half: they come as they are."""
    made = done(text)["tensors"][-1]
    assert (made["values"], made["dtype"]) == (values, dtype)


def test_ten_thousand_elements() -> None:
    """The largest tensor comes whole; one element more is refused before anything is made."""
    assert len(done("zeros([100,100])")["tensors"][0]["values"] or ()) == LARGEST
    with pytest.raises(RequestError) as refusal:
        ask(read("zeros([10001])"))
    assert refusal.value.key == "tensors.bad.large"
    assert refused("zeros([1,5000]);zeros([5000,1]);matmul(b,a)")["why"] == "large"
    assert refused("zeros([5000]);unsqueeze(a,1);add(a,b)")["why"] == "large"
    assert refused("zeros([1]);expand(a,[1000,1000])")["why"] == "large"
    assert grown({"do": "expand", "shape": [-1, 5]}, (3, 1), None) == 15


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ones([3,4]);ones([2,4]);add(a,b)", "broadcast"),
        ("ones([2,3]);ones([2,3]);matmul(a,b)", "matmul"),
        ("ones([2]);literal(1.0);matmul(a,b)", "matmul_scalar"),
        ("ones([2,3,4]);ones([5,4,3]);matmul(a,b)", "matmul_batch"),
        ("ones([2,2]);eye(2,dtype='int64');matmul(a,b)", "matmul_dtype"),
        ("arange(0,12);reshape(a,[5,2])", "count"),
        ("arange(0,12);reshape(a,[5,-1])", "count_unknown"),
        ("ones([2,3]);T(a);view(b,[6])", "strides"),
        ("ones([2,3]);sum(a,dim=2)", "dim"),
        ("ones([2,3]);transpose(a,0,5)", "dim"),
        ("ones([2,3]);permute(a,[0,0])", "permute"),
        ("ones([2,3]);expand(a,[4,3])", "expand"),
        ("ones([2,3]);slice(a,'5')", "index"),
        ("ones([2,3]);slice(a,'0, 0, 0')", "too_many"),
        ("ones([2,3]);slice(a,'::-1')", "step"),
        ("ones([2,3]);take(a,[4])", "index"),
        ("arange(0,3);mean(a)", "mean"),
        ("literal([1.0],requires_grad=True);set(a,'0',5)", "leaf"),
        ("literal([1.0],requires_grad=True);mul_(a,5)", "leaf"),
        ("ones([2]);sum(a);backward(b)", "backward_none"),
        ("literal([1.0,2.0],requires_grad=True);mul(a,2);backward(b)", "backward_shape"),
        ("literal([1.0],requires_grad=True);mul(a,a);sum(b);backward(c);backward(c)", "backward_again"),
        ("arange(0,3);requires_grad_(a)", "grad_dtype"),
        ("ones([2,3]);ones([3,3]);stack(a,b)", "stack"),
        ("ones([2,3]);ones([3,2]);cat(a,b)", "cat"),
        ("literal([[1,2],[3]])", "ragged"),
        ("literal([1,2],requires_grad=True)", "grad_dtype"),
        ("arange(0,5,0)", "counting"),
        ("zeros([-1])", "negative"),
        ("randint(5,2,[3])", "no_range"),
        ("full([2],300,dtype='uint8')", "made"),
        ("ones([2]);to_device(a,'meta');to_device(b,'cpu')", "meta"),
        ("arange(3);mul_(a,0.5)", "cast"),
        ("zeros([0]);amax(a)", "empty"),
        ("literal([1j]);relu(a)", "unsupported"),
    ],
)
def test_what_torch_refuses_is_explained(text: str, why: str) -> None:
    """Torch's own words come with a reason of ours, and what came before stands."""
    assert refused(text)["why"] == why


def test_shapes_are_aligned() -> None:
    """Where shapes do not fit, the column in which they do not is known."""
    told = fit({"do": "add"}, (3, 4), (2, 1, 2))
    assert told == {"kind": "broadcast", "columns": [[None, 2, 2], [3, 1, 3], [4, 2, None]], "result": None}
    assert fit({"do": "matmul"}, (2, 3), (3,)) == {"kind": "matmul", "columns": [], "inner": [3, 3], "result": [2]}
    assert refused("ones([3,4]);ones([2,4]);add(a,b)")["values"] == {"number": 2, "left": 3, "right": 2}


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("zeros([2])", ["dtype"]),
        ("arange(0,6)", []),
        ("arange(0,6);reshape(a,[2,3])", []),
        ("arange(0,6);flip(a,0)", ["memory"]),  # torch copies, NumPy gives a view
        ("arange(0,6);to_dtype(a,'int64')", ["memory"]),  # torch gives the same tensor, NumPy a copy
        ("arange(0,6);slice(a,'0')", ["scalar"]),
        ("arange(0,6);mean(a)", ["works"]),
        ("arange(0,6);slice(a,'::-1')", ["works"]),
        ("zeros([2]);to_dtype(a,'bfloat16')", ["none"]),
        ("zeros([2]);to_device(a,'meta')", ["none"]),
        ("rand([2],seed=3)", ["seed", "dtype"]),
        ("zeros([2]);add(a,1)", []),  # said once
    ],
)
def test_numpy_beside(text: str, differs: list[str]) -> None:
    """NumPy really does the same step; where it does another thing, that is told."""
    assert ask(read(text))["steps"][-1]["numpy"]["differs"] == differs


def test_gradients_come_along() -> None:
    """backward fills the gradient of the leaf."""
    a, b, _ = done("literal([1.0,2.0,3.0],requires_grad=True);pow(a,2);sum(b);backward(c)")["tensors"]
    assert (a["grad"], a["leaf"], b["grad_fn"]) == ([2.0, 4.0, 6.0], True, "PowBackward0")


@pytest.mark.parametrize("op", sorted(TABLE))
def test_every_row_of_the_table_works(op: str) -> None:
    """Each op can be asked for with plain arguments, is the same after having been written as text, and torch follows it."""
    plain = {"tensor": "a", "operand": 2, "int": 0, "count": 3, "seed": 1, "number": 2, "index": "0", "dtype!": "float64", "device": "cpu",
             "picture": "digit", "values": [[1.5, 2.5]], "shape": [2, 2]}  # fmt: skip
    own: dict[str, Any] = {"permute": {"dims": [1, 0]}, "take": {"rows": [1]}, "expand": {"shape": [3, 2, 2]}, "randint": {"high": 9},
           "backward": {"of": "b"}}  # fmt: skip
    given = {name: plain[kind] for name, kind, _ in arguments(op) if kind in plain} | own.get(op, {})
    before = "literal([[1.0,2.0],[3.0,4.0]],requires_grad=True);sum(a)" if op == "backward" else "literal([[1.0,2.0],[3.0,4.0]])"
    recipe = [*read(before), {"do": op, **given}]
    answer = ask(recipe)
    assert answer["error"] is None
    assert read(written(checked(recipe))) == checked(recipe)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "a=1", "arange(end=(lambda: 5)())", "zeros([10**6])", "slice(a,'0')", "foo(1)", "arange(*[1])",
        "literal([1]);slice(a,'__class__')", "literal([1]);slice(a,'0]; import os')", "literal([1]);to_device(a,'cuda:0;')",
        "literal([1],dtype='float32)')", "literal('x')", "literal([1]);set(a,'0','b')", "image('../secret')",
        "literal([[[[[[[[[1]]]]]]]]])", "rand([2],seed=-1)", "literal([1]);add(a,b)",
        ";".join(["literal([1])"] * (MOST_STEPS + 1)), "[" * 500, "x" * 200_000,
    ],
)  # fmt: skip
def test_nothing_else_gets_in(text: str) -> None:
    """Whatever is not in the table with plain arguments is refused with one sentence, and nothing of it runs."""
    with pytest.raises(RequestError) as refusal:
        read(text)
    assert refusal.value.message("ko") != refusal.value.message("en")


def test_numbers_as_people_type_them() -> None:
    """Nested lists and tuples, signs, NaN, complex numbers; anything else is refused."""
    assert literal(" [(1, -2), [3.5, nan]] ") == [[1, -2], [3.5, "nan"]]
    assert read("arange(7)") == read("arange(0, 7)") == read("arange(end=7, step=1)")
    assert literal("[True, -inf, 1-2j, 2e3]") == [True, "-inf", "1-2j", 2000.0]
    for text in ("[1, a]", "{1}", "[1", "f(2)", "'text'", "", "[1]*3", "None"):
        with pytest.raises(RequestError):
            literal(text)


def test_the_child_is_there_again() -> None:
    """A recipe that takes too long ends the child, and so may anything else: the next question finds a new one."""
    done("arange(0,6)")
    process = workbench._child.process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # it hangs
    with pytest.raises(RequestError) as refusal:
        ask(read("arange(0,9)"), seconds=0.2)
    assert refusal.value.key == "tensors.too_slow"
    assert done("arange(0,9)")["tensors"][0]["elements"] == 9
    process = workbench._child.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert done("arange(0,8)")["tensors"][0]["elements"] == 8
