"""Faster R-CNN: one network proposes where something is, a second says what it is, on the same maps."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from netwright.blocks.detection.box_head import BoxHead
from netwright.blocks.detection.boxes import flatten_batch
from netwright.blocks.detection.pyramid import Pyramid
from netwright.blocks.detection.region_proposal import RegionProposals
from netwright.blocks.neck import FPN
from netwright.blocks.slots import Backbone, Neck, RegionProposal
from netwright.blocks.slots import BoxHead as AnyBoxHead
from netwright.families.vision.resnet import ResNet

__all__ = ["PRESETS", "FasterRCNN"]


class FasterRCNN(nn.Module):
    """Two-stage detector on a feature pyramid; the default is on ResNet-50, with its batch norm learned.

    The pyramid's maps are those of stride `finest` and more. Anchors are of size `anchor_scale` · stride, 32 pixels
    at least: small objects want a smaller scale or finest map. How many boxes are proposed and trained on is for
    `rpn` and `box_head` to say; small images do with fewer.

    Shapes: (B, C, H, W) → for each image boxes (N, 4), scores (N,), labels (N,); see `families.detection`.
    Source: Ren et al. 2015, Faster R-CNN, arXiv:1506.01497; on a pyramid: Lin et al. 2016, arXiv:1612.03144.
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

    def raw(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, C, H, W) → of all anchors scores (B, N) and deltas (B, N, 4); of the best K = `max_detections` the
        boxes (B, K, 4), class logits (B, K, 1 + num_classes) and deltas (B, K, 1 + num_classes, 4)."""
        maps = self.pyramid(images)
        scores, deltas, anchors = self.rpn(maps)
        boxes, _ = self.rpn.best(scores, deltas, torch.cat(anchors), self.max_detections, images.shape[-2:])
        heads = [x.unflatten(0, boxes.shape[:2]) for x in self.box_head(maps, *flatten_batch(boxes))]
        return scores, deltas, boxes, *heads

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        maps = self.pyramid(images)
        proposals = self.rpn.propose(maps, images.shape[-2:])
        return self.box_head.detect(maps, proposals, images.shape[-2:])

    def losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Of the proposals `rpn_score` and `rpn_box`, of what is made of them `class` and `box`."""
        maps = self.pyramid(images)
        losses, proposals = self.rpn.learn(maps, targets, images.shape[-2:])
        samples = self.box_head.sample(proposals, targets)
        return losses | self.box_head.losses(maps, samples, targets)


_FROZEN = {"norm": "frozenbatchnorm2d", "stem": {"imagenetstem": {"norm": "frozenbatchnorm2d"}}}

PRESETS: dict[str, dict] = {
    "resnet50_fpn": {
        "args": {"backbone": {"resnet50": _FROZEN}},
        "params": 41755286,
        "source": "Lin et al. 2016, arXiv:1612.03144; count of torchvision's fasterrcnn_resnet50_fpn",
        "inputs": {"num_classes": 90, "in_channels": 3},
    },
}
