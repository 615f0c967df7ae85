"""Anchors: the boxes, of a few sizes and shapes at each pixel of each map, that dense detectors start from."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["make_anchors"]


def make_anchors(
    maps: Sequence[Tensor],
    strides: Sequence[int],
    scale: float,
    octave: int = 1,
    ratios: Sequence[float] = (0.5, 1.0, 2.0),
) -> list[Tensor]:
    """For each map the anchors of each pixel: `octave` sizes from `scale` · stride up to its double, in all `ratios`.

    An anchor of size s and ratio r is s √r high and s / √r wide, its center at stride · (column, row). Sizes are
    cut and corners rounded to whole pixels, as published weights expect it. The anchors are float32 at least,
    since bfloat16 knows not all whole numbers beyond 256.

    Shapes: maps (B, C, H_i, W_i) → a list of (H_i · W_i · A, 4), A = octave · number of ratios, the anchors of one
    pixel one after the other.
    Source: Ren et al. 2015, Faster R-CNN, arXiv:1506.01497; octaves: Lin et al. 2017, arXiv:1708.02002.
    """
    made = []
    for x, stride in zip(maps, strides, strict=True):
        sizes = [int(scale * stride * 2 ** (i / octave)) for i in range(octave)]
        halves = [(round(s / r**0.5 / 2), round(s * r**0.5 / 2)) for r in ratios for s in sizes]
        dtype = torch.promote_types(x.dtype, torch.float32)
        shapes = torch.tensor([(-w, -h, w, h) for w, h in halves], dtype=dtype, device=x.device)
        rows = torch.arange(x.shape[2], dtype=dtype, device=x.device) * stride
        columns = torch.arange(x.shape[3], dtype=dtype, device=x.device) * stride
        center_y, center_x = torch.meshgrid(rows, columns, indexing="ij")  # (H, W)
        centers = torch.stack([center_x, center_y, center_x, center_y], -1)
        made.append((centers[:, :, None] + shapes).flatten(0, 2))
    return made
