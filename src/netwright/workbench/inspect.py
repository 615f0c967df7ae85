"""The verb: what any network is and costs."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from netwright.design import Budget
from netwright.design.errors import DesignError
from netwright.errors import InputError
from netwright.inspect import Blueprint
from netwright.inspect import inspect as capture
from netwright.inspect.fakes import mapped
from netwright.inspect.tensors import Inputs
from netwright.workbench import targets

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def inspect(
    target: str | Path | nn.Module,
    inputs: Inputs | str | list[str] | None = None,
    *,
    train: bool = False,
    batch: int = 1,
    optimizer: str = "adamw",
    dtype: str | None = None,
) -> Blueprint:
    """The Blueprint of a module, or of the network that `targets` finds by its name.

    inputs: tensors, or shapes in words without the batch ("3,224,224", "128:int"); guessed where not given ·
    train: a training step with the state of `optimizer` · batch: of inputs that are not given as tensors ·
    dtype: fp32, bf16 or fp16, of weights and floating inputs.
    """
    if batch < 1:
        raise InputError(f"a batch of {batch} is none", where="--batch", fix="give a whole number above 0")
    if dtype is not None and dtype not in DTYPES:
        raise InputError(f"there is no type {dtype!r}", where="--dtype", fix=f"choose of {', '.join(DTYPES)}")
    found = targets.Target(type(target).__name__, target) if isinstance(target, nn.Module) else targets.find(target)
    given: Any = [inputs] if isinstance(inputs, str) else inputs
    if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
        given = tuple(shaped(words, batch) for words in given)
    elif given is None and found.inputs is not None:
        given = widened(found.inputs, batch)
    kind = DTYPES[dtype] if dtype else None
    blueprint = capture(found.module, given, train=train, optimizer=optimizer, dtype=kind, batch=batch)
    blueprint.notes[:0] = found.notes
    return blueprint


def shaped(words: str, batch: int = 1) -> torch.Tensor:
    """ "3,224,224" → floats (batch, 3, 224, 224) on meta; "128:int" → whole numbers (batch, 128)."""
    sizes, _, kind = words.partition(":")
    try:
        shape = [int(size) for size in sizes.replace("x", ",").split(",") if size.strip()]
    except ValueError:
        shape = [-1]
    if any(size < 1 for size in shape) or kind not in ("", "int", "float"):
        fix = "sizes without the batch, as 3,224,224; whole numbers as 128:int"
        raise InputError(f"{words!r} is no shape", where="--input", fix=fix)
    return torch.empty(batch, *shape, dtype=torch.int64 if kind == "int" else torch.float32, device="meta")


def widened(inputs: Any, batch: int) -> Any:
    """Example inputs of one sample, for `batch` of them."""
    return inputs if batch == 1 else mapped(inputs, lambda one: one.expand(batch, *one.shape[1:]))


def draw(
    blueprint: Blueprint, path: str | Path, kind: str = "html", *, title: str = "", depth: int | None = None
) -> Path:
    """Writes the network's picture.

    kind: "html", a page whose groups open and close · "svg", one drawing · "mermaid", a flowchart, in a fence where the
    file is Markdown.
    """
    path = Path(path)
    if kind == "html":
        text = blueprint.html(title)
    elif kind == "svg":
        text = blueprint.svg(depth=depth, title=title)
    else:
        text = blueprint.mermaid(depth=depth, title=title) + "\n"
        text = f"```mermaid\n{text}```\n" if path.suffix in (".md", ".markdown") else text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def over_budget(blueprint: Blueprint, budget: str) -> list[str]:
    """What exceeds "params=5M,flops=10G,memory=100MB,size=20MB", in words; InputError where it is no budget."""
    limits: dict[str, str] = {}
    for part in budget.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            raise DesignError(f"{part!r} is no limit", where="--budget", allowed="params=5M,memory=100MB")
        limits[name.strip()] = value.strip()
    allowed = Budget.parse(where="--budget", **limits)
    counted = {
        "params": blueprint.params,
        "flops": blueprint.flops,
        "memory_bytes": blueprint.peak_memory,
        "size_bytes": blueprint.weights_bytes,
    }
    for name in ("latency", "time"):
        if name in limits:
            raise DesignError(f"{name} is measured, not counted", where="--budget", allowed=", ".join(counted))
    found = ((name, value, getattr(allowed, name)) for name, value in counted.items())
    return [
        f"{name.partition('_')[0]}: {value:,} of {most:,} allowed"
        for name, value, most in found
        if most is not None and value > most
    ]
