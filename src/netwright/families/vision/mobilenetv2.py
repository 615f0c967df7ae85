"""MobileNetV2: residual blocks turned inside out, narrow where they meet and wide between."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU6

from netwright.blocks.conv import ConvNormAct, InvertedBottleneck, kaiming_init, round_channels
from netwright.blocks.slots import Activation, Norm2d, Stem
from netwright.blocks.stem import SmallStem

__all__ = ["PRESETS", "MobileNetV2"]

# The paper's table 2, one list for each size of feature map: expansion, output channels, blocks.
LAYOUT: list[list[tuple[int, int, int]]] = [
    [(1, 16, 1)],
    [(6, 24, 2)],
    [(6, 32, 3)],
    [(6, 64, 4), (6, 96, 3)],
    [(6, 160, 3), (6, 320, 1)],
]


class MobileNetV2(nn.Module):
    """The mobile network of inverted bottlenecks; the default is MobileNetV2 1.0.

    `width_mult` scales every width, in steps of 8 channels, but the last is 1280 at least. `strides` are those
    of the four stages after the first: (1, 1, 2, 2) and a stem of stride 1 suit images of 32 pixels. The
    probability of dropping a branch grows from 0 at the first block to `drop_path` at the last
    (arXiv:1603.09382).

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each of the five stages a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Sandler et al. 2018, MobileNetV2: inverted residuals and linear bottlenecks, arXiv:1801.04381.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        width_mult: float = 1.0,
        stem: Stem = partial(SmallStem, stride=2, activation=ReLU6),
        strides: Sequence[int] = (2, 2, 2, 2),
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU6,
        dropout: float = 0.2,
        drop_path: float = 0.0,
    ):
        super().__init__()
        if len(strides) != 4:
            raise ValueError(f"strides must be four numbers, one for each stage after the first, got {strides}")
        channels = round_channels(32 * width_mult)
        self.stem = stem(in_channels, channels)
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        self.strides: list[int] = []
        stride, built, total = self.stem.stride, 0, sum(blocks for rows in LAYOUT for _, _, blocks in rows)
        for rows, step in zip(LAYOUT, (1, *strides), strict=True):
            stage = nn.Sequential()
            stride *= step
            for expansion, out_channels, blocks in rows:
                width = round_channels(out_channels * width_mult)
                for _ in range(blocks):
                    drop = drop_path * built / (total - 1)
                    hidden = expansion * channels
                    stage.append(InvertedBottleneck(channels, width, hidden, 3, step, norm, activation, drop_path=drop))
                    channels, step, built = width, 1, built + 1
            self.stages.append(stage)
            self.channels.append(channels)
            self.strides.append(stride)

        last = round_channels(1280 * max(1.0, width_mult))
        self.conv = ConvNormAct(channels, last, 1, norm=norm, activation=activation)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(last, num_classes)
        self.classifier = ("conv", "drop", "head")
        self.apply(kaiming_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each stage, (B, channels[i], H / strides[i], W / strides[i])."""
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.conv(self.features(x)[-1]).mean((2, 3))
        return self.head(self.drop(x))


_PAPER = "Sandler et al. 2018, arXiv:1801.04381"
_TIMM = f"{_PAPER}; count: timm 1.0.31, efficientnet.py"

PRESETS: dict[str, dict] = {
    "x0_35": {"args": {"width_mult": 0.35}, "params": 1677128, "source": _TIMM},
    "x0_5": {"args": {"width_mult": 0.5}, "params": 1968680, "source": _TIMM},
    "x0_75": {"args": {"width_mult": 0.75}, "params": 2636424, "source": _TIMM},
    "x1_0": {"args": {"width_mult": 1.0}, "params": 3504872, "source": _PAPER},
    "x1_4": {"args": {"width_mult": 1.4}, "params": 6108776, "source": _TIMM},
}
