"""The transformer encoder on a text.

Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762; norms before the branches: Xiong
et al. 2020, arXiv:2002.04745.
"""

import torch
from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.pooling import MeanPool
from netwright.blocks.position import Learned
from netwright.blocks.slots import Channel, Mixer, Norm, Pooling, Position
from netwright.blocks.transformer import TransformerBlock

__all__ = ["TextTransformer"]


class TextTransformer(nn.Module):
    """Tokens → vectors with positions → transformer blocks → norm → pooling → head.

    Padding is hidden from the mixers and from the pooling. `dropout` acts on the embedded tokens and at the
    end of each residual branch.

    Shapes: tokens (B, N), N ≤ max_length, 0 on the right is padding → (B, num_classes).
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int = 2,
        max_length: int = 256,
        dim: int = 128,
        depth: int = 4,
        position: Position = Learned,
        mixer: Mixer = Attention,
        channel: Channel = FeedForward,
        norm: Norm = LayerNorm,
        pooling: Pooling = MeanPool,
        dropout: float = 0.1,
        drop_path: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=0)
        nn.init.normal_(self.embedding.weight[1:], std=0.02)
        self.position = position(max_length, dim)
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(dim, mixer, channel, norm, dropout=dropout, drop_path=drop_path * i / max(1, depth - 1))
            for i in range(depth)
        )
        self.norm = norm(dim)
        self.pool = pooling(dim)
        self.head = nn.Linear(dim, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        first = torch.arange(tokens.shape[1], device=tokens.device) == 0
        mask = (tokens != 0) | first  # an empty text is one token of padding
        x = self.drop(self.position(self.embedding(tokens)))
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.pool(self.norm(x), mask))


def _preset(dim: int, depth: int, params: int) -> dict:
    """One of the sizes of BERT, with heads of 64 channels."""
    return {
        "args": {"dim": dim, "depth": depth},
        "inputs": {"vocab_size": 30_522, "max_length": 512},
        "params": params,
        "source": "sizes of Turc et al. 2019, arXiv:1908.08962; closed form",
    }


PRESETS: dict[str, dict] = {
    "tiny": _preset(128, 2, 4_369_410),
    "mini": _preset(256, 4, 11_104_770),
    "small": _preset(512, 4, 28_500_994),
    "medium": _preset(512, 8, 41_110_530),
    "base": _preset(768, 12, 108_891_650),
}
