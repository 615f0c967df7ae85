"""Losses of detectors against torchvision's and closed forms."""

import torch

from netwright.blocks.detection.losses import giou_loss, sigmoid_focal_loss
from tests.blocks.detection.test_boxes import some_boxes
from tests.references import torchvision

LOGITS = torch.randn(50, 4, generator=torch.Generator().manual_seed(0)) * 4
TARGETS = (torch.rand(50, 4, generator=torch.Generator().manual_seed(1)) > 0.7).float()


def test_focal_loss_is_torchvisions():
    for alpha, gamma in ((0.25, 2.0), (0.6, 0.5)):
        ours, theirs = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
        a = sigmoid_focal_loss(ours, TARGETS, alpha, gamma)
        b = torchvision().ops.sigmoid_focal_loss(theirs, TARGETS, alpha, gamma)
        torch.testing.assert_close(a, b)
        torch.testing.assert_close(torch.autograd.grad(a.sum(), ours), torch.autograd.grad(b.sum(), theirs))


def test_without_focus_it_is_half_the_cross_entropy():
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(LOGITS, TARGETS, reduction="none")
    torch.testing.assert_close(sigmoid_focal_loss(LOGITS, TARGETS, alpha=0.5, gamma=0.0), entropy / 2)


def test_focal_loss_bears_great_logits():
    logits = torch.tensor([-200.0, 200.0, 0.0], requires_grad=True)
    loss = sigmoid_focal_loss(logits, torch.tensor([0.0, 1.0, 1.0]))
    loss.sum().backward()
    assert loss[:2].eq(0).all() and logits.grad.isfinite().all()


def test_giou_loss_is_torchvisions():
    a, b = some_boxes(9), some_boxes(9, seed=1)
    torch.testing.assert_close(giou_loss(a, b), torchvision().ops.generalized_box_iou_loss(a, b))
