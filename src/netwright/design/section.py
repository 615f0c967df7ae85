"""A part of a design as a frozen dataclass: fields checked by annotation, read from and written as data."""

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from netwright.design.errors import DesignError, at, show, unknown_name
from netwright.design.ranges import range_of
from netwright.design.types import OPAQUE, Type, check, read

T = TypeVar("T")


@functools.cache
def field_types(cls: Any) -> dict[str, Type]:
    """The type of each field. Those of free form are `OPAQUE` and looked after by their class."""
    hints = typing.get_type_hints(cls)
    return {f.name: read(hints[f.name]) for f in dataclasses.fields(cls)}


def check_fields(section: Any, where: str) -> None:
    """For `__post_init__`: every field of the right type and in its range, lists and tuples as annotated."""
    for name, kind in field_types(section.__class__).items():
        if kind != OPAQUE:
            value = check(getattr(section, name), kind, at(where, name), range_of(name))
            object.__setattr__(section, name, value)


def read_section(cls: Callable[..., T], data: Any, where: str) -> T:
    """The section from YAML's mapping; missing keys have their defaults, unknown ones are errors."""
    if data is None:
        return cls()
    if not isinstance(data, Mapping):
        allowed = "{" + ", ".join(f"{n}: …" for n in field_types(cls)) + "}"
        raise DesignError(f"{show(data)} is not allowed", where=where, value=data, allowed=allowed)
    known = list(field_types(cls))
    for name in data:
        if name not in known:
            raise unknown_name(name, known, what=f"key of {where}", where=where)
    return cls(**data)


def section_data(section: Any, *, leave_out_none: bool = False) -> dict[str, Any]:
    """YAML's mapping of a section."""
    found = {f.name: getattr(section, f.name) for f in dataclasses.fields(section)}
    listed = {n: list(v) if isinstance(v, tuple) else v for n, v in found.items()}
    return {n: v for n, v in listed.items() if v is not None or not leave_out_none}
