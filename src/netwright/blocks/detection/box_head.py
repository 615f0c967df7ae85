"""The second stage of Faster R-CNN: what a proposal holds, and where exactly."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.detection.boxes import clip, flatten_list, iou
from netwright.blocks.detection.codec import decode, encode
from netwright.blocks.detection.matcher import match, sample
from netwright.blocks.detection.nms import batched_nms
from netwright.blocks.detection.roi_align import pyramid_levels, roi_align

__all__ = ["BoxHead"]

WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # bring the deltas of proposals to unit variance


class BoxHead(nn.Module):
    """Each proposal as 7 × 7 cells, two layers, and from these the classes and a box for each class.

    Class 0 is the background here; outside it is no class, and labels are one less. A proposal is trained as the
    object that it overlaps by half or more, else as background; `num_samples` of each image, a quarter objects.

    Shapes: maps (B, D, H_i, W_i), boxes (K, 4), images (K,) → logits (K, 1 + num_classes) and deltas
    (K, 1 + num_classes, 4).
    Source: Girshick 2015, Fast R-CNN, arXiv:1504.08083; on a pyramid: Lin et al. 2016, section 4.2, arXiv:1612.03144.
    """

    def __init__(
        self,
        dim: int,
        strides: Sequence[int],
        num_classes: int,
        score_threshold: float = 0.05,
        nms_threshold: float = 0.5,
        max_detections: int = 100,
        hidden_dim: int = 1024,
        num_samples: int = 512,
    ):
        super().__init__()
        self.strides = list(strides)
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold
        self.max_detections = max_detections
        self.num_samples = num_samples
        self.fc1 = nn.Linear(dim * 7 * 7, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, hidden_dim)
        self.score = nn.Linear(hidden_dim, 1 + num_classes)
        self.deltas = nn.Linear(hidden_dim, 4 * (1 + num_classes))
        for layer in (self.fc1, self.fc2):
            nn.init.kaiming_uniform_(layer.weight, a=1)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.normal_(self.deltas.weight, std=0.001)
        for layer in (self.fc1, self.fc2, self.score, self.deltas):
            nn.init.zeros_(layer.bias)

    def forward(self, maps: Sequence[Tensor], boxes: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        x = roi_align(maps, self.strides, boxes, images, pyramid_levels(boxes, self.strides), 7)  # (K, D, 7, 7)
        x = F.relu(self.fc2(F.relu(self.fc1(x.flatten(1)))))
        return self.score(x), self.deltas(x).unflatten(1, (-1, 4))

    def detect(
        self, maps: Sequence[Tensor], proposals: Sequence[Tensor], size: Sequence[int]
    ) -> list[dict[str, Tensor]]:
        """For each image the boxes of all classes that stay after suppression, as the protocol of detectors has it."""
        boxes, images = flatten_list(proposals)
        logits, deltas = self(maps, boxes, images)
        boxes = clip(decode(deltas[:, 1:], boxes[:, None], WEIGHTS), *size)  # (K, num_classes, 4)
        scores = logits.softmax(-1)[:, 1:].to(boxes.dtype)
        good = (scores > self.score_threshold) & (boxes[..., 2:] - boxes[..., :2] >= 1e-2).all(-1)
        detections = []
        for image in range(len(proposals)):
            index, labels = (good & (images == image)[:, None]).nonzero(as_tuple=True)
            box, score = boxes[index, labels], scores[index, labels]
            kept = batched_nms(box, score, labels, self.nms_threshold)[: self.max_detections]
            detections.append({"boxes": box[kept], "scores": score[kept], "labels": labels[kept]})
        return detections

    def sample(self, proposals: Sequence[Tensor], targets: Sequence[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
        """For each image the proposals to train on: `boxes` (K, 4), `classes` (K,), `matches` (K,), the object's index.

        The objects themselves are proposals too. Matches of the background mean nothing.
        """
        samples = []
        for proposal, target in zip(proposals, targets, strict=True):
            boxes = torch.cat([proposal, target["boxes"].to(proposal.dtype)])
            matches = match(iou(target["boxes"][:, None], boxes), 0.5, 0.5)
            positive, negative = sample(matches >= 0, matches < 0, self.num_samples, 0.25)
            classes = torch.zeros_like(matches)
            classes[positive] = target["labels"][matches[positive]] + 1
            chosen = positive | negative
            samples.append({"boxes": boxes[chosen], "classes": classes[chosen], "matches": matches[chosen]})
        return samples

    def losses(
        self, maps: Sequence[Tensor], samples: Sequence[dict[str, Tensor]], targets: Sequence[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Cross-entropy of the classes, and smooth L1 of the boxes of objects, both averaged over all samples."""
        boxes, images = flatten_list([s["boxes"] for s in samples])
        classes = torch.cat([s["classes"] for s in samples])
        logits, deltas = self(maps, boxes, images)
        truth = torch.cat([t["boxes"][s["matches"][s["classes"] > 0]] for s, t in zip(samples, targets, strict=True)])
        objects = classes.nonzero()[:, 0]
        wanted = encode(truth, boxes[objects], WEIGHTS)
        off = F.smooth_l1_loss(deltas[objects, classes[objects]], wanted, beta=1 / 9, reduction="sum")
        return {"class": F.cross_entropy(logits, classes), "box": off / len(classes)}
