"""Augmentation of images together with their boxes: x (B, C, H, W) float and objects (B, M, 6), both moved alike.

Objects are x1, y1, x2, y2 in pixels, the class (−1: none) and whether it is ignored. What only changes colours is in
`augment.py`. What comes from outside the image is its mean colour.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def flip_boxes(x: Tensor, objects: Tensor, p: float = 0.5) -> tuple[Tensor, Tensor]:
    """Mirror each image and its boxes left to right with probability p."""
    mirrored = torch.rand(len(x)) < p
    x1, y1, x2, y2, *rest = objects.unbind(2)
    other = torch.stack([x.shape[3] - x2, y1, x.shape[3] - x1, y2, *rest], 2)
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    return x, torch.where(mirrored[:, None, None], other, objects)


def zoom_boxes(
    x: Tensor, objects: Tensor, scale: float = 0.3, shift: float = 0.15, least: float = 0.4
) -> tuple[Tensor, Tensor]:
    """Zoom (by up to 1 + scale, in or out) and move (± a fraction of the side) images and boxes; zooming in crops.

    Boxes are cut to the image; one of which less than the share `least`, or than two pixels, is left is no object any
    more.
    """
    zoom, dx, dy = torch.rand(3, len(x)) * 2 - 1
    zoom, dx, dy = (1 + scale) ** zoom, dx * 2 * shift, dy * 2 * shift  # the grid runs over [−1, 1]
    none = torch.zeros_like(zoom)
    theta = torch.stack([torch.stack([1 / zoom, none, dx], 1), torch.stack([none, 1 / zoom, dy], 1)], 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False).to(x.dtype)
    moved = F.grid_sample(x, grid, align_corners=False)
    side = objects.new_tensor([x.shape[3], x.shape[2]]).repeat(2)
    by = torch.stack([dx, dy, dx, dy], 1)[:, None]
    whole = ((objects[..., :4] * 2 / side - 1 - by) * zoom[:, None, None] + 1) * side / 2
    boxes = whole.clamp(min=objects.new_zeros(4), max=side)
    before, after = (b[..., 2:] - b[..., :2] for b in (whole, boxes))
    kept = (after.prod(2) >= least * before.prod(2)) & (after >= 2).all(2)
    labels = torch.where(kept, objects[..., 4], -1.0)
    return moved, torch.cat([boxes, labels[..., None], objects[..., 5:]], 2)


WITH_BOXES: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {"flip_boxes": flip_boxes, "zoom_boxes": zoom_boxes}
