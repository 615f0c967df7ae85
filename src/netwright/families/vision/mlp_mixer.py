"""MLP-Mixer: perceptrons alone, across the patches and across the channels in turn.

Source: Tolstikhin et al. 2021, MLP-Mixer: an all-MLP architecture for vision, arXiv:2105.01601.
"""

from functools import partial

from torch import Tensor, nn
from torch.nn import Identity, LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.init import lecun_init
from netwright.blocks.mixer.token_mixing import TokenMixing
from netwright.blocks.patch import PatchEmbed
from netwright.blocks.pooling import MeanPool
from netwright.blocks.slots import Channel, Norm, Pooling, Scale
from netwright.blocks.token_maps import quarters, token_maps
from netwright.blocks.transformer import TransformerBlock

__all__ = ["MLPMixer"]


class MLPMixer(nn.Module):
    """Patches → tokens → blocks of a perceptron over the tokens and one over the channels → mean → head.

    The default is Mixer-B/16. The hidden layers have `token_ratio` · D and `mlp_ratio` · D channels (that of
    `channel`). Each patch has weights of its own: all images are `image_size` pixels square. (A size that is
    no multiple of `patch_size` is padded with zeros.) `dropout` acts on the tokens and at the end of each
    residual branch.

    Shapes: x (B, C, image_size, image_size) → (B, num_classes).
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 224,
        dim: int = 768,
        depth: int = 12,
        patch_size: int = 16,
        token_ratio: float = 0.5,
        channel: Channel = FeedForward,
        norm: Norm = partial(LayerNorm, eps=1e-6),
        scale: Scale = Identity,
        pooling: Pooling = MeanPool,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.image_size, self.side = image_size, -(-image_size // patch_size)
        self.embed = PatchEmbed(in_channels, dim, patch_size)
        self.drop = nn.Dropout(dropout)
        mixer = partial(TokenMixing, num_tokens=self.side**2, mlp_ratio=token_ratio)
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, mixer, channel, norm, scale, dropout, drop_path * i / max(1, depth - 1))
            for i in range(depth)
        )
        self.norm = norm(dim)
        self.pool = pooling(dim)
        self.head = nn.Linear(dim, num_classes)
        self.classifier = ("norm", "pool", "head")
        self.apply(lecun_init)

        # The maps that `features` gives: after each quarter of the depth, all at the stride of a patch.
        self.channels = [dim] * len(quarters(depth))
        self.strides = [patch_size] * len(quarters(depth))

    def forward(self, x: Tensor) -> Tensor:
        x = self.tokens(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.pool(self.norm(x)))

    def features(self, x: Tensor) -> list[Tensor]:
        """The tokens after each quarter of the depth as maps, before the norm.

        Shapes: x (B, C, image_size, image_size) → a list of (B, D, ⌈image_size/p⌉, ⌈image_size/p⌉), `channels`
        and `strides` beside it.
        """
        return token_maps(self.blocks, self.tokens(x), (self.side, self.side))

    def tokens(self, x: Tensor) -> Tensor:
        """Image (B, C, image_size, image_size) → tokens (B, side², D)."""
        x = self.embed(x)  # (B, D, side, side)
        h, w = x.shape[-2:]
        if (h, w) != (self.side, self.side):
            raise ValueError(
                f"{h} × {w} patches, but weights for {self.side} × {self.side}: resize the images to "
                f"{self.image_size} pixels, or build the network with their image_size"
            )
        return self.drop(x.flatten(2).transpose(1, 2))


_PAPER = "Tolstikhin et al. 2021, arXiv:2105.01601"
_S, _B, _L = {"dim": 512, "depth": 8}, {"dim": 768, "depth": 12}, {"dim": 1024, "depth": 24}

# The paper's names: size and patch.
PRESETS: dict[str, dict] = {
    "s32": {"args": {**_S, "patch_size": 32}, "params": 19_104_624, "source": _PAPER},
    "s16": {"args": {**_S, "patch_size": 16}, "params": 18_528_264, "source": _PAPER},
    "b32": {"args": {**_B, "patch_size": 32}, "params": 60_293_428, "source": _PAPER},
    "b16": {"args": {**_B, "patch_size": 16}, "params": 59_880_472, "source": _PAPER},
    "l32": {"args": {**_L, "patch_size": 32}, "params": 206_939_264, "source": _PAPER},
    "l16": {"args": {**_L, "patch_size": 16}, "params": 208_196_168, "source": _PAPER},
}
