"""EfficientNet is torchvision's and timm's EfficientNet, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import BatchNorm2d, GroupNorm, Identity
from netwright.blocks.stem import SmallStem
from netwright.export import eject_source
from netwright.families.vision.efficientnet import PRESETS, EfficientNet, compound_scaling
from tests.export.networks import assert_same as assert_ejected
from tests.families.presets import build, check_counts, resolve
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import timm, torchvision

NARROW = partial(EfficientNet, width_mult=0.1, depth_mult=0.1)
SMALL = partial(NARROW, stem=partial(SmallStem, activation=nn.SiLU), strides=(1, 1, 2, 2))
LITE0 = partial(build, EfficientNet, PRESETS["lite0"]["args"] | {"width_mult": 0.1, "depth_mult": 0.1})
B = {f"b{i}" for i in range(8)}
LITE = {f"lite{i}" for i in range(5)}


def test_every_preset_has_the_published_count():
    assert PRESETS.keys() == B | LITE
    check_counts(EfficientNet, PRESETS)


def test_counts_are_torchvisions_and_timms():
    with torch.device("meta"):
        assert count(EfficientNet()) == PRESETS["b0"]["params"]
        for name in B:
            assert count(getattr(torchvision().models, f"efficientnet_{name}")()) == PRESETS[name]["params"]
        for name in LITE:
            assert count(timm().create_model(f"tf_efficientnet_{name}")) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_b0_is_torchvisions(train):
    ours = build(EfficientNet, PRESETS["b0"]["args"] | {"dropout": 0.0})
    theirs = randomise(torchvision().models.efficientnet_b0(dropout=0.0, stochastic_depth_prob=0.0))
    x = contract.images(4, 3, 64, 75)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_norms_are_torchvisions():
    """The runs of norms with their constants, from end to end: those of B5 are not those of B4."""
    for name in ("b4", "b5"):
        with torch.device("meta"):
            ours = build(EfficientNet, PRESETS[name]["args"])
            theirs = getattr(torchvision().models, f"efficientnet_{name}")()
        expected, found = (
            [(m.num_features, m.eps, m.momentum) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
            for model in (theirs, ours)
        )
        assert found == expected


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name, size", [("lite0", (64, 75)), ("lite1", (33, 47))])
def test_lite_is_timms(name, size, train):
    """With TensorFlow's padding: of an even size, only the right and lower side is padded at a stride of 2.

    timm leaves the momentum of batch norm at 0.1, where TensorFlow's training had a decay of 0.99.
    """
    ours = build(EfficientNet, PRESETS[name]["args"] | {"dropout": 0.0})
    theirs = randomise(timm().create_model(f"tf_efficientnet_{name}", drop_rate=0.0, bn_momentum=0.01))
    x = contract.images(4, 3, *size)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_feature_maps_are_timms():
    for name in ("b2", "lite3"):
        reference = timm().create_model(f"tf_efficientnet_{name}", features_only=True)
        with torch.device("meta"):
            model = build(EfficientNet, PRESETS[name]["args"])
        assert model.channels == reference.feature_info.channels()
        assert model.strides == reference.feature_info.reduction()


def test_compound_scaling():
    assert compound_scaling(0) == (1.0, 1.0, 224)
    for name, phi in [("b0", 0), ("b1", 0.5), ("b2", 1), ("b3", 2)]:
        args = PRESETS[name]["args"]
        width, depth, _ = compound_scaling(phi)
        assert (round(width, 1), round(depth, 1)) == (args["width_mult"], args["depth_mult"])
    for phi, size in [(0.5, 240), (1, 260), (2, 300)]:
        assert abs(compound_scaling(phi)[2] - size) <= 4
    published = [("b4", 3, 380), ("b5", 4, 456), ("b6", 5, 528), ("b7", 6, 600)]
    for name, phi, size in published:
        args, scaled = PRESETS[name]["args"], compound_scaling(phi)
        for given, value in zip((args["width_mult"], args["depth_mult"], size), scaled, strict=True):
            assert 1 < given / value < 7 / 6 + 0.01


def test_compound_scaling_doubles_the_computation():
    """Depth · width² · size², with α, β, γ as the paper rounds them: within 5 % of 2 for each step."""
    for phi in range(5):
        cost = [d * w**2 * size**2 for w, d, size in (compound_scaling(phi), compound_scaling(phi + 1))]
        assert abs(cost[1] / cost[0] - 2) < 0.1


def test_feature_maps():
    contract.check_features(NARROW(), 64)
    contract.check_features(SMALL(), 32)
    contract.check_features(LITE0(), 64)
    assert SMALL().strides == [1, 1, 1, 2, 4]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13)], in_channels=[1, 3])
    contract.check_sizes(LITE0, [(8, 8), (33, 47), (1, 5)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(partial(SMALL, dropout=0.0), 32)
    contract.check_everywhere(LITE0, 32)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    stem = partial(SmallStem, norm=GroupNorm)
    model = NARROW(num_classes=3, stem=stem, norm=GroupNorm, activation=nn.ReLU, gate=Identity, first_gate=Identity)
    assert not any(isinstance(m, (BatchNorm2d, nn.SiLU, nn.Sigmoid)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains


def test_width_and_depth_grow_it():
    counts = [count(EfficientNet(width_mult=w / 10)) for w in range(1, 12, 2)]
    assert counts == sorted(set(counts))
    with torch.device("meta"):
        counts = [count(NARROW(depth_mult=d)) for d in (1, 1.1, 1.4, 2.2)]
        assert counts == sorted(set(counts))
        ends = [len(NARROW(depth_mult=2.0, scale_ends=scale).stages[0]) for scale in (True, False)]
    assert ends == [2, 1]


def test_wrong_strides():
    with pytest.raises(ValueError, match="strides must be four"):
        EfficientNet(strides=(2, 2))


def test_ejects():
    """TensorFlow's padding goes along, and what Lite leaves out does not."""
    args = resolve(EfficientNet, PRESETS["lite0"]["args"] | {"width_mult": 0.25, "depth_mult": 0.1, "num_classes": 5})
    source = eject_source(EfficientNet, args)
    assert_ejected(source, partial(EfficientNet, **args), {"x": contract.images(2, 3, 33, 48)})
    assert "class SameConv2d(nn.Conv2d)" in source and "SqueezeExcite" not in source
