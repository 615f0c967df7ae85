"""Attention whose cost grows linearly with the number of tokens."""

import torch.nn.functional as F
from torch import Tensor, nn


class LinearAttention(nn.Module):
    """Attention without a softmax: yᵢ = φ(qᵢ) Σⱼ φ(kⱼ) vⱼᵀ / φ(qᵢ) Σⱼ φ(kⱼ) in each head, φ(x) = ELU(x) + 1.

    The sums are the same for every query, so that no token is compared with another.
    `num_heads` defaults to heads of 64 channels (at least one).

    Shapes: x (B, N, D), mask (B, N) true where a token is real → (B, N, D).
    Source: Katharopoulos et al. 2020, Transformers are RNNs, arXiv:2006.16236.
    """

    def __init__(self, dim: int, num_heads: int | None = None, qkv_bias: bool = True):
        super().__init__()
        self.num_heads = num_heads or max(1, dim // 64)
        if dim % self.num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got dim={dim}, num_heads={self.num_heads}")
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        B, N, D = x.shape
        q, k, v = self.qkv(x).view(B, N, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)  # (B, H, N, d)
        q, k = F.elu(q) + 1, F.elu(k) + 1
        if mask is not None:
            k = k * mask[:, None, :, None]
        k = k / k.sum(2, keepdim=True).mean(-1, keepdim=True).clamp_min(1e-6)  # it cancels, and half precision lasts
        weight = (q @ k.sum(2).unsqueeze(-1)).clamp_min(1e-6)  # (B, H, N, 1)
        x = q @ (k.transpose(2, 3) @ v) / weight
        return self.proj(x.transpose(1, 2).reshape(B, N, D))
