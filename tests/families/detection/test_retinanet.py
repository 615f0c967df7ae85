"""RetinaNet is torchvision's RetinaNet, and keeps the promises of a detector."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.families.detection.retinanet import PRESETS, RetinaNet
from tests.families.detection import contract
from tests.families.detection.reference import (
    BACKBONE,
    DIM,
    Heads,
    Losses,
    assert_same_detections,
    backbone,
    pair,
    sample_targets,
    within,
)
from tests.families.presets import check_counts
from tests.families.vision.contract import images
from tests.parity import assert_same, count
from tests.references import torchvision

SMALL = partial(RetinaNet, backbone=contract.BACKBONE, neck=partial(FPN, dim=8, levels=ConvLevels))
TARGETS = sample_targets(64, 64)
X = images(2, 3, 64, 64)


def same(seed: int = 0):
    def make() -> nn.Module:
        detection = torchvision().models.detection
        levels = torchvision().ops.feature_pyramid_network.LastLevelP6P7(DIM, DIM)
        return detection.RetinaNet(backbone([2, 3, 4], levels), 3, score_thresh=0.2)

    neck = partial(FPN, dim=DIM, levels=ConvLevels)
    return pair(make, RetinaNet(3, backbone=BACKBONE, neck=neck, score_threshold=0.2), seed)


def their_heads(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    out = net.head(list(net.backbone(x).values()))
    return out["cls_logits"], out["bbox_regression"]


def test_every_preset_has_the_published_count():
    check_counts(RetinaNet, PRESETS)


def test_the_default_counts_what_torchvision_learns():
    with torch.device("meta"):
        theirs = torchvision().models.detection.retinanet_resnet50_fpn(weights=None, weights_backbone=None)
        assert count(RetinaNet()) == count(theirs)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_heads_as_torchvision(train):
    ours, theirs, mapping = same()
    ours, theirs = Heads(ours, lambda net, x: net.raw(x)), Heads(theirs, their_heads)
    assert_same(ours, theirs, images(2, 3, 75, 64), within(mapping), train=train)


def test_same_losses_as_torchvision():
    ours, theirs, mapping = same()
    ours = Losses(ours, lambda net, x: net.losses(x, TARGETS), ["class", "box"])
    theirs = Losses(theirs, lambda net, x: net(list(x), TARGETS), ["classification", "bbox_regression"])
    assert_same(ours, theirs, X, within(mapping), train=True)


def test_same_detections_as_torchvision():
    ours, theirs, _ = same()
    with torch.no_grad():
        assert_same_detections(ours.eval()(X), theirs.eval()(list(X)), first_label=0)


def test_keeps_the_protocol():
    contract.check_protocol(SMALL)
    contract.check_everywhere(SMALL)
    contract.check_ejected(RetinaNet, SMALL)


def test_at_first_nearly_everything_is_background():
    torch.manual_seed(0)
    logits, deltas = SMALL(num_classes=5).raw(X)
    assert (logits.sigmoid() - 0.01).abs().max() < 1e-3 and deltas.abs().max() < 0.1
