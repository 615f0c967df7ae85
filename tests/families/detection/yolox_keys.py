"""The names of YOLOX's tensors here and in its published checkpoints."""

import re
from collections.abc import Callable, Container

PLACES = {
    r"^pyramid\.": "",
    r"^backbone\.stem": "backbone.backbone.stem",
    r"^backbone\.stages\.0": "backbone.backbone.dark2",
    r"^backbone\.stages\.1": "backbone.backbone.dark3",
    r"^backbone\.stages\.2": "backbone.backbone.dark4",
    r"^backbone\.stages\.3": "backbone.backbone.dark5",
    r"\.blocks\.": ".m.",
    r"^neck\.lateral\.0": "backbone.reduce_conv1",
    r"^neck\.lateral\.1": "backbone.lateral_conv0",
    r"^neck\.top_down\.0": "backbone.C3_p3",
    r"^neck\.top_down\.1": "backbone.C3_p4",
    r"^neck\.down\.0": "backbone.bu_conv2",
    r"^neck\.down\.1": "backbone.bu_conv1",
    r"^neck\.bottom_up\.0": "backbone.C3_n3",
    r"^neck\.bottom_up\.1": "backbone.C3_n4",
    r"^heads\.(\d)\.stem": r"head.stems.\1",
    r"^heads\.(\d)\.class_branch": r"head.cls_convs.\1",
    r"^heads\.(\d)\.box_branch": r"head.reg_convs.\1",
    r"^heads\.(\d)\.to_class": r"head.cls_preds.\1",
    r"^heads\.(\d)\.to_box": r"head.reg_preds.\1",
    r"^heads\.(\d)\.to_object": r"head.obj_preds.\1",
    r"\.norm\.": ".bn.",
    r"\.depthwise\.": ".dconv.",
}


def key_map(theirs: Container[str]) -> Callable[[str], str]:
    """Our key → theirs; a separable convolution of 1 × 1 pixels is a plain one there."""

    def key_of(key: str) -> str:
        for ours, place in PLACES.items():
            key = re.sub(ours, place, key)
        apart = key.replace(".pointwise.", ".pconv.")
        return apart if apart in theirs else key.replace(".pointwise.", ".")

    return key_of
