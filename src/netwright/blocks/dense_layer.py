"""Layers of a dense block, (B, C, H, W) → (B, K, H, W): slot kind `dense_layer`."""

from torch import Tensor, nn

from netwright.blocks.activation import in_place
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["DenseBottleneck", "PlainDense"]


class PlainDense(nn.Module):
    """Norm, activation and a 3 × 3 convolution to K maps, the growth rate.

    Shapes: (B, C, H, W) → (B, K, H, W).
    Source: Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(self, in_channels: int, growth_rate: int, norm: Norm2d, activation: Activation, dropout: float = 0.0):
        super().__init__()
        self.norm = norm(in_channels)
        self.act = in_place(activation(), self.norm)
        self.conv = nn.Conv2d(in_channels, growth_rate, 3, padding=1, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.conv(self.act(self.norm(x))))


class DenseBottleneck(nn.Module):
    """Norm, activation, 1 × 1 convolution to `expansion` · K maps; norm, activation, 3 × 3 convolution to K maps.

    The "B" of DenseNet-B.

    Shapes: (B, C, H, W) → (B, K, H, W).
    Source: Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(
        self,
        in_channels: int,
        growth_rate: int,
        norm: Norm2d,
        activation: Activation,
        expansion: int = 4,
        dropout: float = 0.0,
    ):
        super().__init__()
        width = expansion * growth_rate
        self.norm1 = norm(in_channels)
        self.act1 = in_place(activation(), self.norm1)
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.norm2, self.act2 = norm(width), in_place(activation())
        self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(self.act1(self.norm1(x)))
        return self.drop(self.conv2(self.act2(self.norm2(x))))
