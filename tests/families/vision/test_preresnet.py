"""The pre-activation ResNet is timm's and pytorchcv's, and keeps the promises of a backbone."""

import importlib
import re
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.activation import Identity
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.residual2d import PreActBasicBlock, PreActBottleneck
from netwright.blocks.squeeze_excite import SqueezeExcite
from netwright.blocks.stem import SmallStem
from netwright.families.vision.preresnet import PRESETS, PreActResNet
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, copy_by_order, count, randomise
from tests.references import pytorchcv, timm

STEM = partial(SmallStem, norm=Identity, activation=Identity, bias=False)
SMALL = partial(PreActResNet, dim=8, depths=(1, 2, 1), block=PreActBasicBlock, stem=STEM)
NECK = partial(PreActResNet, dim=8, depths=(1, 1, 2, 1))


def pytorchcv_key(key: str) -> str:
    """Our key → pytorchcv's, whose blocks name a convolution and the norm before it alike."""
    key = re.sub(r"^stem\.conv\.conv\.", "features.init_block.", key)
    key = re.sub(r"^stages\.(\d)\.(\d+)\.", lambda m: f"features.stage{int(m[1]) + 1}.unit{int(m[2]) + 1}.", key)
    key = re.sub(r"^norm\.", "features.post_activ.bn.", key).replace("shortcut", "identity_conv")
    key = re.sub(r"\.norm(\d)\.", r".body.conv\1.bn.", key)
    return re.sub(r"\.conv(\d)\.weight", r".body.conv\1.conv.weight", key).replace("head", "output")


def cifar(name: str, file: str, **args) -> nn.Module:
    """A network of pytorchcv in a size that it has no name for."""
    pytorchcv()
    return getattr(importlib.import_module(f"pytorchcv.models.{file}"), name)(init_block_channels=16, **args)


def test_every_preset_has_the_published_count():
    check_counts(PreActResNet, PRESETS)


@pytest.mark.parametrize("name", ["50", "101", "152", "110", "164", "1001", "wide28_10"])
def test_counts_are_the_references(name):
    cifar10 = {"110": "preresnet110", "164": "preresnet164bn", "1001": "preresnet1001", "wide28_10": "wrn28_10"}
    with torch.device("meta"):
        if name in cifar10:
            reference = pytorchcv().get_model(f"{cifar10[name]}_cifar10")
        else:
            reference = timm().create_model(f"resnetv2_{name}")
    assert count(reference) == PRESETS[name]["params"]


def test_the_paper_has_one_norm_between_stem_and_first_block():
    """pytorchcv has two there, 128 parameters more; the paper's "first activation" is that of the first block."""
    with torch.device("meta"):
        assert count(pytorchcv().get_model("preresnet200b")) - PRESETS["200"]["params"] == 2 * 64


def test_the_default_is_resnet50_v2():
    with torch.device("meta"):
        assert count(PreActResNet()) == PRESETS["50"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_timm(train):
    ours, theirs = PreActResNet(), randomise(timm().create_model("resnetv2_50"))
    x = contract.images(2, 3, 75, 64)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["110", "164", "wide28_10"])
def test_same_as_pytorchcv(name, train):
    """The presets' layout with fewer blocks, and for the wide network two times the width instead of ten."""
    preset = PRESETS[name]
    if name != "wide28_10":
        bottleneck, width = name == "164", 64 if name == "164" else 16
        channels = [[width] * 2, [2 * width] * 2, [4 * width] * 2]
        theirs = cifar("CIFARPreResNet", "preresnet_cifar", channels=channels, bottleneck=bottleneck)
        args = {"depths": [2, 2, 2]}
    else:
        theirs = cifar("CIFARWRN", "wrn_cifar", channels=[[32] * 2, [64] * 2, [128] * 2])
        args = {"depths": [2, 2, 2], "block": {"preactbasicblock": {"expansion": 2}}}
    ours = build(PreActResNet, preset["args"] | args, **preset["inputs"])
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # it pools 8 × 8 pixels, not whatever there is
    mapping = copy_by_map(ours, randomise(theirs), pytorchcv_key)
    assert_same(ours, theirs, contract.images(3, 3, 21, 18), mapping, train=train)


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(NECK(), 64)
    assert SMALL().strides == [1, 2, 4] and NECK().strides == [2, 4, 8, 16, 32]
    assert SMALL().channels == [8, 16, 32] and NECK().channels == [8, 32, 64, 128, 256]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    contract.check_sizes(NECK, [(8, 8), (33, 47)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_everywhere(NECK, 32)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_shortcuts_are_never_bent():
    """With every branch at zero, a stage that keeps its shape hands its input on as it is."""
    model = NECK(depths=(3,), block=PreActBottleneck)
    for block in model.stages[0]:
        nn.init.zeros_(block.conv3.weight)
    x = torch.randn(2, 32, 5, 6)
    assert torch.equal(model.stages[0][1:](x), x)


def test_slots_take_other_blocks():
    block = partial(PreActBottleneck, expansion=2, gate=SqueezeExcite)
    model = SMALL(num_classes=3, block=block, norm=partial(GroupNorm, num_groups=4), activation=nn.SiLU)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains
    assert model.channels == [16, 32, 64]
