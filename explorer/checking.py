"""`Checks` as a part of the JSON document of a trace, and back, strictly."""

from __future__ import annotations

from math import isfinite
from typing import Any

from explorer.fields import Misfit, as_float, count, each, field, maybe_text, number, one_of, whole
from explorer.model import MOST_VALUES
from explorer.verdicts import VERDICTS, Checks, GradientCheck, NodeCheck, StepError

__all__ = ["checks_document", "read_checks"]

_MOST_DIMENSIONS = 64


def checks_document(checks: Checks | None) -> dict[str, Any] | None:
    """The part under "checks"; null where nothing was verified."""
    if checks is None:
        return None
    return {"nodes": [_node(check) for check in checks.nodes], "gradients": [_gradient(check) for check in checks.gradients]}


def _node(check: NodeCheck) -> dict[str, Any]:
    return {"node": check.node, "verdict": check.verdict, "max_abs_error": plain(check.max_abs_error), "reason": check.reason}


def _gradient(check: GradientCheck) -> dict[str, Any]:
    return {
        "node": check.node,
        "output": check.output,
        "name": check.name,
        "shape": list(check.shape),
        "autograd": plain(check.autograd),
        "numeric": plain(check.numeric),
        "checked": check.checked,
        "max_abs_error": plain(check.max_abs_error),
        "max_rel_error": plain(check.max_rel_error),
        "verdict": check.verdict,
        "reason": check.reason,
        "curve": [[plain(point.step), plain(point.error)] for point in check.curve],
    }


def plain(values: Any) -> Any:
    """Nested values with lists for tuples, and strings for what is not finite."""
    if isinstance(values, tuple | list):
        return [plain(value) for value in values]
    if isinstance(values, float) and not isfinite(values):
        return "nan" if values != values else "inf" if values > 0 else "-inf"
    return values


def read_checks(raw: Any) -> Checks | None:
    """What `checks_document` wrote."""
    return None if raw is None else Checks(each(raw, "nodes", _read_node), each(raw, "gradients", _read_gradient))


def _read_node(raw: Any) -> NodeCheck:
    return NodeCheck(count(raw, "node"), one_of(raw, "verdict", VERDICTS), number(raw, "max_abs_error"), maybe_text(raw, "reason"))


def _read_gradient(raw: Any) -> GradientCheck:
    shape = each(raw, "shape", whole)
    if len(shape) > _MOST_DIMENSIONS:
        raise Misfit("shape", f"a list of at most {_MOST_DIMENSIONS} sizes")
    return GradientCheck(
        node=count(raw, "node"),
        name=maybe_text(raw, "name"),
        shape=shape,
        autograd=_nested(raw, "autograd", len(shape)),
        numeric=_nested(raw, "numeric", len(shape)),
        checked=count(raw, "checked"),
        max_abs_error=number(raw, "max_abs_error"),
        max_rel_error=number(raw, "max_rel_error"),
        verdict=one_of(raw, "verdict", VERDICTS),
        reason=maybe_text(raw, "reason"),
        curve=each(raw, "curve", _point),
        output=count(raw, "output"),
    )


def _nested(raw: Any, key: str, depth: int) -> Any:
    """All values of a tensor with few elements, or null; an element that was not computed is null as well."""
    value, left = field(raw, key), MOST_VALUES

    def read(part: Any, below: int) -> Any:
        nonlocal left
        if below:
            if type(part) is not list:
                raise Misfit(key, f"lists nested {depth} deep")
            return tuple([read(entry, below - 1) for entry in part])
        left -= 1
        found = part if part is None or _is_complex(part) else as_float(part)
        if left < 0 or (found is None and part is not None):
            raise Misfit(key, f"a number or null in each place, at most {MOST_VALUES}")
        return found

    return None if value is None else read(value, depth)


def _is_complex(part: Any) -> bool:
    """Whether it is a complex number as Python writes it."""
    try:
        return type(part) is str and len(part) < 100 and part.endswith(("j", "j)")) and complex(part) is not None
    except ValueError:
        return False


def _point(raw: Any) -> StepError:
    pair = [as_float(value) for value in raw] if type(raw) is list else []
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        raise Misfit("", "a step and an error")
    return StepError(pair[0], pair[1])
