"""ASPP is torchvision's, pyramid pooling segmentation_models_pytorch's."""

import pytest
import torch
from torch.nn import GELU, BatchNorm2d, ReLU

from netwright.blocks.context import ASPP, PyramidPooling
from netwright.blocks.conv2d import SeparableConv2d
from netwright.blocks.norm2d import GroupNorm
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import segmentation_models, torchvision


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_aspp_is_torchvisions(train):
    theirs = randomise(torchvision().models.segmentation.deeplabv3.ASPP(8, [1, 2, 4], 16))
    theirs.project[3].p = 0.0
    ours = ASPP(8, 16, (1, 2, 4), dropout=0.0)
    x = images(4, 8, 13, 9)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_separable_aspp_is_segmentation_models(train):
    module = segmentation_models().decoders.deeplabv3.decoder
    theirs = randomise(module.ASPP(8, 16, [1, 2, 4], separable=True, dropout=0.0))
    ours = ASPP(8, 16, (1, 2, 4), SeparableConv2d, dropout=0.0)
    x = images(4, 8, 13, 9)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_the_norm_of_aspp_is_that_of_all_its_branches():
    kinds = {type(m) for m in ASPP(8, 16, (1, 2), norm=GroupNorm, activation=GELU).modules()}
    assert {GroupNorm, GELU} < kinds and not kinds & {BatchNorm2d, ReLU}


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", [(13, 9), (3, 2)])
def test_pyramid_pooling_is_segmentation_models(size, train):
    """Which interpolates with align_corners and knows no norm over a single pixel: both are set right."""
    module = segmentation_models().decoders.pspnet.decoder
    theirs = module.PSPModule(8, sizes=(1, 2, 3, 6), use_norm="batchnorm")
    for block in theirs.blocks:
        block.forward = _corrected(block)
    theirs.forward = lambda x: torch.cat([x] + [block(x) for block in theirs.blocks], 1)
    norm = torch.nn.BatchNorm2d
    first = theirs.blocks[0].pool[1]
    if not any(isinstance(m, norm) for m in first.modules()):
        theirs.blocks[0].pool[1] = type(first)(8, 2, 1, use_norm="batchnorm")
    ours, theirs = PyramidPooling(8, 2), randomise(theirs)
    x = images(4, 8, *size)
    assert ours.out_channels == 16
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def _corrected(block):
    def forward(x):
        return torch.nn.functional.interpolate(block.pool(x), x.shape[-2:], mode="bilinear", align_corners=False)

    return forward
