"""The region proposal network: where in the image something is, whatever it is."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Identity

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.detection.anchors import make_anchors
from netwright.blocks.detection.boxes import clip, iou
from netwright.blocks.detection.codec import decode, encode
from netwright.blocks.detection.dense_head import per_anchor
from netwright.blocks.detection.matcher import BACKGROUND, match, sample
from netwright.blocks.detection.nms import batched_nms

__all__ = ["RegionProposals"]

RATIOS = (0.5, 1.0, 2.0)


class RegionProposals(nn.Module):
    """For each anchor how likely it holds an object, and the box of that object; the best are the proposals.

    One 3 × 3 convolution and two 1 × 1, the same for all maps; one more map, every second pixel of the coarsest,
    is for the largest objects. An anchor is positive where it overlaps an object by 0.7 or more than any other does,
    negative below 0.3; `num_samples` of each image are trained on. `train_proposals` or, in eval, `proposals` of
    each map go through non-maximum suppression, and as many of all maps stay.

    Shapes: maps (B, D, H_i, W_i) → scores (B, N), deltas (B, N, 4), anchors: a list of (N_i, 4).
    Source: Ren et al. 2015, Faster R-CNN, section 3.1, arXiv:1506.01497; on a pyramid: Lin et al. 2016,
    section 4.1, arXiv:1612.03144.
    """

    def __init__(
        self,
        dim: int,
        strides: Sequence[int],
        anchor_scale: float = 8.0,
        train_proposals: int = 2000,
        proposals: int = 1000,
        nms_threshold: float = 0.7,
        num_samples: int = 256,
    ):
        super().__init__()
        self.strides = [*strides, 2 * strides[-1]]
        self.anchor_scale = anchor_scale
        self.train_proposals = train_proposals
        self.proposals = proposals
        self.nms_threshold = nms_threshold
        self.num_samples = num_samples
        self.conv = ConvNormAct(dim, dim, 3, norm=Identity)
        self.score = nn.Conv2d(dim, len(RATIOS), 1)
        self.deltas = nn.Conv2d(dim, len(RATIOS) * 4, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        maps = [*maps, maps[-1][:, :, ::2, ::2]]
        scores, deltas = [], []
        for x in map(self.conv, maps):
            scores.append(per_anchor(self.score(x), 1)[..., 0])
            deltas.append(per_anchor(self.deltas(x), 4))
        anchors = make_anchors(maps, self.strides, self.anchor_scale, 1, RATIOS)
        return torch.cat(scores, 1), torch.cat(deltas, 1), anchors

    def best(
        self, scores: Tensor, deltas: Tensor, anchors: Tensor, number: int, size: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """The boxes (B, number, 4) of the anchors with the best scores, in an image of this size, and their scores."""
        value, index = scores.detach().topk(min(number, len(anchors)), 1)
        chosen = deltas.detach().gather(1, index[..., None].expand(-1, -1, 4))
        return clip(decode(chosen, anchors[index]), *size), value

    def propose(self, maps: Sequence[Tensor], size: Sequence[int]) -> list[Tensor]:
        """For each image of this size the proposals, (P, 4), best first."""
        scores, deltas, anchors = self(maps)
        return self._suppressed(scores, deltas, anchors, size)

    def learn(
        self, maps: Sequence[Tensor], targets: Sequence[dict[str, Tensor]], size: Sequence[int]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The losses, `rpn_score` and `rpn_box`, both averaged over the anchors trained on, and the proposals."""
        scores, deltas, anchors = self(maps)
        losses = self._losses(scores, deltas, torch.cat(anchors), targets)
        return losses, self._suppressed(scores, deltas, anchors, size)

    def _suppressed(
        self, scores: Tensor, deltas: Tensor, anchors: Sequence[Tensor], size: Sequence[int]
    ) -> list[Tensor]:
        number = self.train_proposals if self.training else self.proposals
        counts = [len(a) for a in anchors]
        split = zip(scores.split(counts, 1), deltas.split(counts, 1), anchors, strict=True)
        best = [self.best(s, d, a, number, size) for s, d, a in split]
        boxes, values = torch.cat([b for b, _ in best], 1), torch.cat([v for _, v in best], 1)
        levels = torch.cat([torch.full_like(v[0], i) for i, (_, v) in enumerate(best)])
        proposals = []
        for box, value in zip(boxes, values, strict=True):
            wide = ((box[:, 2:] - box[:, :2]) >= 1e-3).all(1)
            box = box[wide]
            proposals.append(box[batched_nms(box, value[wide], levels[wide], self.nms_threshold)[:number]])
        return proposals

    def _losses(
        self, scores: Tensor, deltas: Tensor, anchors: Tensor, targets: Sequence[dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        logits, truth, offsets, wanted = [], [], [], []
        for score, delta, target in zip(scores, deltas, targets, strict=True):
            matches = match(iou(target["boxes"][:, None], anchors), 0.7, 0.3, keep_best=True)
            positive, negative = sample(matches >= 0, matches == BACKGROUND, self.num_samples, 0.5)
            logits.append(score[positive | negative])
            truth.append(positive[positive | negative])
            offsets.append(delta[positive])
            wanted.append(encode(target["boxes"][matches[positive]], anchors[positive]))
        logit = torch.cat(logits)
        off = F.smooth_l1_loss(torch.cat(offsets), torch.cat(wanted), beta=1 / 9, reduction="sum")
        score_loss = F.binary_cross_entropy_with_logits(logit, torch.cat(truth).to(logit.dtype))
        return {"rpn_score": score_loss, "rpn_box": off / len(logit)}
