"""Boxes as tensors (…, 4): corners x1 y1 x2 y2 in pixels unless a name says otherwise."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["area", "clip", "flatten_batch", "flatten_list", "generalized_iou", "iou", "to_centers", "to_corners"]


def to_centers(boxes: Tensor) -> Tensor:
    """Corners x1 y1 x2 y2 → center and size, cx cy w h."""
    low, high = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(low + high) / 2, high - low], -1)


def to_corners(boxes: Tensor) -> Tensor:
    """Center and size, cx cy w h → corners x1 y1 x2 y2."""
    center, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([center - half, center + half], -1)


def area(boxes: Tensor) -> Tensor:
    """(…, 4) → (…)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def clip(boxes: Tensor, height: int, width: int) -> Tensor:
    """Cut the boxes off at the border of the image."""
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x, y], -1).flatten(-2)


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union |A ∩ B| / |A ∪ B|, 0 where both are empty.

    Shapes: (…, 4), (…, 4) → (…), broadcast: `iou(a[:, None], b)` is the matrix of all pairs.
    """
    shared, union = _overlap(a, b)
    return shared / union.clamp(min=torch.finfo(union.dtype).tiny)


def generalized_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU − |C \\ (A ∪ B)| / |C|, C the smallest box around both: it has a gradient where boxes do not touch.

    Shapes: (…, 4), (…, 4) → (…) in −1 … 1, broadcast as in `iou`.
    Source: Rezatofighi et al. 2019, arXiv:1902.09630.
    """
    tiny = torch.finfo(a.dtype).tiny
    shared, union = _overlap(a, b)
    low, high = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    around = (high - low).prod(-1)
    return shared / union.clamp(min=tiny) - (around - union) / around.clamp(min=tiny)


def flatten_list(boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Boxes (K_i, 4) of each image → those of all (K, 4), and the image of each (K,)."""
    images = [torch.full((len(b),), i, device=b.device) for i, b in enumerate(boxes)]
    return torch.cat(list(boxes)), torch.cat(images)


def flatten_batch(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """As many boxes for each image, (B, N, 4) → (B · N, 4), and the image of each (B · N,)."""
    images = torch.arange(boxes.shape[0], device=boxes.device)
    return boxes.flatten(0, 1), images[:, None].expand(boxes.shape[:2]).flatten()


def _overlap(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The areas of intersection and union."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    return shared, area(a) + area(b) - shared
