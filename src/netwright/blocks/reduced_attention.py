"""Attention to a coarser copy of the map."""

from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.conv import PatchConv
from netwright.blocks.cross_attention import CrossAttention
from netwright.blocks.slots import Norm


class ReducedAttention(nn.Module):
    """Each cell of a map looks at patches of r × r cells, each made one vector by a convolution and a norm.

    The scores of a head are H W × H W / r² numbers instead of (H W)². With `reduction` 1 it is plain attention.
    Cells beyond the last whole patch are no part of a key.

    Shapes: x (B, H, W, D), mask ignored → (B, H, W, D).
    Source: Wang et al. 2021, Pyramid vision transformer, arXiv:2102.12122.
    """

    def __init__(self, dim: int, num_heads: int | None = None, reduction: int = 1, norm: Norm = LayerNorm):
        super().__init__()
        self.reduce = MapReduction(dim, reduction, norm) if reduction > 1 else nn.Identity()
        self.attention = CrossAttention(dim, num_heads)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        context = self.reduce(x).flatten(1, 2)
        return self.attention(x.flatten(1, 2), context).view_as(x)


class MapReduction(nn.Module):
    """Each r × r patch as one cell, then a norm. Shapes: (B, H, W, D) → (B, ⌊H / r⌋, ⌊W / r⌋, D), at least 1."""

    def __init__(self, dim: int, reduction: int, norm: Norm = LayerNorm):
        super().__init__()
        self.conv = PatchConv(dim, dim, reduction)
        self.norm = norm(dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
