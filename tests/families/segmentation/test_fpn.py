"""The semantic branch of panoptic FPN is segmentation_models_pytorch's FPN."""

from functools import partial

import pytest
import torch

from netwright.blocks.neck import PAN, BiFPN, TopDown
from netwright.blocks.residual2d import BasicBlock
from netwright.families.segmentation.fpn import PRESETS, PanopticFPN
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from tests.families.presets import check_counts
from tests.families.segmentation import contract, references
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import segmentation_models

BACKBONE = partial(ResNet, dim=4, depths=(1, 1, 1, 1))
SMALL = partial(PanopticFPN, backbone=BACKBONE, neck=partial(TopDown, dim=8), dim=8, dropout=0.0)


def test_every_preset_has_the_published_count():
    check_counts(PanopticFPN, PRESETS)


def test_counts_are_segmentation_models():
    for name in ("resnet50", "resnet101"):
        with torch.device("meta"):
            assert count(segmentation_models().FPN(name, encoder_weights=None, classes=21)) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_segmentation_models(train):
    theirs = randomise(references.PanopticFPN("resnet18", 5, 16, 64))
    backbone = partial(ResNet, depths=(2, 2, 2, 2), block=BasicBlock)
    ours = PanopticFPN(5, backbone=backbone, neck=partial(TopDown, dim=16), dim=64, dropout=0.0)
    x = images(3, 3, 64, 96)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(33, 47), (64, 20)], in_channels=[1, 5])


def test_works_everywhere():
    contract.check_everywhere(SMALL, 64)
    contract.check_independent_of_batch(SMALL(), 48)


def test_ejects():
    backbone = {"resnet": {"dim": 4, "depths": [1, 1, 1, 1]}}
    contract.check_ejects(PanopticFPN, {"backbone": backbone, "neck": {"fpn": {"dim": 8}}, "dim": 8, "num_classes": 2})


@pytest.mark.parametrize("neck", [partial(PAN, dim=8), partial(BiFPN, dim=8, depth=1, num_extra=1)])
def test_any_neck_and_backbone(neck):
    vit = partial(ViT, dim=12, depth=2)
    model = SMALL(num_classes=2, backbone=vit, neck=neck)
    assert model(images(2, 3, 33, 47)).shape == (2, 2, 33, 47)
