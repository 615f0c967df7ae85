"""The verb: what any network is and costs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from netwright.design.quantity import parse
from netwright.errors import InputError
from netwright.inspect import Blueprint, Fit, Saving, add_latency, inspect_onnx, sight, training_hours
from netwright.inspect import inspect as capture
from netwright.inspect import largest_batch as fitted
from netwright.inspect import savings as saved
from netwright.inspect import symbolic as symbols_of
from netwright.inspect.devices import device as device_of
from netwright.inspect.fakes import mapped
from netwright.inspect.figure import Figure
from netwright.inspect.tensors import Inputs
from netwright.workbench import targets
from netwright.workbench.growth import asked, growth_of

BATCH = -1  # as inspect_onnx is told it
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def inspect(
    target: str | Path | nn.Module,
    inputs: Inputs | str | list[str] | None = None,
    *,
    train: bool = False,
    batch: int = 1,
    optimizer: str = "adamw",
    dtype: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    symbolic: bool = False,
    growth: str | None = None,
    field: bool = False,
) -> Blueprint:
    """The Blueprint of a module, of an ONNX file, or of the network that `targets` finds by its name.

    inputs: tensors, or shapes in words without the batch ("3,224,224", "128:int"); guessed where not given ·
    train: a training step with the state of `optimizer` · batch: of inputs that are not given as tensors ·
    dtype: fp32, bf16 or fp16, of weights and floating inputs.

    What else is asked for: device: "here", to measure latency on this machine with so many PyTorch `threads`, or a name
    of `netwright list devices`, to estimate it · symbolic: its sizes as expressions in the batch, the length or the
    resolution, in `Blueprint.symbols` · growth: an axis along which its cost grows (batch, length, resolution, depth,
    width), or with its sizes ("length=512,1024"), in `Blueprint.growth` · field: how far it sees, in `Blueprint.sight`.
    """
    if threads is not None and threads < 1:
        raise InputError(f"{threads} threads are none", where="--threads", fix="give a whole number above 0")
    if growth is not None:
        asked(growth)
    if not isinstance(target, nn.Module) and targets.is_onnx(target):
        refused = {"--train": train, "--dtype": dtype, "--symbolic": symbolic, "--device": device}
        refused |= {"--growth": growth, "--field": field}
        return _of_onnx(target, inputs, batch, refused)
    found, given, kind = _resolved(target, inputs, batch, dtype)
    blueprint = capture(found.module, given, train=train, optimizer=optimizer, dtype=kind, batch=batch)
    blueprint.notes[:0] = found.notes
    if device is not None:
        add_latency(blueprint, found.module, device, optimizer=optimizer, dtype=kind, threads=threads)
    if symbolic:
        blueprint.symbols = symbols_of(found.module, blueprint, blueprint.example)
        if blueprint.symbols is None:
            blueprint.notes.append("no symbols: the forward does not run on fakes")
    if growth is not None:
        options: dict[str, Any] = {"train": train, "optimizer": optimizer, "dtype": kind}
        blueprint.growth = growth_of(found, blueprint.example, growth, device=device, threads=threads, **options)
    if field:
        blueprint.sight = sight(found.module, blueprint, blueprint.example, found.make)
    return blueprint


def savings(
    target: str | Path | nn.Module,
    inputs: Inputs | str | list[str] | None = None,
    *,
    batch: int = 1,
    optimizer: str = "adamw",
    dtype: str | None = None,
    devices: int = 8,
) -> list[Saving]:
    """What would make a training step take less memory; arguments as for `inspect`, and devices to shard over."""
    found, given, kind = _resolved(target, inputs, batch, dtype)
    return saved(found.module, given, optimizer=optimizer, dtype=kind, devices=devices, batch=batch)


def largest_batch(
    target: str | Path | nn.Module,
    memory: int | str,
    inputs: Inputs | str | list[str] | None = None,
    *,
    train: bool = False,
    optimizer: str = "adamw",
    dtype: str | None = None,
) -> Fit:
    """The largest batch whose peak is at most `memory`: bytes, "24GB", or a device's name; else as for `inspect`."""
    if isinstance(memory, int):
        size = memory
    elif memory[:1].isalpha():
        size = device_of(memory, "--fit").memory_bytes
    else:
        size = int(parse(memory, "bytes", "--fit"))
    found, given, kind = _resolved(target, inputs, 2, dtype)
    return fitted(found.module, given, size, train=train, optimizer=optimizer, dtype=kind)


def _resolved(
    target: str | Path | nn.Module, inputs: Inputs | str | list[str] | None, batch: int, dtype: str | None
) -> tuple[targets.Target, Any, torch.dtype | None]:
    """The module, its inputs (None: to be guessed) and the type."""
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
    return found, given, DTYPES[dtype] if dtype else None


def _of_onnx(path: str | Path, inputs: Any, batch: int, refused: dict[str, Any]) -> Blueprint:
    """Of a file that says types and most sizes itself; the inputs give shapes only."""
    for option, value in refused.items():
        if value:
            raise InputError("is for modules, and an ONNX file is a graph", where=option, fix="leave it out")
    given = [inputs] if isinstance(inputs, str | torch.Tensor) else inputs

    def shape(one: Any) -> list[int]:
        return [BATCH, *shaped(one).shape[1:]] if isinstance(one, str) else list(one.shape)

    if isinstance(given, Mapping):
        return inspect_onnx(path, {name: shape(one) for name, one in given.items()}, batch)
    return inspect_onnx(path, None if given is None else [shape(one) for one in given], batch)


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
    return inputs if batch == 1 else mapped(inputs, lambda one: one.expand(batch, *one.shape[1:]).contiguous())


def hours(blueprint: Blueprint, samples: str | int, epochs: float = 1, devices: int = 1) -> Figure:
    """Hours of training on so many samples ("1.28M"), from the latency of a training step."""
    if blueprint.latency is None or not blueprint.train:
        fix = "inspect with --train and --device"
        raise InputError("hours of training need the latency of a training step", where="--samples", fix=fix)
    batch = blueprint.inputs[0][0] if blueprint.inputs and blueprint.inputs[0] else 1
    return training_hours(blueprint.latency, int(parse(samples, "count", "--samples")), batch, epochs, devices)


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
