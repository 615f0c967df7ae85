"""One block or family as the registry knows it: read from its constructor, which is its schema."""

import inspect
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netwright.design.errors import plain_name
from netwright.design.ranges import CHOICES, Range, range_of
from netwright.design.types import OPAQUE, TEXT, Choice, Slot, Type, read, slot_in

REQUIRED = inspect.Parameter.empty

# torch's own switches of where a module lives and how it computes: no part of an architecture
HIDDEN = frozenset({"device", "dtype", "inplace"})


@dataclass(frozen=True)
class Parameter:
    """One argument of a constructor."""

    name: str
    type: Type
    default: Any  # REQUIRED where there is none
    range: Range
    positional: bool

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def slot(self) -> Slot | None:
        return slot_in(self.type)


@dataclass(frozen=True, eq=False)
class Entry:
    """A block or family. `kind` is "family", the kind of slot that a block fits, or "block"."""

    name: str
    cls: type
    kind: str
    modality: str | None
    parameters: Mapping[str, Parameter]
    takes_anything: bool = False  # torch.nn.Identity: *args
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def doc(self) -> str:
        """The first sentence of the docstring."""
        text = inspect.cleandoc(self.cls.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        text = re.sub(r":\w+:`([^`<]*)[^`]*`", r"\1", text).replace("`", "").strip()
        return re.split(r"(?<=[.])\s", text)[0].rstrip(":")

    @property
    def settable(self) -> dict[str, Parameter]:
        """What a file can set."""
        return {n: p for n, p in self.parameters.items() if p.type != OPAQUE}

    def given(self, arity: int) -> list[str]:
        """What the owner of a slot gives: the first `arity` arguments, and all that have no default."""
        positional = [p.name for p in self.parameters.values() if p.positional]
        required = [p.name for p in self.parameters.values() if p.required]
        return list(dict.fromkeys(positional[:arity] + required))

    def fits(self, arity: int) -> bool:
        """Whether a slot that is called with `arity` arguments can take this class."""
        required = sum(p.required for p in self.parameters.values())
        positional = sum(p.positional for p in self.parameters.values())
        return self.takes_anything or required <= arity <= positional

    def preset_name(self, preset: str) -> str:
        """`resnet50`, as the field says it, or `vit:base`."""
        return f"{self.name}{preset}" if preset[:1].isdigit() else f"{self.name}:{preset}"


def read_class(
    cls: type,
    kind: str,
    name: str = "",
    modality: str | None = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Entry:
    """The entry of a class, from its signature and type hints."""
    hints = _hints(cls)
    parameters, takes_anything = {}, False
    for p in inspect.signature(cls).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            takes_anything = True
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) or p.name in HIDDEN:
            continue
        kind_of = read(hints.get(p.name, REQUIRED), p.default)
        if kind_of == TEXT and p.name in CHOICES:
            kind_of = Choice(CHOICES[p.name])
        parameters[p.name] = Parameter(p.name, kind_of, p.default, range_of(p.name), p.kind is not p.KEYWORD_ONLY)
    name = name or plain_name(cls.__name__)
    return Entry(name, cls, kind, modality, parameters, takes_anything, dict(presets or {}))


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls.__init__, include_extras=True)  # type: ignore[misc]
    except (NameError, TypeError, AttributeError):  # a hint that exists for type checkers only
        raw = {n: p.annotation for n, p in inspect.signature(cls).parameters.items()}
        return {n: a for n, a in raw.items() if a is not REQUIRED and not isinstance(a, str)}
