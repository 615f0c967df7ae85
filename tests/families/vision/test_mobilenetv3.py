"""MobileNetV3 is torchvision's and timm's MobileNetV3, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import BatchNorm2d, GroupNorm, Identity
from netwright.blocks.stem import SmallStem
from netwright.families.vision.mobilenetv3 import PRESETS, MobileNetV3
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import timm, torchvision

NARROW = partial(MobileNetV3, layout="small", width_mult=0.25)
SMALL = partial(NARROW, stem=SmallStem, strides=(1, 1, 2, 2))


def test_every_preset_has_the_published_count():
    check_counts(MobileNetV3, PRESETS)


@pytest.mark.parametrize("name", ["large", "small"])
def test_counts_are_torchvisions_and_timms(name):
    with torch.device("meta"):
        assert count(getattr(torchvision().models, f"mobilenet_v3_{name}")()) == PRESETS[name]["params"]
        assert count(timm().create_model(f"mobilenetv3_{name}_100")) == PRESETS[name]["params"]
        assert count(MobileNetV3(layout=name)) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name, width", [("large", 1.0), ("small", 1.0), ("small", 0.35)])
def test_same_as_torchvision(name, width, train):
    args = PRESETS[name]["args"] | {"width_mult": width, "dropout": 0.0}
    reference = getattr(torchvision().models, f"mobilenet_v3_{name}")(width_mult=width, dropout=0.0)
    ours, theirs = build(MobileNetV3, args), randomise(reference)
    x = contract.images(4, 3, 64, 75)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_feature_maps_are_timms():
    reference = timm().create_model("mobilenetv3_large_100", features_only=True)
    with torch.device("meta"):
        model = MobileNetV3()
    assert model.channels == reference.feature_info.channels()
    assert model.strides == reference.feature_info.reduction()


def test_feature_maps():
    contract.check_features(NARROW(), 64)
    contract.check_features(NARROW(layout="large"), 64)
    contract.check_features(SMALL(), 32)
    assert SMALL().strides == [1, 1, 1, 2, 4]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)], in_channels=[1, 3])
    contract.check_sizes(NARROW, [(8, 8), (33, 47)], in_channels=[2])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(partial(SMALL, dropout=0.0), 16)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    stem = partial(SmallStem, norm=GroupNorm)
    model = MobileNetV3(num_classes=3, layout="small", width_mult=0.25, stem=stem, norm=GroupNorm, gate=Identity)
    assert not any(isinstance(m, (BatchNorm2d, nn.Sigmoid)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains


def test_width_shrinks_it():
    counts = [count(MobileNetV3(layout="small", width_mult=w / 10)) for w in range(1, 12)]
    assert counts == sorted(set(counts))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="large, small, got 'medium'"):
        MobileNetV3(layout="medium")
    with pytest.raises(ValueError, match="strides must be four"):
        MobileNetV3(strides=(2, 2))
