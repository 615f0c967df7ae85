"""What a network says of every pixel, image by image: scores are as many as pixels times classes, so none are kept."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from netwright.data import SegmentationPreprocessing
from netwright.tasks.segmentation_metrics import confusion
from netwright.train.objective import Objective

AT_ONCE = 16  # images of a forward


@torch.no_grad()
def scores_of(network: nn.Module, objective: Objective, x: Tensor) -> Iterator[Tensor]:
    """The network's scores (B, K, S, S) of all images, some at a time, in evaluation mode."""
    network.eval()
    for start in range(0, len(x), AT_ONCE):
        inputs = objective.batch({"x": x[start : start + AT_ONCE]})
        inputs["x"] = inputs["x"].contiguous(memory_format=torch.channels_last)
        yield network(**inputs).float()


def judge_masks(
    network: nn.Module, objective: Objective, loss: nn.Module, arrays: Mapping[str, Tensor]
) -> tuple[float, float]:
    """Mean loss of the batches, and the score of all pixels together, at the size that the network sees."""
    classes = len(objective.task.classes)
    matrices, losses, rows = [], 0.0, 0
    for scores in scores_of(network, objective, arrays["x"]):
        truth = arrays["target"][rows : rows + len(scores)]
        losses += float(loss(scores, truth)) * len(scores)
        pairs = zip(truth.numpy(), scores.argmax(1).numpy(), strict=True)
        matrices += [confusion(one, said, classes) for one, said in pairs]
        rows += len(scores)
    return losses / rows, objective.task.score(np.zeros(rows), np.stack(matrices))


def predict_masks(
    network: nn.Module, objective: Objective, x: Tensor, sizes: list[tuple[int, int]]
) -> Iterator[np.ndarray]:
    """Class codes (h, w) of each image, at its own size."""
    assert isinstance(objective.preprocessing, SegmentationPreprocessing)
    row = 0
    for scores in scores_of(network, objective, x):
        for one in scores.numpy():
            yield objective.preprocessing.restore(one, sizes[row])
            row += 1
