"""Average precision of many resamples of the images at once: what the bootstrap of detection needs.

    rows = judged(detections, truths, num_classes)      # an object array: one entry for each image
    resampled(rows, weights, AP50)                      # (R,): a score for each row of weights (R, N)

With weights of one these are the figures of `detection_metrics`, and so pycocotools'.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netwright.tasks.detection_metrics import AREAS, RECALLS, THRESHOLDS, Objects, columns_of, match_image, pair

AP50, AP75, AP = (0,), (5,), tuple(range(len(THRESHOLDS)))
"""Places of the IoU thresholds that a score is the mean of."""
MOST = 100
"""Detections of a class in an image that count, as COCO has it."""
NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class JudgedImage:
    """Detections of one image, those of each class best first, and how many objects of each class there are to find."""

    labels: np.ndarray  # (D,)
    scores: np.ndarray  # (D,)
    right: np.ndarray  # (T, D) bool, at each IoU threshold
    counts: np.ndarray  # (T, D) bool: not on a crowd
    objects: np.ndarray  # (K,)


def judged(detections: Sequence[Objects], truths: Sequence[Objects], num_classes: int) -> np.ndarray:
    """Detections held against true objects, image by image: (N,) of `JudgedImage`. Inputs as in `detection_metrics`."""
    rows = np.empty(len(truths), dtype=object)
    for row, (found, truth) in enumerate(zip(detections, truths, strict=True)):
        rows[row] = _judge(columns_of(found, False, scored=True), columns_of(truth, False, scored=False), num_classes)
    return rows


def _judge(found: dict[str, np.ndarray], truth: dict[str, np.ndarray], num_classes: int) -> JudgedImage:
    labels, parts, objects = [], [], np.zeros(num_classes, dtype=np.int64)
    for label in range(num_classes):
        paired = pair(found, truth, label, False, MOST)
        if paired is not None:
            scores, right, outside, objects[label] = match_image(paired, AREAS[0])
            labels.append(np.full(len(scores), label))
            parts.append((scores, right, ~outside))
    if not parts:
        none = np.zeros((len(THRESHOLDS), 0), dtype=bool)
        return JudgedImage(np.zeros(0, dtype=np.int64), np.zeros(0), none, none, objects)
    scores, right, counts = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    return JudgedImage(np.concatenate(labels), scores, right, counts, objects)


def resampled(rows: np.ndarray, weights: np.ndarray, thresholds: Sequence[int] = AP50) -> np.ndarray:
    """Average precision (R,), each image as often as it was drawn, the mean over classes with objects; NaN without."""
    every = np.stack([resampled_class(rows, weights, label, thresholds) for label in range(len(rows[0].objects))])
    known = ~np.isnan(every)
    return np.where(known, every, 0.0).sum(0) / known.sum(0)


def class_scores(rows: np.ndarray, thresholds: Sequence[int] = AP50) -> np.ndarray:
    """Average precision of each class, (K,); NaN where there is none to find."""
    once = np.ones((1, len(rows)))
    return np.array([resampled_class(rows, once, label, thresholds)[0] for label in range(len(rows[0].objects))])


def resampled_class(rows: np.ndarray, weights: np.ndarray, label: int, thresholds: Sequence[int]) -> np.ndarray:
    """Average precision (R,) of one class, the mean over the thresholds; NaN where no object of it was drawn."""
    picked = [one.labels == label for one in rows]
    owner = np.repeat(np.arange(len(rows)), [chosen.sum() for chosen in picked])
    scores = np.concatenate([one.scores[chosen] for one, chosen in zip(rows, picked, strict=True)])
    order = np.argsort(-scores, kind="stable")
    right, counts = (
        np.concatenate([getattr(one, name)[:, chosen] for one, chosen in zip(rows, picked, strict=True)], axis=1)
        for name in ("right", "counts")
    )
    total = weights @ np.array([one.objects[label] for one in rows], dtype=np.float64)
    found = np.zeros(len(weights))
    if len(order):
        at_once = max(1, NUMBERS_AT_ONCE // len(order))
        for start in range(0, len(weights), at_once):
            some = slice(start, start + at_once)
            drawn = weights[some][:, owner[order]]
            for threshold in thresholds:
                hit, counted = right[threshold, order], counts[threshold, order]
                found[some] += _area(drawn * (hit & counted), drawn * (~hit & counted), total[some])
    return np.where(total > 0, found / len(thresholds), np.nan)


def _area(right: np.ndarray, wrong: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Mean precision at 101 recalls, (R,), of detections best first, (R, D): at each the best there or beyond."""
    hits, misses = right.cumsum(1), wrong.cumsum(1)
    precision = hits / (hits + misses + np.spacing(1))
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    areas = np.zeros(len(total))
    for row in np.flatnonzero(total > 0):
        reached = np.searchsorted(hits[row] / total[row], RECALLS, side="left")
        areas[row] = best[row, reached[reached < best.shape[1]]].sum() / len(RECALLS)
    return areas
