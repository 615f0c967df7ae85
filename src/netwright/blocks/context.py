"""Blocks that let each pixel see far: atrous pyramid, and pooling over regions."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.resize import resize_bilinear
from netwright.blocks.slots import Activation, Conv2d, Norm2d

__all__ = ["ASPP", "PyramidPooling"]


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: what lies near, at several distances and in the whole image, put together.

    y = c([c₁(x), a_r(x) for each rate r, c₀(mean(x))]): c are 1 × 1 convolutions, a_r are 3 × 3 with dilation r, of
    the kind `conv`; each with norm and activation.

    Shapes: (B, C, H, W) → (B, D, H, W).
    Source: Chen et al. 2017, Rethinking atrous convolution, arXiv:1706.05587.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int = 256,
        rates: Sequence[int] = (12, 24, 36),
        conv: Conv2d = nn.Conv2d,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.point = ConvNormAct(in_channels, dim, 1, norm=norm, activation=activation)
        self.atrous = nn.ModuleList(
            ConvNormAct(in_channels, dim, 3, norm=norm, activation=activation, dilation=rate, conv=conv)
            for rate in rates
        )
        self.image = ConvNormAct(in_channels, dim, 1, norm=norm, activation=activation)
        self.project = ConvNormAct((2 + len(rates)) * dim, dim, 1, norm=norm, activation=activation)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        seen = [self.point(x)] + [conv(x) for conv in self.atrous]
        image = resize_bilinear(self.image(x.mean((2, 3), keepdim=True)), x.shape[-2:])
        return self.drop(self.project(torch.cat([*seen, image], 1)))


class PyramidPooling(nn.Module):
    """The means of 1, 2², 3², 6² regions beside each pixel: y = [x, up(c_b(mean_b(x))) for b × b regions].

    Shapes: (B, C, H, W) → (B, C + len(bins) · D, H, W).
    Source: Zhao et al. 2016, Pyramid scene parsing network, arXiv:1612.01105.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        bins: Sequence[int] = (1, 2, 3, 6),
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.bins = tuple(bins)
        self.convs = nn.ModuleList(ConvNormAct(in_channels, dim, 1, norm=norm, activation=activation) for _ in bins)
        self.out_channels = in_channels + len(self.bins) * dim

    def forward(self, x: Tensor) -> Tensor:
        size, out = x.shape[-2:], [x]
        for bins, conv in zip(self.bins, self.convs, strict=True):
            out.append(resize_bilinear(conv(F.adaptive_avg_pool2d(x, bins)), size))
        return torch.cat(out, 1)
