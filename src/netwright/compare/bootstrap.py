"""Bootstrap intervals of a metric on test predictions, and of the difference of two networks on the same rows.

Rows are drawn with replacement (Efron 1979); the interval holds the middle 95 % of the resampled scores. Paired:
both are scored on the same resamples, so that what is hard for both cancels out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from netwright.tasks.metrics import Metric

RESAMPLES = 2000
CONFIDENCE = 0.95
NUMBERS_AT_ONCE = 2_000_000  # 16 MB of weights


@dataclass(frozen=True)
class Interval:
    """A score, or a difference of two, with what it could have been on other rows of the same kind."""

    score: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0

    def to_json(self) -> dict:
        return {"score": self.score, "interval": [self.low, self.high]}


def interval(
    metric: Metric,
    truth: np.ndarray,
    output: np.ndarray,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Percentile interval of the metric.

    Of an accuracy of exactly 1 or 0 every resample is the same, which would claim certainty: there it is Wilson's
    interval (1927), n / (n + z²) … 1. Resamples where the metric is undefined (one class only) are left out.
    """
    score = metric(truth, output)
    if metric.name == "accuracy" and score in (0.0, 1.0):
        bound = len(truth) / (len(truth) + _normal_quantile(confidence) ** 2)
        return Interval(score, bound, 1.0) if score == 1.0 else Interval(score, 0.0, 1 - bound)
    scores = [metric.resampled(truth, output, weights) for weights in _draws(len(truth), resamples, seed)]
    return Interval(score, *_middle(np.concatenate(scores), confidence))


def paired_difference(
    metric: Metric,
    truth: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
    seed: int = 0,
) -> Interval:
    """Interval of metric(a) − metric(b), both on the same resamples. Its sign is the metric's: of RMSE, below zero
    is better for a."""
    differences = [
        metric.resampled(truth, a, weights) - metric.resampled(truth, b, weights)
        for weights in _draws(len(truth), resamples, seed)
    ]
    difference = metric(truth, a) - metric(truth, b)
    return Interval(difference, *_middle(np.concatenate(differences), confidence))


def _draws(rows: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each row is drawn in each resample, (some, rows) at a time."""
    generator = np.random.default_rng(seed)
    at_once = max(1, NUMBERS_AT_ONCE // rows)
    for start in range(0, resamples, at_once):
        some = min(at_once, resamples - start)
        drawn = generator.integers(rows, size=(some, rows)) + rows * np.arange(some)[:, None]
        yield np.bincount(drawn.ravel(), minlength=some * rows).reshape(some, rows).astype(np.float64)


def _middle(scores: np.ndarray, confidence: float) -> tuple[float, float]:
    defined = scores[~np.isnan(scores)]
    if len(defined) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _normal_quantile(confidence: float) -> float:
    """z with P(|Z| < z) = confidence."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
