"""The tokens of a transformer as feature maps."""

from collections.abc import Iterable

from torch import Tensor, nn


def quarters(depth: int) -> list[int]:
    """The blocks that end a quarter of the depth, rounded up, each once: 2, 5, 8, 11 of 12."""
    return sorted({-(-depth * quarter // 4) - 1 for quarter in (1, 2, 3, 4)})


def token_maps(blocks: Iterable[nn.Module], x: Tensor, grid: tuple[int, int], prefix: int = 0) -> list[Tensor]:
    """The tokens after each quarter of the blocks as maps, without the first `prefix` tokens.

    Shapes: x (B, prefix + h·w, D) and its grid (h, w) → a list of (B, D, h, w).
    """
    blocks = list(blocks)
    wanted, maps = quarters(len(blocks)), []
    for i, block in enumerate(blocks):
        x = block(x)
        if i in wanted:
            maps.append(x[:, prefix:].transpose(1, 2).unflatten(2, grid))
    return maps
