"""From a feature map (B, C, H, W) to one vector (B, C): slot kind `pooling2d`."""

import torch
from torch import Tensor, nn

__all__ = ["GeneralisedMeanPool2d", "MaxPool2d", "MeanPool2d"]


class MeanPool2d(nn.Module):
    """The mean of each channel.

    Shapes: (B, C, H, W) → (B, C).
    Source: Lin et al. 2013, Network in network, arXiv:1312.4400.
    """

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))


class MaxPool2d(nn.Module):
    """The largest value of each channel.

    Shapes: (B, C, H, W) → (B, C).
    Source: Oquab et al. 2015, Is object localization for free? (CVPR).
    """

    def __init__(self, dim: int):
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x.amax((2, 3))


class GeneralisedMeanPool2d(nn.Module):
    """Between the mean (p = 1) and the largest value (p → ∞): y = (mean of max(x, ε)^p)^(1/p), p learned.

    Shapes: (B, C, H, W) → (B, C).
    Source: Radenović et al. 2017, Fine-tuning CNN image retrieval with no human annotation, arXiv:1711.02512.
    """

    def __init__(self, dim: int, exponent: float = 3.0, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.exponent = nn.Parameter(torch.tensor(exponent))

    def forward(self, x: Tensor) -> Tensor:
        return x.clamp_min(self.eps).pow(self.exponent).mean((2, 3)).pow(1 / self.exponent)
