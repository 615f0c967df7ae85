"""Cross stage partial networks: half of the channels go around the residual blocks. And a neck made of them."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.conv_unit import ConvNormAct
from netwright.blocks.resize import resize_nearest
from netwright.blocks.slots import ConvUnit

__all__ = ["CSPPAN", "CSPLayer", "DarknetBlock", "SpatialPyramidPool"]


class DarknetBlock(nn.Module):
    """A 1 × 1 and a 3 × 3 convolution, added to the input: x + W₂ ∗ (W₁ x).

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Redmon & Farhadi 2018, YOLOv3, arXiv:1804.02767.
    """

    def __init__(self, dim: int, residual: bool = True, conv: ConvUnit = ConvNormAct):
        super().__init__()
        self.residual = residual
        self.conv1 = conv(dim, dim, 1, 1)
        self.conv2 = conv(dim, dim, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return x + y if self.residual else y


class CSPLayer(nn.Module):
    """`depth` blocks on half of the channels, the other half past them, and a 1 × 1 convolution over both.

    y = W₃ [blocks(W₁ x), W₂ x].

    Shapes: (B, C, H, W) → (B, C', H, W).
    Source: Wang et al. 2019, CSPNet, arXiv:1911.11929.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        depth: int = 1,
        residual: bool = True,
        conv: ConvUnit = ConvNormAct,
    ):
        super().__init__()
        hidden = out_channels // 2
        self.conv1 = conv(in_channels, hidden, 1, 1)
        self.blocks = nn.Sequential(*[DarknetBlock(hidden, residual, conv) for _ in range(depth)])
        self.conv2 = conv(in_channels, hidden, 1, 1)
        self.conv3 = conv(2 * hidden, out_channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(torch.cat([self.blocks(self.conv1(x)), self.conv2(x)], 1))


class SpatialPyramidPool(nn.Module):
    """What is there in windows of several sizes: [x, max₅ x, max₉ x, max₁₃ x], between two 1 × 1 convolutions.

    Each window goes on from the one before, since the maximum of maxima of 5 × 5 pixels is that of 9 × 9.

    Shapes: (B, C, H, W) → (B, C', H, W).
    Source: He et al. 2014, Spatial pyramid pooling, arXiv:1406.4729; in this form Redmon & Farhadi 2018, YOLOv3.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_sizes: Sequence[int] = (5, 9, 13),
        conv: ConvUnit = ConvNormAct,
    ):
        super().__init__()
        if any(b % 2 == 0 or b <= a for a, b in pairwise((1, *kernel_sizes))):
            raise ValueError(f"kernel_sizes must be odd and grow, got {tuple(kernel_sizes)}")
        hidden = in_channels // 2
        self.steps = [b - a + 1 for a, b in pairwise((1, *kernel_sizes))]
        self.conv1 = conv(in_channels, hidden, 1, 1)
        self.conv2 = conv(hidden * (1 + len(kernel_sizes)), out_channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        maps = [self.conv1(x)]
        for kernel_size in self.steps:
            maps.append(F.max_pool2d(maps[-1], kernel_size, 1, kernel_size // 2))
        return self.conv2(torch.cat(maps, 1))


class CSPPAN(nn.Module):
    """YOLOX's neck: from the coarse maps down to the fine ones and up again, each step a CSP layer on two maps.

    T_i = csp([C_i, up(L_i T_{i+1})]), P_{i+1} = csp([D_i ∗ P_i, L_i T_{i+1}]), P_1 = T_1: L_i are 1 × 1
    convolutions, D_i 3 × 3 convolutions with stride 2.

    Shapes: a list of (B, C_i, H_i, W_i) → the same shapes.
    Source: Liu et al. 2018, PANet, arXiv:1803.01534; with CSP layers Ge et al. 2021, YOLOX, arXiv:2107.08430.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        depth: int = 1,
        conv: ConvUnit = ConvNormAct,
    ):
        super().__init__()
        steps = list(pairwise(channels))  # from each map to the next coarser one
        self.lateral = nn.ModuleList(conv(coarse, fine, 1, 1) for fine, coarse in steps)
        self.top_down = nn.ModuleList(CSPLayer(2 * fine, fine, depth, False, conv) for fine, _ in steps)
        self.down = nn.ModuleList(conv(fine, fine, 3, 2) for fine, _ in steps)
        self.bottom_up = nn.ModuleList(CSPLayer(2 * fine, coarse, depth, False, conv) for fine, coarse in steps)
        self.channels, self.strides = list(channels), list(strides)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        x = maps[-1]
        kept: list[Tensor] = []
        for i in reversed(range(len(self.lateral))):
            lateral = self.lateral[i](x)
            kept.insert(0, lateral)
            x = self.top_down[i](torch.cat([resize_nearest(lateral, maps[i].shape[-2:]), maps[i]], 1))
        out = [x]
        for down, csp, lateral in zip(self.down, self.bottom_up, kept, strict=True):
            finer = resize_nearest(down(out[-1]), lateral.shape[-2:])
            out.append(csp(torch.cat([finer, lateral], 1)))
        return out
