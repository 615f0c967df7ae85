"""Padding of images."""

import torch.nn.functional as F
from torch import Tensor

__all__ = ["pad_to"]


def pad_to(x: Tensor, size: int) -> Tensor:
    """Zeros around a map that is smaller than size × size, which then lies in the middle.

    Shapes: (B, C, H, W) → (B, C, max(H, size), max(W, size)).
    """
    _, _, height, width = x.shape
    if height >= size and width >= size:
        return x
    height, width = max(0, size - height), max(0, size - width)
    return F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
