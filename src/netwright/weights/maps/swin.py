"""Swin, the first version."""

import re

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, each, replaced

CLASSIFIER = ("norm.weight", "norm.bias", "head.weight", "head.bias")
TABLE = {".mixer.bias.table": ".attn.relative_position_bias_table", ".mixer.": ".attn."}


def torchvision(key: str) -> str:
    key = re.sub(r"^stages\.(\d)\.merge\.", lambda m: f"features.{2 * int(m[1])}.", key)
    key = re.sub(r"^stages\.(\d)\.blocks\.", lambda m: f"features.{2 * int(m[1]) + 1}.", key)
    key = re.sub(r"^(features\.[246])\.proj\.", r"\1.reduction.", key)
    names = {"stem.conv.conv.": "features.0.0.", "stem.norm.": "features.0.2."}
    return replaced(key, names | TABLE | {".channel.fc1.": ".mlp.0.", ".channel.fc2.": ".mlp.3."})


def timm(key: str) -> str:
    key = re.sub(r"^head\.", "head.fc.", re.sub(r"^stages\.", "layers.", key))
    names = {"stem.conv.conv.": "patch_embed.proj.", "stem.norm.": "patch_embed.norm.", ".channel.": ".mlp."}
    return replaced(key, names | TABLE | {".merge.proj.": ".downsample.reduction.", ".merge.": ".downsample."})


def microsoft(key: str) -> str:
    """The authors': a stage ends with the merging of its patches."""
    key = re.sub(r"^layers\.(\d)\.downsample\.", lambda m: f"layers.{int(m[1]) - 1}.downsample.", timm(key))
    return re.sub(r"^head\.fc\.", "head.", key)


MAPS = {"torchvision": each(torchvision), "timm": each(timm), "microsoft": each(microsoft)}
# What follows from the window's size, kept nonetheless.
UNUSED = dict.fromkeys(MAPS, r"\.(relative_position_index|attn_mask)$")


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(crop=224 / 232 if publisher == "torchvision" else 0.9, interpolation="bicubic")
