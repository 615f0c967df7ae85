"""Stems: what they say about their stride is true, and ResNet's is torchvision's."""

from functools import partial
from math import ceil

import pytest
import torch
from torch import nn

from netwright.blocks import stem
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.stem import ConvStem, ImageNetStem, PatchStem, SmallStem, UnpaddedStem
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm, torchvision

PADDED = [getattr(stem, name) for name in stem.__all__ if name != "UnpaddedStem"]
STEMS = [ImageNetStem, SmallStem, partial(SmallStem, stride=2), PatchStem, partial(PatchStem, patch_size=1)]


@pytest.mark.parametrize("make", PADDED + STEMS)
@pytest.mark.parametrize("height, width", [(32, 32), (8, 12), (1, 3), (37, 50)])
def test_stride_is_what_the_map_shrinks_by(make, height, width):
    module = make(2, 6)
    y = module(torch.randn(3, 2, height, width))
    assert y.shape[:2] == (3, 6)
    for before, after in ((height, y.shape[2]), (width, y.shape[3])):
        assert after in (max(1, before // module.stride), ceil(before / module.stride))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_imagenet_stem_is_torchvisions(train):
    resnet = torchvision().models.resnet18()
    theirs = randomise(nn.Sequential(resnet.conv1, resnet.bn1, nn.ReLU(), resnet.maxpool))
    ours, x = ImageNetStem(3, 64), torch.randn(2, 3, 33, 40)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_patch_stem_is_timms():
    theirs = randomise(timm().create_model("convnext_atto").stem)
    ours, x = PatchStem(3, 40), torch.randn(2, 3, 32, 35)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_norm_and_activation_are_slots():
    for make in (ConvStem, ImageNetStem, SmallStem):
        kinds = {type(m) for m in make(3, 8, norm=GroupNorm, activation=nn.SiLU).modules()}
        assert GroupNorm in kinds and nn.SiLU in kinds and not kinds & {nn.BatchNorm2d, nn.ReLU}


def test_conv_stem_halves_the_map_again_and_again():
    module = ConvStem(3, 8)
    assert module.strides == [2, 4, 8] and module.channels == [4, 8, 8]
    maps = module.features(torch.randn(2, 3, 33, 40))
    assert [m.shape[1:] for m in maps] == [(4, 17, 20), (8, 9, 10), (8, 5, 5)]
    assert ConvStem(3, 8, num_convs=1).channels == [8]


@pytest.mark.parametrize("height, width", [(32, 33), (1, 2), (3, 4)])
def test_unpadded_stem_takes_whole_windows(height, width):
    module, x = randomise(UnpaddedStem(3, 6)).eval(), torch.randn(2, 3, height, width)
    y = module(x)
    assert y.shape == (2, 6, max(1, (height - 1) // 2), max(1, (width - 1) // 2))
    filled = nn.functional.pad(x, (0, max(0, 3 - width), 0, max(0, 3 - height)))
    torch.testing.assert_close(y, module.norm(nn.functional.conv2d(filled, module.conv.weight, stride=2)))
