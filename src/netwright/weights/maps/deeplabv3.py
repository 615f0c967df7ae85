"""DeepLabV3 on a ResNet."""

import re

from netwright.weights.input import Input, class_names
from netwright.weights.maps import Shapes, each, replaced, resnet

AUXILIARY = [f"auxiliary.conv.norm.{leaf}" for leaf in ("weight", "bias", "running_mean", "running_var")]
CLASSIFIER = ("auxiliary.conv.conv.weight", *AUXILIARY, "auxiliary.score.weight", "auxiliary.score.bias")
SCORES = dict.fromkeys(("head.weight", "head.bias", "auxiliary.score.weight", "auxiliary.score.bias"), 1)

PLACES = {"aspp.point.": "classifier.0.convs.0.", "aspp.image.": "classifier.0.convs.4."}
PLACES |= {f"aspp.atrous.{i}.": f"classifier.0.convs.{i + 1}." for i in range(3)}
PLACES |= {"aspp.project.": "classifier.0.project.", "auxiliary.conv.": "aux_classifier."}
PLACES |= {"auxiliary.score.": "aux_classifier.4.", "head.": "classifier.4."}


def torchvision(key: str) -> str:
    if key.startswith("backbone."):
        return "backbone." + resnet.torchvision(key.removeprefix("backbone."))
    if key.startswith("conv."):
        return replaced(key, {"conv.conv.": "classifier.1.", "conv.norm.": "classifier.2."})
    pooled = key.startswith("aspp.image.")  # behind a pooling
    key = replaced(key, PLACES)
    return re.sub(r"\.(conv|norm)\.", lambda m: f".{(m[1] == 'norm') + pooled}.", key)


MAPS = {"torchvision": each(torchvision)}


def classes(number: int) -> tuple[str, ...]:
    return class_names("voc") if number == 21 else ()


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=520, crop=None)
