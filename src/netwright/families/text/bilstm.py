"""BiLSTM: a text read in both directions, then a weighted mean of what was read.

Source: Hochreiter & Schmidhuber 1997, Long short-term memory; Graves & Schmidhuber 2005, Framewise phoneme
classification with bidirectional LSTM; pooling: Yang et al. 2016, Hierarchical attention networks
for document classification (NAACL).
"""

import torch
from torch import Tensor, nn

from netwright.blocks.pooling import AdditivePool
from netwright.blocks.slots import Pooling

__all__ = ["BiLSTM"]


class BiLSTMLayer(nn.Module):
    """One LSTM from left to right, one from right to left, side by side.

    The second reads each text reversed within its own length (`flip`), so that it starts at the last real
    token: padding on the right reaches neither. The forget gates' biases start at 1 (Jozefowicz et al.
    2015).

    Shapes: x (B, N, A), flip (B, N) positions to read instead of 0 … N−1 → (B, N, 2D).
    """

    def __init__(self, in_dim: int, dim: int):
        super().__init__()
        self.right = nn.LSTM(in_dim, dim, batch_first=True)
        self.left = nn.LSTM(in_dim, dim, batch_first=True)
        for lstm in (self.right, self.left):  # the gates in torch's order: input, forget, cell, output
            nn.init.ones_(lstm.get_parameter("bias_ih_l0")[dim : 2 * dim])
            nn.init.zeros_(lstm.get_parameter("bias_hh_l0")[dim : 2 * dim])

    def forward(self, x: Tensor, flip: Tensor) -> Tensor:
        right, _ = self.right(x)
        left, _ = self.left(take(x, flip))
        return torch.cat([right, take(left, flip)], -1)


class BiLSTM(nn.Module):
    """Tokens → vectors → `depth` bidirectional LSTM layers of `dim` units each way → pooling → head.

    `dropout` acts on the embedded tokens, between the layers and before the head.

    Shapes: tokens (B, N), 0 on the right is padding → (B, num_classes).
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int = 2,
        embed_dim: int = 128,
        dim: int = 128,
        depth: int = 1,
        pooling: Pooling = AdditivePool,
        dropout: float = 0.3,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        nn.init.uniform_(self.embedding.weight[1:], -0.1, 0.1)
        self.layers = nn.ModuleList(BiLSTMLayer(2 * dim if i else embed_dim, dim) for i in range(depth))
        self.drop = nn.Dropout(dropout)
        self.pool = pooling(2 * dim)
        self.head = nn.Linear(2 * dim, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        step = torch.arange(tokens.shape[1], device=tokens.device)
        mask = (tokens != 0) | (step == 0)  # an empty text is one token of padding
        last = mask.sum(1, keepdim=True) - 1
        flip = torch.where(mask, last - step, step)  # real tokens reversed, padding in place
        x = self.drop(self.embedding(tokens))
        for layer in self.layers:
            x = self.drop(layer(x, flip))
        return self.head(self.pool(x, mask))


def take(x: Tensor, index: Tensor) -> Tensor:
    """The tokens of each row in another order: x (B, N, D), index (B, N) → (B, N, D)."""
    return x.gather(1, index.unsqueeze(-1).expand_as(x))


PRESETS: dict[str, dict] = {
    "small": {
        "args": {"embed_dim": 64, "dim": 64, "depth": 1},
        "inputs": {"vocab_size": 20_000},
        "params": 1_363_458,
        "source": "closed form",
    },
    "base": {
        "args": {"embed_dim": 128, "dim": 256, "depth": 2},
        "inputs": {"vocab_size": 20_000},
        "params": 5_191_682,
        "source": "closed form",
    },
}
