"""Scales of a residual branch: slot kind `scale`."""

import torch
from torch import Tensor, nn
from torch.nn import Identity

__all__ = ["Identity", "LayerScale"]


class LayerScale(nn.Module):
    """A learned factor for each channel, small at first: y = γ ⊙ x, γ = `init` everywhere.

    Shapes: (…, D) → (…, D).
    Source: Touvron et al. 2021, Going deeper with image transformers, arXiv:2103.17239.
    """

    def __init__(self, dim: int, init: float = 1e-6):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma
