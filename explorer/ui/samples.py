"""Records the examples that the page opens without torch: `python -m explorer.ui.samples` writes assets/samples/*.trace anew.

Times are left out, so that recording again on the same versions gives the same files.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from explorer.capture.programs import EXAMPLES
from explorer.capture.run import run_target
from explorer.files import assets_folder, save
from explorer.model import Time, Trace

__all__ = ["main"]

LEFT_OUT = tuple(name for name, example in EXAMPLES.items() if example.fake_only)  # megabytes of record: made when asked for
UNVERIFIED = ("gpt2",)  # a difference takes seconds there: verified when asked for


def main(names: list[str]) -> None:
    """Record `names`, or every example that is small enough to ship."""
    for name in names or [name for name in EXAMPLES if name not in LEFT_OUT]:
        result = run_target(name, device="cpu", seed=0, check=name not in UNVERIFIED)
        path = assets_folder() / "samples" / f"{name}.trace"
        path.parent.mkdir(exist_ok=True)
        save(_without_times(result.traces[0]), path)
        print(f"{name}: {path.stat().st_size} bytes")


def _without_times(trace: Trace) -> Trace:
    return replace(trace, nodes=tuple(replace(node, time=Time()) for node in trace.nodes))


if __name__ == "__main__":
    main(sys.argv[1:])
