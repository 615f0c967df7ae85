"""Published tensors into a family, each exactly once; what does not fit as it is, is adapted, and said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.grid_position import GridPosition
from netwright.errors import InputError
from netwright.weights.input import Input, class_names
from netwright.weights.load import input_of, load
from netwright.weights.recognise import maps_of, names_of, recognise, unused

HEAD = {"head.weight": 1, "head.bias": 1}  # the scores of the classes: rows for each, in most families


@dataclass(frozen=True)
class Loaded:
    """What came out of a checkpoint. `print(loaded)` says it in words.

    `adapted` and `left_out` give for each tensor what was done and why: ours by our names, theirs by theirs.
    """

    publisher: str
    loaded: tuple[str, ...]
    adapted: dict[str, str]
    left_out: dict[str, str]
    input: Input  # of three channels; `input.for_channels` gives it for others
    classes: tuple[str, ...] = ()  # what the outputs mean, where it is known; "" is a label that is never given

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors from {self.publisher}"]
        lines += [f"adapted: {key}, {what}" for key, what in self.adapted.items()]
        lines += [f"left out: {key}, {why}" for key, why in self.left_out.items()]
        return "\n".join(lines)


def load_into(model: nn.Module, source: Mapping[str, Tensor] | str | Path, publisher: str | None = None) -> Loaded:
    """Give a network of a family, whole or without its classifier, the weights that somebody published.

    `source` is a state dict, or what `load` takes. The publisher is seen from the names of the tensors; `publisher`
    insists on one. Every tensor of both sides is used exactly once, or InputError names those that are not, and
    the network stays as it was. What may differ:

    - the classes: the last layer stays as it was initialised;
    - the channels of the image: each gets the mean over red, green and blue times 3 / channels, so that a grey
      image gives what it gives in three equal channels;
    - the size of the image: learned positions on a grid are interpolated, as `GridPosition` does;
    - ε of batch norm, where the publisher's is known: the variances make up for it;
    - counters of batches are ignored.
    """
    if any(x.is_meta for x in model.state_dict().values()):
        raise InputError("a network on the meta device has no memory for weights", fix="build it on the CPU")
    values, loaded = _match(model, source, publisher)
    own = model.state_dict()
    with torch.no_grad():
        for key, value in values.items():
            own[key].copy_(value)
    return loaded


def match(model: nn.Module, source: Mapping[str, Tensor] | str | Path, publisher: str | None = None) -> Loaded:
    """What `load_into` would do, without doing it: for a network on the meta device too."""
    return _match(model, source, publisher)[1]


def _match(
    model: nn.Module, source: Mapping[str, Tensor] | str | Path, publisher: str | None
) -> tuple[dict[str, Tensor], Loaded]:
    own = {key: x for key, x in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    everything = load(source) if isinstance(source, str | Path) else source
    given = {key: x for key, x in everything.items() if not key.endswith("num_batches_tracked")}
    maps = maps_of(model)
    scores: Mapping[str, int] = getattr(maps, "SCORES", HEAD)
    shapes = {key: tuple(x.shape) for key, x in own.items()}
    shapes |= {key: (0, 0) for key in maps.CLASSIFIER if key not in own}
    publisher, theirs, mapping = recognise(maps, shapes, given, publisher)

    used = [name for keys in mapping.values() for name in names_of(keys)]
    known = set(used)
    assert len(used) == len(known), f"the map of {publisher} uses a tensor twice"
    spare = [key for key in theirs if key not in known]
    left_out = dict.fromkeys(unused(maps, publisher, spare), "serves no class score")
    adapted: dict[str, str] = {}
    values: dict[str, Tensor] = {}
    missing = []
    for key, target in own.items():
        names = names_of(mapping[key])
        absent = [name for name in names if name not in theirs]
        if absent and key in scores:
            left_out[key] = "stays as it was: the weights have no class scores"
        elif absent:
            missing += absent
        else:
            value = torch.cat([theirs[name] for name in names]) if len(names) > 1 else theirs[names[0]]
            if key in scores and len(value) != len(target):
                here, there = len(target) // scores[key], len(value) // scores[key]
                left_out[key] = f"stays as it was: {here} classes instead of {there}"
            else:
                values[key], note = _fitted(model, key, value, own)
                adapted |= {key: note} if note else {}
    headless = [name for key in maps.CLASSIFIER if key not in own for name in names_of(mapping[key])]
    left_out |= {name: "the network has no classifier" for name in headless if name in theirs}
    extra = sorted(set(spare) - left_out.keys())
    if missing or extra:
        raise InputError(_difference(missing, extra), where=publisher, fix="is it the same variant of the family?")

    if hasattr(maps, "epsilon"):
        adapted |= _levelled(model, values, maps.epsilon(publisher, everything))
    usual = maps.images(publisher, shapes) if hasattr(maps, "images") else Input()
    prepared = (input_of(source) if isinstance(source, str | Path) else None) or usual
    if usual.crop is None:  # which a configuration does not say
        prepared = replace(prepared, crop=None)
    first = next(iter(scores), None)
    number = len(values[first]) // scores[first] if first in values else 0
    classes = getattr(maps, "classes", _imagenet)(number)
    return values, Loaded(publisher, tuple(values), adapted, left_out, prepared, classes)


def _imagenet(number: int) -> tuple[str, ...]:
    return class_names() if number == 1000 else ()


def _levelled(model: nn.Module, values: dict[str, Tensor], theirs: float | None) -> dict[str, str]:
    """Variances such that σ² + ε is what it is in the publisher's network, and what was done."""
    changed: list[float] = []
    for key in [key for key in values if key.endswith("running_var")]:
        norm: Any = model.get_submodule(key.rpartition(".")[0])
        ours = norm.eps
        if theirs is not None and theirs != ours:
            values[key] = values[key] + (theirs - ours)
            changed.append(ours)
    if not changed:
        return {}
    what = f"in {len(changed)} norms {theirs} − {changed[0]} is added"
    return {"running_var": f"{what}, since ε is {theirs} there, {changed[0]} here"}


def _fitted(model: nn.Module, key: str, value: Tensor, own: Mapping[str, Tensor]) -> tuple[Tensor, str]:
    """The published tensor in the shape of ours, and what was done for it."""
    target, module = own[key], model.get_submodule(key.rpartition(".")[0])
    if isinstance(module, GridPosition):
        value = value.reshape(-1, value.shape[-1])
        if value.shape != target.shape and value.shape[1] == target.shape[1]:
            side = isqrt(len(value) - module.prefix)
            if side * side == len(value) - module.prefix:
                note = f"positions interpolated from {side} × {side} to {module.grid[0]} × {module.grid[1]}"
                return _resized(value, module.prefix, (side, side), module.grid), note
    first = next(name for name, x in own.items() if x.ndim == 4)
    if key == first and value.ndim == 4 and value.shape[1] == 3 != target.shape[1]:
        channels = target.shape[1]
        value = value.mean(1, keepdim=True).expand(-1, channels, -1, -1) * (3 / channels)
        note = f"{channels} channels, each the mean over red, green and blue times 3/{channels}"
        if value.shape == target.shape:
            return value, note
    flat = value.ndim == 4 and target.ndim == 2 and value.flatten(1).shape == target.shape  # over all of a map
    if not flat and [n for n in value.shape if n != 1] != [n for n in target.shape if n != 1]:
        what = f"{key} is {tuple(target.shape)} here and {tuple(value.shape)} there"
        raise InputError(what, fix="is it the same variant of the family?")
    return value.reshape(target.shape), ""


def _resized(weight: Tensor, prefix: int, old: tuple[int, int], new: tuple[int, ...]) -> Tensor:
    cells = weight[prefix:].float().T.reshape(1, -1, *old)
    cells = F.interpolate(cells, size=tuple(new), mode="bicubic", antialias=True)
    return torch.cat([weight[:prefix].float(), cells.flatten(2)[0].T])


def _difference(missing: list[str], extra: list[str]) -> str:
    parts = []
    for words, names in (("there are no {}", missing), ("nothing here is {}", extra)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            parts.append(words.format(", ".join(names[:3]) + more))
    return "; ".join(parts)
