"""Metrics: a score of predictions against the truth, and of many resamples of the rows at once.

Each metric is written once, for rows with weights: a bootstrap resample is the rows with the number of times that
each was drawn, so that a thousand resamples are one matrix product instead of a thousand calls.

Of segmentation a row is an image, and its output the (K, K) matrix that counts its pixels: true class, predicted class.
The matrices of the rows drawn are added up, so that the score is that of all their pixels together. Of detection a row
is an image, and its output the `JudgedImage` of what was found there.

Truth: class codes 0 … K − 1 (a code outside these, a class never seen in training, is always missed), or numbers.
Output: probabilities (N, K), or numbers (N,); for metrics of labels also predicted codes (N,).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

import numpy as np

from netwright.errors import InputError
from netwright.tasks import detection_scores, segmentation_metrics

Kind = Literal["binary", "multiclass", "regression", "segmentation", "detection"]
Weighted = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    name: str
    title: str
    greater_is_better: bool
    needs: Literal["labels", "probabilities", "values", "confusion", "boxes"]
    weighted: Weighted  # truth (N,), output, weights (R, N) → scores (R,); NaN where undefined

    def __call__(self, truth: np.ndarray, output: np.ndarray) -> float:
        """The score. NaN where it is undefined: AUC with one class present, R² of a constant."""
        return float(self.resampled(truth, output, np.ones((1, len(truth))))[0])

    def resampled(self, truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Scores (R,) of R resamples; weights (R, N) say how often each row is in each."""
        truth, output = np.asarray(truth), np.asarray(output)
        if self.needs == "values":
            output = output.reshape(len(truth))
        if len(output) != len(truth):
            raise ValueError(f"{len(output)} predictions for {len(truth)} rows")
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.weighted(truth, output, np.asarray(weights, dtype=np.float64))

    def function(self, truth: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray | None) -> float:
        """The score from what a person has: predicted labels or numbers, and probabilities where there are any."""
        if self.needs == "probabilities":
            if probabilities is None:
                raise ValueError(f"{self.name} needs probabilities")
            return self(truth, probabilities)
        return self(truth, predicted)

    def better(self, a: float, b: float) -> bool:
        return a > b if self.greater_is_better else a < b


def _accuracy(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ (_labels(output) == truth) / weights.sum(1)


def _balanced_accuracy(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean recall of the classes that are present."""
    hits, support, _ = _confusion(truth, output, weights)
    return np.nanmean(hits / support, axis=1)


def _f1_macro(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean F1 = 2·hits / (true + predicted) of the classes that are present or predicted."""
    hits, support, predicted = _confusion(truth, output, weights)
    return np.nanmean(2 * hits / (support + predicted), axis=1)


def _auc(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve: of class 1 where there are two; else the mean over classes of one against the rest,
    for those with rows on both sides."""
    if output.ndim == 1 or output.shape[1] == 2:
        return _auc_of(truth == 1, output if output.ndim == 1 else output[:, 1], weights)
    present = np.array([_auc_of(truth == code, output[:, code], weights) for code in range(output.shape[1])])
    counted = ~np.isnan(present)
    return np.where(counted, present, 0).sum(0) / counted.sum(0)


def _auc_of(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The chance that a positive scores above a negative, ties half (Mann and Whitney 1947).

    The weight below each positive's score, half of its ties included, less what is of positives themselves: P²/2.
    """
    order = np.argsort(score, kind="stable")
    weights, positives = weights[:, order], np.flatnonzero(positive[order])
    first_of_tie = np.r_[True, np.diff(score[order]) > 0]
    ties = weights if first_of_tie.all() else np.add.reduceat(weights, np.flatnonzero(first_of_tie), axis=1)
    below = np.cumsum(ties, axis=1) - ties / 2
    chosen = weights[:, positives]
    above = (chosen * below[:, (np.cumsum(first_of_tie) - 1)[positives]]).sum(1)
    total = chosen.sum(1)
    return (above - total**2 / 2) / (total * (weights.sum(1) - total))


def _log_loss(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean −log of the true class's probability, which is kept above the smallest step of a double."""
    known = (truth >= 0) & (truth < output.shape[1])
    total = output.sum(1, dtype=np.float64)
    chosen = output[np.arange(len(truth)), np.where(known, truth, 0).astype(np.int64)] / total
    losses = -np.log(np.clip(np.where(known, chosen, 0.0), np.finfo(np.float64).eps, 1.0))
    return weights @ losses / weights.sum(1)


def _rmse(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(weights @ np.square(np.subtract(output, truth, dtype=np.float64)) / weights.sum(1))


def _mae(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ np.abs(np.subtract(output, truth, dtype=np.float64)) / weights.sum(1)


def _r2(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """1 − squared errors over squared distances from the mean."""
    errors = weights @ np.square(np.subtract(output, truth, dtype=np.float64))
    centred = truth - truth.mean(dtype=np.float64)  # near zero, so that the difference below keeps its digits
    spread = weights @ centred**2 - (weights @ centred) ** 2 / weights.sum(1)
    return np.where(spread > 0, 1 - errors / spread, np.nan)


def _of_pixels(score: Callable[[np.ndarray], float]) -> Weighted:
    """The score of the pixels of all rows, each row as often as it was drawn."""

    def weighted(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
        sums = weights @ output.reshape(len(output), -1).astype(np.float64)
        return np.array([score(matrix.reshape(output.shape[1:])) for matrix in sums])

    return weighted


def _of_boxes(thresholds: Sequence[int]) -> Weighted:
    """Average precision at these thresholds of the boxes of all rows, each row as often as it was drawn."""

    def weighted(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return detection_scores.resampled(output, weights, thresholds)

    return weighted


def _labels(output: np.ndarray) -> np.ndarray:
    return output if output.ndim == 1 else output.argmax(1)


def _confusion(truth: np.ndarray, output: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hits, true rows and predicted rows of each class, (R, K) each."""
    predicted = _labels(output)
    classes, codes = np.unique(np.r_[truth, predicted], return_inverse=True)
    true_is = np.eye(len(classes))[codes[: len(truth)]]
    predicted_is = np.eye(len(classes))[codes[len(truth) :]]
    return weights @ (true_is * predicted_is), weights @ true_is, weights @ predicted_is


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", True, "labels", _accuracy),
        Metric("balanced_accuracy", "balanced accuracy", True, "labels", _balanced_accuracy),
        Metric("f1_macro", "macro F1", True, "labels", _f1_macro),
        Metric("auc", "AUC", True, "probabilities", _auc),
        Metric("log_loss", "log loss", False, "probabilities", _log_loss),
        Metric("rmse", "RMSE", False, "values", _rmse),
        Metric("mae", "MAE", False, "values", _mae),
        Metric("r2", "R²", True, "values", _r2),
        Metric("miou", "mIoU", True, "confusion", _of_pixels(segmentation_metrics.mean_iou)),
        Metric("dice", "Dice", True, "confusion", _of_pixels(segmentation_metrics.mean_dice)),
        Metric("foreground_iou", "foreground IoU", True, "confusion", _of_pixels(segmentation_metrics.foreground_iou)),
        Metric("pixel_accuracy", "pixel accuracy", True, "confusion", _of_pixels(segmentation_metrics.pixel_accuracy)),
        Metric("ap50", "AP50", True, "boxes", _of_boxes(detection_scores.AP50)),
        Metric("ap75", "AP75", True, "boxes", _of_boxes(detection_scores.AP75)),
        Metric("map50_95", "mAP", True, "boxes", _of_boxes(detection_scores.AP)),
    )
}

DEFAULT_METRICS: dict[Kind, str] = {
    "binary": "auc",
    "multiclass": "accuracy",
    "regression": "rmse",
    "segmentation": "miou",
    "detection": "ap50",
}


def metrics_for(kind: Kind) -> Sequence[str]:
    """Names of the metrics that fit a task."""
    special = {"regression": ("values",), "segmentation": ("confusion",), "detection": ("boxes",)}
    needs = special.get(kind, ("labels", "probabilities"))
    return [name for name, metric in METRICS.items() if metric.needs in needs]


def metric_for(kind: Kind, name: str | None = None) -> Metric:
    """The metric of that name, or the task's default; InputError where it does not exist or fit."""
    fitting = metrics_for(kind)
    chosen = (name or DEFAULT_METRICS[kind]).lower().replace("-", "_")
    if chosen in fitting:
        return METRICS[chosen]
    near = get_close_matches(chosen, fitting, 1)
    problem = f"is not a metric of {kind}" if chosen in METRICS else "is not a metric"
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"{name!r} {problem}", where="metric", fix=f"{hint}choose one of {', '.join(fitting)}")
