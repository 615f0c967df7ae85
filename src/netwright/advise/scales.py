"""The size ladder of each family: from a few hundred parameters to large, each rung no smaller than the one
before.

A ladder gives only the size knobs (width, depth, heads, and what follows from them); what a variant puts into
the slots stays. `coarse` is the second knob of networks that read a grid: 0 looks at the input as finely as
the rules say, each step up halves the map (patch or stem stride), which cuts multiply-adds and latency but
not parameters.

Rules: S3.1, S3.2 (width first, depth slowly), S3.4, S3.5, S3.6, S3.8, S3.9, S3.11 (multiples of 8, below 32
of 4), S4.2, S4.3 (heads), G2 (U-Net), G7–G9 (FPN, SegFormer, DeepLab), S5.1, S5.3, S5.4, S6.textcnn, S6.rnn.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from netwright.advise import detectors
from netwright.advise.rules import rule

Args = dict[str, Any]
Contract = Mapping[str, Any]


@dataclass(frozen=True)
class Scale:
    """How a family grows: `args(rung, side, coarse)` for `rungs` rungs, and which rules that follows."""

    modality: str
    rungs: tuple[Any, ...]
    args: Callable[[Any, int, int], Args]
    rules: tuple[str, ...] = ()
    coarser: int = 0
    """How many looks beyond the finest there are."""
    stride: Callable[[int, int], int] = lambda side, coarse: 1
    """Pixels that a look makes one: of the stem, the patch, the tokeniser, or of a mobile network as a whole.
    """


def ladder(family: str, contract: Contract, coarse: int = 0) -> list[Args]:
    """The size arguments of every rung, smallest first."""
    scale = SCALES[family]
    side = int(contract.get("image_size", 0))
    return [scale.args(rung, side, coarse) for rung in scale.rungs]


def coarse_levels(family: str, contract: Contract) -> range:
    """The looks that this input allows: always the finest, and coarser ones that leave 2×2 or more."""
    scale, side = SCALES[family], int(contract.get("image_size", 0))
    levels = 1
    while levels <= scale.coarser and _is_coarser(scale, side, levels):
        levels += 1
    return range(levels)


def _is_coarser(scale: Scale, side: int, level: int) -> bool:
    return side // scale.stride(side, level) >= 2 and scale.stride(side, level) > scale.stride(side, level - 1)


def halvings(side: int) -> int:
    """How many halvings (sizes rounded up, as padded convolutions do) leave a last map of 4×4; at most 5
    (S3.8).
    """
    last = rule("S3.8").value["last_map"]
    return max(count for count in range(6) if count == 0 or -(-side // 2**count) >= last)


# Widths -----------------------------------------------------------------------------------------------------


@cache
def widths(low: int, high: int) -> tuple[int, ...]:
    """Widths a few per cent to a quarter apart: multiples of 4 below 32, of 8 below 128, of 32 and 64 above
    (S3.11).
    """
    found, width = [], 4
    while width <= high:
        found.append(width)
        width += 4 if width < 32 else 8 if width < 128 else 32 if width < 512 else 64
    return tuple(w for w in found if w >= low)


def heads(dim: int) -> int:
    """Heads of 64 channels; of 32 below width 256, of 16 below 64, one head below 16 (S4.3)."""
    value = rule("S4.3").value
    size = value["head_dim"] if dim >= 256 else value["small_head_dim"] if dim >= 64 else value["tiny_head_dim"]
    return next(n for n in range(max(1, dim // size), 0, -1) if dim % n == 0)


def _with_depth(widths: tuple[int, ...], steps: tuple[tuple[int, int], ...], top: tuple = ()) -> tuple:
    """(width, depth) rungs: at each width the depth of the last step reached; a new depth is a rung of its
    own.
    """
    rungs: list[tuple[int, int]] = []
    depth = steps[0][1]
    for width in widths:
        for at, deeper in steps:
            if width == at and deeper > depth:
                rungs.append((width, depth))
                depth = deeper
        rungs.append((width, depth))
    return (*dict.fromkeys(rungs), *top)


# Images -----------------------------------------------------------------------------------------------------


def stem_stride(side: int, coarse: int) -> int:
    """4 for photographs of 96 pixels and more (two halvings in an ImageNet stem), else 1 (S3.8); coarser
    doubles it.
    """
    return (4 if side >= 96 else 1) * 2**coarse


def _stages(side: int, stride: int, most: int = 4) -> int:
    """Stages behind a stem of that stride, each but the first a halving (S3.8)."""
    return max(1, min(most, halvings(side) - int(math.log2(stride)) + 1))


def _resnet(rung: tuple, side: int, coarse: int) -> Args:
    """Basic blocks, then bottlenecks. Where a coarser look costs the first stage, the widths of the others
    stay.
    """
    dim, blocks, bottleneck, most = rung
    stride = stem_stride(side, coarse)
    stages = _stages(side, stride, most)
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
        "dim": dim * 2 ** (_stages(side, stem_stride(side, 0), most) - stages),
        "depths": depths,
        "stem": stem,
        "block": "bottleneck" if bottleneck and stages == 4 else "basicblock",
    }


_FEW_STAGES = tuple((4, 1, False, stages) for stages in (1, 2, 3))
_RESNET = (
    *_FEW_STAGES,
    (4, 1, False, 4),
    (4, 2, False, 4),
    *((w, 1, False, 4) for w in (*widths(8, 28), 32, 40)),
    *((w, 2, False, 4) for w in (32, 40, 48, 56, 64)),
    (64, (3, 4, 6, 3), False, 4),
    (64, (3, 4, 6, 3), True, 4),
    (64, (3, 4, 23, 3), True, 4),
    (64, (3, 8, 36, 3), True, 4),
)
_WIDE_RESNET = (*_FEW_STAGES, *((w, 1, False, 4) for w in widths(4, 256)))


def patch_stride(side: int, coarse: int) -> int:
    """ConvNeXt's patches: 4 from 96 pixels on, 2 from 24, else 1; coarser doubles them."""
    return (4 if side >= 96 else 2 if side >= 24 else 1) * 2**coarse


def _convnext(rung: tuple, side: int, coarse: int) -> Args:
    """Stages 1:1:3:1. Where a coarser look costs the first stage, the widths of the others stay."""
    dim, unit, most = rung
    patch = patch_stride(side, coarse)
    stages = _stages(side, patch, most)
    ratio = rule("S3.4").value["ratio"]
    shares = {4: ratio, 3: ratio[1:], 2: ratio[1:3], 1: ratio[2:3]}[stages]
    # The paper's layer scale starts at 1e-6 and needs tens of thousands of steps: left out of the small ones.
    scale = "layerscale" if unit >= 3 and dim >= 96 else "identity"
    return {
        "dim": dim * 2 ** (_stages(side, patch_stride(side, 0), most) - stages),
        "depths": [max(1, round(unit * share)) if unit else 1 for share in shares],
        "stem": {"patchstem": {"patch_size": patch}},
        "scale": scale,
    }


_CONVNEXT = (
    *((4, 0, stages) for stages in (1, 2, 3, 4)),
    *((w, 0, 4) for w in widths(8, 28)),
    *((w, 1, 4) for w in (32, 40)),
    *((w, 2, 4) for w in (40, 48, 56, 64, 72, 80)),
    *((96, 2, 4), (96, 3, 4), (128, 3, 4), (128, 9, 4), (192, 9, 4)),
)


def mobile_halvings(side: int, coarse: int) -> int:
    """Of MobileNetV3's five halvings, those that leave a useful map; a coarser look adds one."""
    return min(5, halvings(side) + coarse)


def _mobilenetv3(rung: tuple, side: int, coarse: int) -> Args:
    """Layout and width multiplier; the first halving in the stem, the others as late as there are few."""
    layout, width = rung
    useful = mobile_halvings(side, coarse)
    strides = {0: [1] * 4, 1: [1] * 4, 2: [1, 2, 1, 1], 3: [1, 2, 2, 1], 4: [1, 2, 2, 2], 5: [2] * 4}[useful]
    norm = {"batchnorm2d": {"eps": 1e-3}}
    stem = {"smallstem": {"stride": 2 if useful else 1, "norm": norm, "activation": "hardswish"}}
    return {"layout": layout, "width_mult": width, "strides": strides, "stem": stem}


_MOBILENETV3 = (
    *(("small", m) for m in (0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.6, 0.75, 0.9, 1.0)),
    *(("large", m) for m in (0.75, 0.9, 1.0, 1.25, 1.4, 1.75, 2.0)),
)


def patch_of(side: int, coarse: int) -> int:
    """A power of two that cuts the image into 4×4 to 14×14 patches, doubled `coarse` times (S3.7)."""
    fine = 16 if side >= 160 else 2 ** max(1, round(math.log2(max(2, side) / 8)))
    return min(fine * 2**coarse, max(1, side))


def _vit(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {
        "dim": dim,
        "depth": depth,
        "patch_size": patch_of(side, coarse),
        "mixer": {"attention": {"num_heads": heads(dim)}},
    }


_VIT = _with_depth(
    (*widths(8, 24), 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384),
    ((8, 1), (16, 2), (32, 3), (64, 4), (128, 6), (192, 8), (256, 12)),
    ((512, 12), (768, 12), (1024, 24), (1280, 32)),
)


def token_stride(side: int, coarse: int) -> int:
    """A power of two that leaves 4×4 to 8×8 tokens, to 14×14 of photographs (S2.5); coarser doubles it, up to
    16.
    """
    return min(16, 2 ** (max(1, math.ceil(math.log2(max(2, side) / (16 if side >= 160 else 8)))) + coarse))


def _cct(rung: tuple, side: int, coarse: int) -> Args:
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


_CCT = (
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


# Masks ------------------------------------------------------------------------------------------------------


def unet_scales(side: int) -> int:
    """Scales of a U-Net: one and its halvings, while 8 pixels a side are left (G2); two at least."""
    value = rule("G2").value
    return 1 + max(1, min(value["most"], int(math.log2(max(1, side / value["last_map"])))))


def _unet(rung: tuple, side: int, coarse: int) -> Args:
    """Encoder and decoder of one width at each scale."""
    dim, most = rung
    return {"backbone": {"unet_encoder": {"dim": dim, "depth": min(most, unet_scales(side))}}, "dim": dim}


_UNET = (*((4, scales) for scales in (2, 3, 4)), *((w, 6) for w in (*widths(4, 32), 40, 48, 56, 64, 96, 128)))


def unet_stride(side: int, coarse: int) -> int:
    """Pixels that the stem makes one."""
    return 2**coarse


def _unet_resnet(rung: tuple, side: int, coarse: int) -> Args:
    """A residual encoder; behind a stem with a stride of 2 its last map is half as large, of 4 it has a scale less, and
    the decoder has a block more, of half the width in whole sixteens (G11).
    """
    dim, blocks, most = rung
    stride = unet_stride(side, coarse)
    stages = min(most, max(2, unet_scales(side) - max(0, coarse - 1)))
    stem: Any = "smallstem" if stride == 1 else {"smallstem": {"stride": 2}}
    if stride > 2:
        stem = {"patchstem": {"patch_size": stride, "norm": "batchnorm2d"}}
    encoder = {"dim": dim, "depths": [blocks] * stages, "stem": stem, "block": "basicblock"}
    return {"backbone": {"resnet": encoder}, "dim": dim if stride == 1 else half_width(dim)}


def half_width(dim: int) -> int:
    """Half of a width, from 16 on in whole sixteens: a CPU's vectors compute these in any case (G11)."""
    width = rule("G11").value["multiple"]
    return dim // 2 if dim < width else width * -(-dim // (2 * width))


_UNET_RESNET = (
    *((4, 1, stages) for stages in (2, 3, 4)),
    *((w, 1, 6) for w in (4, 8, 12, 16, 24, 32, 40)),
    *((w, 2, 6) for w in (40, 48, 64, 96)),
)


def fine_stride(side: int, coarse: int) -> int:
    """Pixels that the finest map of FPN and DeepLab makes one: 4 of photographs of 192 pixels and more, else 2."""
    return (4 if side >= 192 else 2) * 2**coarse


def _residual(dim: int, blocks: int, stride: int, stages: int) -> Args:
    """A small residual encoder behind a stem of that stride."""
    stem: Any = {"smallstem": {"stride": 2}}
    if stride > 2:
        stem = {"patchstem": {"patch_size": stride, "norm": "batchnorm2d"}}
    return {"resnet": {"dim": dim, "depths": [blocks] * stages, "stem": stem, "block": "basicblock"}}


def _fpn(rung: tuple, side: int, coarse: int) -> Args:
    """A residual encoder, a pyramid twice as wide as its first stage, and branches half as wide as the pyramid (G7)."""
    dim, blocks, most = rung
    stride = fine_stride(side, coarse)
    return {
        "backbone": _residual(dim, blocks, stride, min(most, max(2, _stages(side, stride)))),
        "neck": {"topdown": {"dim": 2 * dim}},
        "dim": dim,
        "norm": "batchnorm2d",
    }


def _deeplab(rung: tuple, side: int, coarse: int) -> Args:
    """A residual encoder dilated so that its last map has 12 pixels a side or more, and rates that are the published
    shares of it (G9).
    """
    dim, blocks, most = rung
    value, stride = rule("G9").value, fine_stride(side, coarse)
    stages = min(most, max(2, _stages(side, stride)))
    output = max([stride] + [stride * 2**i for i in range(stages) if side // (stride * 2**i) >= value["last_map"]])
    return {
        "backbone": _residual(dim, blocks, stride, stages),
        "output_stride": output,
        "dim": 4 * dim,
        "low_dim": max(4, dim * 3 // 4),
        "rates": [max(1, round(side / output * share)) for share in value["rates"]],
    }


_PYRAMIDS = (*((4, 1, stages) for stages in (2, 3, 4)), *_UNET_RESNET[4:])


def _segformer(rung: tuple, side: int, coarse: int) -> Args:
    """A Mix Transformer, heads as wide as its first stage, and a decoder of the published widths (G8)."""
    dim, depths, most = rung
    patch = patch_stride(side, coarse)
    stages = min(most, max(2, _stages(side, patch)))
    layers = [depths] * stages if isinstance(depths, int) else list(depths[:stages])
    return {"backbone": {"mit": {"dim": dim, "depths": layers, "patch_size": patch}}, "dim": min(8 * dim, 256)}


_SEGFORMER = (
    *((4, 1, stages) for stages in (2, 3, 4)),
    *((w, 1, 4) for w in widths(8, 24)),
    *((w, 2, 4) for w in (24, 28, 32, 40, 48, 56, 64)),
    *((64, depths, 4) for depths in ((3, 4, 6, 3), (3, 4, 18, 3), (3, 8, 27, 3))),
)


# Tables -----------------------------------------------------------------------------------------------------


def numeric_dim(dim: int) -> int:
    """Width of a number's embedding beside a network of width `dim` (S5.3: 16–32 at 512)."""
    return 4 if dim < 48 else 8 if dim < 128 else 12 if dim < 256 else 16 if dim < 512 else 24


def _mlp(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"dim": dim, "depth": depth, "numeric_dim": numeric_dim(dim)}


_MLP = _with_depth(widths(4, 1024), ((4, 1), (16, 2), (64, 3)), ((1024, 4), (1536, 4), (2048, 4)))
_TABULAR_RESNET = _with_depth(widths(4, 1024), ((4, 1), (32, 2), (256, 3), (384, 4)))


def _ft_transformer(rung: tuple, side: int, coarse: int) -> Args:
    """The authors' ladder, continued downwards; dropout grows with the depth (S5.1)."""
    dim, depth = rung
    value, at = rule("S5.1").value, min(depth, 6) - 1
    attention = {
        "num_heads": value["heads"] if dim >= 96 else max(1, dim // 8),
        "dropout": value["attention_dropout"][at],
    }
    hidden = {"mlp_ratio": 4 / 3, "activation": "relu", "dropout": value["ffn_dropout"][at]}
    return {
        "dim": dim,
        "depth": depth,
        "mixer": {"attention": attention},
        "channel": {"gatedfeedforward": hidden},
    }


_FT_TRANSFORMER = _with_depth(
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    ((8, 1), (64, 2), (160, 3), (256, 4), (320, 5), (384, 6)),
)


def _tabm(rung: tuple, side: int, coarse: int) -> Args:
    """32 members where the network is wide enough to feed them, fewer in small ones (S5.3)."""
    dim, depth = rung
    members = 4 if dim < 16 else 8 if dim < 48 else 16 if dim < 192 else 32
    return {"dim": dim, "depth": depth, "num_members": members, "numeric_dim": numeric_dim(dim)}


_TABM = _with_depth(widths(4, 1024), ((4, 1), (32, 2), (768, 3)))


# Text -------------------------------------------------------------------------------------------------------


def _textcnn(rung: int, side: int, coarse: int) -> Args:
    """Word vectors of `dim` channels, as many maps up to the paper's 100, then more of both (S6.textcnn)."""
    value = rule("S6.textcnn").value
    maps = rung if rung <= value["maps"] else max(value["maps"], rung * 2 // 3)
    return {"dim": rung, "maps": maps, "kernel_sizes": list(value["kernels"])}


def _bilstm(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"embed_dim": min(dim, 256), "dim": dim, "depth": depth}


_BILSTM = _with_depth((*widths(4, 128), 160, 192, 256, 320, 384, 512), ((4, 1), (192, 2)))


def _text_transformer(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"dim": dim, "depth": depth, "mixer": {"attention": {"num_heads": heads(dim)}}}


_TEXT_TRANSFORMER = _with_depth(
    (4, *widths(8, 24), 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512),
    ((4, 1), (32, 2), (96, 3), (128, 4), (256, 6), (512, 8)),
    ((768, 12), (1024, 16)),
)


SCALES: dict[str, Scale] = {
    "resnet": Scale("image", _RESNET, _resnet, ("S3.2", "S3.8", "S3.11"), 2, stem_stride),
    "wide_resnet": Scale("image", _WIDE_RESNET, _resnet, ("S3.2", "S3.8", "S3.11"), 2, stem_stride),
    "convnext": Scale("image", _CONVNEXT, _convnext, ("S3.4", "S3.8"), 1, patch_stride),
    "mobilenetv3": Scale(
        "image",
        _MOBILENETV3,
        _mobilenetv3,
        ("S3.9", "S3.8"),
        1,
        lambda side, coarse: 2 ** mobile_halvings(side, coarse),
    ),
    "cct": Scale("image", _CCT, _cct, ("S2.5", "S4.3"), 1, token_stride),
    "vit": Scale("image", _VIT, _vit, ("S3.5", "S3.6", "S3.7", "S4.3"), 1, patch_of),
    "unet": Scale("segmentation", _UNET, _unet, ("G2", "S3.11")),
    "unet_resnet": Scale("segmentation", _UNET_RESNET, _unet_resnet, ("G2", "S3.11"), 2, unet_stride),
    "fpn": Scale("segmentation", _PYRAMIDS, _fpn, ("G7", "S3.11"), 1, fine_stride),
    "segformer": Scale("segmentation", _SEGFORMER, _segformer, ("G8",), 1, patch_stride),
    "deeplabv3plus": Scale("segmentation", _PYRAMIDS, _deeplab, ("G9", "S3.11"), 1, fine_stride),
    "mlp": Scale("table", _MLP, _mlp, ("S5.2", "S3.11")),
    "tabular_resnet": Scale("table", _TABULAR_RESNET, _mlp, ("S5.4", "S3.11")),
    "ft_transformer": Scale("table", _FT_TRANSFORMER, _ft_transformer, ("S5.1",)),
    "tabm": Scale("table", _TABM, _tabm, ("S5.3",)),
    "retinanet": Scale("detection", detectors.RETINANET, detectors.retinanet, ("D5", "S3.11")),
    "yolox": Scale("detection", detectors.YOLOX, detectors.yolox, ("D5", "S3.11")),
    "faster_rcnn": Scale("detection", detectors.FASTER_RCNN, detectors.faster_rcnn, ("D5", "S3.11")),
    "detr": Scale("detection", detectors.DETR, detectors.detr, ("S3.11",)),
    "textcnn": Scale("text", widths(4, 512), _textcnn, ("S6.textcnn",)),
    "bilstm": Scale("text", _BILSTM, _bilstm, ("S6.rnn",)),
    "text_transformer": Scale("text", _TEXT_TRANSFORMER, _text_transformer, ("S4.1", "S4.3")),
}
"""By family; `wide_resnet` and `unet_resnet` are the ladders of variants."""
