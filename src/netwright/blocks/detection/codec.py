"""Boxes relative to anchors: what the regressors of R-CNN and its descendants learn."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from netwright.blocks.detection.boxes import to_centers, to_corners

__all__ = ["decode", "encode"]

MOST = math.log(1000 / 16)  # the largest change of a logarithm of a size: exp must not overflow


def encode(boxes: Tensor, anchors: Tensor, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)) -> Tensor:
    """The shift of the center in sizes of the anchor, and the logarithm of the change of size.

    t = (w_x (x − x_a) / w_a, w_y (y − y_a) / h_a, w_w ln(w / w_a), w_h ln(h / h_a)); the weights bring all four
    to about unit variance.

    Shapes: (…, 4), (…, 4) → (…, 4).
    Source: Girshick et al. 2013, appendix C, arXiv:1311.2524.
    """
    box, anchor = to_centers(boxes), to_centers(anchors)
    shift = (box[..., :2] - anchor[..., :2]) / anchor[..., 2:]
    return torch.cat([shift, (box[..., 2:] / anchor[..., 2:]).log()], -1) * box.new_tensor(weights)


def decode(deltas: Tensor, anchors: Tensor, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)) -> Tensor:
    """The boxes that `encode` made these deltas of, in the precision of the anchors.

    Shapes: (…, 4), (…, 4) → (…, 4), broadcast.
    """
    deltas, anchor = deltas.to(anchors.dtype) / anchors.new_tensor(weights), to_centers(anchors)
    center = anchor[..., :2] + deltas[..., :2] * anchor[..., 2:]
    size = deltas[..., 2:].clamp(max=MOST).exp() * anchor[..., 2:]
    return to_corners(torch.cat([center, size], -1))
