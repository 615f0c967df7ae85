"""SegFormer on its own encoder."""

import re

from netwright.weights.input import Input, class_names
from netwright.weights.maps import Shapes, each, mit

CLASSIFIER = ("head.weight", "head.bias")


def transformers(key: str) -> str:
    if key.startswith("backbone."):
        return mit.transformers(key.removeprefix("backbone."))
    key = re.sub(r"^linear\.(\d)\.", r"decode_head.linear_projections.\1.proj.", key)
    key = re.sub(r"^fuse\.conv\.", "decode_head.linear_fuse.", re.sub(r"^fuse\.norm\.", "decode_head.batch_norm.", key))
    return re.sub(r"^head\.", "decode_head.classifier.", key)


MAPS = {"transformers": each(transformers)}
RENAMED = {"transformers": mit.OLDER}
UNUSED = {"transformers": r"^classifier\."}


def classes(number: int) -> tuple[str, ...]:
    known = {19: "cityscapes", 150: "ade20k"}
    return class_names(known[number]) if number in known else ()


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=512, crop=None)
