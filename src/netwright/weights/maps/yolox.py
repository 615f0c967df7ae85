"""YOLOX on its own backbone."""

import re
from collections.abc import Callable

from netwright.weights.input import Input, class_names
from netwright.weights.maps import Shapes

CLASSIFIER = ()
SCORES = {f"heads.{i}.to_class.{leaf}": 1 for i in range(3) for leaf in ("weight", "bias")}

PLACES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"^pyramid\.", ""),
    (r"^backbone\.stem\.", "backbone.backbone.stem."),
    (r"^backbone\.stages\.(\d)\.", lambda m: f"backbone.backbone.dark{int(m[1]) + 2}."),
    (r"\.blocks\.", ".m."),
    (r"^neck\.lateral\.0\.", "backbone.reduce_conv1."),
    (r"^neck\.lateral\.1\.", "backbone.lateral_conv0."),
    (r"^neck\.top_down\.0\.", "backbone.C3_p3."),
    (r"^neck\.top_down\.1\.", "backbone.C3_p4."),
    (r"^neck\.down\.0\.", "backbone.bu_conv2."),
    (r"^neck\.down\.1\.", "backbone.bu_conv1."),
    (r"^neck\.bottom_up\.0\.", "backbone.C3_n3."),
    (r"^neck\.bottom_up\.1\.", "backbone.C3_n4."),
    (r"^heads\.(\d)\.stem\.", r"head.stems.\1."),
    (r"^heads\.(\d)\.class_branch\.", r"head.cls_convs.\1."),
    (r"^heads\.(\d)\.box_branch\.", r"head.reg_convs.\1."),
    (r"^heads\.(\d)\.to_class\.", r"head.cls_preds.\1."),
    (r"^heads\.(\d)\.to_box\.", r"head.reg_preds.\1."),
    (r"^heads\.(\d)\.to_object\.", r"head.obj_preds.\1."),
    (r"\.norm\.", ".bn."),
    (r"\.depthwise\.", ".dconv."),
]


def megvii(shapes: Shapes) -> dict[str, str]:
    """A separable convolution of 1 × 1 pixels is a plain one there."""
    out = {}
    for key in shapes:
        theirs = key
        for pattern, replacement in PLACES:
            theirs = re.sub(pattern, replacement, theirs)
        layer = key.partition(".pointwise.")[0]
        separable = f"{layer}.depthwise.conv.weight" in shapes
        out[key] = theirs.replace(".pointwise.", ".pconv." if separable else ".")
    return out


MAPS = {"megvii": megvii}


def classes(number: int) -> tuple[str, ...]:
    return tuple(filter(None, class_names("coco"))) if number == 80 else ()


def images(publisher: str, shapes: Shapes) -> Input:
    """Values from 0 to 255 as OpenCV reads them."""
    size = 416 if shapes["heads.0.to_box.weight"][1] < 128 else 640  # nano and tiny
    return Input((0.0,) * 3, (1 / 255,) * 3, size, None, order="bgr")
