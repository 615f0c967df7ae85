"""What a detector learns from and says of images: objects as its losses want them, boxes at the images' own size."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwright.data import DetectionPreprocessing
from netwright.tasks.detection_scores import judged
from netwright.train.objective import Objective

AT_ONCE = 16  # images of a forward
LOSSES_OF = 64  # validation images whose loss is looked at: the score, of all, decides


def objects_of(targets: Tensor) -> list[dict[str, Tensor]]:
    """(B, M, 6) → for each image the boxes and labels that are learned."""
    learned = (targets[..., 4] >= 0) & (targets[..., 5] == 0)
    return [{"boxes": t[keep, :4], "labels": t[keep, 4].long()} for t, keep in zip(targets, learned, strict=True)]


def detection_loss(network: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """The sum of the network's own losses."""
    detector: Any = network
    return torch.stack(list(detector.losses(images, objects_of(targets)).values())).sum()


@torch.no_grad()
def detections_of(network: nn.Module, objective: Objective, x: Tensor) -> Iterator[dict[str, Tensor]]:
    """What the network finds in each image, in pixels of its square, in evaluation mode."""
    network.eval()
    for start in range(0, len(x), AT_ONCE):
        yield from network(_images(objective, x[start : start + AT_ONCE]))


@torch.no_grad()
def judge_boxes(network: nn.Module, objective: Objective, arrays: Mapping[str, Tensor]) -> tuple[float, float]:
    """Mean loss of some images, and the score of all, in pixels of the square."""
    network.eval()
    x, targets, losses = arrays["x"], arrays["target"], 0.0
    looked_at = min(LOSSES_OF, len(x))
    for start in range(0, looked_at, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, looked_at))
        losses += float(detection_loss(network, _images(objective, x[some]), targets[some])) * len(x[some])
    found = list(detections_of(network, objective, x))
    rows = judged(found, [true_of(row) for row in targets.numpy()], len(objective.task.classes))
    return losses / looked_at, objective.task.score(np.zeros(len(x)), rows)


def true_of(rows: np.ndarray) -> dict[str, np.ndarray]:
    """Encoded objects (M, 6) as the metric takes them: what is ignored is a crowd."""
    there = rows[rows[:, 4] >= 0]
    return {"boxes": there[:, :4], "labels": there[:, 4].astype(np.int64), "crowd": there[:, 5] > 0}


def predict_boxes(
    network: nn.Module, objective: Objective, x: Tensor, sizes: Sequence[Sequence[int]]
) -> list[dict[str, np.ndarray]]:
    """Boxes, scores and labels of each image, in its own pixels."""
    assert isinstance(objective.preprocessing, DetectionPreprocessing)
    restore = objective.preprocessing.restore
    return [restore(one, size) for one, size in zip(detections_of(network, objective, x), sizes, strict=True)]


def _images(objective: Objective, x: Tensor) -> Tensor:
    return objective.batch({"x": x})["images"].contiguous(memory_format=torch.channels_last)
