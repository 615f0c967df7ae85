"""MobileNetV3: inverted bottlenecks in the order that a search found for phones."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn import BatchNorm2d, Hardsigmoid, Hardswish, Identity, ReLU

from netwright.blocks.conv import ConvNormAct, InvertedBottleneck, kaiming_init, round_channels
from netwright.blocks.slots import Gate2d, Norm2d, Stem
from netwright.blocks.squeeze_excite import SqueezeExcite
from netwright.blocks.stem import SmallStem

__all__ = ["PRESETS", "MobileNetV3"]

# The paper's tables 1 and 2, one list for each size of feature map, one row for each block:
# kernel, hidden channels, output channels, squeeze and excitation, hard-swish (else ReLU).
LAYOUTS: dict[str, list[list[tuple[int, int, int, bool, bool]]]] = {
    "large": [
        [(3, 16, 16, False, False)],
        [(3, 64, 24, False, False), (3, 72, 24, False, False)],
        [(5, 72, 40, True, False), (5, 120, 40, True, False), (5, 120, 40, True, False)],
        [
            (3, 240, 80, False, True),
            (3, 200, 80, False, True),
            (3, 184, 80, False, True),
            (3, 184, 80, False, True),
            (3, 480, 112, True, True),
            (3, 672, 112, True, True),
        ],
        [(5, 672, 160, True, True), (5, 960, 160, True, True), (5, 960, 160, True, True)],
    ],
    "small": [
        [],
        [(3, 16, 16, True, False)],
        [(3, 72, 24, False, False), (3, 88, 24, False, False)],
        [
            (5, 96, 40, True, True),
            (5, 240, 40, True, True),
            (5, 240, 40, True, True),
            (5, 120, 48, True, True),
            (5, 144, 48, True, True),
        ],
        [(5, 288, 96, True, True), (5, 576, 96, True, True), (5, 576, 96, True, True)],
    ],
}
HIDDEN = {"large": 1280, "small": 1024}  # the width of the classifier's hidden layer


class MobileNetV3(nn.Module):
    """The mobile network; the default is MobileNetV3-Large 1.0.

    `width_mult` scales every width, in steps of 8 channels. `strides` are those of the four stages after the
    first: (1, 1, 2, 2) and a stem of stride 1 suit images of 32 pixels. The probability of dropping a branch
    grows from 0 at the first block to `drop_path` at the last (arXiv:1603.09382). The presets keep the
    paper's batch-norm momentum (decay 0.99), which needs thousands of steps; the default is PyTorch's.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each of the five stages a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Howard et al. 2019, Searching for MobileNetV3, arXiv:1905.02244.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        layout: Literal["large", "small"] = "large",
        width_mult: float = 1.0,
        stem: Stem = partial(SmallStem, stride=2, norm=partial(BatchNorm2d, eps=1e-3), activation=Hardswish),
        strides: Sequence[int] = (2, 2, 2, 2),
        gate: Gate2d = partial(SqueezeExcite, reduction=4, multiple=8, gate=Hardsigmoid),
        norm: Norm2d = partial(BatchNorm2d, eps=1e-3),
        dropout: float = 0.2,
        drop_path: float = 0.0,
    ):
        super().__init__()
        if layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {layout!r}")
        if len(strides) != 4:
            raise ValueError(f"strides must be four numbers, one for each stage after the first, got {strides}")
        channels = round_channels(16 * width_mult)
        self.stem = stem(in_channels, channels)
        self.stages = nn.ModuleList()
        self.channels: list[int] = []
        self.strides: list[int] = []
        stride, built, total = self.stem.stride, 0, sum(map(len, LAYOUTS[layout]))
        for rows, step in zip(LAYOUTS[layout], (1, *strides), strict=True):
            stage = nn.Sequential()
            stride *= step
            for kernel_size, hidden, out_channels, squeeze, hard_swish in rows:
                width = round_channels(out_channels * width_mult)
                block = InvertedBottleneck(
                    channels,
                    width,
                    round_channels(hidden * width_mult),
                    kernel_size,
                    step,
                    norm=norm,
                    activation=Hardswish if hard_swish else ReLU,
                    gate=gate if squeeze else Identity,
                    drop_path=drop_path * built / (total - 1),
                )
                stage.append(block)
                channels, step, built = width, 1, built + 1
            self.stages.append(stage)
            self.channels.append(channels)
            self.strides.append(stride)
        stage.append(ConvNormAct(channels, 6 * channels, 1, norm=norm, activation=Hardswish))
        self.channels[-1] = 6 * channels

        hidden = round_channels(HIDDEN[layout] * width_mult)
        self.fc1 = nn.Linear(6 * channels, hidden)
        self.act = Hardswish()
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, num_classes)
        self.classifier = ("fc1", "act", "drop", "head")
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
        x = self.features(x)[-1].mean((2, 3))  # (B, channels[-1])
        return self.head(self.drop(self.act(self.fc1(x))))


_PAPER = "Howard et al. 2019, arXiv:1905.02244"
_NORM = {"batchnorm2d": {"eps": 0.001, "momentum": 0.01}}
_STEM = {"smallstem": {"stride": 2, "norm": _NORM, "activation": "hardswish"}}

PRESETS: dict[str, dict] = {
    "large": {"args": {"layout": "large", "norm": _NORM, "stem": _STEM}, "params": 5483032, "source": _PAPER},
    "small": {"args": {"layout": "small", "norm": _NORM, "stem": _STEM}, "params": 2542856, "source": _PAPER},
}
