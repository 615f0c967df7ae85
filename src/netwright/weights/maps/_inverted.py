"""What the maps of networks of inverted bottlenecks share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from netwright.weights.maps import Shapes, replaced

LAST_CONV = tuple(f"conv.{leaf}" for leaf in ("conv.weight", "norm.weight", "norm.bias"))
LAST_CONV += ("conv.norm.running_mean", "conv.norm.running_var")


PARTS = ("expand", "depthwise", "gate", "project")


@dataclass(frozen=True)
class Block:
    """One of our blocks: where it is, and by what index others call it."""

    name: str  # stages.3.1
    flat: int  # its number among all blocks
    row: int  # the row of the paper's table
    within: int  # its number in that row
    parts: tuple[str, ...]  # those of PARTS that have tensors


Inside = Callable[[Block, str, str], str]  # block, part and the rest of our key → their key


def blocks(shapes: Shapes) -> dict[str, Block]:
    """The blocks by name. A row of the paper's table ends where the width or the kernel changes."""
    found: dict[str, dict[str, Sequence[int]]] = {}
    for key, shape in shapes.items():
        name, part, _ = _split(key)
        if name.startswith("stages.") and part in PARTS:
            found.setdefault(name, {}).setdefault(part, shape)
    out: dict[str, Block] = {}
    row, within, before = -1, 0, ("", 0, 0)
    for flat, (name, parts) in enumerate(found.items()):
        like = name.split(".")[1], parts["project"][0], parts["depthwise"][-1]
        row, within = (row, within + 1) if like == before else (row + 1, 0)
        out[name], before = Block(name, flat, row, within, tuple(parts)), like
    return out


def mapped(shapes: Shapes, own: Mapping[str, Block], inside: Inside, ends: Mapping[str, str]) -> dict[str, str]:
    """The keys in blocks by `inside`, those before and behind by their prefix."""
    out = {}
    for key in shapes:
        name, part, rest = _split(key)
        if name in own and part in PARTS:
            out[key] = inside(own[name], part, rest)
        else:
            found = [theirs + key.removeprefix(ours) for ours, theirs in ends.items() if key.startswith(ours)]
            out[key] = found[0] if found else key
    return out


def timm(block: Block, part: str, rest: str) -> str:
    wide = "expand" in block.parts
    number = {"expand": 1, "depthwise": 1 + wide, "project": 2 + wide}
    names = {"expand": "conv_pw", "depthwise": "conv_dw", "project": "conv_pwl" if wide else "conv_pw"}
    if part == "gate":
        rest = replaced(rest, {"fc1.": "se.conv_reduce.", "fc2.": "se.conv_expand."})
    else:
        rest = replaced(rest, {"conv.": f"{names[part]}.", "norm.": f"bn{number[part]}."})
    return f"blocks.{block.row}.{block.within}.{rest}"


def torchvision(block: Block, part: str, rest: str) -> str:
    """A block's own names in MobileNetV3 and EfficientNet."""
    return f"block.{block.parts.index(part)}.{replaced(rest, {'conv.': '0.', 'norm.': '1.'})}"


def _split(key: str) -> tuple[str, str, str]:
    """`stages.3.1.expand.conv.weight` → the block, the part, and what is inside of it."""
    pieces = key.split(".")
    return ".".join(pieces[:3]), ".".join(pieces[3:4]), ".".join(pieces[4:])
