"""The Graphviz that places pictures: which one, its helper process, its time limit, its fonts.

NOTE [engine]: Graphviz comes from pip, and only places: a module at a time, some eighty boxes at most. Measured on two quiet cores,
milliseconds to an SVG, nothing remembered (2026-11; pygraphviz 2.0.4 with Graphviz 14.1, graphviz-pure 0.2.2, a port of 16.1 in Rust):

    picture                           pygraphviz   graphviz-pure
    GPT-2, collapsed                  16           20
    GPT-2, all open, 940 nodes        76           95
    T5, collapsed                     24           32
    T5, all open, 1,497 nodes         146          209

Both give the same picture of GPT-2, byte for byte. pygraphviz is the first choice, in a process that stays: its Pango also draws what our
font lacks (names in other scripts), in PNG and PDF, which graphviz-pure cannot. Its Linux wheels need glib and X11 libraries, which bare
container images lack; there graphviz-pure or a system `dot` steps in.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from explorer.dot import FONT
from explorer.errors import OutputError, RequestError

__all__ = ["LIMIT", "chosen_engine", "engine", "fonts_folder", "place", "serve"]

ENGINES = ("pygraphviz", "pure", "system")
CHOICE = "AUTOGRAD_EXPLORER_DOT"  # the environment variable that forces an engine
LIMIT = 30.0  # seconds for one picture
DOTS_PER_INCH = 144  # of a PNG: twice the size of the SVG on screen at 72
SYSTEM_FONTS = ("/usr/share/fonts", "/usr/local/share/fonts", "WINDOWSFONTDIR")  # read only for letters that ours lacks: it takes long
COVERED = re.compile("[\\s!-~\u00a0-\u024f\u0370-\u03ff\u0400-\u045f\u2000-\u27ff\u3000-\u30ff\u3130-\u318f\uac00-\ud7a3\uff00-\uffef]*")


def place(dot_text: str, format: str, *, seconds: float | None = None) -> bytes:
    """`dot_text` drawn as "svg", "png", "pdf", "json" or "plain-ext", as the engine writes it.

    Raises RequestError("drawing.too_large") if it takes longer than `seconds` (`LIMIT`), OutputError if the engine cannot do it.
    """
    limit = LIMIT if seconds is None else seconds
    name, all_fonts = engine(), COVERED.fullmatch(dot_text) is None
    if name == "pygraphviz":
        return _helper(all_fonts=all_fonts).ask(dot_text, format, limit)
    return _run(name, dot_text, format, limit, all_fonts=all_fonts)


def engine() -> str:
    """The engine in use: what `AUTOGRAD_EXPLORER_DOT` says, else the first that starts here."""
    chosen = chosen_engine()
    for name in [chosen] if chosen else ENGINES:
        if _starts(name):
            return name
    raise RequestError("drawing.no_engine", what=chosen or ", ".join(ENGINES))


def chosen_engine() -> str:
    """What `AUTOGRAD_EXPLORER_DOT` says, or ""; raises RequestError for an engine that does not exist."""
    chosen = os.environ.get(CHOICE, "")
    if chosen and chosen not in ENGINES:
        raise RequestError("drawing.unknown_engine", value=chosen, known=", ".join(ENGINES))
    return chosen


@functools.cache
def _starts(name: str) -> bool:
    """Whether an engine is there. pygraphviz must also load: its wheels for Linux need libraries (glib, X11) that a bare image lacks."""
    if name != "pygraphviz":
        return _program(name) is not None
    if importlib.util.find_spec("pygraphviz") is None:
        return False
    try:
        _helper(all_fonts=False).start()
    except OutputError:
        return False
    return True


def _program(name: str) -> str | None:
    if name == "system":
        return shutil.which("dot")
    beside = shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))
    return beside or shutil.which("graphviz-pure")


def _run(name: str, dot_text: str, format: str, limit: float, *, all_fonts: bool) -> bytes:
    """One picture by an engine that is a program of its own."""
    if name == "pure" and (format == "pdf" or (format == "png" and re.search("[\u1100-\u11ff\u2e80-\uffef]", dot_text))):
        raise OutputError("drawing.no_format", engine=name, format=format)
    program = _program(name) or name
    size = [f"-Gdpi={DOTS_PER_INCH}"] if format == "png" else []
    try:
        done = subprocess.run(
            [program, f"-T{format}", *size],
            input=dot_text.encode(),
            capture_output=True,
            timeout=limit,
            check=False,
            env=_environment(all_fonts=all_fonts),
        )
    except subprocess.TimeoutExpired:
        raise RequestError("drawing.too_large", seconds=f"{limit:g}") from None
    except OSError as error:
        raise OutputError("drawing.engine_failed", engine=name, what=error.strerror or type(error).__name__) from None
    if done.returncode or not done.stdout:
        raise OutputError("drawing.engine_failed", engine=name, what=f"exit code {done.returncode}")
    return done.stdout


class _Helper:
    """The process that keeps pygraphviz's Graphviz. One question at a time; killed and started anew after any doubt."""

    def __init__(self, *, all_fonts: bool) -> None:
        self.all_fonts = all_fonts
        self.process: subprocess.Popen[bytes] | None = None
        self.lock = threading.Lock()

    def start(self) -> None:
        """Start the process unless it runs; raises OutputError if its Graphviz does not load."""
        with self.lock:
            self._start()

    def ask(self, dot_text: str, format: str, limit: float) -> bytes:
        """What the helper draws of `dot_text`."""
        data = dot_text.encode()
        head = {"format": format, "length": len(data), "dpi": DOTS_PER_INCH if format == "png" else None, "limit": limit}
        with self.lock:
            while True:
                new = self._start()
                with self._time_limit(limit) as expired:
                    answer = self._exchange(json.dumps(head).encode() + b"\n" + data)
                if answer is not None:
                    break
                self.stop()
                if expired.is_set():
                    raise RequestError("drawing.too_large", seconds=f"{limit:g}")
                if new:  # one from before may have been ended by anything meanwhile, even while it was being asked
                    raise OutputError("drawing.engine_failed", engine="pygraphviz", what="it ended without an answer")
        if isinstance(answer, str):
            raise OutputError("drawing.engine_failed", engine="pygraphviz", what=answer)
        return answer

    def stop(self) -> None:
        """Kill the process, if there is one, and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _start(self) -> bool:
        """Whether a process had to be started."""
        if self.process is not None and self.process.poll() is None:
            return False
        self.stop()  # closes what is left of one that ended by itself
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", "from explorer.engine import serve; serve()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=_environment(all_fonts=self.all_fonts),
        )  # fmt: skip
        with self._time_limit(LIMIT):
            ready = self.process.stdout is not None and self.process.stdout.readline()
        if ready != b"ready\n":
            self.stop()
            raise OutputError("drawing.no_engine", what="pygraphviz")
        return True

    @contextlib.contextmanager
    def _time_limit(self, limit: float) -> Iterator[threading.Event]:
        """Kill the process after so many seconds: a blocked read then ends, on every platform."""
        process, expired = self.process, threading.Event()

        def end() -> None:
            expired.set()
            if process is not None:
                process.kill()

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            yield expired
        finally:
            timer.cancel()

    def _exchange(self, request: bytes) -> bytes | str | None:
        """The answer: a picture, or a str that says why there is none, or None if the process ended."""
        process = self.process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(request)
            process.stdin.flush()
            head = process.stdout.readline()
            if not head:
                return None
            answer = json.loads(head)
            data = process.stdout.read(answer["length"])
        except (OSError, ValueError):
            return None
        if len(data) < answer["length"]:
            return None
        return data if answer["done"] else data.decode()


@functools.cache
def _helper(*, all_fonts: bool) -> _Helper:
    helper = _Helper(all_fonts=all_fonts)
    atexit.register(helper.stop)
    return helper


def serve() -> None:
    """The helper's side: read DOT, write pictures, until the other end closes. Runs in a process of its own."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get among the answers
    from pygraphviz import graphviz as engine

    answers.write(b"ready\n")
    answers.flush()
    while line := sys.stdin.buffer.readline():
        head = json.loads(line)
        if hasattr(signal, "alarm"):  # nobody is left to kill us if the other side died
            signal.alarm(int(head["limit"]) + 10)
        text = sys.stdin.buffer.read(head["length"])
        try:
            done, data = True, _draw(engine, text, head["format"], head["dpi"])
        except Exception as error:
            done, data = False, (str(error) or type(error).__name__).encode()
        if hasattr(signal, "alarm"):
            signal.alarm(0)
        answers.write(json.dumps({"done": done, "length": len(data)}).encode() + b"\n" + data)
        answers.flush()


@functools.cache
def _context(engine: Any) -> Any:
    return engine.gvContextWithBuiltins()


def _draw(engine: Any, text: bytes, format: str, dpi: int | None) -> bytes:
    """One picture by pygraphviz's Graphviz. PNG and PDF are placed first and drawn then, with titles before the arrows."""
    if format in ("png", "pdf") and b"subgraph" in text:
        placed = _lay_out(engine, text, "dot", b"dot", dpi=None, prepare=None)
        return _lay_out(engine, placed, format, b"nop2", dpi=dpi, prepare=_raise_titles)
    return _lay_out(engine, text, format, b"dot", dpi=dpi, prepare=None)


def _lay_out(engine: Any, text: bytes, format: str, layout: bytes, *, dpi: int | None, prepare: Callable[[Any, Any], None] | None) -> bytes:
    """`text` laid out and drawn, in the one context: pygraphviz's own `AGraph.draw` makes a new one each time."""
    with tempfile.TemporaryFile() as file:
        file.write(text)
        file.seek(0)
        graph = engine.agread(file, None)
    try:
        if dpi is not None:
            engine.agattr(graph, engine.AGRAPH, b"dpi", str(dpi).encode())
        if prepare is not None:
            prepare(engine, graph)
        if engine.gvLayout(_context(engine), graph, layout):
            raise ValueError("layout failed")
        failed, data = engine.gvRenderData(_context(engine), graph, format.encode())
        engine.gvFreeLayout(_context(engine), graph)
        if failed or not data:
            raise ValueError(f"no {format} could be written")
        return bytes(data)
    finally:
        engine.agclose(graph)


def _raise_titles(engine: Any, graph: Any) -> None:
    """Graphviz draws the titles of clusters first, and arrows across them: here each becomes a filled box, which it draws last."""

    def get(thing: Any, name: bytes) -> bytes:
        found = engine.agget(thing, name) or b""
        return found if isinstance(found, bytes) else str(found).encode()

    waiting, clusters = [graph], []
    while waiting:
        inner = engine.agfstsubg(waiting.pop())
        while inner is not None:
            clusters.append(inner)
            waiting.append(inner)
            try:
                inner = engine.agnxtsubg(inner)
            except StopIteration:
                inner = None
    for number, cluster in enumerate(clusters):
        title = engine.agnode(graph, f"title{number}".encode(), 1)
        wanted = {
            b"pos": get(cluster, b"lp"), b"width": get(cluster, b"lwidth"), b"height": get(cluster, b"lheight"), b"fixedsize": b"true",
            b"shape": b"box", b"style": b"filled", b"color": get(cluster, b"fillcolor"), b"fillcolor": get(cluster, b"fillcolor"),
            b"fontsize": get(cluster, b"fontsize"), b"margin": b"0", b"penwidth": b"0",
        }  # fmt: skip
        for name, value in wanted.items():
            engine.agsafeset(title, name, value, b"")
        engine.agsafeset_label(graph, title, b"label", b"<" + get(cluster, b"label") + b">", b"")
        engine.agsafeset_label(graph, cluster, b"label", b"", b"")


# -- fonts ---------------------------------------------------------------------------------------------------------------------------


def fonts_folder() -> Path:
    """Where our fonts lie: in the package when installed, beside it in a checkout."""
    inside = Path(__file__).parent / "assets" / "fonts"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "assets" / "fonts"


@functools.cache
def _fontconfig(*, all_fonts: bool) -> Path:
    """A folder with our fonts and a fontconfig file that knows them, and on request the system's after them; removed at the end.

    The fonts are copied, because fontconfig leaves a file of its own in every folder that it reads and can write to.
    """
    folder = Path(tempfile.mkdtemp(prefix="autograd-explorer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ours = folder / "fonts"
    ours.mkdir()
    for font in sorted(fonts_folder().glob("*.otf")):
        shutil.copyfile(font, ours / font.name)
    places = "".join(f"<dir>{escape(str(place))}</dir>" for place in (ours, *(SYSTEM_FONTS if all_fonts else ())))
    last = f'<match target="pattern"><edit name="family" mode="append_last"><string>{FONT}</string></edit></match>'
    cache = f"<cachedir>{escape(str(folder))}</cachedir>"
    text = f'<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>{places}{cache}{last}</fontconfig>'
    (folder / "fonts.conf").write_text(text, encoding="utf-8")
    return folder


def _environment(*, all_fonts: bool) -> dict[str, str]:
    """The environment of an engine: this one, our fontconfig file, and the folder that holds this package."""
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    file = _fontconfig(all_fonts=all_fonts) / "fonts.conf"
    return {**os.environ, "FONTCONFIG_FILE": str(file), "PYTHONPATH": path}
