"""Stacked hourglass is that of pytorch-stacked-hourglass."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.families.segmentation.hourglass import PRESETS, StackedHourglass
from tests.families.presets import check_counts
from tests.families.segmentation import contract, references
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, count, randomise

SMALL = partial(StackedHourglass, dim=8, depth=2, num_stacks=2)


def test_every_preset_has_the_published_count():
    check_counts(StackedHourglass, PRESETS)
    for name, preset in PRESETS.items():
        with torch.device("meta"):
            theirs = references.StackedHourglass(int(name[2:]))
        assert count(theirs) == preset["params"]


class Heatmaps(nn.Module):
    """The heatmaps of all stacks of ours beside each other."""

    def __init__(self, network: StackedHourglass):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.cat(self.network.heatmaps(x), 1)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("blocks", [1, 2])
def test_same_as_the_reference(blocks, train):
    theirs = randomise(references.StackedHourglass(2, blocks, 3))
    ours = Heatmaps(StackedHourglass(3, num_stacks=2, num_blocks=blocks))
    x = images(4, 3, 64, 128)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(33, 47), (64, 20)], in_channels=[1, 5])


def test_works_everywhere():
    contract.check_everywhere(SMALL, 32)
    contract.check_independent_of_batch(SMALL(), 32)


def test_every_stack_gives_its_heatmaps():
    model, x = SMALL(num_classes=3).eval(), images(2, 3, 33, 50)
    assert [y.shape for y in model.heatmaps(x)] == [(2, 3, 9, 13)] * 2
    outputs = model.outputs(x)
    assert [y.shape for y in outputs] == [(2, 3, 33, 50)] * 2 and torch.equal(outputs[-1], model(x))


def test_ejects():
    contract.check_ejects(StackedHourglass, {"dim": 8, "depth": 2, "num_stacks": 2, "num_classes": 2})
