"""The size ladders of classifiers of images."""

import math
from typing import Any

from netwright.advise.rules import rule
from netwright.advise.widths import Args, halvings, heads, widths, with_depth


def stem_stride(side: int, coarse: int) -> int:
    """4 for photographs of 96 pixels and more (two halvings in an ImageNet stem), else 1 (S3.8); coarser
    doubles it.
    """
    return (4 if side >= 96 else 1) * 2**coarse


def stages_behind(side: int, stride: int, most: int = 4) -> int:
    """Stages behind a stem of that stride, each but the first a halving (S3.8)."""
    return max(1, min(most, halvings(side) - int(math.log2(stride)) + 1))


def resnet(rung: tuple, side: int, coarse: int) -> Args:
    """Basic blocks, then bottlenecks. Where a coarser look costs the first stage, the widths of the others
    stay.
    """
    dim, blocks, bottleneck, most = rung
    stride = stem_stride(side, coarse)
    stages = stages_behind(side, stride, most)
    if isinstance(blocks, int):
        depths = [blocks] * stages
    else:
        depths = list(blocks) if stages == 4 else [max(blocks[:stages])] * stages
    stem: Any = "smallstem" if stride == 1 else {"smallstem": {"stride": 2}}
    if side >= 96 and not coarse:
        stem = "imagenetstem"
    elif stride > 2:
        stem = {"patchstem": {"patch_size": stride, "norm": "batchnorm2d"}}
    return {
        "dim": dim * 2 ** (stages_behind(side, stem_stride(side, 0), most) - stages),
        "depths": depths,
        "stem": stem,
        "block": "bottleneck" if bottleneck and stages == 4 else "basicblock",
    }


FEW_STAGES = tuple((4, 1, False, stages) for stages in (1, 2, 3))
RESNET = (
    *FEW_STAGES,
    (4, 1, False, 4),
    (4, 2, False, 4),
    *((w, 1, False, 4) for w in (*widths(8, 28), 32, 40)),
    *((w, 2, False, 4) for w in (32, 40, 48, 56, 64)),
    (64, (3, 4, 6, 3), False, 4),
    (64, (3, 4, 6, 3), True, 4),
    (64, (3, 4, 23, 3), True, 4),
    (64, (3, 8, 36, 3), True, 4),
)
WIDE_RESNET = (*FEW_STAGES, *((w, 1, False, 4) for w in widths(4, 256)))


def patch_stride(side: int, coarse: int) -> int:
    """ConvNeXt's patches: 4 from 96 pixels on, 2 from 24, else 1; coarser doubles them."""
    return (4 if side >= 96 else 2 if side >= 24 else 1) * 2**coarse


def convnext(rung: tuple, side: int, coarse: int) -> Args:
    """Stages 1:1:3:1. Where a coarser look costs the first stage, the widths of the others stay."""
    dim, unit, most = rung
    patch = patch_stride(side, coarse)
    stages = stages_behind(side, patch, most)
    ratio = rule("S3.4").value["ratio"]
    shares = {4: ratio, 3: ratio[1:], 2: ratio[1:3], 1: ratio[2:3]}[stages]
    # The paper's layer scale starts at 1e-6 and needs tens of thousands of steps: left out of the small ones.
    scale = "layerscale" if unit >= 3 and dim >= 96 else "identity"
    return {
        "dim": dim * 2 ** (stages_behind(side, patch_stride(side, 0), most) - stages),
        "depths": [max(1, round(unit * share)) if unit else 1 for share in shares],
        "stem": {"patchstem": {"patch_size": patch}},
        "scale": scale,
    }


CONVNEXT = (
    *((4, 0, stages) for stages in (1, 2, 3, 4)),
    *((w, 0, 4) for w in widths(8, 28)),
    *((w, 1, 4) for w in (32, 40)),
    *((w, 2, 4) for w in (40, 48, 56, 64, 72, 80)),
    *((96, 2, 4), (96, 3, 4), (128, 3, 4), (128, 9, 4), (192, 9, 4)),
)


def mobile_halvings(side: int, coarse: int) -> int:
    """Of MobileNetV3's five halvings, those that leave a useful map; a coarser look adds one."""
    return min(5, halvings(side) + coarse)


def mobilenetv3(rung: tuple, side: int, coarse: int) -> Args:
    """Layout and width multiplier; the first halving in the stem, the others as late as there are few."""
    layout, width = rung
    useful = mobile_halvings(side, coarse)
    strides = {0: [1] * 4, 1: [1] * 4, 2: [1, 2, 1, 1], 3: [1, 2, 2, 1], 4: [1, 2, 2, 2], 5: [2] * 4}[useful]
    norm = {"batchnorm2d": {"eps": 1e-3}}
    stem = {"smallstem": {"stride": 2 if useful else 1, "norm": norm, "activation": "hardswish"}}
    return {"layout": layout, "width_mult": width, "strides": strides, "stem": stem}


MOBILENETV3 = (
    *(("small", m) for m in (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.6, 0.75, 0.9, 1.0)),
    *(("large", m) for m in (0.75, 0.9, 1.0, 1.25, 1.4, 1.75, 2.0)),
)


def patch_of(side: int, coarse: int) -> int:
    """A power of two that cuts the image into 4×4 to 14×14 patches, doubled `coarse` times (S3.7)."""
    fine = 16 if side >= 160 else 2 ** max(1, round(math.log2(max(2, side) / 8)))
    return min(fine * 2**coarse, max(1, side))


def vit(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {
        "dim": dim,
        "depth": depth,
        "patch_size": patch_of(side, coarse),
        "mixer": {"attention": {"num_heads": heads(dim)}},
    }


VIT = with_depth(
    (*widths(8, 24), 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384),
    ((8, 1), (16, 2), (32, 3), (64, 4), (128, 6), (192, 8), (256, 12)),
    ((512, 12), (768, 12), (1024, 24), (1280, 32)),
)


def token_stride(side: int, coarse: int) -> int:
    """A power of two that leaves 4×4 to 8×8 tokens, to 14×14 of photographs (S2.5); coarser doubles it, up to
    16.
    """
    return min(16, 2 ** (max(1, math.ceil(math.log2(max(2, side) / (16 if side >= 160 else 8)))) + coarse))


def cct(rung: tuple, side: int, coarse: int) -> Args:
    """3×3 convolutions each with a halving, 7×7 with two for photographs; one large kernel if narrow."""
    dim, depth, ratio = rung
    stride = token_stride(side, coarse)
    if dim < 32:
        kernel, convolutions = (3, 1) if stride == 2 else (stride + 3, 1)
    elif side >= 96:
        kernel, convolutions = 7, max(1, round(math.log(stride, 4)))
    else:
        kernel, convolutions = 3, int(math.log2(stride))
    return {
        "dim": dim,
        "depth": depth,
        "kernel_size": kernel,
        "num_convs": convolutions,
        "mixer": {"attention": {"num_heads": heads(dim), "qkv_bias": False, "dropout": 0.1}},
        "channel": {"feedforward": {"mlp_ratio": ratio}},
    }


CCT = (
    *((w, 1, 1.0) for w in widths(4, 16)),
    *((w, 2, 1.0) for w in (16, 24, 32)),
    *((w, 2, 2.0) for w in (32, 48, 64)),
    *((w, 3, 2.0) for w in (64, 80, 96)),
    *((w, 4, 2.0) for w in (96, 128, 160, 192)),
    *(
        (192, 6, 2.0),
        (256, 6, 2.0),
        (256, 7, 2.0),
        (320, 8, 2.0),
        (384, 10, 2.0),
        (384, 14, 3.0),
        (512, 14, 3.0),
    ),
)
