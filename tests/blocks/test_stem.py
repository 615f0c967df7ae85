"""Stems: what they say about their stride is true, and ResNet's is torchvision's."""

from functools import partial
from math import ceil

import pytest
import torch
from torch import nn

from netwright.blocks import stem
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.stem import ImageNetStem, PatchStem, SmallStem
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm, torchvision

STEMS = [ImageNetStem, SmallStem, partial(SmallStem, stride=2), PatchStem, partial(PatchStem, patch_size=1)]


@pytest.mark.parametrize("make", [getattr(stem, name) for name in stem.__all__] + STEMS)
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
    for make in (ImageNetStem, SmallStem):
        kinds = {type(m) for m in make(3, 8, norm=GroupNorm, activation=nn.SiLU).modules()}
        assert GroupNorm in kinds and nn.SiLU in kinds and not kinds & {nn.BatchNorm2d, nn.ReLU}
