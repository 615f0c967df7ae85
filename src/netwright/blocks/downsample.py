"""Pooling of feature maps to smaller ones, (B, C, H, W) → (B, C, H', W'), without padding."""

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["MaxDownsample", "MeanDownsample"]


class MaxDownsample(nn.Module):
    """The largest value of each window; a map smaller than the window is one window.

    Shapes: (B, C, H, W) → (B, C, max(1, ⌊(H − kernel_size) / stride⌋ + 1), …).
    Source: Krizhevsky et al. 2012 (kernel 3); Simonyan & Zisserman 2014, arXiv:1409.1556 (kernel 2).
    """

    def __init__(self, kernel_size: int = 2, stride: int = 2):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        return F.max_pool2d(x, (min(self.kernel_size, height), min(self.kernel_size, width)), self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


class MeanDownsample(nn.Module):
    """The mean of each window; a map smaller than the window is one window.

    Shapes: (B, C, H, W) → (B, C, max(1, ⌊(H − kernel_size) / stride⌋ + 1), …).
    Source: LeCun et al. 1998, Gradient-based learning applied to document recognition (sub-sampling).
    """

    def __init__(self, kernel_size: int = 2, stride: int = 2):
        super().__init__()
        self.kernel_size, self.stride = kernel_size, stride

    def forward(self, x: Tensor) -> Tensor:
        kernel, (_, _, height, width) = self.kernel_size, x.shape
        if kernel <= height and kernel <= width:
            return F.avg_pool2d(x, kernel, self.stride)
        return F.avg_pool2d(x, (min(kernel, height), min(kernel, width)), self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}"
