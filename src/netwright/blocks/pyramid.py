"""One map for each scale, whatever the backbone: what decoders and necks start from."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import GELU

from netwright.blocks.norm2d import LayerNorm2d
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["DeepestMaps", "TokenPyramid", "pyramid"]


def pyramid(channels: Sequence[int], strides: Sequence[int], num_maps: int | None = None) -> Any:
    """What makes one map of each scale of a backbone's maps: of these the `num_maps` coarsest, or all.

    A backbone whose maps all have one stride (a plain transformer) gets a `TokenPyramid`.
    """
    if len(set(strides)) == 1:
        return TokenPyramid(channels, strides, 4 if num_maps is None else num_maps)
    return DeepestMaps(channels, strides, len(strides) if num_maps is None else num_maps)


class DeepestMaps(nn.Module):
    """Of the maps of one stride the last, which has seen most, and of these the `num_maps` coarsest.

    Shapes: a list of (B, C_i, H_i, W_i) → a list of some of them, with their `channels` and `strides`.
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int], num_maps: int):
        super().__init__()
        last = {stride: i for i, stride in enumerate(strides)}
        self.chosen = sorted(last.values())[-num_maps:]
        self.channels = [channels[i] for i in self.chosen]
        self.strides = [strides[i] for i in self.chosen]

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return [maps[i] for i in self.chosen]


class TokenPyramid(nn.Module):
    """Maps of four scales from the last map of a backbone that keeps one: transposed convolutions and max-pooling.

    The finest stride is the backbone's, halved until it is 4 or less: of 16 come 4, 8, 16 and 32. Each doubling of
    the size halves the channels; between two of them stand a norm and an activation.

    Shapes: a list of (B, D, H, W) → maps (B, D / 2ᵏ, 2ᵏ H, 2ᵏ W), k falling by one from map to map.
    Source: Li et al. 2022, Exploring plain vision transformer backbones for object detection, arXiv:2203.16527.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        num_maps: int = 4,
        norm: Norm2d = LayerNorm2d,
        activation: Activation = GELU,
    ):
        super().__init__()
        dim, stride, doublings = channels[-1], float(strides[-1]), 0
        while stride > 4:
            stride, doublings = stride / 2, doublings + 1
        self.channels: list[int] = []
        self.strides: list[int] = []
        self.scales = nn.ModuleList()
        for i in range(num_maps):
            scale = nn.Sequential()
            width = dim
            for j in range(doublings - i):
                if j > 0:
                    scale.extend([norm(width), activation()])
                scale.append(nn.ConvTranspose2d(width, max(1, width // 2), 2, stride=2))
                width = max(1, width // 2)
            if i > doublings:
                scale.append(nn.MaxPool2d(2 ** (i - doublings), ceil_mode=True))
            self.scales.append(scale)
            self.channels.append(width)
            self.strides.append(round(stride * 2**i))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        return [scale(maps[-1]) for scale in self.scales]
