"""Mask R-CNN is torchvision's Mask R-CNN, and keeps the promises of a detector."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.detection.mask_head import MaskHead
from netwright.blocks.neck import FPN
from netwright.families.detection.faster_rcnn import FasterRCNN
from netwright.families.detection.mask_rcnn import PRESETS, MaskRCNN
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

SMALL = partial(MaskRCNN, backbone=contract.BACKBONE, neck=partial(FPN, dim=8), max_detections=8)
TARGETS = sample_targets(64, 64)
X = images(2, 3, 64, 64).double()


def same(seed: int = 0):
    """With a narrow mask head; in float64, since among the millions of pixels of masks there are always some so
    near to zero that float32 decides for itself which side of a ReLU they are on."""

    def make() -> nn.Module:
        pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
        parts = torchvision().models.detection.mask_rcnn
        net = parts.MaskRCNN(backbone([1, 2, 3, 4], pooled), 4, box_score_thresh=0.3, box_detections_per_img=30)
        net.roi_heads.mask_head = parts.MaskRCNNHeads(DIM, (32, 32, 32, 32), 1)
        net.roi_heads.mask_predictor = parts.MaskRCNNPredictor(32, 32, 4)
        return net

    ours = MaskRCNN(3, backbone=BACKBONE, neck=partial(FPN, dim=DIM), score_threshold=0.3, max_detections=30)
    ours.mask_head = MaskHead(DIM, ours.pyramid.strides, 3, hidden_dim=32)
    ours, theirs, mapping = pair(make, ours, seed)
    return ours.double(), theirs.double(), mapping


def test_every_preset_has_the_published_count():
    check_counts(MaskRCNN, PRESETS)


def test_the_default_counts_what_torchvision_learns():
    with torch.device("meta"):
        theirs = torchvision().models.detection.maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        assert count(MaskRCNN()) == count(theirs)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_heads_as_torchvision(train):
    ours, theirs, mapping = same()
    with torch.no_grad():
        boxes = ours.train(train).raw(X)[2]
    ours.load_state_dict(same()[0].state_dict())  # what the run above did to the statistics

    def our_heads(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
        scores, deltas, _, logits, offsets, masks = net.raw(x)
        return scores, deltas, logits, offsets, masks

    theirs = Heads(theirs, partial(their_heads, boxes=boxes))
    with eager():
        assert_same(Heads(ours, our_heads), theirs, X, within(mapping), train=train)


def test_same_losses_as_torchvision():
    ours, theirs, mapping = same()
    ours = Losses(ours, lambda net, x: net.losses(x, TARGETS[:1]), list(LOSSES))
    theirs = Losses(theirs, lambda net, x: net(list(x), shifted(TARGETS[:1])), list(LOSSES.values()))
    with eager():  # one image, since the reference cuts out masks at every pixel for every cell
        assert_same(ours, theirs, X[:1], within(mapping), train=True)


def test_same_detections_and_masks_as_torchvision():
    ours, theirs, _ = same(seed=3)
    calm(ours, theirs)
    with torch.no_grad(), eager():
        found = ours.eval()(X)
        assert_same_detections(found, theirs.eval()(list(X)), first_label=1)
    assert all(one["masks"].flatten(1).std(1).min() > 0.01 for one in found)


def test_boxes_are_those_of_faster_rcnn():
    torch.manual_seed(0)
    with_masks, x = SMALL(num_classes=3, score_threshold=0.01), X.float()
    without = FasterRCNN(3, **SMALL.keywords, score_threshold=0.01)
    without.load_state_dict(with_masks.state_dict(), strict=False)
    with torch.no_grad():
        for found, expected in zip(with_masks.eval()(x), without.eval()(x), strict=True):
            assert len(expected["boxes"]) and all(torch.equal(found[key], value) for key, value in expected.items())


@pytest.mark.slow
def test_keeps_the_protocol():
    contract.check_protocol(SMALL)
    contract.check_everywhere(SMALL)
    contract.check_ejected(MaskRCNN, SMALL)
