"""The size ladders of networks for masks."""

import math
from typing import Any

from netwright.advise.image_ladders import patch_stride, stages_behind
from netwright.advise.rules import rule
from netwright.advise.widths import Args, widths


def unet_scales(side: int) -> int:
    """Scales of a U-Net: one and its halvings, while 8 pixels a side are left (G2); two at least."""
    value = rule("G2").value
    return 1 + max(1, min(value["most"], int(math.log2(max(1, side / value["last_map"])))))


def unet(rung: tuple, side: int, coarse: int) -> Args:
    """Encoder and decoder of one width at each scale."""
    dim, most = rung
    return {"backbone": {"unet_encoder": {"dim": dim, "depth": min(most, unet_scales(side))}}, "dim": dim}


UNET = (*((4, scales) for scales in (2, 3, 4)), *((w, 6) for w in (*widths(4, 32), 40, 48, 56, 64, 96, 128)))


def unet_stride(side: int, coarse: int) -> int:
    """Pixels that the stem makes one."""
    return 2**coarse


def unet_resnet(rung: tuple, side: int, coarse: int) -> Args:
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


UNET_RESNET = (
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


def fpn(rung: tuple, side: int, coarse: int) -> Args:
    """A residual encoder, a pyramid twice as wide as its first stage, and branches half as wide as the pyramid (G7)."""
    dim, blocks, most = rung
    stride = fine_stride(side, coarse)
    return {
        "backbone": _residual(dim, blocks, stride, min(most, max(2, stages_behind(side, stride)))),
        "neck": {"topdown": {"dim": 2 * dim}},
        "dim": dim,
        "norm": "batchnorm2d",
    }


def deeplab(rung: tuple, side: int, coarse: int) -> Args:
    """A residual encoder dilated so that its last map has 12 pixels a side or more, and rates that are the published
    shares of it (G9).
    """
    dim, blocks, most = rung
    value, stride = rule("G9").value, fine_stride(side, coarse)
    stages = min(most, max(2, stages_behind(side, stride)))
    output = max([stride] + [stride * 2**i for i in range(stages) if side // (stride * 2**i) >= value["last_map"]])
    return {
        "backbone": _residual(dim, blocks, stride, stages),
        "output_stride": output,
        "dim": 4 * dim,
        "low_dim": max(4, dim * 3 // 4),
        "rates": [max(1, round(side / output * share)) for share in value["rates"]],
    }


PYRAMIDS = (*((4, 1, stages) for stages in (2, 3, 4)), *UNET_RESNET[4:])


def segformer(rung: tuple, side: int, coarse: int) -> Args:
    """A Mix Transformer, heads as wide as its first stage, and a decoder of the published widths (G8)."""
    dim, depths, most = rung
    patch = patch_stride(side, coarse)
    stages = min(most, max(2, stages_behind(side, patch)))
    layers = [depths] * stages if isinstance(depths, int) else list(depths[:stages])
    return {"backbone": {"mit": {"dim": dim, "depths": layers, "patch_size": patch}}, "dim": min(8 * dim, 256)}


SEGFORMER = (
    *((4, 1, stages) for stages in (2, 3, 4)),
    *((w, 1, 4) for w in widths(8, 24)),
    *((w, 2, 4) for w in (24, 28, 32, 40, 48, 56, 64)),
    *((64, depths, 4) for depths in ((3, 4, 6, 3), (3, 4, 18, 3), (3, 8, 27, 3))),
)
