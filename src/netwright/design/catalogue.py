"""What there is, as plain data: families(), presets(), blocks()."""

import functools
import math
from typing import Any

from netwright.design.entry import Entry, Parameter
from netwright.design.errors import DesignError
from netwright.design.library import registry
from netwright.design.ranges import ANY
from netwright.design.types import takes_number


def families() -> list[dict[str, Any]]:
    """Every family: name, modality, one line of what it is, its parameters, its presets' names."""
    return [
        {
            "name": e.name,
            "modality": e.modality,
            "class": f"{e.cls.__module__}.{e.cls.__qualname__}",
            "doc": e.doc,
            "parameters": _parameters(e),
            "presets": [e.preset_name(p) for p in e.presets],
        }
        for e in registry().families.values()
    ]


def presets() -> list[dict[str, Any]]:
    """Every preset: the name that build() takes, its arguments, published parameter count and source."""
    return [
        {
            "name": name,
            "family": entry.name,
            "modality": entry.modality,
            "args": entry.presets[preset].get("args", {}),
            "inputs": entry.presets[preset].get("inputs", {}),
            "params": entry.presets[preset].get("params"),
            "source": entry.presets[preset].get("source", ""),
        }
        for name, (entry, preset) in registry().presets.items()
    ]


def blocks() -> list[dict[str, Any]]:
    """Every block, by the kind of slot that it fits ("block" where it fits none)."""
    return [
        {
            "name": e.name,
            "kind": e.kind,
            "class": f"{e.cls.__module__}.{e.cls.__qualname__}",
            "doc": e.doc,
            "parameters": _parameters(e),
        }
        for e in registry()
        if e.kind != "family"
    ]


def _parameters(entry: Entry) -> list[dict[str, Any]]:
    return [_parameter(p) for p in entry.settable.values()]


def _parameter(p: Parameter) -> dict[str, Any]:
    has_range = takes_number(p.type) and p.range != ANY
    return {
        "name": p.name,
        "type": str(p.type),
        "required": p.required,
        "default": None if p.required else default_data(p.default),
        "range": str(p.range) if has_range else None,
        "slot": p.slot.kind if p.slot else None,
    }


def default_data(value: Any) -> Any:
    """A default as YAML would say it: a slot's by its registered name."""
    if isinstance(value, type | functools.partial):
        try:
            found = registry().name_of(value)
        except DesignError:
            return getattr(value, "__name__", repr(value))
        if isinstance(found, dict):
            return {k: {n: default_data(v) for n, v in args.items()} for k, args in found.items()}
        return found
    if isinstance(value, list | tuple):
        return [default_data(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, int | float | str | bool | None) else repr(value)
