"""An ONNX file as a Blueprint: read as data, nothing of it is run."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint

Shape = Sequence[int]


def inspect_onnx(
    path: str | Path, inputs: Sequence[Shape] | Mapping[str, Shape] | None = None, batch: int | None = None
) -> Blueprint:
    """The Blueprint of an ONNX file: its nodes in the exporter's scopes, with shapes, parameters, MACs and memory.

    inputs: whole shapes, in the file's order or by name; needed only where the file leaves sizes open, which are
    guessed otherwise, as `Blueprint.notes` says; a first size of −1 is the batch · batch: of open first dimensions.

    Weights beside the file (external data) need not be there. InputError where the file is no ONNX model, where a
    shape is not one that the file takes, or where the package onnx is missing.
    """
    if find_spec("onnx") is None:
        raise InputError("reading it takes the package onnx", where=str(path), fix="pip install netwright[onnx]")
    from netwright.inspect.onnx.read import read
    from netwright.inspect.onnx.rows import blueprint

    return blueprint(read(Path(path), inputs, batch))


__all__ = ["inspect_onnx"]
