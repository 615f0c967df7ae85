"""What a training strives for, as plain data that every worker can read."""

from typing import Any

import numpy as np
from torch import Tensor, nn

from netwright.data import DetectionPreprocessing, SegmentationPreprocessing, preprocessing
from netwright.design import Recipe
from netwright.errors import InputError
from netwright.tasks import Task, make_loss


class Objective:
    """The task's loss and metric on encoded targets, and how a batch is finished.

    Outputs are the network's, (N, K); predictions are what the metric reads: probabilities (N, K) of the classes, or
    numbers (N,) in the target's own unit. Of segmentation, outputs (N, K, H, W) are too many to be kept: `train.masks`
    counts them image by image. A detector has losses of its own, and `train.boxes` judges what it finds.
    """

    def __init__(self, task: Task, fitted: dict[str, Any]):
        self.task, self.fitted = task, fitted
        self.preprocessing = preprocessing(fitted)
        self.batch = self.preprocessing.batch

    @property
    def image(self) -> str:
        """The network's argument for images."""
        return "images" if self.task.is_detection else "x"

    @property
    def greater_is_better(self) -> bool:
        return self.task.metric.greater_is_better

    def loss(self, recipe: Recipe) -> nn.Module:
        """The recipe's loss, or the task's own."""
        if self.task.is_detection:
            if recipe.loss or recipe.label_smoothing or recipe.mixup:
                what = "a detector is trained by its own losses, without label smoothing or mixup"
                raise InputError(what, where="recipe", fix="leave loss, label_smoothing and mixup out")
            return nn.Identity()
        return make_loss(recipe.loss or self.task.loss_name, label_smoothing=recipe.label_smoothing)

    def predictions(self, outputs: np.ndarray) -> np.ndarray:
        assert not isinstance(self.preprocessing, SegmentationPreprocessing | DetectionPreprocessing)
        values, probabilities = self.preprocessing.decode(outputs)
        return values if probabilities is None else probabilities

    def truth(self, targets: Tensor | np.ndarray) -> np.ndarray:
        """Encoded targets (N,) as the metric reads them: class codes, or numbers in the target's own unit.

        Of segmentation and detection, zeros: what is true is in the matrices, or judged images, that are scored.
        """
        targets = np.asarray(targets)
        if self.task.is_segmentation or self.task.is_detection:
            return np.zeros(len(targets))
        return targets if self.task.is_classification else self.predictions(targets[:, None])

    def score(self, outputs: np.ndarray, targets: Tensor | np.ndarray) -> float:
        return self.task.score(self.truth(targets), self.predictions(outputs))

    def to_json(self) -> dict[str, Any]:
        task = {"kind": self.task.kind, "metric": self.task.metric_name, "classes": list(self.task.classes)}
        return {"task": task, "fitted": self.fitted}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Objective":
        return cls(Task.of(**content["task"]), content["fitted"])
