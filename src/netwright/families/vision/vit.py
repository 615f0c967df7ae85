"""ViT: an image is a sequence of patches, read by a plain transformer.

Source: Dosovitskiy et al. 2020, An image is worth 16x16 words, arXiv:2010.11929; the sizes Ti and S:
Touvron et al. 2020, DeiT, arXiv:2012.12877.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import Identity, LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.grid_position import GridPosition
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.patch import PatchEmbed
from netwright.blocks.pooling import ClassToken
from netwright.blocks.slots import Channel, Mixer, Norm, Pooling, Scale
from netwright.blocks.token_maps import quarters, token_maps
from netwright.blocks.transformer import TransformerBlock

__all__ = ["ViT"]


class ViT(nn.Module):
    """Patches → tokens, a class token in front, positions → transformer blocks → norm → pooling → head.

    Images of other sizes than `image_size` work: positions are interpolated, and sides that are no
    multiples of `patch_size` are padded with zeros. A pooling other than `ClassToken` treats the class
    token as one more token. `dropout` acts on the embedded tokens and at the end of each residual branch.

    Shapes: x (B, C, H, W) → (B, num_classes).
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 224,
        dim: int = 192,
        depth: int = 12,
        patch_size: int = 16,
        mixer: Mixer = Attention,
        channel: Channel = FeedForward,
        norm: Norm = partial(LayerNorm, eps=1e-6),
        scale: Scale = Identity,
        pooling: Pooling = ClassToken,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        side = -(-image_size // patch_size)
        self.embed = PatchEmbed(in_channels, dim, patch_size)
        self.class_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = GridPosition((side, side), dim, prefix=1)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, mixer, channel, norm, scale, dropout, drop_path * i / max(1, depth - 1))
            for i in range(depth)
        )
        self.norm = norm(dim)
        self.pool = pooling(dim)
        self.head = nn.Linear(dim, num_classes)
        self.classifier = ("norm", "pool", "head")

        # The maps that `features` gives: after each quarter of the depth, all at the stride of a patch.
        self.channels = [dim] * len(quarters(depth))
        self.strides = [patch_size] * len(quarters(depth))

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.tokens(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.pool(self.norm(x)))

    def features(self, x: Tensor) -> list[Tensor]:
        """The tokens after each quarter of the depth as maps, without the class token and before the norm.

        Shapes: x (B, C, H, W) → a list of (B, D, ⌈H/p⌉, ⌈W/p⌉), `channels` and `strides` beside it.
        """
        x, grid = self.tokens(x)
        return token_maps(self.blocks, x, grid, prefix=1)

    def tokens(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Image (B, C, H, W) → tokens (B, 1 + h·w, D) and their grid (h, w)."""
        x = self.embed(x)  # (B, D, h, w)
        h, w = x.shape[-2:]
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x.flatten(2).transpose(1, 2)], 1)
        return self.drop(self.position(x, (h, w))), (h, w)


DEIT = "Touvron et al. 2020, arXiv:2012.12877"
PAPER = "Dosovitskiy et al. 2020, arXiv:2010.11929"
HUGE = {"dim": 1280, "depth": 32, "patch_size": 14, "mixer": {"attention": {"num_heads": 16}}}

# Patches of 16 pixels unless the name says otherwise.
PRESETS: dict[str, dict] = {
    "tiny": {"args": {"dim": 192, "depth": 12}, "params": 5_717_416, "source": DEIT},
    "small": {"args": {"dim": 384, "depth": 12}, "params": 22_050_664, "source": DEIT},
    "small32": {
        "args": {"dim": 384, "depth": 12, "patch_size": 32},
        "params": 22_878_952,
        "source": "Steiner et al. 2021, arXiv:2106.10270",
    },
    "base": {"args": {"dim": 768, "depth": 12}, "params": 86_567_656, "source": PAPER},
    "base32": {"args": {"dim": 768, "depth": 12, "patch_size": 32}, "params": 88_224_232, "source": PAPER},
    "large": {"args": {"dim": 1024, "depth": 24}, "params": 304_326_632, "source": PAPER},
    "large32": {"args": {"dim": 1024, "depth": 24, "patch_size": 32}, "params": 306_535_400, "source": PAPER},
    "huge14": {"args": HUGE, "params": 632_045_800, "source": PAPER},
}
