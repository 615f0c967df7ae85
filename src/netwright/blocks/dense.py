"""Dense connections: each layer sees the maps of all layers before it."""

import torch
from torch import Tensor, nn

from netwright.blocks.activation import in_place
from netwright.blocks.downsample import MeanDownsample
from netwright.blocks.slots import Activation, DenseLayer, Norm2d

__all__ = ["DenseBlock", "DenseTransition"]


class DenseBlock(nn.Module):
    """Layers that each add K maps to what there is: xᵢ₊₁ = [xᵢ, layerᵢ(xᵢ)].

    Shapes: (B, C, H, W) → (B, C + depth · K, H, W).
    Source: Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(
        self,
        in_channels: int,
        growth_rate: int,
        depth: int,
        layer: DenseLayer,
        norm: Norm2d,
        activation: Activation,
    ):
        super().__init__()
        self.layers = nn.ModuleList(
            layer(in_channels + i * growth_rate, growth_rate, norm, activation) for i in range(depth)
        )
        self.out_channels = in_channels + depth * growth_rate

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class DenseTransition(nn.Module):
    """Norm, activation, mean of 2 × 2 pixels, 1 × 1 convolution: half the size, and fewer maps.

    The paper convolves first. A mean and a 1 × 1 convolution may change places, and this order has a quarter of the
    multiplications.

    Shapes: (B, C, H, W) → (B, C', max(1, ⌊H / 2⌋), max(1, ⌊W / 2⌋)).
    Source: Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Norm2d, activation: Activation):
        super().__init__()
        self.norm = norm(in_channels)
        self.act = in_place(activation(), self.norm)
        self.pool = MeanDownsample()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.pool(self.act(self.norm(x))))
