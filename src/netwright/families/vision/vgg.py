"""VGG: stages of 3 × 3 convolutions, a pooling behind each, and three fully connected layers."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import Identity, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.conv import ConvNormAct, kaiming_init
from netwright.blocks.downsample import MaxDownsample
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["PRESETS", "VGG"]


class VGG(nn.Module):
    """Very deep network of 3 × 3 convolutions; the default is VGG-16.

    Stage i has `depths[i]` convolutions of width `dim` · 2ⁱ, at most 8 · `dim`. Any size goes in: the last map is
    pooled to `grid` × `grid` for the fully connected layers, whose widths are `hidden`; for small images a grid of 1
    and no hidden layer save nearly all parameters.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → the map before each pooling and the last behind it,
    (B, channels[i], ⌊H / strides[i]⌋, ⌊W / strides[i]⌋), at least one pixel.
    Source: Simonyan & Zisserman 2014, Very deep convolutional networks for large-scale image recognition,
    arXiv:1409.1556.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 64,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        norm: Norm2d = Identity,
        activation: Activation = ReLU,
        hidden: Sequence[int] = (4096, 4096),
        grid: int = 7,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        width = in_channels
        for i, depth in enumerate(depths):
            stage = nn.Sequential()
            for _ in range(depth):
                out = dim * min(2**i, 8)
                stage.append(ConvNormAct(width, out, norm=norm, activation=activation, bias=True))
                width = out
            self.stages.append(stage)
            self.channels.append(width)
        self.pool = MaxDownsample()
        self.channels.append(width)
        self.strides = [2**i for i in range(len(self.channels))]

        self.resize = nn.AdaptiveAvgPool2d(grid)
        self.hidden = nn.Sequential()
        width *= grid**2
        for out in hidden:
            self.hidden.extend([nn.Linear(width, out), in_place(activation()), nn.Dropout(dropout)])
            width = out
        self.head = nn.Linear(width, num_classes)
        self.classifier = ("resize", "hidden", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map before each pooling and the last behind it, (B, channels[i], ⌊H / strides[i]⌋, …)."""
        maps = []
        for stage in self.stages:
            maps.append(stage(x))
            x = self.pool(maps[-1])
        return [*maps, x]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.resize(self.features(x)[-1])  # (B, channels[-1], grid, grid)
        return self.head(self.hidden(x.flatten(1)))


_PAPER = "Simonyan & Zisserman 2014, arXiv:1409.1556"
_NORM = "Simonyan & Zisserman 2014, arXiv:1409.1556; with batch norms: torchvision"
_DEPTHS = {
    "11": [1, 1, 2, 2, 2],
    "13": [2, 2, 2, 2, 2],
    "16": [2, 2, 3, 3, 3],
    "19": [2, 2, 4, 4, 4],
}

PRESETS: dict[str, dict] = {
    name: {"args": {"depths": _DEPTHS[name]}, "params": params, "source": _PAPER}
    for name, params in [("11", 132863336), ("13", 133047848), ("16", 138357544), ("19", 143667240)]
}
PRESETS |= {
    f"{name}_bn": {"args": {"depths": _DEPTHS[name], "norm": "batchnorm2d"}, "params": params, "source": _NORM}
    for name, params in [("11", 132868840), ("13", 133053736), ("16", 138365992), ("19", 143678248)]
}
