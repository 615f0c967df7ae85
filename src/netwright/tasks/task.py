"""Task: what is predicted, and so the metric, the loss and the output's size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from netwright.errors import InputError
from netwright.tasks.metrics import Kind, Metric, metric_for


@dataclass(frozen=True)
class Task:
    """Plain data: the kind, the metric's name, and the classes by code (none for regression)."""

    kind: Kind
    metric_name: str
    classes: tuple[Any, ...] = ()

    @classmethod
    def of(cls, kind: str, metric: str | None = None, classes: Sequence[Any] = ()) -> "Task":
        """A checked task with its default metric: AUC for two classes, accuracy for more, RMSE for numbers, mIoU of
        masks, AP50 of boxes."""
        for known in get_args(Kind):
            if known == kind:
                task = cls(known, metric_for(known, metric).name, tuple(classes))
                task._check_classes()
                return task
        raise InputError(f"{kind!r} is not a task", where="task", fix=f"choose one of {', '.join(get_args(Kind))}")

    def _check_classes(self) -> None:
        fits = {
            "regression": not self.classes,
            "binary": len(self.classes) == 2,
            "multiclass": len(self.classes) > 2,
            "segmentation": len(self.classes) > 1,
            "detection": len(self.classes) > 0,
        }
        if not fits[self.kind]:
            raise InputError(
                f"a {self.kind} task with {len(self.classes)} classes",
                where="task",
                fix="binary has 2 classes, multiclass more, segmentation 2 or more, detection 1 or more, "
                "regression none",
            )

    @property
    def metric(self) -> Metric:
        return metric_for(self.kind, self.metric_name)

    @property
    def is_classification(self) -> bool:
        """Whether each row has one of the classes."""
        return self.kind in ("binary", "multiclass")

    @property
    def is_segmentation(self) -> bool:
        """Whether each pixel of a row has one of the classes."""
        return self.kind == "segmentation"

    @property
    def is_detection(self) -> bool:
        """Whether each of any number of boxes in a row has one of the classes."""
        return self.kind == "detection"

    @property
    def output_size(self) -> int:
        """`num_classes` of the network: one output for each class, one for a number."""
        return 1 if self.kind == "regression" else len(self.classes)

    @property
    def loss_name(self) -> str:
        if self.is_segmentation:
            return "cross_entropy_dice"
        if self.is_detection:
            return "the network's own"
        return "cross_entropy" if self.is_classification else "mse"

    def predictions(self, outputs: Tensor | np.ndarray) -> np.ndarray:
        """What the metric reads, from a network's outputs (N, C) or, with k members, (N, k, C).

        Classification: probabilities (N, C), the mean of the members'. Regression: numbers (N,), in the units that
        the network was trained on.
        """
        with torch.no_grad():
            values = torch.as_tensor(outputs).detach().to("cpu", torch.float64)
            if self.is_classification:
                values = values.softmax(-1)
            if values.dim() == 3:
                values = values.mean(1)
            return (values if self.is_classification else values.reshape(len(values))).numpy()

    def score(self, truth: np.ndarray, predictions: np.ndarray) -> float:
        return self.metric(truth, predictions)
