"""Numbers of the LLM page as people read them."""

from __future__ import annotations

from explorer.flops import operations
from explorer.text import say
from explorer.ui.state import language

__all__ = ["difference", "floating", "long", "rate", "share", "short"]

_SIZES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))
_TIMES = (
    ("years", 365.25 * 86400),
    ("days", 86400),
    ("hours", 3600),
    ("minutes", 60),
    ("seconds", 1),
    ("milliseconds", 1e-3),
    ("microseconds", 1e-6),
)


def short(count: float) -> str:
    """A count with three figures: "124M"."""
    size, unit = next(((size, unit) for size, unit in _SIZES if abs(count) >= 0.9995 * size), (1, ""))
    return f"{count / size:.3g}{unit}" if abs(count) < 999.5 * size else f"{count / size:,.0f}{unit}"


def rate(count: float) -> str:
    """Tokens a second, with two figures: no estimate knows more."""
    if count < 1:
        return f"{count:.1g}"
    digits = 10 ** max(0, len(str(int(count))) - 2)
    return f"{round(count / digits) * digits:,}"


def share(part: float, whole: float) -> str:
    """A portion as a percentage."""
    portion = part / whole if whole else 0.0
    return f"{portion:.0%}" if portion >= 0.095 else f"{portion:.1%}" if portion >= 0.0005 else "<\u00a00.1%" if part else "0%"


def difference(now: float, then: float) -> str:
    """How far a number is from what it was: in percent, or as a factor where it is many times as much."""
    if now >= 10 * then:
        return f"× {now / then:,.0f}"
    return f"{(now - then) / then:+.1%}".replace("-", "−")


def floating(count: float) -> str:
    """Floating-point operations."""
    return operations(round(count))


def long(seconds: float) -> str:
    """A time, from microseconds to years, with two figures."""
    name, size = next(((name, size) for name, size in _TIMES if seconds >= size), _TIMES[-1])
    count = seconds / size
    shown = f"{count:.2g}" if 0.001 <= count < 99.5 else f"{float(f'{count:.2g}'):,.0f}"
    return say(f"llm.time.{name}", language(), count=shown)
