"""Quantities as people write them, both ways: 200k, 1.5M, 5ms, 0.5s, 100MB, 2min, 1h30min, 1G."""

import math
import re
from decimal import Decimal
from typing import Any

from netwright.design.errors import DesignError, show

COUNT = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
BYTES = {
    **{"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
    **{"k": 10**3, "M": 10**6, "G": 10**9},
}
SECONDS = {
    **{"us": Decimal("1e-6"), "µs": Decimal("1e-6"), "ms": Decimal("1e-3"), "s": 1, "sec": 1},
    **{"min": 60, "m": 60, "h": 3600, "d": 86400},
}
MILLISECONDS = {
    "ns": Decimal("1e-6"),
    "us": Decimal("1e-3"),
    "µs": Decimal("1e-3"),
    "ms": 1,
    "s": 1000,
    "sec": 1000,
}

UNITS: dict[str, dict[str, Any]] = {
    "count": COUNT,
    "bytes": BYTES,
    "seconds": SECONDS,
    "milliseconds": MILLISECONDS,
}
EXAMPLES = {
    "count": "200k, 1.5M, 1G or a plain number",
    "bytes": "500kB, 100MB, 1.5GB, 64MiB",
    "seconds": "90s, 2min, 1h, 1h30min",
    "milliseconds": "0.5ms, 5ms, 0.1s",
}
LARGEST = Decimal(10) ** 18
_PART = re.compile(r"\s*(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d{1,4})?|\.\d+)\s*([a-zA-Zµμ]*)")


def parse(value: Any, kind: str, where: str = "") -> int | float:
    """A quantity in its base unit: a whole number of things or bytes, or seconds or milliseconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if kind != "count":
            fix = f"add the unit: {EXAMPLES[kind]}"
            raise DesignError(f"{show(value)} has no unit", where=where, fix=fix, value=value)
        if isinstance(value, float) and not math.isfinite(value):
            raise _unreadable(value, kind, where)
        total = Decimal(value)
    elif isinstance(value, str):
        total = _read(value, kind, where)
    else:
        raise _unreadable(value, kind, where)
    if not 0 < total <= LARGEST:
        text = "too large" if total > 0 else "not above 0"
        raise DesignError(f"{show(value)} is {text}", where=where, value=value, allowed=EXAMPLES[kind])
    if kind in ("seconds", "milliseconds"):
        return float(total)
    if total != int(total):
        unit = "bytes" if kind == "bytes" else "things"
        raise DesignError(f"{show(value)} is no whole number of {unit}", where=where, value=value)
    return int(total)


def _read(text: str, kind: str, where: str) -> Decimal:
    units = {u.lower().replace("μ", "µ"): size for u, size in UNITS[kind].items()}
    total, rest = Decimal(0), text.strip()
    parts = 0
    while rest:
        part = _PART.match(rest) if len(text) <= 40 else None
        if part is None or (parts and kind != "seconds"):  # only times come in several parts, 1h30min
            raise _unreadable(text, kind, where)
        number, unit = Decimal(part[1].replace("_", "")), part[2].lower().replace("μ", "µ")
        if unit not in units:
            what = f"{text!r} has no unit" if not unit else f"{text!r} has the unknown unit {part[2]!r}"
            fix = f"write it as {EXAMPLES[kind]}"
            known = ", ".join(filter(None, UNITS[kind]))
            raise DesignError(what, where=where, fix=fix, value=text, allowed=known)
        if number > LARGEST:
            raise DesignError(f"{text!r} is too large", where=where, value=text, allowed=EXAMPLES[kind])
        total += number * units[unit]
        rest, parts = rest[part.end() :], parts + 1
    if not parts:
        raise _unreadable(text, kind, where)
    return total


def _unreadable(value: Any, kind: str, where: str) -> DesignError:
    what = f"{show(value)} can't be read as a number" + ("" if kind == "count" else " with its unit")
    allowed = EXAMPLES[kind]
    return DesignError(what, where=where, fix=f"write it as {allowed}", value=value, allowed=allowed)


def exact(value: float, kind: str) -> str | int:
    """The short form that `parse` reads back as the very same value: 200k, 1.5M, 90s, 123457."""
    amount = Decimal(repr(value))
    scales = {"count": ("T", "G", "M", "k"), "bytes": ("GB", "MB", "kB"), "seconds": ("h", "min")}
    for unit in scales.get(kind, ()):
        shown = (amount / UNITS[kind][unit]).normalize()
        short = len(shown.as_tuple().digits) <= 4 and shown * UNITS[kind][unit] == amount
        if shown >= 1 and short and (kind != "seconds" or shown == shown.to_integral_value()):
            return f"{shown:f}{unit}"
    if kind == "count":
        return int(amount)
    text = f"{amount.normalize():f}"
    return text + {"bytes": "B", "seconds": "s", "milliseconds": "ms"}[kind]


def human(value: float, kind: str) -> str:
    """For people, to three digits: 86.6M, 4.71 ms, 2.1 min, 102 MB."""
    scale = {
        "count": ("T", "G", "M", "k", ""),
        "bytes": ("GB", "MB", "kB", "B"),
        "seconds": ("h", "min", "s", "ms", "us"),
        "milliseconds": ("s", "ms", "us"),
    }[kind]
    unit = next((u for u in scale if abs(value) >= UNITS[kind][u]), scale[-1])
    amount = value / float(UNITS[kind][unit])
    text = f"{amount:.0f}" if amount >= 100 or amount == int(amount) else f"{amount:.3g}"
    return text + unit if kind == "count" else f"{text} {unit}".replace("us", "µs")
