"""Gates of feature maps, (B, C, H, W) → the same shape: slot kind `gate2d`."""

import math

import torch
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.norm2d import LayerNorm2d
from netwright.blocks.slots import Activation, Norm2d
from netwright.blocks.squeeze_excite import SqueezeExcite

__all__ = [
    "CBAM",
    "ChannelAttention",
    "EfficientChannelAttention",
    "GlobalContext",
    "Identity",
    "SpatialAttention",
    "SqueezeExcite",
]


class ChannelAttention(nn.Module):
    """Weigh each channel by its mean and its largest value: x · sigmoid(W₂ σ(W₁ mean(x)) + W₂ σ(W₁ max(x))).

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Woo et al. 2018, CBAM: Convolutional block attention module, arXiv:1807.06521.
    """

    def __init__(self, dim: int, reduction: int = 16, activation: Activation = ReLU):
        super().__init__()
        hidden = max(1, dim // reduction)
        self.fc1 = nn.Linear(dim, hidden, bias=False)
        self.act = activation()
        self.fc2 = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.stack([x.mean((2, 3)), x.amax((2, 3))])  # (2, B, C)
        weight = self.fc2(self.act(self.fc1(pooled)).sum(0)).sigmoid()  # W₂ is linear: it sees their sum
        return x * weight[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weigh each pixel by the mean and the largest of its channels: x · sigmoid(norm(W ∗ [mean(x), max(x)])).

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Woo et al. 2018, arXiv:1807.06521; the norm: their code.
    """

    def __init__(self, dim: int, kernel_size: int = 7, norm: Norm2d = BatchNorm2d):
        super().__init__()
        self.conv = ConvNormAct(2, 1, kernel_size, norm=norm, activation=nn.Sigmoid)

    def forward(self, x: Tensor) -> Tensor:
        pooled = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)  # (B, 2, H, W)
        return x * self.conv(pooled)


class CBAM(nn.Module):
    """First weigh the channels, then the pixels.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Woo et al. 2018, CBAM: Convolutional block attention module, arXiv:1807.06521.
    """

    def __init__(self, dim: int, reduction: int = 16, kernel_size: int = 7, norm: Norm2d = BatchNorm2d):
        super().__init__()
        self.channel = ChannelAttention(dim, reduction)
        self.spatial = SpatialAttention(dim, kernel_size, norm)

    def forward(self, x: Tensor) -> Tensor:
        return self.spatial(self.channel(x))


class EfficientChannelAttention(nn.Module):
    """Weigh each channel by the means of its neighbours in the list of channels: x · sigmoid(w ∗ mean(x)).

    `kernel_size` defaults to the odd number at (log₂ C + 1) / 2, the next one where that is even.

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Wang et al. 2019, ECA-Net: Efficient channel attention, arXiv:1910.03151.
    """

    def __init__(self, dim: int, kernel_size: int | None = None):
        super().__init__()
        kernel_size = kernel_size or int((math.log2(dim) + 1) / 2) // 2 * 2 + 1
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}: an even one has no channel in its middle")
        self.conv = nn.Conv1d(1, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.conv(x.mean((2, 3)).unsqueeze(1)).sigmoid()  # (B, 1, C)
        return x * weight.transpose(1, 2).unsqueeze(-1)


class GlobalContext(nn.Module):
    """Add to every pixel what the pixels that matter hold: x + W₂ σ(norm(W₁ Σᵢ softmax(w · x)ᵢ xᵢ)).

    Shapes: (B, C, H, W) → (B, C, H, W).
    Source: Cao et al. 2019, GCNet: Non-local networks meet squeeze-excitation networks, arXiv:1904.11492.
    """

    def __init__(self, dim: int, reduction: int = 16, norm: Norm2d = LayerNorm2d, activation: Activation = ReLU):
        super().__init__()
        hidden = max(1, dim // reduction)
        self.score = nn.Conv2d(dim, 1, 1)
        self.fc1 = nn.Conv2d(dim, hidden, 1)
        self.norm = norm(hidden)
        self.act = activation()
        self.fc2 = nn.Conv2d(hidden, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.score(x).flatten(2).softmax(2)  # (B, 1, H·W)
        context = (x.flatten(2) @ weight.transpose(1, 2)).unsqueeze(-1)  # (B, C, 1, 1)
        return x + self.fc2(self.act(self.norm(self.fc1(context))))
