"""The size ladders of detectors, and what the sizes of objects say about anchors and maps."""

from collections.abc import Mapping
from typing import Any

from netwright.advise.rules import rule
from netwright.advise.widths import Args

LARGE = 160
"""Side from which on the stem halves twice before the first stage, as ImageNet's does."""


def arguments_for_objects(family: str, facts: Mapping[str, Any]) -> Args:
    """The arguments that follow from the objects (D5): the finest map, the anchors' scale, the number of queries."""
    if facts["modality"] != "detection":
        return {}
    if family == "detr":
        value = rule("D5b").value
        wanted = round(value["queries"] * facts["most_objects"])
        return {"num_queries": max(value["least"], min(value["most"], wanted))}
    value, finest = rule("D5").value, facts["finest"]
    if family == "yolox":
        return {"finest": finest}
    # RetinaNet's anchors go up to the double of their scale at each map, those of two stages have one size a map.
    smallest = facts["least_side"] if family == "retinanet" else facts["small_side"]
    scale = max(value["least"], min(value["most"], round(2 * smallest / finest) / 2))
    return {"finest": finest, "anchor_scale": scale}


def facts_of_objects(target: Mapping[str, Any], side: int) -> dict[str, Any]:
    """Objects' sizes in the network's pixels and numbers: least_side (5 of 100 are smaller), small_side (25 of 100),
    object_side (the median), objects (the mean of an image), most_objects, finest (the stride of the finest map)."""
    sizes, value = target["sizes"], rule("D5").value
    small = side * sizes["p25"]
    return {
        "least_side": round(side * sizes["p5"], 1),
        "small_side": round(small, 1),
        "object_side": round(side * sizes["p50"], 1),
        "objects": round(target["objects"]["mean"], 1),
        "most_objects": target["objects"]["max"],
        "finest": value["finest"] if small < value["fine"] else value["coarse"],
    }


def _backbone(dim: int, blocks: int, side: int) -> Args:
    """A small residual network of four stages; its finest map has a stride of 2."""
    stem: Any = "imagenetstem" if side >= LARGE else {"smallstem": {"stride": 2}}
    return {"resnet": {"dim": dim, "depths": [blocks] * 4, "stem": stem, "block": "basicblock"}}


def retinanet(rung: tuple, side: int, coarse: int) -> Args:
    """Backbone, pyramid and heads grow together."""
    dim, blocks, neck = rung
    return {"backbone": _backbone(dim, blocks, side), **_one_stage(neck)}


def _one_stage(neck: int) -> Args:
    return {"neck": {"fpn": {"dim": neck, "norm": "batchnorm2d", "levels": "convlevels"}}, "norm": "groupnorm"}


RETINANET = (
    *(
        (4, 1, 8),
        (4, 1, 12),
        (6, 1, 12),
        (6, 1, 16),
        (8, 1, 16),
        (8, 1, 24),
        (12, 1, 24),
        (12, 1, 32),
        (16, 1, 32),
        (16, 1, 48),
        (24, 1, 48),
        (24, 1, 64),
    ),
    *((32, 1, 64), (32, 1, 96), (32, 2, 96), (48, 2, 96), (48, 2, 128), (64, 2, 128), (64, 2, 256)),
)


def yolox(rung: tuple, side: int, coarse: int) -> Args:
    """Backbone, neck and heads as in YOLOX, at widths below its smallest."""
    dim, depth, head = rung
    conv = {"convnormact": {"activation": "silu"}}
    backbone = {"cspdarknet": {"dim": dim, "depths": [1, depth, depth, 1]}}
    return {"backbone": backbone, "neck": {"csppan": {"depth": 1, "conv": conv}}, "dim": head}


YOLOX = (
    *(
        (2, 1, 8),
        (2, 1, 12),
        (4, 1, 12),
        (4, 1, 16),
        (4, 1, 24),
        (6, 1, 24),
        (8, 1, 32),
        (8, 1, 48),
        (12, 1, 48),
        (16, 1, 64),
    ),
    *((16, 3, 64), (24, 3, 96), (32, 3, 128), (48, 6, 192), (64, 9, 256)),
)


def faster_rcnn(rung: tuple, side: int, coarse: int) -> Args:
    """Backbone, pyramid and second stage grow."""
    dim, blocks, neck, hidden = rung
    return {"backbone": _backbone(dim, blocks, side), **_two_stages(neck, hidden, side)}


def _two_stages(neck: int, hidden: int, side: int) -> Args:
    """Small images do with a hundred proposals, of which 64 are learned."""
    few = side < LARGE
    proposals = {"proposals": 100, "train_proposals": 150} if few else {"proposals": 300, "train_proposals": 500}
    samples = {"num_samples": 64 if few else 128}
    return {
        "neck": {"fpn": {"dim": neck, "norm": "batchnorm2d"}},
        "rpn": {"regionproposals": {**proposals, **samples}},
        "box_head": {"boxhead": {"hidden_dim": hidden, **samples}},
    }


FASTER_RCNN = (
    *(
        (4, 1, 8, 16),
        (4, 1, 8, 32),
        (8, 1, 12, 32),
        (8, 1, 16, 64),
        (12, 1, 24, 96),
        (16, 1, 32, 128),
        (24, 1, 48, 192),
        (32, 1, 64, 256),
        (32, 2, 96, 512),
    ),
    *((48, 2, 128, 1024), (64, 2, 256, 1024)),
)


def detr(rung: tuple, side: int, coarse: int) -> Args:
    dim, blocks, width, depth = rung
    return {"backbone": _backbone(dim, blocks, side), "dim": width, "depth": depth, "num_heads": max(1, width // 32)}


DETR = (
    (4, 1, 16, 1),
    (4, 1, 32, 1),
    (8, 1, 32, 1),
    (16, 1, 64, 2),
    (24, 1, 96, 2),
    (32, 1, 128, 3),
    (48, 2, 192, 4),
    (64, 2, 256, 6),
)


def on_backbone(backbone: str, facts: Mapping[str, Any]) -> dict[str, Args]:
    """The detectors that a classifier with published weights can be the backbone of (D9), and their arguments."""
    value = rule("D9").value
    heads = {
        "faster_rcnn": _two_stages(value["neck"], value["hidden"], facts["side"]),
        "retinanet": _one_stage(value["neck"]),
    }
    return {
        family: {"backbone": backbone, **args, **arguments_for_objects(family, facts)} for family, args in heads.items()
    }
