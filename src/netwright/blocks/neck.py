"""Necks, which let maps of several scales learn from each other: slot kind `neck`.

Each takes the backbone's maps, a list of (B, C_i, H_i, W_i), finest first, and gives a list of maps, all with D
channels. A coarse map is brought to the finer one's size whatever that is, so odd sizes align.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, SiLU

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.levels import NoLevels
from netwright.blocks.resize import resize_nearest
from netwright.blocks.slots import Activation, Levels, Norm2d

__all__ = ["FPN", "PAN", "BiFPN"]


class FPN(nn.Module):
    """Feature pyramid network: what is seen on coarse maps goes down to the fine ones.

    T_i = L_i ∗ C_i + up(T_{i+1}), P_i = S_i ∗ T_i, L_i being 1 × 1 and S_i 3 × 3 convolutions; `levels` adds maps
    that are coarser still.

    Shapes: a list of (B, C_i, H_i, W_i) → a list of (B, D, H_i, W_i), and what `levels` adds.
    Source: Lin et al. 2016, Feature pyramid networks for object detection, arXiv:1612.03144.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 256,
        norm: Norm2d = Identity,
        levels: Levels = NoLevels,
    ):
        super().__init__()
        self.lateral = nn.ModuleList(ConvNormAct(c, dim, 1, norm=norm, activation=Identity) for c in channels)
        self.smooth = nn.ModuleList(ConvNormAct(dim, dim, 3, norm=norm, activation=Identity) for _ in channels)
        self.apply(_init)
        self.levels = levels(channels[-1], dim)
        self.channels = [dim] * (len(channels) + self.levels.count)
        self.strides = list(strides) + [strides[-1] * 2**i for i in range(1, self.levels.count + 1)]

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        merged = [lateral(x) for lateral, x in zip(self.lateral, maps, strict=True)]
        for i in reversed(range(len(merged) - 1)):
            merged[i] = merged[i] + resize_nearest(merged[i + 1], merged[i].shape[-2:])
        pyramid = [smooth(x) for smooth, x in zip(self.smooth, merged, strict=True)]
        return pyramid + self.levels(maps[-1], pyramid[-1])


class PAN(nn.Module):
    """Path aggregation network: a feature pyramid, then a way back up from the fine maps to the coarse ones.

    N_1 = P_1, N_{i+1} = σ(S_i ∗ (P_{i+1} + σ(D_i ∗ N_i))): D_i are 3 × 3 convolutions with stride 2, S_i 3 × 3
    convolutions, P_i the maps of an FPN.

    Shapes: a list of (B, C_i, H_i, W_i) → a list of (B, D, H_i, W_i).
    Source: Liu et al. 2018, Path aggregation network for instance segmentation, arXiv:1803.01534.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 256,
        norm: Norm2d = Identity,
        activation: Activation = nn.ReLU,
    ):
        super().__init__()
        self.fpn = FPN(channels, strides, dim, norm)
        steps = range(len(channels) - 1)
        self.down = nn.ModuleList(ConvNormAct(dim, dim, 3, 2, norm=norm, activation=activation) for _ in steps)
        self.smooth = nn.ModuleList(ConvNormAct(dim, dim, 3, norm=norm, activation=activation) for _ in steps)
        self.apply(_init)
        self.channels, self.strides = self.fpn.channels, self.fpn.strides

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        pyramid = self.fpn(maps)
        out = [pyramid[0]]
        for down, smooth, x in zip(self.down, self.smooth, pyramid[1:], strict=True):
            out.append(smooth(x + resize_nearest(down(out[-1]), x.shape[-2:])))
        return out


class BiFPN(nn.Module):
    """Weighted bidirectional feature pyramid, `depth` times: down to the fine maps and up again.

    Each map is brought to D channels by a 1 × 1 convolution, and `num_extra` coarser ones are made from the last by
    max-pooling; EfficientDet has two, and depth and width by its compound scaling (3 and 64 in D0).

    Shapes: a list of (B, C_i, H_i, W_i) → a list of (B, D, H_i, W_i), the last `num_extra` of half the size each.
    Source: Tan et al. 2019, EfficientDet, arXiv:1911.09070.
    """

    def __init__(
        self,
        channels: Sequence[int],
        strides: Sequence[int],
        dim: int = 64,
        depth: int = 3,
        num_extra: int = 0,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = SiLU,
    ):
        super().__init__()
        if len(channels) + num_extra < 2:
            raise ValueError("BiFPN fuses maps of two scales or more: give it a backbone with more, or num_extra=1")
        widths = [*channels] + [channels[-1]] * min(1, num_extra)
        self.lateral = nn.ModuleList(ConvNormAct(c, dim, 1, norm=norm, activation=Identity) for c in widths)
        self.num_pooled = num_extra
        num_maps = len(channels) + num_extra
        self.cells = nn.ModuleList(BiFPNCell(num_maps, dim, norm, activation) for _ in range(depth))
        self.channels = [dim] * num_maps
        self.strides = list(strides) + [strides[-1] * 2**i for i in range(1, num_extra + 1)]

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        inputs = [*maps] + [maps[-1]] * min(1, self.num_pooled)
        out = [lateral(x) for lateral, x in zip(self.lateral, inputs, strict=True)]
        if self.num_pooled:
            coarse = out.pop()
            for _ in range(self.num_pooled):
                coarse = F.max_pool2d(coarse, 3, stride=2, padding=1)
                out.append(coarse)
        for cell in self.cells:
            out = cell(out)
        return out


class BiFPNCell(nn.Module):
    """One way down and one up: T_i = f(C_i, up(T_{i+1})), P_i = f(C_i, T_i, pool(P_{i−1})).

    The coarsest map has no T of its own, and the finest P is its T. Every f is a `WeightedFusion` of its own.

    Shapes: a list of (B, D, H_i, W_i) → the same shapes.
    """

    def __init__(self, num_maps: int, dim: int, norm: Norm2d, activation: Activation):
        super().__init__()
        last = num_maps - 1
        self.down = nn.ModuleList(WeightedFusion(2, dim, norm, activation) for _ in range(last))
        self.up = nn.ModuleList(WeightedFusion(3 if i < last else 2, dim, norm, activation) for i in range(1, num_maps))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        top = [maps[-1]]  # coarsest first
        for fuse, x in zip(self.down, reversed(maps[:-1]), strict=True):
            top.append(fuse([x, resize_nearest(top[-1], x.shape[-2:])]))
        out = [top[-1]]
        for i, fuse in enumerate(self.up, start=1):
            x = maps[i]
            pooled = resize_nearest(F.max_pool2d(out[-1], 3, stride=2, padding=1), x.shape[-2:])
            between = [top[-1 - i]] if i < len(maps) - 1 else []
            out.append(fuse([x, *between, pooled]))
        return out


class WeightedFusion(nn.Module):
    """A weighted mean with learned weights, then a depthwise separable convolution.

    y = norm(W ∗ σ(Σ wᵢ xᵢ / (ε + Σ wᵢ))), wᵢ = relu(vᵢ): the paper's fast normalised fusion, ε = 10⁻⁴.

    Shapes: a list of `count` maps (B, D, H, W) → (B, D, H, W).
    """

    def __init__(self, count: int, dim: int, norm: Norm2d, activation: Activation, eps: float = 1e-4):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(count))
        self.act = activation()
        self.depthwise = nn.Conv2d(dim, dim, 3, padding=1, groups=dim, bias=False)
        self.pointwise = ConvNormAct(dim, dim, 1, norm=norm, activation=Identity)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        weight = F.relu(self.weight)
        shares = (weight / (self.eps + weight.sum())).unbind()
        fused = maps[0] * shares[0]
        for x, share in zip(maps[1:], shares[1:], strict=True):
            fused = fused + x * share
        return self.pointwise(self.depthwise(self.act(fused)))


def _init(module: nn.Module) -> None:
    """Convolutions keep the variance of their input, uniform; biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_uniform_(module.weight, a=1)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
