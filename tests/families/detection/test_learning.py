"""Detectors learn: eight images of coloured rectangles by heart, from random weights."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.detection.boxes import iou
from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.residual2d import BasicBlock
from netwright.families.detection.faster_rcnn import FasterRCNN
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.vision.resnet import ResNet

NET = partial(ResNet, dim=16, depths=(1, 1, 1, 1), block=BasicBlock, norm=GroupNorm)
COLOURS = torch.tensor([[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])


def rectangles(number: int, size: int = 64) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Images of noise with one to three rectangles in them, whose class is their colour."""
    generator = torch.Generator().manual_seed(0)
    images, targets = 0.2 * torch.randn(number, 3, size, size, generator=generator), []
    for image in images:
        boxes: list[list[float]] = []
        while len(boxes) < 1 + len(targets) % 3:
            w, h = torch.randint(14, 34, (2,), generator=generator).tolist()
            x, y = (int(torch.randint(0, size - side, (1,), generator=generator)) for side in (w, h))
            box = torch.tensor([x, y, x + w, y + h]).float()
            if not boxes or iou(torch.tensor(boxes), box).max() < 0.05:
                boxes.append(box.tolist())
        labels = torch.randint(0, 3, (len(boxes),), generator=generator)
        for box, label in zip(boxes, labels, strict=True):
            x1, y1, x2, y2 = map(int, box)
            image[:, y1:y2, x1:x2] += COLOURS[label][:, None, None]
        targets.append({"boxes": torch.tensor(boxes), "labels": labels})
    return images, targets


def average_precision(detections: list[dict[str, Tensor]], targets: list[dict[str, Tensor]], label: int) -> float:
    """The area under precision against recall for one class; a box is right that overlaps a new object by half."""
    total = sum(int((t["labels"] == label).sum()) for t in targets)
    hits = []
    for found, target in zip(detections, targets, strict=True):
        objects, taken = target["boxes"][target["labels"] == label], set()
        of_class = found["labels"] == label
        for box, score in zip(found["boxes"][of_class], found["scores"][of_class], strict=True):
            overlap = [0.0 if i in taken else float(iou(box, one)) for i, one in enumerate(objects)]
            best = max(range(len(overlap)), key=overlap.__getitem__, default=None)
            right = best is not None and overlap[best] >= 0.5
            taken |= {best} if right else set()
            hits.append((float(score), right))
    right = torch.tensor([hit for _, hit in sorted(hits, key=lambda item: -item[0])], dtype=torch.float32)
    precision = right.cumsum(0) / torch.arange(1, len(right) + 1)
    return float((right * precision.flip(0).cummax(0).values.flip(0)).sum() / total)


def test_average_precision_by_hand():
    box = torch.tensor([[0.0, 0.0, 10.0, 10.0], [20.0, 20.0, 30.0, 30.0]])
    target = [{"boxes": box, "labels": torch.tensor([0, 0])}]
    found = {"boxes": box[[0, 0, 1]], "scores": torch.tensor([0.9, 0.8, 0.7]), "labels": torch.tensor([0, 0, 0])}
    assert average_precision([found], target, 0) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make, batch, steps, rate",
    [
        (partial(RetinaNet, neck=partial(FPN, dim=32, levels=ConvLevels), anchor_scale=2.0), 8, 250, 2e-3),
        (partial(FasterRCNN, neck=partial(FPN, dim=32), anchor_scale=4.0), 2, 160, 1e-3),
    ],
    ids=["retinanet", "faster_rcnn"],
)
def test_eight_images_are_learned_by_heart(make, batch, steps, rate):
    torch.manual_seed(0)
    model, (images, targets) = make(num_classes=3, backbone=NET), rectangles(8)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, steps)
    for step in range(steps):
        some = slice(step * batch % 8, step * batch % 8 + batch)
        loss = sum(model.losses(images[some], targets[some]).values())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        found = model.eval()(images)
    ap50 = sum(average_precision(found, targets, label) for label in range(3)) / 3
    assert ap50 > 0.9, ap50
