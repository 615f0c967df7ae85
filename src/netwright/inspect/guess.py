"""Inputs for a module that came without: from what it says of itself, or from its first layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import nn

from netwright.inspect.guess_transformers import CLIP, LENGTH, SIDE, WAVE, of_transformers
from netwright.inspect.tensors import Inputs


@dataclass(frozen=True)
class Guess:
    inputs: Inputs
    source: str


def guesses(module: nn.Module, batch: int = 1) -> Iterator[Guess]:
    """The likeliest first. On the meta device: only shapes and types are said."""
    example = getattr(module, "example_input_array", None)
    if example is not None:
        yield Guess(example, "its example_input_array")
    for name in ("pretrained_cfg", "default_cfg"):
        said: Any = getattr(module, name, None)
        size = said.get("input_size") if hasattr(said, "get") else None
        if size:
            yield Guess(_floats(batch, *size), f"its {name}: {' × '.join(str(n) for n in size)}")
    if getattr(module, "config", None) is not None and hasattr(module, "main_input_name"):
        for inputs in of_transformers(module, batch):
            said = ", ".join(f"{name} {' × '.join(map(str, one.shape[1:]))}" for name, one in inputs.items())
            yield Guess(inputs, f"its configuration: {said}")
    yield from _of_first_layer(module, batch)


def _of_first_layer(module: nn.Module, batch: int) -> Iterator[Guess]:
    """Its first layer with weights says the width; sizes are the usual ones."""
    layers = (part for part in module.modules() if not list(part.children()) and list(part.parameters(recurse=False)))
    layer = next(layers, None)
    if layer is None:
        yield Guess(_floats(batch, 3, SIDE, SIDE), "nothing but habit: an image")
        return
    kind = type(layer).__name__
    needed = [one for one in signature(module.forward).parameters.values() if one.default is one.empty]
    alike = sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in needed)  # two images to be compared
    for shapes in _shapes(layer, batch):
        said = " × ".join(str(n) for n in shapes.shape[1:])
        many = f", {alike} times" if alike > 1 else ""
        inputs = (shapes,) * alike if alike > 1 else shapes
        yield Guess(inputs, f"its first layer, {kind}: {said or 'one number'}{many}")


def _shapes(layer: Any, batch: int) -> Iterator[torch.Tensor]:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        for side in (SIDE, 299, 64, 32, 28):
            yield _floats(batch, layer.in_channels, side, side)
    elif isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
        yield _floats(batch, layer.in_channels, WAVE if layer.in_channels == 1 else LENGTH)
    elif isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
        for side in (112, SIDE):
            yield _floats(batch, layer.in_channels, CLIP, side, side)
    elif isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        yield _ids(batch, LENGTH)
    elif isinstance(layer, nn.RNNBase):
        yield _floats(batch, LENGTH, layer.input_size)
    elif isinstance(layer, nn.Linear):
        yield _floats(batch, layer.in_features)
        yield _floats(batch, LENGTH, layer.in_features)
        side = round((layer.in_features / 3) ** 0.5)
        if 3 * side * side == layer.in_features:
            yield _floats(batch, 3, side, side)
        side = round(layer.in_features**0.5)
        if side * side == layer.in_features:
            yield _floats(batch, 1, side, side)
    else:
        weight = next(iter(layer.parameters(recurse=False)))
        width = getattr(layer, "num_features", None) or weight.shape[-1]
        for shape in ((width,), (LENGTH, width), (width, LENGTH), (width, SIDE, SIDE), (3, SIDE, SIDE)):
            yield _floats(batch, *shape)


def _floats(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta")


def _ids(batch: int, length: int) -> torch.Tensor:
    return torch.empty((batch, length), dtype=torch.long, device="meta")
