"""Faster R-CNN is torchvision's Faster R-CNN, and keeps the promises of a detector."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.detection.region_proposal import RegionProposals
from netwright.blocks.neck import FPN
from netwright.design import build
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


def same(seed: int = 0, rpn: Callable[..., nn.Module] = RegionProposals, **theirs: int):
    def make() -> nn.Module:
        pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
        parts = backbone([1, 2, 3, 4], pooled)
        return torchvision().models.detection.FasterRCNN(parts, 4, box_score_thresh=0.3, **theirs)

    ours = FasterRCNN(3, backbone=BACKBONE, neck=partial(FPN, dim=DIM), rpn=rpn, score_threshold=0.3)
    return pair(make, ours, seed)


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


@pytest.mark.parametrize("most", [1000, 40])
def test_same_detections_as_torchvision(most):
    rpn = partial(RegionProposals, proposals=most)
    ours, theirs, _ = same(seed=3, rpn=rpn, rpn_pre_nms_top_n_test=most, rpn_post_nms_top_n_test=most)
    calm(ours, theirs)
    with torch.no_grad(), eager():
        assert_same_detections(ours.eval()(X), theirs.eval()(list(X)), first_label=1)


def test_how_many_boxes_is_for_the_slots_to_say():
    numbers = {"proposals": 5, "train_proposals": 7, "num_samples": 6}
    model = build(
        "faster_rcnn",
        backbone={"resnet": {"dim": 4}},
        neck={"fpn": {"dim": 8}},
        rpn={"regionproposals": numbers},
        box_head={"boxhead": {"num_samples": 4, "hidden_dim": 16}},
    )
    scored = []
    model.rpn.register_forward_hook(lambda _, args, out: scored.append(out[0]))
    maps = model.pyramid(X)
    losses, proposals = model.rpn.learn(maps, TARGETS, X.shape[-2:])
    (learned,) = torch.autograd.grad(losses["rpn_score"], scored[0])
    assert [len(boxes) for boxes in proposals] == [7, 7] and (learned != 0).sum(1).tolist() == [6, 6]
    assert [len(s["boxes"]) for s in model.box_head.sample(proposals, TARGETS)] == [4, 4]
    assert [len(boxes) for boxes in model.eval().rpn.propose(maps, X.shape[-2:])] == [5, 5]
    assert model.box_head.fc1.out_features == 16


@pytest.mark.slow
def test_keeps_the_protocol():
    contract.check_protocol(SMALL)
    contract.check_everywhere(SMALL)  # ejected it is a part of Mask R-CNN
