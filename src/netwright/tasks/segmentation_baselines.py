"""Baselines of segmentation: the most frequent class everywhere, and models that judge each pixel by itself.

A pixel is described by its colour, its place in the image, and the mean and deviation of the colours around it. The
models learn from a sample of the training pixels. Fair to the baseline as those of other tasks: for the test score they
are fitted again on training and validation images together.
"""

import warnings
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from netwright.tasks.baselines import REFITTED, BaselineResult
from netwright.tasks.task import Task

IGNORE = 255
WINDOWS = (3, 7, 15)
"""Sides of the squares whose mean and deviation describe a pixel's surroundings."""
LINEAR_PIXELS, FOREST_PIXELS = 10_000, 20_000
"""Training pixels that the models are fitted on."""
PREDICTED = 2_000_000
"""Pixels of a part that are predicted; of more, every second or third, and those between are taken to be alike."""
IMAGES_AT_ONCE = 16

Count = Callable[[np.ndarray], np.ndarray]
"""Class codes (N, S, S) of a part's images → a confusion matrix for each, (N, K, K)."""


def run_segmentation_baselines(
    task: Task,
    images: dict[str, np.ndarray],
    masks: dict[str, np.ndarray],
    count_validation: Count,
    count_test: Count,
    seed: int = 0,
) -> list[BaselineResult]:
    """Majority, linear, trees. `images` (N, C, S, S) u8 of "train", "validation" and "test"; `masks` (N, S, S) of the
    first two."""
    both_images = np.concatenate([images["train"], images["validation"]])
    both_masks = np.concatenate([masks["train"], masks["validation"]])
    results = []
    for name, description, make, pixels in (
        ("majority", "the most frequent class everywhere", _Majority, FOREST_PIXELS),
        ("linear", "logistic regression on each pixel's colour, place and surroundings", _linear, LINEAR_PIXELS),
        ("trees", "a random forest on each pixel's colour, place and surroundings", _forest, FOREST_PIXELS),
    ):
        start = perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make(seed).fit(*_sample(images["train"], masks["train"], pixels, seed))
            validation = count_validation(_predict(model, images["validation"]))
            model = make(seed).fit(*_sample(both_images, both_masks, pixels, seed))
            test = count_test(_predict(model, images["test"]))
        step = max(_step(images["validation"]), _step(images["test"]))
        said = f"predicted at every {'second' if step == 2 else f'{step}th'} pixel of a row and column"
        notes = [
            "" if name == "majority" else f"fitted on {pixels:,} pixels at most",
            said if step > 1 else "",
            REFITTED,
        ]
        note = "; ".join(note for note in notes if note)
        results.append(BaselineResult(name, description, validation, test, perf_counter() - start, note))
    return results


def pixel_features(images: np.ndarray) -> torch.Tensor:
    """Images (B, C, H, W) → (B, D, H, W): colours, y and x from 0 to 1, mean and deviation in windows of 3, 7, 15."""
    x = torch.from_numpy(np.ascontiguousarray(images)).float() / 255
    batch, _, height, width = x.shape
    y = torch.linspace(0, 1, height).view(1, 1, height, 1).expand(batch, 1, height, width)
    across = torch.linspace(0, 1, width).view(1, 1, 1, width).expand(batch, 1, height, width)
    parts = [x, y, across]
    for window in WINDOWS:
        around = F.pad(x, [window // 2] * 4, mode="replicate")
        mean = _mean(around, window)
        parts += [mean, (_mean(around**2, window) - mean**2).clamp_min(0).sqrt()]
    return torch.cat(parts, 1)


def _mean(x: torch.Tensor, window: int) -> torch.Tensor:
    """The mean of each window × window square: down, then across, which is much less work than both at once."""
    return F.avg_pool2d(F.avg_pool2d(x, (window, 1), stride=1), (1, window), stride=1)


class _Majority:
    """The most frequent class, whatever the pixel."""

    def __init__(self, seed: int):
        self.code = 0

    def fit(self, features: np.ndarray, codes: np.ndarray) -> "_Majority":
        self.code = int(np.bincount(codes).argmax())
        return self


def _linear(seed: int) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, tol=1e-3))


def _forest(seed: int) -> Any:
    return RandomForestClassifier(40, min_samples_leaf=3, n_jobs=1, random_state=seed)


def _sample(images: np.ndarray, masks: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and codes of pixels drawn at random, equally many from each image, from those that have a class."""
    rng = np.random.default_rng(seed)
    features, codes = [], []
    each = max(1, most // len(images))
    chosen = np.sort(rng.permutation(len(images))[:most])
    for start in range(0, len(chosen), IMAGES_AT_ONCE):
        rows = chosen[start : start + IMAGES_AT_ONCE]
        described = pixel_features(images[rows]).flatten(2).numpy()
        for image, row in zip(described, rows, strict=True):
            known = np.flatnonzero(masks[row].ravel() != IGNORE)
            drawn = rng.permutation(known)[:each]
            features.append(image[:, drawn].T)
            codes.append(masks[row].ravel()[drawn])
    return np.concatenate(features), np.concatenate(codes)


def _step(images: np.ndarray) -> int:
    """Every how many pixels are predicted."""
    step = 1
    while len(images) * (images.shape[2] // step) * (images.shape[3] // step) > PREDICTED:
        step += 1
    return step


def _predict(model: Any, images: np.ndarray) -> np.ndarray:
    """Class codes (N, H, W)."""
    count, _, height, width = images.shape
    if isinstance(model, _Majority):
        return np.full((count, height, width), model.code, dtype=np.uint8)
    step, codes = _step(images), np.empty((count, height, width), dtype=np.uint8)
    for start in range(0, count, IMAGES_AT_ONCE):
        features = pixel_features(images[start : start + IMAGES_AT_ONCE])[:, :, step // 2 :: step, step // 2 :: step]
        rows, channels, h, w = features.shape
        said = model.predict(features.permute(0, 2, 3, 1).reshape(-1, channels).numpy()).reshape(rows, h, w)
        ys, xs = np.minimum(np.arange(height) // step, h - 1), np.minimum(np.arange(width) // step, w - 1)
        codes[start : start + rows] = said[:, ys[:, None], xs[None]]
    return codes
