"""Published tensors into a family, each exactly once; what does not fit as it is, is adapted, and said."""

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.grid_position import GridPosition
from netwright.errors import InputError
from netwright.weights.input import Input
from netwright.weights.load import input_of, load
from netwright.weights.maps import Keys

HEAD = ("head.weight", "head.bias")  # the scores of the classes, in every family


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
    - counters of batches are ignored.
    """
    own = {key: x for key, x in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    if any(x.is_meta for x in own.values()):
        raise InputError("a network on the meta device has no memory for weights", fix="build it on the CPU")
    given = load(source) if isinstance(source, str | Path) else source
    given = {key: x for key, x in given.items() if not key.endswith("num_batches_tracked")}
    maps = maps_of(model)
    shapes = {key: tuple(x.shape) for key, x in own.items()}
    shapes |= {key: (0, 0) for key in maps.CLASSIFIER if key not in own}
    publisher, theirs, mapping = _recognise(maps, shapes, given, publisher)

    unused = getattr(maps, "UNUSED", {}).get(publisher)
    left_out = {key: "serves no class score" for key in theirs if unused and re.search(unused, key)}
    adapted: dict[str, str] = {}
    values: dict[str, Tensor] = {}
    missing = []
    for key, target in own.items():
        names = _names(mapping[key])
        absent = [name for name in names if name not in theirs]
        if absent and key in HEAD:
            left_out[key] = "stays as it was: the weights have no class scores"
        elif absent:
            missing += absent
        else:
            value = torch.cat([theirs[name] for name in names]) if len(names) > 1 else theirs[names[0]]
            if key in HEAD and len(value) != len(target):
                left_out[key] = f"stays as it was: {len(target)} classes instead of {len(value)}"
            else:
                values[key], note = _fitted(model, key, value, own)
                adapted |= {key: note} if note else {}
    headless = [name for key in maps.CLASSIFIER if key not in own for name in _names(mapping[key])]
    left_out |= {name: "the network has no classifier" for name in headless if name in theirs}
    used = [name for keys in mapping.values() for name in _names(keys)]
    assert len(used) == len(set(used)), f"the map of {publisher} uses a tensor twice"
    extra = sorted(theirs.keys() - set(used) - left_out.keys())
    if missing or extra:
        raise InputError(_difference(missing, extra), where=publisher, fix="is it the same variant of the family?")

    with torch.no_grad():
        for key, value in values.items():
            own[key].copy_(value)
    known = input_of(source) if isinstance(source, str | Path) else None
    if known is None:
        known = maps.images(publisher, shapes) if hasattr(maps, "images") else Input()
    return Loaded(publisher, tuple(values), adapted, left_out, known)


def maps_of(model: nn.Module) -> ModuleType:
    """The file of maps of the model's family, which is named like it."""
    family = type(model).__module__.rpartition(".")[2]
    name = f"netwright.weights.maps.{family}"
    if not type(model).__module__.startswith("netwright.families.") or importlib.util.find_spec(name) is None:
        raise InputError(f"no published weights are known for {type(model).__name__}")
    return importlib.import_module(name)


def _recognise(
    maps: ModuleType, shapes: dict[str, tuple[int, ...]], given: Mapping[str, Tensor], publisher: str | None
) -> tuple[str, dict[str, Tensor], dict[str, Keys]]:
    """The publisher whose names the tensors have, the tensors by their newest names, and the map."""
    if publisher is not None and publisher not in maps.MAPS:
        raise InputError(f"no map of publisher {publisher!r}", fix=f"there are maps of {', '.join(maps.MAPS)}")
    best = None
    for name in [publisher] if publisher else list(maps.MAPS):
        theirs = dict(given)
        for pattern, replacement in getattr(maps, "RENAMED", {}).get(name, []):
            theirs = {re.sub(pattern, replacement, key): value for key, value in theirs.items()}
        mapping = maps.MAPS[name](shapes)
        found = sum(n in theirs for keys in mapping.values() for n in _names(keys))
        if best is None or found > best[0]:
            best = found, name, theirs, mapping
    assert best is not None
    if not best[0]:
        some = ", ".join(list(given)[:3])
        what = f"the tensors ({some}, …) have the names of no known publisher"
        raise InputError(what, fix=f"known are {', '.join(maps.MAPS)}")
    return best[1:]


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
    if [n for n in value.shape if n != 1] != [n for n in target.shape if n != 1]:
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


def _names(keys: Keys) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else keys
