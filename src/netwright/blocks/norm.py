"""Normalisation over the last axis, for tokens and tables: slot kind `norm`."""

import torch
from torch import Tensor, nn
from torch.nn import BatchNorm1d, Identity, LayerNorm, RMSNorm

__all__ = ["BatchNorm1d", "GlobalResponseNorm", "Identity", "LayerNorm", "RMSNorm"]


class GlobalResponseNorm(nn.Module):
    """Let channels compete by how strongly each responds in the whole sample: y = x + γ ⊙ (x ⊙ n) + β.

    n_c = g_c / (mean of all g + ε), g_c the length √(Σ x_c²) of channel c over all tokens or pixels of the
    sample. At first γ = β = 0 and y = x.

    Shapes: (B, …, D) → (B, …, D).
    Source: Woo et al. 2023, ConvNeXt V2, arXiv:2301.00808.
    """

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        tokens = x.reshape(x.shape[0], -1, x.shape[-1])  # (B, N, D)
        length = torch.linalg.vector_norm(tokens, dim=1, keepdim=True)  # (B, 1, D)
        factor = 1 + self.weight * length / (length.mean(-1, keepdim=True) + self.eps)
        return torch.addcmul(self.bias, tokens, factor).view(x.shape)  # one pass over x

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"
