"""DeiT with its distillation token; the plain one is a ViT."""

import re

from netwright.weights.input import Input
from netwright.weights.maps import Keys, Shapes, each, vit

CLASSIFIER = (*vit.CLASSIFIER, "distillation_head.weight", "distillation_head.bias")
SCORES = dict.fromkeys(("head.weight", "head.bias", "distillation_head.weight", "distillation_head.bias"), 1)


def timm(key: str) -> str:
    key = re.sub(r"^distillation_token", "dist_token", re.sub(r"^distillation_head\.", "head_dist.", key))
    return vit.timm(key)


def transformers(key: str) -> Keys:
    if key.startswith("distillation_head."):
        return key.replace("head", "classifier")
    if key == "distillation_token":
        return "deit.embeddings.distillation_token"
    theirs = vit.transformers(key)
    names = (theirs,) if isinstance(theirs, str) else theirs
    names = tuple(re.sub(r"^classifier\.", "cls_classifier.", re.sub(r"^vit\.", "deit.", name)) for name in names)
    return names if len(names) > 1 else names[0]


MAPS = {"timm": each(timm), "transformers": each(transformers)}
RENAMED = {"transformers": vit.OLDER}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=vit.image_size(shapes, prefix=2), interpolation="bicubic")
