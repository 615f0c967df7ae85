"""Heads of dense detectors: the same convolutions over every map of a pyramid, outputs for each anchor."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.slots import Norm2d

__all__ = ["DenseHead", "per_anchor"]


class DenseHead(nn.Module):
    """`depth` 3 × 3 convolutions and one that gives `outputs` numbers for each anchor; all maps share them.

    Weights start as N(0, 0.01²), which leaves the outputs near the bias at first: zero, unless it is set.

    Shapes: a list of (B, D, H_i, W_i) → (B, N, outputs), N = num_anchors · Σ H_i · W_i in the order of `make_anchors`.
    Source: Lin et al. 2017, RetinaNet, section 4, arXiv:1708.02002.
    """

    def __init__(self, dim: int, num_anchors: int, outputs: int, depth: int = 4, norm: Norm2d = Identity):
        super().__init__()
        self.outputs = outputs
        self.tower = nn.Sequential(*[ConvNormAct(dim, dim, 3, norm=norm) for _ in range(depth)])
        self.out = nn.Conv2d(dim, num_anchors * outputs, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        return torch.cat([per_anchor(self.out(self.tower(x)), self.outputs) for x in maps], 1)


def per_anchor(x: Tensor, outputs: int) -> Tensor:
    """(B, A · outputs, H, W) → (B, H · W · A, outputs)."""
    return x.unflatten(1, (-1, outputs)).permute(0, 3, 4, 1, 2).flatten(1, 3)
