"""The Mix Transformer, SegFormer's encoder."""

import re

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, each, replaced

CLASSIFIER = ("head.weight", "head.bias")
PARTS = {"norm1.": "layernorm_before.", "norm2.": "layernorm_after.", "channel.conv.": "mlp.dwconv.dwconv."}
PARTS |= {"channel.": "mlp.", "mixer.reduce.conv.conv.": "attention.sequence_reduction.sequence_reduction."}
PARTS |= {
    "mixer.reduce.norm.": "attention.sequence_reduction.layer_norm.",
    "mixer.attention.proj.": "attention.o_proj.",
}
PARTS |= {f"mixer.attention.{letter}.": f"attention.{letter}_proj." for letter in "qkv"}


def transformers(key: str) -> str:
    found = re.fullmatch(r"stages\.(\d)\.(\d+)\.(.*)", key)
    if found is None:
        return re.sub(r"^head\.", "classifier.", key)
    stage, place, rest = f"segformer.stages.{found[1]}.", int(found[2]), found[3]
    if place == 0:
        return f"{stage}patch_embeddings.{replaced(rest, {'conv.': 'proj.', 'norm.': 'layer_norm.'})}"
    if rest in ("weight", "bias"):  # behind the blocks
        return f"{stage}layer_norm.{rest}"
    return f"{stage}blocks.{place - 1}.{replaced(rest, PARTS)}"


MAPS = {"transformers": each(transformers)}

# Names before version 5, which the files on the hub have.
OLDER = [
    (r"\.encoder\.patch_embeddings\.(\d)\.", r".stages.\1.patch_embeddings."),
    (r"\.encoder\.block\.(\d)\.", r".stages.\1.blocks."),
    (r"\.encoder\.layer_norm\.(\d)\.", r".stages.\1.layer_norm."),
    (r"\.attention\.self\.query\.", ".attention.q_proj."),
    (r"\.attention\.self\.key\.", ".attention.k_proj."),
    (r"\.attention\.self\.value\.", ".attention.v_proj."),
    (r"\.attention\.self\.sr\.", ".attention.sequence_reduction.sequence_reduction."),
    (r"\.attention\.self\.layer_norm\.", ".attention.sequence_reduction.layer_norm."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.mlp\.dense([12])\.", r".mlp.fc\1."),
    (r"\.layer_norm_1\.", ".layernorm_before."),
    (r"\.layer_norm_2\.", ".layernorm_after."),
    (r"^decode_head\.linear_c\.", "decode_head.linear_projections."),
]
RENAMED = {"transformers": OLDER}
UNUSED = {"transformers": r"^decode_head\."}  # SegFormer's


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(crop=1.0)
