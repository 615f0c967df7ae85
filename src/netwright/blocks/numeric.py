"""Numbers of a table as vectors: slot kind `numeric`.

Each is called with the number of columns F and the width D, maps (B, F) to (B, F, dim), and has `dim`,
which is D, or 1 where the numbers stay what they are.
"""

import math
from statistics import NormalDist

import torch
from torch import Tensor, nn

__all__ = ["LinearEmbedding", "Periodic", "PiecewiseLinear", "Raw"]


class Raw(nn.Module):
    """The numbers as they are. For networks that join the columns to one vector; `dim` is 1.

    Shapes: (B, F) → (B, F, 1).
    """

    def __init__(self, num_features: int, dim: int = 1):
        super().__init__()
        self.dim = 1

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1)


class LinearEmbedding(nn.Module):
    """Each column its own line in space: y_f = x_f w_f + b_f.

    Shapes: (B, F) → (B, F, D).
    Source: Gorishniy et al. 2021, Revisiting deep learning models for tabular data, arXiv:2106.11959.
    """

    def __init__(self, num_features: int, dim: int):
        super().__init__()
        self.dim = dim
        self.weight = nn.Parameter(uniform(num_features, dim, fan_in=dim))
        self.bias = nn.Parameter(uniform(num_features, dim, fan_in=dim))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias, x.unsqueeze(-1), self.weight)


class PiecewiseLinear(nn.Module):
    """A line plus a learned piecewise linear curve for each column: y_f = x_f w_f + b_f + V_f e(x_f).

    e(x)_t = (x − b_{t−1}) / (b_t − b_{t−1}), cut to [0, 1] inside the range: how far x has come through bin
    t. V starts at zero, so that the embedding begins as a line. The bins' `edges` (F, bins + 1) are the
    quantiles of the standard normal distribution, from −3 to 3, right for columns that preprocessing has
    made quantile-normal; assign others with `set_edges`.

    Shapes: (B, F) → (B, F, D).
    Source: Gorishniy et al. 2022, On embeddings for numerical features, arXiv:2203.05556; the added line
    and the zero start: Gorishniy et al. 2024, TabM, arXiv:2410.24210.
    """

    edges: Tensor

    def __init__(self, num_features: int, dim: int, num_bins: int = 16):
        super().__init__()
        if num_bins < 2:
            raise ValueError(f"num_bins must be at least 2, got {num_bins}")
        self.dim = dim
        inner = [NormalDist().inv_cdf(i / num_bins) for i in range(1, num_bins)]
        low, high = min(-3.0, inner[0] - 0.1), max(3.0, inner[-1] + 0.1)
        self.register_buffer("edges", torch.tensor([low, *inner, high]).repeat(num_features, 1))
        self.linear = LinearEmbedding(num_features, dim)
        self.weight = nn.Parameter(torch.zeros(num_features, num_bins, dim))

    def set_edges(self, edges: Tensor) -> None:
        """Bins of one's own: (F, bins + 1), increasing in each row."""
        if edges.shape != self.edges.shape or not (edges.diff(dim=1) > 0).all():
            raise ValueError(f"edges must be {tuple(self.edges.shape)}, increasing in each row")
        self.edges.copy_(edges)

    def forward(self, x: Tensor) -> Tensor:
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        e = (x.unsqueeze(-1) - low) / (high - low)  # (B, F, bins)
        # The first bin goes on to −∞ and the last to ∞, so that outliers keep their order.
        e = torch.cat([e[..., :1].clamp_max(1), e[..., 1:-1].clamp(0, 1), e[..., -1:].clamp_min(0)], -1)
        return self.linear(x) + per_column(e, self.weight)


class Periodic(nn.Module):
    """Learned waves, then a linear layer and ReLU for each column.

    y_f = ReLU(W_f (cos 2πc_f x, sin 2πc_f x) + b_f). The frequencies c start as N(0, sigma²); sigma is the
    number that matters (0.01 … 1, small for smooth targets).

    Shapes: (B, F) → (B, F, D).
    Source: Gorishniy et al. 2022, On embeddings for numerical features (PLR), arXiv:2203.05556.
    """

    def __init__(self, num_features: int, dim: int, num_frequencies: int = 48, sigma: float = 0.1):
        super().__init__()
        self.dim = dim
        frequencies = torch.empty(num_features, num_frequencies)
        self.frequency = nn.Parameter(nn.init.trunc_normal_(frequencies, 0.0, sigma, -3 * sigma, 3 * sigma))
        waves = 2 * num_frequencies
        self.weight = nn.Parameter(uniform(num_features, waves, dim, fan_in=waves))
        self.bias = nn.Parameter(uniform(num_features, dim, fan_in=waves))

    def forward(self, x: Tensor) -> Tensor:
        angle = 2 * math.pi * self.frequency * x.unsqueeze(-1)  # (B, F, k)
        waves = torch.cat([angle.cos(), angle.sin()], -1)
        return (per_column(waves, self.weight) + self.bias).relu()


def per_column(x: Tensor, weight: Tensor) -> Tensor:
    """A matrix for each column: x (B, F, A), weight (F, A, D) → (B, F, D)."""
    return torch.bmm(x.transpose(0, 1), weight).transpose(0, 1)


def uniform(*shape: int, fan_in: int) -> Tensor:
    """Uniform in ±1/√fan_in, as in torch's linear layers."""
    return torch.empty(*shape).uniform_(-(fan_in**-0.5), fan_in**-0.5)
