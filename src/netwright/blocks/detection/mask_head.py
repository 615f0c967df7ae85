"""The third branch of Mask R-CNN: which pixels of a detection are the object."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.conv import ConvNormAct, kaiming_init
from netwright.blocks.detection.boxes import flatten_list
from netwright.blocks.detection.roi_align import crop_masks, pyramid_levels, roi_align

__all__ = ["MaskHead", "paste_masks"]


class MaskHead(nn.Module):
    """Each box as 14 × 14 cells, four convolutions, one that doubles the size, and a mask for each class.

    Class 0 is the background, as in `BoxHead`; its mask is not used.

    Shapes: maps (B, D, H_i, W_i), boxes (K, 4), images (K,) → logits (K, 1 + num_classes, 28, 28).
    Source: He et al. 2017, Mask R-CNN, figure 4, arXiv:1703.06870.
    """

    def __init__(self, dim: int, strides: Sequence[int], num_classes: int, hidden_dim: int = 256, depth: int = 4):
        super().__init__()
        self.strides = list(strides)
        widths = [dim] + [hidden_dim] * depth
        self.tower = nn.Sequential(*[ConvNormAct(widths[i], hidden_dim, 3, norm=Identity) for i in range(depth)])
        self.up = nn.ConvTranspose2d(widths[-1], hidden_dim, 2, stride=2)
        self.out = nn.Conv2d(hidden_dim, 1 + num_classes, 1)
        self.apply(kaiming_init)
        nn.init.kaiming_normal_(self.up.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.up.bias)  # type: ignore[arg-type]

    def forward(self, maps: Sequence[Tensor], boxes: Tensor, images: Tensor) -> Tensor:
        x = roi_align(maps, self.strides, boxes, images, pyramid_levels(boxes, self.strides), 14)  # (K, D, 14, 14)
        return self.out(F.relu(self.up(self.tower(x))))

    def losses(
        self, maps: Sequence[Tensor], samples: Sequence[dict[str, Tensor]], targets: Sequence[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Cross-entropy of each pixel, in the samples (of `BoxHead.sample`) that are objects, for their class alone."""
        boxes, classes, wanted = [], [], []
        for s, target in zip(samples, targets, strict=True):
            objects = s["classes"] > 0
            boxes.append(s["boxes"][objects])
            classes.append(s["classes"][objects])
            wanted.append(crop_masks(target["masks"], boxes[-1], s["matches"][objects], 28))
        logits = self(maps, *flatten_list(boxes))  # (K, 1 + num_classes, 28, 28)
        chosen = logits[torch.arange(len(logits), device=logits.device), torch.cat(classes)]
        total = F.binary_cross_entropy_with_logits(chosen, torch.cat(wanted).to(chosen.dtype), reduction="sum")
        return {"mask": total / max(1, chosen.numel())}

    def detect(
        self, maps: Sequence[Tensor], detections: Sequence[dict[str, Tensor]], size: Sequence[int]
    ) -> list[dict[str, Tensor]]:
        """The detections with their `masks` (N, H, W), the probability of each pixel of the image."""
        boxes, images = flatten_list([d["boxes"] for d in detections])
        labels = torch.cat([d["labels"] for d in detections])
        logits = self(maps, boxes, images)
        masks = logits[torch.arange(len(logits), device=logits.device), labels + 1].sigmoid().to(boxes.dtype)
        split = masks.split([len(d["boxes"]) for d in detections])
        return [d | {"masks": paste_masks(m, d["boxes"], *size)} for d, m in zip(detections, split, strict=True)]


def paste_masks(masks: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """The masks of boxes laid into the image, zero outside their boxes.

    A mask gets a border of zeros, its box grows by as much and is cut to whole pixels, as in Detectron. Rows and
    columns are interpolated one after the other, as products of matrices.

    Shapes: (N, S, S), (N, 4) → (N, height, width).
    """
    grown = masks.shape[-1] + 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * (grown / masks.shape[-1])
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    low, high = (center - half).trunc(), (center + half).trunc()
    rows = _interpolation(low[:, 1], high[:, 1], height, grown)
    columns = _interpolation(low[:, 0], high[:, 0], width, grown)
    return rows @ F.pad(masks, (1, 1, 1, 1)) @ columns.transpose(1, 2)


def _interpolation(low: Tensor, high: Tensor, length: int, size: int) -> Tensor:
    """(N, length, size): how much each of `size` cells between low and high, both included, adds to each pixel."""
    pixel = torch.arange(length, dtype=low.dtype, device=low.device)
    inside = (pixel >= low[:, None]) & (pixel <= high[:, None])
    place = (pixel + 0.5 - low[:, None]) * (size / (high - low + 1))[:, None] - 0.5
    cell = torch.arange(size, dtype=low.dtype, device=low.device)
    weight = (1 - (place.clamp(0, size - 1)[..., None] - cell).abs()).clamp(min=0)
    return weight * inside[..., None]
