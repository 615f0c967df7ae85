"""Mix Transformer (MiT), SegFormer's encoder: a transformer without positions, on maps of four scales."""

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn
from torch.nn import GELU, Identity, LayerNorm

from netwright.blocks.conv import kaiming_init
from netwright.blocks.init import linear_init
from netwright.blocks.mix_feed_forward import MixFeedForward
from netwright.blocks.patch import OverlapPatchEmbed
from netwright.blocks.reduced_attention import ReducedAttention
from netwright.blocks.slots import Activation, Norm, Scale
from netwright.blocks.transformer import TransformerBlock

__all__ = ["PRESETS", "MixTransformer"]

HEADS = (1, 2, 5, 8)  # of each stage; each head has `dim` channels
REDUCTIONS = (8, 4, 2, 1)  # how many cells of each stage a key stands for, along a side


class MixTransformer(nn.Module):
    """Overlapping patches → attention to a coarser map, perceptrons with a convolution → the next scale.

    The default is MiT-B0. Stage i has `depths[i]` blocks (up to four stages), of width `dim` times 1, 2, 5, 8,
    with as many heads. The first stage has the stride `patch_size`, 4 for photographs, 2 or 1 for small images;
    each further one halves the map. The probability of dropping a branch grows from 0 at the first block to
    `drop_path` at the last one (arXiv:1603.09382).

    Shapes: (B, C, H, W) → (B, num_classes); `features` → for each stage a map
    (B, channels[i], H / strides[i], W / strides[i]), sizes rounded up.
    Source: Xie et al. 2021, SegFormer, arXiv:2105.15203.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        dim: int = 32,
        depths: Sequence[int] = (2, 2, 2, 2),
        patch_size: int = 4,
        mlp_ratio: float = 4.0,
        norm: Norm = LayerNorm,
        activation: Activation = GELU,
        scale: Scale = Identity,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        if not 1 <= len(depths) <= len(HEADS):
            raise ValueError(f"depths must be one to four numbers, one for each stage, got {depths}")
        self.channels = [dim * heads for heads in HEADS[: len(depths)]]
        self.strides = [patch_size * 2**i for i in range(len(depths))]
        self.stages = nn.ModuleList()
        channel = partial(MixFeedForward, mlp_ratio=mlp_ratio, activation=activation)
        built = 0
        for i, (width, depth) in enumerate(zip(self.channels, depths, strict=True)):
            mixer = partial(ReducedAttention, num_heads=HEADS[i], reduction=REDUCTIONS[i], norm=norm)
            stage = nn.Sequential(OverlapPatchEmbed(in_channels, width, 2 if i else patch_size, norm))
            for _ in range(depth):
                drop = drop_path * built / max(1, sum(depths) - 1)
                stage.append(TransformerBlock(width, mixer, channel, norm, scale, dropout, drop))
                built += 1
            stage.append(norm(width))
            self.stages.append(stage)
            in_channels = width
        self.head = nn.Linear(self.channels[-1], num_classes)
        self.classifier = ("head",)
        self.apply(kaiming_init)
        self.apply(linear_init)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the map of each stage, (B, channels[i], H / strides[i], W / strides[i])."""
        maps = []
        for stage in self.stages:
            x = stage(x).permute(0, 3, 1, 2)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes)."""
        return self.head(self.features(x)[-1].mean((2, 3)))


_PAPER = "Xie et al. 2021, arXiv:2105.15203; exact counts: transformers 5.23.0, SegformerForImageClassification"

PRESETS: dict[str, dict] = {
    "b0": {"args": {"dim": 32, "depths": [2, 2, 2, 2]}, "params": 3576392, "source": _PAPER},
    "b1": {"args": {"dim": 64, "depths": [2, 2, 2, 2]}, "params": 13664424, "source": _PAPER},
    "b2": {"args": {"dim": 64, "depths": [3, 4, 6, 3]}, "params": 24709288, "source": _PAPER},
    "b3": {"args": {"dim": 64, "depths": [3, 4, 18, 3]}, "params": 44585128, "source": _PAPER},
    "b4": {"args": {"dim": 64, "depths": [3, 8, 27, 3]}, "params": 61355688, "source": _PAPER},
    "b5": {"args": {"dim": 64, "depths": [3, 6, 40, 3]}, "params": 81956008, "source": _PAPER},
}
