"""SimOTA: each object chooses how many, and which, of the predictions are trained on it."""

import torch
from torch import Tensor

from netwright.blocks.detection.boxes import iou

__all__ = ["simota"]

RADIUS = 1.5  # strides around the centre of an object, inside which it looks for predictions
CANDIDATES = 10  # predictions whose IoU is summed up to a number of positives
FAR = 1e6  # what a prediction outside the centre costs an object


@torch.no_grad()
def simota(
    boxes: Tensor, scores: Tensor, points: Tensor, strides: Tensor, true_boxes: Tensor, true_labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The predictions that are positive, the object of each, and its IoU with it.

    An object takes the predictions of the lowest cost, class loss − 3 ln IoU, whose points lie around its centre;
    it takes as many as the IoUs of its ten best sum up to, one at least. Two objects that want the same
    prediction leave it to that of lower cost.

    Shapes: boxes (N, 4), scores (N, K), the probability of each class, points (N, 2) and their strides (N,), true_boxes
    (M, 4), true_labels (M,) → indices (P,) into N, (P,) into M, IoU (P,).
    Source: Ge et al. 2021, YOLOX, arXiv:2107.08430, after OTA, arXiv:2103.14259.
    """
    center = (true_boxes[:, :2] + true_boxes[:, 2:]) / 2
    apart = (points - center[:, None]).abs().amax(-1)  # (M, N)
    near = apart < RADIUS * strides
    candidates = near.any(0).nonzero()[:, 0]
    if not len(candidates):
        empty = torch.zeros_like(candidates)
        return empty, empty, boxes.new_zeros(0)

    near, overlap = near[:, candidates], iou(true_boxes[:, None], boxes[candidates])
    cost = _entropy(scores[candidates], true_labels) - 3 * (overlap + 1e-8).log() + FAR * ~near
    number = overlap.topk(min(CANDIDATES, len(candidates)), 1).values.sum(1).int().clamp(min=1)
    rank = torch.arange(len(candidates), device=boxes.device)
    taken = torch.zeros_like(near).scatter_(1, cost.argsort(1), rank < number[:, None])

    several = taken.sum(0) > 1
    best = cost.argmin(0)
    taken &= ~several
    taken[best[several], several.nonzero()[:, 0]] = True
    positive = taken.any(0).nonzero()[:, 0]
    objects = taken[:, positive].int().argmax(0)
    return candidates[positive], objects, overlap[objects, positive]


def _entropy(scores: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over all classes of each prediction with each object: (N, K), (M,) → (M, N).

    What the classes that are not the object's cost is the same for all objects but for one term.
    """
    yes, no = -scores.log().clamp(min=-100), -torch.log1p(-scores).clamp(min=-100)
    return no.sum(1) + (yes - no)[:, labels].T
