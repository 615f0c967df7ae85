"""Ways to enlarge a feature map, (B, C, h, w) and the size wanted → (B, C', H, W): slot kind `upsample2d`.

Each is called with the channels C and the factor between the strides, and has `out_channels` C'.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.resize import resize_bilinear, resize_nearest

__all__ = ["BilinearUpsample", "NearestUpsample", "TransposedConv"]


class NearestUpsample(nn.Module):
    """Each pixel becomes several. Shapes: (B, C, h, w), size (H, W) → (B, C, H, W)."""

    def __init__(self, in_channels: int, factor: int):
        super().__init__()
        self.out_channels = in_channels

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        return resize_nearest(x, size)


class BilinearUpsample(nn.Module):
    """Linear between the centres of the pixels. Shapes: (B, C, h, w), size (H, W) → (B, C, H, W)."""

    def __init__(self, in_channels: int, factor: int):
        super().__init__()
        self.out_channels = in_channels

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        return resize_bilinear(x, size)


class TransposedConv(nn.Module):
    """Each pixel becomes a learned patch of factor × factor pixels with half the channels ("up-convolution").

    What is too much on the right and at the bottom is cut off, what is missing is zero.

    Shapes: (B, C, h, w), size (H, W) → (B, C / 2, H, W).
    Source: Ronneberger et al. 2015, U-Net, arXiv:1505.04597.
    """

    def __init__(self, in_channels: int, factor: int):
        super().__init__()
        self.out_channels = max(1, in_channels // 2)
        self.conv = nn.ConvTranspose2d(in_channels, self.out_channels, factor, stride=factor)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        x = self.conv(x)
        below, right = size[0] - x.shape[-2], size[1] - x.shape[-1]
        return F.pad(x, (0, right, 0, below)) if below or right else x
