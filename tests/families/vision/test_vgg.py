"""VGG is torchvision's and timm's VGG, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import GroupNorm
from netwright.families.vision.vgg import PRESETS, VGG
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import timm, torchvision

SMALL = partial(VGG, dim=4, depths=(1, 1, 2), hidden=(16,), grid=2, dropout=0.0)
DEEP = partial(SMALL, depths=(1, 1, 1, 1, 1))


def test_every_preset_has_the_published_count():
    check_counts(VGG, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_torchvisions_and_timms(name):
    with torch.device("meta"):
        assert count(getattr(torchvision().models, f"vgg{name}")()) == PRESETS[name]["params"]
        assert count(timm().create_model(f"vgg{name}")) == PRESETS[name]["params"]


def test_the_default_is_vgg16():
    with torch.device("meta"):
        assert count(VGG()) == PRESETS["16"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["11", "11_bn", "16"])
def test_same_as_torchvision(name, train):
    """All convolutions; the fully connected layers are narrower, which spares a gigabyte."""
    ours = build(VGG, PRESETS[name]["args"], num_classes=10, hidden=(32, 24), dropout=0.0)
    theirs = getattr(torchvision().models, f"vgg{name}")
    with torch.device("meta"):
        theirs = theirs()
    theirs.classifier = nn.Sequential(
        *[nn.Linear(512 * 49, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 10)]
    )
    theirs.to_empty(device="cpu")
    x = contract.images(2, 3, 75 if name == "11_bn" else 41, 66)
    assert_same(ours, randomise(theirs), x, copy_by_order(ours, theirs, x), train=train)


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(DEEP(), 75)
    assert DEEP().channels == [4, 8, 16, 32, 32, 32] and DEEP().strides == [1, 2, 4, 8, 16, 32]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    contract.check_sizes(partial(DEEP, norm=nn.BatchNorm2d, grid=1, hidden=()), [(33, 47)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, norm=GroupNorm, activation=nn.SiLU)
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)


def test_dropout_acts_on_the_fully_connected_layers():
    model, x = SMALL(dropout=0.5), contract.images(2, 3, 8, 8)
    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))
