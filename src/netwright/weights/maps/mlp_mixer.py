"""MLP-Mixer."""

from netwright.weights.input import HALF, Input
from netwright.weights.maps import Shapes, each, replaced

CLASSIFIER = ("norm.weight", "norm.bias", "head.weight", "head.bias")


def timm(key: str) -> str:
    return replaced(key, {"embed.proj.": "stem.proj.", ".mixer.": ".mlp_tokens.", ".channel.": ".mlp_channels."})


MAPS = {"timm": each(timm)}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(HALF, HALF, interpolation="bicubic")
