"""Values as words: numbers with units, names made harmless, sentences that the renderers share.

Whatever comes from a person's data (column names, labels, paths) passes through `clean` before it is escaped
for HTML, Markdown or the terminal, so no renderer meets a control character or a string without an end.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

LABELS = {
    "params": "Parameters",
    "flops": "FLOPs per example",
    "macs": "MACs per example",
    "latency_ms": "Latency",
    "memory_bytes": "Peak memory",
    "size_bytes": "File size",
    "time_s": "Search and training time",
}
METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "macro F1",
    "auc": "AUC",
    "log_loss": "log loss",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}
DASH = "–"
# Characters that change how their neighbours are shown: zero-width marks and text direction overrides.
INVISIBLE = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF}


def clean(value: Any, limit: int = 240) -> str:
    """One line of printable text, at most `limit` characters; the middle of a longer one becomes "…"."""
    text = value if isinstance(value, str) else show(value)
    if len(text) > 8 * limit:  # a pathological string is cut before it is looked at character by character
        text = text[: 4 * limit] + text[-4 * limit :]
    kept = []
    for char in text:
        code = ord(char)
        if char.isspace() or code < 32 or 0x7F <= code < 0xA0:
            kept.append(" " if char.isspace() else "")
        elif 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF):
            kept.append("\ufffd")
        elif code not in INVISIBLE:
            kept.append(char)
    return shorten(" ".join("".join(kept).split()), limit)


def shorten(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = max(1, (limit - 1) * 2 // 3)
    tail = limit - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :] if tail else ''}"


def plain(value: Any) -> Any:
    """The same value as strict JSON: tuples become lists, keys strings, array scalars numbers; NaN and ±inf
    null.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and their scalars, without importing numpy
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _grouped(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−")


def significant(value: float, digits: int = 3) -> str:
    """A number rounded to so many significant digits, never in exponent form between 1e-4 and 1e7."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size >= 7:
        mantissa, exponent = f"{value:.{max(0, digits - 1)}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    text = _grouped(value, max(0, digits - 1 - size))
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: Any) -> str:
    """A count: exact below 10,000, then in k, M, G, T with three digits."""
    size = number(value)
    if size is None:
        return DASH
    for scale, suffix in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(size) >= max(scale * 0.9995, 1e4):
            return f"{significant(size / scale)}{suffix}"
    return _grouped(size, 0) if size == int(size) else significant(size)


def score(value: Any) -> str:
    """A metric: four decimals below 10, else four significant digits."""
    size = number(value)
    if size is None:
        return DASH
    if abs(size) >= 10:
        return _grouped(size, max(0, 3 - math.floor(math.log10(abs(size)))))
    return significant(size, 2) if 0 < abs(size) < 0.001 else _grouped(size, 4)


def interval(pair: Any) -> str:
    """An interval, or nothing where it is not known."""
    if not isinstance(pair, list | tuple) or len(pair) != 2 or None in (number(pair[0]), number(pair[1])):
        return ""
    return f"{score(pair[0])} to {score(pair[1])}"


def seconds(value: float) -> str:
    if value >= 2 * 86400:
        return f"{significant(value / 86400)} days"
    if value >= 7200:
        return f"{significant(value / 3600)} h"
    if value > 180:
        return f"{significant(value / 60)} min"
    if value >= 1 or value == 0:
        return f"{significant(value)} s"
    return f"{significant(value * 1e3)} ms" if value >= 1e-3 else f"{significant(value * 1e6)} µs"


def size(value: float) -> str:
    for scale, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if abs(value) >= scale * 0.9995:
            return f"{significant(value / scale)} {unit}"
    return f"{significant(value)} bytes"


def show(value: Any, unit: str = "") -> str:
    """Any plain value with its unit, as a person would write it."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if isinstance(value, int | float):
        return quantity(value, unit)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {show(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(show(item) for item in value)
    return f"{value} {unit}".strip()


def quantity(value: float, unit: str = "") -> str:
    if unit == "bytes":
        return size(value)
    if unit == "s":
        return seconds(value)
    if unit == "ms":
        return f"{significant(value)} ms" if 0.01 <= abs(value) < 1000 else seconds(value / 1e3)
    if unit == "score":
        return score(value)
    if unit in ("count", "params", "flops", "macs"):
        return count(value)
    if isinstance(value, float) and value != int(value):
        text = significant(value)
    else:
        text = _grouped(value, 0) if abs(value) < 1e15 else significant(value)
    return f"{text}{'' if unit == '%' else ' '}{unit}".strip()


def unit_of(name: str, unit: str | None = None) -> str:
    """The unit of a budget's or a cost's value: said, or read off its name."""
    if unit:
        return unit
    for suffix, found in (("_ms", "ms"), ("_bytes", "bytes"), ("_s", "s")):
        if name.endswith(suffix):
            return found
    return "count" if name in ("params", "flops", "macs") else ""


def label_of(name: str) -> str:
    return LABELS.get(name) or clean(name)


def metric_name(name: Any) -> str:
    return METRICS.get(name) or clean(name or "score", 60)


def share(part: Any, whole: Any) -> str:
    part, whole = number(part), number(whole)
    if part is None or not whole:
        return ""
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 9.95 else f"{percent:.1f} %" if percent >= 0.05 else "<0.1 %"


def shape(value: Any) -> str:
    """[64, 8, 8] → "64×8×8"; nothing where it is not known."""
    if isinstance(value, list | tuple):
        return clean("×".join(str(part) for part in value), 40)
    return clean(value, 40) if value else ""


def advice(report: Mapping[str, Any]) -> str:
    """The recommendation as a sentence, also where the verdict only names who is recommended."""
    verdict = report.get("verdict") or {}
    said = verdict.get("recommendation")
    if not said:
        return ""
    if said == "network":
        return "Recommended: the network."
    if said in (verdict.get("baselines") or {}):
        return f"Recommended: the {clean(said, 80)} baseline; the network is the second choice."
    return clean(said, 600)


def verdict_sentence(report: Mapping[str, Any]) -> str:
    """The first line of every rendering."""
    verdict = report.get("verdict") or {}
    if verdict.get("sentence"):
        return clean(verdict["sentence"], 400)
    if verdict.get("status") == "interrupted":
        return "No verdict: the run was interrupted before the test part was scored."
    return "No verdict: the network has not been scored on a test part."
