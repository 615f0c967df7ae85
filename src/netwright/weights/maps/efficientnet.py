"""EfficientNet, B0 to B7 and Lite."""

from dataclasses import replace

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, _inverted, replaced

LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
CLASSIFIER = (*_inverted.LAST_CONV, "head.weight", "head.bias")


def torchvision(shapes: Shapes) -> dict[str, str]:
    def inside(block: _inverted.Block, part: str, rest: str) -> str:
        return f"features.{block.row + 1}.{block.within}.{_inverted.torchvision(block, part, rest)}"

    blocks = _inverted.blocks(shapes)
    last = f"features.{max(b.row for b in blocks.values()) + 2}"
    ends = {"stem.conv.conv.": "features.0.0.", "stem.conv.norm.": "features.0.1.", "head.": "classifier.1."}
    ends |= {"conv.conv.": f"{last}.0.", "conv.norm.": f"{last}.1."}
    return _inverted.mapped(shapes, blocks, inside, ends)


def timm(shapes: Shapes) -> dict[str, str]:
    ends = {"stem.conv.conv.": "conv_stem.", "stem.conv.norm.": "bn1.", "head.": "classifier."}
    ends |= {"conv.conv.": "conv_head.", "conv.norm.": "bn2."}
    return _inverted.mapped(shapes, _inverted.blocks(shapes), _inverted.timm, ends)


def efficientnet_pytorch(shapes: Shapes) -> dict[str, str]:
    """Of the package of that name, and of the files efficientnet-lite*.pth."""

    def inside(block: _inverted.Block, part: str, rest: str) -> str:
        number = {"expand": 0, "depthwise": 1, "gate": "", "project": 2}[part]
        names = {"conv.": f"_{part}_conv.", "norm.": f"_bn{number}.", "fc1.": "_se_reduce.", "fc2.": "_se_expand."}
        return f"_blocks.{block.flat}.{replaced(rest, names)}"

    ends = {"stem.conv.conv.": "_conv_stem.", "stem.conv.norm.": "_bn0.", "head.": "_fc."}
    ends |= {"conv.conv.": "_conv_head.", "conv.norm.": "_bn1."}
    return _inverted.mapped(shapes, _inverted.blocks(shapes), inside, ends)


MAPS = {"torchvision": torchvision, "timm": timm, "efficientnet_pytorch": efficientnet_pytorch}

# The size of the images by the width of the last block; the two of width 320 differ in depth.
SIZES = {320: 240, 352: 260, 384: 300, 448: 380, 512: 456, 576: 528, 640: 600}


def images(publisher: str, shapes: Shapes) -> Input:
    """TensorFlow's: 32 pixels more than the size are the shorter side; Lite has its own mean and deviation."""
    blocks = _inverted.blocks(shapes)
    width = shapes[list(blocks)[-1] + ".project.conv.weight"][0]
    size = 224 if len(blocks) == 16 else SIZES.get(width, 224)
    found = Input(size=size, crop=size / (size + 32), interpolation="bicubic")
    lite = not any("gate" in b.parts for b in blocks.values())
    return replace(found, mean=LITE_MEAN, std=LITE_STD) if lite else found
