"""Convolutions of feature maps, called with the arguments of torch's `Conv2d`: slot kind `conv2d`."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Conv2d

from netwright.blocks.slots import Conv2d as AnyConv2d

__all__ = ["Conv2d", "SameConv2d", "SeparableConv2d", "StandardisedConv2d"]


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": where the padding is odd, the extra zeros are below and right.

    The padding follows the image's size, so that `padding` is not used. With stride 1 it is torch's own.

    Shapes: (B, C, H, W) → (B, C', ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Abadi et al. 2016, TensorFlow, arXiv:1605.08695 (`tf.nn.conv2d`).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, 0, dilation, groups, bias)

    def forward(self, x: Tensor) -> Tensor:
        top, bottom = same_padding(x.shape[2], self.kernel_size[0], self.stride[0], self.dilation[0])
        left, right = same_padding(x.shape[3], self.kernel_size[1], self.stride[1], self.dilation[1])
        if top != bottom or left != right:
            x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
        return F.conv2d(x, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups)


class SeparableConv2d(nn.Module):
    """A k × k convolution of each channel by itself, then a 1 × 1 convolution across the channels: W₂ (dw ∗ x).

    `conv` is the depthwise one; `groups` and the bias belong to the 1 × 1 convolution.

    Shapes: (B, C, H, W) → (B, C', H', W'), as `Conv2d`.
    Source: Chollet 2016, Xception: Deep learning with depthwise separable convolutions, arXiv:1610.02357.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        conv: AnyConv2d = Conv2d,
    ):
        super().__init__()
        self.depthwise = conv(in_channels, in_channels, kernel_size, stride, padding, dilation, in_channels, False)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class StandardisedConv2d(nn.Conv2d):
    """A convolution whose filters are standardised: ŵ = (w − μ) / √(σ² + ε), μ and σ over each filter.

    It goes with group norm where batches are small.

    Shapes: (B, C, H, W) → (B, C', H', W'), as `Conv2d`.
    Source: Qiao et al. 2019, Weight standardization, arXiv:1903.10520.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        eps: float = 1e-6,
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        weight = F.layer_norm(self.weight, self.weight.shape[1:], eps=self.eps)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def same_padding(size: int, kernel_size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after, so that ⌈size / stride⌉ windows fit."""
    rest = (kernel_size - 1) * dilation + 1 - stride  # what a window sees beyond its own stride
    total = rest + -size % stride if stride > 1 else rest  # short, because sizes may be symbols
    if rest < 0:
        total = max(0, total)
    return total // 2, total - total // 2
