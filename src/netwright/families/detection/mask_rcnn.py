"""Mask R-CNN: Faster R-CNN with a third head, which says for each pixel of a detection whether it is the object."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwright.blocks.detection.box_head import BoxHead
from netwright.blocks.detection.boxes import flatten_batch
from netwright.blocks.detection.mask_head import MaskHead
from netwright.blocks.detection.pyramid import Pyramid
from netwright.blocks.detection.region_proposal import RegionProposals
from netwright.blocks.neck import FPN
from netwright.blocks.slots import Backbone, Neck, RegionProposal
from netwright.blocks.slots import BoxHead as AnyBoxHead
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "MaskRCNN"]


class MaskRCNN(nn.Module):
    """Two-stage detector and segmenter of instances; the default is on ResNet-50, with its batch norm learned.

    Proposals and boxes are Faster R-CNN's; masks are learned in the boxes of objects, each class by itself, and
    found in the boxes of detections.

    Shapes: (B, C, H, W) → for each image boxes (N, 4), scores (N,), labels (N,) and masks (N, H, W); see
    `families.detection`.
    Source: He et al. 2017, Mask R-CNN, arXiv:1703.06870.
    """

    def __init__(
        self,
        num_classes: int = 90,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        neck: Neck = FPN,
        rpn: RegionProposal = RegionProposals,
        box_head: AnyBoxHead = BoxHead,
        finest: int = 4,
        anchor_scale: float = 8.0,
        score_threshold: float = 0.05,
        nms_threshold: float = 0.5,
        max_detections: int = 100,
    ):
        super().__init__()
        self.max_detections = max_detections
        self.pyramid = Pyramid(in_channels, backbone, neck, finest)
        dim, strides = self.pyramid.dim, self.pyramid.strides
        self.rpn = rpn(dim, strides, anchor_scale)
        self.box_head = box_head(dim, strides, num_classes, score_threshold, nms_threshold, max_detections)
        self.mask_head = MaskHead(dim, strides, num_classes)

    def raw(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, C, H, W) → Faster R-CNN's, and of the same K boxes mask logits (B, K, 1 + num_classes, 28, 28)."""
        maps = self.pyramid(images)
        scores, deltas, anchors = self.rpn(maps)
        boxes, _ = self.rpn.best(scores, deltas, torch.cat(anchors), self.max_detections, images.shape[-2:])
        flat, owner = flatten_batch(boxes)
        logits, offsets = self.box_head(maps, flat, owner)
        masks = self.mask_head(maps, flat, owner)
        heads = [x.unflatten(0, boxes.shape[:2]) for x in (logits, offsets, masks)]
        return scores, deltas, boxes, *heads

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        maps = self.pyramid(images)
        proposals = self.rpn.propose(maps, images.shape[-2:])
        detections = self.box_head.detect(maps, proposals, images.shape[-2:])
        return self.mask_head.detect(maps, detections, images.shape[-2:])

    def losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Of the proposals `rpn_score` and `rpn_box`, of what is made of them `class`, `box` and `mask`."""
        maps = self.pyramid(images)
        losses, proposals = self.rpn.learn(maps, targets, images.shape[-2:])
        samples = self.box_head.sample(proposals, targets)
        losses |= self.box_head.losses(maps, samples, targets)
        return losses | self.mask_head.losses(maps, samples, targets)


_FROZEN = {"norm": "frozenbatchnorm2d", "stem": {"imagenetstem": {"norm": "frozenbatchnorm2d"}}}

PRESETS: dict[str, dict] = {
    "resnet50_fpn": {
        "args": {"backbone": {"resnet50": _FROZEN}},
        "params": 44401393,
        "source": "He et al. 2017, arXiv:1703.06870; count of torchvision's maskrcnn_resnet50_fpn",
        "inputs": {"num_classes": 90, "in_channels": 3},
    },
}
