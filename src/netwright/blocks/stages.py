"""Stages of residual blocks."""

from collections.abc import Sequence
from typing import cast

from torch import nn

from netwright.blocks.slots import Activation, Norm2d, Residual2d

__all__ = ["ResidualStages"]


class ResidualStages(nn.ModuleList):
    """Stages of residual blocks behind a stem, each at half the size and twice the width of the one before.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ; the first block of each but the first stage has stride 2.
    The probability of dropping a branch grows from 0 at the first block to `drop_path` at the last.
    `channels` and `strides` are those of the map behind each stage, where the stem has given `dim` channels.

    Source: He et al. 2015, arXiv:1512.03385; growing drop rate: Huang et al. 2016, arXiv:1603.09382.
    """

    def __init__(
        self,
        dim: int,
        depths: Sequence[int],
        stride: int,
        block: Residual2d,
        norm: Norm2d,
        activation: Activation,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.channels: list[int] = []
        self.strides: list[int] = []
        channels, built = dim, 0
        for i, depth in enumerate(depths):
            stage = nn.Sequential()
            for j in range(depth):
                step = 2 if i > 0 and j == 0 else 1
                drop = drop_path * built / max(1, sum(depths) - 1)
                layer = block(channels, dim * 2**i, step, norm, activation, drop)
                stage.append(layer)
                channels, stride, built = cast(int, layer.out_channels), stride * step, built + 1
            self.append(stage)
            self.channels.append(channels)
            self.strides.append(stride)
