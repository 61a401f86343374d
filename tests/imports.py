"""Reads the import statements of a source file, wherever they stand: at the top, in a function, under TYPE_CHECKING, by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Imported:
    """`module` is the full dotted name ("torch.nn"); `types_only`: it stands under TYPE_CHECKING, `on_demand`: in a function."""

    module: str
    line: int
    types_only: bool = False
    on_demand: bool = False


def room_of(module: str) -> str:
    """The room a module of ours lies in: "explorer.capture.run" -> "capture", "explorer" -> "__init__"."""
    return [*module.split("."), "__init__"][1]


def module_name(path: Path, root: Path) -> str:
    """ "explorer/capture/run.py" -> "explorer.capture.run"; a package's __init__.py has the package's name."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, *, package: str, submodules: frozenset[str] = frozenset()) -> list[Imported]:
    """All imports in `source`, relative ones resolved against `package`.

    `from explorer import view` imports the module `explorer.view` if that is among `submodules`, else a name of `explorer`.
    """
    return list(_imports(ast.parse(source), Place(package, submodules)))


@dataclass(frozen=True)
class Place:
    """Where in a source the reading is."""

    package: str
    submodules: frozenset[str]
    types_only: bool = False
    on_demand: bool = False


def _imports(tree: ast.AST, place: Place) -> Iterator[Imported]:
    for child in ast.iter_child_nodes(tree):
        for module in _named(child, place.package, place.submodules):
            yield Imported(module, getattr(child, "lineno", 0), place.types_only, place.on_demand)
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(child, replace(place, types_only=True))
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(child, replace(place, on_demand=True))
        else:
            yield from _imports(child, place)


def _named(node: ast.AST, package: str, submodules: frozenset[str]) -> list[str]:
    """The modules that one statement or call imports."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names, level=level):
            base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            whole = ".".join([*base, *([module] if module else [])])
            full = [f"{whole}.{alias.name}" for alias in names]
            return [name if name in submodules else whole for name in full]
        case ast.Call(func=ast.Name(id="__import__" | "import_module"), args=[ast.Constant(value=str(module)), *_]):
            return [module]
        case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
            return [module]
    return []
