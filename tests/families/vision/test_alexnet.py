"""AlexNet is torchvision's one tower and pytorchcv's with response norms, and keeps the promises of a backbone."""

import importlib
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import LocalResponseNorm
from netwright.families.vision.alexnet import PRESETS, AlexNet
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import pytorchcv, torchvision

SMALL = partial(AlexNet, widths=(8, 12, 16, 8, 8), hidden=(16,), grid=2, dropout=0.0)


def classifier(width: int) -> nn.Module:
    """In the place of the published one, which has 58 million weights."""
    return nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 24), nn.ReLU(), nn.Linear(24, 10))


def test_every_preset_has_the_published_count():
    check_counts(AlexNet, PRESETS)


def test_counts_are_the_references():
    with torch.device("meta"):
        assert count(AlexNet()) == count(torchvision().models.alexnet()) == PRESETS["one_tower"]["params"]
        # Half of three convolutions' weights go with the wires between the GPUs.
        one = count(pytorchcv().get_model("alexnet"))
        wires = 25 * 48 * 256 + 9 * 192 * 384 + 9 * 192 * 256
        assert one - wires == PRESETS["two_gpus"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_one_tower_is_torchvisions(train):
    ours, theirs = AlexNet(10, hidden=(32, 24), dropout=0.0), torchvision().models.alexnet()
    theirs.classifier = classifier(256 * 36)
    x = contract.images(2, 3, 75, 64)
    assert_same(ours, randomise(theirs), x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_two_gpus_are_pytorchcvs(train):
    """In groups, padded as the paper's 55 × 55 needs; its α is a fifth of the paper's, since torch takes the mean."""
    pytorchcv()
    theirs = importlib.import_module("pytorchcv.models.alexnet").AlexNet(
        channels=[[96], [256], [384, 384, 256]],
        kernel_sizes=[[11], [5], [3, 3, 3]],
        strides=[[4], [1], [1, 1, 1]],
        paddings=[[2], [2], [1, 1, 1]],
        use_lrn=True,
    )
    f = theirs.features
    f.stage2.unit1.conv = nn.Conv2d(96, 256, 5, 1, 2, groups=2)
    f.stage3.unit2.conv = nn.Conv2d(384, 384, 3, 1, 1, groups=2)
    f.stage3.unit3.conv = nn.Conv2d(384, 256, 3, 1, 1, groups=2)
    for stage in (f.stage1, f.stage2, f.stage3):
        stage[-1].ceil_mode = False
    f.add_module("resize", nn.AdaptiveAvgPool2d(2))
    theirs.output = classifier(256 * 4)
    args = PRESETS["two_gpus"]["args"] | {"norm": partial(LocalResponseNorm, alpha=1e-4 / 5)}
    ours, x = AlexNet(10, **args, hidden=(32, 24), grid=2, dropout=0.0), contract.images(2, 3, 75, 64)
    assert_same(ours, randomise(theirs), x, copy_by_order(ours, theirs, x), train=train)


def test_maps_of_the_paper():
    sizes = []
    model = AlexNet()
    for m in (model.stage1, model.stage2, model.stage3):
        m.register_forward_hook(lambda _, x, y: sizes.append(tuple(y.shape[1:])))
    with torch.device("meta"):
        model.to("meta")(torch.empty(1, 3, 224, 224))
    assert sizes == [(64, 55, 55), (192, 27, 27), (256, 13, 13)]


def test_feature_maps():
    contract.check_features(SMALL(), 64)
    contract.check_features(SMALL(), 224)
    contract.check_features(SMALL(), 50)


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (33, 47), (1, 5)])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 64)
    contract.check_everywhere(SMALL, 64)
    contract.check_independent_of_batch(randomise(SMALL()), 64)


def test_dropout_acts_on_the_fully_connected_layers():
    model, x = SMALL(dropout=0.5), contract.images(2, 3, 32, 32)
    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="five numbers each"):
        AlexNet(widths=(8, 8, 8))
