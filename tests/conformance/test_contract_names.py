"""Names, modules and source lines, as the contract promises them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import explorer
from tests.conformance.reading import edges_into, edges_out, named, op, ops, same, tensor, whole


def test_name_is_the_first_variable_and_all_are_kept() -> None:
    """A tensor held by several variables of one frame has all of their names; the first is the name."""
    with explorer.record() as recording:
        w = torch.tensor([1.0, 2.0], requires_grad=True)
        first = w * 2
        second = first
        loss = second.sum()
        loss.backward()
    trace = whole(recording.trace)
    node = op(trace, "mul")
    assert node.name == "first"
    assert set(node.names) == {"first", "second"}
    assert named(trace, "loss").op == "sum"
    assert named(trace, "w").kind == "input"


def test_names_of_frames_that_returned() -> None:
    """Variables of a function are looked up when it returns; the name there comes before the caller's."""

    def square(value: torch.Tensor) -> torch.Tensor:
        result = value * value
        return result

    with explorer.record() as recording:
        x = torch.tensor(3.0, requires_grad=True)
        y = square(x)
        y.backward()
    trace = whole(recording.trace)
    assert set(named(trace, "y").names) == {"result", "y"}
    assert named(trace, "y").op == "mul"
    assert named(trace, "y").name == "result"
    assert set(named(trace, "x").names) >= {"x"}


def test_a_variable_used_again_names_the_last_tensor_it_held() -> None:
    """In `h = h * 2` repeated, only the tensor that h still holds when looked up is h; the others go without a name."""
    with explorer.record() as recording:
        h = torch.tensor(1.0, requires_grad=True) * 1
        for _ in range(3):
            h = h * 2
        h.backward()
    trace = whole(recording.trace)
    products = ops(trace, "mul")
    assert [node.name for node in products] == [None, None, None, "h"]


def test_a_result_without_a_variable_has_no_name() -> None:
    """An intermediate result that no variable held has no name; nothing is made up."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        (x.exp() * 2).sum().backward()
    trace = whole(recording.trace)
    assert [(node.op, node.name, node.names) for node in trace.nodes if node.kind == "op"] == [
        ("exp", None, ()),
        ("mul", None, ()),
        ("sum", None, ()),
    ]


def test_parameter_names_in_containers() -> None:
    """Parameters of Sequential, ModuleList, ModuleDict, ParameterList and bare attributes carry their `named_parameters()` names."""

    class Holder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stack = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
            self.listed = nn.ModuleList([nn.Linear(2, 2)])
            self.keyed = nn.ModuleDict({"one": nn.Linear(2, 2)})
            self.scales = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))])
            self.shift = nn.Parameter(torch.zeros(2))
            self.register_buffer("center", torch.tensor([0.5, 0.5]))

        def forward(self, value: torch.Tensor) -> torch.Tensor:
            value = self.keyed["one"](self.listed[0](self.stack(value)))
            return value * self.scales[0] * self.scales[1] + self.shift - self.center

    model = Holder()
    with explorer.record() as recording:
        loss = model(torch.ones(1, 2)).sum()
        loss.backward()
    trace = whole(recording.trace)
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        same(named(trace, name).outputs[0], parameter)
        same(named(trace, name).gradients[0], parameter.grad)
    center = named(trace, "center")
    assert (center.kind, center.status) == ("buffer", "no gradient")
    assert [node.kind for node in trace.nodes if "value" in node.names][-1] == "op"


def test_a_parameter_without_a_module_is_a_parameter() -> None:
    """A bare nn.Parameter is a parameter named by its variable; a leaf that merely requires grad is an input."""
    w, v, c = nn.Parameter(torch.ones(2)), torch.ones(2, requires_grad=True), torch.ones(2)
    with explorer.record() as recording:
        (w * v * c).sum().backward()
    trace = whole(recording.trace)
    assert [named(trace, name).kind for name in ("w", "v", "c")] == ["parameter", "input", "constant"]
    assert [named(trace, name).op for name in ("w", "v", "c")] == [None, None, None]
    assert named(trace, "c").status == "no gradient"


def test_one_root_with_parameters_is_the_empty_path() -> None:
    """One called root with parameters has path ""; its children are as in `named_modules()`; a loss module changes nothing."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)))
    criterion = nn.CrossEntropyLoss()
    with explorer.record() as recording:
        loss = criterion(model(torch.ones(1, 2)), torch.tensor([1]))
        loss.backward()
    trace = whole(recording.trace)
    modules = {module.path: module for module in trace.modules}
    assert {"", "0", "1", "1.0", "1.1"} <= set(modules)
    assert [(modules[p].class_name, modules[p].parent, modules[p].parameters) for p in ("", "0", "1", "1.0", "1.1")] == [
        ("Sequential", None, 17),
        ("Linear", "", 9),
        ("Sequential", "", 8),
        ("ReLU", "1", 0),
        ("Linear", "1", 8),
    ]
    assert [node.module for node in ops(trace, "addmm", "relu")] == ["0", "1.0", "1.1"]
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {"0.weight", "0.bias", "1.1.weight", "1.1.bias"}


def test_several_roots_are_prefixed_by_their_variable() -> None:
    """Two called roots with parameters are prefixed by the names of their variables, and so are their parameters."""
    encoder, decoder = nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    with explorer.record() as recording:
        loss = decoder(encoder(torch.ones(1, 2))).sum()
        loss.backward()
    trace = whole(recording.trace)
    assert {module.path for module in trace.modules} >= {"encoder", "decoder", "decoder.0", "decoder.1"}
    assert {node.name for node in trace.nodes if node.kind == "parameter"} == {
        "encoder.weight",
        "encoder.bias",
        "decoder.0.weight",
        "decoder.0.bias",
    }
    assert [node.module for node in ops(trace, "addmm", "tanh")] == ["encoder", "decoder.0", "decoder.1"]


def test_parameters_of_a_module_are_counted_once_when_shared() -> None:
    """`parameters` counts a module with its children, a shared tensor once."""
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    with explorer.record() as recording:
        model(torch.ones(1, 3)).sum().backward()
    assert {m.path: m.parameters for m in whole(recording.trace).modules} == {"": 9, "0": 9, "1": 9}


def test_a_module_called_twice() -> None:
    """A module called twice: both calls' ops stand in it, its weight has both contributions."""
    layer = nn.Linear(2, 2, bias=False)
    model = nn.Sequential(layer, nn.Tanh(), layer)
    x = torch.tensor([[0.3, -0.2]])
    with explorer.record() as recording:
        model(x).sum().backward()
    trace = whole(recording.trace)
    (weight,) = [node for node in trace.nodes if node.kind == "parameter"]
    assert weight.name == "0.weight"
    uses = edges_out(trace, weight)
    assert len(uses) == 2
    torch.testing.assert_close(sum(tensor(use.gradient) for use in uses), layer.weight.grad)
    assert {node.module for node in ops(trace, "mm")} == {"0"}


def test_edges_inside_functional_calls_keep_argument_numbers() -> None:
    """`F.linear` without bias, `F.embedding`, `torch.cat` of a list: the inputs count the tensor arguments in order."""
    table, index = torch.arange(6.0).reshape(3, 2).requires_grad_(), torch.tensor([2, 0])
    with explorer.record() as recording:
        rows = F.embedding(index, table)
        joined = torch.cat([rows, table, rows])
        joined.exp().sum().backward()
    trace = whole(recording.trace)
    table_node, rows_node = named(trace, "table"), named(trace, "rows")
    assert [(e.source, e.input, e.differentiable) for e in edges_into(trace, rows_node)] == [
        (table_node.id, 0, True),
        (named(trace, "index").id, 1, False),
    ]
    assert [(e.source, e.input) for e in edges_into(trace, named(trace, "joined"))] == [
        (rows_node.id, 0),
        (table_node.id, 1),
        (rows_node.id, 2),
    ]


# Source lines. The column of an expression depends on its own line alone, so each test reads its own file.

HERE = Path(__file__).name


def test_source_of_a_plain_line() -> None:
    """The source is the file, line, function and exact span of the expression."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with explorer.record() as recording:
        y = x * 3 + x.exp()
        y.sum().backward()
    trace = whole(recording.trace)
    expressions = {node.op: node.source for node in trace.nodes if node.kind == "op"}
    assert {name: source.expression for name, source in expressions.items()} == {
        "mul": "x * 3",
        "exp": "x.exp()",
        "add": "x * 3 + x.exp()",
        "sum": "y.sum()",
    }
    source = expressions["mul"]
    assert Path(source.file).name == HERE
    assert not Path(source.file).is_absolute()
    assert source.code.strip() == "y = x * 3 + x.exp()"
    assert source.function.endswith("test_source_of_a_plain_line")
    assert Path(__file__).read_text(encoding="utf-8").splitlines()[source.line - 1].strip() == source.code.strip()


def test_source_counts_characters_not_bytes() -> None:
    """Text beyond ASCII before the expression does not shift its columns."""
    x = torch.tensor(2.0, requires_grad=True)
    with explorer.record() as recording:
        값 = {"기울기 – α": x * 3}["기울기 – α"].exp()
        값.backward()
    trace = whole(recording.trace)
    assert op(trace, "mul").source.expression == "x * 3"
    assert op(trace, "exp").source.expression == '{"기울기 – α": x * 3}["기울기 – α"].exp()'
    assert named(trace, "값").op == "exp"


def test_source_over_several_lines() -> None:
    """An expression over several lines keeps them all; the span begins in the first and ends in the last."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    # fmt: off
    with explorer.record() as recording:
        y = torch.atan2(
            x * 2,
            x.exp(),  # a comment
        ).sin()
        y.sum().backward()
    # fmt: on
    trace = whole(recording.trace)
    source = op(trace, "atan2").source
    assert source.end_line is not None
    assert source.end_line > source.line
    assert "".join(source.expression.split()) == "torch.atan2(x*2,x.exp(),#acomment)"
    assert op(trace, "mul").source.expression == "x * 2"
    assert op(trace, "exp").source.expression == "x.exp()"
    assert op(trace, "sin").source.expression.endswith(").sin()")
    assert op(trace, "sin").source.code.count("\n") == op(trace, "sin").source.end_line - op(trace, "sin").source.line


def test_source_in_a_loop_and_a_comprehension() -> None:
    """Every round of a loop has a node of its own from the same expression."""
    x = torch.tensor(1.5, requires_grad=True)
    with explorer.record() as recording:
        total = x * 0
        for _ in range(3):
            total = total + x.sin()
        parts = [x.cos() for _ in range(2)]
        (total + parts[0] + parts[1]).backward()
    trace = whole(recording.trace)
    assert [node.source.expression for node in ops(trace, "sin")] == ["x.sin()"] * 3
    assert [node.source.expression for node in ops(trace, "cos")] == ["x.cos()"] * 2
    assert len({node.source.line for node in ops(trace, "sin")}) == 1


def test_source_of_ops_inside_a_torch_module_is_the_users_line() -> None:
    """Ops inside torch's own modules point to the user's call, not into torch."""
    model, x = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), torch.ones(1, 2)
    with explorer.record() as recording:
        out = model(x)
        F.cross_entropy(out, torch.tensor([1])).backward()
    trace = whole(recording.trace)
    assert {node.source.expression for node in ops(trace, "addmm", "t", "relu")} == {"model(x)"}
    assert {node.source.expression for node in ops(trace, "_log_softmax", "nll_loss_forward")} == {
        "F.cross_entropy(out, torch.tensor([1]))"
    }
    assert {Path(node.source.file).name for node in trace.nodes if node.source is not None} == {HERE}


def test_source_file_is_relative_to_the_target(tmp_path: Path) -> None:
    """A target's lines are in a file named relative to its folder, a library's begin with the package; no absolute path."""
    package = tmp_path / "layers"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "gate.py").write_text("def gate(value):\n    opened = value.sigmoid()\n    return opened\n", encoding="utf-8")
    (tmp_path / "program.py").write_text(
        textwrap.dedent("""
            import torch
            from layers.gate import gate

            def loss():
                w = torch.tensor([1.0, 2.0], requires_grad=True)
                return gate(w).sum()
        """),
        encoding="utf-8",
    )
    trace = whole(explorer.trace(f"{tmp_path / 'program.py'}:loss"))
    assert op(trace, "sigmoid").source.file.replace("\\", "/") == "layers/gate.py"
    assert op(trace, "sum").source.file == "program.py"
    assert op(trace, "sigmoid").source.function == "gate"
    assert op(trace, "sigmoid").source.line == 2
    assert named(trace, "opened").op == "sigmoid"
    assert named(trace, "w").kind == "input"
    assert str(tmp_path) not in repr(trace.nodes)


@pytest.mark.parametrize("text", ["y = x * 2", "y = x * 2 ; z = y"])
def test_source_where_there_is_no_file(text: str) -> None:
    """Code that was never in a file is traced; its source is unknown or says what is known, never made up."""
    space: dict[str, torch.Tensor] = {"x": torch.tensor(2.0, requires_grad=True)}
    with explorer.record() as recording:
        exec(text, space)
        space["y"].backward()
    trace = whole(recording.trace)
    node = op(trace, "mul")
    assert node.gradients[0].item == 1.0
    assert node.source is None or node.source.code in (text, "")
