"""Maps coarser than a pyramid's coarsest, for large objects: slot kind `levels`. Each has its `count` of maps.

All take the coarsest map of the backbone and that of the pyramid, (B, C, H, W) and (B, D, H, W), and give
further maps (B, D, H', W'), each half the size of the one before.
"""

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BackboneConvLevels", "ConvLevels", "NoLevels", "PooledLevel"]


class NoLevels(nn.Module):
    """No further map."""

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.count = 0

    def forward(self, c: Tensor, p: Tensor) -> list[Tensor]:
        return []


class PooledLevel(nn.Module):
    """Every other pixel of the pyramid's coarsest map.

    Shapes: c ignored, p (B, D, H, W) → one map (B, D, ⌈H / 2⌉, ⌈W / 2⌉).
    Source: Lin et al. 2016, Feature pyramid networks, arXiv:1612.03144 (footnote 2).
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.count = 1

    def forward(self, c: Tensor, p: Tensor) -> list[Tensor]:
        return [p[:, :, ::2, ::2]]


class ConvLevels(nn.Module):
    """Two 3 × 3 convolutions with stride 2 on the pyramid's coarsest map: P₆ = W₆ ∗ P₅, P₇ = W₇ ∗ relu(P₆).

    Shapes: c ignored, p (B, D, H, W) → two maps (B, D, ⌈H / 2⌉, ⌈W / 2⌉) and (B, D, ⌈H / 4⌉, ⌈W / 4⌉).
    Source: Tian et al. 2019, FCOS, arXiv:1904.01355.
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.count = 2
        self.conv6 = _halving(dim, dim)
        self.conv7 = _halving(dim, dim)

    def forward(self, c: Tensor, p: Tensor) -> list[Tensor]:
        p6 = self.conv6(p)
        return [p6, self.conv7(F.relu(p6))]


class BackboneConvLevels(nn.Module):
    """Two 3 × 3 convolutions with stride 2 on the backbone's coarsest map: P₆ = W₆ ∗ C₅, P₇ = W₇ ∗ relu(P₆).

    Shapes: c (B, C, H, W), p ignored → two maps (B, D, ⌈H / 2⌉, ⌈W / 2⌉) and (B, D, ⌈H / 4⌉, ⌈W / 4⌉).
    Source: Lin et al. 2017, Focal loss for dense object detection, arXiv:1708.02002 (footnote 2).
    """

    def __init__(self, in_channels: int, dim: int):
        super().__init__()
        self.count = 2
        self.conv6 = _halving(in_channels, dim)
        self.conv7 = _halving(dim, dim)

    def forward(self, c: Tensor, p: Tensor) -> list[Tensor]:
        p6 = self.conv6(c)
        return [p6, self.conv7(F.relu(p6))]


def _halving(in_channels: int, dim: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, dim, 3, stride=2, padding=1)
    nn.init.kaiming_uniform_(conv.weight, a=1)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
