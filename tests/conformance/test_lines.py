"""There is a test for every line of the list of traps, and the count says how they did."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.conformance.lines import LINES, line_of, missing, summary


def written_tests() -> list[str]:
    """The names of all tests in this folder."""
    sources = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(Path(__file__).parent.glob("test_*.py"))]
    return [node.name for source in sources for node in ast.walk(source) if isinstance(node, ast.FunctionDef)]


def test_every_line_has_a_test() -> None:
    """No line of the list is without a test, and no test names a line that there is not."""
    assert missing(written_tests()) == []
    assert [line for line in LINES if line.startswith("T")] == [f"T{number:02}" for number in range(1, 43)]
    assert [line for line in LINES if line.startswith("P")] == [f"P{number:02}" for number in range(1, 17)]


def test_a_missing_line_is_found_out() -> None:
    """Without its tests a line is reported, and so is a test of line 43."""
    names = [name for name in written_tests() if line_of(name) != "T09"]
    assert missing([*names, "test_T43_nothing"]) == ["T09: no test", "T43: no such line"]


def test_the_count_is_that_of_lines() -> None:
    """A line is as good as the worst of its tests; reasons stand beside what did not pass."""
    outcomes = {
        "passed": [("a/test_x.py::test_T01_one", ""), ("test_T02_two[x::y]", ""), ("test_other", "")],
        "xfailed": [("a/test_x.py::test_T02_three", "for a reason")],
        "failed": [("a/test_x.py::test_P16_four", "")],
    }
    assert summary(outcomes) == [
        "traps: 3 of 58 lines, 1 passed, 1 failed, 1 xfailed",
        "  P16 failed: plain tensor programs",
        "  T02 xfailed: for a reason",
    ]
    assert summary({"passed": [("test_other", "")]}) == []
