"""COCO's average precision in a few lines of numpy; a handed-over predict.py of a detector has it.

`found` are boxes (N, 4), scores (N,) and labels (N,) of each image, `truths` plain data: boxes, labels, ignored.
"""

import numpy as np


def average_precision(found: list[dict], truths: list[dict], classes: int, thresholds: np.ndarray) -> float:
    """The mean over the classes and thresholds of IoU of the mean precision at 101 recalls, as COCO has it."""
    areas = []
    for label in range(classes):
        scores, hits, counted, total = [], [], [], 0
        for said, true in zip(found, truths, strict=True):
            chosen = np.flatnonzero(said["labels"] == label)
            chosen = chosen[np.argsort(-said["scores"][chosen], kind="stable")[:100]]
            there = np.array(true["labels"], dtype=int) == label
            ignored = np.array(true["ignored"], dtype=bool)[there]
            boxes = np.array(true["boxes"], dtype=float).reshape(-1, 4)[there]
            overlaps = overlaps_of(said["boxes"][chosen].astype(float), boxes, ignored)
            hit, outside = matches(overlaps, ignored, thresholds)
            scores.append(said["scores"][chosen])
            hits.append(hit)
            counted.append(~outside)
            total += int((~ignored).sum())
        if not total:
            continue
        order = np.argsort(-np.concatenate(scores), kind="stable")
        every = (np.concatenate(parts, axis=1)[:, order] for parts in (hits, counted))
        for right, counts in zip(*every, strict=True):
            reached, wrong = (right & counts).cumsum(), (~right & counts).cumsum()
            precision = reached / (reached + wrong + np.spacing(1))
            best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
            areas.append(best[np.searchsorted(reached / total, np.linspace(0, 1, 101))].mean())
    return float(np.mean(areas)) if areas else float("nan")


def overlaps_of(a: np.ndarray, b: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """Intersection over union (N, M) of boxes; of what is ignored the share of the first box that lies in it."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    both = sides.clip(0).prod(-1)
    first, second = ((boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b))
    union = np.where(ignored, first[:, None], first[:, None] + second - both)
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


def matches(overlaps: np.ndarray, ignored: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At each threshold, (T, N): which boxes, best first, have a true one of their own; which lie on an ignored one."""
    hit = np.zeros((len(thresholds), len(overlaps)), dtype=bool)
    outside = hit.copy()
    for t, least in enumerate(thresholds):
        taken = np.zeros(len(ignored), dtype=bool)
        for n, row in enumerate(overlaps):
            free = (row >= min(least, 1 - 1e-10)) & (~taken | ignored)
            among = free & ~ignored if (free & ~ignored).any() else free
            if among.any():
                best = len(row) - 1 - np.where(among, row, -1.0)[::-1].argmax()  # of equals the last
                hit[t, n], outside[t, n], taken[best] = True, ignored[best], True
    return hit, outside


def ap50(found: list[dict], truths: list[dict], classes: int) -> float:
    """Average precision at an overlap of 0.5."""
    return average_precision(found, truths, classes, np.array([0.5]))


def ap75(found: list[dict], truths: list[dict], classes: int) -> float:
    """Average precision at an overlap of 0.75."""
    return average_precision(found, truths, classes, np.array([0.75]))


def map50_95(found: list[dict], truths: list[dict], classes: int) -> float:
    """The mean average precision at overlaps of 0.5, 0.55 … 0.95."""
    return average_precision(found, truths, classes, np.linspace(0.5, 0.95, 10))
