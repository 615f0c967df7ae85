"""The task, from the target: classes or a number, with the reason said."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from netwright.data.apply_table import texts
from netwright.data.checks import is_numeric, listing, shown
from netwright.data.dataset import Dataset
from netwright.errors import InputError

Task = Literal["binary", "multiclass", "regression", "segmentation", "detection"]
TASKS = ("binary", "multiclass", "regression", "classification", "segmentation", "detection")
MAX_INTEGER_CLASSES = 20
"""Whole numbers with more values than this in a table are a quantity, not classes."""


def infer_task(dataset: Dataset, task: str | None = None) -> tuple[Task, str]:
    """The task and why; `task` overrides, where the target allows it."""
    if dataset.modality == "segmentation" or task == "segmentation":
        return _segmentation(dataset, task)
    if dataset.modality == "detection" or task == "detection":
        return _detection(dataset, task)
    target = dataset.target
    place = f"{dataset.origin}, target {dataset.target_name!r}"
    if task is not None:
        inferred, reason = _override(target, task, place), "as asked"
    else:
        inferred, reason = _infer(target, dataset.modality)
    if inferred != "regression":
        _check_classes(target, place)
    return inferred, reason


def labels_of(target: pd.Series) -> list[Any]:
    """The classes in order, as plain values that JSON keeps: numbers as numbers, the rest as strings."""
    values = target.unique()
    if pd.api.types.is_bool_dtype(target):
        return sorted(bool(v) for v in values)
    if is_numeric(target):
        numbers = sorted(float(v) for v in values)
        return [int(v) if v.is_integer() else v for v in numbers]
    return sorted(set(texts(target).tolist()))


def summary(target: pd.Series, task: Task) -> dict[str, Any]:
    """Classes with counts, or the number's moments and quantiles."""
    if task == "regression":
        values = target.to_numpy(dtype=np.float64)
        std = float(values.std())
        levels = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
        return {
            "kind": "number",
            "mean": float(values.mean()),
            "std": std,
            "skew": float(((values - values.mean()) ** 3).mean() / std**3),
            "unique": int(target.nunique()),
            "quantiles": {f"{level:g}": float(np.quantile(values, level)) for level in levels},
        }
    labels = labels_of(target)
    count = texts(target).value_counts()
    counts = [int(count[text]) for text in texts(pd.Series(labels))]
    return {
        "kind": "classes",
        "labels": labels,
        "counts": counts,
        "imbalance": max(counts) / min(counts),
        "majority": max(counts) / len(target),
    }


def _infer(target: pd.Series, modality: str) -> tuple[Task, str]:
    name, unique = target.name, int(target.nunique())
    classes: Task = "binary" if unique == 2 else "multiclass"
    if not is_numeric(target):
        return classes, f"{name} holds {unique} different labels"
    if unique == 2:
        return "binary", f"{name} takes two values, {listing(labels_of(target))}"
    values = target.to_numpy(dtype=np.float64)
    if not (values == np.round(values)).all():
        return "regression", f"{name} holds numbers with fractions"
    few = unique <= MAX_INTEGER_CLASSES and len(target) >= 5 * unique
    if modality != "table":  # labels of images and texts are more often numbered than measured
        few = few or (values.min() in (0, 1) and np.ptp(values) + 1 == unique and len(target) >= 5 * unique)
    if few:
        return classes, f"{name} takes only {unique} whole numbers (if it is a quantity: --task regression)"
    return "regression", f"{name} takes {unique:,} whole numbers (if they are classes: --task multiclass)"


def _segmentation(dataset: Dataset, task: str | None) -> tuple[Task, str]:
    if dataset.modality != "segmentation":
        raise InputError(
            "segmentation needs a mask for each image",
            where=dataset.origin,
            fix="give a folder with images/ and masks/, whose files have the same names",
        )
    if task not in (None, "segmentation"):
        raise InputError(
            f"images with masks are a task of segmentation, not {task}",
            where="--task",
            fix="leave it out; to classify images, give a folder with a sub-folder for each class",
        )
    return "segmentation", "each image has a mask"


def _detection(dataset: Dataset, task: str | None) -> tuple[Task, str]:
    if dataset.modality != "detection":
        raise InputError(
            "detection needs boxes for each image",
            where=dataset.origin,
            fix="give a folder of images with COCO's JSON or with Pascal VOC's XML",
        )
    if task not in (None, "detection"):
        raise InputError(
            f"images with boxes are a task of detection, not {task}",
            where="--task",
            fix="leave it out; to segment images, give a folder with images/ and masks/",
        )
    return "detection", "each image has boxes"


def box_summary(dataset: Dataset) -> dict[str, Any]:
    """Classes with their boxes and the images that show them; objects of an image; sizes relative to the images.

    A size is the root of a box's area over the image's longer side.
    """
    assert dataset.classes is not None and dataset.boxes is not None
    counts, objects = dataset.boxes.sum(axis=0), dataset.boxes.sum(axis=1)
    seen = counts[counts > 0]
    sides = [
        ((x2 - x1) * (y2 - y1)) ** 0.5 / max(one["size"])
        for one in dataset.target
        for (x1, y1, x2, y2), ignored in zip(one["boxes"], one["ignored"], strict=True)
        if not ignored
    ]
    shapes = [(y2 - y1) / (x2 - x1) for one in dataset.target for x1, y1, x2, y2 in one["boxes"]]
    levels = {"p5": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
    return {
        "kind": "boxes",
        "labels": list(dataset.classes.labels),
        "counts": counts.tolist(),
        "images": (dataset.boxes > 0).sum(axis=0).tolist(),
        "imbalance": float(seen.max() / seen.min()),
        "majority": float(seen.max() / seen.sum()),
        "objects": {"mean": float(objects.mean()), "p50": int(np.median(objects)), "max": int(objects.max())},
        "empty": int((objects == 0).sum()),
        "sizes": {name: float(np.quantile(sides, level)) for name, level in levels.items()},
        "height_to_width": {name: float(np.quantile(shapes, levels[name])) for name in ("p5", "p50", "p95")},
    }


def mask_summary(dataset: Dataset) -> dict[str, Any]:
    """Classes with their pixels and the images that show them, and the share of pixels without a class."""
    assert dataset.classes is not None and dataset.pixels is not None and dataset.files is not None
    pixels = dataset.pixels.sum(axis=0)
    seen = pixels[pixels > 0]
    all_pixels = int((dataset.files["height"].astype(np.int64) * dataset.files["width"]).sum())
    return {
        "kind": "masks",
        "labels": list(dataset.classes.labels),
        "counts": pixels.tolist(),
        "images": (dataset.pixels > 0).sum(axis=0).tolist(),
        "imbalance": float(seen.max() / seen.min()),
        "majority": float(seen.max() / seen.sum()),
        "unlabelled": float(1 - seen.sum() / all_pixels),
    }


def _override(target: pd.Series, task: str, place: str) -> Task:
    if task not in TASKS:
        raise InputError(f"there is no task {task!r}", where="--task", fix=f"choose one of {listing(TASKS)}")
    unique = int(target.nunique())
    if task == "regression":
        if not is_numeric(target):
            numbers = pd.to_numeric(target, errors="coerce") if target.dtype != bool else target
            example = target[numbers.isna()].iloc[0] if numbers.isna().any() else target.iloc[0]
            raise InputError(
                f"regression needs numbers, but it holds {shown(example)}",
                where=place,
                fix="write the target as plain numbers, or leave --task out to predict classes",
            )
        return "regression"
    if task == "binary" and unique != 2:
        raise InputError(
            f"it has {unique:,} classes, so the task can't be binary",
            where=place,
            fix="use --task multiclass, or merge the classes into two",
        )
    return "multiclass" if task == "multiclass" or unique != 2 else "binary"


def _check_classes(target: pd.Series, place: str) -> None:
    """Classes must repeat: a target that differs in every row is a name or a badly written number."""
    unique, rows = int(target.nunique()), len(target)
    if unique > rows / 2:
        like = target.astype(str).str.fullmatch(r"[^\w\s]{0,2}\s?-?\d[\d.,' ]*\s?[^\W\d]{0,4}[^\w\s]?")
        number = not is_numeric(target) and like.mean() > 0.9
        raise InputError(
            f"{unique:,} classes in {rows:,} rows: most occur only once (such as {shown(target.iloc[0])})",
            where=place,
            fix="write its values as plain numbers (12.5, not $12.50), to predict a number"
            if number
            else "choose a target whose values repeat, or --task regression if it is a quantity",
        )
