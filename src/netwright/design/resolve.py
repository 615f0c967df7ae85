"""A Spec against the registry: every name known, every value right, or the path of the one that isn't."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netwright.design.entry import Entry
from netwright.design.errors import DesignError, at, show, unknown_name
from netwright.design.library import registry
from netwright.design.spec import Spec
from netwright.design.types import OPAQUE, Slot, check

# what the data decide, by modality: a design has them under `inputs`, for whichever family it names
CONTRACT: dict[str, tuple[str, ...]] = {
    "vision": ("in_channels", "image_size", "num_classes"),
    "segmentation": ("in_channels", "image_size", "num_classes"),
    "detection": ("in_channels", "image_size", "num_classes"),
    "tabular": ("num_features", "cardinalities", "num_classes"),
    "pretraining": ("in_channels", "image_size"),
    "text": ("vocab_size", "max_length", "num_classes"),
}

MAX_NESTING = 32


@dataclass(frozen=True, eq=False)
class Resolved:
    """A checked Spec: the class, and its arguments with what stands in slots resolved in turn."""

    entry: Entry
    preset: str | None
    args: dict[str, Any]
    where: str

    def factory(self) -> Any:
        """What goes into a slot: the class, or a partial of it."""
        args = {name: as_argument(value) for name, value in self.args.items()}
        return functools.partial(self.entry.cls, **args) if args else self.entry.cls


def as_argument(value: Any) -> Any:
    """A checked value as the constructor takes it."""
    if isinstance(value, Resolved):
        return value.factory()
    if isinstance(value, list | tuple):
        return type(value)(map(as_argument, value))
    return value


def resolve(
    spec: Spec,
    given: Mapping[str, Any] | None = None,
    *,
    where: str = "model",
    families_only: bool = False,
    example_inputs: bool = False,
) -> Resolved:
    """A family (or block) with all its arguments: the preset's, under the Spec's, under `given`.

    `example_inputs` lays the preset's own inputs (as many columns as the paper's table has) under everything.
    """
    names = registry()
    entry, preset = (names.family if families_only else names.any)(spec.name, where)
    path = at(where, spec.name)
    stored = entry.presets[preset] if preset is not None else {}
    usual = {k: v for k, v in stored.get("inputs", {}).items() if example_inputs and k in entry.settable}
    layers = [usual, stored.get("args", {}), spec.args]
    merged = {k: v for layer in layers for k, v in Spec(spec.name, layer).args.items()}
    args = _check_args(entry, {**merged, **Spec(spec.name, dict(given or {})).args}, path, [], 0)
    return Resolved(entry, preset, args, path)


def resolve_inputs(spec: Spec, inputs: Mapping[str, Any], *, where: str = "model") -> Resolved:
    """A family fed by data: `inputs` are the data's (`CONTRACT`); it takes those that it has use for.

    An input that no family of the modality knows, or that the model says otherwise, is an error.
    """
    entry, _ = registry().family(spec.name, where)
    contract = CONTRACT.get(entry.modality or "", ())
    inputs = Spec(spec.name, dict(inputs)).args
    for name, value in inputs.items():
        if name not in contract and name not in entry.settable:
            known = dict.fromkeys((*contract, *entry.settable))
            raise unknown_name(name, known, what=f"input of {entry.name}", where="inputs")
        if name in spec.args and spec.args[name] != value:
            fix = f"leave it out here; inputs.{name} is {show(value)}"
            path = at(at(where, spec.name), name)
            raise DesignError(f"{show(spec.args[name])} is not what the data give", where=path, fix=fix)
    taken = {name: value for name, value in inputs.items() if name in entry.settable}
    for name, value in taken.items():
        p = entry.settable[name]
        check(value, p.type, at("inputs", name), p.range)
    return resolve(spec, taken, where=where, families_only=True)


def _check_args(entry: Entry, args: Mapping[str, Any], path: str, taken: list[str], depth: int) -> dict[str, Any]:
    if depth > MAX_NESTING:
        raise DesignError(f"is nested more than {MAX_NESTING} deep", where=path)

    def in_slot(value: Any, slot: Slot, where: str) -> Resolved:
        inner = Spec.from_data(value, where)
        block, preset = registry().block(inner.name, slot.kind, where)
        where = at(where, inner.name)
        stored = block.presets[preset].get("args", {}) if preset is not None else {}
        merged = {**Spec(inner.name, stored).args, **inner.args}
        return Resolved(block, preset, _check_args(block, merged, where, block.given(slot.arity), depth + 1), where)

    out = {}
    for name, value in args.items():
        where = at(path, name)
        if name in taken:
            fix = "leave it out; the block around it gives it"
            raise DesignError(f"{name} is not set here", where=where, fix=fix, value=value)
        if name not in entry.parameters:
            known = [n for n in entry.settable if n not in taken]
            raise unknown_name(name, known, what=f"argument of {entry.name}", where=path)
        parameter = entry.parameters[name]
        if parameter.type == OPAQUE:
            raise DesignError(f"{name} can be set in Python only", where=where, value=value)
        out[name] = check(value, parameter.type, where, parameter.range, in_slot)
    for name, parameter in entry.parameters.items():
        if parameter.required and name not in out and name not in taken:
            fix = f"give {name}: {parameter.type}, {parameter.range}"
            allowed = f"{parameter.type}, {parameter.range}"
            raise DesignError(f"{name} is missing", where=path, fix=fix, allowed=allowed)
    return out
