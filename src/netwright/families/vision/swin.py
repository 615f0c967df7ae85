"""Swin: a transformer that looks within windows, on maps that halve from stage to stage."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import Identity, LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.init import linear_init
from netwright.blocks.norm2d import LayerNorm2d
from netwright.blocks.patch_merging import PatchMerging
from netwright.blocks.slots import Channel, Norm, Scale, Stem
from netwright.blocks.stem import PatchStem
from netwright.blocks.transformer import TransformerBlock
from netwright.blocks.window_attention import WindowAttention, shift_mask

__all__ = ["PRESETS", "Swin"]


class Swin(nn.Module):
    """Transformer blocks with attention in windows, every second one in shifted windows; the default is Swin-T.

    Stage i has `depths[i]` blocks of width `dim` · 2ⁱ, with heads of `head_dim` channels. For small images give
    the stem a patch size of 2 or 1. The probability of dropping a branch grows from 0 at the first block to
    `drop_path` at the last one (arXiv:1603.09382).

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each stage a map (B, channels[i], H / strides[i],
    W / strides[i]), sizes rounded down by the stem and up between the stages, at least 1.
    Source: Liu et al. 2021, Swin transformer: hierarchical vision transformer using shifted windows,
    arXiv:2103.14030.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 96,
        depths: Sequence[int] = (2, 2, 6, 2),
        head_dim: int = 32,
        window_size: int = 7,
        stem: Stem = partial(PatchStem, norm=partial(LayerNorm2d, eps=1e-5)),
        channel: Channel = FeedForward,
        norm: Norm = LayerNorm,
        scale: Scale = Identity,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.stem = stem(in_channels, dim)
        self.drop = nn.Dropout(dropout)
        self.channels = [dim * 2**i for i in range(len(depths))]
        self.strides = [self.stem.stride * 2**i for i in range(len(depths))]
        self.stages = nn.ModuleList()
        built, total = 0, sum(depths)
        for i, (width, depth) in enumerate(zip(self.channels, depths, strict=True)):
            rates = [drop_path * (built + j) / max(1, total - 1) for j in range(depth)]
            merge = PatchMerging(width // 2, width, norm) if i > 0 else Identity()
            self.stages.append(SwinStage(width, merge, head_dim, window_size, channel, norm, scale, rates))
            built += depth
        self.norm = norm(self.channels[-1])
        self.head = nn.Linear(self.channels[-1], num_classes)
        self.classifier = ("norm", "head")
        self.apply(linear_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each stage, (B, channels[i], H / strides[i], W / strides[i])."""
        return [x.permute(0, 3, 1, 2) for x in self.maps(x)]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        x = self.norm(self.maps(x)[-1])
        return self.head(x.mean((1, 2)))

    def maps(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each stage with its channels last, (B, h, w, D)."""
        maps = []
        x = self.drop(self.stem(x).permute(0, 2, 3, 1))
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class SwinStage(nn.Module):
    """Patch merging, then blocks whose windows stand still and move by half a window in turn.

    Shapes: (B, H, W, D) → (B, h, w, D'), h and w by `merge`.
    """

    def __init__(
        self,
        dim: int,
        merge: nn.Module,
        head_dim: int,
        window_size: int,
        channel: Channel,
        norm: Norm,
        scale: Scale,
        drop_paths: Sequence[float],
    ):
        super().__init__()
        self.window_size, self.shift = window_size, window_size // 2
        num_heads = max(1, dim // head_dim)
        self.merge = merge
        self.blocks = nn.ModuleList()
        for i, drop_path in enumerate(drop_paths):
            shift = self.shift if i % 2 else 0
            mixer = partial(WindowAttention, num_heads=num_heads, window_size=window_size, shift=shift)
            self.blocks.append(TransformerBlock(dim, mixer, channel, norm, scale, drop_path=drop_path))

    def forward(self, x: Tensor) -> Tensor:
        x = self.merge(x)
        mask = shift_mask(x, self.window_size, self.shift)
        for block in self.blocks:
            x = block(x, mask)
        return x


_PAPER = "Liu et al. 2021, arXiv:2103.14030"

PRESETS: dict[str, dict] = {
    "tiny": {"args": {"dim": 96, "depths": [2, 2, 6, 2]}, "params": 28288354, "source": _PAPER},
    "small": {"args": {"dim": 96, "depths": [2, 2, 18, 2]}, "params": 49606258, "source": _PAPER},
    "base": {"args": {"dim": 128, "depths": [2, 2, 18, 2]}, "params": 87768224, "source": _PAPER},
    "large": {"args": {"dim": 192, "depths": [2, 2, 18, 2]}, "params": 196532476, "source": _PAPER},
}
