"""MobileNetV2 is torchvision's and timm's MobileNetV2, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import BatchNorm2d, GroupNorm
from netwright.blocks.stem import SmallStem
from netwright.export import eject_source
from netwright.families.vision.mobilenetv2 import PRESETS, MobileNetV2
from tests.export.networks import assert_same as assert_ejected
from tests.families.presets import build, check_counts, resolve
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import timm, torchvision

NARROW = partial(MobileNetV2, width_mult=0.1)
SMALL = partial(NARROW, stem=partial(SmallStem, activation=nn.ReLU6), strides=(1, 1, 2, 2))
TIMM = {"x0_35": "035", "x0_5": "050", "x0_75": "075", "x1_0": "100", "x1_4": "140"}


def test_every_preset_has_the_published_count():
    check_counts(MobileNetV2, PRESETS)


def test_counts_are_torchvisions_and_timms():
    assert TIMM.keys() == PRESETS.keys()
    with torch.device("meta"):
        assert count(torchvision().models.mobilenet_v2()) == PRESETS["x1_0"]["params"] == count(MobileNetV2())
        for name, theirs in TIMM.items():
            assert count(timm().create_model(f"mobilenetv2_{theirs}")) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("width", [1.0, 0.35])
def test_same_as_torchvision(width, train):
    ours = MobileNetV2(width_mult=width, dropout=0.0)
    theirs = randomise(torchvision().models.mobilenet_v2(width_mult=width, dropout=0.0))
    x = contract.images(4, 3, 64, 75)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_same_as_timm():
    ours, theirs = build(MobileNetV2, PRESETS["x1_4"]["args"]), randomise(timm().create_model("mobilenetv2_140"))
    x = contract.images(2, 3, 47, 64)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_feature_maps_are_timms():
    reference = timm().create_model("mobilenetv2_100", features_only=True)
    with torch.device("meta"):
        model = MobileNetV2()
    assert model.channels == reference.feature_info.channels()
    assert model.strides == reference.feature_info.reduction()


def test_feature_maps():
    contract.check_features(NARROW(), 64)
    contract.check_features(SMALL(), 32)
    assert SMALL().strides == [1, 1, 1, 2, 4]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)], in_channels=[1, 3])
    contract.check_sizes(NARROW, [(8, 8), (33, 47)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(partial(SMALL, dropout=0.0), 16)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    stem = partial(SmallStem, norm=GroupNorm, activation=nn.SiLU)
    model = NARROW(num_classes=3, stem=stem, norm=GroupNorm, activation=nn.SiLU)
    assert not any(isinstance(m, (BatchNorm2d, nn.ReLU6)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains


def test_width_shrinks_it():
    counts = [count(MobileNetV2(width_mult=w / 10)) for w in range(1, 12, 2)]
    assert counts == sorted(set(counts))


def test_wrong_strides():
    with pytest.raises(ValueError, match="strides must be four"):
        MobileNetV2(strides=(2, 2))


def test_ejects():
    args = resolve(MobileNetV2, PRESETS["x0_35"]["args"] | {"width_mult": 0.1, "num_classes": 5})
    assert_ejected(eject_source(MobileNetV2, args), partial(MobileNetV2, **args), {"x": contract.images(2, 3, 33, 48)})
