"""RoIAlign: what lies in a box of a feature map, as a map of fixed size, read between the pixels."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from netwright.blocks.detection.boxes import area

__all__ = ["crop_masks", "pyramid_levels", "roi_align"]


def roi_align(
    maps: Sequence[Tensor],
    strides: Sequence[int],
    boxes: Tensor,
    images: Tensor,
    levels: Tensor,
    size: int = 7,
    samples: int = 2,
    aligned: bool = False,
) -> Tensor:
    """Each box of K, in pixels of its image, cut into size × size cells; each the mean of samples² points in it.

    A point is read by bilinear interpolation, beyond the border from the nearest pixel. `levels` says which of
    the maps a box is read from. Pixel i of a map covers i … i + 1 where `aligned`, otherwise (as in the paper)
    its centre is at i; then a box is at least one pixel of the map wide. No gradient goes to the boxes.

    All boxes of all maps are one call of `embedding_bag`, which adds up weighted rows without storing them.

    Shapes: maps (B, C, H_i, W_i), boxes (K, 4), images (K,), levels (K,) → (K, C, size, size).
    Source: He et al. 2017, Mask R-CNN, section 3, arXiv:1703.06870.
    """
    rows = torch.cat([x.flatten(2).transpose(1, 2) for x in maps], 1)  # (B, P, C), P pixels of all maps
    heights, widths, starts, scales = _per_map(maps, strides, boxes)
    boxes = boxes.detach() / scales[levels, None]
    low, length = _extent(boxes, aligned)
    counts = torch.full_like(length[:, 0], samples)
    y, weight_y = _points(low[:, 1], length[:, 1], heights[levels], size, counts, samples)  # (K, size, 2 · samples)
    x, weight_x = _points(low[:, 0], length[:, 0], widths[levels], size, counts, samples)
    offset = starts[levels] + images * rows.shape[1]
    row = offset[:, None, None] + y * widths[levels, None, None]
    index = row[:, :, None, :, None] + x[:, None, :, None, :]  # (K, size, size, 2 · samples, 2 · samples)
    weight = weight_y[:, :, None, :, None] * weight_x[:, None, :, None, :]
    read = F.embedding_bag(
        index.flatten(3).flatten(0, 2),
        rows.flatten(0, 1),
        mode="sum",
        per_sample_weights=weight.flatten(3).flatten(0, 2).to(rows.dtype),
    )  # (K · size², C)
    return read.unflatten(0, (boxes.shape[0], size, size)).permute(0, 3, 1, 2)


def pyramid_levels(boxes: Tensor, strides: Sequence[int]) -> Tensor:
    """The map that each box is read from: one of 224 pixels from that with stride 16, of half the size one finer.

    Shapes: (K, 4) → (K,), indices into `strides`.
    Source: Lin et al. 2016, Feature pyramid networks, equation 1, arXiv:1612.03144.
    """
    stride = area(boxes).sqrt() * (16 / 224 * (1 + 1e-6))
    return (stride[:, None] >= boxes.new_tensor(strides[1:])).sum(1)


def crop_masks(masks: Tensor, boxes: Tensor, index: Tensor, size: int) -> Tensor:
    """RoIAlign of the masks at full resolution, with as many points in a cell as it has pixels.

    Rows first, then columns: the points of a box are a grid, so that the mean over them is a product of matrices.

    Shapes: masks (M, H, W), boxes (K, 4), index (K,) into the masks → (K, size, size).
    """
    height, width = masks.shape[1:]
    low, length = _extent(boxes, aligned=False)
    counts = (length / size).ceil()
    most = int(counts.max()) if len(counts) else 1
    y, weight_y = _points(low[:, 1], length[:, 1], torch.full_like(index, height), size, counts[:, 1], most)
    x, weight_x = _points(low[:, 0], length[:, 0], torch.full_like(index, width), size, counts[:, 0], most)
    rows = F.embedding_bag(
        (index[:, None, None] * height + y).flatten(0, 1),
        masks.to(boxes.dtype).flatten(0, 1),
        mode="sum",
        per_sample_weights=weight_y.flatten(0, 1),
    ).unflatten(0, (len(boxes), size))  # (K, size, W)
    columns = rows.new_zeros(len(boxes), size, width).scatter_add(2, x, weight_x)
    return rows @ columns.transpose(1, 2)


def _per_map(maps: Sequence[Tensor], strides: Sequence[int], boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The height, width, first row and stride of each map, as tensors that `levels` can index."""
    sizes = [(x.shape[2], x.shape[3]) for x in maps]
    starts = [sum(h * w for h, w in sizes[:i]) for i in range(len(sizes))]
    heights, widths = zip(*sizes, strict=True)
    whole = [torch.tensor(values, device=boxes.device) for values in (heights, widths, starts)]
    return whole[0], whole[1], whole[2], boxes.new_tensor(strides)


def _extent(boxes: Tensor, aligned: bool) -> tuple[Tensor, Tensor]:
    """The corner (K, 2) and the size (K, 2) of boxes in pixels of the map whose centres are whole numbers."""
    low, length = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    return (low - 0.5, length) if aligned else (low, length.clamp(min=1))


def _points(low: Tensor, length: Tensor, limit: Tensor, size: int, counts: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Along one axis the pixels beside the points of each cell, and their weights in the cell's mean.

    A cell has `counts` points at equal distances, `most` or fewer; the pixels lie in 0 … limit − 1.
    Shapes: low, length, limit, counts (K,) → (K, size, 2 · most) twice.
    """
    cell = length / size
    place = torch.arange(most, dtype=low.dtype, device=low.device)
    first = low[:, None] + cell[:, None] * torch.arange(size, dtype=low.dtype, device=low.device)  # (K, size)
    point = first[:, :, None] + ((place + 0.5) * (cell / counts)[:, None])[:, None]  # (K, size, most)
    last = (limit - 1)[:, None, None]
    point = point.clamp(min=0).minimum(last)
    pixel = point.floor()
    part = point - pixel
    share = (place < counts[:, None]).to(low.dtype) / counts[:, None]  # (K, most)
    weights = torch.cat([(1 - part) * share[:, None], part * share[:, None]], 2)
    pixel = pixel.long()
    return torch.cat([pixel, (pixel + 1).minimum(last)], 2), weights
