"""The size ladder of each family: from a few hundred parameters to large, each rung no smaller than the one
before.

A ladder gives only the size knobs (width, depth, heads, and what follows from them); what a variant puts into
the slots stays. `coarse` is the second knob of networks that read a grid: 0 looks at the input as finely as
the rules say, each step up halves the map (patch or stem stride), which cuts multiply-adds and latency but
not parameters.

Rules: S3.1, S3.2 (width first, depth slowly), S3.4, S3.5, S3.6, S3.8, S3.9, S3.11 (multiples of 8, below 32
of 4), S4.2, S4.3 (heads), G2 (U-Net), G7–G9 (FPN, SegFormer, DeepLab), S5.1, S5.3, S5.4, S6.textcnn, S6.rnn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netwright.advise import detectors, image_ladders, mask_ladders
from netwright.advise.rules import rule
from netwright.advise.widths import Args, heads, widths, with_depth

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


# Tables -----------------------------------------------------------------------------------------------------


def numeric_dim(dim: int) -> int:
    """Width of a number's embedding beside a network of width `dim` (S5.3: 16–32 at 512)."""
    return 4 if dim < 48 else 8 if dim < 128 else 12 if dim < 256 else 16 if dim < 512 else 24


def _mlp(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"dim": dim, "depth": depth, "numeric_dim": numeric_dim(dim)}


_MLP = with_depth(widths(4, 1024), ((4, 1), (16, 2), (64, 3)), ((1024, 4), (1536, 4), (2048, 4)))
_TABULAR_RESNET = with_depth(widths(4, 1024), ((4, 1), (32, 2), (256, 3), (384, 4)))


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


_FT_TRANSFORMER = with_depth(
    (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    ((8, 1), (64, 2), (160, 3), (256, 4), (320, 5), (384, 6)),
)


def _tabm(rung: tuple, side: int, coarse: int) -> Args:
    """32 members where the network is wide enough to feed them, fewer in small ones (S5.3)."""
    dim, depth = rung
    members = 4 if dim < 16 else 8 if dim < 48 else 16 if dim < 192 else 32
    return {"dim": dim, "depth": depth, "num_members": members, "numeric_dim": numeric_dim(dim)}


_TABM = with_depth(widths(4, 1024), ((4, 1), (32, 2), (768, 3)))


# Text -------------------------------------------------------------------------------------------------------


def _textcnn(rung: int, side: int, coarse: int) -> Args:
    """Word vectors of `dim` channels, as many maps up to the paper's 100, then more of both (S6.textcnn)."""
    value = rule("S6.textcnn").value
    maps = rung if rung <= value["maps"] else max(value["maps"], rung * 2 // 3)
    return {"dim": rung, "maps": maps, "kernel_sizes": list(value["kernels"])}


def _bilstm(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"embed_dim": min(dim, 256), "dim": dim, "depth": depth}


_BILSTM = with_depth((*widths(4, 128), 160, 192, 256, 320, 384, 512), ((4, 1), (192, 2)))


def _text_transformer(rung: tuple, side: int, coarse: int) -> Args:
    dim, depth = rung
    return {"dim": dim, "depth": depth, "mixer": {"attention": {"num_heads": heads(dim)}}}


_TEXT_TRANSFORMER = with_depth(
    (4, *widths(8, 24), 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512),
    ((4, 1), (32, 2), (96, 3), (128, 4), (256, 6), (512, 8)),
    ((768, 12), (1024, 16)),
)


SCALES: dict[str, Scale] = {
    "resnet": Scale(
        "image", image_ladders.RESNET, image_ladders.resnet, ("S3.2", "S3.8", "S3.11"), 2, image_ladders.stem_stride
    ),
    "wide_resnet": Scale(
        "image",
        image_ladders.WIDE_RESNET,
        image_ladders.resnet,
        ("S3.2", "S3.8", "S3.11"),
        2,
        image_ladders.stem_stride,
    ),
    "convnext": Scale(
        "image", image_ladders.CONVNEXT, image_ladders.convnext, ("S3.4", "S3.8"), 1, image_ladders.patch_stride
    ),
    "mobilenetv3": Scale(
        "image",
        image_ladders.MOBILENETV3,
        image_ladders.mobilenetv3,
        ("S3.9", "S3.8"),
        1,
        lambda side, coarse: 2 ** image_ladders.mobile_halvings(side, coarse),
    ),
    "cct": Scale("image", image_ladders.CCT, image_ladders.cct, ("S2.5", "S4.3"), 1, image_ladders.token_stride),
    "vit": Scale(
        "image", image_ladders.VIT, image_ladders.vit, ("S3.5", "S3.6", "S3.7", "S4.3"), 1, image_ladders.patch_of
    ),
    "unet": Scale("segmentation", mask_ladders.UNET, mask_ladders.unet, ("G2", "S3.11")),
    "unet_resnet": Scale(
        "segmentation", mask_ladders.UNET_RESNET, mask_ladders.unet_resnet, ("G2", "S3.11"), 2, mask_ladders.unet_stride
    ),
    "fpn": Scale("segmentation", mask_ladders.PYRAMIDS, mask_ladders.fpn, ("G7", "S3.11"), 1, mask_ladders.fine_stride),
    "segformer": Scale(
        "segmentation", mask_ladders.SEGFORMER, mask_ladders.segformer, ("G8",), 1, image_ladders.patch_stride
    ),
    "deeplabv3plus": Scale(
        "segmentation", mask_ladders.PYRAMIDS, mask_ladders.deeplab, ("G9", "S3.11"), 1, mask_ladders.fine_stride
    ),
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
