"""Attention within windows of a map, and windows shifted by half their size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.relative_bias import RelativeBias

__all__ = ["WindowAttention", "shift_mask", "shifts"]


class WindowAttention(nn.Module):
    """Each cell of a map looks at the cells of its w × w window: softmax(q kᵀ / √d + B) v, B by relative position.

    `shift` moves the windows by that many cells down and to the right, so that neighbours of the last block
    meet. The map is rolled for it, and `mask` keeps apart what the roll brought together: `shift_mask`, made
    once for all blocks of a size. A map that is no multiple of the window is filled up with zeros, which are
    looked at like other cells; along a side that fits into one window nothing is shifted.
    `num_heads` defaults to heads of 32 channels (at least one).

    Shapes: x (B, H, W, D), mask (windows, w², w²) added to the scores → (B, H, W, D).
    Source: Liu et al. 2021, Swin transformer, arXiv:2103.14030.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int | None = None,
        window_size: int = 7,
        shift: int = 0,
        qkv_bias: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.num_heads = num_heads or max(1, dim // 32)
        if dim % self.num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got dim={dim}, num_heads={self.num_heads}")
        if not 0 <= shift < window_size:
            raise ValueError(f"shift must lie in 0 … window_size − 1 = {window_size - 1}, got {shift}")
        self.window_size, self.shift, self.dropout = window_size, shift, dropout
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.bias = RelativeBias(self.num_heads, window_size)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        B, H, W, D = x.shape
        w = self.window_size
        down, right = shifts(H, W, w, self.shift)
        whole = H % w == W % w == 0
        if not whole:
            x = F.pad(x, (0, 0, 0, -W % w, 0, -H % w))
        if down or right:
            x = x.roll((-down, -right), (1, 2))

        # Windows are folded into the batch: (B · windows, w², D).
        rows, columns = x.shape[1] // w, x.shape[2] // w
        x = x.view(B, rows, w, columns, w, D).transpose(2, 3).reshape(-1, w * w, D)
        q, k, v = self.qkv(x).view(-1, w * w, 3, self.num_heads, D // self.num_heads).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.bias()[None]
        if mask is not None and (down or right):
            bias = bias + mask[:, None]  # (windows, heads, w², w²)
            bias = bias.expand(B, -1, -1, -1, -1).flatten(0, 1)
        x = F.scaled_dot_product_attention(q, k, v, bias, dropout_p=self.dropout if self.training else 0.0)
        x = self.proj(x.transpose(1, 2).reshape(-1, w * w, D))

        x = x.view(B, rows, columns, w, w, D).transpose(2, 3).reshape(B, rows * w, columns * w, D)
        if down or right:
            x = x.roll((down, right), (1, 2))
        return x if whole else x[:, :H, :W]


def shifts(height: int, width: int, window_size: int, shift: int) -> tuple[int, int]:
    """How far the windows move down and to the right: not at all along a side that fits into one window."""
    return shift if height > window_size else 0, shift if width > window_size else 0


def shift_mask(x: Tensor, window_size: int, shift: int) -> Tensor | None:
    """0 between cells of a rolled map that were neighbours before, −∞ between the others; None without a shift.

    Shapes: x (B, H, W, D), for its size, type and device → (windows, w², w²).
    """
    _, H, W, _ = x.shape
    w = window_size
    down, right = shifts(H, W, w, shift)
    if not down and not right:
        return None
    # Rolling brings the first rows below the last ones: they share the last windows, but not a region.
    row = torch.arange(-(-H // w) * w, device=x.device).view(-1, 1, w, 1)
    column = torch.arange(-(-W // w) * w, device=x.device).view(1, -1, 1, w)
    rolled = (row >= row.numel() - down).int() + 2 * (column >= column.numel() - right).int()
    region = rolled.view(-1, w * w)  # (windows, w²)
    apart = region[:, :, None] != region[:, None, :]
    return torch.zeros_like(apart, dtype=x.dtype).masked_fill_(apart, float("-inf"))
