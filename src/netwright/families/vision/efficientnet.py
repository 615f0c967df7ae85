"""EfficientNet: one small network, scaled in width, depth and resolution together."""

from collections.abc import Sequence
from functools import partial
from math import ceil

from torch import Tensor, nn
from torch.nn import BatchNorm2d, SiLU

from netwright.blocks.conv import ConvNormAct, InvertedBottleneck, kaiming_init, round_channels
from netwright.blocks.slots import Activation, Conv2d, Gate2d, Norm2d, Stem
from netwright.blocks.squeeze_excite import SqueezeExcite
from netwright.blocks.stem import SmallStem

__all__ = ["PRESETS", "EfficientNet", "compound_scaling"]

# The paper's table 1 (B0), one list for each size of feature map: expansion, kernel, output channels, blocks.
LAYOUT: list[list[tuple[int, int, int, int]]] = [
    [(1, 3, 16, 1)],
    [(6, 3, 24, 2)],
    [(6, 5, 40, 2)],
    [(6, 3, 80, 3), (6, 5, 112, 3)],
    [(6, 5, 192, 4), (6, 3, 320, 1)],
]


class EfficientNet(nn.Module):
    """Inverted bottlenecks with squeeze and excitation; the default is EfficientNet-B0.

    `width_mult` scales every width, in steps of 8 channels, and `depth_mult` the number of blocks, rounded up;
    `compound_scaling` gives both for a budget. Without `scale_ends` the stem, the last convolution and the depth
    of the first and last row of blocks stay as they are (the Lite networks). `gate` weighs the channels of the
    blocks that widen six times, `first_gate` those of the first row, which does not widen: each squeezes to a
    quarter of the channels that enter the block. `conv` makes the convolutions that see neighbours.
    `strides` are those of the four stages after the first: (1, 1, 2, 2) and a stem of stride 1 suit images of
    32 pixels. The probability of dropping a branch grows from 0 at the first block to `drop_path` at the last.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each of the five stages a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Tan & Le 2019, EfficientNet: rethinking model scaling, arXiv:1905.11946.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        scale_ends: bool = True,
        stem: Stem = partial(SmallStem, stride=2, activation=SiLU),
        strides: Sequence[int] = (2, 2, 2, 2),
        conv: Conv2d = nn.Conv2d,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = SiLU,
        gate: Gate2d = partial(SqueezeExcite, reduction=24, activation=SiLU),
        first_gate: Gate2d = partial(SqueezeExcite, reduction=4, activation=SiLU),
        dropout: float = 0.2,
        drop_path: float = 0.0,
    ):
        super().__init__()
        if len(strides) != 4:
            raise ValueError(f"strides must be four numbers, one for each stage after the first, got {strides}")
        layout = [[(*row[:3], ceil(row[3] * depth_mult)) for row in rows] for rows in LAYOUT]
        if not scale_ends:
            layout[0][0], layout[-1][-1] = (*layout[0][0][:3], 1), (*layout[-1][-1][:3], 1)
        end_mult = width_mult if scale_ends else 1.0

        channels = round_channels(32 * end_mult)
        self.stem = stem(in_channels, channels)
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        self.strides: list[int] = []
        stride, built, total = self.stem.stride, 0, sum(blocks for rows in layout for *_, blocks in rows)
        for rows, step in zip(layout, (1, *strides), strict=True):
            stage = nn.Sequential()
            stride *= step
            for expansion, kernel_size, out_channels, blocks in rows:
                width = round_channels(out_channels * width_mult)
                for _ in range(blocks):
                    block = InvertedBottleneck(
                        channels,
                        width,
                        expansion * channels,
                        kernel_size,
                        step,
                        norm=norm,
                        activation=activation,
                        gate=first_gate if expansion == 1 else gate,
                        drop_path=drop_path * built / (total - 1),
                        conv=conv,
                    )
                    stage.append(block)
                    channels, step, built = width, 1, built + 1
            self.stages.append(stage)
            self.channels.append(channels)
            self.strides.append(stride)

        last = round_channels(1280 * end_mult)
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


def compound_scaling(
    phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15, base_size: int = 224
) -> tuple[float, float, int]:
    """Width and depth factor and image size for 2^φ times the computation: (β^φ, α^φ, γ^φ · 224).

    A convolution's cost grows with depth · width² · size², and α β² γ² ≈ 2. The size is rounded; widths and
    depths are rounded by the network (nearest multiple of 8, never below 90 %; up). B1, B2 and B3 are φ = 0.5,
    1 and 2 with one decimal; B4 … B7 (φ = 3 … 6) were published with numbers up to a sixth above the formula.

    Source: Tan & Le 2019, section 3.3, arXiv:1905.11946.
    """
    return beta**phi, alpha**phi, round(base_size * gamma**phi)


_PAPER = "Tan & Le 2019, arXiv:1905.11946"
_LITE_PAPER = "Liu 2020, EfficientNet-Lite, blog.tensorflow.org; count: timm 1.0.31, efficientnet.py"
# The running averages of the largest need thousands of steps.
_SLOW_NORM = {"batchnorm2d": {"eps": 0.001, "momentum": 0.01}}
_SLOW = {"norm": _SLOW_NORM, "stem": {"smallstem": {"stride": 2, "norm": _SLOW_NORM, "activation": "silu"}}}
_SAME = {"stride": 2, "norm": _SLOW_NORM, "activation": "relu6", "conv": "sameconv2d"}
_LITE = {
    "scale_ends": False,
    "stem": {"smallstem": _SAME},
    "conv": "sameconv2d",
    "norm": _SLOW_NORM,
    "activation": "relu6",
    "gate": "identity",
    "first_gate": "identity",
}

# Width, depth, dropout, parameters. Made for images of 224, 240, 260, 300, 380, 456, 528 and 600 pixels.
PRESETS: dict[str, dict] = {
    f"b{i}": {
        "args": {"width_mult": width, "depth_mult": depth, "dropout": dropout} | (_SLOW if i > 4 else {}),
        "params": params,
        "source": f"{_PAPER}; batch norm as torchvision's",
    }
    for i, (width, depth, dropout, params) in enumerate(
        [
            (1.0, 1.0, 0.2, 5288548),
            (1.0, 1.1, 0.2, 7794184),
            (1.1, 1.2, 0.3, 9109994),
            (1.2, 1.4, 0.3, 12233232),
            (1.4, 1.8, 0.4, 19341616),
            (1.6, 2.2, 0.4, 30389784),
            (1.8, 2.6, 0.5, 43040704),
            (2.0, 3.1, 0.5, 66347960),
        ]
    )
}

# Without squeeze and excitation, with TensorFlow's padding; for 224, 240, 260, 300 and 380 pixels.
PRESETS |= {
    f"lite{i}": {
        "args": _LITE | {"width_mult": width, "depth_mult": depth, "dropout": dropout},
        "params": params,
        "source": _LITE_PAPER,
    }
    for i, (width, depth, dropout, params) in enumerate(
        [
            (1.0, 1.0, 0.2, 4652008),
            (1.0, 1.1, 0.2, 5416680),
            (1.1, 1.2, 0.3, 6092072),
            (1.2, 1.4, 0.3, 8197096),
            (1.4, 1.8, 0.3, 13006568),
        ]
    )
}
