"""Cross attention: tokens look at other tokens."""

import torch.nn.functional as F
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Every token of x looks at every token of a context: softmax(q kᵀ / √d) v in each head, then a projection.

    The keys come from `context`, and so do the values unless `values` gives them tokens of their own (DETR adds
    positions to the keys only). With x as its own context it is self-attention.
    `num_heads` defaults to heads of 64 channels (at least one), `context_dim` to the width of x.

    Shapes: x (B, N, D), context and values (B, M, C), mask (B, M) true where a context token is real
    → (B, N, D).
    Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        context_dim: int | None = None,
        qkv_bias: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.num_heads = num_heads or max(1, dim // 64)
        if dim % self.num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got dim={dim}, num_heads={self.num_heads}")
        self.dropout = dropout
        self.q = nn.Linear(dim, dim, bias=qkv_bias)
        self.k = nn.Linear(context_dim or dim, dim, bias=qkv_bias)
        self.v = nn.Linear(context_dim or dim, dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, context: Tensor, values: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        values = context if values is None else values
        q, k, v = (
            y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, H, N or M, d)
            for y in (self.q(x), self.k(context), self.v(values))
        )
        if mask is not None:
            mask = mask[:, None, None, :]  # every query may look at the real keys only
        y = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=self.dropout if self.training else 0.0)
        return self.proj(y.transpose(1, 2).flatten(2))
