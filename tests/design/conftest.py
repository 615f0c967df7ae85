"""A small plug-in, so that the tests of the machinery depend on no family of the literature."""

import sys
import warnings
from pathlib import Path

import pytest

from netwright.design import registry

FAMILY = '''
"""A tiny family of a plug-in."""
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal
from torch import nn
from torch.nn import LayerNorm
from netwright.blocks.mixer import Attention
from netwright.blocks.slots import Channel, Mixer, Norm
from netwright.blocks.channel import FeedForward

__all__ = ["Tiny"]

class Tiny(nn.Module):
    """A tiny network: for tests. It has one of everything."""

    def __init__(
        self,
        num_features: int,
        cardinalities: Sequence[int] = (),
        num_classes: int = 1,
        dim: int = 8,
        depth: int = 1,
        widths: tuple[int, ...] = (4, 4),
        window: tuple[int, int] = (2, 2),
        mode: Literal["sum", "mean"] = "sum",
        mixer: Mixer = Attention,
        channel: Channel | None = FeedForward,
        norm: Norm = partial(LayerNorm, eps=1e-6),
        extras: Sequence[Norm] = (),
        dropout: float = 0.0,
        bias: bool = True,
        note: str = "",
        hook: object = None,
        rest=3,
    ):
        super().__init__()
        if mode == "mean" and depth > 2:
            raise ValueError("mode mean goes with depth 1 or 2")
        self.args = dict(widths=widths, window=window, cardinalities=cardinalities)
        self.embed = nn.Linear(num_features + len(cardinalities), dim)
        self.mixers = nn.ModuleList(mixer(dim) for _ in range(depth))
        self.channel = channel(dim) if channel else None
        self.norm = norm(dim)
        self.extras = nn.ModuleList(e(dim) for e in extras)
        self.head = nn.Linear(dim, num_classes, bias=bias)

PRESETS = {
    "8": {"args": {"dim": 8}, "inputs": {"num_features": 3, "image_size": 5}, "params": 1, "source": "none"},
    "wide": {
        "args": {"dim": 16, "mixer": {"attention": {"num_heads": 4}}},
        "inputs": {"num_features": 3, "num_classes": 2},
        "params": 1,
        "source": "none",
    },
}
'''
BLOCK = '''
from torch import nn
from netwright.blocks.mixer import Attention
from netwright.blocks.slots import Mixer

class Twice(nn.Module):
    """A mixer, twice: a block that nests."""

    def __init__(self, dim: int, inner: Mixer = Attention):
        super().__init__()
        self.first, self.second = inner(dim), inner(dim)

class MeanMixer(nn.Module):
    """Every token becomes the mean of all."""

    def __init__(self, dim: int, gain: float = 1.0):
        super().__init__()
        self.gain = gain
'''
POINTS = """[netwright.blocks]
mixer.mean = tiny_plugin.block:MeanMixer
mixer.twice = tiny_plugin.block:Twice
mixer.taken = netwright.blocks.mixer:Attention
norm.broken = tiny_plugin.nowhere:Nothing

[netwright.families]
tabular.tiny = tiny_plugin.family
unnamed = tiny_plugin.family
"""


@pytest.fixture(scope="package")
def plug_in_warnings(tmp_path_factory) -> list[str]:
    """A distribution as pip would install it, on sys.path; the registry's warnings when it is read."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "tiny_plugin").mkdir()
    (folder / "tiny_plugin" / "__init__.py").write_text("")
    (folder / "tiny_plugin" / "family.py").write_text(FAMILY)
    (folder / "tiny_plugin" / "block.py").write_text(BLOCK)
    info = folder / "tiny_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    sys.path.insert(0, str(folder))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        registry.cache_clear()
        registry()
    return [str(w.message) for w in caught if issubclass(w.category, UserWarning)]


@pytest.fixture(scope="package", autouse=True)
def plug_in(plug_in_warnings):
    """For all tests of this room; other rooms see the registry without it."""
    yield
    sys.path.pop(0)
    registry.cache_clear()
