"""Normalisation of feature maps, (B, C, H, W) → the same shape: slot kind `norm2d`."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity

__all__ = [
    "BatchNorm2d",
    "FrozenBatchNorm2d",
    "GroupNorm",
    "Identity",
    "InstanceNorm2d",
    "LayerNorm2d",
    "LocalResponseNorm",
    "RMSNorm2d",
]


class FrozenBatchNorm2d(nn.Module):
    """Batch norm with fixed statistics, scale and shift: a pretrained network trained on in batches of a few images.

    y = γ (x − μ) / √(σ² + ε) + β, all of them buffers: nothing here is learned, and a network that starts from
    random weights is not normalised at all. As a scale and a shift it keeps no map for the backward pass.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Ren et al. 2015, Faster R-CNN, as trained on ResNets: He et al. 2015, appendix A, arXiv:1512.03385.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(dim))
        self.register_buffer("bias", torch.zeros(dim))
        self.register_buffer("running_mean", torch.zeros(dim))
        self.register_buffer("running_var", torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()  # (C,)
        shift = self.bias - self.running_mean * scale
        return (x * scale.to(x.dtype)[:, None, None]).add_(shift.to(x.dtype)[:, None, None])

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


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


class InstanceNorm2d(nn.Module):
    """Normalise each channel of each image by itself: the norm of style transfer.

    y = γ (x − μ) / √(σ² + ε) + β, μ and σ over the pixels. Of a map of one pixel nothing but β is left.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Ulyanov et al. 2016, Instance normalization, arXiv:1607.08022.
    """

    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        return torch.group_norm(x, len(self.weight), self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"


class RMSNorm2d(nn.Module):
    """Divide the channels of each pixel by their root mean square: y = γ x / √(mean(x²) + ε).

    The result lies channels-last in memory, as `LayerNorm2d`'s.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Zhang & Sennrich 2019, Root mean square layer normalization, arXiv:1910.07467.
    """

    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        x = F.rms_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.eps)
        return x.permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        return f"{len(self.weight)}, eps={self.eps}"
