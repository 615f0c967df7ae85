"""The Profile: what the data are, in plain data that a report can show and rules can read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.apply_text import tokenize
from netwright.data.checks import is_numeric, listing, shown
from netwright.data.columns import KINDS, Column, describe
from netwright.data.dataset import Dataset
from netwright.data.targets import Task, box_summary, infer_task, labels_of, mask_summary, summary
from netwright.data.warnings import DataWarning, warnings_of
from netwright.errors import InputError

COLOUR_MODES = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB", "RGBX")
OF_IMAGES = {"segmentation": mask_summary, "detection": box_summary}
MAX_LEVELS = 100_000
"""A category with more levels than this can't be learned, and silently merging them would hide that."""


@dataclass
class Profile:
    """Modality, task and why, rows, the target's summary, and columns or image sizes or text lengths."""

    modality: str
    task: Task
    task_reason: str
    rows: int
    target: dict[str, Any]
    columns: list[Column] = field(default_factory=list)
    image: dict[str, Any] | None = None
    text: dict[str, Any] | None = None
    warnings: list[DataWarning] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def features(self) -> list[str]:
        """The names of the columns that the network reads."""
        return [column.name for column in self.columns if column.used]

    @property
    def num_classes(self) -> int:
        """Outputs that the network needs: the number of classes, or 1 for a number."""
        return len(self.target["labels"]) if self.task != "regression" else 1

    def column(self, name: str) -> Column:
        """The column of this name."""
        return next(column for column in self.columns if column.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | str) -> Profile:
        """The Profile from `to_json`'s data or its text."""
        plain = dict(json.loads(data) if isinstance(data, str) else data)
        plain["columns"] = [Column(**column) for column in plain["columns"]]
        plain["warnings"] = [DataWarning(**warning) for warning in plain["warnings"]]
        return cls(**plain)


def profile(dataset: Dataset, task: str | None = None, kinds: Mapping[str, str] | None = None) -> Profile:
    """Look at all rows once. `task` and `kinds` (column → kind) override what the rules would say."""
    inferred, reason = infer_task(dataset, task)
    found = Profile(
        modality=dataset.modality,
        task=inferred,
        task_reason=reason,
        rows=len(dataset),
        target=OF_IMAGES[inferred](dataset) if inferred in OF_IMAGES else summary(dataset.target, inferred),
        notes=list(dataset.notes),
    )
    if dataset.test is not None and inferred not in OF_IMAGES:
        _check_test(dataset, inferred)
    if dataset.modality == "table":
        found.columns = _columns(dataset, kinds or {})
        _check_columns(dataset, found)
    elif dataset.modality in ("image", "segmentation", "detection"):
        found.image = _image(dataset)
    else:
        found.text = _text(dataset)
    found.warnings = warnings_of(dataset, found.task, found.target, found.columns)
    return found


def _columns(dataset: Dataset, kinds: Mapping[str, str]) -> list[Column]:
    for name, kind in kinds.items():
        dataset.column(name)
        if kind not in KINDS:
            raise InputError(f"there is no kind {kind!r} of column", where=name, fix=f"choose one of {listing(KINDS)}")
    frame: pd.DataFrame = dataset.inputs
    columns = [describe(frame[name], kinds.get(name)) for name in frame.columns]
    for column in columns:
        if column.name == dataset.group:
            column.kind, column.reason = "group", "it names the groups that the split keeps together"
        if column.name == dataset.time_column and column.kind in ("numeric", "identifier"):
            column.kind, column.reason = (
                "identifier",
                "it orders the rows in time; later rows are beyond its range",
            )
    return columns


def _check_columns(dataset: Dataset, found: Profile) -> None:
    """InputError where no column can be used, or a category has far too many levels."""
    huge = next((c for c in found.columns if c.kind == "categorical" and c.unique > MAX_LEVELS), None)
    if huge is not None:
        raise InputError(
            f"{huge.unique:,} different categories in {found.rows:,} rows; {MAX_LEVELS:,} are the limit",
            where=f"{dataset.origin}, column {huge.name!r}",
            fix=f"leave it out (--drop {huge.name}), or replace it by coarser categories; "
            "if it names a person or a place that comes back, use it as --group",
        )
    if found.features:
        return
    why = "; ".join(f"{c.name}: {c.reason}" for c in found.columns[:10])
    texts = [c.name for c in found.columns if c.kind == "text"]
    raise InputError(
        f"none of the columns can be used ({why})",
        where=dataset.origin,
        fix=f"give --text {texts[0]} to learn from the text" if texts else "add columns that say something of each row",
    )


def _check_test(dataset: Dataset, task: Task) -> None:
    """The test part's target must be of the same kind, with no class that the data lack."""
    test = dataset.test
    assert test is not None
    if task == "regression":
        if not is_numeric(test.target):
            raise InputError(
                f"the target {test.target_name!r} holds {shown(test.target.iloc[0])}, but the data hold numbers",
                where=test.origin,
                fix="write the target alike in both",
            )
        return
    known = {str(label) for label in labels_of(dataset.target)}
    unknown = [label for label in labels_of(test.target) if str(label) not in known]
    if unknown:
        raise InputError(
            f"the test part has classes that the data lack: {listing(unknown, 5)} "
            f"(the data have {listing(sorted(known), 10)})",
            where=test.origin,
            fix="write the classes alike, add rows of them to the data, or remove them from the test part",
        )


def _image(dataset: Dataset) -> dict[str, Any]:
    """Sizes (the most frequent first), channels, and the range of the values."""
    if dataset.files is None:
        x = dataset.inputs
        height, width = x.shape[1:3]
        channels = x.shape[3] if x.ndim == 4 else 1
        return {
            "height": int(height),
            "width": int(width),
            "channels": int(channels),
            "same_size": True,
            "sizes": [[int(height), int(width), len(x)]],
            "modes": {str(x.dtype): len(x)},
            "range": [float(x.min()), float(x.max())],
        }
    files = dataset.files
    sizes = Counter(zip(files["height"].tolist(), files["width"].tolist(), strict=True)).most_common()
    modes = dict(Counter(files["mode"]).most_common())
    return {
        "height": int(np.median(files["height"])),
        "width": int(np.median(files["width"])),
        "channels": 3 if any(mode in COLOUR_MODES for mode in modes) else 1,
        "same_size": len(sizes) == 1,
        "sizes": [[height, width, count] for (height, width), count in sizes[:5]],
        "modes": modes,
        "range": [0.0, 255.0],
    }


def _text(dataset: Dataset) -> dict[str, Any]:
    """Lengths in tokens, and how many different tokens there are."""
    vocabulary: Counter[str] = Counter()
    lengths = np.zeros(len(dataset), dtype=np.int64)
    for row, text in enumerate(dataset.inputs.iloc[:, 0]):
        tokens = tokenize(text)
        lengths[row] = len(tokens)
        vocabulary.update(tokens)
    levels = {"min": 0.0, "p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        "column": str(dataset.inputs.columns[0]),
        "lengths": {name: int(np.quantile(lengths, level)) for name, level in levels.items()},
        "mean_length": float(lengths.mean()),
        "tokens": int(lengths.sum()),
        "vocabulary": len(vocabulary),
        "vocabulary_twice": sum(count > 1 for count in vocabulary.values()),
        "empty": int((lengths == 0).sum()),
    }
