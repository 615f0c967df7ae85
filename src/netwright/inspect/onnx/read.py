"""An ONNX file's graph with its inputs' sizes settled: those of the file, those given, and for the rest a guess."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx import TensorProto, inliner

from netwright.errors import InputError
from netwright.inspect.guess import LENGTH, SIDE
from netwright.inspect.onnx.graph import Graph, Value, parsed

Shape = Sequence[int]
BATCH = -1  # a given first size that stands for the batch
Size = int | str  # as a file says it: a number, or a name ("" where it has none)


def read(path: Path, inputs: Sequence[Shape] | Mapping[str, Shape] | None, batch: int | None) -> Graph:
    """The graph laid out; InputError as `inspect_onnx` says."""
    model = _model(path)
    if model.functions:
        model = inliner.inline_local_functions(model)
    graph = Graph(model, path.parent, str(path))
    stored = {tensor.name for tensor in model.graph.initializer}
    infos = [info for info in model.graph.input if info.name not in stored]
    shapes = _Sizes(str(path), {info.name: _said(info.type) for info in infos}, batch)
    if inputs is not None:
        shapes.take(inputs)
    for info in infos:
        kind = info.type.tensor_type.elem_type
        is_tensor = info.type.WhichOneof("value") == "tensor_type"
        value = Value(info.name, kind, shapes.of(info.name, kind)) if is_tensor else Value(info.name, other=info.type)
        graph.inputs.append(value)
    if shapes.guessed:
        sizes = ", ".join(f"{name} = {size}" for name, size in shapes.guessed.items())
        graph.notes.append(f"sizes that the file leaves open were guessed: {sizes}")
    graph.lay_out()
    return graph


def _model(path: Path) -> Any:
    if not path.is_file():
        raise InputError("is a folder" if path.is_dir() else "there is no such file", where=str(path))
    try:
        model = parsed(path)
    except Exception as error:
        raise InputError(f"is no ONNX model, or only a part of one: {error}", where=str(path)) from None
    if not (model.ir_version and model.graph.node):
        raise InputError("is no ONNX model: there is no graph in it", where=str(path))
    return model


def _said(type_: Any) -> list[Size] | None:
    tensor = type_.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in tensor.shape.dim]


class _Sizes:
    """The names of open sizes and what they stand for; one name is one size in every input."""

    def __init__(self, where: str, said: dict[str, list[Size] | None], batch: int | None):
        self.where, self.said, self.batch = where, said, batch
        self.known: dict[str, int] = {}
        self.given: dict[str, list[int]] = {}
        self.guessed: dict[str, int] = {}

    def take(self, inputs: Sequence[Shape] | Mapping[str, Shape]) -> None:
        """Shapes that the person gave, in order or by name; those of the file hold where it says numbers."""
        if not isinstance(inputs, Mapping):
            if len(inputs) > len(self.said):
                raise InputError(f"{len(inputs)} inputs for {len(self.said)}", where=self.where, fix=self._takes())
            inputs = dict(zip(self.said, inputs, strict=False))
        for name, shape in inputs.items():
            said = self.said.get(name, [])
            if shape and shape[0] == BATCH:
                shape = [self._first(name), *shape[1:]]
            fits = said is None or (
                len(said) == len(shape)
                and all(isinstance(a, str) or a == b for a, b in zip(said, shape, strict=True))
                and all(self.known.get(a, b) == b for a, b in zip(said, shape, strict=True) if isinstance(a, str) and a)
            )
            if name not in self.said or not fits:
                words = "×".join(map(str, shape))
                raise InputError(f"{name} of {words} does not fit the file", where=self.where, fix=self._takes())
            self.given[name] = list(shape)
            self.known |= {a: b for a, b in zip(said or [], shape, strict=False) if isinstance(a, str) and a}

    def of(self, name: str, kind: int) -> tuple[int, ...]:
        if name in self.given:
            return tuple(self.given[name])
        said = self.said[name]
        if said is None:
            raise InputError(f"the file does not say the shape of {name}", where=self.where, fix="give it by --input")
        if said and isinstance(said[0], int):
            self._first(name)
        return tuple(self._size(one, place, len(said), kind, name) for place, one in enumerate(said))

    def _first(self, name: str) -> int:
        """The batch: the file's, and where it leaves that open the one asked for."""
        first = (self.said.get(name) or [""])[0]
        if isinstance(first, str):
            return self.batch or 1
        if self.batch not in (None, 1, first):
            fix = "leave --batch out, or export the file with an open first axis"
            raise InputError(f"{self.where} fixes {name} at {first} along its first axis", where="--batch", fix=fix)
        return first

    def _size(self, said: Size, place: int, rank: int, kind: int, name: str) -> int:
        if isinstance(said, int):
            return said
        if said and (known := self._worked_out(said)) is not None:
            return known
        likely = self._likely(said.lower(), place, rank, kind)
        if place or self.batch is None:
            self.guessed[said or f"{name}[{place}]"] = likely
        if said:
            self.known[said] = likely
        return likely

    def _worked_out(self, said: str) -> int | None:
        """Of "past_sequence_length + sequence_length" where the parts are known."""
        parts = [part.strip() for part in said.split("+")]
        sizes = [int(part) if part.isdigit() else self.known.get(part) for part in parts]
        if None in sizes and len(parts) > 1:  # a sum of names of which a later input says one
            sizes = [
                self._likely(part, 1, 2, TensorProto.INT64) if size is None else size
                for part, size in zip(parts, sizes, strict=True)
            ]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def _likely(self, said: str, place: int, rank: int, kind: int) -> int:
        if "past" in said:
            return 0  # nothing was said before: the prompt
        if place == 0 or said.startswith("batch"):
            return self.batch or 1
        if re.search(r"height|width|size", said) or (rank == 4 and kind in _PIXELS and "seq" not in said):
            return SIDE
        return LENGTH

    def _takes(self) -> str:
        shapes = (f"{name} {'×'.join(map(str, said or ['any']))}" for name, said in self.said.items())
        return f"the file takes {', '.join(shapes)}"


_PIXELS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.UINT8)
