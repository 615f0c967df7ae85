"""DETR on a ResNet."""

import re

from netwright.weights.input import Input, class_names
from netwright.weights.maps import Shapes, each, replaced, resnet

CLASSIFIER = ()
SCORES = {"to_class.weight": 1, "to_class.bias": 1}
ATTENTION = {".attention.": ".self_attn.", ".self_attention.": ".self_attn."}


def transformers(key: str) -> str:
    """With transformers' own ResNet."""
    if key.startswith("backbone."):
        return "model.backbone.model." + resnet.transformers(key.removeprefix("backbone.")).removeprefix("resnet.")
    return _head(key)


def transformers_timm(key: str) -> str:
    """With timm's ResNet, as most files are."""
    if key.startswith("backbone."):
        return "model.backbone.model." + resnet.torchvision(key.removeprefix("backbone."))
    return _head(key)


def _head(key: str) -> str:
    key = re.sub(r"^(en|de)coder\.", r"model.\1coder.layers.", key)
    key = replaced(key, ATTENTION | {".cross_attention.": ".encoder_attn.", ".channel.": ".mlp."})
    key = re.sub(r"\.([qkv])\.(\w+)$", r".\1_proj.\2", re.sub(r"\.proj\.(\w+)$", r".o_proj.\1", key))
    key = key.replace(".norm1.", ".self_attn_layer_norm.").replace(".norm3.", ".final_layer_norm.")
    key = key.replace(".norm2.", ".encoder_attn_layer_norm." if ".decoder." in key else ".final_layer_norm.")
    key = re.sub(r"^to_box\.(\d)\.", lambda m: f"bbox_predictor.layers.{int(m[1]) // 2}.", key)
    names = {"queries": "model.query_position_embeddings.weight", "to_class.": "class_labels_classifier."}
    key = re.sub(r"^project\.", "model.input_projection.", replaced(key, names))
    return re.sub(r"^norm\.", "model.decoder.layernorm.", key)


def facebookresearch(key: str) -> str:
    """The authors', as torch.hub has them; the three matrices of attention are one there."""
    if key.startswith("backbone."):
        return "backbone.0.body." + resnet.torchvision(key.removeprefix("backbone."))
    key = re.sub(r"^(en|de)coder\.", r"transformer.\1coder.layers.", key)
    key = replaced(key, ATTENTION | {".cross_attention.": ".multihead_attn.", ".channel.fc": ".linear"})
    key = re.sub(r"\.proj\.(\w+)$", r".out_proj.\1", key)
    key = re.sub(r"^to_box\.(\d)\.", lambda m: f"bbox_embed.layers.{int(m[1]) // 2}.", key)
    key = re.sub(r"^project\.", "input_proj.", replaced(key, {"queries": "query_embed.weight"}))
    return re.sub(r"^norm\.", "transformer.decoder.norm.", re.sub(r"^to_class\.", "class_embed.", key))


MAPS = {
    "transformers": each(transformers),
    "transformers with timm": each(transformers_timm),
    "facebookresearch": each(facebookresearch),
}
OLDER = [  # before version 5
    (r"^model\.backbone\.conv_encoder\.", "model.backbone."),
    (r"\.out_proj\.", ".o_proj."),
    (r"(layers\.\d+)\.fc([12])\.", r"\1.mlp.fc\2."),
]
RENAMED = {"transformers": OLDER, "transformers with timm": OLDER}
SPLIT = {"facebookresearch": (r"\.in_proj_(weight|bias)$", (r".q.\1", r".k.\1", r".v.\1"))}


def classes(number: int) -> tuple[str, ...]:
    """With "no object", which is no label here."""
    return class_names("coco") if number == 92 else ()


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=800, crop=None)
