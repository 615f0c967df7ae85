"""From a map to one of half its size: four neighbours become one."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.slots import Norm


class PatchMerging(nn.Module):
    """Each 2 × 2 patch as one vector of 4D channels, a norm, a linear map to `out_dim` channels (2D if left out).

    A map with an odd side is filled up with zeros on the right and at the bottom.

    Shapes: (B, H, W, D) → (B, ⌈H / 2⌉, ⌈W / 2⌉, out_dim).
    Source: Liu et al. 2021, Swin transformer, arXiv:2103.14030. (The channels lie column by column, as in the
    authors' weights.)
    """

    def __init__(self, dim: int, out_dim: int | None = None, norm: Norm = LayerNorm):
        super().__init__()
        self.norm = norm(4 * dim)
        self.proj = nn.Linear(4 * dim, out_dim or 2 * dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, H, W, D = x.shape
        if H % 2 or W % 2:
            x = F.pad(x, (0, 0, 0, W % 2, 0, H % 2))
        x = x.reshape(B, -(-H // 2), 2, -(-W // 2), 2, D).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return self.proj(self.norm(x))
