"""Convolutions with their norm and activation, called with sizes alone: slot kind `conv_unit`."""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["ConvNormAct", "SeparableConv"]


class SeparableConv(nn.Module):
    """Space first, each channel by itself, then the channels: σ(norm(W₂ σ(norm(W₁ ∗ x)))).

    Kernel size 1 has no space to mix: only the second part is there.

    Shapes: (B, C, H, W) → (B, C', ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Howard et al. 2017, MobileNets, arXiv:1704.04861.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        apart = kernel_size > 1
        depthwise = ConvNormAct(in_channels, in_channels, kernel_size, stride, in_channels, norm, activation)
        self.depthwise = depthwise if apart else Identity()
        self.pointwise = ConvNormAct(in_channels, out_channels, 1, 1 if apart else stride, 1, norm, activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))
