"""Which box of the truth each anchor or proposal is trained on, and which of them are."""

import torch
from torch import Tensor

__all__ = ["BACKGROUND", "UNDECIDED", "match", "sample"]

BACKGROUND = -1
UNDECIDED = -2


def match(overlap: Tensor, high: float, low: float, keep_best: bool = False) -> Tensor:
    """For each candidate the box of the truth that it overlaps most, where that is `high` or more.

    Below `low` it is BACKGROUND, between the two UNDECIDED. With `keep_best` the candidates that overlap a
    box more than all others do are kept whatever the overlap, so that each box of the truth has one.

    Shapes: overlap (M, N) of M boxes of the truth and N candidates → (N,), indices into M.
    Source: Ren et al. 2015, section 3.1.2, arXiv:1506.01497.
    """
    if len(overlap) == 0:
        return overlap.new_full(overlap.shape[1:], BACKGROUND, dtype=torch.long)
    value, best = overlap.max(0)
    matches = best.masked_fill(value < high, UNDECIDED).masked_fill(value < low, BACKGROUND)
    if keep_best:
        matches = torch.where((overlap == overlap.amax(1, keepdim=True)).any(0), best, matches)
    return matches


def sample(positive: Tensor, negative: Tensor, number: int, fraction: float) -> tuple[Tensor, Tensor]:
    """Up to `number` candidates by chance, at most `fraction` of them positive, filled up with negative ones.

    Shapes: masks (N,), (N,) → their chosen entries, masks (N,), (N,).
    Source: Girshick 2015, Fast R-CNN, section 2.3, arXiv:1504.08083.
    """
    first = _some(positive, int(number * fraction))
    return first, _some(negative, number - int(first.sum()))


def _some(mask: Tensor, number: int) -> Tensor:
    """`number` of the true entries by chance, or all where they are fewer."""
    index = mask.nonzero()[:, 0]
    chosen = index[torch.randperm(len(index), device=mask.device)[:number]]
    return torch.zeros_like(mask).index_fill(0, chosen, True)
