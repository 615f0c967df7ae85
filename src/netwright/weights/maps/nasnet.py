"""NASNet-A."""

import re

from netwright.weights.input import HALF, Input
from netwright.weights.maps import Shapes

CLASSIFIER = ("head.weight", "head.bias")
HALVES = {"even": "path_1.conv", "odd": "path_2.conv", "norm": "final_path_bn"}


def timm(shapes: Shapes) -> dict[str, str]:
    cells = 1 + max((int(key.split(".")[1]) for key in shapes if key.startswith("cells.")), default=0)
    depth = (cells - 4) // 3  # two cells of the stem, two that reduce
    names = ["cell_stem_0", "cell_stem_1"]
    for stage in range(3):
        names += [f"reduction_cell_{stage - 1}"] * (stage > 0)
        names += [f"cell_{i}" for i in range(stage * depth, (stage + 1) * depth)]
    names += [f"cell_{i}" for i in range(3 * depth, cells)]  # not one of its networks
    return {key: _timm(key, shapes, names) for key in shapes}


def _timm(key: str, shapes: Shapes, cells: list[str]) -> str:
    if not key.startswith("cells."):
        return re.sub(r"^head\.", "last_linear.", key).replace("stem.", "conv0.").replace("norm", "bn")
    _, number, part, rest = key.split(".", 3)
    cell = cells[int(number)]
    if part == "operations":
        i, j, rest = rest.split(".", 2)
        rest = re.sub(r"conv\.(\w+)\.", rf"separable_{int(j) + 1}.\1_conv2d.", rest)
        rest = rest.replace("norm", f"bn_sep_{int(j) + 1}")
        return f"{cell}.comb_iter_{int(i) // 2}_{('left', 'right')[int(i) % 2]}.{rest}"
    name, _, leaf = rest.partition(".")
    if part == "older" and f"cells.{number}.older.even.weight" in shapes:  # it shrinks the older map
        return f"{cell}.{HALVES[name]}.{leaf}"
    return f"{cell}.{'conv_1x1' if part == 'newer' else 'conv_prev_1x1'}.{rest.replace('norm', 'bn')}"


MAPS = {"timm": timm}


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(HALF, HALF, size=331, crop=0.911, interpolation="bicubic")
