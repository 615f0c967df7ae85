"""Multi-head self-attention."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.slots import Rotary


class Attention(nn.Module):
    """Every token looks at every token: softmax(q kᵀ / √d) v in each head, then a projection.

    `num_heads` defaults to heads of 64 channels (at least one), the usual choice up to about 10⁹ parameters.
    `position` turns queries and keys (`RoPE`, `RoPE2D`); without it attention knows no order.

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, N, D).
    Source: Vaswani et al. 2017, Attention is all you need, arXiv:1706.03762.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        qkv_bias: bool = True,
        dropout: float = 0.0,
        position: Rotary = Identity,
    ):
        super().__init__()
        self.num_heads = num_heads or max(1, dim // 64)
        if dim % self.num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got dim={dim}, num_heads={self.num_heads}")
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.position = position(dim // self.num_heads)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        B, N, D = x.shape
        q, k, v = self.qkv(x).view(B, N, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)  # (B, H, N, d)
        q, k = self.position(q), self.position(k)
        if mask is not None:
            mask = mask[:, None, None, :]  # every query may look at the real keys only
        x = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=self.dropout if self.training else 0.0)
        return self.proj(x.transpose(1, 2).reshape(B, N, D))
