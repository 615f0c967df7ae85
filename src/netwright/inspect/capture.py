"""The capture: one forward under a dispatch mode and module hooks gives the Blueprint of any nn.Module.

Calls are keyed, not modules: torchvision's blocks call one `self.relu` three times. Edges follow each tensor
to the row that made it; where it was written through another view of its memory, the storage knows who wrote.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint, Edge, Row
from netwright.inspect.macs import has_formula, is_free, macs_of, makes_constants, name_of
from netwright.inspect.measure import evaluating, weights_bytes
from netwright.inspect.tensors import Inputs, as_call, shapes_in, tensors_in

OUTPUT = "output"
Sources = frozenset[int | str]  # rows by index, or "input:0"


def inspect(module: nn.Module, inputs: Inputs) -> Blueprint:
    """The Blueprint of a module for these inputs: a tensor, a tuple of arguments, or a dict of keywords.

    Runs one forward in eval mode without gradients, on CPU or on the meta device (where nothing is computed
    or allocated); the module is left as it was. InputError where the forward fails, naming the module.
    """
    args, kwargs = as_call(inputs)
    capture = _Capture(module)
    with inference(module), capture.hooked(), capture:
        capture.feed((args, kwargs))
        try:
            out = module(*args, **kwargs)
        except Exception as error:
            raise InputError(
                f"the forward failed: {type(error).__name__}: {error}",
                where=_innermost(error, capture.paths) or type(module).__name__,
                fix="give inputs of the shapes, types and device that the module's forward takes",
            ) from error
        capture.finish(out)
    return capture.blueprint((args, kwargs), out)


@contextmanager
def inference(module: nn.Module) -> Iterator[None]:
    """Eval mode, no gradients, no fused transformer path (its operators hide the layers); undone after."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with evaluating(module):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


class MacCounter(TorchDispatchMode):
    """Only the sum: the light half of the capture."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if _is_composite(func):
            with self:
                return func.decompose(*args, **kwargs)
        out = func(*args, **kwargs)
        self.macs += macs_of(func, args, kwargs, out)
        return out


@cache
def _is_composite(func: Any) -> bool:
    """A module that enters inference_mode itself shows whole `matmul` or `lstm` calls: taken apart."""
    composite = torch._C._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")
    return func.namespace == "aten" and composite and not has_formula(func)


@dataclass(slots=True)
class _Frame:
    """A call under way."""

    index: int
    module: nn.Module
    fed: list[tuple[Sources, tuple[int, ...]]]
    written: set[int] = field(default_factory=set)  # ids of storages made or changed inside
    calls_modules: bool = False


class _Capture(TorchDispatchMode):
    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module
        self.paths = {part: path for path, part in module.named_modules()}
        self.rows: list[Row] = []
        self.frames: list[_Frame] = []
        self.ids: Counter[str] = Counter()
        self.first_call: dict[nn.Module, int] = {}
        self.tensors = WeakIdKeyDictionary()  # tensor → (Sources, its version then)
        self.storages = WeakIdKeyDictionary()  # storage → Sources
        self.edges: dict[tuple[int | str, int | str, tuple[int, ...]], None] = {}  # an ordered set
        self.not_counted: dict[str, dict[str, Any]] = {}
        self.inside: set[int] = set()  # rows of operators inside leaf modules, merged into those at the end

    # Modules: a row for each call

    @contextmanager
    def hooked(self) -> Iterator[None]:
        with ExitStack() as handles:
            for part in self.paths:
                before = part.register_forward_pre_hook(self._enter, with_kwargs=True)
                after = part.register_forward_hook(self._leave, with_kwargs=True, always_call=True)
                handles.callback(before.remove)
                handles.callback(after.remove)
            yield

    def _enter(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        if self.frames:
            self.frames[-1].calls_modules = True
        path = self.paths[module]
        index = self._add_row(path, type(module).__name__, "module")
        self.rows[index].inputs = shapes_in((args, kwargs))
        self.first_call.setdefault(module, index)
        fed = [(self._sources_of(tensor), tuple(tensor.shape)) for tensor in tensors_in((args, kwargs))]
        self.frames.append(_Frame(index, module, fed))

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict, out: Any) -> None:
        if not self.frames or self.frames[-1].module is not module:
            return  # an exception in another hook kept its pre-hook from running
        frame = self.frames.pop()
        row = self.rows[frame.index]
        row.outputs = shapes_in(out)
        row.leaf = not frame.calls_modules
        if row.leaf:
            for sources, shape in frame.fed:
                self._connect(sources, frame.index, shape)
            for tensor in tensors_in(out):
                written = _has_storage(tensor) and id(tensor.untyped_storage()) in frame.written
                self._made_by(tensor, frozenset([frame.index]), written)

    def _add_row(self, path: str, cls: str, kind: str) -> int:
        key = path or cls
        self.ids[key] += 1
        count = self.ids[key]
        parent = self.frames[-1].index if self.frames else None
        self.rows.append(
            Row(
                id=key if count == 1 else f"{key}:{count}",
                path=path,
                cls=cls,
                kind=kind,
                depth=len(self.frames),
                parent=parent,
                inputs=[],
                outputs=[],
            )
        )
        return len(self.rows) - 1

    # Operators: MACs, activations, and a row where one joins branches or costs MACs

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if _is_composite(func):
            with self:
                return func.decompose(*args, **kwargs)
        given = list(tensors_in((args, kwargs)))
        fed = [] if makes_constants(func) else [self._sources_of(tensor) for tensor in given]  # before it writes
        out = func(*args, **kwargs)
        if self.frames:
            self._record(func, macs_of(func, args, kwargs, out), given, fed, list(tensors_in(out)))
        return out

    def _record(self, func: Any, macs: int, given: list[Tensor], fed: list[Sources], made: list[Tensor]) -> None:
        if not has_formula(func) and not is_free(func):
            self._miss(func)
        index = self.frames[-1].index
        sources: Sources = frozenset().union(*fed)
        if macs or len(sources) > 1:
            path = self.rows[index].path
            name = name_of(func).lstrip("_")
            index = self._add_row(f"{path}.{name}" if path else name, name, "op")
            row = self.rows[index]
            row.inputs, row.outputs, row.macs = shapes_in(given), shapes_in(made), macs
            for tensor, source in zip(given, fed, strict=True):
                self._connect(source, index, tuple(tensor.shape))
            sources = frozenset([index])
        written = {id(tensor.untyped_storage()): tensor for tensor in made if _has_storage(tensor)}
        old = {id(tensor.untyped_storage()) for tensor in given if _has_storage(tensor)}
        self.rows[index].activation_bytes += sum(
            tensor.untyped_storage().nbytes() for key, tensor in written.items() if key not in old
        )
        if not func._schema.is_mutable:
            written = {key: tensor for key, tensor in written.items() if key not in old}
        self.frames[-1].written.update(written)
        for tensor in made:
            self._made_by(tensor, sources, _has_storage(tensor) and id(tensor.untyped_storage()) in written)

    def _miss(self, func: Any) -> None:
        where = self.rows[self.frames[-1].index].id
        entry = self.not_counted.setdefault(name_of(func), {"op": str(func), "calls": 0, "where": where})
        entry["calls"] += 1

    # Edges

    def feed(self, inputs: Any) -> None:
        for number, tensor in enumerate(tensors_in(inputs)):
            self._made_by(tensor, frozenset([f"input:{number}"]))

    def finish(self, out: Any) -> None:
        for tensor in tensors_in(out):
            self._connect(self._sources_of(tensor), OUTPUT, tuple(tensor.shape))

    def _sources_of(self, tensor: Tensor) -> Sources:
        made = self.tensors.get(tensor)
        if made is not None and made[1] == _version(tensor):
            return made[0]
        return self.storages.get(tensor.untyped_storage(), frozenset()) if _has_storage(tensor) else frozenset()

    def _made_by(self, tensor: Tensor, sources: Sources, written: bool = True) -> None:
        """`written`: not only another view of memory that was there before."""
        self.tensors[tensor] = sources, _version(tensor)
        if written and _has_storage(tensor):
            self.storages[tensor.untyped_storage()] = sources

    def _connect(self, sources: Sources, target: int | str, shape: tuple[int, ...]) -> None:
        for source in sorted(sources, key=str):
            self.edges[source, target, shape] = None

    # What was seen, as a Blueprint

    def blueprint(self, inputs: Any, out: Any) -> Blueprint:
        rows, kept = self._without_insides_of_leaves()
        self._own_parameters(rows, kept)
        for row in reversed(rows):
            if row.parent is not None:
                parent = rows[row.parent]
                parent.params += row.params
                parent.trainable += row.trainable
                parent.buffers += row.buffers
                parent.macs += row.macs
                parent.activation_bytes += row.activation_bytes
        return Blueprint(
            cls=type(self.module).__name__,
            device=_device_of(self.module, inputs),
            inputs=shapes_in(inputs),
            outputs=shapes_in(out),
            rows=rows,
            edges=self._edges_between(rows, kept),
            params=rows[0].params,
            trainable=rows[0].trainable,
            buffers=rows[0].buffers,
            weights_bytes=weights_bytes(self.module),
            not_counted=list(self.not_counted.values()),
            tied=_tied(self.module),
        )

    def _without_insides_of_leaves(self) -> tuple[list[Row], list[int]]:
        """Operators inside a leaf module belong to it. Also gives the new index of each old row."""
        rows: list[Row] = []
        kept: list[int] = []
        for row in self.rows:
            parent = None if row.parent is None else kept[row.parent]
            if row.kind == "op" and parent is not None and rows[parent].leaf:
                self.inside.add(len(kept))
                rows[parent].macs += row.macs
                rows[parent].activation_bytes += row.activation_bytes
                kept.append(parent)
            else:
                row.parent = parent
                kept.append(len(rows))
                rows.append(row)
        return rows, kept

    def _own_parameters(self, rows: list[Row], kept: list[int]) -> None:
        """Each parameter to the first call that has it; those of modules never called (the output projection
        of nn.MultiheadAttention) to the nearest module around that is."""
        calls = {self.paths[part]: kept[index] for part, index in self.first_call.items()}
        seen: set[int] = set()
        in_order = sorted(self.paths, key=lambda part: self.first_call.get(part, len(self.rows)))
        for part in in_order:
            path = self.paths[part]
            while path not in calls:
                path = path.rpartition(".")[0]
            row = rows[calls[path]]
            for parameter in part.parameters(recurse=False):
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    row.own_params += parameter.numel()
                    row.params += parameter.numel()
                    row.trainable += parameter.numel() if parameter.requires_grad else 0
            for buffer in part.buffers(recurse=False):
                if id(buffer) not in seen:
                    seen.add(id(buffer))
                    row.buffers += buffer.numel()

    def _edges_between(self, rows: list[Row], kept: list[int]) -> list[Edge]:
        def key(end: int | str) -> str:
            return end if isinstance(end, str) else rows[kept[end]].id

        found = {
            (key(source), key(target), shape): None
            for source, target, shape in self.edges
            if not (isinstance(target, int) and target in self.inside)
        }
        return [Edge(source, target, shape) for source, target, shape in found if source != target]


def _innermost(error: BaseException, paths: dict[nn.Module, str]) -> str:
    """Path of the innermost module that the exception came through."""
    found = ""
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module):
            found = paths.get(owner) or found
    return found


def _has_storage(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _device_of(module: nn.Module, inputs: Any) -> str:
    first = next(iter([*module.parameters(), *tensors_in(inputs)]), None)
    return str(first.device) if first is not None else "cpu"


def _tied(module: nn.Module) -> list[list[str]]:
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [same for same in names.values() if len(same) > 1]
