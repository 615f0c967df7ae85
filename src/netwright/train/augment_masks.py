"""Augmentation of images together with their masks: x (B, C, H, W) float and class codes (B, H, W), both moved alike.

What only changes colours is in `augment.py`. Pixels that come from outside the image have the code 255: no class.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def flip_masks(x: Tensor, masks: Tensor, p: float = 0.5) -> tuple[Tensor, Tensor]:
    """Mirror each image and its mask left to right with probability p."""
    mirrored = torch.rand(len(x)) < p
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    return x, torch.where(mirrored[:, None, None], masks.flip(2), masks)


def affine_masks(
    x: Tensor, masks: Tensor, degrees: float = 10.0, scale: float = 0.25, shift: float = 0.1, p: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Turn (± degrees), zoom (by up to 1 + scale, in or out) and move (± a fraction of the side) a share p of the
    images with their masks.

    Zooming in crops. Images are read bilinearly, which softens them, masks at the nearest pixel.
    """
    angle, zoom, dx, dy = (torch.rand(4, len(x)) * 2 - 1) * (torch.rand(len(x)) < p)
    angle, zoom = angle * math.radians(degrees), (1 + scale) ** zoom
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    # The grid runs over [−1, 1], so a fraction f of the side is 2 f.
    theta = torch.stack([torch.stack([cos, -sin, dx * 2 * shift], 1), torch.stack([sin, cos, dy * 2 * shift], 1)], 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False).to(x.dtype)
    codes = masks.unsqueeze(1).to(x.dtype) - 255  # outside is 0
    moved = F.grid_sample(codes, grid, mode="nearest", align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    return x, (moved.squeeze(1) + 255).round().to(masks.dtype)


WITH_MASKS: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {"flip_masks": flip_masks, "affine_masks": affine_masks}
