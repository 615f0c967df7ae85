"""Whose tensors they are, by their names."""

import importlib
import importlib.util
import re
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType

from torch import Tensor, nn

from netwright.errors import InputError
from netwright.weights.maps import Keys


def maps_of(model: nn.Module) -> ModuleType:
    """The file of maps of the model's family, which is named like it."""
    family = type(model).__module__.rpartition(".")[2]
    name = f"netwright.weights.maps.{family}"
    if not type(model).__module__.startswith("netwright.families.") or importlib.util.find_spec(name) is None:
        raise InputError(f"no published weights are known for {type(model).__name__}")
    return importlib.import_module(name)


def recognise(
    maps: ModuleType, shapes: dict[str, tuple[int, ...]], given: Mapping[str, Tensor], publisher: str | None
) -> tuple[str, dict[str, Tensor], dict[str, Keys]]:
    """The publisher whose names the tensors have, the tensors by their newest names, and the map."""
    if publisher is not None and publisher not in maps.MAPS:
        raise InputError(f"no map of publisher {publisher!r}", fix=f"there are maps of {', '.join(maps.MAPS)}")
    best = None
    for name in [publisher] if publisher else list(maps.MAPS):
        theirs = _split(given, getattr(maps, "SPLIT", {}).get(name))
        for pattern, replacement in getattr(maps, "RENAMED", {}).get(name, []):
            theirs = {re.sub(pattern, replacement, key): value for key, value in theirs.items()}
        mapping = maps.MAPS[name](shapes)
        found = sum(n in theirs for keys in mapping.values() for n in names_of(keys))
        found += len(unused(maps, name, theirs)) if found else 0
        if best is None or found > best[0]:
            best = found, name, theirs, mapping
    assert best is not None
    if not best[0]:
        some = ", ".join(list(given)[:3])
        what = f"the tensors ({some}, …) have the names of no known publisher"
        raise InputError(what, fix=f"known are {', '.join(maps.MAPS)}")
    return best[1:]


def unused(maps: ModuleType, publisher: str, names: Iterable[str]) -> list[str]:
    """Those of the publisher's tensors that our families have no place for."""
    pattern = getattr(maps, "UNUSED", {}).get(publisher)
    return [name for name in names if pattern and re.search(pattern, name)]


def _split(given: Mapping[str, Tensor], rule: tuple[str, Sequence[str]] | None) -> dict[str, Tensor]:
    """Those tensors that the pattern finds in equal parts along the first axis, each by its replacement."""
    if rule is None:
        return dict(given)
    out: dict[str, Tensor] = {}
    for key, value in given.items():
        if re.search(rule[0], key) and len(value) % len(rule[1]) == 0:
            parts = value.chunk(len(rule[1]))
            out |= {re.sub(rule[0], name, key): part for name, part in zip(rule[1], parts, strict=True)}
        else:
            out[key] = value
    return out


def names_of(keys: Keys) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else keys
