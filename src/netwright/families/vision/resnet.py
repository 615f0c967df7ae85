"""ResNet: stages of residual blocks, each at half the size and twice the width of the one before."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import kaiming_init
from netwright.blocks.residual2d import Bottleneck
from netwright.blocks.slots import Activation, Norm2d, Residual2d, Stem
from netwright.blocks.stem import ImageNetStem

__all__ = ["PRESETS", "ResNet"]


class ResNet(nn.Module):
    """Deep residual network; the default is ResNet-50 in its "v1.5" form.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ. For images below about 64 pixels take the small stem.
    `norm` and `activation` go to the blocks; the stem has its own. The probability of dropping a branch grows
    from 0 at the first block to `drop_path` at the last (arXiv:1603.09382).

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before the stem's pooling, where it has one,
    and that of each stage, (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: He et al. 2015, Deep residual learning for image recognition, arXiv:1512.03385; the stride on the
    3 × 3 convolution: NVIDIA and torchvision, "ResNet v1.5".
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 64,
        depths: Sequence[int] = (3, 4, 6, 3),
        block: Residual2d = Bottleneck,
        stem: Stem = ImageNetStem,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.stem = stem(in_channels, dim)
        self.stages = nn.ModuleList()
        self.channels = list(self.stem.channels[:-1])
        self.strides = list(self.stem.strides[:-1])
        channels, stride, built = dim, self.stem.stride, 0
        for i, depth in enumerate(depths):
            stage = nn.Sequential()
            for j in range(depth):
                step = 2 if i > 0 and j == 0 else 1
                drop = drop_path * built / max(1, sum(depths) - 1)
                layer = block(channels, dim * 2**i, step, norm, activation, drop)
                stage.append(layer)
                channels, stride, built = cast(int, layer.out_channels), stride * step, built + 1
            self.stages.append(stage)
            self.channels.append(channels)
            self.strides.append(stride)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(channels, num_classes)
        self.classifier = ("drop", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the finer maps of the stem and that of each stage, (B, channels[i], H / strides[i], …)."""
        *maps, x = self.stem.features(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.features(x)[-1].mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(x))


_PAPER = "He et al. 2015, arXiv:1512.03385"
_CIFAR = {"stem": "smallstem", "block": "basicblock", "dim": 16}
_CIFAR_INPUTS = {"num_classes": 10, "in_channels": 3}
_CIFAR_SOURCE = "He et al. 2015, section 4.2, arXiv:1512.03385; 1 × 1 convolutions as shortcuts (option B)"
_RESNEXT = {"bottleneck": {"groups": 32, "width_ratio": 2.0}}

PRESETS: dict[str, dict] = {
    "18": {"args": {"depths": [2, 2, 2, 2], "block": "basicblock"}, "params": 11689512, "source": _PAPER},
    "34": {"args": {"depths": [3, 4, 6, 3], "block": "basicblock"}, "params": 21797672, "source": _PAPER},
    "50": {"args": {"depths": [3, 4, 6, 3]}, "params": 25557032, "source": _PAPER},
    "101": {"args": {"depths": [3, 4, 23, 3]}, "params": 44549160, "source": _PAPER},
    "152": {"args": {"depths": [3, 8, 36, 3]}, "params": 60192808, "source": _PAPER},
    "resnext50_32x4d": {
        "args": {"depths": [3, 4, 6, 3], "block": _RESNEXT},
        "params": 25028904,
        "source": "Xie et al. 2016, arXiv:1611.05431",
    },
    "wide50_2": {
        "args": {"depths": [3, 4, 6, 3], "block": {"bottleneck": {"width_ratio": 2.0}}},
        "params": 68883240,
        "source": "Zagoruyko & Komodakis 2016, arXiv:1605.07146",
    },
    "se50": {
        "args": {"depths": [3, 4, 6, 3], "block": {"bottleneck": {"gate": "squeezeexcite"}}},
        "params": 28088024,
        "source": "Hu et al. 2017, arXiv:1709.01507",
    },
}
PRESETS |= {
    name: {
        "args": _CIFAR | {"depths": [blocks] * 3},
        "params": params,
        "source": _CIFAR_SOURCE,
        "inputs": _CIFAR_INPUTS,
    }
    for name, blocks, params in [
        ("20", 3, 272474),
        ("32", 5, 466906),
        ("44", 7, 661338),
        ("56", 9, 855770),
        ("110", 18, 1730714),
    ]
}
