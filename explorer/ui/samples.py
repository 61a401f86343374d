"""Records what the pages open without torch: `python -m explorer.ui.samples` writes assets/samples/*.trace and assets/sizes/*.trace anew.

Times are left out, so that recording again on the same versions gives the same files.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from explorer.capture.programs import EXAMPLES
from explorer.capture.run import run_target
from explorer.files import assets_folder, save
from explorer.model import Time, Trace
from explorer.sizes import PRESETS, as_python

__all__ = ["main"]

LEFT_OUT = tuple(name for name, example in EXAMPLES.items() if example.fake_only)  # megabytes of record: made when asked for
UNVERIFIED = ("gpt2",)  # a difference takes seconds there: verified when asked for


def main(names: list[str]) -> None:
    """Record `names`, or every example that is small enough to ship; "gpt-small" and its like are the presets of the LLM page."""
    sizes = {f"gpt-{name}": name for name in PRESETS}
    for name in names or [*(name for name in EXAMPLES if name not in LEFT_OUT), *sizes]:
        if name in sizes:
            _record_size(sizes[name])
            continue
        result = run_target(name, device="cpu", seed=0, check=name not in UNVERIFIED)
        path = assets_folder() / "samples" / f"{name}.trace"
        path.parent.mkdir(exist_ok=True)
        save(_without_times(result.traces[0]), path)
        print(f"{name}: {path.stat().st_size} bytes")


def _record_size(name: str) -> None:
    """One text over the whole context, with fake tensors; the program is the one that the page lets people take home."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "my_gpt.py"
        program.write_text(as_python(PRESETS[name]), encoding="utf-8")
        trace = run_target(str(program), device="fake", seed=0).traces[0]
    path = assets_folder() / "sizes" / f"{name}.trace"
    path.parent.mkdir(exist_ok=True)
    save(_without_times(trace), path)
    print(f"gpt-{name}: {path.stat().st_size} bytes")


def _without_times(trace: Trace) -> Trace:
    return replace(trace, nodes=tuple(replace(node, time=Time()) for node in trace.nodes))


if __name__ == "__main__":
    main(sys.argv[1:])
