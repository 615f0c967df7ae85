"""Pre-activation ResNet."""

import re

from netwright.weights.input import HALF, Input
from netwright.weights.maps import Shapes, each, replaced

NORM = ("weight", "bias", "running_mean", "running_var")
CLASSIFIER = (*(f"norm.{leaf}" for leaf in NORM), "head.weight", "head.bias")


def timm(key: str) -> str:
    key = re.sub(r"^stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2.", key)
    key = replaced(key, {"stem.conv.conv.": "stem.conv.", "shortcut.": "downsample.conv."})
    return re.sub(r"^head\.", "head.fc.", key)


MAPS = {"timm": each(timm)}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(HALF, HALF, crop=0.95, interpolation="bicubic")
