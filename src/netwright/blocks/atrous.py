"""3 × 3 convolutions whose taps lie `dilation` pixels apart, with norm and activation: slot kind `atrous`.

They keep the size, (B, C, H, W) → (B, D, H, W); dilation 1 is the plain convolution.
"""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["AtrousConv", "SeparableAtrousConv"]


class AtrousConv(nn.Module):
    """σ(norm(W ∗ x)). Shapes: (B, C, H, W) → (B, D, H, W).

    Source: Chen et al. 2016, DeepLab, arXiv:1606.00915.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dilation: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = norm(out_channels)
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class SeparableAtrousConv(nn.Module):
    """First space in each channel, then the channels of each pixel: σ(norm(W (w ∗ x))).

    Shapes: (B, C, H, W) → (B, D, H, W).
    Source: Chen et al. 2018, Encoder-decoder with atrous separable convolution, arXiv:1802.02611.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        dilation: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, 3, padding=dilation, dilation=dilation, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm = norm(out_channels)
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.pointwise(self.depthwise(x))))
