"""The semantic branch of panoptic FPN is segmentation_models_pytorch's FPN."""

from functools import partial
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.blocks.neck import PAN, BiFPN, TopDown
from netwright.blocks.residual2d import BasicBlock
from netwright.families.segmentation.fpn import PRESETS, PanopticFPN
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from tests.families.presets import check_counts
from tests.families.segmentation import contract
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
def test_same_as_segmentation_models(train, monkeypatch):
    """Which enlarges with align_corners: that is set right."""
    module = segmentation_models().decoders.fpn.decoder

    def interpolate(x, scale_factor, mode, **_):
        return F.interpolate(x, scale_factor=scale_factor, mode=mode)

    monkeypatch.setattr(module, "F", SimpleNamespace(interpolate=interpolate))
    options = {"decoder_pyramid_channels": 16, "decoder_segmentation_channels": 64, "decoder_dropout": 0.0}
    theirs = segmentation_models().FPN("resnet18", encoder_weights=None, classes=5, **options)
    theirs.segmentation_head[1] = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)
    backbone = partial(ResNet, depths=(2, 2, 2, 2), block=BasicBlock)
    ours = PanopticFPN(5, backbone=backbone, neck=partial(TopDown, dim=16), dim=64, dropout=0.0)
    x, theirs = images(3, 3, 64, 96), randomise(theirs)  # by whole factors: multiples of 32 only
    assert_same(ours, theirs, x, copy_by_map_of_order(ours, theirs, x), train=train)


def copy_by_map_of_order(ours, theirs, x):
    """Theirs goes from the coarsest branch to the finest, ours the other way: paired branch by branch."""
    theirs.decoder.seg_blocks = nn.ModuleList(reversed(theirs.decoder.seg_blocks))
    theirs.decoder.forward = lambda features: _finest_first(theirs.decoder, features)
    return copy_by_order(ours, theirs, x)


def _finest_first(decoder, features):
    c2, c3, c4, c5 = features[-4:]
    lateral = [decoder.p2.skip_conv(c2), decoder.p3.skip_conv(c3), decoder.p4.skip_conv(c4), decoder.p5(c5)]
    merged = [lateral[3]]
    for x in reversed(lateral[:3]):
        merged.insert(0, F.interpolate(merged[0], scale_factor=2.0) + x)
    return decoder.merge([block(x) for block, x in zip(decoder.seg_blocks, merged, strict=True)])


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
