"""build: a name, a Spec, a dict or a design file → nn.Module."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from torch import nn

from netwright.design.errors import DesignError, show
from netwright.design.resolve import Resolved, as_argument, resolve, resolve_inputs
from netwright.design.spec import Spec

# how a constructor refuses arguments that don't go together: blocks by a ValueError, torch by any of these
REFUSALS = (ValueError, RuntimeError, ArithmeticError, AssertionError, MemoryError)


def build(
    target: "str | os.PathLike[str] | Spec | Mapping[str, Any]",
    /,
    *,
    inputs: Mapping[str, Any] | None = None,
    **given: Any,
) -> nn.Module:
    """The module that a name, Spec, dict or design file describes, with `given` arguments over it.

        build("resnet50", num_classes=10)
        build("vit:base", num_classes=10, mixer={"attention": {"num_heads": 6}})
        build({"vit": {"dim": 192, "depth": 12, "norm": "rmsnorm"}})
        build("design.yaml")

    A given argument replaces the preset's as a whole: a slot given anew keeps none of the preset's arguments.
    `inputs` are the data's (num_classes, image_size, num_features, …): a family takes those that it has use
    for. Without them a preset has the inputs of its paper. Weights are random, by torch's global generator.
    """
    if _is_design(target):
        from netwright.design.design import Design

        path = cast("str | os.PathLike[str]", target)
        design = Design.from_data(target) if isinstance(target, Mapping) else Design.load(path)
        design.inputs = {**design.inputs, **(inputs or {})}
        return design.build(**given)
    spec = Spec.from_data(target)
    if inputs is not None:
        return make(resolve_inputs(spec.replace(**given), inputs))
    return make(resolve(spec, given, example_inputs=True))


def make(resolved: Resolved) -> nn.Module:
    """Call the constructor; what it refuses is an error at the place in the design that it concerns."""
    args = {name: as_argument(value) for name, value in resolved.args.items()}
    try:
        return resolved.entry.cls(**args)
    except REFUSALS as error:
        place = _place(error, resolved)
        what = f"{place.entry.cls.__name__} can't be built: {_words(error)}"
        raise DesignError(what, where=place.where, value=place.args) from error


def _is_design(target: Any) -> bool:
    if isinstance(target, Mapping):
        return "netwright" in target
    if isinstance(target, str):
        return target.lower().endswith((".yaml", ".yml")) or "/" in target or os.sep in target
    if isinstance(target, Path | os.PathLike):
        return True
    if not isinstance(target, Spec):
        raise DesignError(f"{show(target)} can't be built", fix="give a name, a Spec, a dict or a file")
    return False


def _place(error: BaseException, resolved: Resolved) -> Resolved:
    """The innermost part of the design whose constructor was running, by the objects on the traceback."""
    by_class = {part.entry.cls: part for part in _parts(resolved)}
    place, trace = resolved, error.__traceback__
    while trace is not None:
        owner = type(trace.tb_frame.f_locals.get("self"))
        place = by_class.get(owner, place)
        trace = trace.tb_next
    return place


def _parts(value: Any) -> Iterator[Resolved]:
    if isinstance(value, Resolved):
        yield value
        for inner in value.args.values():
            yield from _parts(inner)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


def _words(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
