"""Baselines of detection: the usual boxes of each class, and windows that a linear model or a forest judges.

A window is described by the colours and the gradients of 4 × 4 cells (Dalal & Triggs 2005) and by how it differs from
what is around it. The models learn from windows on and beside the true objects; then once more with the windows that
they took for an object (Felzenszwalb et al. 2010); a ridge regression moves a window to its object (Girshick et al.
2013, arXiv:1311.2524). Of windows that overlap the best stays. For the test score they are fitted again on training and
validation images together.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from netwright.blocks.detection.nms import batched_nms
from netwright.tasks.baselines import REFITTED, BaselineResult
from netwright.tasks.detection_metrics import iou
from netwright.tasks.task import Task

CELLS, ORIENTATIONS = 4, 8
SHAPES = 6
"""Widths and heights of windows, the centres of the training boxes'."""
PLACES = 3
"""Usual boxes of each class."""
WINDOWS, LEAST_WINDOWS = 900, 150
"""Of an image; fewer where there are many images."""
PREDICTED = 250_000
"""Windows of a part that are judged."""
NEGATIVES, MINED = 12, 6
"""Windows of an image beside objects, and of those taken for one, that are learned from."""
AT_ONCE = 16
LEARNED, MINED_IMAGES = 12_000, 150
"""Windows that the models are fitted on at most, and images that are searched for mistakes."""
LEAST_SCORE, OVERLAP, SUPPRESSED, KEPT = 0.03, 0.4, 400, 100
"""Scores that count; the overlap from which on the better of two windows stays, of the best so many; boxes given."""

Found = dict[str, np.ndarray]
Judge = Callable[[Sequence[Found]], np.ndarray]
"""Boxes, scores and labels of a part's images → a `JudgedImage` for each."""


def run_detection_baselines(
    task: Task,
    images: dict[str, np.ndarray],
    objects: dict[str, np.ndarray],
    judge_validation: Judge,
    judge_test: Judge,
    seed: int = 0,
) -> list[BaselineResult]:
    """Majority, linear, trees. `images` (N, C, S, S) u8 of "train", "validation" and "test"; `objects` (N, M, 6) of the
    first two: boxes in the images' pixels, class (−1: none), whether it is ignored."""
    truths = {part: [_true(row) for row in rows] for part, rows in objects.items()}
    both = np.concatenate([images["train"], images["validation"]]), [*truths["train"], *truths["validation"]]
    results = []
    for name, description, make in (
        ("majority", "in every image the usual boxes of each class", _Usual),
        ("linear", "logistic regression on windows' colours and gradients", _linear),
        ("trees", "a forest of random trees on windows' colours and gradients", _forest),
    ):
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make(seed, len(task.classes)).fit(images["train"], truths["train"])
            validation = judge_validation(model.detect(images["validation"]))
            model = make(seed, len(task.classes)).fit(*both)
            test = judge_test(model.detect(images["test"]))
        fitted = "" if name == "majority" else f"fitted on {LEARNED:,} windows at most, judged at {WINDOWS} of an image"
        note = "; ".join(one for one in (fitted, REFITTED) if one)
        results.append(BaselineResult(name, description, validation, test, perf_counter() - start, note))
    return results


def _true(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (M, 4) and classes (M,) of the objects that are learned."""
    kept = rows[(rows[:, 4] >= 0) & (rows[:, 5] == 0)]
    return kept[:, :4].astype(np.float64), kept[:, 4].astype(np.int64)


class _Usual:
    """For each class the centres of its boxes, with the share of the images that have one there as their score."""

    def __init__(self, seed: int, classes: int):
        self.seed, self.classes = seed, classes

    def fit(self, images: np.ndarray, truths: Sequence[tuple[np.ndarray, np.ndarray]]) -> "_Usual":
        boxes = np.concatenate([boxes for boxes, _ in truths])
        labels = np.concatenate([labels for _, labels in truths])
        found: list[tuple[np.ndarray, float, int]] = []
        for label in range(self.classes):
            own = boxes[labels == label]
            centres, counts = _centres(own, PLACES, self.seed)
            found += [(box, count / len(truths), label) for box, count in zip(centres, counts, strict=True)]
        found.sort(key=lambda one: -one[1])
        self.usual = {
            "boxes": np.array([box for box, _, _ in found]).reshape(-1, 4),
            "scores": np.array([score for _, score, _ in found]),
            "labels": np.array([label for _, _, label in found], dtype=np.int64),
        }
        return self

    def detect(self, images: np.ndarray) -> list[Found]:
        return [self.usual] * len(images)


def _centres(rows: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Up to so many centres of the rows, and how many rows each stands for."""
    different = len(np.unique(rows, axis=0))
    if not different:
        return np.zeros((0, rows.shape[1])), np.zeros(0)
    groups = KMeans(min(most, different), n_init=3, random_state=seed).fit(rows)
    return groups.cluster_centers_, np.bincount(groups.labels_, minlength=len(groups.cluster_centers_))


class _Windows:
    """Windows over the whole image, a classifier that judges each, and a regression that moves it to its object."""

    def __init__(self, seed: int, classes: int, model: Any):
        self.seed, self.classes, self.model = seed, classes, model

    def fit(self, images: np.ndarray, truths: Sequence[tuple[np.ndarray, np.ndarray]]) -> "_Windows":
        rng = np.random.default_rng(self.seed)
        boxes = np.concatenate([boxes for boxes, _ in truths])
        shapes, _ = _centres(np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 2.0)), SHAPES, self.seed)
        self.shapes = np.exp(shapes)
        self.windows = windows(self.shapes, images.shape[2:], WINDOWS)
        samples: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        order = rng.permutation(len(images))
        for row in order:
            samples.append(self._sample(images[row], truths[row], rng))
            if sum(len(labels) for _, labels, _ in samples) > LEARNED:
                break
        x, y, move = (np.concatenate(parts) for parts in zip(*samples, strict=True))
        there = y > 0
        self.mover = make_pipeline(StandardScaler(), Ridge(alpha=10.0)).fit(x[there], move[there])
        self._fit(x, y)
        hard = self._mistakes(images, truths, order[:MINED_IMAGES])
        if len(hard):
            self._fit(np.concatenate([x, hard]), np.concatenate([y, np.zeros(len(hard), dtype=np.int64)]))
        return self

    def _fit(self, x: np.ndarray, y: np.ndarray) -> None:
        self.model.fit(x, y)
        self.columns = self.model.classes_

    def _sample(
        self, image: np.ndarray, truth: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows on objects and beside them: their features, 1 + class (0: beside), and the way to their object."""
        boxes, labels = truth
        side = np.array(image.shape[:0:-1] * 2, dtype=np.float64)
        near = np.repeat(boxes, 4, axis=0)
        size = np.tile(near[:, 2:] - near[:, :2], 2)
        near = np.clip(near + rng.uniform(-0.15, 0.15, near.shape) * size, 0, side)
        every = np.concatenate([boxes, near, self.windows])
        every = every[(every[:, 2:] - every[:, :2] >= 2).all(axis=1)]
        overlap = iou(every, boxes) if len(boxes) else np.zeros((len(every), 1))
        best, mate = overlap.max(axis=1), overlap.argmax(axis=1)
        on, beside = np.flatnonzero(best >= 0.6), np.flatnonzero(best < 0.35)
        on = on[np.sort(rng.permutation(len(on))[: 8 * len(boxes)])]
        beside = rng.permutation(beside)[:NEGATIVES]
        chosen = np.concatenate([on, beside])
        code = np.zeros(len(chosen), dtype=np.int64)
        move = np.zeros((len(chosen), 4))
        if len(boxes):
            code[: len(on)] = 1 + labels[mate[on]]
            move[: len(on)] = _moves(every[on], boxes[mate[on]])
        return window_features(image, every[chosen]), code, move

    def _mistakes(
        self, images: np.ndarray, truths: Sequence[tuple[np.ndarray, np.ndarray]], rows: np.ndarray
    ) -> np.ndarray:
        """Features of the windows beside objects that score most as one, a few of each image."""
        found = []
        for row, (x, scores) in zip(rows, self._judge(images[rows], self.windows), strict=True):
            boxes = truths[row][0]
            overlap = iou(self.windows, boxes).max(axis=1) if len(boxes) else np.zeros(len(self.windows))
            wrong = np.where(overlap < 0.35, 1 - scores[:, 0], 0.0)
            worst = np.argsort(-wrong)[:MINED]
            found.append(x[worst[wrong[worst] > 0.3]])
        return np.concatenate(found)

    def _judge(self, images: np.ndarray, candidates: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """For each image its windows' features and probabilities, (W, 1 + K)."""
        for start in range(0, len(images), AT_ONCE):
            features = [window_features(image, candidates) for image in images[start : start + AT_ONCE]]
            every = self._probabilities(np.concatenate(features))
            yield from zip(features, np.split(every, len(features)), strict=True)

    def _probabilities(self, x: np.ndarray) -> np.ndarray:
        """(N, 1 + K)."""
        every = np.zeros((len(x), 1 + self.classes))
        if len(x):
            every[:, self.columns] = self.model.predict_proba(x)
        return every

    def detect(self, images: np.ndarray) -> list[Found]:
        most = min(WINDOWS, max(LEAST_WINDOWS, PREDICTED // max(1, len(images))))
        candidates = windows(self.shapes, images.shape[2:], most)
        judged = self._judge(images, candidates)
        return [self._detect(x, scores[:, 1:], candidates, images.shape[2:]) for x, scores in judged]

    def _detect(self, x: np.ndarray, scores: np.ndarray, candidates: np.ndarray, size: Sequence[int]) -> Found:
        kept = np.flatnonzero(scores.max(axis=1) > LEAST_SCORE)
        if not len(kept):
            return {"boxes": np.zeros((0, 4)), "scores": np.zeros(0), "labels": np.zeros(0, dtype=np.int64)}
        boxes = _moved(candidates[kept], self.mover.predict(x[kept]), size)
        row, label = np.nonzero(scores[kept] > LEAST_SCORE)
        best = np.argsort(-scores[kept][row, label], kind="stable")[:SUPPRESSED]
        row, label = row[best], label[best]
        found = torch.from_numpy(boxes[row]), torch.from_numpy(scores[kept][row, label]), torch.from_numpy(label)
        stay = batched_nms(*found, OVERLAP)[:KEPT]
        return dict(zip(("boxes", "scores", "labels"), (part[stay].numpy() for part in found), strict=True))


def _linear(seed: int, classes: int) -> _Windows:
    return _Windows(seed, classes, make_pipeline(StandardScaler(), LogisticRegression(max_iter=150, tol=1e-3, C=0.1)))


def _forest(seed: int, classes: int) -> _Windows:
    return _Windows(seed, classes, ExtraTreesClassifier(60, min_samples_leaf=2, n_jobs=1, random_state=seed))


def windows(shapes: np.ndarray, size: Sequence[int], most: int) -> np.ndarray:
    """Boxes (W, 4) of these widths and heights all over an image (h, w), at most about so many: the smaller, the more.

    Neighbours are at first a fifth of their side apart.
    """
    height, width = size
    share = 0.2
    while True:
        found = []
        for w, h in np.minimum(shapes, [width, height]):
            xs = np.linspace(0, width - w, 1 + int((width - w) / max(1.0, share * w)))
            ys = np.linspace(0, height - h, 1 + int((height - h) / max(1.0, share * h)))
            x, y = (grid.ravel() for grid in np.meshgrid(xs, ys))
            found.append(np.stack([x, y, x + w, y + h], axis=1))
        every = np.concatenate(found)
        if len(every) <= most or share > 1:
            return every
        share *= 1.15


def window_features(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Image (C, H, W) u8, boxes (N, 4) → (N, D): mean colours and directions of gradients of each cell, the colours
    against those around, and the size."""
    colours = image.astype(np.float64) / 255
    sums = _sums(np.concatenate([colours, _gradients(colours)]))
    size = boxes[:, 2:] - boxes[:, :2]
    steps = np.arange(CELLS + 1) / CELLS
    xs = _pixels(boxes[:, :1] + size[:, :1] * steps, image.shape[2])
    ys = _pixels(boxes[:, 1:2] + size[:, 1:] * steps, image.shape[1])
    cells = _means(sums, xs[:, None, :-1], ys[:, :-1, None], xs[:, None, 1:], ys[:, 1:, None])  # (D, N, 4, 4)
    colour, gradient = cells[: len(image)], cells[len(image) :]
    gradient = gradient / (np.sqrt((gradient**2).sum(axis=(0, 2, 3), keepdims=True)) + 1e-2)
    grown = np.concatenate([boxes[:, :2] - size / 3, boxes[:, 2:] + size / 3], axis=1)
    limits = [_pixels(grown[:, i], image.shape[2 - i % 2]) for i in range(4)]
    around = _means(sums[: len(image)], *limits)
    inside = colour.mean(axis=(2, 3))
    parts = [colour, gradient, inside - around, np.log(np.maximum(size, 1)).T]
    return np.concatenate([part.reshape(len(part), len(boxes), -1).transpose(1, 0, 2).reshape(len(boxes), -1)
                           for part in parts], axis=1).astype(np.float32)  # fmt: skip


def _gradients(colours: np.ndarray) -> np.ndarray:
    """(C, H, W) → (O, H, W): at each pixel the strongest channel's gradient, in the plane of its direction."""
    dy, dx = np.gradient(colours, axis=(1, 2))
    strength = dx**2 + dy**2
    best = strength.argmax(axis=0)[None]
    dy, dx, strength = (np.take_along_axis(part, best, axis=0)[0] for part in (dy, dx, strength))
    bins = (np.arctan2(dy, dx) % np.pi / np.pi * ORIENTATIONS).astype(int) % ORIENTATIONS
    return (bins == np.arange(ORIENTATIONS)[:, None, None]) * np.sqrt(strength)


def _sums(maps: np.ndarray) -> np.ndarray:
    """(D, H, W) → (D, H + 1, W + 1): what lies above and left of each corner, added up."""
    return np.pad(maps, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)


def _pixels(at: np.ndarray, side: int) -> np.ndarray:
    return np.clip(np.rint(at), 0, side).astype(int)


def _means(sums: np.ndarray, x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray) -> np.ndarray:
    """Means over rectangles, at least a pixel each."""
    x1, y1 = np.minimum(x1, sums.shape[2] - 2), np.minimum(y1, sums.shape[1] - 2)
    x2, y2 = np.maximum(x2, x1 + 1), np.maximum(y2, y1 + 1)
    total = sums[:, y2, x2] - sums[:, y1, x2] - sums[:, y2, x1] + sums[:, y1, x1]
    return total / ((x2 - x1) * (y2 - y1))


def _moves(windows: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The way from a window to its object: of the centre in sides, of the size in logarithms."""
    size, wanted = windows[:, 2:] - windows[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    between = (boxes[:, :2] + boxes[:, 2:] - windows[:, :2] - windows[:, 2:]) / 2
    return np.concatenate([between / size, np.log(wanted / size)], axis=1)


def _moved(windows: np.ndarray, moves: np.ndarray, size: Sequence[int]) -> np.ndarray:
    sides = windows[:, 2:] - windows[:, :2]
    centre = (windows[:, :2] + windows[:, 2:]) / 2 + np.clip(moves[:, :2], -0.5, 0.5) * sides
    half = sides * np.exp(np.clip(moves[:, 2:], -0.7, 0.7)) / 2
    height, width = size
    return np.clip(np.concatenate([centre - half, centre + half], axis=1), 0, [width, height, width, height])
