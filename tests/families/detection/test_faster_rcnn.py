"""Faster R-CNN is torchvision's Faster R-CNN, and keeps the promises of a detector."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.neck import FPN
from netwright.families.detection.faster_rcnn import PRESETS, FasterRCNN
from tests.families.detection import contract
from tests.families.detection.reference import (
    BACKBONE,
    DIM,
    LOSSES,
    Heads,
    Losses,
    assert_same_detections,
    backbone,
    calm,
    eager,
    pair,
    sample_targets,
    shifted,
    their_heads,
    within,
)
from tests.families.presets import check_counts
from tests.families.vision.contract import images
from tests.parity import assert_same, count
from tests.references import torchvision

SMALL = partial(FasterRCNN, backbone=contract.BACKBONE, neck=partial(FPN, dim=8))
TARGETS = sample_targets(64, 64)
X = images(2, 3, 64, 64)


def same(seed: int = 0):
    def make() -> nn.Module:
        pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
        return torchvision().models.detection.FasterRCNN(backbone([1, 2, 3, 4], pooled), 4, box_score_thresh=0.3)

    return pair(make, FasterRCNN(3, backbone=BACKBONE, neck=partial(FPN, dim=DIM), score_threshold=0.3), seed)


def test_every_preset_has_the_published_count():
    check_counts(FasterRCNN, PRESETS)


def test_the_default_counts_what_torchvision_learns():
    with torch.device("meta"):
        theirs = torchvision().models.detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        assert count(FasterRCNN()) == count(theirs)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_heads_as_torchvision(train):
    ours, theirs, mapping = same()
    with torch.no_grad():
        boxes = ours.train(train).raw(X)[2]

    def our_heads(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
        scores, deltas, found, logits, offsets = net.raw(x)
        torch.testing.assert_close(found, boxes, rtol=1e-4, atol=1e-3)
        return scores, deltas, logits, offsets

    ours.load_state_dict(same()[0].state_dict())  # what the run above did to the statistics
    theirs = Heads(theirs, partial(their_heads, boxes=boxes))
    with eager():
        assert_same(Heads(ours, our_heads), theirs, X, within(mapping), train=train)


def test_same_losses_as_torchvision():
    ours, theirs, mapping = same()
    ours = Losses(ours, lambda net, x: net.losses(x, TARGETS), list(LOSSES)[:4])
    theirs = Losses(theirs, lambda net, x: net(list(x), shifted(TARGETS)), list(LOSSES.values())[:4])
    with eager():
        assert_same(ours, theirs, X, within(mapping), train=True)


def test_same_detections_as_torchvision():
    ours, theirs, _ = same(seed=3)
    calm(ours, theirs)
    with torch.no_grad(), eager():
        assert_same_detections(ours.eval()(X), theirs.eval()(list(X)), first_label=1)


@pytest.mark.slow
def test_keeps_the_protocol():
    contract.check_protocol(SMALL)
    contract.check_everywhere(SMALL)  # ejected it is a part of Mask R-CNN
