"""Detectors learn a few images of rectangles by heart."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.residual2d import BasicBlock
from netwright.families.detection.detr import DETR
from netwright.families.detection.faster_rcnn import FasterRCNN
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.detection.yolox import YOLOX
from netwright.families.vision.cspdarknet import CSPDarknet
from netwright.families.vision.resnet import ResNet
from netwright.tasks.detection_metrics import average_precision
from tests.families.detection.rectangles import rectangles

RESNET = partial(ResNet, dim=16, depths=(1, 1, 1, 1), block=BasicBlock, norm=GroupNorm)


def ap50(model: nn.Module, images: Tensor, targets: list[dict[str, Tensor]]) -> float:
    with torch.no_grad():
        return average_precision(model.eval()(images), targets, 3).ap50


def fit(
    model: nn.Module, images: Tensor, targets: list, steps: int, lr: float, clip: float, batch: int = 8
) -> tuple[float, float]:
    """The losses of the first and the last ten steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, pct_start=0.1)
    seen = []
    model.train()
    for step in range(steps):
        some = slice(step * batch % 8, step * batch % 8 + batch)
        loss = sum(model.losses(images[some], targets[some]).values())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        schedule.step()
        seen.append(loss.item())
    return sum(seen[:10]) / 10, sum(seen[-10:]) / 10


@pytest.mark.slow
def test_yolox_learns_images_by_heart():
    torch.manual_seed(0)
    images, targets = rectangles(8, 64)
    model = YOLOX(3, backbone=partial(CSPDarknet, dim=8, depths=(1, 1, 1, 1)), dim=16)
    assert ap50(model, images, targets) < 0.1
    first, last = fit(model, images, targets, steps=150, lr=5e-3, clip=10.0)
    assert last < first / 4
    assert ap50(model, images, targets) > 0.9


@pytest.mark.slow
def test_detr_learns_images_by_heart():
    torch.manual_seed(0)
    images, targets = rectangles(8, 64)
    model = DETR(
        3,
        backbone=partial(ResNet, dim=16, depths=(1, 1, 1), block=BasicBlock),
        dim=64,
        depth=2,
        num_heads=4,
        num_queries=8,
        channel=partial(FeedForward, mlp_ratio=2.0, activation=nn.ReLU),
        dropout=0.0,
    )
    assert ap50(model, images, targets) < 0.1
    first, last = fit(model, images, targets, steps=300, lr=1e-3, clip=0.5)
    assert last < first / 4
    assert ap50(model, images, targets) > 0.9


@pytest.mark.slow
def test_retinanet_learns_images_by_heart():
    torch.manual_seed(0)
    images, targets = rectangles(8, 64)
    neck = partial(FPN, dim=32, levels=ConvLevels)
    model = RetinaNet(3, backbone=RESNET, neck=neck, anchor_scale=2.0)
    assert ap50(model, images, targets) < 0.1
    first, last = fit(model, images, targets, steps=250, lr=2e-3, clip=10.0)
    assert last < first / 4
    assert ap50(model, images, targets) > 0.9


@pytest.mark.slow
def test_faster_rcnn_learns_images_by_heart():
    torch.manual_seed(0)
    images, targets = rectangles(8, 64)
    model = FasterRCNN(3, backbone=RESNET, neck=partial(FPN, dim=32), anchor_scale=4.0)
    assert ap50(model, images, targets) < 0.1
    first, last = fit(model, images, targets, steps=160, lr=1e-3, clip=10.0, batch=2)
    assert last < first / 4
    assert ap50(model, images, targets) > 0.9
