"""What is told on a terminal: JSON on standard output; on standard error one line of progress, and above it what the program prints."""

from __future__ import annotations

import json
import sys

from explorer.text import say

__all__ = ["Bar", "print_json", "to_stderr"]


def to_stderr(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_json(document: object) -> None:
    """One document on standard output, Hangul as Hangul where that can show it."""
    any_letter = (getattr(sys.stdout, "encoding", None) or "").lower() in ("utf-8", "utf8")
    print(json.dumps(document, ensure_ascii=not any_letter, indent=2))


class Bar:
    """One line of progress on standard error where that is a terminal; the program's output passes above it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.wanted = sys.stderr.isatty()
        self.shown = False
        self.within_line = False  # the program's output has not ended its line

    def show(self, phase: str, done: int, total: int | None) -> None:
        if not self.wanted:
            return
        filled = 20 * done // total if total else 0
        bar = f" [{'#' * filled}{'.' * (20 - filled)}]" if total else ""
        count = f" {done:,}" if done else ""
        sys.stderr.write(f"\r\x1b[K{say(f'running.phase.{phase}', self.language)}{bar}{count}")
        sys.stderr.flush()
        self.shown = True

    def clear(self) -> None:
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.shown = False

    def close(self) -> None:
        self.clear()
        if self.within_line:
            to_stderr("")

    def pass_on(self, chunk: bytes) -> None:
        """The program's own output goes to our standard error: standard output is ours."""
        self.clear()
        self.within_line = not chunk.endswith(b"\n")
        sys.stderr.flush()
        stream = getattr(sys.stderr, "buffer", None)
        if stream is None:
            sys.stderr.write(chunk.decode("utf-8", errors="replace"))
        else:
            stream.write(chunk)
        sys.stderr.flush()
