"""Non-maximum suppression: of boxes that overlap much, the one with the best score stays."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from netwright.blocks.detection.boxes import iou

__all__ = ["batched_nms", "nms"]

CHUNK = 256  # boxes that are compared with each other at once


def nms(boxes: Tensor, scores: Tensor, threshold: float) -> Tensor:
    """The boxes that stay, best first: each drops those after it that it overlaps by more than the threshold.

    A box that was dropped drops no other. torchvision's operator does it where it is installed and loads.

    Shapes: boxes (N, 4), scores (N,) → indices (K,).
    """
    fast = _operator()
    if fast is not None:
        return fast(boxes.float(), scores.float(), threshold)
    order = scores.argsort(descending=True, stable=True)
    boxes, kept = boxes[order].float(), order.new_zeros(0)
    for start in range(0, len(order), CHUNK):
        block = boxes[start : start + CHUNK]
        free = ~(iou(boxes[kept][:, None], block) > threshold).any(0)
        # a box stays if no box that stays before it overlaps it: repeated until nothing changes, which is at the
        # latest after the longest chain of boxes that each overlap the next
        over = (iou(block[:, None], block) > threshold).triu(1)
        stays, before = free, ~free
        while not torch.equal(stays, before):
            before, stays = stays, free & ~(over & stays[:, None]).any(0)
        kept = torch.cat([kept, stays.nonzero()[:, 0] + start])
    return order[kept]


def batched_nms(boxes: Tensor, scores: Tensor, groups: Tensor, threshold: float) -> Tensor:
    """`nms` for each group (class, level) by itself; the indices of all that stay, best first.

    Shapes: boxes (N, 4), scores (N,), groups (N,) → indices (K,).
    """
    kept = torch.zeros_like(groups, dtype=torch.bool)
    for group in groups.unique():
        members = (groups == group).nonzero()[:, 0]
        kept[members[nms(boxes[members], scores[members], threshold)]] = True
    index = kept.nonzero()[:, 0]
    return index[scores[index].argsort(descending=True, stable=True)]


@cache
def _operator() -> Callable[[Tensor, Tensor, float], Tensor] | None:
    """torchvision's compiled operator, loaded without importing torchvision; None where there is none that loads."""
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return None
    try:
        torch.ops.load_library(Path(found.origin).parent / "_C.so")
    except OSError:
        return None
    return torch.ops.torchvision.nms
