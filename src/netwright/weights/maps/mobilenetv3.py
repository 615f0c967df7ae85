"""MobileNetV3."""

from collections.abc import Collection

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, _inverted

CLASSIFIER = ("fc1.weight", "fc1.bias", "head.weight", "head.bias")


def torchvision(shapes: Shapes) -> dict[str, str]:
    def inside(block: _inverted.Block, part: str, rest: str) -> str:
        return f"features.{block.flat + 1}.{_inverted.torchvision(block, part, rest)}"

    blocks = _inverted.blocks(shapes)
    ends = {"stem.conv.conv.": "features.0.0.", "stem.conv.norm.": "features.0.1."}
    ends |= {"fc1.": "classifier.0.", "head.": "classifier.3."}
    last, theirs = _last_conv(blocks), f"features.{len(blocks) + 1}"
    ends |= {f"{last}.conv.": f"{theirs}.0.", f"{last}.norm.": f"{theirs}.1."}
    return _inverted.mapped(shapes, blocks, inside, ends)


def timm(shapes: Shapes) -> dict[str, str]:
    blocks = _inverted.blocks(shapes)
    ends = {"stem.conv.conv.": "conv_stem.", "stem.conv.norm.": "bn1.", "fc1.": "conv_head.", "head.": "classifier."}
    last, theirs = _last_conv(blocks), f"blocks.{max(b.row for b in blocks.values()) + 1}.0"
    ends |= {f"{last}.conv.": f"{theirs}.conv.", f"{last}.norm.": f"{theirs}.bn1."}
    return _inverted.mapped(shapes, blocks, _inverted.timm, ends)


def _last_conv(blocks: dict[str, _inverted.Block]) -> str:
    """The convolution behind the last block, in the same stage."""
    _, stage, number = list(blocks)[-1].split(".")
    return f"stages.{stage}.{int(number) + 1}"


MAPS = {"torchvision": torchvision, "timm": timm}


def epsilon(publisher: str, names: Collection[str]) -> float | None:
    """timm's mobilenetv3_…; its tf_mobilenetv3_… is another network, padded as TensorFlow's."""
    return 1e-5 if publisher == "timm" else None


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(interpolation="bicubic" if publisher == "timm" else "bilinear")
