"""How the cost of a network grows that was found by its name: larger as its family's arguments say."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from netwright.errors import InputError
from netwright.inspect import AXES, Growth, Resize, Resized
from netwright.inspect import growth as grow
from netwright.inspect.growth import OF_INPUTS
from netwright.inspect.resize import resizing, scaled, whole
from netwright.inspect.tensors import Inputs, as_call, tensors_in
from netwright.workbench.targets import Target, on_meta

# A family's arguments that are its depth and its width; the first one that it has is the size.
ARGUMENTS = {"depth": ("depth", "depths"), "width": ("dim", "maps", "embed_dim", "width_mult")}
HEADS = ("num_heads", "num_kv_heads")  # of attention, in any slot: more of them, not larger ones
LARGER, SMALLER = (1.0, 2.0, 4.0), (0.25, 0.5, 1.0)


def growth_of(
    found: Target,
    inputs: Inputs,
    words: str,
    *,
    train: bool = False,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    device: str | None = None,
    threads: int | None = None,
) -> Growth:
    """words: an axis, "resolution", or with sizes, "resolution=160,224,320".

    Without sizes once, twice and four times what is given; where fewer than two of these go, a half and a quarter.
    """
    axis, sizes = asked(words)
    resize = resize_of(found, axis)

    def over(factors: tuple[float, ...]) -> Growth:
        options: dict[str, Any] = {"optimizer": optimizer, "dtype": dtype, "resize": resize}
        options |= {"device": device, "threads": threads}
        return grow(found.module, inputs, axis, factors, train, **options)

    if sizes:
        base = _size(found, inputs, axis, resize)
        return over(tuple(size / base for size in sizes))
    try:
        return over(LARGER)
    except InputError as error:
        try:
            return over(SMALLER)
        except InputError:
            raise error from None


def asked(words: str) -> tuple[str, list[float]]:
    """The axis, and the sizes where they are given."""
    axis, equals, said = words.partition("=")
    if axis not in AXES:
        raise InputError(f"there is no axis {axis!r}", where="--growth", fix=f"one of {', '.join(AXES)}")
    try:
        sizes = [float(size) for size in said.split(",")] if equals else []
    except ValueError:
        sizes = [0.0]
    if equals and (len(sizes) < 2 or min(sizes) <= 0):
        raise InputError(f"{said!r} are no sizes", where="--growth", fix=f"two or more, as {axis}=1,2,4")
    return axis, sizes


def _size(found: Target, inputs: Inputs, axis: str, resize: Resize | None) -> float:
    """The size that the network and the inputs have as they are."""
    if axis not in OF_INPUTS:
        return (resize or resizing(found.module, inputs, axis))(1).size
    shape = next((tensor.shape for tensor in tensors_in(as_call(inputs))), torch.Size())
    place = OF_INPUTS.index(axis)
    return shape[place] if len(shape) > place else 1  # `growth` says that there is no such axis


def resize_of(found: Target, axis: str) -> Resize | None:
    """By the arguments of the family's constructor; None where they don't say."""
    names = [name for name in ARGUMENTS.get(axis, ()) if found.arguments.get(name)]
    make = found.make
    if make is None or not names:
        return None

    def resize(factor: float) -> Resized:
        by = whole(factor, _heads(found.arguments)) if axis == "width" else factor
        given = {name: scaled(found.arguments[name], by) for name in names}
        if axis == "width":
            slots = {name: value for name, value in found.arguments.items() if isinstance(value, Mapping)}
            given |= {name: _with_heads(value, by) for name, value in slots.items() if list(_heads(value))}
        size = given[names[0]]
        return Resized(sum(size) if isinstance(size, list) else size, on_meta(lambda: make(**given)))

    return resize


def _heads(arguments: Mapping[str, Any]) -> Iterator[int]:
    """Every number of heads that is set, in slots within slots."""
    for name, value in arguments.items():
        if name in HEADS and value:
            yield value
        elif isinstance(value, Mapping):
            yield from _heads(value)


def _with_heads(value: Any, by: float) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: scaled(one, by) if name in HEADS and one else _with_heads(one, by) for name, one in value.items()}
