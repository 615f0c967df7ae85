"""RetinaNet: classes and boxes at every pixel of a pyramid, and a loss that does not drown in background."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.detection.anchors import make_anchors
from netwright.blocks.detection.boxes import clip, iou
from netwright.blocks.detection.codec import decode, encode
from netwright.blocks.detection.dense_head import DenseHead
from netwright.blocks.detection.losses import sigmoid_focal_loss
from netwright.blocks.detection.matcher import UNDECIDED, match
from netwright.blocks.detection.nms import batched_nms
from netwright.blocks.detection.pyramid import Pyramid
from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.blocks.slots import Backbone, Neck, Norm2d
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "RetinaNet"]

OCTAVE = 3  # sizes of anchors from one map to the next
RATIOS = (0.5, 1.0, 2.0)  # height to width
CANDIDATES = 1000  # of each map go through non-maximum suppression
PRIOR = 0.01  # the probability of each class at the start: nearly all anchors are background


class RetinaNet(nn.Module):
    """One-stage detector; the default is on ResNet-50, with its batch norm learned.

    Two heads of four convolutions are shared by all maps, those of stride `finest` and more. An anchor is trained on
    the object that it overlaps by 0.5 or more than any other does, as background below 0.4. Anchors are of size
    `anchor_scale` · stride and more, 32 pixels at least: small objects want a smaller scale or finest map.

    Shapes: (B, C, H, W) → for each image boxes (N, 4), scores (N,), labels (N,); see `families.detection`.
    Source: Lin et al. 2017, Focal loss for dense object detection, arXiv:1708.02002.
    """

    def __init__(
        self,
        num_classes: int = 91,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        neck: Neck = partial(FPN, levels=ConvLevels),
        norm: Norm2d = Identity,
        finest: int = 8,
        anchor_scale: float = 4.0,
        score_threshold: float = 0.05,
        nms_threshold: float = 0.5,
        max_detections: int = 300,
    ):
        super().__init__()
        self.anchor_scale = anchor_scale
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.max_detections = max_detections
        self.pyramid = Pyramid(in_channels, backbone, neck, finest)
        num_anchors = OCTAVE * len(RATIOS)
        self.classes = DenseHead(self.pyramid.dim, num_anchors, num_classes, norm=norm)
        self.boxes = DenseHead(self.pyramid.dim, num_anchors, 4, norm=norm)
        nn.init.constant_(self.classes.out.bias, -math.log((1 - PRIOR) / PRIOR))  # type: ignore[arg-type]

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) → logits (B, N, num_classes) and deltas (B, N, 4) of all anchors."""
        maps = self.pyramid(images)
        return self.classes(maps), self.boxes(maps)

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        maps = self.pyramid(images)
        levels = make_anchors(maps, self.pyramid.strides, self.anchor_scale, OCTAVE, RATIOS)
        scores, deltas = self.classes(maps).sigmoid(), self.boxes(maps)
        return [self._detect(s, d, levels, images.shape[-2:]) for s, d in zip(scores, deltas, strict=True)]

    def _detect(
        self, scores: Tensor, deltas: Tensor, anchors: Sequence[Tensor], size: Sequence[int]
    ) -> dict[str, Tensor]:
        """The boxes of one image: the best of each map, suppressed class by class."""
        counts = [len(a) for a in anchors]
        boxes, values, labels = [], [], []
        for score, delta, anchor in zip(scores.split(counts), deltas.split(counts), anchors, strict=True):
            index, label = (score > self.score_threshold).nonzero(as_tuple=True)
            value, best = score[index, label].topk(min(CANDIDATES, len(index)))
            index, label = index[best], label[best]
            boxes.append(clip(decode(delta[index], anchor[index]), size[0], size[1]))
            values.append(value)
            labels.append(label)
        box, value, label = torch.cat(boxes), torch.cat(values), torch.cat(labels)
        kept = batched_nms(box, value, label, self.nms_threshold)[: self.max_detections]
        return {"boxes": box[kept], "scores": value[kept], "labels": label[kept]}

    def losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Focal loss of the classes and L1 of the deltas, for each image over the number of its positive anchors."""
        maps = self.pyramid(images)
        every = torch.cat(make_anchors(maps, self.pyramid.strides, self.anchor_scale, OCTAVE, RATIOS))
        logits, deltas = self.classes(maps), self.boxes(maps)
        classes, boxes = [], []
        for logit, delta, target in zip(logits, deltas, targets, strict=True):
            matches = match(iou(target["boxes"][:, None], every), 0.5, 0.4, keep_best=True)
            positive = matches >= 0
            objects = matches[positive]
            truth = torch.zeros_like(logit)
            truth[positive, target["labels"][objects]] = 1
            focal = sigmoid_focal_loss(logit, truth).sum(1)
            number = max(1, len(objects))
            classes.append(focal.masked_fill(matches == UNDECIDED, 0).sum() / number)
            wanted = encode(target["boxes"][objects], every[positive])
            boxes.append(F.l1_loss(delta[positive], wanted, reduction="sum") / number)
        return {"class": torch.stack(classes).mean(), "box": torch.stack(boxes).mean()}


_FROZEN = {"norm": "frozenbatchnorm2d", "stem": {"imagenetstem": {"norm": "frozenbatchnorm2d"}}}

PRESETS: dict[str, dict] = {
    "resnet50_fpn": {
        "args": {"backbone": {"resnet50": _FROZEN}},
        "params": 34014999,
        "source": "Lin et al. 2017, arXiv:1708.02002; P6 from P5 and count as in torchvision's retinanet_resnet50_fpn",
        "inputs": {"num_classes": 91, "in_channels": 3},
    },
}
