"""torch's own derivative rules: which autograd node an op makes, what its formula is, and which argument each of its slots stands for.

Read from `derivatives.yaml` as torch installs it, by a parser of just the YAML that file uses: a tenth of a second less than importing
torch's generator, and PyYAML is not a dependency of torch. Imports neither torch nor torchgen. Formulas are C++ that calls torch's own
functions, shown as they stand there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.model import Formula

if TYPE_CHECKING:
    from explorer.formulas.rules import Rule as Maths

__all__ = ["HANDWRITTEN", "Rule", "followed_output", "formula_of", "names_for", "rule_of"]

# Nodes that torch writes by hand in C++. `fn` is the in-place op's own node, `slice` the part of the base that it wrote to.
HANDWRITTEN: dict[str, str] = {
    "AccumulateGrad": "variable.grad: variable.grad + grad",
    "CopyBackwards": "self: zeros_like(grad)\nsrc: grad.to(src.options())",
    "CopySlices": "base: grad with grad[slice] replaced by fn(grad[slice])[0]\ninputs: fn(grad[slice])[1:]",
    "DelayedError": "inputs: raises the error it was made with",
    "Error": "inputs: raises the error it was made with",
    "GraphRoot": "outputs: the gradients backward was started with",
    "Identity": "input: grad",
    "NotImplemented": "inputs: raises, because the derivative is not implemented",
    "UndefinedGrad": "inputs: grads",
    "UndefinedGradBackward": "inputs: undefined",
    "WarnNotImplemented": "inputs: undefined, with a warning that the derivative is not implemented",
}

HANDWRITTEN_NAMES = {"copy_": frozenset({"CopyBackwards"})}

# Ops that share the rule of an op whose name differs by more than the "_" of an in-place op: overloads called otherwise, and ops that
# torch generates from their in-place form.
SHARED = {
    "pow_.Tensor": "pow.Tensor_Tensor",
    "pow_.Scalar": "pow.Tensor_Scalar",
    "ldexp_": "ldexp.Tensor",
    **{op: op.replace(".", "_.") if "." in op else op + "_" for op in (
        "_index_put_impl", "bernoulli.Tensor", "cauchy", "embedding_renorm", "exponential", "geometric", "log_normal",
        "random", "random.from", "random.to", "uniform", "zero",
    )},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of derivatives.yaml.

    `lines` are (inputs, formula) pairs as they stand there ("self, weight" for a formula of two inputs). `inputs` are the differentiable
    arguments in the order of the node's `next_functions`: one slot each, but one slot per tensor for those in `lists`.
    `differentiable_outputs` is None where the file does not say (then every floating point output is).
    """

    autograd: str
    schema: str
    lines: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    lists: frozenset[str] = frozenset()
    differentiable_outputs: tuple[bool, ...] | None = None

    @property
    def text(self) -> str:
        """The rule as it is shown, a line per formula: "self: grad * other"."""
        return "\n".join(f"{inputs}: {formula}" for inputs, formula in self.lines)

    def slots(self, sizes: dict[str, int] | None = None) -> tuple[str, ...]:
        """The argument each slot stands for; `sizes` gives the number of tensors of each list argument ("tensors[0]", "tensors[1]", …)."""
        named: list[str] = []
        for name in self.inputs:
            if name in self.lists:
                named += [f"{name}[{i}]" for i in range((sizes or {}).get(name, 0))]
            else:
                named.append(name)
        return tuple(named)


def rule_of(autograd_name: str) -> Rule | None:
    """The rule of a node by its name ("MulBackward0"); None where derivatives.yaml has none (see `HANDWRITTEN`)."""
    rules, _ = _tables()
    original = autograd_name.removesuffix("_copy")  # view_copy has the rule of view
    rule = rules.get(original)
    if rule is None or original == autograd_name:
        return rule
    base, dot, overload = rule.schema.partition(".")
    return replace(rule, autograd=autograd_name, schema=f"{base}_copy{dot}{overload}")


def followed_output(autograd_name: str, number: int) -> int:
    """Which result of its op the output `number` of an autograd node is: those that autograd does not follow (P of an LU) have none."""
    rule = rule_of(autograd_name)
    if rule is None or rule.differentiable_outputs is None:
        return number
    followed = [place for place, flag in enumerate(rule.differentiable_outputs) if flag]
    return followed[number] if number < len(followed) else number


def formula_of(autograd_name: str, arguments: Mapping[str, Any] | None = None) -> Formula | None:
    """The rule of a node as it is shown: torch's line or a handwritten one, with our maths; None for nodes of the user's and unknown ones.

    Some maths are for certain `arguments` of the op; where these are not known (None) and it matters, there are none.
    """
    choices = _maths(autograd_name)
    if len(choices) < 2:
        return _formula(autograd_name, 0 if choices else None)
    if arguments is None:
        return _formula(autograd_name, None)
    return _formula(autograd_name, next((k for k, one in enumerate(choices) if one.fits(arguments)), None))


@cache
def _maths(autograd_name: str) -> tuple[Maths, ...]:
    """Our own rules of a node. Their tables are read when the first node asks."""
    from explorer.formulas.table import rules_named

    return rules_named(autograd_name)


@cache
def _formula(autograd_name: str, choice: int | None) -> Formula | None:
    latex = None if choice is None else _maths(autograd_name)[choice].latex
    if rule := rule_of(autograd_name):
        return Formula(rule.text, "derivatives.yaml", latex)
    text = HANDWRITTEN.get(autograd_name.removeprefix("torch::autograd::"))
    return None if text is None else Formula(text, "explorer", latex)


@cache
def names_for(aten_name: str) -> frozenset[str]:
    """The autograd names a node made by this op may have, by the op's name with its overload ("mul.Tensor", "mul_.Tensor", "relu").

    Empty for an op that makes no node: composite ops (their pieces do), ops without a derivative, and out= variants, which autograd
    refuses. An op has several names where a nested tensor has a rule of its own.
    """
    name = aten_name.removeprefix("aten::").removeprefix("aten.").removesuffix(".default")
    name = SHARED.get(name, name)
    base, dot, overload = name.partition(".")
    _, names = _tables()
    if name in HANDWRITTEN_NAMES:
        return HANDWRITTEN_NAMES[name]
    if name in names:
        return names[name]
    if base.startswith("_foreach_"):
        return _foreach_names(base.removeprefix("_foreach_"), overload)
    if base.endswith("_copy"):
        return frozenset(f"{one}_copy" for one in names.get(base.removesuffix("_copy") + dot + overload, ()))
    if base.endswith("_functional"):  # generated from an op that writes to its arguments
        return names.get(base.removesuffix("_functional") + dot + overload, frozenset())
    if base.endswith("_"):
        return names.get(base[:-1] + dot + overload, frozenset())
    return frozenset()


def _foreach_names(base: str, overload: str) -> frozenset[str]:
    """Names for an op over lists of tensors: in place a node per tensor, named as for the op on one; else one node for all."""
    if overload.endswith("out"):
        return frozenset()
    _, names = _tables()
    single = base.removesuffix("_")
    ones = [one for schema, of_schema in names.items() if schema.partition(".")[0] in (single, single + "_") for one in of_schema]
    return frozenset(ones if base.endswith("_") else (f"Foreach{one}{overload}" for one in ones))


@cache
def _tables() -> tuple[dict[str, Rule], dict[str, frozenset[str]]]:
    """Rules by autograd name, and autograd names by schema name."""
    rules: dict[str, Rule] = {}
    by_schema: dict[str, frozenset[str]] = {}
    file = _packaged("autograd", "derivatives.yaml")
    for rule in _rules(file.read_text(encoding="utf-8") if file is not None else ""):
        rules[rule.autograd] = rule
        by_schema[rule.schema] = by_schema.get(rule.schema, frozenset()) | {rule.autograd}
    return rules, by_schema


def _packaged(*parts: str) -> Path | None:
    """A file of torchgen, which torch installs beside itself; None where someone's torch comes without it."""
    spec = find_spec("torchgen")
    if spec is None or not spec.submodule_search_locations:
        return None
    file = Path(spec.submodule_search_locations[0], "packaged", *parts)
    return file if file.is_file() else None


def _rules(text: str) -> Iterator[Rule]:
    """A rule for each entry and dispatch key that has a formula, named as torch's generator names them (CORE: counted per prefix)."""
    counted: Counter[str] = Counter()
    for specification, fields in _entries(text):
        name, _, parameters = specification.partition("(")
        types = _argument_types(parameters)
        outputs = _booleans(fields.pop(("", "output_differentiability"), ""))
        by_key: dict[str, list[tuple[str, str]]] = {}
        for (key, inputs), formula in fields.items():
            if formula.lower() != "non_differentiable" and set(_split(inputs)) <= types.keys():
                by_key.setdefault(key, []).append((inputs, formula))
        for key, lines in by_key.items():
            prefix = _prefix(name) + ("" if key == "Default" else key)
            named = {one for inputs, _ in lines for one in _split(inputs)}
            yield Rule(
                autograd=f"{prefix}{counted[prefix]}",
                schema=name,
                lines=tuple(lines),
                inputs=tuple(argument for argument in types if argument in named),
                lists=frozenset(argument for argument in named if "[" in types[argument]),
                differentiable_outputs=outputs,
            )
            counted[prefix] += 1


def _entries(text: str) -> Iterator[tuple[str, dict[tuple[str, str], str]]]:
    """Each entry's specification and its fields by (dispatch key, field name)."""
    specification, key = "", ""
    fields: dict[tuple[str, str], str] = {}
    field: tuple[str, str] | None = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.startswith("- name:"):
            if specification:
                yield specification, {at: _scalar(value) for at, value in fields.items()}
            specification, key, fields, field = line[7:].strip(), "Default", {}, None
            continue
        start = re.match(r"( +)([\w, ]+):(?: (.*))?$", line)
        if start is None or (field is not None and _open(fields[field])):
            assert field is not None
            fields[field] += " " + line
            continue
        indent, name, value = start.groups()
        if name == "dispatch":
            continue
        if indent == "    ":
            key = name
            continue
        field = ("", name) if name == "output_differentiability" else (key, name)
        fields[field] = value or ""
    if specification:
        yield specification, {at: _scalar(value) for at, value in fields.items()}


def _open(value: str) -> bool:
    """Whether a quoted scalar goes on in the next line."""
    value = value.strip()
    return value.startswith('"') and (len(value) == 1 or not re.search(r'(?<!\\)"$', value))


def _scalar(value: str) -> str:
    """A plain or quoted scalar, on one line."""
    folded = " ".join(value.split())
    if folded[:1] in ("'", '"'):
        return folded[1:-1].replace('\\"', '"').strip()
    return folded.split(" #")[0]


def _booleans(value: str) -> tuple[bool, ...] | None:
    found = re.findall(r"\b(True|False)\b", value)
    return tuple(word == "True" for word in found) if found else None


def _split(inputs: str) -> list[str]:
    return [name.strip() for name in inputs.split(",")]


def _argument_types(parameters: str) -> dict[str, str]:
    """Argument names of a schema with their types, in order."""
    types = {}
    for parameter in parameters.partition(") ->")[0].split(", "):
        words = parameter.split("=")[0].split(" ")
        if len(words) > 1:
            types[words[-1]] = " ".join(words[:-1])
    return types


def _prefix(name: str) -> str:
    """The class name before its number: "_softmax.int" gives "SoftmaxBackward"."""
    title = "".join(part.title() for part in name.partition(".")[0].split("_"))
    return (title + "Backward").replace("ForwardBackward", "Backward")
