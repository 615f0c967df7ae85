"""The JSON Schema of a design file (draft 2020-12), from the registry: completion and checks in editors."""

import dataclasses
import json
from typing import Any

from netwright.design.brief import LIMITS, METRIC_NAMES
from netwright.design.catalogue import default_data
from netwright.design.design import VERSION
from netwright.design.entry import Entry, Parameter
from netwright.design.library import SLOT_KINDS, registry
from netwright.design.ranges import Range, range_of
from netwright.design.recipe import Recipe
from netwright.design.resolve import CONTRACT
from netwright.design.section import field_types
from netwright.design.sections import REASON_KEYS, Data, Task
from netwright.design.types import OPAQUE, Choice, Either, Many, Simple, Slot, Type

SIMPLE = {"int": "integer", "float": "number", "bool": "boolean", "text": "string", "null": "null"}
NAMED = {
    "description": "A name, or a name with its arguments",
    "oneOf": [
        {"type": "string", "minLength": 1},
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": {"type": ["object", "null"]},
        },
    ],
}


def json_schema() -> dict[str, Any]:
    """The schema. It knows the canonical names only; `Design.load` also takes `ViT` or `tabular-resnet`."""
    names = registry()
    slots = {e.kind for e in names if e.kind not in ("family", "block")} | _slot_kinds()
    families = {**names.families, **{n: f for n, (f, _) in names.presets.items()}}
    families |= {f"{f.name}:{p}": f for f, p in names.presets.values()}
    defs = {f"family.{e.name}": _arguments(e, 0) for e in names.families.values()}
    for kind in sorted(slots):
        fitting = names.fitting(kind)
        presets = {n: f for n, f in families.items() if f.name in fitting} if kind == "backbone" else fitting
        defs[f"slot.{kind}"] = _named({n: f"{kind}.{e.name}" for n, e in presets.items()})
        defs |= {f"{kind}.{n}": _arguments(e, _arity(kind)) for n, e in fitting.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netwright design",
        "type": "object",
        "required": ["netwright", "model"],
        "additionalProperties": False,
        "properties": {
            "netwright": {"const": VERSION, "description": "The version of the format"},
            "name": {"type": "string", "pattern": r"\S"},
            "task": _section(Task, metric={"enum": [*METRIC_NAMES, None]}),
            "data": _section(Data),
            "inputs": _inputs(),
            "model": _named({n: f"family.{f.name}" for n, f in families.items()}),
            "recipe": _section(Recipe, augment={"type": "array", "items": NAMED}),
            "budget": _budget(),
            "reasons": {"type": ["array", "null"], "items": _reason()},
        },
        "$defs": defs,
    }


def _slot_kinds() -> set[str]:
    found = {p.slot.kind for e in registry() for p in e.parameters.values() if p.slot}
    return found | SLOT_KINDS


def _arity(kind: str) -> int:
    """How many arguments the owners of such slots give."""
    slots = (p.slot for e in registry() for p in e.parameters.values() if p.slot)
    return next((s.arity for s in slots if s.kind == kind), 1)


def _named(refs: dict[str, str]) -> dict[str, Any]:
    """One of these names, or an object with one of them as its key and its arguments as the value."""
    if not refs:
        return {"not": {}, "description": "nothing fits yet"}
    with_arguments = {n: {"anyOf": [{"$ref": f"#/$defs/{r}"}, {"type": "null"}]} for n, r in refs.items()}
    return {
        "oneOf": [
            {"enum": list(refs)},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": with_arguments,
            },
        ]
    }


def _arguments(entry: Entry, arity: int) -> dict[str, Any]:
    """The arguments of a block in a slot, or of a family, whose required ones the data give."""
    given = entry.given(arity) if arity else []
    free = {n: p for n, p in entry.settable.items() if n not in given}
    properties = {n: _parameter(p) for n, p in free.items()}
    return {
        "type": "object",
        "description": entry.doc,
        "additionalProperties": False,
        "properties": properties,
    }


def _parameter(p: Parameter) -> dict[str, Any]:
    out = _type(p.type, p.range)
    default = None if p.required else default_data(p.default)
    if not p.required and (default is None or _is_json(default)):
        out = {**out, "default": default}
    return out


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _type(kind: Type, bounds: Range) -> dict[str, Any]:
    if isinstance(kind, Slot):
        return {"$ref": f"#/$defs/slot.{kind.kind}"}
    if isinstance(kind, Choice):
        return {"enum": list(kind.values)}
    if isinstance(kind, Either):
        return {"anyOf": [_type(o, bounds) for o in kind.options]}
    if isinstance(kind, Many):
        length = {} if kind.length is None else {"minItems": kind.length, "maxItems": kind.length}
        return {"type": "array", "items": _type(kind.item, bounds), **length}
    assert isinstance(kind, Simple)
    number = bounds.schema() if kind.name in ("int", "float") else {}
    return {"type": SIMPLE[kind.name], **number}


def _section(cls: type, **special: dict[str, Any]) -> dict[str, Any]:
    types = {n: t for n, t in field_types(cls).items() if n not in special and t != OPAQUE}
    properties = {n: _type(t, range_of(n)) for n, t in types.items()} | special
    ordered = {f.name: properties[f.name] for f in dataclasses.fields(cls)}
    return {"type": ["object", "null"], "additionalProperties": False, "properties": ordered}


def _inputs() -> dict[str, Any]:
    names = dict.fromkeys(n for contract in CONTRACT.values() for n in contract)
    properties: dict[str, Any] = {}
    for entry in registry().families.values():
        properties |= {n: _type(p.type, p.range) for n, p in entry.settable.items() if n in names}
    return {"type": ["object", "null"], "description": "What the data decide", "properties": properties}


def _budget() -> dict[str, Any]:
    units = {
        "count": r"([kKmMgGbBtT])?",
        "bytes": r"[kKmMgGtT]?i?[bB]?",
        "seconds": r"(us|µs|ms|s|sec|min|m|h|d)",
        "milliseconds": r"(ns|us|µs|ms|s|sec)",
    }
    number = r"\s*[0-9][0-9_]*(\.[0-9]+)?([eE][+-]?[0-9]+)?\s*"
    properties = {}
    for name, (_, kind) in LIMITS.items():
        text = {"type": "string", "pattern": f"^({number}{units[kind]})+\\s*$"}
        count = [{"type": "number", "exclusiveMinimum": 0}] if kind == "count" else []
        properties[name] = {"anyOf": [text, *count, {"type": "null"}]}
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


def _reason() -> dict[str, Any]:
    properties: dict[str, Any] = {key: {"type": "string"} for key in REASON_KEYS}
    properties["confidence"] = {"type": ["string", "number"]}
    return {
        "type": "object",
        "required": ["rule", "text"],
        "additionalProperties": False,
        "properties": properties,
    }
