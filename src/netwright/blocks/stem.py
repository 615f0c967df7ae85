"""Stems, image (B, C, H, W) → feature map (B, D, H', W'): slot kind `stem`. Each has its `stride`, H / H'.

A stem is a small backbone: `features` gives its maps, the last of which is its output, with `channels` and
`strides` beside it.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU, SiLU

from netwright.blocks.conv import ConvNormAct, PatchConv
from netwright.blocks.norm2d import LayerNorm2d
from netwright.blocks.slots import Activation, Conv2d, Norm2d

__all__ = ["ConvStem", "FocusStem", "ImageNetStem", "PatchStem", "SmallStem", "UnpaddedStem"]


class ImageNetStem(nn.Module):
    """A 7 × 7 convolution with stride 2 and a 3 × 3 max-pooling with stride 2, for photographs: stride 4.

    Without norm, activation and bias it is the stem of pre-activation networks, whose blocks begin with these.

    Shapes: (B, C, H, W) → (B, D, ⌈H / 4⌉, ⌈W / 4⌉).
    Source: He et al. 2015, arXiv:1512.03385.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        bias: bool | None = None,
    ):
        super().__init__()
        self.stride = 4
        self.channels, self.strides = [dim, dim], [2, 4]
        self.conv = ConvNormAct(in_channels, dim, 7, stride=2, norm=norm, activation=activation, bias=bias)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.conv(x))

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the maps before and after the pooling."""
        x = self.conv(x)
        return [x, self.pool(x)]


class SmallStem(nn.Module):
    """One 3 × 3 convolution: with stride 1 for images up to about 64 pixels, with 2 for mobile networks.

    Shapes: (B, C, H, W) → (B, D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2015, section 4.2 (CIFAR-10), arXiv:1512.03385.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        conv: Conv2d = nn.Conv2d,
        bias: bool | None = None,
    ):
        super().__init__()
        self.stride = stride
        self.channels, self.strides = [dim], [stride]
        self.conv = ConvNormAct(in_channels, dim, 3, stride, norm=norm, activation=activation, conv=conv, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → its only map."""
        return [self(x)]


class PatchStem(nn.Module):
    """Patches that do not overlap, each mapped to D channels, and a norm: stride `patch_size`.

    Patch size 4 is for photographs; 2 or 1 keeps small images from shrinking away.

    Shapes: (B, C, H, W) → (B, D, ⌊H / patch_size⌋, ⌊W / patch_size⌋).
    Source: Liu et al. 2022, A ConvNet for the 2020s, arXiv:2201.03545.
    """

    def __init__(self, in_channels: int, dim: int, patch_size: int = 4, norm: Norm2d = LayerNorm2d):
        super().__init__()
        self.stride = patch_size
        self.channels, self.strides = [dim], [patch_size]
        self.conv = PatchConv(in_channels, dim, patch_size)
        self.norm = norm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → its only map."""
        return [self(x)]


class ConvStem(nn.Module):
    """3 × 3 convolutions with stride 2, one after the other, the first with half the width: stride 2^num_convs.

    Shapes: (B, C, H, W) → (B, D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Liu et al. 2018, DARTS, arXiv:1806.09055; before transformers: Xiao et al. 2021, arXiv:2106.14881.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        num_convs: int = 3,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.stride = 2**num_convs
        self.channels = [max(1, dim // 2) if i == 0 and num_convs > 1 else dim for i in range(num_convs)]
        self.strides = [2 ** (i + 1) for i in range(num_convs)]
        self.convs = nn.ModuleList()
        for width in self.channels:
            self.convs.append(ConvNormAct(in_channels, width, 3, 2, norm=norm, activation=activation))
            in_channels = width

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)[-1]

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each convolution."""
        maps = []
        for conv in self.convs:
            x = conv(x)
            maps.append(x)
        return maps


class UnpaddedStem(nn.Module):
    """One 3 × 3 convolution with stride 2 that takes whole windows only, and a norm; what follows activates.

    An image smaller than a window is filled up with zeros.

    Shapes: (B, C, H, W) → (B, D, max(1, ⌊(H − 1) / 2⌋), max(1, ⌊(W − 1) / 2⌋)).
    Source: Zoph et al. 2017, arXiv:1707.07012 (their code).
    """

    def __init__(self, in_channels: int, dim: int, norm: Norm2d = BatchNorm2d):
        super().__init__()
        self.stride = 2
        self.channels, self.strides = [dim], [2]
        self.norm = norm(dim)
        self.conv = nn.Conv2d(in_channels, dim, 3, 2, bias=isinstance(self.norm, Identity))

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height < 3 or width < 3:
            x = F.pad(x, (0, max(0, 3 - width), 0, max(0, 3 - height)))
        return self.norm(self.conv(x))


class FocusStem(nn.Module):
    """Each 2 × 2 pixels become one with four times the channels, and a 3 × 3 convolution mixes them: stride 2.

    The four are taken down the columns: (0, 0), (1, 0), (0, 1), (1, 1). An odd side is filled up with zeros.

    Shapes: (B, C, H, W) → (B, D, ⌈H / 2⌉, ⌈W / 2⌉).
    Source: Jocher et al. 2020, YOLOv5; Ge et al. 2021, YOLOX, arXiv:2107.08430.
    """

    def __init__(self, in_channels: int, dim: int, norm: Norm2d = BatchNorm2d, activation: Activation = SiLU):
        super().__init__()
        self.stride = 2
        self.channels, self.strides = [dim], [2]
        self.conv = ConvNormAct(4 * in_channels, dim, 3, norm=norm, activation=activation)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height % 2 or width % 2:
            x = F.pad(x, (0, width % 2, 0, height % 2))
        left, right = x[..., ::2], x[..., 1::2]
        return self.conv(torch.cat([left[..., ::2, :], left[..., 1::2, :], right[..., ::2, :], right[..., 1::2, :]], 1))

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → its only map."""
        return [self(x)]
