"""DenseNet: blocks in which each layer sees all layers before it, with transitions to half the size between them."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import kaiming_init
from netwright.blocks.dense import DenseBlock, DenseTransition
from netwright.blocks.dense_layer import DenseBottleneck
from netwright.blocks.slots import Activation, DenseLayer, Norm2d, Stem
from netwright.blocks.stem import ImageNetStem

__all__ = ["PRESETS", "DenseNet"]


class DenseNet(nn.Module):
    """Densely connected network; the default is DenseNet-121.

    The stem gives `dim` maps, and each of the `depths[i]` layers of block i adds `growth_rate`; the transition behind a
    block keeps the share `compression` of its maps. `norm` and `activation` go to the blocks; the stem has its own.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before the stem's pooling, where it has one, and
    that of each block, (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up in the stem and down behind.
    Source: Huang et al. 2016, Densely connected convolutional networks, arXiv:1608.06993.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 64,
        growth_rate: int = 32,
        depths: Sequence[int] = (6, 12, 24, 16),
        layer: DenseLayer = DenseBottleneck,
        compression: float = 0.5,
        stem: Stem = ImageNetStem,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.stem = stem(in_channels, dim)
        self.blocks, self.transitions = nn.ModuleList(), nn.ModuleList()
        self.channels = list(self.stem.channels[:-1])
        self.strides = list(self.stem.strides[:-1])
        channels = dim
        for i, depth in enumerate(depths):
            if i > 0:
                fewer = max(1, int(channels * compression))
                self.transitions.append(DenseTransition(channels, fewer, norm, activation))
                channels = fewer
            block = DenseBlock(channels, growth_rate, depth, layer, norm, activation)
            self.blocks.append(block)
            channels = block.out_channels
            self.channels.append(channels)
            self.strides.append(self.stem.stride * 2**i)
        self.norm = norm(channels)
        self.act = in_place(activation(), self.norm)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(channels, num_classes)
        self.classifier = ("norm", "act", "drop", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the finer maps of the stem and that of each block, (B, channels[i], H / strides[i], …)."""
        *maps, x = self.stem.features(x)
        maps.append(self.blocks[0](x))
        for transition, block in zip(self.transitions, self.blocks[1:], strict=True):
            maps.append(block(transition(maps[-1])))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.blocks[0](self.stem(x))
        for transition, block in zip(self.transitions, self.blocks[1:], strict=True):
            x = block(transition(x))
        x = self.act(self.norm(x)).mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(x))


_PAPER = "Huang et al. 2016, arXiv:1608.06993"
_STEM = {"smallstem": {"norm": "identity", "activation": "identity", "bias": False}}

PRESETS: dict[str, dict] = {
    name: {"args": {"dim": dim, "growth_rate": growth, "depths": depths}, "params": params, "source": _PAPER}
    for name, dim, growth, depths, params in [
        ("121", 64, 32, [6, 12, 24, 16], 7978856),
        ("161", 96, 48, [6, 12, 36, 24], 28681000),
        ("169", 64, 32, [6, 12, 32, 32], 14149480),
        ("201", 64, 32, [6, 12, 48, 32], 20013928),
    ]
}
# For CIFAR: plain ones keep all maps and begin with 16; those with bottlenecks and compression begin with 2 K.
PRESETS |= {
    name: {
        "args": {
            "dim": dim,
            "growth_rate": growth,
            "depths": [depth] * 3,
            "layer": layer,
            "compression": compression,
            "stem": _STEM,
        },
        "params": params,
        "source": _PAPER,
        "inputs": {"num_classes": 10, "in_channels": 3},
    }
    for name, dim, growth, depth, layer, compression, params in [
        ("40_k12", 16, 12, 12, "plaindense", 1.0, 1019722),
        ("100_k12", 16, 12, 32, "plaindense", 1.0, 6979642),
        ("100_k24", 16, 24, 32, "plaindense", 1.0, 27249082),
        ("100_k12_bc", 24, 12, 16, "densebottleneck", 0.5, 769162),
        ("250_k24_bc", 48, 24, 41, "densebottleneck", 0.5, 15324406),
        ("190_k40_bc", 80, 40, 31, "densebottleneck", 0.5, 25624430),
    ]
}
