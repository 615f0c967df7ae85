"""Max-pooling that remembers where the largest values lay, and its reverse."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["IndexedMaxPool", "MaxUnpool"]


class IndexedMaxPool(nn.Module):
    """The largest of each 2 × 2 pixels, and its place in the map, counted row by row.

    Shapes: (B, C, H, W) → two of (B, C, ⌈H / 2⌉, ⌈W / 2⌉).
    Source: Badrinarayanan et al. 2015, SegNet, arXiv:1511.00561.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)


class MaxUnpool(nn.Module):
    """Put each value back where the pooling found it, zeros around it.

    Shapes: (B, C, h, w) and its places, size (H, W) → (B, C, H, W).
    Source: Badrinarayanan et al. 2015, SegNet, arXiv:1511.00561.
    """

    def forward(self, x: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
        out = x.new_zeros(*x.shape[:2], size[0] * size[1])
        return out.scatter_(2, places.flatten(2), x.flatten(2)).unflatten(2, list(size))
