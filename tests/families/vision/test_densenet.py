"""DenseNet is torchvision's and pytorchcv's DenseNet, and keeps the promises of a backbone."""

import importlib
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.dense_layer import PlainDense
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.stem import SmallStem
from netwright.families.vision.densenet import PRESETS, DenseNet
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import pytorchcv, torchvision

NECK = partial(DenseNet, dim=8, growth_rate=4, depths=(1, 2, 2, 1))
SMALL = partial(NECK, depths=(2, 2, 1), stem=SmallStem)


def test_every_preset_has_the_published_count():
    check_counts(DenseNet, PRESETS)


@pytest.mark.parametrize("name", ["121", "161", "169", "201", "100_k12_bc", "250_k24_bc", "190_k40_bc"])
def test_counts_are_the_references(name):
    with torch.device("meta"):
        if "k" in name:
            depth, growth, _ = name.split("_")
            reference = pytorchcv().get_model(f"densenet{depth}_{growth}_bc_cifar10")
        else:
            reference = getattr(torchvision().models, f"densenet{name}")()
    assert count(reference) == PRESETS[name]["params"]


@pytest.mark.parametrize("name, depth, growth", [("40_k12", 40, 12), ("100_k12", 100, 12), ("100_k24", 100, 24)])
def test_plain_counts_are_the_closed_form(name, depth, growth):
    """Stem 27 · 16; a layer of C maps 9 C K + 2 C; a transition C² + 2 C; 2 C + 11 C at the end: 1.0, 7.0, 27.2 M.

    pytorchcv's plain ones halve the maps in the transitions, which the paper has in DenseNet-C alone.
    """
    channels, total = 16, 27 * 16
    for block in range(3):
        for _ in range((depth - 4) // 3):
            total += 9 * channels * growth + 2 * channels
            channels += growth
        total += (channels**2 + 2 * channels) if block < 2 else 12 * channels + 10
    assert total == PRESETS[name]["params"]


def test_the_default_is_densenet121():
    with torch.device("meta"):
        assert count(DenseNet()) == PRESETS["121"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_torchvision(train):
    """In double precision: our transitions average first, which rounds otherwise, and at a ReLU's corner rounding is
    the whole of a gradient."""
    ours, theirs = DenseNet().double(), randomise(torchvision().models.densenet121()).double()
    x = contract.images(2, 3, 75, 66).double()
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["100_k12_bc", "40_k12"])
def test_same_as_pytorchcv(name, train):
    """In double precision as above; the second with half of the maps kept, as theirs does, and of 3 · 4 layers."""
    preset = PRESETS[name]
    if name == "40_k12":
        module = importlib.import_module(pytorchcv().__name__.rpartition(".")[0] + ".models.densenet_cifar")
        channels = [[28, 40, 52, 64], [44, 56, 68, 80], [52, 64, 76, 88]]
        theirs = module.CIFARDenseNet(channels, init_block_channels=16, bottleneck=False)
        ours = build(DenseNet, preset["args"] | {"compression": 0.5, "depths": [4] * 3}, **preset["inputs"])
    else:
        theirs = pytorchcv().get_model("densenet100_k12_bc_cifar10")
        ours = build(DenseNet, preset["args"], **preset["inputs"])
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # it pools 8 × 8 pixels, not whatever there is
    ours, theirs, x = ours.double(), randomise(theirs).double(), contract.images(3, 3, 21, 18).double()
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(NECK(), 64)
    assert SMALL().strides == [1, 2, 4] and NECK().strides == [2, 4, 8, 16, 32]
    assert SMALL().channels == [16, 16, 12] and NECK().channels == [8, 12, 14, 15, 11]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    contract.check_sizes(NECK, [(8, 8), (33, 47)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    stem = partial(SmallStem, norm=GroupNorm, activation=nn.SiLU)
    model = SMALL(num_classes=3, stem=stem, layer=PlainDense, norm=GroupNorm, activation=nn.SiLU, compression=1.0)
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains
    assert model.channels == [16, 24, 28]
