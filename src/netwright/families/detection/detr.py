"""DETR: detection as the prediction of a set, by a transformer from an image's features to object queries."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import LayerNorm, ReLU

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.cross_attention import CrossAttention
from netwright.blocks.detection.boxes import clip, generalized_iou, to_centers, to_corners
from netwright.blocks.detection.set_matching import assign
from netwright.blocks.headless import headless
from netwright.blocks.slots import Backbone, Channel, Norm
from netwright.families.vision.resnet import ResNet

__all__ = ["DETR", "PRESETS"]

NO_OBJECT = 0.1  # the weight of queries without an object in the cross-entropy
BOX = 5.0  # the weight of L1 beside the class, in the matching and the losses
GIOU = 2.0  # that of GIoU


class DETR(nn.Module):
    """Backbone → encoder over its coarsest map → decoder of object queries → for each query a class and a box.

    The queries are matched one to one with the true objects, so that there is nothing to suppress; a query that is
    left over learns "no object". Each layer of the decoder predicts and is trained, the last one's answer counts.
    It learns slowly: the paper trains for 300 epochs and more. For images below about 200 pixels take a backbone
    with fewer stages, whose coarsest map still tells the objects apart.

    Shapes: (B, C, H, W) → for each image up to `num_queries` boxes, scores and labels; see `families.detection`.
    Source: Carion et al. 2020, End-to-end object detection with transformers, arXiv:2005.12872.
    """

    def __init__(
        self,
        num_classes: int = 91,
        in_channels: int = 3,
        backbone: Backbone = ResNet,
        dim: int = 256,
        depth: int = 6,
        num_heads: int = 8,
        num_queries: int = 100,
        channel: Channel = partial(FeedForward, mlp_ratio=8.0, activation=ReLU, dropout=0.1),
        norm: Norm = LayerNorm,
        dropout: float = 0.1,
        score_threshold: float = 0.0,
    ):
        super().__init__()
        if dim % 4:
            raise ValueError(f"dim must be a multiple of 4 (sine and cosine of x and y), got {dim}")
        trunk: Any = headless(backbone, in_channels)
        self.backbone = trunk
        self.project = nn.Conv2d(trunk.channels[-1], dim, 1)
        self.encoder = nn.ModuleList(EncoderLayer(dim, num_heads, channel, norm, dropout) for _ in range(depth))
        self.decoder = nn.ModuleList(DecoderLayer(dim, num_heads, channel, norm, dropout) for _ in range(depth))
        self.norm = norm(dim)
        self.encoder.apply(_init)
        self.decoder.apply(_init)
        self.queries = nn.Parameter(torch.randn(num_queries, dim))
        self.to_class = nn.Linear(dim, num_classes + 1)
        self.to_box = nn.Sequential(nn.Linear(dim, dim), ReLU(), nn.Linear(dim, dim), ReLU(), nn.Linear(dim, 4))
        self.num_classes = num_classes
        self.score_threshold = score_threshold

    def hidden(self, images: Tensor) -> list[Tensor]:
        """(B, C, H, W) → the queries after each layer of the decoder, (B, num_queries, D)."""
        x = self.project(self.backbone.features(images)[-1])  # (B, D, h, w)
        position = sine_positions(x)
        x = x.flatten(2).transpose(1, 2)  # (B, h·w, D)
        for layer in self.encoder:
            x = layer(x, position)
        keys, queries = x + position, self.queries
        y, out = torch.zeros_like(queries).expand(x.shape[0], -1, -1), []
        for layer in self.decoder:
            y = layer(y, queries, keys, x)
            out.append(self.norm(y))
        return out

    def raw(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) → logits (B, N, K + 1), the last for no object, and boxes (B, N, 4), cx cy w h in 0 … 1."""
        y = self.hidden(images)[-1]
        return self.to_class(y), self.to_box(y).sigmoid()

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        """(B, C, H, W) → for each image boxes (N, 4), scores (N,) and labels (N,), best first."""
        logits, boxes = self.raw(images)
        scores, labels = logits.float().softmax(-1)[..., :-1].max(-1)
        boxes = clip(to_corners(boxes.float()) * _scale(images), *images.shape[-2:])
        found = []
        for box, score, label in zip(boxes, scores, labels, strict=True):
            order = score.argsort(descending=True)
            order = order[score[order] > self.score_threshold]
            found.append({"boxes": box[order], "scores": score[order], "labels": label[order]})
        return found

    def losses(self, images: Tensor, targets: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
        """Cross-entropy of the classes, 5 · L1 and 2 · (1 − GIoU) of the boxes, summed over the decoder's layers.

        The first is a weighted mean over the queries, the others sums over the number of true objects.
        """
        y = torch.stack(self.hidden(images))  # (layers, B, N, D)
        logits, boxes = self.to_class(y).float(), self.to_box(y).sigmoid().float()
        true = [to_centers(target["boxes"].float() / _scale(images)) for target in targets]
        labels = [target["labels"] for target in targets]
        layer, image, query, mate = _match(logits, boxes, true, labels)

        first = torch.tensor([0, *[len(t) for t in true]], device=y.device).cumsum(0)  # each image's first object
        mate = mate + first[image]
        classes = torch.full(logits.shape[:3], self.num_classes, device=y.device)
        classes[layer, image, query] = torch.cat(labels)[mate]
        weight = torch.ones(self.num_classes + 1, device=y.device)
        weight[-1] = NO_OBJECT
        entropy = F.cross_entropy(logits.flatten(0, 2), classes.flatten(), weight, reduction="none").view(len(y), -1)

        chosen, wanted = boxes[layer, image, query], torch.cat(true)[mate]
        count = max(1, sum(map(len, true)))
        return {
            "class": (entropy.sum(1) / weight[classes].flatten(1).sum(1)).sum(),
            "box": BOX * (chosen - wanted).abs().sum() / count,
            "giou": GIOU * (1 - generalized_iou(to_corners(chosen), to_corners(wanted))).sum() / count,
        }


class EncoderLayer(nn.Module):
    """Self-attention and a channel block, each followed by a norm; positions go to queries and keys alone.

    x ← norm₁(x + attention(x + p, x + p, x)); x ← norm₂(x + channel(x)).

    Shapes: x (B, M, D), position (M, D) → (B, M, D).
    """

    def __init__(self, dim: int, num_heads: int, channel: Channel, norm: Norm, dropout: float):
        super().__init__()
        self.attention = CrossAttention(dim, num_heads, dropout=dropout)
        self.norm1 = norm(dim)
        self.channel = channel(dim)
        self.norm2 = norm(dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        placed = x + position
        x = self.norm1(x + self.drop(self.attention(placed, placed, x)))
        return self.norm2(x + self.drop(self.channel(x)))


class DecoderLayer(nn.Module):
    """The queries look at each other, then at the image; `queries` is to them what positions are to pixels.

    y ← norm₁(y + attention(y + q, y + q, y)); y ← norm₂(y + attention(y + q, keys, values));
    y ← norm₃(y + channel(y)).

    Shapes: y (B, N, D), queries (N, D), keys and values (B, M, D) → (B, N, D).
    """

    def __init__(self, dim: int, num_heads: int, channel: Channel, norm: Norm, dropout: float):
        super().__init__()
        self.self_attention = CrossAttention(dim, num_heads, dropout=dropout)
        self.norm1 = norm(dim)
        self.cross_attention = CrossAttention(dim, num_heads, dropout=dropout)
        self.norm2 = norm(dim)
        self.channel = channel(dim)
        self.norm3 = norm(dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, y: Tensor, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        placed = y + queries
        y = self.norm1(y + self.drop(self.self_attention(placed, placed, y)))
        y = self.norm2(y + self.drop(self.cross_attention(y + queries, keys, values)))
        return self.norm3(y + self.drop(self.channel(y)))


def sine_positions(x: Tensor) -> Tensor:
    """Waves of y in the first half of the channels, of x in the second; the map is 2π long, whatever its size.

    Shapes: (B, D, h, w) → (h·w, D).
    """
    D, h, w = x.shape[1:]
    rate = 10000 ** (-4 / D * torch.arange(D // 4, device=x.device, dtype=torch.float32))

    def waves(n: int) -> Tensor:
        at = torch.arange(1, n + 1, device=x.device, dtype=torch.float32) * (2 * math.pi / (n + 1e-6))
        angle = at[:, None] * rate
        return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)  # (n, D / 2)

    down, across = waves(h)[:, None].expand(h, w, -1), waves(w).expand(h, w, -1)
    return torch.cat([down, across], -1).flatten(0, 1).to(x.dtype)


def _init(module: nn.Module) -> None:
    """Uniform weights after Glorot; attention has no bias at the start."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
    if isinstance(module, CrossAttention):
        for layer in (module.q, module.k, module.v, module.proj):
            nn.init.zeros_(layer.bias)


@torch.no_grad()
def _match(
    logits: Tensor, boxes: Tensor, true: Sequence[Tensor], labels: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pairs of lowest cost −p(class) + 5 · L1 − 2 · GIoU, as layer, image, query and object of each."""
    pairs = []
    scores = logits.softmax(-1)
    for i, (wanted, label) in enumerate(zip(true, labels, strict=True)):
        found = boxes[:, i, :, None]  # (layers, N, 1, 4)
        cost = -scores[:, i][..., label] + BOX * (found - wanted).abs().sum(-1)
        cost = (cost - GIOU * generalized_iou(to_corners(found), to_corners(wanted))).cpu()
        for j, table in enumerate(cost):
            pairs += [(j, i, n, m) for n, m in zip(*assign(table), strict=True)]
    layer, image, query, mate = torch.tensor(pairs, device=boxes.device).long().view(-1, 4).unbind(1)
    return layer, image, query, mate


def _scale(images: Tensor) -> Tensor:
    """Width, height, width, height."""
    height, width = images.shape[-2:]
    return torch.tensor([width, height, width, height], dtype=torch.float32, device=images.device)


_FROZEN = {"norm": "frozenbatchnorm2d", "stem": {"imagenetstem": {"norm": "frozenbatchnorm2d"}}}

PRESETS: dict[str, dict] = {
    "resnet50": {
        "args": {"backbone": {"resnet50": _FROZEN}},
        "params": 41524768,
        "inputs": {"num_classes": 91, "in_channels": 3},
        "source": "Carion et al. 2020, arXiv:2005.12872, table 1; its batch norm is frozen",
    },
}
