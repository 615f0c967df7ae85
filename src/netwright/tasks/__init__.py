"""What each task asks: its metric, its loss, the output's size, and the baselines that a network must beat."""

from netwright.tasks.baselines import BaselineResult, best_baseline, run_baselines
from netwright.tasks.detection_baselines import run_detection_baselines
from netwright.tasks.losses import (
    LOSSES,
    CrossEntropy,
    CrossEntropyDice,
    Huber,
    MeanSquaredError,
    balanced_class_weights,
    make_loss,
)
from netwright.tasks.metrics import DEFAULT_METRICS, METRICS, Kind, Metric, metric_for, metrics_for
from netwright.tasks.segmentation_baselines import run_segmentation_baselines
from netwright.tasks.task import Task

__all__ = [
    "DEFAULT_METRICS",
    "LOSSES",
    "METRICS",
    "BaselineResult",
    "CrossEntropy",
    "CrossEntropyDice",
    "Huber",
    "Kind",
    "MeanSquaredError",
    "Metric",
    "Task",
    "balanced_class_weights",
    "best_baseline",
    "make_loss",
    "metric_for",
    "metrics_for",
    "run_baselines",
    "run_detection_baselines",
    "run_segmentation_baselines",
]
