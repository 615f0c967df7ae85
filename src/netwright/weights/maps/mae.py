"""MAE, encoder and decoder; its encoder alone is a ViT, which takes the same files."""

import re

from netwright.weights.input import Input
from netwright.weights.maps import Keys, Shapes, each, replaced, vit

CLASSIFIER: tuple[str, ...] = ()


def transformers(key: str) -> Keys:
    if not key.startswith("decoder."):
        return vit.transformers(key)
    rest = re.sub(r"^decoder\.(embed|norm|head)\.", r"decoder.decoder_\1.", key)
    rest = re.sub(r"^decoder\.blocks\.", "decoder.decoder_layers.", rest).replace("decoder_head", "decoder_pred")
    names = {"decoder.position.weight": "decoder.decoder_pos_embed", ".norm1.": ".layernorm_before."}
    names |= {".norm2.": ".layernorm_after.", ".mixer.proj.": ".attention.o_proj.", ".channel.": ".mlp."}
    rest = replaced(rest, names)
    if ".mixer.qkv." in rest:
        return tuple(rest.replace(".mixer.qkv.", f".attention.{letter}_proj.") for letter in "qkv")
    return rest


def facebookresearch(key: str) -> str:
    """The authors', whose encoder has timm's names."""
    if not key.startswith("decoder."):
        return vit.timm(key)
    rest = key.removeprefix("decoder.")
    if rest == "mask_token":
        return rest
    return "decoder_" + re.sub(r"^head\.", "pred.", vit.timm(rest))


MAPS = {"transformers": each(transformers), "facebookresearch": each(facebookresearch)}
# Before version 5, and as version 5 itself writes the decoder's.
RENAMED = {"transformers": [(r"^decoder\.decoder_encoder\.layer\.", "decoder.decoder_layers."), *vit.OLDER]}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=vit.image_size(shapes), crop=1.0, interpolation="bicubic")
