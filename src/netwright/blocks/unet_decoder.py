"""The U-Net decoder: from the coarsest map to the finest, taking in each map of the encoder on the way."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.slots import Activation, Norm2d, Upsample2d
from netwright.blocks.upsample2d import NearestUpsample

__all__ = ["UNetDecoder", "UNetDecoderBlock"]


class UNetDecoderBlock(nn.Module):
    """Enlarge the coarse map to the skip's size, put the two together, convolve 3 × 3 twice.

    y = c₂(c₁([up(x), skip])), c = σ(norm(W ∗ ·)). Without a skip (no channels) only x goes in.

    Shapes: x (B, C, h, w), skip (B, S, H, W) or None, size (H, W) → (B, D, H, W).
    Source: Ronneberger et al. 2015, arXiv:1505.04597.
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        dim: int,
        factor: int = 2,
        upsample: Upsample2d = NearestUpsample,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.upsample = upsample(in_channels, factor)
        self.conv1 = ConvNormAct(self.upsample.out_channels + skip_channels, dim, 3, norm=norm, activation=activation)
        self.conv2 = ConvNormAct(dim, dim, 3, norm=norm, activation=activation)

    def forward(self, x: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        x = self.upsample(x, size)
        if skip is not None:
            x = torch.cat([x, skip], 1)
        return self.conv2(self.conv1(x))


class UNetDecoder(nn.Module):
    """A block for each map finer than the coarsest, and one more without a skip where none has the input's size.

    The last block has `dim` channels, each one before it twice as many.

    Shapes: a list of (B, C_i, H_i, W_i), size (H, W) of the input → (B, D, H, W).
    Source: Ronneberger et al. 2015, arXiv:1505.04597.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 16,
        upsample: Upsample2d = NearestUpsample,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        skips = [*reversed(channels[:-1])]
        steps = [*reversed(strides)]
        if steps[-1] > 1:  # the input itself is no skip
            skips, steps = [*skips, 0], [*steps, 1]
        self.blocks = nn.ModuleList()
        width = channels[-1]
        for i, skip in enumerate(skips):
            out, factor = dim * 2 ** (len(skips) - 1 - i), max(1, round(steps[i] / steps[i + 1]))
            self.blocks.append(UNetDecoderBlock(width, skip, out, factor, upsample, norm, activation))
            width = out
        self.out_channels = width

    def forward(self, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        *skips, x = maps
        for i, block in enumerate(self.blocks):
            skip = skips[-1 - i] if i < len(skips) else None
            x = block(x, skip, size if skip is None else skip.shape[-2:])
        return x
