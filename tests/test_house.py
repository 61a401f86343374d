"""The house holds: who imports whom, what loads without torch, both languages, one version, nothing of one machine's in the repository."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import string
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import explorer
from explorer import errors, text
from tests.imports import imports, module_name, room_of

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = sorted((ROOT / "explorer").rglob("*.py"))
MODULES = frozenset(module_name(path, ROOT) for path in SOURCES)

# NOTE [rooms] Each row: these rooms, and the rooms they may import beside themselves. "..." stands for all rows above.
# `errors` and `text` are the floor that every room may stand on.
FLOOR = {"errors", "text"}
ROWS: list[tuple[str, str]] = [
    ("text", ""),
    ("errors", "text"),
    ("model", ""),
    ("formulas", "model"),
    ("steps findings view", "model formulas"),
    ("dot", "model view"),
    ("layout", "dot view model"),
    ("runs sizes", "model"),
    ("charts", "model runs sizes steps"),
    ("document", "..."),
    ("files", "..."),
    ("player", "..."),
    ("lessons", "..."),
    ("export", "..."),
    ("report", "..."),
    ("capture", "..."),
    ("integrations", "capture model report runs"),
    ("__init__", "... -integrations"),
    ("ui", "..."),
    ("cli", "... -ui"),
    ("__main__", "cli"),
]
# Rooms that have more than one file without being a folder: file -> room.
FILES_OF = {
    "arguments": "cli",
    "comparing": "report",
    "contrast": "report",
    "summary": "report",
    "progress": "cli",
    "verifying": "cli",
    "training": "cli",
    "curves": "charts",
    "portions": "charts",
    "surfaces": "charts",
    "tangents": "charts",
    "plots": "charts",
    "listing": "cli",
    "serving": "cli",
    "choosing": "view",
    "collecting": "view",
    "folding": "view",
    "boxes": "view",
    "hosting": "view",
    "places": "view",
    "showing": "view",
    "standing": "view",
    "labels": "dot",
    "marks": "dot",
    "markup": "dot",
    "palette": "dot",
    "engine": "layout",
    "picture": "layout",
    "fonts": "layout",
    "explained": "player",
    "moments": "export",
    "entries": "player",
    "payload": "player",
    "sheets": "player",
    "pictured": "player",
    "foldings": "player",
    "pages": "player",
    "sketches": "player",
    "updating": "player",
    "unfolding": "player",
    "checking": "document",
    "figures": "model",
    "invariants": "model",
    "sharing": "model",
    "speeds": "sizes",
    "sums": "model",
    "fields": "document",
    "flops": "steps",
    "footprint": "steps",
    "parsing": "document",
    "reading": "document",
    "repeated": "document",
    "tensors": "document",
    "verdicts": "model",
}
# For the type of an attribute only: ProgramError carries the trace of what ran before the program failed.
TYPES_ONLY = {("errors", "model")}
# In a function only: a Trace shows itself in a notebook or a debugger, and draws itself when asked to.
ON_DEMAND = {("model", "export"), ("model", "report")}
# What any room may take from the package itself.
PUBLIC = {"explorer"}

HOMES = {
    "torch": {"capture", "integrations"},
    "streamlit": {"ui"},
    "plotly": {"charts"},
    "fontTools": {"layout"},
    "latex2mathml": {"formulas"},
    "graphviz": {"dot", "layout"},
    "pygraphviz": {"dot", "layout"},
    "resvg_py": {"layout"},
    "graphviz_pure": {"dot", "layout"},
    "sqlite3": {"runs"},
}

# Of capture/, what works where torch is not installed: finding a program, starting it, making a trace of what it wrote down.
TORCH_FREE = {
    f"explorer.capture.{name}"
    for name in (
        *("run", "trainer", "launching", "handover", "journal", "targets", "assemble", "derivatives", "rows", "verified", "programs"),
        *("workbench", "recipes", "recipe_lines", "recipe_text", "fits"),
    )
}


def room(module: str) -> str:
    """The room a module of ours lies in: "explorer.capture.run" -> "capture", "explorer.sums" -> "model"."""
    return FILES_OF.get(room_of(module), room_of(module))


def may_import() -> dict[str, set[str]]:
    """ROWS as a table: room -> rooms."""
    table: dict[str, set[str]] = {}
    for rooms, words in ROWS:
        allowed = set(table) if "..." in words else set()
        allowed |= {word for word in words.split() if word[0] not in ".-"}
        allowed -= {word[1:] for word in words.split() if word[0] == "-"}
        if not {"text", "errors"} & set(rooms.split()):
            allowed |= FLOOR
        table |= dict.fromkeys(rooms.split(), allowed)
    return table


def violations(source: str, *, module: str, package: str) -> list[str]:
    """What a source file imports and may not."""
    here, table = room(module), may_import()
    if here not in table:
        return [f"{module}: the room {here!r} has no row in the table"]
    found = []
    for imported in imports(source, package=package, submodules=MODULES):
        top = imported.module.split(".")[0]
        if top == "explorer":
            there = room(imported.module)
            excused = (imported.types_only and (here, there) in TYPES_ONLY) or (imported.on_demand and (here, there) in ON_DEMAND)
            fine = there == here or there in table[here] or imported.module in PUBLIC or excused
        else:
            fine = here in HOMES.get(top, {here})
        if not fine:
            found.append(f"{module}:{imported.line} imports {imported.module}")
    return found


def package_of(path: Path) -> str:
    name = module_name(path, ROOT)
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def fresh(code: str) -> str:
    """What a new Python prints that runs `code` in the checkout."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tracked() -> Iterator[Path]:
    """The files of the repository that hold text."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_file() and b"\0" not in path.read_bytes()[:4096]:
            yield path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: module_name(path, ROOT))
def test_imports_follow_the_table(path: Path) -> None:
    """A room imports only rooms below it, and a library only where it is at home."""
    assert violations(path.read_text(encoding="utf-8"), module=module_name(path, ROOT), package=package_of(path)) == []


@pytest.mark.parametrize(
    ("module", "package", "source"),
    [
        ("explorer.model", "explorer", "import torch"),
        ("explorer.model", "explorer", "def f():\n    from torch.nn import Linear"),
        ("explorer.model", "explorer", "from explorer import view"),
        ("explorer.model", "explorer", "from . import view"),
        ("explorer.model", "explorer", "from explorer.export import export"),
        ("explorer.view", "explorer", "from explorer.dot import text"),
        ("explorer.steps", "explorer", "from .capture.run import run"),
        ("explorer.files", "explorer", "import importlib\nimportlib.import_module('explorer.capture.run')"),
        ("explorer.files", "explorer", "if TYPE_CHECKING:\n    import explorer.capture.run"),
        ("explorer.capture.run", "explorer.capture", "from ..ui import shell"),
        ("explorer.capture.run", "explorer.capture", "import streamlit as st"),
        ("explorer.cli", "explorer", "import explorer.ui.shell"),
        ("explorer.ui.shell", "explorer.ui", "import torch"),
        ("explorer.ui.shell", "explorer.ui", "from explorer.cli import main"),
        ("explorer.export", "explorer", "import graphviz"),
        ("explorer.charts", "explorer", "import sqlite3"),
        ("explorer.cupboard", "explorer", ""),
    ],
)
def test_the_check_of_imports_can_fail(module: str, package: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that breaks the table is found out, in whatever way it imports."""
    monkeypatch.setattr(sys.modules[__name__], "MODULES", MODULES | {"explorer.view"})
    assert len(violations(source, module=module, package=package)) == 1


@pytest.mark.parametrize(
    ("module", "package", "source"),
    [
        ("explorer.errors", "explorer", "from explorer.text import say\nif TYPE_CHECKING:\n    from explorer.model import Trace"),
        ("explorer.capture.run", "explorer.capture", "import torch\nfrom . import rows\nfrom explorer.files import load"),
        ("explorer.layout.engine", "explorer.layout", "import pygraphviz, subprocess\nfrom explorer.dot import dot"),
        ("explorer.cli", "explorer", "from explorer import __version__, export"),
    ],
)
def test_the_check_of_imports_lets_good_ones_pass(module: str, package: str, source: str) -> None:
    """What the table allows is not found fault with."""
    assert violations(source, module=module, package=package) == []


def test_every_library_is_declared() -> None:
    """A library that the source imports stands among the dependencies, and each dependency is imported somewhere."""
    names = {re.split(r"[^\w-]", line)[0].lower().replace("-", "_") for line in PROJECT["project"]["dependencies"]}
    used = {
        imported.module.split(".")[0]
        for path in SOURCES
        if room_of(module_name(path, ROOT)) != "integrations"
        for imported in imports(path.read_text(encoding="utf-8"), package=package_of(path))
    }
    used = {{"PIL": "pillow"}.get(name, name).lower() for name in used}
    assert used - set(sys.stdlib_module_names) - {"explorer", "__future__"} <= names


def test_import_is_light() -> None:
    """`import explorer` loads neither torch nor Streamlit nor numpy."""
    code = (
        "import sys, explorer; print(*{name.split('.')[0] for name in sys.modules} & {'torch', 'streamlit', 'numpy', 'plotly', 'graphviz'})"
    )
    assert fresh(code) == ""


def test_rooms_load_without_torch() -> None:
    """Where torch is not installed, every module loads but those of capture/ that record, and those of integrations/ and ui/."""
    names = [
        name
        for name in sorted(MODULES - {"explorer.__main__"})
        if room_of(name) not in {"capture", "integrations", "ui"} or name in TORCH_FREE
    ]
    code = (
        "import importlib, sys\n"
        "sys.modules['torch'] = sys.modules['streamlit'] = None\n"
        f"for name in {names!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ImportError as error: print(name, error)"
    )
    assert fresh(code) == ""


def test_public_names_are_there() -> None:
    """Each name in `explorer.__all__` can be had, and stands in `dir(explorer)`."""
    names = getattr(explorer, "__all__", [])
    assert sorted(set(names)) == sorted(names)
    assert set(names) <= set(dir(explorer))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_sentence_is_there_in_both_languages() -> None:
    """Each key has a sentence in English and one in Korean, with the same placeholders; no key stands in two tables."""
    tables = [
        table
        for module in pkgutil.iter_modules(text.__path__)
        for name, table in vars(importlib.import_module(f"explorer.text.{module.name}")).items()
        if name.isupper() and not name.startswith("_") and isinstance(table, dict)
    ]
    assert sum(len(table) for table in tables) == len(text.TEXTS), "a key stands in two tables, or a table is not in TEXTS"
    for key, sentences in text.TEXTS.items():
        assert re.fullmatch(r"[a-z_]+\.\S.*", key), key
        assert len(sentences) == 2, key
        assert all(sentence.strip() for sentence in sentences), key
        assert placeholders(sentences[0]) == placeholders(sentences[1]), key


def spoken() -> Iterator[tuple[str, str, set[str] | None]]:
    """Each place in the source that says a sentence by its key: place, key, names of the values it fills in (None: not to be seen)."""
    speakers = {"say", *errors.__all__}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=str(key)), *_], keywords=keywords) if name in speakers:
                    named = {keyword.arg for keyword in keywords if keyword.arg}
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", key, named if all(keyword.arg for keyword in keywords) else None


def test_every_sentence_said_exists() -> None:
    """A key written in the source stands in a table, and the values beside it fill every placeholder."""
    silent = [f"{place} says {key!r}" for place, key, _ in spoken() if key not in text.TEXTS]
    unfilled = [
        f"{place} fills {sorted(values)} in {key!r}"
        for place, key, values in spoken()
        if key in text.TEXTS and values is not None and not placeholders(text.TEXTS[key][0]) <= values
    ]
    assert silent + unfilled == []


def test_one_version() -> None:
    """The version is the same in the package, in pyproject.toml and at the top of the changelog, unless that is not released yet."""
    assert PROJECT["project"]["version"] == explorer.__version__
    newest = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
    assert newest in ("Unreleased", explorer.__version__)


def test_constraints_are_exact() -> None:
    """The constraints pin one version each, name no place, and keep every dependency and test dependency."""
    lines = [line for line in (ROOT / "tests/constraints.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    pinned = {re.fullmatch(r"([\w.-]+)==[\w.]+", line)[1].lower().replace("_", "-") for line in lines}  # type: ignore[index]
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["test"]]
    assert {re.split(r"[^\w-]", line)[0].lower() for line in wanted} <= pinned


def test_serve_is_as_safe_as_a_checkout() -> None:
    """`serve` passes as flags what `streamlit run app.py` reads from .streamlit/config.toml, and both keep to this machine."""
    from explorer import serving

    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "localhost"
    assert config["browser"]["gatherUsageStats"] is False
    written = {
        f"{section}.{name}": [
            str(one).lower() if isinstance(one, bool) else str(one) for one in (value if isinstance(value, list) else [value])
        ]
        for section, table in config.items()
        if section != "theme"
        for name, value in table.items()
    }
    assert written == serving.SAFE
    theme = config["theme"]
    looks = {f"theme.{name}": value for name, value in theme.items() if not isinstance(value, dict)}
    looks |= {f"theme.{half}.{name}": value for half in ("light", "dark") for name, value in theme[half].items()}
    assert looks == serving.THEME


# In two pieces, so that this file does not hold what it looks for.
ELSEWHERE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:ho" + r"me|Us" + r"ers|ro" + r"ot|wo" + r"rk)/\w",
            r"py" + r"pi\.org|python" + r"hosted|npm" + r"js\.|deb\.deb" + r"ian|download\.py" + r"torch",
            r"--(extra-)?index" + r"-url",
        ]
    )
)


def test_nothing_of_one_machine() -> None:
    """No file of the repository, and no recorded sample, names a path of one machine or the host of a package registry."""
    for path in tracked():
        found = ELSEWHERE.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"
    for path in (ROOT / "assets").rglob("*.trace"):
        with zipfile.ZipFile(path) as archive:
            found = ELSEWHERE.search(archive.read("trace.json").decode())
        assert not found, f"{path.relative_to(ROOT)}: {found[0]}"


def test_sizes_and_names() -> None:
    """No source file is past 400 lines, each says what it is for, and none has a name that says nothing."""
    found = []
    for path in SOURCES:
        source, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT)
        if (lines := len(source.splitlines())) > 400:
            found.append(f"{name} has {lines} lines and wants to be two")
        if source.strip() and not ast.get_docstring(ast.parse(source)):
            found.append(f"{name} does not say what it is for")
        if path.stem in {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}:
            found.append(f"{name} has a name that says nothing")
    assert found == []


def test_every_test_says_what_must_be_true() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.slow
def test_wheel_holds_what_is_needed(tmp_path: Path) -> None:
    """The wheel carries the package, its assets, its licence and its command, and no tests."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"autograd_explorer-{explorer.__version__}.dist-info"
        assert "autograd-explorer = explorer.cli:main" in archive.read(f"{info}/entry_points.txt").decode()
        assert "Requires-Python: >=3.11" in archive.read(f"{info}/METADATA").decode()
    assets = {f"explorer/assets/{path.relative_to(ROOT / 'assets').as_posix()}" for path in (ROOT / "assets").rglob("*") if path.is_file()}
    assert assets | {"explorer/py.typed", "explorer/__main__.py", f"{info}/licenses/LICENSE"} <= names
    assert not [name for name in names if name.startswith(("tests/", "app.py"))]
