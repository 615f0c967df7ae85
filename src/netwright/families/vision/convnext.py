"""ConvNeXt: a convolutional network with the proportions of a transformer."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.conv import PatchConv
from netwright.blocks.drop_path import DropPath
from netwright.blocks.scale import LayerScale
from netwright.blocks.slots import Channel, Norm, Scale, Stem
from netwright.blocks.stem import PatchStem

__all__ = ["PRESETS", "ConvNeXt"]


class ConvNeXt(nn.Module):
    """Depthwise 7 × 7 convolutions mix space, a perceptron mixes the channels; the default is ConvNeXt-T.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ. For small images give the stem a patch size of 2 or 1.
    The probability of dropping a branch grows from 0 at the first block to `drop_path` at the last one
    (arXiv:1603.09382).

    ConvNeXt V2 has a global response norm in the perceptron, and no scale.

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each stage a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded down, at least 1.
    Source: Liu et al. 2022, A ConvNet for the 2020s, arXiv:2201.03545; V2: Woo et al. 2023, arXiv:2301.00808.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 96,
        depths: Sequence[int] = (3, 3, 9, 3),
        kernel_size: int = 7,
        stem: Stem = PatchStem,
        channel: Channel = FeedForward,
        norm: Norm = partial(LayerNorm, eps=1e-6),
        scale: Scale = LayerScale,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.stem = stem(in_channels, dim)
        self.channels = [dim * 2**i for i in range(len(depths))]
        self.strides = [self.stem.stride * 2**i for i in range(len(depths))]
        self.stages = nn.ModuleList()
        built = 0
        for i, (width, depth) in enumerate(zip(self.channels, depths, strict=True)):
            stage = nn.Sequential()
            if i > 0:
                stage.append(Downsample(width // 2, width, norm))
            for _ in range(depth):
                drop = drop_path * built / max(1, sum(depths) - 1)
                stage.append(ConvNeXtBlock(width, kernel_size, channel, norm, scale, drop))
                built += 1
            self.stages.append(stage)
        self.norm = norm(self.channels[-1])
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(self.channels[-1], num_classes)
        self.classifier = ("norm", "drop", "head")
        self.apply(init_weights)

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
        x = self.norm(self.features(x)[-1].mean((2, 3)))  # (B, channels[-1])
        return self.head(self.drop(x))


class ConvNeXtBlock(nn.Module):
    """x + γ channel(norm(dw(x))): mix space in each channel, then the channels of each pixel.

    Norm, perceptron and scale work on the channels-last view, where pixels are tokens; what the first norm
    made channels-last in memory stays so, and the permutations are free.

    Shapes: (B, D, H, W) → (B, D, H, W).
    """

    def __init__(self, dim: int, kernel_size: int, channel: Channel, norm: Norm, scale: Scale, drop_path: float = 0.0):
        super().__init__()
        self.conv = nn.Conv2d(dim, dim, kernel_size, padding=kernel_size // 2, groups=dim)
        self.norm = norm(dim)
        self.channel = channel(dim)
        self.scale = scale(dim)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x).permute(0, 2, 3, 1)  # (B, H, W, D)
        y = self.scale(self.channel(self.norm(y)))
        return x + self.drop_path(y.permute(0, 3, 1, 2))


class Downsample(nn.Module):
    """Norm, then each 2 × 2 patch mapped to one pixel. Shapes: (B, C, H, W) → (B, D, ⌊H / 2⌋, ⌊W / 2⌋)."""

    def __init__(self, in_channels: int, dim: int, norm: Norm):
        super().__init__()
        self.norm = norm(in_channels)
        self.conv = PatchConv(in_channels, dim, patch_size=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


def init_weights(module: nn.Module) -> None:
    """Weights N(0, 0.02²), biases 0. (The paper's truncation at ±2 is a hundred deviations away.)"""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


_PAPER = "Liu et al. 2022, arXiv:2201.03545"
_TIMM = "timm 1.0.31, convnext.py"

PRESETS: dict[str, dict] = {
    "atto": {"args": {"dim": 40, "depths": [2, 2, 6, 2]}, "params": 3695520, "source": _TIMM},
    "femto": {"args": {"dim": 48, "depths": [2, 2, 6, 2]}, "params": 5217784, "source": _TIMM},
    "pico": {"args": {"dim": 64, "depths": [2, 2, 6, 2]}, "params": 9045672, "source": _TIMM},
    "nano": {"args": {"dim": 80, "depths": [2, 2, 8, 2]}, "params": 15593560, "source": _TIMM},
    "tiny": {"args": {"dim": 96, "depths": [3, 3, 9, 3]}, "params": 28589128, "source": _PAPER},
    "small": {"args": {"dim": 96, "depths": [3, 3, 27, 3]}, "params": 50223688, "source": _PAPER},
    "base": {"args": {"dim": 128, "depths": [3, 3, 27, 3]}, "params": 88591464, "source": _PAPER},
    "large": {"args": {"dim": 192, "depths": [3, 3, 27, 3]}, "params": 197767336, "source": _PAPER},
}

_V2 = {"channel": {"feedforward": {"norm": "globalresponsenorm"}}, "scale": "identity"}

PRESETS |= {
    f"v2_{name}": {
        "args": _V2 | {"dim": dim, "depths": depths},
        "params": params,
        "source": "Woo et al. 2023, arXiv:2301.00808; count: timm 1.0.31, convnext.py",
    }
    for name, dim, depths, params in [
        ("atto", 40, [2, 2, 6, 2], 3708400),
        ("femto", 48, [2, 2, 6, 2], 5233240),
        ("pico", 64, [2, 2, 6, 2], 9066280),
        ("nano", 80, [2, 2, 8, 2], 15623800),
        ("tiny", 96, [3, 3, 9, 3], 28635496),
        ("small", 96, [3, 3, 27, 3], 50318440),
        ("base", 128, [3, 3, 27, 3], 88717800),
        ("large", 192, [3, 3, 27, 3], 197956840),
        ("huge", 352, [3, 3, 27, 3], 660289640),
    ]
}
