"""Metrics of object detection and instance segmentation: COCO's average precision, the figures of pycocotools.

Detections of one image are {"boxes": (N, 4) x1 y1 x2 y2, "scores": (N,), "labels": (N,)}, its true objects
{"boxes": (M, 4), "labels": (M,)}, both with "masks" (N, H, W) where masks count: true, or a probability above one
half, on the object. All are arrays or tensors on the CPU. True objects may have "crowd" (M,), true where one box
stands for a crowd, and "area" (M,), which decides what is small; without it, it is that of the box or mask.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netwright.errors import InputError

Objects = Mapping[str, Any]

THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of IoU: which detections are right
RECALLS = np.linspace(0.0, 1.0, 101)  # at which the precision is read
AREAS = ((0.0, 1e10), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e10))  # all, small, medium, large


@dataclass(frozen=True)
class AveragePrecision:
    """COCO's summary; NaN where no true object is of the kind.

    `ap` is the mean over the IoU thresholds 0.50, 0.55 … 0.95 and over the classes with true objects, `ap50` and
    `ap75` at one threshold, `small`, `medium` and `large` of objects up to 32², 96² pixels and above. `recall` is the
    mean recall with `max_detections` of a class in each image. `classes` is `ap` of each class.
    """

    ap: float
    ap50: float
    ap75: float
    small: float
    medium: float
    large: float
    recall: float
    classes: np.ndarray


def average_precision(
    detections: Sequence[Objects],
    truths: Sequence[Objects],
    num_classes: int,
    *,
    masks: bool = False,
    max_detections: int = 100,
) -> AveragePrecision:
    """AP of boxes, or of masks, over a set of images; labels are 0 … num_classes − 1.

    Detections go to the true objects in order of their score, each to the free one of its image and class that it
    overlaps most; the precision at each recall is the best at that recall or beyond.
    Source: Lin et al. 2014, Microsoft COCO, arXiv:1405.0312, and its evaluation server.
    """
    if len(detections) != len(truths):
        raise InputError(f"{len(detections)} lists of detections for {len(truths)} images", where="detections")
    found = [columns_of(objects, masks, scored=True) for objects in detections]
    real = [columns_of(objects, masks, scored=False) for objects in truths]
    precision = np.full((len(AREAS), len(THRESHOLDS), len(RECALLS), num_classes), np.nan)
    recall = np.full((len(THRESHOLDS), num_classes), np.nan)
    for label in range(num_classes):
        images = [pair(d, t, label, masks, max_detections) for d, t in zip(found, real, strict=True)]
        for i, area in enumerate(AREAS):
            matched = [match_image(image, area) for image in images if image is not None]
            curve = _curve(matched)
            if curve is not None:
                precision[i, ..., label], reached = curve
                if i == 0:
                    recall[:, label] = reached
    return AveragePrecision(
        ap=_mean(precision[0]),
        ap50=_mean(precision[0, 0]),
        ap75=_mean(precision[0, 5]),
        small=_mean(precision[1]),
        medium=_mean(precision[2]),
        large=_mean(precision[3]),
        recall=_mean(recall),
        classes=np.array([_mean(precision[0, ..., label]) for label in range(num_classes)]),
    )


@dataclass(frozen=True)
class Pairing:
    """One class in one image: D detections, best first, and G true objects."""

    scores: np.ndarray  # (D,)
    areas: np.ndarray  # (D,)
    overlap: np.ndarray  # (D, G)
    crowd: np.ndarray  # (G,)
    true_areas: np.ndarray  # (G,)


def columns_of(objects: Objects, masks: bool, scored: bool) -> dict[str, np.ndarray]:
    """The columns that count, as arrays: label, shape and its extent in pixels, score or crowd, area."""
    labels = np.asarray(objects["labels"]).reshape(-1)
    if masks:
        pixels = np.asarray(objects["masks"]) > 0.5
        shape: np.ndarray = pixels.reshape(len(pixels), math.prod(pixels.shape[1:])).astype(np.float32)
        extent = shape.sum(1, dtype=np.float64)
    else:
        shape = np.asarray(objects["boxes"], dtype=np.float64).reshape(-1, 4)
        extent = (shape[:, 2] - shape[:, 0]) * (shape[:, 3] - shape[:, 1])
    given = {"scores": objects["scores"]} if scored else {"crowd": objects.get("crowd", np.zeros(len(labels)))}
    columns = {name: np.asarray(values).reshape(-1) for name, values in given.items()}
    area = extent if scored else np.asarray(objects.get("area", extent), dtype=np.float64).reshape(-1)
    arrays = {"labels": labels, "shape": shape, "extent": extent, "area": area, **columns}
    lengths = {name: len(column) for name, column in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"objects of one image have columns of different lengths: {lengths}", where="detections")
    return arrays


def pair(
    found: dict[str, np.ndarray], real: dict[str, np.ndarray], label: int, masks: bool, most: int
) -> Pairing | None:
    """What there is of one class in one image, or None."""
    chosen, true = np.flatnonzero(found["labels"] == label), np.flatnonzero(real["labels"] == label)
    if not len(chosen) and not len(true):
        return None
    chosen = chosen[np.argsort(-found["scores"][chosen], kind="stable")[:most]]
    crowd = real["crowd"][true].astype(bool)
    intersection = _masks_intersect if masks else _boxes_intersect
    area, both = found["area"][chosen], intersection(found["shape"][chosen], real["shape"][true])
    # with a crowd, what counts is the share of the detection that lies in it
    union = np.where(crowd, area[:, None], area[:, None] + real["extent"][true] - both)
    overlap = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return Pairing(found["scores"][chosen], area, overlap, crowd, real["area"][true])


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union (N, M) of boxes (N, 4) and (M, 4)."""
    both = _boxes_intersect(a, b)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1] - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def _boxes_intersect(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Areas (N, M) that boxes (N, 4) and (M, 4) share."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    return sides.clip(0).prod(-1)


def _masks_intersect(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pixels (N, M) that flat masks (N, P) and (M, P) share."""
    return (a @ b.T).astype(np.float64) if len(a) and len(b) else np.zeros((len(a), len(b)))


def match_image(image: Pairing, area: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Scores (D,), which are right (T, D), which don't count (T, D), and how many true objects there are to find.

    A true object of another size, or a crowd, is neither to be found nor wrong to find.
    """
    ignored = image.crowd | (image.true_areas < area[0]) | (image.true_areas > area[1])
    thresholds = np.minimum(THRESHOLDS, 1 - 1e-10)[:, None]
    every = np.arange(len(thresholds))
    hit = np.zeros((len(thresholds), len(image.scores)), dtype=bool)
    outside = hit.copy()
    taken = np.zeros((len(thresholds), len(ignored)), dtype=bool)
    likely = np.flatnonzero((image.overlap >= thresholds[0]).any(1)) if len(ignored) else ()
    for d in likely:
        row = image.overlap[d]
        free = (row >= thresholds) & (~taken | image.crowd)
        wanted = free & ~ignored
        among = np.where(wanted.any(1, keepdims=True), wanted, free)
        best = len(row) - 1 - np.where(among, row, -1.0)[:, ::-1].argmax(1)  # of equals the last
        matched = among.any(1)
        hit[:, d] = matched
        outside[:, d] = matched & ignored[best]
        taken[every[matched], best[matched]] = True
    size = (image.areas < area[0]) | (image.areas > area[1])
    return image.scores, hit, outside | (~hit & size), int((~ignored).sum())


def _curve(matched: list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray] | None:
    """Precision (T, R) at each recall, and the recall (T,) with all detections; None with nothing to find."""
    total = sum(wanted for *_, wanted in matched)
    if not total:
        return None
    order = np.argsort(-np.concatenate([scores for scores, *_ in matched]), kind="stable")
    hit = np.concatenate([h for _, h, _, _ in matched], axis=1)[:, order]
    counts = ~np.concatenate([o for _, _, o, _ in matched], axis=1)[:, order]
    right, wrong = (hit & counts).cumsum(1), (~hit & counts).cumsum(1)
    precision = np.zeros((len(THRESHOLDS), len(RECALLS)))
    reached = np.zeros(len(THRESHOLDS))
    for t in range(len(THRESHOLDS)):
        if not len(order):
            continue
        recalls = right[t] / total
        best = np.maximum.accumulate((right[t] / (right[t] + wrong[t] + np.spacing(1)))[::-1])[::-1]
        index = np.searchsorted(recalls, RECALLS, side="left")
        precision[t] = np.append(best, 0.0)[index]
        reached[t] = recalls[-1]
    return precision, reached


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")
