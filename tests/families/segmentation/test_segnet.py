"""SegNet is pytorchcv's SegNet, and its unpooling is PyTorch's."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.unpooling import IndexedMaxPool, MaxUnpool
from netwright.families.segmentation.segnet import PRESETS, SegNet
from tests.families.presets import check_counts
from tests.families.segmentation import contract, references
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import pytorchcv

SMALL = partial(SegNet, dims=(4, 8, 8), depths=(2, 1, 3))


def test_every_preset_has_the_published_count():
    check_counts(SegNet, PRESETS)
    with torch.device("meta"):
        assert count(pytorchcv().get_model("segnet_cityscapes")) == PRESETS["paper"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_pytorchcv(train):
    dims = (4, 8, 8, 16, 16)
    ours, theirs = SegNet(5, dims=dims), randomise(references.segnet(5, dims))
    x = images(3, 3, 64, 96)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("size", [(8, 6), (7, 5), (1, 4), (1, 1)])
def test_unpooling_puts_the_maxima_back(size):
    x = images(2, 3, *size)
    pooled, places = IndexedMaxPool()(x)
    back = MaxUnpool()(pooled, places, size)
    assert torch.equal(back, nn.functional.max_unpool2d(pooled, places, 2, output_size=list(size)))
    assert torch.equal(back[back != 0], x[back != 0]) and (back != 0).sum() == pooled.numel()


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])


def test_works_everywhere():
    contract.check_everywhere(SMALL, 24, half_error=1.0)  # a maximum may be found one pixel beside
    contract.check_independent_of_batch(SMALL(), 16)


def test_ejects():
    contract.check_ejects(SegNet, {"dims": [4, 8], "depths": [2, 2], "num_classes": 2})


def test_slots_take_other_blocks():
    model = SMALL(num_classes=2, norm=nn.Identity, activation=nn.SiLU)
    assert not any(isinstance(m, nn.BatchNorm2d | nn.ReLU) for m in model.modules())
    assert model(images(1, 3, 9, 9)).shape == (1, 2, 9, 9)
