"""Values as words: numbers with units, names made harmless, sentences that the renderers share.

Whatever comes from a person's data (column names, labels, paths) passes through `clean` before it is escaped
for HTML, Markdown or the terminal, so no renderer meets a control character or a string without an end.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from netwright.picture import words
from netwright.picture.words import DASH, count, number, significant, size

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
    "miou": "mIoU",
    "dice": "Dice",
    "foreground_iou": "foreground IoU",
    "pixel_accuracy": "pixel accuracy",
    "ap50": "AP50",
    "ap75": "AP75",
    "map50_95": "mAP",
}


def clean(value: Any, limit: int = 240) -> str:
    """One line of printable text, at most `limit` characters; the middle of a longer one becomes "…"."""
    return words.clean(value if isinstance(value, str) else show(value), limit)


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


def _grouped(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−")


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
