"""Layer rows, edges and curves as a run would record them, for the example reports."""

import math
import random
from itertools import pairwise
from typing import Any


def _conv(path: str, cin: int, cout: int, size: int, kernel: int = 3) -> dict[str, Any]:
    weights = cin * cout * kernel * kernel
    return _row(path, "Conv2d", [cout, size, size], weights, weights * size * size)


def _row(path: str, cls: str, shape: list[int], params: int = 0, macs: int = 0) -> dict[str, Any]:
    return {
        "path": path,
        "class": cls,
        "depth": path.count(".") + 1,
        "shape": shape,
        "params": params,
        "macs": macs,
        "activations": math.prod(shape),
    }


def _group(path: str, cls: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for the group before its rows, with their sums."""
    direct = [row for row in rows if row["path"].count(".") == path.count(".") + 1]
    own = _row(path, cls, rows[-1]["shape"], *(sum(row[key] for row in direct) for key in ("params", "macs")))
    return [own | {"activations": sum(row["activations"] for row in direct)}, *rows]


def _residual(path: str, cin: int, cout: int, size: int) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    shape = [cout, size, size]
    names = ["conv1", "norm1", "act1", "conv2", "norm2"]
    rows = [
        _conv(f"{path}.conv1", cin, cout, size),
        _row(f"{path}.norm1", "BatchNorm2d", shape, 2 * cout),
        _row(f"{path}.act1", "ReLU", shape),
        _conv(f"{path}.conv2", cout, cout, size),
        _row(f"{path}.norm2", "BatchNorm2d", shape, 2 * cout),
    ]
    chain = [path, *(f"{path}.{name}" for name in names), f"{path}.add"]
    edges = [{"from": a, "to": b} for a, b in pairwise(chain)]
    if cin == cout:
        edges.append({"from": path, "to": f"{path}.add"})
    else:
        rows.append(_conv(f"{path}.shortcut", cin, cout, size, 1))
        edges += [{"from": path, "to": f"{path}.shortcut"}, {"from": f"{path}.shortcut", "to": f"{path}.add"}]
    rows += [_row(f"{path}.add", "add", shape), _row(f"{path}.act2", "ReLU", shape)]
    edges += [{"from": f"{path}.add", "to": f"{path}.act2"}, {"from": f"{path}.act2", "to": path}]
    return _group(path, "ResidualBlock", rows), edges


def convnet() -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """A small residual network on 1×8×8: the layer rows and edges."""
    rows = _group("stem", "ConvNormAct", [
        _conv("stem.conv", 1, 24, 8),
        _row("stem.norm", "BatchNorm2d", [24, 8, 8], 48),
        _row("stem.act", "ReLU", [24, 8, 8]),
    ])  # fmt: skip
    edges = [{"from": "input", "to": "stem"}]
    last = "stem"
    for index, (cin, cout, size) in enumerate([(24, 24, 8), (24, 24, 8), (24, 48, 4)]):
        path = f"blocks.{index}"
        inner, wires = _residual(path, cin, cout, size)
        rows += inner
        edges += [{"from": last, "to": path}, *wires]
        last = path
    rows += [
        _row("pool", "AdaptiveAvgPool2d", [48]),
        _row("drop", "Dropout", [48]),
        _row("head", "Linear", [10], 48 * 10 + 10, 480),
    ]
    for path in ("pool", "drop", "head", "output"):
        edges.append({"from": last, "to": path})
        last = path
    return rows, edges


def transformer(depth: int = 3) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """An FT-Transformer on ten columns, without the operators between the modules."""
    dim, tokens = 64, 11
    rows = [_row("tokenizer", "FeatureTokenizer", [tokens, dim], 2 * 10 * dim + dim, 10 * dim)]
    for index in range(depth):
        path = f"blocks.{index}"
        attention, forward = 4 * dim * dim + 4 * dim, 2 * dim * 4 * dim + 5 * dim
        mixing = attention * tokens + 2 * tokens**2 * dim
        rows += _group(path, "TransformerBlock", [
            _row(f"{path}.norm1", "LayerNorm", [tokens, dim], 2 * dim),
            _row(f"{path}.mixer", "Attention", [tokens, dim], attention, mixing),
            _row(f"{path}.norm2", "LayerNorm", [tokens, dim], 2 * dim),
            _row(f"{path}.channel", "FeedForward", [tokens, dim], forward, forward * tokens),
        ])  # fmt: skip
    rows += [_row("norm", "LayerNorm", [dim], 2 * dim), _row("head", "Linear", [1], dim + 1, dim)]
    return rows, []


def curve(start: float, end: float, steps: int, every: int, noise: float, seed: int) -> dict[str, Any]:
    random_ = random.Random(seed)
    xs = list(range(0, steps + 1, every))
    ys = [end + (start - end) * math.exp(-5 * x / steps) for x in xs]
    return {"x": xs, "y": [round(y * math.exp(random_.gauss(0, noise)), 5) for y in ys]}


def schedule(peak: float, steps: int, warmup: int) -> dict[str, Any]:
    xs = list(range(0, steps + 1, max(1, steps // 120)))
    ys = [
        peak * x / warmup if x < warmup else peak * 0.5 * (1 + math.cos(math.pi * (x - warmup) / (steps - warmup)))
        for x in xs
    ]
    return {"x": xs, "y": ys}


def ratios(steps: int, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: curve(9e-3 / (k + 1), 2e-4 * (k + 1), steps, 20, 0.12, k) for k, name in enumerate(names)}


def totals(rows: list[dict[str, Any]]) -> dict[str, int]:
    top = [row for row in rows if row["path"].count(".") == (1 if row["path"].startswith("blocks.") else 0)]
    return {key: sum(row[key] for row in top) for key in ("params", "macs", "activations")}


def confusion() -> list[list[int]]:
    matrix = [[36 if i == j else 0 for j in range(10)] for i in range(10)]
    for true, taken in ((8, 1), (9, 3)):
        matrix[true][true] -= 1
        matrix[true][taken] += 1
    return matrix
