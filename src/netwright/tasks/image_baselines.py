"""Baselines of images: linear and trees on pixels, averaged to fewer where there are many."""

from math import floor, sqrt
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.base import BaseEstimator, TransformerMixin

from netwright.tasks.baseline_models import Candidate, linear_models, trees
from netwright.tasks.task import Task

MOST_FOR_LINEAR = 1024
MOST_FOR_TREES = 256
ROWS_AT_ONCE = 1024


def candidates(task: Task, images: np.ndarray, targets: np.ndarray, seed: int) -> list[Candidate]:
    models, choice = linear_models(task)
    linear = "logistic regression" if task.is_classification else "ridge regression"
    return [
        Candidate("linear", f"{linear} on pixels", Pixels(MOST_FOR_LINEAR), models, choice,
                  _pooled(images, MOST_FOR_LINEAR)),
        Candidate("trees", "gradient-boosted trees (HistGradientBoosting) on pixels", Pixels(MOST_FOR_TREES),
                  *trees(task, targets, seed, alike=True), _pooled(images, MOST_FOR_TREES)),
    ]  # fmt: skip


class Pixels(TransformerMixin, BaseEstimator):
    """Images (N, H, W), (N, C, H, W) or (N, H, W, C) → (N, at most `most`), area-averaged to the largest size of
    the same shape that fits; over the standard deviation of all pixels, since single ones are often constant."""

    def __init__(self, most: int):
        self.most = most

    def fit(self, images: np.ndarray, y: Any = None) -> "Pixels":
        self.size_ = pooled_size(images, self.most)
        pixels = self._pixels(images)
        self.mean_, self.deviation_ = float(pixels.mean()), float(pixels.std()) or 1.0
        return self

    def transform(self, images: np.ndarray) -> np.ndarray:
        return (self._pixels(images) - self.mean_) / self.deviation_

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        parts = [images[start : start + ROWS_AT_ONCE] for start in range(0, len(images), ROWS_AT_ONCE)]
        return np.concatenate(
            [F.adaptive_avg_pool2d(channels_first(part), self.size_).flatten(1).numpy() for part in parts]
        )


def channels_first(images: np.ndarray) -> torch.Tensor:
    """(N, H, W), (N, C, H, W) or (N, H, W, C) → float (N, C, H, W). At most four channels; C first where both fit."""
    x = torch.from_numpy(np.ascontiguousarray(images)).float()
    if x.dim() == 3:
        return x.unsqueeze(1)
    return x if x.shape[1] <= 4 or x.shape[3] > 4 else x.permute(0, 3, 1, 2)


def pooled_size(images: np.ndarray, most: int) -> tuple[int, int]:
    """The largest (h, w) of about the same shape with C·h·w ≤ most."""
    _, channels, height, width = channels_first(images[:1]).shape
    if channels * height * width <= most:
        return height, width
    scale = sqrt(most / (channels * height * width))
    return max(1, floor(height * scale)), max(1, floor(width * scale))


def _pooled(images: np.ndarray, most: int) -> str:
    _, _, height, width = channels_first(images[:1]).shape
    h, w = pooled_size(images, most)
    return "" if (h, w) == (height, width) else f"images averaged from {height}×{width} to {h}×{w} pixels"
