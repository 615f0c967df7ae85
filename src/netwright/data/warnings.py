"""What a person should know about the data before a number is believed: warnings as data, with ids."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.checks import is_numeric, listing
from netwright.data.columns import Column, ambiguous_dates, unparsed_numbers
from netwright.data.dataset import Dataset
from netwright.data.leaks import leaks

FEW_ROWS = 200
IMBALANCED = 10.0
"""The largest class is at least this many times the smallest."""
RARE = 5
SMALL = 0.002
"""Share of all pixels below which a class is said to be small."""
MOSTLY = 0.5
TINY = 0.03
"""Share of the image's longer side below which an object is said to be tiny."""
MANY_OBJECTS = 100
"""Detections of an image that count, as COCO has it."""
MANY_LEVELS = 1000
TOGETHER = 5
"""More columns than this with the same warning share one."""

DRIFT = 0.3
"""Rank correlation of the target with the row's number from which on the order is worth a word."""


@dataclass
class DataWarning:
    """One thing to know: which rule, where, what was seen, what to do."""

    id: str
    where: str
    message: str
    fix: str


def warnings_of(dataset: Dataset, task: str, target: dict[str, Any], columns: list[Column]) -> list[DataWarning]:
    """Every warning on a data set, the gravest first."""
    found = []
    if dataset.modality == "table":
        found += [DataWarning(*leak) for leak in leaks(dataset.inputs, dataset.target, task, columns)]
        found += _together(_of_columns(dataset, columns))
    if task == "segmentation":
        return found + _of_masks(dataset, target)
    if task == "detection":
        return found + _of_boxes(dataset, target)
    found += _of_target(dataset, task, target)
    found += _of_order(dataset, task)
    return found + _of_size(dataset)


def _of_size(dataset: Dataset) -> list[DataWarning]:
    if len(dataset) >= FEW_ROWS:
        return []
    message = f"{len(dataset)} rows: the test score will be rough, and simple models are hard to beat"
    return [DataWarning("few-rows", dataset.name, message, "add data, or read the interval, not the score")]


def _of_masks(dataset: Dataset, target: dict[str, Any]) -> list[DataWarning]:
    """Classes that few images or few pixels show, and pixels that have none."""
    found = []
    classes = list(zip(target["labels"], target["counts"], target["images"], strict=True))
    rare = [f"{label} ({images})" for label, _, images in classes if images < RARE]
    if rare:
        message = f"{len(rare)} of {len(classes)} classes are seen in fewer than {RARE} images: {listing(rare, 5)}"
        found.append(DataWarning("rare-class", "masks", message, "add images of them, or merge these classes"))
    small = [
        f"{label} ({count / sum(target['counts']):.2%})"
        for label, count, _ in classes
        if count > 0 and count / sum(target["counts"]) < SMALL
    ]
    if small:
        message = (
            f"{len(small)} of {len(classes)} classes fill less than {SMALL:.1%} of the pixels: {listing(small, 5)}"
        )
        fix = "pixel accuracy hides them; mIoU counts every class alike"
        found.append(DataWarning("imbalance", "masks", message, fix))
    if target["unlabelled"] > MOSTLY:
        message = f"{target['unlabelled']:.0%} of the pixels have no class (255) and count nowhere"
        found.append(DataWarning("mostly-unlabelled", "masks", message, "check how the masks were written"))
    return found + _of_size(dataset)


def _of_boxes(dataset: Dataset, target: dict[str, Any]) -> list[DataWarning]:
    """Classes that few images show, many images without a box, objects too small or too many."""
    found = []
    classes = list(zip(target["labels"], target["counts"], target["images"], strict=True))
    rare = [f"{label} ({images})" for label, _, images in classes if images < RARE]
    if rare:
        message = f"{len(rare)} of {len(classes)} classes are seen in fewer than {RARE} images: {listing(rare, 5)}"
        found.append(DataWarning("rare-class", "boxes", message, "add images of them, or merge these classes"))
    if target["imbalance"] >= IMBALANCED:
        most, least = max(classes, key=lambda c: c[1]), min((c for c in classes if c[1]), key=lambda c: c[1])
        message = f"{most[0]} has {most[1]:,} boxes, {least[0]} only {least[1]:,}"
        fix = "look at each class's AP: the mean counts them alike"
        found.append(DataWarning("imbalance", "boxes", message, fix))
    if target["empty"] > MOSTLY * len(dataset):
        message = f"{target['empty']:,} of {len(dataset):,} images have no box: they are learned as empty"
        found.append(DataWarning("mostly-empty", "boxes", message, "leave out images that were not annotated"))
    if target["sizes"]["p25"] < TINY:
        message = f"a quarter of the objects are smaller than {target['sizes']['p25']:.1%} of their image's side"
        fix = "cut images into tiles, or give a larger --image-size"
        found.append(DataWarning("tiny-objects", "boxes", message, fix))
    if target["objects"]["max"] > MANY_OBJECTS:
        message = f"an image has {target['objects']['max']} objects; detectors give up to {MANY_OBJECTS} of a class"
        found.append(DataWarning("crowded", "boxes", message, "cut such images into tiles"))
    return found + _of_size(dataset)


def _together(warnings: list[DataWarning]) -> list[DataWarning]:
    """One warning in place of many columns' with the same id."""
    found = []
    for id in dict.fromkeys(warning.id for warning in warnings):
        same = [warning for warning in warnings if warning.id == id]
        if len(same) <= TOGETHER:
            found += same
            continue
        names = listing([warning.where.removeprefix("column ") for warning in same], TOGETHER)
        message = f"{names}; the first: {same[0].message}"
        found.append(DataWarning(id, f"{len(same)} columns", message, same[0].fix))
    return found


def _of_columns(dataset: Dataset, columns: list[Column]) -> list[DataWarning]:
    found = []
    for column in columns:
        name, series = column.name, dataset.inputs[column.name]

        def warn(id: str, message: str, fix: str, name: str = name) -> None:
            found.append(DataWarning(id, f"column {name}", message, fix))

        if column.kind == "identifier":
            warn("identifier", f"not used: {column.reason}", "nothing to do, if it names the rows")
        elif column.kind == "constant":
            warn("constant", f"not used: {column.reason}", "nothing to do")
        elif column.kind == "missing":
            warn("all-missing", "not used: every value is missing", "check how the data were joined")
        elif column.kind == "text":
            warn("text-column", f"not used: {column.reason}", f"--text {name} learns from this text alone")
        elif column.kind == "categorical" and column.unique > max(MANY_LEVELS, 0.5 * len(series)):
            message = f"{column.unique:,} categories in {len(series):,} rows: only the frequent ones are kept"
            warn("near-unique", message, f"use coarser categories, or leave it out (--drop {name})")
        elif column.kind == "date":
            if column.format and ambiguous_dates(series, column.format):
                read = column.reason.removeprefix("it holds dates, ")
                message = f"day and month can't be told apart; read as {read}"
                warn("ambiguous-date", message, "write dates as year-month-day")
            if dataset.time_column is None:
                message = "it is a date: if the network is to predict the future, a random split flatters it"
                warn("time-order", message, f"--time-column {name} tests on the latest rows")
        elif column.kind == "numeric" and len(odd := unparsed_numbers(series)):
            entries = listing(sorted(odd.unique()), 5)
            message = f"{len(odd):,} entries are no numbers and count as missing: {entries}"
            warn("numbers-as-text", message, "leave such cells empty")
        if column.used and column.missing > 0.5 * len(series):
            message = f"{column.missing / len(series):.0%} of its values are missing"
            warn("mostly-missing", message, f"check the source, or leave it out (--drop {name})")
    return found


def _of_target(dataset: Dataset, task: str, target: dict[str, Any]) -> list[DataWarning]:
    found = []
    where = f"target {dataset.target_name}"
    if task == "regression":
        if target["skew"] > 2 and target["quantiles"]["0"] > 0:
            message = f"it is skewed ({target['skew']:.1f}): the largest values dominate the squared error"
            found.append(DataWarning("skewed-target", where, message, "learning its logarithm may be better"))
        return found
    pairs = sorted(zip(target["counts"], map(str, target["labels"]), strict=True))
    rare = [f"{label} ({count})" for count, label in pairs if count < RARE]
    if rare:
        message = f"{len(rare)} of {len(pairs)} classes have fewer than {RARE} rows: {listing(rare, 5)}"
        found.append(DataWarning("rare-class", where, message, "add rows, or merge these classes into one"))
    if target["imbalance"] >= IMBALANCED:
        message = f"{pairs[-1][1]} has {pairs[-1][0]:,} rows, {pairs[0][1]} only {pairs[0][0]:,}"
        fix = "accuracy flatters here: look at balanced accuracy or AUC"
        found.append(DataWarning("imbalance", where, message, fix))
    alike: dict[str, list[str]] = {}
    for _, label in pairs:
        alike.setdefault(label.strip().lower(), []).append(label)
    for labels in alike.values():
        if len(labels) > 1:
            message = f"classes that differ only in case or spaces: {', '.join(map(repr, labels))}"
            found.append(DataWarning("similar-classes", where, message, "write them alike, if they are one class"))
    return found


def _of_order(dataset: Dataset, task: str) -> list[DataWarning]:
    """A target that drifts with the row's number: rows in time order, or sorted."""
    if dataset.time_column is not None or dataset.modality == "image" or len(dataset) < 100:
        return []
    order = np.arange(len(dataset))
    where = f"target {dataset.target_name}"
    fix = "if the rows are in the order of time, split by it (--time-column); if sorted, nothing to do"
    if task == "regression" and is_numeric(dataset.target):
        ranks = dataset.target.rank().to_numpy()
        drift = abs(float(np.corrcoef(order, ranks)[0, 1]))
        if drift < DRIFT:
            return []
        message = f"it drifts with the rows' order (rank correlation {drift:.2f})"
        return [DataWarning("row-order", where, message, fix)]
    codes = pd.factorize(dataset.target)[0]
    runs = 1 + int((codes[1:] != codes[:-1]).sum())
    if runs == codes.max() + 1:  # one block for each class: sorted, not drifting
        return []
    means = pd.Series(order).groupby(codes).transform("mean").to_numpy()
    share = float(means.var() / order.var())
    if share < DRIFT**2:
        return []
    message = f"its classes drift with the rows' order (they explain {share:.0%} of it)"
    return [DataWarning("row-order", where, message, fix)]
