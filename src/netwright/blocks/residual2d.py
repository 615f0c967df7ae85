"""Residual blocks of convolutional networks, (B, C, H, W) → (B, C', H', W'): slot kind `residual2d`."""

from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.activation import in_place
from netwright.blocks.conv import ConvNormAct
from netwright.blocks.drop_path import DropPath
from netwright.blocks.slots import Activation, Gate2d, Norm2d

__all__ = ["BasicBlock", "Bottleneck", "BottleneckV1", "PreActBasicBlock", "PreActBottleneck"]


class BasicBlock(nn.Module):
    """Two 3 × 3 convolutions and a shortcut: σ(gate(F(x)) + shortcut(x)).

    The shortcut is the identity, or a 1 × 1 convolution where the shape changes.

    Shapes: (B, C, H, W) → (B, D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2015, Deep residual learning for image recognition, arXiv:1512.03385.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int,
        norm: Norm2d,
        activation: Activation,
        drop_path: float,
        gate: Gate2d = Identity,
    ):
        super().__init__()
        self.out_channels = dim
        self.conv1 = ConvNormAct(in_channels, dim, 3, stride, norm=norm, activation=activation)
        self.conv2 = ConvNormAct(dim, dim, 3, norm=norm, activation=Identity)
        self.gate = gate(dim)
        self.drop_path = DropPath(drop_path)
        self.shortcut = _shortcut(in_channels, dim, stride, norm)
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        y = self.gate(self.conv2(self.conv1(x)))
        return self.act(self.drop_path(y) + self.shortcut(x))


class Bottleneck(nn.Module):
    """Narrow to D channels, convolve 3 × 3 there, widen to `expansion` · D: σ(gate(F(x)) + shortcut(x)).

    The stride is on the 3 × 3 convolution ("v1.5"; the paper's `BottleneckV1` has it on the first 1 × 1).
    `groups` and `width_ratio` (the inner width relative to D) make it ResNeXt's and the wide ResNet's.

    Shapes: (B, C, H, W) → (B, expansion · D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2015, arXiv:1512.03385; groups: Xie et al. 2016, arXiv:1611.05431; width: Zagoruyko &
    Komodakis 2016, arXiv:1605.07146; gate: Hu et al. 2017, arXiv:1709.01507.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int,
        norm: Norm2d,
        activation: Activation,
        drop_path: float,
        expansion: int = 4,
        groups: int = 1,
        width_ratio: float = 1.0,
        gate: Gate2d = Identity,
    ):
        super().__init__()
        width = int(dim * width_ratio)
        if width % groups:
            raise ValueError(f"the inner width {width} (dim · width_ratio) must be a multiple of groups={groups}")
        self.out_channels = expansion * dim
        self.conv1 = ConvNormAct(in_channels, width, 1, norm=norm, activation=activation)
        self.conv2 = ConvNormAct(width, width, 3, stride, groups, norm=norm, activation=activation)
        self.conv3 = ConvNormAct(width, self.out_channels, 1, norm=norm, activation=Identity)
        self.gate = gate(self.out_channels)
        self.drop_path = DropPath(drop_path)
        self.shortcut = _shortcut(in_channels, self.out_channels, stride, norm)
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        y = self.gate(self.conv3(self.conv2(self.conv1(x))))
        return self.act(self.drop_path(y) + self.shortcut(x))


class BottleneckV1(nn.Module):
    """The bottleneck as first published, with the stride on the first 1 × 1 convolution: σ(gate(F(x)) + shortcut(x)).

    It needs fewer multiplications than `Bottleneck`, and looks at a quarter of the pixels where the stride is 2.

    Shapes: (B, C, H, W) → (B, expansion · D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2015, arXiv:1512.03385; gate: Hu et al. 2017, arXiv:1709.01507.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int,
        norm: Norm2d,
        activation: Activation,
        drop_path: float,
        expansion: int = 4,
        gate: Gate2d = Identity,
    ):
        super().__init__()
        self.out_channels = expansion * dim
        self.conv1 = ConvNormAct(in_channels, dim, 1, stride, norm=norm, activation=activation)
        self.conv2 = ConvNormAct(dim, dim, 3, norm=norm, activation=activation)
        self.conv3 = ConvNormAct(dim, self.out_channels, 1, norm=norm, activation=Identity)
        self.gate = gate(self.out_channels)
        self.drop_path = DropPath(drop_path)
        self.shortcut = _shortcut(in_channels, self.out_channels, stride, norm)
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        y = self.gate(self.conv3(self.conv2(self.conv1(x))))
        return self.act(self.drop_path(y) + self.shortcut(x))


class PreActBasicBlock(nn.Module):
    """Norm and activation before each of two 3 × 3 convolutions: x + gate(F(x)), a sum that nothing bends.

    `expansion` widens it: the k of wide residual networks. Where the shape changes, the shortcut is a 1 × 1
    convolution of the first activation.

    Shapes: (B, C, H, W) → (B, expansion · D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2016, Identity mappings in deep residual networks, arXiv:1603.05027; width: Zagoruyko &
    Komodakis 2016, Wide residual networks, arXiv:1605.07146.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int,
        norm: Norm2d,
        activation: Activation,
        drop_path: float,
        expansion: int = 1,
        gate: Gate2d = Identity,
    ):
        super().__init__()
        self.out_channels = width = expansion * dim
        self.same = stride == 1 and in_channels == width
        self.norm1 = norm(in_channels)
        self.act1 = in_place(activation(), self.norm1)
        self.shortcut = Identity() if self.same else nn.Conv2d(in_channels, width, 1, stride, bias=False)
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, 1, bias=False)
        self.norm2, self.act2 = norm(width), in_place(activation())
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.gate = gate(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.norm1(x))
        x = x if self.same else self.shortcut(y)
        y = self.conv2(self.act2(self.norm2(self.conv1(y))))
        return x + self.drop_path(self.gate(y))


class PreActBottleneck(nn.Module):
    """Norm and activation before each convolution of a bottleneck, 1 × 1, 3 × 3, 1 × 1: x + gate(F(x)).

    The stride is on the 3 × 3 convolution. Where the shape changes, the shortcut is a 1 × 1 convolution of the
    first activation.

    Shapes: (B, C, H, W) → (B, expansion · D, ⌈H / stride⌉, ⌈W / stride⌉).
    Source: He et al. 2016, Identity mappings in deep residual networks, arXiv:1603.05027.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        stride: int,
        norm: Norm2d,
        activation: Activation,
        drop_path: float,
        expansion: int = 4,
        gate: Gate2d = Identity,
    ):
        super().__init__()
        self.out_channels = width = expansion * dim
        self.same = stride == 1 and in_channels == width
        self.norm1 = norm(in_channels)
        self.act1 = in_place(activation(), self.norm1)
        self.shortcut = Identity() if self.same else nn.Conv2d(in_channels, width, 1, stride, bias=False)
        self.conv1 = nn.Conv2d(in_channels, dim, 1, bias=False)
        self.norm2, self.act2 = norm(dim), in_place(activation())
        self.conv2 = nn.Conv2d(dim, dim, 3, stride, 1, bias=False)
        self.norm3, self.act3 = norm(dim), in_place(activation())
        self.conv3 = nn.Conv2d(dim, width, 1, bias=False)
        self.gate = gate(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.act1(self.norm1(x))
        x = x if self.same else self.shortcut(y)
        y = self.conv2(self.act2(self.norm2(self.conv1(y))))
        y = self.conv3(self.act3(self.norm3(y)))
        return x + self.drop_path(self.gate(y))


def _shortcut(in_channels: int, out_channels: int, stride: int, norm: Norm2d) -> nn.Module:
    """The identity, or a 1 × 1 convolution where the shape changes."""
    if stride == 1 and in_channels == out_channels:
        return Identity()
    return ConvNormAct(in_channels, out_channels, 1, stride, norm=norm, activation=Identity)
