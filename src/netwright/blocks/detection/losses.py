"""Losses of detectors, for each entry by itself: what they are averaged over is the detector's business."""

import torch.nn.functional as F
from torch import Tensor

from netwright.blocks.detection.boxes import generalized_iou

__all__ = ["giou_loss", "sigmoid_focal_loss"]


def sigmoid_focal_loss(logits: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Cross-entropy in which what is easy counts little: −α_t (1 − p_t)^γ ln p_t.

    p_t is the probability of the right answer, σ(x) for a target of one and 1 − σ(x) for zero; α_t is α for
    one and 1 − α for zero.

    Shapes: (…), (…) of zeros and ones → (…).
    Source: Lin et al. 2017, Focal loss for dense object detection, arXiv:1708.02002.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    wrong = (logits.sigmoid() - targets).abs()  # 1 − p_t
    weight = targets * (2 * alpha - 1) + (1 - alpha)
    return weight * wrong**gamma * entropy


def giou_loss(boxes: Tensor, targets: Tensor) -> Tensor:
    """1 − GIoU of each box and its target.

    Shapes: (…, 4), (…, 4) → (…).
    Source: Rezatofighi et al. 2019, arXiv:1902.09630.
    """
    return 1 - generalized_iou(boxes, targets)
