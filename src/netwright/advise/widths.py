"""What ladders are made of: widths, heads, halvings, depths that grow slowly."""

from functools import cache
from typing import Any

from netwright.advise.rules import rule

Args = dict[str, Any]


def halvings(side: int) -> int:
    """How many halvings (sizes rounded up, as padded convolutions do) leave a last map of 4×4; at most 5
    (S3.8).
    """
    last = rule("S3.8").value["last_map"]
    return max(count for count in range(6) if count == 0 or -(-side // 2**count) >= last)


@cache
def widths(low: int, high: int) -> tuple[int, ...]:
    """Widths a few per cent to a quarter apart: multiples of 4 below 32, of 8 below 128, of 32 and 64 above
    (S3.11).
    """
    found, width = [], 4
    while width <= high:
        found.append(width)
        width += 4 if width < 32 else 8 if width < 128 else 32 if width < 512 else 64
    return tuple(w for w in found if w >= low)


def heads(dim: int) -> int:
    """Heads of 64 channels; of 32 below width 256, of 16 below 64, one head below 16 (S4.3)."""
    value = rule("S4.3").value
    size = value["head_dim"] if dim >= 256 else value["small_head_dim"] if dim >= 64 else value["tiny_head_dim"]
    return next(n for n in range(max(1, dim // size), 0, -1) if dim % n == 0)


def with_depth(widths: tuple[int, ...], steps: tuple[tuple[int, int], ...], top: tuple = ()) -> tuple:
    """(width, depth) rungs: at each width the depth of the last step reached; a new depth is a rung of its
    own.
    """
    rungs: list[tuple[int, int]] = []
    depth = steps[0][1]
    for width in widths:
        for at, deeper in steps:
            if width == at and deeper > depth:
                rungs.append((width, depth))
                depth = deeper
        rungs.append((width, depth))
    return (*dict.fromkeys(rungs), *top)
