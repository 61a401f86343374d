"""What verification found, told: as text for a terminal, as the document of `check --json`, as lines for a failed test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.checking import plain
from explorer.document import to_document
from explorer.findings.wording import called
from explorer.model import Checks, Finding, GradientCheck, NodeCheck, Trace
from explorer.text import say
from explorer.text.columns import width_of
from explorer.verdicts import reason_text

__all__ = ["SEVERITIES", "Checked", "leaf_checks"]

SEVERITIES = ("error", "warning", "info")
MOST_FINDINGS = 20  # printed; the document has all
MOST_SKIPPED = 8  # kinds of nodes that were not checked
FURTHER = 1  # passes recorded behind the verified one: gradients that pile up and a graph that is gone show only there


@dataclass(frozen=True, slots=True)
class Checked:
    """A verified pass: its trace, with `trace.checks`, and how it is told. `unwatched` compares a run without us, where there was one.

    `later` is the pass after it, not verified: some faults show only there, as a forgotten zero_grad does.
    """

    trace: Trace
    target: str
    unwatched: Mapping[str, Any] | None = None
    later: Trace | None = None

    @classmethod
    def of_run(cls, traces: Sequence[Trace], target: str, *, wanted: int | None, failed: str | None) -> Checked:
        """What a run recorded: pass `wanted`, or by default the first and the one after it; `failed` is the key of how it ended early.

        Where only the pass after the first took too long, it is left out: what is asked for has been recorded whole.
        """
        first, *later = traces if wanted is None else traces[-1:]
        if cls.spares(traces, wanted=wanted, failed=failed):
            later = []
        return cls(first, target, later=later[0] if later else None)

    @staticmethod
    def spares(traces: Sequence[Trace], *, wanted: int | None, failed: str | None) -> bool:
        """Whether a run that failed so has recorded all the same what was asked for."""
        return wanted is None and failed == "running.timeout" and len(traces) > 1 and not traces[0].partial

    @property
    def passed(self) -> bool:
        """Nothing is wrong, and there is no finding of an error."""
        return not self.fails("error")

    def fails(self, level: str) -> bool:
        """Whether something was found at or above `level` ("error", "warning" or "never"); a wrong verdict counts as an error."""
        if level == "never":
            return False
        counted = SEVERITIES[: SEVERITIES.index(level) + 1]
        return bool(self._checks.wrong) or any(finding.severity in counted for _, finding in self.findings())

    def findings(self) -> list[tuple[int | None, Finding]]:
        """Every finding, those of the later pass that the first one has not behind them and with its number; hints there are none."""
        found: list[tuple[int | None, Finding]] = [(None, finding) for finding in self.trace.findings]
        known = {(finding.kind, finding.name, finding.source) for finding in self.trace.findings}
        if self.later is not None:
            for finding in self.later.findings:
                if finding.severity != "info" and (finding.kind, finding.name, finding.source) not in known:
                    found.append((self.later.number, finding))
        return found

    @property
    def _checks(self) -> Checks:
        return self.trace.checks or Checks()

    def __str__(self) -> str:
        return self.text()

    # -- the document

    def document(self) -> dict[str, Any]:
        """The document of `check --json`."""
        trace, nodes = self.trace, self._checks.nodes
        head = to_document(_without_graph(trace))
        compared = [check for check in nodes if check.verdict != "skipped"]
        found: dict[str, Any] = {
            "target": self.target,
            "device": trace.made_with.device,
            "loss": head["loss"],
            "gradients": [_gradient(check) for check in (*leaf_checks(trace), *_wrong_inside(trace))],
            "nodes": {
                "checked": len(compared),
                "passed": sum(check.verdict in ("equal", "close") for check in compared),
                "failed": [
                    {"id": check.node, "op": _op(trace, check), "max_abs_error": plain(check.max_abs_error)}
                    for check in compared
                    if check.verdict == "wrong"
                ],
                "skipped": [
                    {"id": check.node, "op": _op(trace, check), "reason": reason_text(check.reason or "failed")}
                    for check in nodes
                    if check.verdict == "skipped"
                ],
            },
            "findings": head["findings"] + self._later_findings(),
        }
        if self.unwatched is not None:
            found["unwatched"] = dict(self.unwatched)
        return found

    def _later_findings(self) -> list[dict[str, Any]]:
        """Those of the later pass, as they stand in a document; its nodes have no number in this one."""
        later = [finding for number, finding in self.findings() if number is not None]
        if not later:
            return []
        assert self.later is not None
        documents = to_document(replace(_without_graph(self.later), findings=tuple(later)))["findings"]
        return [{**each, "node": None, "pass": self.later.number} for each in documents]

    # -- text

    def text(self, language: str = "en") -> str:
        """A readable report: a line for each parameter, what the nodes gave, the findings, and in the end what it comes to."""
        return "\n".join(self._lines(language))

    def _lines(self, language: str) -> Iterator[str]:
        trace = self.trace
        if trace.loss is None:
            heading = say("check.heading.no_loss", language, title=trace.title, nodes=len(trace.nodes))
        else:
            heading = say("check.heading", language, title=trace.title, nodes=len(trace.nodes), loss=f"{trace.loss:.6g}")
        yield heading if trace.number <= 1 else say("check.heading.pass", language, heading=heading, number=trace.number)
        yield ""
        gradients = [*leaf_checks(trace), *_wrong_inside(trace)]
        if gradients:
            yield say("check.gradients", language)
            yield from _table([_row(check, language) for check in gradients], language)
        else:
            yield say("check.no_gradients", language)
        yield ""
        yield from self._nodes(language)
        yield from self._findings(language)
        yield from _compared(self.unwatched, language)
        yield ""
        yield self._conclusion(language)

    def _nodes(self, language: str) -> Iterator[str]:
        trace, nodes = self.trace, self._checks.nodes
        compared = [check for check in nodes if check.verdict != "skipped"]
        passed = sum(check.verdict in ("equal", "close") for check in compared)
        yield say("check.nodes", language, executed=len(trace.backward), checked=len(compared), passed=passed)
        for check in compared:
            if check.verdict == "wrong":
                yield say("check.node_wrong", language, node=check.node, name=_op(trace, check), error=_brief(check.max_abs_error))
        skipped: dict[tuple[str, str], int] = {}
        for check in nodes:
            if check.verdict == "skipped":
                key = (_op(trace, check), reason_text(check.reason or "failed", language))
                skipped[key] = skipped.get(key, 0) + 1
        for (name, reason), count in list(skipped.items())[:MOST_SKIPPED]:
            yield say("check.nodes_skipped", language, count=count, name=name, reason=reason)
        if len(skipped) > MOST_SKIPPED:
            yield "  " + say("check.more", language, count=len(skipped) - MOST_SKIPPED)

    def _findings(self, language: str) -> Iterator[str]:
        findings = self.findings()
        for number, finding in findings[:MOST_FINDINGS]:
            message = finding.message[language]
            if number is not None:
                message = say("check.finding.later", language, number=number, message=message)
            yield say(f"check.finding.{finding.severity}", language, message=message)
            if finding.source is not None:
                code = finding.source.code.split("\n")[0].strip()
                yield say("check.finding.at", language, file=finding.source.file, line=finding.source.line, code=code)
            if finding.severity != "info":
                yield say("check.finding.remedy", language, remedy=finding.remedy[language])
        if len(findings) > MOST_FINDINGS:
            yield say("check.more", language, count=len(findings) - MOST_FINDINGS)

    def _conclusion(self, language: str) -> str:
        wrong = len(self._checks.wrong)
        errors = sum(finding.severity == "error" for _, finding in self.findings())
        if wrong:
            return say("check.wrong_one" if wrong == 1 else "check.wrong", language, count=wrong)
        if errors:
            return say("check.errors_one" if errors == 1 else "check.errors", language, count=errors)
        if any(check.verdict != "skipped" for check in self._checks.each()):
            warnings = sum(finding.severity == "warning" for _, finding in self.findings())
            key = "check.passed" if not warnings else "check.passed_warning" if warnings == 1 else "check.passed_warnings"
            return say(key, language, count=warnings)
        return say("check.found_nothing", language)

    # -- a failed test

    def faults(self, *, tolerance: float | None = None, language: str = "en") -> list[str]:
        """What a test is to fail with: wrong gradients with element and numbers, wrong nodes, errors. Empty if there is nothing.

        `tolerance` is the largest difference that passes, relative to the largest gradient of a tensor; None: what `check` calls close.
        """
        trace = self.trace
        found = [_fault(check, language) for check in (*leaf_checks(trace), *_wrong_inside(trace)) if check.verdict == "wrong"]
        if tolerance is not None:
            found += [
                say(
                    "check.test.tolerance",
                    language,
                    name=check.name or "?",
                    relative=_brief(check.max_rel_error),
                    tolerance=f"{tolerance:g}",
                )
                for check in leaf_checks(trace)
                if check.verdict != "wrong" and check.max_rel_error is not None and check.max_rel_error > tolerance
            ]
        wrong = {check.node for check in self._checks.gradients if check.verdict == "wrong"}
        makers = [edge.target for edge in trace.edges if edge.source in wrong and edge.target not in wrong and edge.gradient is not None]
        if makers:
            node = trace.nodes[max(makers)]
            place = f"{node.source.file}:{node.source.line}" if node.source is not None else "?"
            found.append(say("check.test.nearest", language, name=called(node), place=place))
        for check in self._checks.nodes:
            if check.verdict == "wrong":
                error = _brief(check.max_abs_error)
                found.append(say("check.test.node", language, node=check.node, name=_op(trace, check), error=error))
        found += [finding.message[language] for _, finding in self.findings() if finding.severity == "error"]
        gradients = leaf_checks(trace)
        if not found and (not gradients or all(check.verdict == "skipped" for check in gradients)):
            reasons = [reason_text(check.reason or "failed", language) for check in gradients]
            found.append(say("check.test.nothing", language, reason=reasons[0] if reasons else say("check.no_gradients", language)))
        return found


def leaf_checks(trace: Trace) -> list[GradientCheck]:
    """The checks of parameters and inputs; those of intermediates are on the page, and in a report where they are wrong."""
    checks = trace.checks or Checks()
    return [check for check in checks.gradients if check.node >= len(trace.nodes) or trace.nodes[check.node].is_leaf]


def _wrong_inside(trace: Trace) -> list[GradientCheck]:
    """The checks of intermediates that do not agree, where every leaf does: they decide about the outcome, and nothing else tells of it."""
    leaves = leaf_checks(trace)
    if any(check.verdict == "wrong" for check in leaves):
        return []
    return [check for check in (trace.checks or Checks()).gradients if check.verdict == "wrong" and check not in leaves]


def _without_graph(trace: Trace) -> Trace:
    return replace(trace, nodes=(), edges=(), forward=(), backward=(), updates=(), checks=None)


def _gradient(check: GradientCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "shape": list(check.shape),
        "autograd": plain(check.autograd),
        "numeric": plain(check.numeric),
        "checked": check.checked,
        "max_abs_error": plain(check.max_abs_error),
        "max_rel_error": plain(check.max_rel_error),
        "verdict": check.verdict,
        "reason": None if check.reason is None else reason_text(check.reason),
    }


def _op(trace: Trace, check: NodeCheck) -> str:
    node = trace.nodes[check.node]
    return node.op or node.autograd or node.kind


def _row(check: GradientCheck, language: str) -> list[str]:
    elements = math.prod(check.shape)
    difference = ""
    if check.max_abs_error is not None:
        values = {"absolute": _brief(check.max_abs_error), "relative": _brief(check.max_rel_error)}
        difference = say("check.difference", language, **values)
    verdict = say(f"check.verdict.{check.verdict}", language)
    if check.reason is not None and (check.verdict == "skipped" or check.reason != "sample"):
        verdict = f"{verdict}: {reason_text(check.reason, language)}"
    shape = "×".join(map(str, check.shape)) or "1"
    return [check.name or "?", shape, say("check.checked", language, checked=check.checked, elements=elements), difference, verdict]


def _table(rows: Sequence[Sequence[str]], language: str) -> Iterator[str]:
    head = [say(f"check.column.{name}", language) for name in ("name", "shape", "checked", "difference", "verdict")]
    widths = [max(width_of(row[place]) for row in [head, *rows]) for place in range(len(head))]
    for row in [head, *rows]:
        cells = [cell + " " * (width - width_of(cell)) for cell, width in zip(row, widths, strict=True)]
        yield ("  " + "  ".join(cells)).rstrip()


def _compared(unwatched: Mapping[str, Any] | None, language: str) -> Iterator[str]:
    if unwatched is None:
        return
    if unwatched["error"] is not None:
        yield say("check.unwatched.failed", language, error=unwatched["error"])
        return
    if unwatched["same"]:
        yield say("check.unwatched.same", language)
    if not unwatched["same_loss"]:
        yield say("check.unwatched.loss", language, unwatched=unwatched["loss"], watched=unwatched["watched_loss"])
    if unwatched["different_gradients"]:
        yield say("check.unwatched.gradients", language, names=", ".join(unwatched["different_gradients"]))
    if unwatched["only_unwatched"] or unwatched["only_watched"]:
        nothing = say("check.unwatched.nothing", language)
        told = {side: _counted(unwatched[f"only_{side}"]) or nothing for side in ("watched", "unwatched")}
        yield say("check.unwatched.nodes", language, **told)


def _counted(names: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in names.items())


def _fault(check: GradientCheck, language: str) -> str:
    element = _worst_element(check)
    if element is None:
        values = {"error": _brief(check.max_abs_error), "relative": _brief(check.max_rel_error), "checked": check.checked}
        return say("check.test.gradient_sampled", language, name=check.name or "?", **values)
    index, autograd, numeric = element
    return say("check.test.gradient", language, name=check.name or "?", index=list(index), autograd=autograd, numeric=numeric)


def _worst_element(check: GradientCheck) -> tuple[tuple[int, ...], Any, Any] | None:
    """Index, gradient and difference of the element that is furthest off, where all values are known."""
    if check.numeric is None or check.autograd is None:
        return None
    pairs = [(index, *values) for index, values in _walk(check.autograd, check.numeric, ()) if values[1] is not None]
    far = [(abs(complex(one) - complex(two)), index, one, two) for index, one, two in pairs]
    return max(far, key=lambda entry: entry[0])[1:] if far else None


def _walk(one: Any, two: Any, index: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[Any, Any]]]:
    if isinstance(one, tuple):
        for place, (left, right) in enumerate(zip(one, two, strict=True)):
            yield from _walk(left, right, (*index, place))
    else:
        yield index, (one, two)


def _brief(number: float | None) -> str:
    return "?" if number is None else "0" if number == 0 else f"{number:.2g}"
