"""Normalisation of feature maps, (B, C, H, W) → the same shape: slot kind `norm2d`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity

__all__ = ["BatchNorm2d", "GroupNorm", "Identity", "LayerNorm2d", "LocalResponseNorm"]


class GroupNorm(nn.Module):
    """Normalise groups of channels of one image, whatever the batch: the norm for small batches.

    y = γ (x − μ) / √(σ² + ε) + β, μ and σ over the pixels and channels of a group. There are at most
    `num_groups` groups, as many as divide the channels and leave two to each, since one channel normalised by
    itself forgets how large it was. One group is the layer norm of MetaFormer.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Wu & He 2018, Group normalization, arXiv:1803.08494.
    """

    def __init__(self, dim: int, num_groups: int = 32, eps: float = 1e-5):
        super().__init__()
        most = max(1, min(num_groups, dim // 2))
        self.num_groups = max(g for g in range(1, most + 1) if dim % g == 0)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, num_groups={self.num_groups}, eps={self.eps}"


class LayerNorm2d(nn.Module):
    """Normalise the channels of each pixel, by the fused kernel on the channels-last view.

    The result lies channels-last in memory, so that what follows is fast, and the next norm needs no copy.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Ba et al. 2016, Layer normalization, arXiv:1607.06450; on maps: Liu et al. 2022, arXiv:2201.03545.
    """

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


class LocalResponseNorm(nn.Module):
    """Divide each channel by how strong its neighbours are at the same pixel; nothing is learned.

    yᵢ = xᵢ / (k + α Σⱼ xⱼ²)^β, j over the `size` channels around i. α is the paper's: torch divides its by `size`.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Krizhevsky et al. 2012, ImageNet classification with deep convolutional neural networks (NeurIPS).
    """

    def __init__(self, dim: int, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        return F.local_response_norm(x, self.size, self.alpha * self.size, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
