"""YOLOX: a detector in one pass, without anchors; each object chooses the predictions that are trained on it."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import SiLU

from netwright.blocks.conv_unit import ConvNormAct
from netwright.blocks.csp import CSPPAN
from netwright.blocks.detection.boxes import clip, iou, to_centers, to_corners
from netwright.blocks.detection.nms import batched_nms
from netwright.blocks.detection.pyramid import Pyramid
from netwright.blocks.detection.simota import simota
from netwright.blocks.slots import Backbone, ConvUnit, Neck
from netwright.families.vision.cspdarknet import CSPDarknet

__all__ = ["PRESETS", "YOLOX"]

PRIOR = 0.01  # the score of everything at the start


class YOLOX(nn.Module):
    """Backbone → neck → at each stride a decoupled head; the default is YOLOX-S.

    Each pixel of a map predicts one box, whether there is an object, and its class: (x, y) = (pixel + offset) ·
    stride, (w, h) = exp(offset) · stride, score = σ(object) · σ(class). The neck takes the backbone's maps of
    stride `finest` and more. The published weights want pixels of 0 … 255. `losses` is what training minimises,
    `final_losses` what its last epochs do.

    Shapes: (B, C, H, W) → for each image boxes (N, 4), scores (N,) and labels (N,); see `families.detection`.
    Source: Ge et al. 2021, YOLOX: Exceeding YOLO series in 2021, arXiv:2107.08430.
    """

    def __init__(
        self,
        num_classes: int = 80,
        in_channels: int = 3,
        backbone: Backbone = CSPDarknet,
        neck: Neck = CSPPAN,
        conv: ConvUnit = partial(ConvNormAct, activation=SiLU),
        dim: int = 128,
        finest: int = 8,
        score_threshold: float = 0.01,
        nms_threshold: float = 0.65,
        max_detections: int = 100,
    ):
        super().__init__()
        self.pyramid = Pyramid(in_channels, backbone, neck, finest)
        self.heads = nn.ModuleList(DecoupledHead(width, num_classes, dim, conv) for width in self.pyramid.channels)
        self.num_classes = num_classes
        self.score_threshold, self.nms_threshold = score_threshold, nms_threshold
        self.max_detections = max_detections

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, H, W) → logits of objects (B, N) and classes (B, N, K), and offsets of the boxes (B, N, 4)."""
        return self.predict(images)[:3]

    def predict(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """What `raw` gives, and the middle (N, 2) and stride (N,) of each pixel that predicts a box."""
        maps = self.pyramid(images)
        out = [head(m) for head, m in zip(self.heads, maps, strict=True)]
        objects, classes, offsets = (
            torch.cat([part.flatten(2).transpose(1, 2) for part in parts], 1) for parts in zip(*out, strict=True)
        )
        points, strides = grid([tuple(m.shape[-2:]) for m in maps], self.pyramid.strides, images.device)
        return objects.squeeze(-1), classes, offsets, points, strides

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        """(B, C, H, W) → for each image boxes (N, 4), scores (N,) and labels (N,), best first."""
        objects, classes, offsets, points, strides = self.predict(images)
        scores, labels = (objects.sigmoid().unsqueeze(-1) * classes.sigmoid()).max(-1)
        boxes = clip(decode(offsets, points, strides), *images.shape[-2:])
        found = []
        for box, score, label in zip(boxes, scores.float(), labels, strict=True):
            likely = (score > self.score_threshold).nonzero()[:, 0]
            box, score, label = box[likely], score[likely], label[likely]
            kept = batched_nms(box, score, label, self.nms_threshold)[: self.max_detections]
            found.append({"boxes": box[kept], "scores": score[kept], "labels": label[kept]})
        return found

    def losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Box: 5 (1 − IoU²) of the positives; object: cross-entropy of all; class: with the IoU as the target.

        All are sums, divided by the number of positives in the batch.
        """
        return self.learn(images, targets)[0]

    def final_losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """`losses` and `offset`, the L1 distance of the positives' offsets: for the last epochs (the authors' last 15),
        whose images are no longer mixed."""
        losses, offsets, wanted = self.learn(images, targets)
        return losses | {"offset": F.l1_loss(offsets, wanted, reduction="sum") / max(1, len(wanted))}

    def learn(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The losses, and of the P positives in the batch the offsets (P, 4) and what they should be."""
        objects, classes, offsets, points, strides = self.predict(images)
        objects, classes, offsets = objects.float(), classes.float(), offsets.float()
        boxes = decode(offsets, points, strides)
        scores = (objects.detach().sigmoid().unsqueeze(-1) * classes.detach().sigmoid()).sqrt()
        image, place, true, soft = [], [], [], []  # of each positive: where it is, its box, its class at its IoU
        for i, target in enumerate(targets):
            given, labels = target["boxes"].float(), target["labels"]
            chosen, matched, quality = simota(boxes[i], scores[i], points, strides, given, labels)
            image.append(torch.full_like(chosen, i))
            place.append(chosen)
            true.append(given[matched])
            soft.append(F.one_hot(labels[matched], self.num_classes) * quality[:, None])
        where, wanted = (torch.cat(image), torch.cat(place)), torch.cat(true)
        is_object = torch.zeros_like(objects)
        is_object[where] = 1.0
        count = max(1, len(wanted))
        losses = {
            "box": 5 * (1 - iou(boxes[where], wanted).square()).sum() / count,
            "object": F.binary_cross_entropy_with_logits(objects, is_object, reduction="sum") / count,
            "class": F.binary_cross_entropy_with_logits(classes[where], torch.cat(soft), reduction="sum") / count,
        }
        return losses, offsets[where], encode(wanted, points[where[1]], strides[where[1]])


class DecoupledHead(nn.Module):
    """One branch for the class, one for the box and whether there is an object, after a common 1 × 1 convolution.

    Shapes: (B, C, H, W) → (B, 1, H, W) of the object, (B, num_classes, H, W), (B, 4, H, W) of the box.
    """

    def __init__(self, channels: int, num_classes: int, dim: int, conv: ConvUnit):
        super().__init__()
        self.stem = conv(channels, dim, 1, 1)
        self.class_branch = nn.Sequential(conv(dim, dim, 3, 1), conv(dim, dim, 3, 1))
        self.box_branch = nn.Sequential(conv(dim, dim, 3, 1), conv(dim, dim, 3, 1))
        self.to_class = nn.Conv2d(dim, num_classes, 1)
        self.to_box = nn.Conv2d(dim, 4, 1)
        self.to_object = nn.Conv2d(dim, 1, 1)
        for layer in (self.to_class, self.to_object):
            nn.init.constant_(layer.bias, -math.log(1 / PRIOR - 1))  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stem(x)
        y = self.box_branch(x)
        return self.to_object(y), self.to_class(self.class_branch(x)), self.to_box(y)


def grid(sizes: Sequence[tuple[int, ...]], strides: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
    """The middle of each pixel of some maps in the image, (N, 2), and its stride, (N,), row by row."""
    points, steps = [], []
    for (height, width), stride in zip(sizes, strides, strict=True):
        y = (torch.arange(height, device=device) + 0.5) * stride
        x = (torch.arange(width, device=device) + 0.5) * stride
        points.append(torch.stack([x.expand(height, width), y[:, None].expand(height, width)], -1).flatten(0, 1))
        steps.append(torch.full((height * width,), float(stride), device=device))
    return torch.cat(points), torch.cat(steps)


def decode(offsets: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """Offsets (…, N, 4) at these pixels → corners in float32, since bfloat16 can't tell neighbouring pixels apart."""
    offsets, strides = offsets.float(), strides[:, None]
    middle = points + (offsets[..., :2] - 0.5) * strides  # offsets count from the pixel's corner
    return to_corners(torch.cat([middle, offsets[..., 2:].exp() * strides], -1))


def encode(boxes: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """Corners (N, 4) → the offsets that `decode` makes them of at these pixels, one for each box."""
    middle, size = to_centers(boxes).split(2, -1)
    strides = strides[:, None]
    return torch.cat([(middle - points) / strides + 0.5, (size / strides + 1e-8).log()], -1)


_PAPER = "Ge et al. 2021, arXiv:2107.08430"
_NORM = {"batchnorm2d": {"eps": 0.001, "momentum": 0.03}}

PRESETS: dict[str, dict] = {
    name: {
        "args": {
            "backbone": f"cspdarknet:{name}",
            "neck": {"csppan": {"depth": depth, "conv": {conv: {"norm": _NORM, "activation": "silu"}}}},
            "conv": {conv: {"norm": _NORM, "activation": "silu"}},
            "dim": dim,
        },
        "params": params,
        "inputs": {"num_classes": 80, "in_channels": 3},
        "source": _PAPER,
    }
    for name, dim, depth, conv, params in [
        ("nano", 64, 1, "separableconv", 912159),
        ("tiny", 96, 1, "convnormact", 5055855),
        ("s", 128, 1, "convnormact", 8968255),
        ("m", 192, 2, "convnormact", 25326495),
        ("l", 256, 3, "convnormact", 54208895),
        ("x", 320, 4, "convnormact", 99071455),
    ]
}
