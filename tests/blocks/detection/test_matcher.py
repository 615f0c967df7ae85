"""Matching and sampling against torchvision's, and by hand."""

import pytest
import torch

from netwright.blocks.detection.boxes import iou
from netwright.blocks.detection.matcher import BACKGROUND, UNDECIDED, match, sample
from tests.blocks.detection.test_boxes import some_boxes
from tests.references import torchvision


@pytest.mark.parametrize("keep_best", [False, True])
@pytest.mark.parametrize("high, low", [(0.3, 0.3), (0.3, 0.1)])
def test_matches_are_torchvisions(high, low, keep_best):
    overlap = iou(some_boxes(4, size=30.0)[:, None], some_boxes(900, seed=1, size=30.0))
    matcher = torchvision().models.detection._utils.Matcher(high, low, keep_best)
    found = match(overlap, high, low, keep_best)
    assert torch.equal(found, matcher(overlap.clone())) and len(found.unique()) > 2


def test_matches_by_hand():
    overlap = torch.tensor([[0.6, 0.35, 0.1, 0.2], [0.2, 0.4, 0.0, 0.2]])
    assert match(overlap, 0.5, 0.3).tolist() == [0, UNDECIDED, BACKGROUND, BACKGROUND]
    assert match(overlap, 0.5, 0.3, keep_best=True).tolist() == [0, 1, BACKGROUND, BACKGROUND]
    assert match(overlap[:0], 0.5, 0.3, keep_best=True).tolist() == [BACKGROUND] * 4


def test_samples_are_torchvisions():
    labels = torch.randint(-1, 3, (400,), generator=torch.Generator().manual_seed(0))
    sampler = torchvision().models.detection._utils.BalancedPositiveNegativeSampler(64, 0.25)
    torch.manual_seed(0)
    (positive,), (negative,) = sampler([labels])
    torch.manual_seed(0)
    ours = sample(labels > 0, labels == 0, 64, 0.25)
    assert torch.equal(ours[0], positive.bool()) and torch.equal(ours[1], negative.bool())


@pytest.mark.parametrize(
    "positive, negative, expected", [(3, 100, (3, 7)), (100, 2, (5, 2)), (0, 4, (0, 4)), (0, 0, (0, 0))]
)
def test_samples_are_filled_up_with_negative_ones(positive, negative, expected):
    first = torch.arange(200) < positive
    second = torch.arange(200) >= 200 - negative
    chosen = sample(first, second, 10, 0.5)
    assert (int(chosen[0].sum()), int(chosen[1].sum())) == expected
    assert (first | ~chosen[0]).all() and (second | ~chosen[1]).all()
