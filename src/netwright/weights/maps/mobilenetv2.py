"""MobileNetV2."""

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, _inverted, replaced

CLASSIFIER = (*_inverted.LAST_CONV, "head.weight", "head.bias")


def torchvision(shapes: Shapes) -> dict[str, str]:
    blocks = _inverted.blocks(shapes)
    last = f"features.{len(blocks) + 1}"
    ends = {"stem.conv.conv.": "features.0.0.", "stem.conv.norm.": "features.0.1.", "head.": "classifier.1."}
    return _inverted.mapped(
        shapes, blocks, _torchvision, ends | {"conv.conv.": f"{last}.0.", "conv.norm.": f"{last}.1."}
    )


def _torchvision(block: _inverted.Block, part: str, rest: str) -> str:
    place = block.parts.index(part)
    if part == "project":  # its norm stands beside its convolution, not inside
        rest = replaced(rest, {"conv.": f"{place}.", "norm.": f"{place + 1}."})
    else:
        rest = replaced(rest, {"conv.": f"{place}.0.", "norm.": f"{place}.1."})
    return f"features.{block.flat + 1}.conv.{rest}"


def timm(shapes: Shapes) -> dict[str, str]:
    ends = {"stem.conv.conv.": "conv_stem.", "stem.conv.norm.": "bn1.", "head.": "classifier."}
    ends |= {"conv.conv.": "conv_head.", "conv.norm.": "bn2."}
    return _inverted.mapped(shapes, _inverted.blocks(shapes), _inverted.timm, ends)


MAPS = {"torchvision": torchvision, "timm": timm}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(interpolation="bicubic" if publisher == "timm" else "bilinear")
