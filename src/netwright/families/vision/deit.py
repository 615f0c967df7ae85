"""DeiT: a vision transformer with a second token, which learns from a teacher.

Without a teacher DeiT is the plain ViT (`vit:tiny`, `vit:small`, `vit:base`). The losses are in
`blocks/distillation.py`.
Source: Touvron et al. 2020, Training data-efficient image transformers & distillation through attention,
arXiv:2012.12877.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import Identity, LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.grid_position import GridPosition
from netwright.blocks.init import linear_init
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.patch import PatchEmbed
from netwright.blocks.slots import Channel, Mixer, Norm, Scale
from netwright.blocks.token_maps import quarters, token_maps
from netwright.blocks.transformer import TransformerBlock

__all__ = ["DeiT"]


class DeiT(nn.Module):
    """Patches → tokens, a class and a distillation token in front → transformer blocks → norm → two heads.

    Training and evaluation differ on purpose. In training the forward gives the logits of both heads,
    (B, 2, num_classes): first the class token's, which learn from the labels, then the distillation token's,
    which learn from the teacher's decisions (`HardDistillation`; without a teacher from the labels too). In
    evaluation it gives their mean, (B, num_classes).

    Images of other sizes than `image_size` work: positions are interpolated, and sides that are no
    multiples of `patch_size` are padded with zeros. `dropout` acts on the embedded tokens and at the end of
    each residual branch.

    Shapes: x (B, C, H, W) → (B, 2, num_classes) in training, (B, num_classes) in evaluation.
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
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        side = -(-image_size // patch_size)
        self.embed = PatchEmbed(in_channels, dim, patch_size)
        self.class_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.distillation_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = GridPosition((side, side), dim, prefix=2)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, mixer, channel, norm, scale, dropout, drop_path * i / max(1, depth - 1))
            for i in range(depth)
        )
        self.norm = norm(dim)
        self.head = nn.Linear(dim, num_classes)
        self.distillation_head = nn.Linear(dim, num_classes)
        self.classifier = ("norm", "head", "distillation_head")
        self.apply(linear_init)

        # The maps that `features` gives: after each quarter of the depth, all at the stride of a patch.
        self.channels = [dim] * len(quarters(depth))
        self.strides = [patch_size] * len(quarters(depth))

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.tokens(x)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x[:, :2])
        both = torch.stack([self.head(x[:, 0]), self.distillation_head(x[:, 1])], 1)
        return both if self.training else both.mean(1)

    def features(self, x: Tensor) -> list[Tensor]:
        """The tokens after each quarter of the depth as maps, without the first two and before the norm.

        Shapes: x (B, C, H, W) → a list of (B, D, ⌈H/p⌉, ⌈W/p⌉), `channels` and `strides` beside it.
        """
        x, grid = self.tokens(x)
        return token_maps(self.blocks, x, grid, prefix=2)

    def tokens(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Image (B, C, H, W) → tokens (B, 2 + h·w, D) and their grid (h, w)."""
        x = self.embed(x)  # (B, D, h, w)
        h, w = x.shape[-2:]
        prefix = torch.cat([self.class_token, self.distillation_token], 1).expand(x.shape[0], -1, -1)
        x = torch.cat([prefix, x.flatten(2).transpose(1, 2)], 1)
        return self.drop(self.position(x, (h, w))), (h, w)


_PAPER = "Touvron et al. 2020, arXiv:2012.12877"

# With patches of 16 pixels; the paper's names with the sign of distillation.
PRESETS: dict[str, dict] = {
    "tiny": {"args": {"dim": 192, "depth": 12}, "params": 5_910_800, "source": _PAPER},
    "small": {"args": {"dim": 384, "depth": 12}, "params": 22_436_432, "source": _PAPER},
    "base": {"args": {"dim": 768, "depth": 12}, "params": 87_338_192, "source": _PAPER},
}
