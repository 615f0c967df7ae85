"""ViT."""

import re
from collections.abc import Callable
from math import isqrt

from netwright.weights.input import HALF, Input
from netwright.weights.maps import Keys, Shapes, each, replaced

CLASSIFIER = ("norm.weight", "norm.bias", "head.weight", "head.bias")


def timm(key: str) -> str:
    names = {"embed.proj": "patch_embed.proj", "class_token": "cls_token", "position.weight": "pos_embed"}
    return re.sub(r"\.scale([12])\.", r".ls\1.", replaced(key, names | {".mixer.": ".attn.", ".channel.": ".mlp."}))


def torchvision(key: str) -> str:
    key = re.sub(r"^norm\.", "encoder.ln.", re.sub(r"^head\.", "heads.head.", key))
    key = re.sub(r"^blocks\.(\d+)\.", r"encoder.layers.encoder_layer_\1.", key)
    names = {"embed.proj": "conv_proj", "position.weight": "encoder.pos_embedding", ".norm1.": ".ln_1."}
    names |= {
        ".norm2.": ".ln_2.",
        ".mixer.qkv.": ".self_attention.in_proj_",
        ".mixer.proj.": ".self_attention.out_proj.",
    }
    return replaced(key, names | {".channel.fc1.": ".mlp.0.", ".channel.fc2.": ".mlp.3."})


def transformers(key: str) -> Keys:
    key = re.sub(r"^norm\.", "vit.layernorm.", re.sub(r"^head\.", "classifier.", key))
    key = re.sub(r"^blocks\.(\d+)\.", r"vit.layers.\1.", key)
    names = {"embed.proj": "vit.embeddings.patch_embeddings.projection", "class_token": "vit.embeddings.cls_token"}
    names |= {"position.weight": "vit.embeddings.position_embeddings", ".norm1.": ".layernorm_before."}
    names |= {".norm2.": ".layernorm_after.", ".channel.": ".mlp.", ".mixer.proj.": ".attention.o_proj."}
    key = replaced(key, names)
    if ".mixer.qkv." in key:
        return tuple(key.replace(".mixer.qkv.", f".attention.{letter}_proj.") for letter in "qkv")
    return key


MAE = "transformers (MAE)"
MAPS = {"timm": each(timm), "torchvision": each(torchvision)}
MAPS |= {"transformers": each(transformers), MAE: each(transformers)}

# Names of transformers before version 5, which the files on the hub have.
OLDER: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"^(\w+)\.encoder\.layer\.", r"\1.layers."),
    (r"\.attention\.attention\.(query|key|value)\.", lambda m: f".attention.{m[1][0]}_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
]
RENAMED = {
    "torchvision": [(r"\.mlp\.linear_1\.", ".mlp.0."), (r"\.mlp\.linear_2\.", ".mlp.3.")],
    "transformers": OLDER,
    MAE: OLDER,
}
UNUSED = {"transformers": r"^vit\.pooler\.", MAE: r"^decoder\."}


def images(publisher: str, shapes: Shapes) -> Input:
    size = image_size(shapes)
    if publisher == "torchvision":
        return Input(size=size)
    if publisher == "timm":
        return Input(HALF, HALF, size, crop=0.9, interpolation="bicubic")
    if publisher == MAE:
        return Input(size=size, crop=1.0, interpolation="bicubic")
    return Input(HALF, HALF, size, crop=1.0)


def image_size(shapes: Shapes, prefix: int = 1) -> int:
    """The side of the images whose patches the positions are those of."""
    return isqrt(shapes["position.weight"][0] - prefix) * shapes["embed.proj.weight"][-1]
