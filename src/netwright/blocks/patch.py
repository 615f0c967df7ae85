"""From an image to a grid of tokens: patches, or a small convolutional network."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import LayerNorm, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.slots import Activation, Norm


class PatchEmbed(nn.Module):
    """Cut the image into squares and map each linearly to a vector: a convolution with its kernel as stride.

    An image whose sides are no multiples of `patch_size` is padded with zeros on the right and at the bottom.

    Shapes: (B, C, H, W) → (B, D, ⌈H/p⌉, ⌈W/p⌉).
    Source: Dosovitskiy et al. 2020, An image is worth 16x16 words, arXiv:2010.11929.
    """

    def __init__(self, in_channels: int, dim: int, patch_size: int = 16):
        super().__init__()
        self.stride = patch_size
        self.proj = nn.Conv2d(in_channels, dim, patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        H, W = x.shape[-2:]
        if H % self.stride or W % self.stride:
            x = F.pad(x, (0, -W % self.stride, 0, -H % self.stride))
        return self.proj(x)


class OverlapPatchEmbed(nn.Module):
    """A vector for each patch, where neighbouring patches overlap by nearly half: a strided convolution and a norm.

    The kernel has 2 · stride − 1 pixels, at least 3. The result has its channels last.

    Shapes: (B, C, H, W) → (B, ⌈H/stride⌉, ⌈W/stride⌉, D).
    Source: Xie et al. 2021, SegFormer, arXiv:2105.15203; Wang et al. 2021, PVT v2, arXiv:2106.13797.
    """

    def __init__(self, in_channels: int, dim: int, stride: int = 4, norm: Norm = LayerNorm):
        super().__init__()
        self.stride = stride
        kernel_size = max(3, 2 * stride - 1)
        self.conv = nn.Conv2d(in_channels, dim, kernel_size, stride, kernel_size // 2)
        self.norm = norm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous()  # a map that lies channels-last would want copies of the weights and their gradients, too
        return self.norm(self.conv(x).permute(0, 2, 3, 1))


class ConvTokenizer(nn.Module):
    """Convolution, ReLU, max-pool, `num_convs` times: neighbouring tokens see overlapping parts of the image.

    Kernels up to 5 keep the size and larger ones halve it or more (stride k//2 − 1); each pooling halves it.

    Shapes: (B, C, H, W) → (B, D, ⌈H/stride⌉, ⌈W/stride⌉).
    Source: Hassani et al. 2021, Escaping the big data paradigm with compact transformers, arXiv:2104.05704.
    """

    def __init__(
        self,
        in_channels: int,
        dim: int,
        kernel_size: int = 3,
        num_convs: int = 1,
        hidden: int = 64,
        activation: Activation = ReLU,
    ):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        stride = max(1, kernel_size // 2 - 1)
        self.stride = (2 * stride) ** num_convs
        widths = [in_channels] + [hidden] * (num_convs - 1) + [dim]
        self.layers = nn.Sequential()
        for c_in, c_out in pairwise(widths):
            conv = nn.Conv2d(c_in, c_out, kernel_size, stride, kernel_size // 2, bias=False)
            nn.init.kaiming_normal_(conv.weight)
            self.layers.extend([conv, in_place(activation()), nn.MaxPool2d(3, 2, 1)])

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
