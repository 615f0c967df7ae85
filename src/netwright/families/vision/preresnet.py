"""Pre-activation ResNet, the second version: norm and activation before each convolution, one at the end of all."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import kaiming_init
from netwright.blocks.residual2d import PreActBottleneck
from netwright.blocks.slots import Activation, Norm2d, Residual2d, Stem
from netwright.blocks.stages import ResidualStages
from netwright.blocks.stem import ImageNetStem

__all__ = ["PRESETS", "PreActResNet"]


class PreActResNet(nn.Module):
    """Residual network whose shortcuts are never bent, so that a thousand layers train; the default is ResNet-50 v2.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ. The stem is a bare convolution: the blocks bring norm and
    activation. (For photographs the paper puts the first of them before the stem's pooling; here, as in later
    implementations, behind it.) The probability of dropping a branch grows from 0 at the first block to `drop_path` at
    the last (arXiv:1603.09382).

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before the stem's pooling, where it has one,
    and the sum at the end of each stage, (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: He et al. 2016, Identity mappings in deep residual networks, arXiv:1603.05027; wide: Zagoruyko &
    Komodakis 2016, arXiv:1605.07146.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 64,
        depths: Sequence[int] = (3, 4, 6, 3),
        block: Residual2d = PreActBottleneck,
        stem: Stem = partial(ImageNetStem, norm=Identity, activation=Identity, bias=False),
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
        self.norm = norm(self.channels[-1])
        self.act = in_place(activation(), self.norm)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(self.channels[-1], num_classes)
        self.classifier = ("norm", "act", "drop", "head")
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
        x = self.act(self.norm(x)).mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(x))


_PAPER = "He et al. 2016, arXiv:1603.05027"
_WIDE = "Zagoruyko & Komodakis 2016, arXiv:1605.07146"
_BARE = {"norm": "identity", "activation": "identity", "bias": False}

PRESETS: dict[str, dict] = {
    name: {"args": {"depths": depths}, "params": params, "source": _PAPER}
    for name, depths, params in [
        ("50", [3, 4, 6, 3], 25549352),
        ("101", [3, 4, 23, 3], 44541480),
        ("152", [3, 8, 36, 3], 60185128),
        ("200", [3, 24, 36, 3], 64666152),
    ]
}
PRESETS |= {
    name: {
        "args": {"stem": {"smallstem": _BARE}, "dim": 16, "depths": [blocks] * 3, "block": block},
        "params": params,
        "source": source,
        "inputs": {"num_classes": 10, "in_channels": 3},
    }
    for name, blocks, block, params, source in [
        ("110", 18, "preactbasicblock", 1730522, _PAPER + "; 1 × 1 convolutions as shortcuts"),
        ("164", 18, "preactbottleneck", 1703258, _PAPER),
        ("1001", 111, "preactbottleneck", 10327706, _PAPER),
        ("wide16_8", 2, {"preactbasicblock": {"expansion": 8}}, 10961370, _WIDE),
        ("wide28_10", 4, {"preactbasicblock": {"expansion": 10}}, 36479194, _WIDE),
        ("wide40_4", 6, {"preactbasicblock": {"expansion": 4}}, 8949210, _WIDE),
    ]
}
