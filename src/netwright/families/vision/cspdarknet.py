"""CSPDarknet: the backbone of YOLOX, stages of cross stage partial layers."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import SiLU

from netwright.blocks.conv_unit import ConvNormAct
from netwright.blocks.csp import CSPLayer, SpatialPyramidPool
from netwright.blocks.slots import ConvUnit, Stem
from netwright.blocks.stem import FocusStem

__all__ = ["PRESETS", "CSPDarknet"]


class CSPDarknet(nn.Module):
    """Stages that each halve the map, double the width and run `depths[i]` blocks on half of the channels.

    The default is that of YOLOX-S. The last stage looks at windows of several sizes before its blocks, which add
    nothing to their input. For images below about 64 pixels take a stem of stride 1.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the stem's map and that of each stage,
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Ge et al. 2021, YOLOX, arXiv:2107.08430, after Wang et al. 2019, CSPNet, arXiv:1911.11929, and
    Bochkovskiy et al. 2020, YOLOv4, arXiv:2004.10934.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 32,
        depths: Sequence[int] = (1, 3, 3, 1),
        stem: Stem = FocusStem,
        conv: ConvUnit = partial(ConvNormAct, activation=SiLU),
        dropout: float = 0.0,
    ):
        super().__init__()
        self.stem = stem(in_channels, dim)
        self.stages = nn.ModuleList()
        self.channels, self.strides = list(self.stem.channels), list(self.stem.strides)
        for i, depth in enumerate(depths):
            last, width = i == len(depths) - 1, dim * 2 ** (i + 1)
            stage = nn.Sequential(conv(width // 2, width, 3, 2))
            if last:
                stage.append(SpatialPyramidPool(width, width, conv=conv))
            stage.append(CSPLayer(width, width, depth, residual=not last, conv=conv))
            self.stages.append(stage)
            self.channels.append(width)
            self.strides.append(2 * self.strides[-1])
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(width, num_classes)
        self.classifier = ("drop", "head")

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of the stem and of each stage, (B, channels[i], H / strides[i], …)."""
        maps = self.stem.features(x)
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.features(x)[-1].mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(x))


_PAPER = "Ge et al. 2021, arXiv:2107.08430: its backbone, with a classifier"
_NORM = {"batchnorm2d": {"eps": 0.001, "momentum": 0.03}}
_UNIT = {"norm": _NORM, "activation": "silu"}

PRESETS: dict[str, dict] = {
    name: {
        "args": {
            "dim": dim,
            "depths": [depth, 3 * depth, 3 * depth, depth],
            "stem": {"focusstem": {"norm": _NORM}},
            "conv": {conv: _UNIT},
        },
        "params": params,
        "source": _PAPER,
    }
    for name, dim, depth, conv, params in [
        ("nano", 16, 1, "separableconv", 716968),
        ("tiny", 24, 1, "convnormact", 2757304),
        ("s", 32, 1, "convnormact", 4725672),
        ("m", 48, 2, "convnormact", 13121992),
        ("l", 64, 3, "convnormact", 28100968),
        ("x", 80, 4, "convnormact", 51582600),
    ]
}
