"""torchvision's detectors, small, without the resizing of images, beside ours with the same weights."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from netwright.blocks.residual2d import BasicBlock
from netwright.families.vision.resnet import ResNet
from netwright.weights.maps import _torchvision_detection
from tests.parity import Keys, copy_by_map, randomise
from tests.references import torchvision

BACKBONE = partial(ResNet, depths=(1, 1, 1, 1), block=BasicBlock)
DIM = 16  # of the pyramid


def backbone(returned: list[int], extra: nn.Module) -> nn.Module:
    """A ResNet with one basic block in each stage and an FPN of width DIM."""
    models = torchvision().models
    network = models.resnet.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1])
    return models.detection.backbone_utils.BackboneWithFPN(
        network,
        {f"layer{i}": str(i) for i in returned},
        [64 * 2 ** (i - 1) for i in returned],
        DIM,
        extra_blocks=extra,
    )


def pair(make: Callable[[], nn.Module], ours: nn.Module, seed: int = 0) -> tuple[nn.Module, nn.Module, dict[str, Keys]]:
    """Ours and theirs with the same random weights, theirs with images as they come."""
    theirs = randomise(make(), seed)
    theirs.transform = AsItComes()
    return ours, theirs, copy_by_map(ours, theirs, _torchvision_detection.torchvision)


class AsItComes(nn.Module):
    """In place of torchvision's transform: no normalisation, no resizing; masks are pasted."""

    def forward(self, images: list[Tensor], targets: Any = None) -> tuple[Any, Any]:
        sizes = [(x.shape[-2], x.shape[-1]) for x in images]
        return torchvision().models.detection.image_list.ImageList(torch.stack(list(images)), sizes), targets

    def postprocess(self, result: list[dict[str, Tensor]], sizes: Any, _: Any) -> list[dict[str, Tensor]]:
        paste = torchvision().models.detection.roi_heads.paste_masks_in_image
        for found, size in zip(result, sizes, strict=False):  # in training there is no result
            if "masks" in found:
                found["masks"] = paste(found["masks"], found["boxes"], size)[:, 0]
        return result


def eager() -> Any:
    """RoIAlign without compiling: torchvision's own Python form."""
    return torch.compiler.set_stance("force_eager")


class Losses(nn.Module):
    """The losses as one tensor, in the order of `names`; what is sampled is sampled from the same seed."""

    def __init__(self, net: nn.Module, call: Callable[[nn.Module, Tensor], dict[str, Tensor]], names: list[str]):
        super().__init__()
        self.net, self.call, self.names = net, call, names

    def forward(self, x: Tensor) -> Tensor:
        torch.manual_seed(0)
        losses = self.call(self.net, x)
        assert losses.keys() == set(self.names)
        return torch.stack([losses[name] for name in self.names])


class Heads(nn.Module):
    """What `call` makes of the network, several tensors, as one."""

    def __init__(self, net: nn.Module, call: Callable[[nn.Module, Tensor], tuple[Tensor, ...]]):
        super().__init__()
        self.net, self.call = net, call

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([y.flatten() / y.detach().abs().max() for y in self.call(self.net, x)])


def within(mapping: dict[str, Keys]) -> dict[str, Keys]:
    """The mapping for networks that are the attribute `net` of another module."""
    return {f"net.{ours}": f"net.{theirs}" for ours, theirs in mapping.items()}


def calm(ours: nn.Module, theirs: nn.Module) -> None:
    """Proposals near their anchors: random deltas shrink many to a point, whose scores are equal in all digits."""
    with torch.no_grad():
        for parameter in (*ours.rpn.deltas.parameters(), *theirs.rpn.head.bbox_pred.parameters()):
            parameter *= 0.2


def assert_same_detections(ours: list[dict[str, Tensor]], theirs: list[dict[str, Tensor]], first_label: int) -> None:
    """The same boxes in the same order; their labels start at `first_label`."""
    assert len(torch.cat([found["labels"] for found in ours]).unique()) > 1, "too little to compare"
    for found, expected in zip(ours, theirs, strict=True):
        assert len(found["boxes"]) > 5, "too little to compare"
        assert torch.equal(found["labels"], expected["labels"] - first_label)
        torch.testing.assert_close(found["scores"], expected["scores"], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found["boxes"], expected["boxes"], rtol=1e-5, atol=1e-4)
        assert found.keys() == expected.keys()
        if "masks" in found:
            torch.testing.assert_close(found["masks"], expected["masks"], rtol=1e-5, atol=1e-5)


def sample_targets(height: int, width: int) -> list[dict[str, Tensor]]:
    """Two images, one with three objects, one with two; `masks` are half of their boxes."""
    boxes = [
        torch.tensor([[4.0, 6.0, 30.0, 44.0], [20.5, 10.0, 60.0, 35.0], [2.0, 40.0, 12.0, 52.0]]),
        torch.tensor([[10.0, 3.0, 52.0, 60.0], [33.0, 33.0, 49.0, 41.0]]),
    ]
    labels = [torch.tensor([0, 2, 1]), torch.tensor([1, 1])]
    y, x = torch.arange(height)[:, None], torch.arange(width)
    targets = []
    for box, label in zip(boxes, labels, strict=True):
        inside = [(x >= a) & (x < c) & (y >= b) & (y < d) & (x + y > a + b + 9) for a, b, c, d in box.tolist()]
        targets.append({"boxes": box, "labels": label, "masks": torch.stack(inside).to(torch.uint8)})
    return targets


def shifted(targets: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    """For torchvision's networks with a background, whose labels start at 1."""
    return [target | {"labels": target["labels"] + 1} for target in targets]


# our names of the losses of two-stage detectors, and torchvision's
LOSSES = {
    "rpn_score": "loss_objectness",
    "rpn_box": "loss_rpn_box_reg",
    "class": "loss_classifier",
    "box": "loss_box_reg",
    "mask": "loss_mask",
}


def their_heads(net: nn.Module, x: Tensor, boxes: Tensor | int) -> tuple[Tensor, ...]:
    """The heads of torchvision's two-stage detectors, the second stage for these boxes (B, K, 4), or the best K."""
    maps, sizes = net.backbone(x), [tuple(x.shape[-2:])] * len(x)
    concat = torchvision().models.detection.rpn.concat_box_prediction_layers
    scores, deltas = concat(*net.rpn.head(list(maps.values())))
    heads = net.roi_heads
    if isinstance(boxes, int):
        boxes = their_best(net, list(maps.values()), scores, deltas, x, boxes)
    pooled = heads.box_roi_pool(maps, list(boxes), sizes)
    logits, offsets = heads.box_predictor(heads.box_head(pooled))
    out = (scores, deltas, logits, offsets)
    if heads.has_mask():
        masks = heads.mask_predictor(heads.mask_head(heads.mask_roi_pool(maps, list(boxes), sizes)))
        out = (*out, masks)
    return out


def their_best(net: nn.Module, maps: list[Tensor], scores: Tensor, deltas: Tensor, x: Tensor, number: int) -> Tensor:
    """The boxes of the best anchors by torchvision's own parts, without suppression, (B, number, 4)."""
    images = torchvision().models.detection.image_list.ImageList(x, [tuple(x.shape[-2:])] * len(x))
    boxes = net.rpn.box_coder.decode(deltas.detach(), net.rpn.anchor_generator(images, maps)).view(len(x), -1, 4)
    best = scores.detach().view(len(x), -1).topk(number).indices
    chosen = boxes.gather(1, best[..., None].expand(-1, -1, 4))
    return torchvision().ops.boxes.clip_boxes_to_image(chosen, x.shape[-2:])
