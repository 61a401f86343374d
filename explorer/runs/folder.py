"""The folder of a run and its run.json: made, read with suspicion, renamed, put away and brought back."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from explorer.errors import FileError, OutputError, RequestError

__all__ = [
    "FORMAT",
    "About",
    "delete",
    "is_run",
    "list_folders",
    "prepare_folder",
    "read_about",
    "rename",
    "restore",
    "start_folder",
    "write_about",
]

FORMAT = 1
LARGEST = 1 << 20  # bytes of run.json: some hundred settings take ten thousand
DEEPEST = 20
MOST_FOLDERS = 10_000  # looked at when runs are listed
OURS = {"requests.jsonl", "output.txt"}  # what may be in a folder before its run
DELETED = ".deleted-"  # before the name of a run that was put away
_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "target": (str, type(None)),
    "settings": (dict,),
    "device": (str, type(None)),
    "dtype": (str, type(None)),
    "seed": (int, type(None)),
    "steps": (int, type(None)),
    "parameters": (int,),
    "ranks": (int,),
    "created": (str,),
    "tags": (list,),
    "made_with": (dict,),
}


@dataclass(frozen=True, slots=True)
class About:
    """What run.json says. `created` is a time in UTC as ISO 8601 writes it, `steps` how many were asked for (None: nobody said)."""

    name: str
    target: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    device: str | None = None
    dtype: str | None = None
    seed: int | None = None
    steps: int | None = None
    parameters: int = 0
    ranks: int = 1
    created: str = ""
    tags: tuple[str, ...] = ()
    made_with: Mapping[str, str] = field(default_factory=dict)


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Whether there is a run in `folder`, readable or not."""
    with contextlib.suppress(OSError, ValueError):
        return os.path.isfile(os.path.join(folder, "run.json"))
    return False


def start_folder(folder: str | os.PathLike[str], about: About) -> Path:
    """Make the folder of a new run and its run.json; see `prepare_folder`."""
    path = prepare_folder(folder)
    write_about(path, about)
    return path


def prepare_folder(folder: str | os.PathLike[str]) -> Path:
    """Make the folder of a new run, which is none before its run.json is written. Raises `OutputError` where the place is taken."""
    name = os.fspath(folder)
    if "\0" in name or not name:
        raise OutputError("runs.no_place", path=name.replace("\0", "�"), reason=os.strerror(errno.EINVAL))
    path = Path(name)
    if is_run(path):
        raise OutputError("runs.there_already", path=name)
    try:
        if path.exists() and (not path.is_dir() or set(os.listdir(path)) - OURS):
            raise OutputError("runs.not_empty", path=name)
        path.mkdir(parents=True, exist_ok=True)
        (path / "traces").mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError("runs.no_place", path=name, reason=error.strerror or type(error).__name__) from error
    return path


def write_about(folder: Path, about: About) -> None:
    """Put run.json there, whole or not at all."""
    document = {"format": FORMAT, **asdict(about), "tags": list(about.tags)}
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        part.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(part, folder / "run.json")
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise OutputError("runs.no_place", path=str(folder), reason=error.strerror or type(error).__name__) from error


def read_about(folder: str | os.PathLike[str]) -> About:
    """What run.json says; `FileError` where it is none of ours."""
    name = os.fspath(folder)
    try:
        path = Path(name) / "run.json"
        if not path.is_file():
            raise FileError("runs.missing", path=name)
        with open(path, "rb") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise FileError("runs.damaged", path=name)
        document = json.loads(text)
    except OSError as error:
        raise FileError("runs.unreadable", path=name, reason=error.strerror or type(error).__name__) from error
    except (ValueError, RecursionError) as error:
        raise FileError("runs.damaged", path=name) from error
    return _about(document, name)


def _about(document: Any, name: str) -> About:
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise FileError("runs.damaged", path=name)
    if document["format"] > FORMAT:
        raise FileError("runs.newer", path=name)
    told = {key: document[key] for key in _KINDS if key in document}
    fine = "name" in told and all(isinstance(value, _KINDS[key]) and not _is_bad(value, DEEPEST) for key, value in told.items())
    if not fine or isinstance(told.get("seed"), bool) or not all(isinstance(tag, str) for tag in told.get("tags", ())):
        raise FileError("runs.damaged", path=name)
    if not all(isinstance(value, str) for value in told.get("made_with", {}).values()):
        raise FileError("runs.damaged", path=name)
    return About(**{**told, "tags": tuple(told.get("tags", ()))})


def _is_bad(value: Any, depth: int) -> bool:
    """Whether a value is nested deeper, or a number larger, than anything that we write."""
    if isinstance(value, dict):
        return not depth or any(_is_bad(inner, depth - 1) for inner in value.values())
    if isinstance(value, list):
        return not depth or any(_is_bad(inner, depth - 1) for inner in value)
    return isinstance(value, int) and not -(2**63) <= value < 2**64


def rename(folder: str | os.PathLike[str], *, name: str | None = None, tags: tuple[str, ...] | None = None) -> About:
    """Give a run another name or other tags; its folder keeps its own."""
    about = read_about(folder)
    about = replace(about, name=about.name if name is None else name, tags=about.tags if tags is None else tuple(tags))
    write_about(Path(folder), about)
    return about


def list_folders(parent: str | os.PathLike[str]) -> list[Path]:
    """The folders of runs in `parent` (itself, its folders and theirs), by name; those put away are left out."""
    root = Path(parent)
    if is_run(root):
        return [root]
    return sorted(_found(root, 2))


def _found(folder: Path, depth: int) -> Iterator[Path]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= MOST_FOLDERS:
                return
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                place = Path(entry.path)
                if is_run(place):
                    yield place
                elif depth > 1:
                    yield from _found(place, depth - 1)


def delete(folder: str | os.PathLike[str]) -> Path:
    """Put a run away; `restore` brings it back from where this says it is. A run that is being written is refused."""
    from explorer.runs.requests import is_alive

    path = Path(folder)
    if not is_run(path):
        raise RequestError("runs.missing", path=str(path))
    if any(is_alive(path, int(file.stem[5:])) for file in path.glob("rank-*.lock") if file.stem[5:].isdecimal()):
        raise RequestError("runs.busy", path=str(path))
    return _moved(path, path.with_name(f"{DELETED}{secrets.token_hex(4)}-{path.name}"))


def restore(folder: str | os.PathLike[str]) -> Path:
    """Bring a run back that was put away; where its place is taken, it gets a number."""
    path = Path(folder)
    name = path.name.removeprefix(DELETED).partition("-")[2]
    if not path.name.startswith(DELETED) or not name or not is_run(path):
        raise RequestError("runs.missing", path=str(path))
    place, number = path.with_name(name), 1
    while place.exists():
        number += 1
        place = path.with_name(f"{name}-{number}")
    return _moved(path, place)


def _moved(path: Path, place: Path) -> Path:
    try:
        os.rename(path, place)
    except OSError as error:
        raise OutputError("runs.no_place", path=str(path), reason=error.strerror or type(error).__name__) from error
    return place
