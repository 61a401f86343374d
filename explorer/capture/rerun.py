"""Each backward node run again, alone, on what had flowed into it, and compared with what flowed out of it.

In our post-hook of a node, inside the engine's run, what it saved can still be read. Called by itself it runs no hooks, and what it gives
is not yet summed over what was broadcast, nor cast: that the engine does after it, and we do. AccumulateGrad is never called, since that
adds to `.grad`: its `.grad` before and after are compared. A custom Function runs the user's `backward` a second time, on copies of what
flowed in if the first time changed it, and with the random state of the first time; the state it leaves is put back.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import torch
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import save_on_cpu

from explorer.capture.graph import Graph
from explorer.capture.reports import one_line
from explorer.capture.rows import Pass
from explorer.model import NodeCheck

if TYPE_CHECKING:
    from explorer.capture.recorder import Recorder

# Of the largest magnitude: what a sum taken in another order (threads, blocks) can differ by. The digits of the type, three bits apart.
ROUNDING = {torch.float64: 1e-12, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 5e-2}
ROUNDING |= {torch.complex128: 1e-12, torch.complex64: 1e-5, torch.complex32: 1e-2}
COARSEST = 1e-1  # of any other type
OURS = 2  # our post-hooks at each node: the tracer's and this one

Found = tuple[Any, float | None, str | None]  # verdict, largest difference, reason
EQUAL: Found = ("equal", 0.0, None)

_UNPACKS_THE_SAME = save_on_cpu.__init__.__code__  # saved tensors that its hooks keep can be unpacked any number of times
_Handle: Any = torch._C._autograd.SavedTensor
_modes = torch._C._len_torch_dispatch_stack
_is_grad_enabled = torch.is_grad_enabled


class Rerun:
    """Watches the nodes of one engine call; `found` has a check for each that ran.

    What flowed into leaves is kept, and into other nodes where it has at most `keep` elements.
    """

    def __init__(self, recorder: Recorder, *, keep: int) -> None:
        self._recorder = recorder
        self._watching = recorder.tracer.is_watching  # whether the engine run that calls a hook is the one that is watched
        self._keep = keep
        self.found: dict[int, Found] = {}
        self.gradients: dict[tuple[int, int], torch.Tensor] = {}  # (key, output) -> what it received
        self.nested = 0  # backward runs started inside the running one
        self._nodes: Sequence[Any] = ()
        self._leaves: dict[int, torch.Tensor] = {}
        self._before: dict[int, Any] = {}  # key -> what was there before the node ran
        self._hooked = False  # whether code of the user's runs during backward
        self._why_not: dict[int, str] = {}
        self._flows: list[tuple[list[int], torch.Tensor]] = []  # keys of leaves, magnitudes that a consumer of theirs received, added up

    def begin(self, here: Pass, graph: Graph, leaves: dict[int, torch.Tensor]) -> list[Any]:
        """Hook every node, after the tracer has; the handles."""
        self._nodes, self._leaves = graph.nodes, leaves
        handles: list[Any] = []
        leaf_keys = {node.key for node in here.nodes if node.leaf is not None}
        for node, described in zip(graph.nodes, here.nodes, strict=True):
            key = described.key
            if described.leaf is not None:
                grad = leaves[described.leaf].grad
                if grad is not None:
                    self._before[key] = _quietly(grad.detach().clone)
                if getattr(leaves[described.leaf], "_post_accumulate_grad_hooks", None):  # may change it in place: kept as it comes
                    handles.append(node.register_prehook(partial(self._keep_received, key, most=None)))
                handles.append(node.register_hook(partial(self._after_leaf, key, described.leaf)))
                self._hooked = self._hooked or bool(described.hooks)
                continue
            if _is_packed(node):
                self._why_not[key] = "packed"
            following = [slot for slot, after in enumerate(described.next) if after is not None]
            near = [after[0] for after in described.next if after is not None and after[0] in leaf_keys]
            if described.code is not None:
                handles.append(node.register_prehook(partial(self._before_function, key)))
            self._hooked = self._hooked or described.code is not None or bool(described.hooks)
            handles.append(node.register_hook(partial(self._after, key, described.code is not None, following, near)))
            if len(handles[-1].hooks_dict_ref()) > OURS:
                self._why_not.setdefault(key, "?hooks")  # only if it turns out different
        return handles

    def close(self) -> None:
        """Let go of everything but what was found."""
        self._nodes = ()
        self._leaves = {}
        self._before.clear()

    def checks(self) -> dict[int, NodeCheck]:
        """What was found, by the key of the node."""
        return {key: NodeCheck(key, *found) for key, found in self.found.items()}

    def flows(self) -> dict[int, float]:
        """For each leaf, by key, the sum of the magnitudes of what its consumers received."""
        found: dict[int, float] = {}
        for keys, flow in self._flows:
            for key in keys:
                found[key] = found.get(key, 0.0) + float(flow)
        return found

    # -- leaves

    def _after_leaf(self, key: int, leaf: int, sent: tuple[Any, ...], received: tuple[Any, ...]) -> None:
        if not self._watching():
            return
        variable = self._leaves[leaf]
        before, after = self._before.pop(key, None), variable.grad
        if after is not None and self._hooked:  # a backward of the user's within this one may come here again
            self._before[key] = _quietly(after.detach().clone)
        if received[0] is None:
            self.found[key] = EQUAL
            return
        if getattr(variable, "_post_accumulate_grad_hooks", None):
            self.found[key] = ("skipped", None, "hooks")
            return
        if after is None:
            self._keep_received(key, received, most=None)
            self.found[key] = ("skipped", None, "hooks")
            return
        if before is None and received[0].layout is torch.strided and not received[0].is_nested:
            self.gradients[key, 0] = after.detach()  # nothing of the program's runs before differences are taken
        else:
            self._keep_received(key, received, most=None)
        self._judge(key, lambda: [received[0] if before is None else before + received[0]], [after])
        if self.found[key][0] == "wrong":
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                self.found[key] = ("skipped", None, "averaged")
            elif self._hooked:  # which may have changed .grad before we looked
                self.found[key] = ("skipped", None, "hooks")

    # -- other nodes

    def _before_function(self, key: int, received: tuple[Any, ...]) -> None:
        """The user's backward may change what it is given, draw random numbers, or run a backward of its own."""
        copies = _quietly(lambda: [None if item is None else item.detach().clone() for item in received])
        self._before[key] = (copies, [_version(item) for item in received], _versions(self._nodes[key]), _Random(), self.nested)

    def _after(
        self, key: int, is_function: bool, following: list[int], near: list[int], sent: tuple[Any, ...], received: tuple[Any, ...]
    ) -> None:
        if not self._nodes or not self._watching():
            return
        if self._keep:
            self._keep_received(key, received, most=self._keep)
        if near:
            for item in received:
                if item is not None and item.layout is torch.strided and not item.is_nested:
                    self._flows.append((near, _quietly(partial(torch.linalg.vector_norm, item, 1))))
        reason = self._why_not.get(key)
        if reason is not None and reason[0] != "?":
            self._before.pop(key, None)
            self.found[key] = ("skipped", None, reason)
        elif is_function:
            self._after_function(key, self._nodes[key], [sent[slot] for slot in following], received)
        else:
            self._judge(key, lambda: _picked(self._nodes[key](*received), following), [sent[slot] for slot in following])

    def _after_function(self, key: int, node: Any, wanted: list[Any], received: tuple[Any, ...]) -> None:
        copies, versions, saved, drawn, nested = self._before.pop(key)
        if self.nested != nested:
            self.found[key] = ("skipped", None, "runs_backward")
            return
        if _versions(node) != saved:
            self.found[key] = ("skipped", None, "changes_saved")
            return
        given = [copy if _version(item) != before else item for item, copy, before in zip(received, copies, versions, strict=True)]
        tries = [[_zeros(node, place) if item is None else item for place, item in enumerate(given)]]
        if any(item is None for item in given):  # a Function may ask for None as it is, and only torch knows whether it does
            tries.append(given)
        for arguments in tries:
            now = _Random()
            try:
                drawn.restore()
                self._judge(key, partial(_applied, node, arguments), wanted)
            finally:
                now.restore()
            if self.found[key][0] in ("equal", "close"):
                return

    # -- what flows

    def hooked(self) -> Iterator[int]:
        """The keys of nodes where a hook of the user's sees what flows out, and may change it."""
        return (key for key, reason in self._why_not.items() if reason == "?hooks")

    def _keep_received(self, key: int, received: tuple[Any, ...], *, most: int | None) -> None:
        for number, item in enumerate(received):
            if item is not None and not item.is_nested and (most is None or item.numel() <= most):
                self.gradients[key, number] = _quietly(item.detach().clone)

    # -- judging

    def _judge(self, key: int, run: Callable[[], Sequence[Any]], wanted: Sequence[Any]) -> None:
        recorder = self._recorder
        recorder.paused += 1
        try:
            if _is_grad_enabled():
                with torch.no_grad():
                    found = _compared(run(), wanted)
            else:
                found = _compared(run(), wanted)
        except Exception as raised:  # whatever the user's code raises the second time
            found = ("skipped", None, _reason(raised))
        finally:
            recorder.paused -= 1
            recorder.tracer.restart_clock()
        if found[0] == "wrong" and key in self._why_not:
            found = ("skipped", None, self._why_not[key].removeprefix("?"))
        self.found[key] = found


def _quietly(make: Callable[[], Any]) -> Any:
    """A copy, made so that no mode of anybody's sees it; None where it cannot be."""
    try:
        if not _modes() and not _is_grad_enabled():
            return make()
        with torch._C._DisableTorchDispatch(), torch.no_grad():
            return make()
    except (RuntimeError, NotImplementedError, TypeError):
        return None


def _picked(result: Any, following: list[int]) -> list[Any]:
    """What a C++ node gave for the slots that something follows."""
    results = result if isinstance(result, tuple) else (result,)
    return [results[slot] if slot < len(results) else None for slot in following]


def _applied(node: Any, arguments: list[Any]) -> list[Any]:
    """What a Function gives for the arguments that need a gradient: it also gives None for those that are no tensors."""
    result = node.apply(*arguments)
    results = result if isinstance(result, tuple) else (result,)
    return [item for item, needed in zip(results, node.needs_input_grad, strict=False) if needed]


def _zeros(node: Any, place: int) -> torch.Tensor:
    """What stands in for a gradient that did not flow."""
    about = node._input_metadata[place]
    return torch.zeros(about.shape, dtype=about.dtype, device=about.device)


def _compared(results: Sequence[Any], wanted: Sequence[Any]) -> Found:
    """The verdict over all slots, and the largest difference."""
    worst, verdict = 0.0, "equal"
    if len(results) != len(wanted):
        raise ValueError(f"{len(results)} gradients for {len(wanted)}")
    for got, want in zip(results, wanted, strict=True):
        if got is want is None:
            continue
        if got is not None and want is not None:
            got = delivered(got, want)
            if got.layout is torch.strided and torch.equal(got, want):
                continue
        error, allowed = _difference(got, want)
        worst = max(worst, error)
        if error > allowed:
            verdict = "wrong"
        elif error > 0 and verdict == "equal":
            verdict = "close"
    return (verdict, worst, None) if worst or verdict != "equal" else EQUAL


def delivered(gradient: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """As the engine delivers it: summed over what was broadcast, its real part where the input is real, in the type of the input."""
    if gradient.shape != like.shape:
        gradient = gradient.sum_to_size(like.shape)
    if gradient.is_complex() and not like.is_complex():
        gradient = gradient.real
    return gradient if gradient.dtype is like.dtype else gradient.to(like.dtype)


def _difference(got: torch.Tensor | None, want: torch.Tensor | None) -> tuple[float, float]:
    """The largest difference, and what rounding accounts for. NaN agrees with NaN, and nothing with nothing but zeros."""
    some = want if want is not None else got
    assert some is not None
    got, want = _dense(got, some), _dense(want, some)
    if not got.numel():
        return 0.0, 0.0
    if not (got.is_floating_point() or got.is_complex()):
        got, want = got.double(), want.double()
    same = (got == want) | (got.isnan() & want.isnan())
    if bool(same.all()):
        return 0.0, 0.0
    wide = torch.complex128 if got.is_complex() else torch.float64
    gap = torch.where(same, 0.0, (got.to(wide) - want.to(wide)).abs())
    finite = want[want.isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    error = float(gap.max()) if bool(gap.isfinite().all()) else float("inf")
    return error, ROUNDING.get(some.dtype, COARSEST) * size


def _dense(tensor: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    if tensor is None:
        return torch.zeros(like.shape, dtype=like.dtype, device=like.device)
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def _reason(error: Exception) -> str:
    message = str(error)
    if "modified by an inplace" in message:
        return "stale"
    if "backward through the graph a second time" in message or "already been freed" in message:
        return "freed"
    return f"raised: {one_line(error)}"


@cache
def _raw_names(kind: Any) -> tuple[str, ...]:
    return tuple(name for name in dir(kind) if name.startswith("_raw_saved_"))


def raw_saved(node: Any) -> Iterator[Any]:
    """The handles of what a node saved, nothing unpacked; none once it is freed."""
    kind: Any = type(node)
    for name in _raw_names(BackwardCFunction if issubclass(kind, BackwardCFunction) else kind):  # types of Functions come and go
        try:
            raw = getattr(node, name)
        except RuntimeError:
            continue
        for item in raw if isinstance(raw, list | tuple) else (raw,):
            if type(item) is _Handle:
                yield item


def _is_packed(node: Any) -> bool:
    """Whether hooks of the user's (a checkpoint's, an offload's) unpack what the node saved: to read that twice may run code, or fail."""
    return any(
        raw.unpack_hook is not None and getattr(raw.unpack_hook, "__code__", None) not in _UNPACKS_THE_SAME.co_consts
        for raw in raw_saved(node)
    )


def _versions(node: Any) -> list[int]:
    """Versions of what a Function keeps, through save_for_backward and as attributes of its own; hooks are not made to unpack."""
    held = [raw.data for raw in raw_saved(node)] + list(vars(node).values())
    return [_version(item) for item in held]


def _version(item: Any) -> int:
    return int(item._version) if isinstance(item, torch.Tensor) and not item.is_inference() else -1


class _Random:
    """The state of the random numbers a backward may draw, to be put back."""

    def __init__(self) -> None:
        self.torch = torch.get_rng_state()
        self.python = random.getstate()
        self.numpy = sys.modules["numpy"].random.get_state() if "numpy" in sys.modules else None
        self.devices: list[tuple[Any, Any]] = []
        kind = torch.accelerator.current_accelerator(check_available=True)
        if kind is not None:
            module: Any = torch.get_device_module(kind)
            if module.is_initialized():
                self.devices = [(module, module.get_rng_state())]

    def restore(self) -> None:
        torch.set_rng_state(self.torch)
        random.setstate(self.python)
        if self.numpy is not None:
            sys.modules["numpy"].random.set_state(self.numpy)
        for module, state in self.devices:
            module.set_rng_state(state)
