"""From tokens to one vector: slot kind `pooling`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AdditivePool", "AttentionPool", "ClassToken", "MaxPool", "MeanPool", "SequencePool"]


class ClassToken(nn.Module):
    """The first token speaks for all: y = x₀. The owner puts it there for that purpose.

    Shapes: x (B, N, D), mask ignored → (B, D).
    Source: Devlin et al. 2018, BERT, arXiv:1810.04805.
    """

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x[:, 0]


class MeanPool(nn.Module):
    """The mean of the real tokens.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, D).
    Source: Lin et al. 2013, Network in network, arXiv:1312.4400.
    """

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return x.mean(1)
        weight = mask.to(x.dtype).unsqueeze(-1)
        return (x * weight).sum(1) / weight.sum(1).clamp_min(1)


class MaxPool(nn.Module):
    """The largest value of each channel among the real tokens.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, D).
    Source: Collobert et al. 2011, Natural language processing (almost) from scratch, arXiv:1103.0398.
    """

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            x = x.masked_fill(~mask.unsqueeze(-1), torch.finfo(x.dtype).min)
        return x.amax(1)


class SequencePool(nn.Module):
    """A weighted mean whose weights are a softmax of one linear score: y = Σᵢ softmax(w·x)ᵢ xᵢ.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, D).
    Source: Hassani et al. 2021, Escaping the big data paradigm with compact transformers, arXiv:2104.05704.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return weighted_mean(x, self.score(x), mask)


class AdditivePool(nn.Module):
    """A weighted mean whose scores come from a small perceptron: y = Σᵢ softmax(u·tanh(W x + b))ᵢ xᵢ.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, D).
    Source: Yang et al. 2016, Hierarchical attention networks for document classification (NAACL); the score
    is that of Bahdanau et al. 2014, arXiv:1409.0473.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.hidden = nn.Linear(dim, dim)
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return weighted_mean(x, self.score(self.hidden(x).tanh()), mask)


class AttentionPool(nn.Module):
    """One learned query looks at every token: multi-head attention with a single output.

    `num_heads` defaults to heads of 64 channels (at least one).

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, D).
    Source: Lee et al. 2019, Set transformer (pooling by multihead attention), arXiv:1810.00825.
    """

    def __init__(self, dim: int, num_heads: int | None = None):
        super().__init__()
        self.num_heads = num_heads or max(1, dim // 64)
        if dim % self.num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got {dim} and {self.num_heads}")
        self.query = nn.Parameter(torch.randn(dim) * dim**-0.5)
        self.kv = nn.Linear(dim, 2 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        B, N, D = x.shape
        q = self.query.view(1, self.num_heads, 1, -1).expand(B, -1, -1, -1)  # (B, H, 1, d)
        k, v = self.kv(x).view(B, N, 2, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)  # (B, H, N, d)
        if mask is not None:
            mask = mask[:, None, None, :]
        return self.proj(F.scaled_dot_product_attention(q, k, v, mask).reshape(B, D))


def weighted_mean(x: Tensor, score: Tensor, mask: Tensor | None) -> Tensor:
    """Σᵢ softmax(score)ᵢ xᵢ over the real tokens: x (B, N, D), score (B, N, 1), mask (B, N) → (B, D)."""
    if mask is not None:
        score = score.masked_fill(~mask.unsqueeze(-1), float("-inf"))
    return (score.softmax(1).transpose(1, 2) @ x).squeeze(1)
