"""ResNet: stages of residual blocks, each at half the size and twice the width of the one before."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import kaiming_init
from netwright.blocks.residual2d import Bottleneck
from netwright.blocks.slots import Activation, Norm2d, Residual2d, Stem
from netwright.blocks.stages import ResidualStages
from netwright.blocks.stem import ImageNetStem

__all__ = ["PRESETS", "ResNet"]


class ResNet(nn.Module):
    """Deep residual network; the default is ResNet-50 in its "v1.5" form.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ. For images below about 64 pixels take the small stem.
    `norm` and `activation` go to the blocks; the stem has its own. The probability of dropping a branch grows
    from 0 at the first block to `drop_path` at the last (arXiv:1603.09382). `PreActResNet` has the second version.

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
        self.stages = ResidualStages(dim, depths, self.stem.stride, block, norm, activation, drop_path)
        self.channels = [*self.stem.channels[:-1], *self.stages.channels]
        self.strides = [*self.stem.strides[:-1], *self.stages.strides]
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(self.channels[-1], num_classes)
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
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(self.drop(x.mean((2, 3))))


_PAPER = "He et al. 2015, arXiv:1512.03385"
_RESNEXT = "Xie et al. 2016, arXiv:1611.05431"
_WIDE = "Zagoruyko & Komodakis 2016, arXiv:1605.07146"
_SE = "Hu et al. 2017, arXiv:1709.01507"
_50, _101, _152 = [3, 4, 6, 3], [3, 4, 23, 3], [3, 8, 36, 3]

PRESETS: dict[str, dict] = {
    name: {"args": {"depths": depths, "block": block}, "params": params, "source": source}
    for name, depths, block, params, source in [
        ("18", [2, 2, 2, 2], "basicblock", 11689512, _PAPER),
        ("34", _50, "basicblock", 21797672, _PAPER),
        ("50", _50, "bottleneck", 25557032, _PAPER),
        ("101", _101, "bottleneck", 44549160, _PAPER),
        ("152", _152, "bottleneck", 60192808, _PAPER),
        ("50_v1", _50, "bottleneckv1", 25557032, _PAPER),
        ("101_v1", _101, "bottleneckv1", 44549160, _PAPER),
        ("152_v1", _152, "bottleneckv1", 60192808, _PAPER),
        ("resnext50_32x4d", _50, {"bottleneck": {"groups": 32, "width_ratio": 2.0}}, 25028904, _RESNEXT),
        ("resnext101_32x4d", _101, {"bottleneck": {"groups": 32, "width_ratio": 2.0}}, 44177704, _RESNEXT),
        ("resnext101_64x4d", _101, {"bottleneck": {"groups": 64, "width_ratio": 4.0}}, 83455272, _RESNEXT),
        ("resnext101_32x8d", _101, {"bottleneck": {"groups": 32, "width_ratio": 4.0}}, 88791336, _RESNEXT),
        ("wide50_2", _50, {"bottleneck": {"width_ratio": 2.0}}, 68883240, _WIDE),
        ("wide101_2", _101, {"bottleneck": {"width_ratio": 2.0}}, 126886696, _WIDE),
        ("se50", _50, {"bottleneck": {"gate": "squeezeexcite"}}, 28088024, _SE),
        ("se50_v1", _50, {"bottleneckv1": {"gate": "squeezeexcite"}}, 28088024, _SE),
        ("se101_v1", _101, {"bottleneckv1": {"gate": "squeezeexcite"}}, 49326872, _SE),
        ("se152_v1", _152, {"bottleneckv1": {"gate": "squeezeexcite"}}, 66821848, _SE),
    ]
}
PRESETS |= {
    name: {
        "args": {"stem": "smallstem", "block": "basicblock", "dim": 16, "depths": [blocks] * 3},
        "params": params,
        "source": "He et al. 2015, section 4.2, arXiv:1512.03385; 1 × 1 convolutions as shortcuts (option B)",
        "inputs": {"num_classes": 10, "in_channels": 3},
    }
    for name, blocks, params in [
        ("20", 3, 272474),
        ("32", 5, 466906),
        ("44", 7, 661338),
        ("56", 9, 855770),
        ("110", 18, 1730714),
        ("1202", 200, 19424026),
    ]
}
