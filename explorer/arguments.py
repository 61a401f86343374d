"""The words of the command line: verbs, options and their help; what each verb does stands in `explorer.cli`."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from explorer import __version__
from explorer.errors import RequestError
from explorer.text import LANGUAGES, say

__all__ = ["SUFFIXES", "Verb", "language_of", "parser"]

PROGRAM = "autograd-explorer"
SUFFIXES = (".trace", ".json", ".svg", ".png", ".pdf", ".gif", ".dot", ".html")

Verb = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, and leaves by the same way as every other error."""

    def error(self, message: str) -> NoReturn:
        raise RequestError("command.usage", problem=message[:1].upper() + message[1:], program=self.prog)


def language_of(words: list[str]) -> str:
    """The language asked for, looked up before the words are parsed so that help and errors are in it too."""
    pairs = itertools.pairwise(words)
    return "ko" if "--lang=ko" in words or ("--lang", "ko") in pairs else "en"


def parser(language: str, run: Mapping[str, Verb]) -> argparse.ArgumentParser:
    def verb(name: str) -> _Parser:
        examples = f"{say('command.examples_heading', language)}\n{say(f'command.{name}.examples', language)}"
        about = say(f"command.{name}", language)
        part: _Parser = verbs.add_parser(
            name,
            help=about,
            description=about[:1].upper() + about[1:] + ".",
            epilog=f"{examples}\n\n{say('command.exit_codes', language)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )
        _add_help(part, language)
        part.set_defaults(run=run[name])
        return part

    top = _Parser(prog=PROGRAM, description=say("command.about", language), add_help=False, allow_abbrev=False)
    _add_help(top, language)
    version = f"{PROGRAM} {__version__}"
    top.add_argument("--version", action="version", version=version, help=say("command.version", language))
    verbs = top.add_subparsers(metavar="VERB", dest="verb", required=True)

    tracing = verb("trace")
    tracing.add_argument("target", metavar="TARGET", help=say("command.target", language))
    _add_output(tracing, language)
    _add_run(tracing, language)
    _add_view(tracing, language)

    exporting = verb("export")
    exporting.add_argument("trace", metavar="TRACE", help=say("command.recording", language))
    _add_output(exporting, language)
    _add_view(exporting, language)

    checking = verb("check")
    checking.add_argument("target", metavar="TARGET", help=say("command.target", language))
    checking.add_argument("--json", action="store_true", help=say("command.json", language))
    checking.add_argument("--fail-on", choices=("error", "warning", "never"), default="error", help=say("command.fail_on", language))
    checking.add_argument("--unwatched", action="store_true", help=say("command.unwatched", language))
    checking.add_argument("--lang", dest="language", choices=LANGUAGES, help=say("command.lang_messages", language))
    _add_run(checking, language)
    checking.set_defaults(wanted=None)

    for name in ("examples", "devices"):
        listing = verb(name)
        listing.add_argument("--json", action="store_true", help=say("command.json", language))
        listing.add_argument("--lang", dest="language", choices=LANGUAGES, default="en", help=say("command.lang", language))

    training = verb("train")
    _add_training(training, language)

    for_runs = verb("runs")
    for_runs.add_argument("folder", metavar="DIR", help=say("command.runs_folder", language))
    for_runs.add_argument("--export", metavar="FILE", help=say("command.runs_export", language))
    for_runs.add_argument("--json", action="store_true", help=say("command.json", language))
    for_runs.add_argument("--lang", dest="language", choices=LANGUAGES, default="en", help=say("command.lang", language))

    serving = verb("serve")
    serving.epilog = f"{say('command.serve.code', language)}\n\n{serving.epilog}"
    serving.add_argument("trace", metavar="TRACE | RUN_DIR", nargs="?", help=say("command.recording_or_runs", language))
    serving.add_argument("--port", type=_port, metavar="N", help=say("command.port", language))
    return top


def _add_help(parser: argparse.ArgumentParser, language: str) -> None:
    parser.add_argument("-h", "--help", action="help", help=say("command.help", language))


def _add_output(parser: argparse.ArgumentParser, language: str) -> None:
    told = say("command.output", language, suffixes=" ".join(SUFFIXES))
    parser.add_argument("-o", "--output", dest="outputs", metavar="OUT", action="append", required=True, help=told)
    parser.add_argument("--json", action="store_true", help=say("command.json", language))


def _add_run(parser: argparse.ArgumentParser, language: str) -> None:
    group = parser.add_argument_group(say("command.run_group", language))

    def add(option: str, key: str, **settings: Any) -> None:
        group.add_argument(option, help=say(f"command.{key}", language), **settings)

    add("--device", "device", metavar="D")
    add("--dtype", "dtype", metavar="T")
    add("--seed", "seed", metavar="N", type=_count, default=0)
    add("--timeout", "timeout", metavar="S", type=_positive, default=600.0)
    add("--memory-limit", "memory_limit", metavar="GB", type=_positive)
    add("--values", "values", choices=("stats", "all", "none"), default="stats")
    add("--pass", "pass", metavar="N|all", dest="wanted", type=_pass, default=1)
    add("--to-end", "to_end", action="store_true")


def _add_training(parser: argparse.ArgumentParser, language: str) -> None:
    def add(option: str, key: str, **settings: Any) -> None:
        parser.add_argument(option, help=say(f"command.{key}", language), **settings)

    add("target", "train_target", metavar="TARGET")
    add("--run", "train_run", dest="folder", metavar="DIR", required=True)
    add("--steps", "train_steps", metavar="N", type=_count)
    add("--resume", "train_resume", action="store_true")
    add("--set", "train_set", metavar="NAME=VALUE", dest="settings", action="append", type=_setting, default=[])
    add("--every", "train_every", metavar="N", type=_one_or_more)
    add("--record-every", "train_record_every", metavar="N", type=_one_or_more)
    add("--record-at", "train_record_at", metavar="STEP", action="append", type=_one_or_more, default=[])
    add("--on-nan", "train_on_nan", choices=("mark", "stop", "ignore"), default="mark")
    add("--on-full", "train_on_full", choices=("continue", "stop"), default="continue")
    add("--device", "device", metavar="D")
    add("--dtype", "dtype", metavar="T")
    add("--seed", "train_seed", metavar="N", type=_count)
    add("--timeout", "train_timeout", metavar="S", type=_positive)
    add("--memory-limit", "memory_limit", metavar="GB", type=_positive)
    add("--json", "json", action="store_true")
    add("--lang", "lang_messages", dest="language", choices=LANGUAGES)


def _add_view(parser: argparse.ArgumentParser, language: str) -> None:
    group = parser.add_argument_group(say("command.view_group", language))

    def add(option: str, key: str, **settings: Any) -> None:
        group.add_argument(option, help=say(f"command.{key}", language), **settings)

    add("--depth", "depth", metavar="N", type=_count)
    add("--expand", "expand", choices=("all",))
    add("--focus", "focus", metavar="NODE_ID", type=_count)
    add("--hops", "hops", metavar="N", type=_count)
    add("--between", "between", metavar="NODE_ID", nargs=2, type=_count)
    add("--reaching", "reaching", metavar="NODE_ID", type=_count)
    add("--only", "only", metavar="gradient|CLASS")
    add("--open", "open", metavar="MODULE", dest="opened", action="append")
    add("--direction", "direction", choices=("forward", "backward"))
    add("--flow", "flow", choices=("down", "right"))
    add("--overlay", "overlay", choices=("gradient", "value", "time", "memory"))
    add("--step", "step", metavar="K", type=_count)
    add("--lang", "lang", dest="language", choices=LANGUAGES)
    add("--theme", "theme", choices=("light", "dark"))


def _positive(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(say("command.not_positive"))
    return value


def _whole(word: str, *, least: int, most: int, key: str) -> int:
    value = int(word) if word.isascii() and word.isdigit() and len(word) < 20 else -1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(say(key, least=least))
    return value


def _count(word: str) -> int:
    return _whole(word, least=0, most=2**63 - 1, key="command.not_count")


def _one_or_more(word: str) -> int:
    return _whole(word, least=1, most=2**63 - 1, key="command.not_pass")


def _setting(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(say("command.not_setting"))
    return name, value


def _pass(word: str) -> int | str:
    return "all" if word == "all" else _whole(word, least=1, most=2**31, key="command.not_pass")


def _port(word: str) -> int:
    return _whole(word, least=1, most=65535, key="command.not_port")
