"""What a parameter may be: a Python annotation read into a small type that checks values and has words."""

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from netwright.design.errors import DesignError, at, nearest, show
from netwright.design.ranges import Range


@dataclass(frozen=True)
class Simple:
    """A whole number, a number, true or false, text, null; or `opaque`: an object that no file can give."""

    name: str
    words: str

    def __str__(self) -> str:
        return self.words


INT = Simple("int", "a whole number")
FLOAT = Simple("float", "a number")
BOOL = Simple("bool", "true or false")
TEXT = Simple("text", "text")
NULL = Simple("null", "null")
OPAQUE = Simple("opaque", "an object that only Python code can give")


@dataclass(frozen=True)
class Choice:
    """One of a few values (Literal)."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values))


@dataclass(frozen=True)
class Many:
    """A list; of a fixed length where the annotation is tuple[X, Y]. `make` is what the constructor gets."""

    item: "Type"
    length: int | None = None
    make: type = tuple

    def __str__(self) -> str:
        count = f" of {self.length} items" if self.length is not None else ""
        return f"a list{count}, each {self.item}"


@dataclass(frozen=True)
class Slot:
    """A place for another block; its owner calls it with `arity` arguments."""

    kind: str
    arity: int

    def __str__(self) -> str:
        article = "an" if self.kind[0] in "aeiou" else "a"
        return f"{article} {self.kind} (its name, or {{name: {{arguments}}}})"


@dataclass(frozen=True)
class Either:
    """Any of several types."""

    options: tuple["Type", ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.options))


Type = Simple | Choice | Many | Slot | Either


def read(annotation: Any, default: Any = inspect.Parameter.empty) -> Type:
    """The type that an annotation means. Where there is none, the default's type (torch's older classes)."""
    if annotation is inspect.Parameter.empty:
        return _of_default(default)
    for plain, kind in (
        (int, INT),
        (float, FLOAT),
        (bool, BOOL),
        (str, TEXT),
        (None, NULL),
        (type(None), NULL),
    ):
        if annotation is plain:
            return kind
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _annotated(args)
    if origin in (typing.Union, types.UnionType):
        return _either([read(a) for a in args])
    if origin is typing.Literal:
        return Choice(args)
    if origin in (list, collections.abc.Sequence):
        return _many(read(args[0]), None, list if origin is list else tuple)
    if origin is tuple:
        if len(args) == 2 and args[1] is ...:
            return _many(read(args[0]), None)
        return _many(_either([read(a) for a in args]), len(args))
    return OPAQUE


def _annotated(args: tuple[Any, ...]) -> Type:
    inner, *notes = args
    kind = next((n for n in notes if isinstance(n, str)), None)
    if kind is None or typing.get_origin(inner) is not collections.abc.Callable:
        return read(inner)
    owner = typing.get_args(inner)[0]
    return Slot(kind, len(owner) if isinstance(owner, list) else 0)


def _either(options: list[Type]) -> Type:
    flat = [o for option in options for o in (option.options if isinstance(option, Either) else (option,))]
    usable = tuple(dict.fromkeys(o for o in flat if o != OPAQUE))
    if not usable or (usable == (NULL,) and OPAQUE in flat):  # `Device | None`: null alone sets nothing
        return OPAQUE
    return usable[0] if len(usable) == 1 else Either(usable)


def _many(item: Type, length: int | None, make: type = tuple) -> Type:
    return OPAQUE if item == OPAQUE else Many(item, length, make)


def _of_default(default: Any) -> Type:
    for plain, kind in ((bool, BOOL), (int, INT), (float, FLOAT), (str, TEXT)):
        if isinstance(default, plain):
            return kind
    if isinstance(default, tuple | list) and default:
        return _many(_either([_of_default(d) for d in default]), None, type(default))
    return OPAQUE


def slot_in(kind: Type) -> Slot | None:
    """The slot in a type, be it alone, optional or in a list."""
    if isinstance(kind, Slot):
        return kind
    if isinstance(kind, Many):
        return slot_in(kind.item)
    return next(filter(None, map(slot_in, kind.options)), None) if isinstance(kind, Either) else None


def takes_number(kind: Type) -> bool:
    """Whether a range says something about a value of this type."""
    if isinstance(kind, Many):
        return takes_number(kind.item)
    return any(map(takes_number, kind.options)) if isinstance(kind, Either) else kind in (INT, FLOAT)


def check(
    value: Any, kind: Type, where: str, bounds: Range, slot: Callable[[Any, Slot, str], Any] | None = None
) -> Any:
    """The value, as the constructor takes it, or a DesignError. `slot` resolves what stands in a slot."""
    if isinstance(kind, Either):
        kind = next((o for o in kind.options if _looks_like(value, o)), kind)
    if not _looks_like(value, kind):
        raise _wrong_type(value, kind, where, bounds)
    if isinstance(kind, Slot):
        return slot(value, kind, where) if slot else value
    if isinstance(kind, Many):
        if kind.length is not None and len(value) != kind.length:
            raise DesignError(f"has {len(value)} items", where=where, value=value, allowed=str(kind))
        return kind.make(check(v, kind.item, at(where, i), bounds, slot) for i, v in enumerate(value))
    if kind in (INT, FLOAT) and not _within(value, bounds):
        raise DesignError(f"{show(value)} is out of range", where=where, value=value, allowed=str(bounds))
    return value


def _within(value: float, bounds: Range) -> bool:
    try:
        return value in bounds
    except OverflowError:  # a whole number too long for a float
        return False


def _looks_like(value: Any, kind: Type) -> bool:
    if isinstance(kind, Either):
        return False  # none of its options looked right
    if isinstance(kind, Choice):
        return any(type(value) is type(v) and value == v for v in kind.values)
    if isinstance(kind, Many):
        return isinstance(value, list | tuple)
    if isinstance(kind, Slot):  # Spec and classes are turned into names before they come here
        return isinstance(value, str | dict)
    return {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "float": isinstance(value, int | float) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "text": isinstance(value, str),
        "null": value is None,
    }.get(kind.name, False)


def _wrong_type(value: Any, kind: Type, where: str, bounds: Range) -> DesignError:
    allowed = f"{kind}, {bounds}" if takes_number(kind) and bounds != Range() else str(kind)
    options = kind.options if isinstance(kind, Either) else (kind,)
    words = [str(v) for o in options if isinstance(o, Choice) for v in o.values]
    found = nearest(value, words) if isinstance(value, str) and words else None
    hint = f"did you mean {found}? Allowed: {allowed}" if found else ""
    text = f"{show(value)} is not allowed"
    return DesignError(text, where=where, fix=hint, value=value, allowed=allowed, nearest=found)
