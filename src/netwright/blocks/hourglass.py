"""The hourglass: down to a coarse map and up again, a skip at every scale."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.resize import resize_nearest
from netwright.blocks.slots import Activation, Norm2d

__all__ = ["BiasedPreActBottleneck", "Hourglass"]


class BiasedPreActBottleneck(nn.Module):
    """A pre-activation bottleneck whose convolutions have biases: shortcut(x) + F(x), the inner width D / 2.

    F is three times norm, activation, convolution (1 × 1, 3 × 3, 1 × 1); the shortcut is the identity, or a 1 × 1
    convolution of x itself where the width changes.

    Shapes: (B, C, H, W) → (B, D, H, W).
    Source: Newell et al. 2016, Stacked hourglass networks, arXiv:1603.06937.
    """

    def __init__(self, in_channels: int, dim: int, norm: Norm2d = BatchNorm2d, activation: Activation = ReLU):
        super().__init__()
        inner = max(1, dim // 2)
        self.norm1 = norm(in_channels)
        self.act1, self.conv1 = in_place(activation(), self.norm1), nn.Conv2d(in_channels, inner, 1)
        self.norm2, self.act2, self.conv2 = norm(inner), in_place(activation()), nn.Conv2d(inner, inner, 3, padding=1)
        self.norm3, self.act3, self.conv3 = norm(inner), in_place(activation()), nn.Conv2d(inner, dim, 1)
        self.shortcut = Identity() if in_channels == dim else nn.Conv2d(in_channels, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.act1(self.norm1(x)))
        y = self.conv2(self.act2(self.norm2(y)))
        return self.conv3(self.act3(self.norm3(y))) + self.shortcut(x)


class Hourglass(nn.Module):
    """Residual blocks at this scale, and beside them an hourglass one scale coarser: skip(x) + up(inner(pool(x))).

    `depth` scales deep, `num_blocks` residual blocks at each place. Sizes are rounded up.

    Shapes: (B, D, H, W) → (B, D, H, W).
    Source: Newell et al. 2016, Stacked hourglass networks, arXiv:1603.06937.
    """

    def __init__(
        self,
        dim: int,
        depth: int = 4,
        num_blocks: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.skip = _blocks(dim, num_blocks, norm, activation)
        self.before = _blocks(dim, num_blocks, norm, activation)
        if depth > 1:
            self.inner: nn.Module = Hourglass(dim, depth - 1, num_blocks, norm, activation)
        else:
            self.inner = _blocks(dim, num_blocks, norm, activation)
        self.after = _blocks(dim, num_blocks, norm, activation)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.skip(x)
        y = self.before(F.max_pool2d(x, 2, ceil_mode=True))
        return skip + resize_nearest(self.after(self.inner(y)), x.shape[-2:])


def _blocks(dim: int, num_blocks: int, norm: Norm2d, activation: Activation) -> nn.Sequential:
    return nn.Sequential(*(BiasedPreActBottleneck(dim, dim, norm, activation) for _ in range(num_blocks)))
