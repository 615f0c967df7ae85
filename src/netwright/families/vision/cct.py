"""CCT: a compact transformer for small images and little data.

A small convolutional network makes the tokens, and a learned weighting of the last tokens replaces the
class token.
Source: Hassani et al. 2021, Escaping the big data paradigm with compact transformers, arXiv:2104.05704.
"""

from functools import partial

from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.drop_path import DropPath
from netwright.blocks.grid_position import GridPosition
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.patch import ConvTokenizer
from netwright.blocks.pooling import SequencePool
from netwright.blocks.slots import Channel, Mixer, Norm, Pooling
from netwright.blocks.token_maps import quarters, token_maps

__all__ = ["CCT"]


class CCTBlock(nn.Module):
    """A transformer block whose second norm stands on the stream itself, not on the branch.

    x ← norm₂(x + mixer(norm₁(x))); x ← x + channel(x).

    Shapes: (B, N, D) → (B, N, D).
    """

    def __init__(
        self,
        dim: int,
        mixer: Mixer,
        channel: Channel,
        norm: Norm,
        dropout: float = 0.0,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.norm1 = norm(dim)
        self.mixer = mixer(dim)
        self.norm2 = norm(dim)
        self.channel = channel(dim)
        self.drop = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm2(x + self.drop_path(self.drop(self.mixer(self.norm1(x)))))
        return x + self.drop_path(self.drop(self.channel(x)))


class CCT(nn.Module):
    """Convolutional tokeniser → positions → transformer blocks → norm → sequence pooling → head.

    Images of other sizes than `image_size` work: the positions are interpolated.
    `dropout` acts on the embedded tokens and at the end of each residual branch.

    Shapes: x (B, C, H, W) → (B, num_classes).
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 224,
        dim: int = 256,
        depth: int = 7,
        kernel_size: int = 3,
        num_convs: int = 1,
        mixer: Mixer = partial(Attention, qkv_bias=False, dropout=0.1),
        channel: Channel = partial(FeedForward, mlp_ratio=2.0),
        norm: Norm = LayerNorm,
        pooling: Pooling = SequencePool,
        dropout: float = 0.0,
        drop_path: float = 0.1,
    ):
        super().__init__()
        self.tokenizer = ConvTokenizer(in_channels, dim, kernel_size, num_convs)
        side = -(-image_size // self.tokenizer.stride)
        self.position = GridPosition((side, side), dim)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            CCTBlock(dim, mixer, channel, norm, dropout, drop_path * i / max(1, depth - 1)) for i in range(depth)
        )
        self.norm = norm(dim)
        self.pool = pooling(dim)
        self.head = nn.Linear(dim, num_classes)
        self.classifier = ("norm", "pool", "head")

        # The maps that `features` gives: after each quarter of the depth, all at the tokeniser's stride.
        self.channels = [dim] * len(quarters(depth))
        self.strides = [self.tokenizer.stride] * len(quarters(depth))

    def forward(self, x: Tensor) -> Tensor:
        x, _ = self.tokens(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.pool(self.norm(x)))

    def features(self, x: Tensor) -> list[Tensor]:
        """The tokens after each quarter of the depth as maps, before the norm.

        Shapes: x (B, C, H, W) → a list of (B, D, ⌈H/stride⌉, ⌈W/stride⌉), `channels` and `strides` beside it.
        """
        x, grid = self.tokens(x)
        return token_maps(self.blocks, x, grid)

    def tokens(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Image (B, C, H, W) → tokens (B, h·w, D) and their grid (h, w)."""
        x = self.tokenizer(x)  # (B, D, h, w)
        h, w = x.shape[-2:]
        return self.drop(self.position(x.flatten(2).transpose(1, 2), (h, w))), (h, w)


CIFAR = {"image_size": 32, "num_classes": 10}
PAPER = "Hassani et al. 2021, arXiv:2104.05704"

# The paper's names: depth / kernel size × convolutions.
PRESETS: dict[str, dict] = {
    "2_3x2": {
        "args": {"dim": 128, "depth": 2, "num_convs": 2, "channel": {"feedforward": {"mlp_ratio": 1.0}}},
        "inputs": CIFAR,
        "params": 283_723,
        "source": PAPER,
    },
    "4_3x2": {
        "args": {"dim": 128, "depth": 4, "num_convs": 2, "channel": {"feedforward": {"mlp_ratio": 1.0}}},
        "inputs": CIFAR,
        "params": 482_123,
        "source": PAPER,
    },
    "6_3x2": {
        "args": {"dim": 256, "depth": 6, "num_convs": 2},
        "inputs": CIFAR,
        "params": 3_326_923,
        "source": PAPER,
    },
    "7_3x1": {"args": {"dim": 256, "depth": 7}, "inputs": CIFAR, "params": 3_760_139, "source": PAPER},
    "7_3x2": {
        "args": {"dim": 256, "depth": 7, "num_convs": 2},
        "inputs": CIFAR,
        "params": 3_853_259,
        "source": PAPER,
    },
    "14_7x2": {
        "args": {
            "dim": 384,
            "depth": 14,
            "kernel_size": 7,
            "num_convs": 2,
            "channel": {"feedforward": {"mlp_ratio": 3.0}},
        },
        "params": 22_367_273,
        "source": PAPER,
    },
}
