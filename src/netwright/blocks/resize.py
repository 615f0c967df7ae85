"""Feature maps brought to another map's size."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor


def resize_nearest(x: Tensor, size: Sequence[int]) -> Tensor:
    """Each pixel is that of `x` at the same place: doubles a map, or leaves out the last row of an odd one.

    Shapes: (B, C, h, w), size (H, W) → (B, C, H, W).
    """
    return x if x.shape[-2:] == tuple(size) else F.interpolate(x, size=list(size), mode="nearest")


def resize_bilinear(x: Tensor, size: Sequence[int]) -> Tensor:
    """Between the centres of its pixels `x` is interpolated linearly.

    Shapes: (B, C, h, w), size (H, W) → (B, C, H, W).
    """
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=list(size), mode="bilinear", align_corners=False)
