"""Stems, image (B, C, H, W) → feature map (B, D, H', W'): slot kind `stem`. Each has its `stride`, H / H'.

A stem is a small backbone: `features` gives its maps, the last of which is its output, with `channels` and
`strides` beside it.
"""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct, PatchConv
from netwright.blocks.norm2d import LayerNorm2d
from netwright.blocks.slots import Activation, Conv2d, Norm2d

__all__ = ["ImageNetStem", "PatchStem", "SmallStem"]


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
