"""ConvNeXt, V1 and V2."""

import re

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, each, replaced

CLASSIFIER = ("norm.weight", "norm.bias", "head.weight", "head.bias")


def timm(key: str) -> str:
    key = re.sub(r"^stages\.0\.(\d+)\.", r"stages.0.blocks.\1.", key)
    key = re.sub(r"^stages\.([1-9])\.0\.norm", r"stages.\1.downsample.0", key)
    key = re.sub(r"^stages\.([1-9])\.0\.conv\.conv", r"stages.\1.downsample.1", key)
    key = re.sub(r"^stages\.([1-9])\.(\d+)\.", lambda m: f"stages.{m[1]}.blocks.{int(m[2]) - 1}.", key)
    key = re.sub(r"^(norm|head)\.", lambda m: {"norm": "head.norm.", "head": "head.fc."}[m[1]], key)
    names = {"stem.conv.conv": "stem.0", "stem.norm": "stem.1", ".channel.norm.": ".mlp.grn."}
    return replaced(key, names | {".conv.": ".conv_dw.", ".channel.": ".mlp.", "scale.gamma": "gamma"})


def torchvision(key: str) -> str:
    key = re.sub(r"^stem\.(conv\.conv|norm)", lambda m: f"features.0.{int(m[1] == 'norm')}", key)
    key = re.sub(r"^stages\.([1-9])\.0\.norm", lambda m: f"features.{2 * int(m[1])}.0", key)
    key = re.sub(r"^stages\.([1-9])\.0\.conv\.conv", lambda m: f"features.{2 * int(m[1])}.1", key)
    key = re.sub(
        r"^stages\.(\d)\.(\d+)\.",
        lambda m: f"features.{2 * int(m[1]) + 1}.{int(m[2]) - (m[1] != '0')}.",
        key,
    )
    key = re.sub(r"^norm\.", "classifier.0.", re.sub(r"^head\.", "classifier.2.", key))
    names = {".conv.": ".block.0.", ".norm.": ".block.2.", "scale.gamma": "layer_scale"}
    return replaced(key, {".channel.fc1.": ".block.3.", ".channel.fc2.": ".block.5."} | names)


MAPS = {"timm": each(timm), "torchvision": each(torchvision)}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(interpolation="bicubic" if publisher == "timm" else "bilinear")
