"""What runs: rows for calls and operators, edges between them, and what the backward of each costs.

Calls are keyed, not modules: torchvision's blocks call one `self.relu` three times. Edges follow each tensor
to the row that made it; where it was written through another view of its memory, the storage knows who wrote.
An operator of the backward belongs to the row whose forward made its autograd node: both know the node's number.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary

from netwright.inspect.blueprint import Blueprint, Edge, Row
from netwright.inspect.causal import Attentions
from netwright.inspect.fakes import run
from netwright.inspect.hints import Hints
from netwright.inspect.kv_cache import cache_seen
from netwright.inspect.liveness import Liveness
from netwright.inspect.macs import has_formula, is_free, macs_of, makes_constants, name_of
from netwright.inspect.measure import weights_bytes
from netwright.inspect.memory import peak_memory, steps
from netwright.inspect.operator_mode import OperatorMode
from netwright.inspect.operators import Operator, bytes_moved, dtype_of, kind_of
from netwright.inspect.quantised import packed_weights
from netwright.inspect.tensors import shapes_in, tensors_in
from netwright.inspect.workspace import passing, with_kept

OUTPUT = "output"
Sources = frozenset[int | str]  # rows by index, or "input:0"


@dataclass(slots=True)
class _Frame:
    """A call under way."""

    index: int
    module: nn.Module
    fed: list[tuple[Sources, tuple[int, ...]]]
    written: set[int] = field(default_factory=set)  # ids of storages made or changed inside
    calls_modules: bool = False


class Recorder(OperatorMode):
    """Records a module's forward, and its backward too. `masks`: tensors known to be causal masks."""

    def __init__(self, module: nn.Module, hints: Hints | None = None, masks: Iterable[Tensor] = ()):
        super().__init__()
        self.hints = hints
        self.phase = "forward"
        self.row_of_node: dict[int, int] = {}  # autograd node's sequence number → row
        self.memory = Liveness()
        self.attention = Attentions(module.parameters(), masks)
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
        self.work: Counter[tuple] = Counter()  # (row, name, kind, phase, type, MACs, bytes) → calls
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
        if self.phase == "backward":  # a checkpointed region is computed again: no new call
            self.frames.append(_Frame(self.first_call.get(module, 0), module, []))
            return
        if self.frames:
            self.frames[-1].calls_modules = True
        path = self.paths[module]
        index = self._add_row(path, type(module).__name__, "module")
        self.rows[index].options = _options(module)
        self.rows[index].inputs = shapes_in((args, kwargs))
        self.first_call.setdefault(module, index)
        fed = [(self._sources_of(tensor), tuple(tensor.shape)) for tensor in tensors_in((args, kwargs))]
        self.frames.append(_Frame(index, module, fed))

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict, out: Any) -> None:
        if not self.frames or self.frames[-1].module is not module:
            return  # an exception in another hook kept its pre-hook from running
        frame = self.frames.pop()
        if self.phase == "backward":
            return
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

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        given = list(tensors_in((args, kwargs)))
        if self.phase == "backward":
            out = self._run(func, args, kwargs)
            made, macs = list(tensors_in(out)), macs_of(func, args, kwargs, out)
            self._add_work(self._record_backward(func, macs, given, made), func, args, macs, given, made)
            self.memory.pass_by(passing(name_of(func), args, out), "backward")
            return out
        fed = [] if makes_constants(func) else [self._sources_of(tensor) for tensor in given]  # before it writes
        out = with_kept(name_of(func), args, self._run(func, args, kwargs))
        if self.frames:
            made, macs = list(tensors_in(out)), macs_of(func, args, kwargs, out)
            self._add_work(self._record(func, macs, given, fed, made), func, args, macs, given, made)
            self.attention.see(func, args, kwargs, given, made, self.frames[-1].index)
            self.memory.pass_by(passing(name_of(func), args, out), "forward")
        return out

    def _run(self, func: Any, args: tuple, kwargs: dict) -> Any:
        if self.hints is None:
            return run(func, args, kwargs)
        return self.hints.run(func, args, kwargs, self.rows[self.frames[-1].index].id if self.frames else "")

    def _add_work(self, row: int, func: Any, args: tuple, macs: int, given: list[Tensor], made: list[Tensor]) -> None:
        moved = bytes_moved(func, given, made)
        if (moved or macs) and self.rows:
            kind = kind_of(func, args)
            self.work[row, name_of(func), kind, self.phase, dtype_of(given, made), macs, moved] += 1

    def _record(self, func: Any, macs: int, given: list[Tensor], fed: list[Sources], made: list[Tensor]) -> int:
        """Gives the row that it belongs to."""
        if not has_formula(func) and not is_free(func):
            self._miss(func, self.frames[-1].index)
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
        # The node of this operator, if it has one, was numbered just before.
        self.row_of_node.setdefault(torch._C._autograd._get_sequence_nr() - 1, index)
        written = {id(tensor.untyped_storage()): tensor for tensor in made if _has_storage(tensor)}
        old = {id(tensor.untyped_storage()) for tensor in given if _has_storage(tensor)}
        for key, tensor in written.items():
            if key not in old:
                self.rows[index].activation_bytes += tensor.untyped_storage().nbytes()
                self.memory.add(tensor.untyped_storage(), "activations", index, "forward")
        if not func._schema.is_mutable:
            written = {key: tensor for key, tensor in written.items() if key not in old}
        self.frames[-1].written.update(written)
        for tensor in made:
            self._made_by(tensor, sources, _has_storage(tensor) and id(tensor.untyped_storage()) in written)
        return index

    def _miss(self, func: Any, index: int) -> None:
        where = self.rows[index].id
        entry = self.not_counted.setdefault(name_of(func), {"op": str(func), "calls": 0, "where": where})
        entry["calls"] += 1

    # The backward

    def backward(self, loss: Tensor) -> None:
        """Run and record it. What is alive before it is what it needs: the saved activations, and the outputs."""
        for index, size in self.memory.by_row("activations").items():
            self.rows[index].saved_bytes += size
        self.phase = "backward"
        with self._gradients_told():
            loss.backward()
        for parameter in self.module.parameters():
            parameter.grad = None

    def _record_backward(self, func: Any, macs: int, given: list[Tensor], made: list[Tensor]) -> int:
        """To the row whose forward made the node that runs, or to the call that is computed again."""
        if not self.rows:
            return 0
        node = torch._C._current_autograd_node()
        if self.frames:
            index = self.frames[-1].index
            self.row_of_node.setdefault(torch._C._autograd._get_sequence_nr() - 1, index)
        else:
            index = self.row_of_node.get(node._sequence_nr(), 0) if node is not None else 0
        if not has_formula(func) and not is_free(func):
            self._miss(func, index)
        self.rows[index].backward_macs += macs
        old = {id(tensor.untyped_storage()) for tensor in given if _has_storage(tensor)}
        for tensor in made:
            if _has_storage(tensor) and id(tensor.untyped_storage()) not in old:
                self.memory.add(tensor.untyped_storage(), "backward", index, "backward")
        return index

    @contextmanager
    def _gradients_told(self) -> Iterator[None]:
        """While it lasts, memory that becomes a parameter's gradient is counted as such."""

        def keep(parameter: Tensor) -> None:
            if parameter.grad is not None and _has_storage(parameter.grad):
                self.memory.move(parameter.grad.untyped_storage(), "gradients")

        with ExitStack() as handles:
            for parameter in self.module.parameters():
                if parameter.requires_grad:
                    handles.callback(parameter.register_post_accumulate_grad_hook(keep).remove)
            yield

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

    def blueprint(self, inputs: Any, out: Any, optimizer: str | None) -> Blueprint:
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
                parent.backward_macs += row.backward_macs
                parent.saved_bytes += row.saved_bytes
        calls = self.attention.calls
        return Blueprint(
            cls=type(self.module).__name__,
            device="cpu",
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
            train=optimizer is not None,
            operators=self._operators(kept, optimizer),
            memory=peak_memory(self.module, inputs, self.memory.peak, optimizer, lambda row: rows[kept[row]].id),
            kv_cache=cache_seen(calls, lambda row: self.rows[row].path, getattr(self.module, "config", None)),
            attention=calls,
            beside_gradients=self.memory.beside,
        )

    def _operators(self, kept: list[int], optimizer: str | None) -> list[Operator]:
        found = [
            Operator(kept[row], name, kind, phase, dtype, macs, moved, calls)
            for (row, name, kind, phase, dtype, macs, moved), calls in self.work.items()
        ]
        return found if optimizer is None else [*found, *steps(self.module, optimizer)]

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
                rows[parent].backward_macs += row.backward_macs
                rows[parent].saved_bytes += row.saved_bytes
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
        packed = {part: sum(weight.numel() for weight in weights) for part, weights in packed_weights(self.module)}
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
            row.own_params += packed.get(part, 0)
            row.params += packed.get(part, 0)

    def _edges_between(self, rows: list[Row], kept: list[int]) -> list[Edge]:
        def key(end: int | str) -> str:
            return end if isinstance(end, str) else rows[kept[end]].id

        found = {
            (key(source), key(target), shape): None
            for source, target, shape in self.edges
            if not (isinstance(target, int) and target in self.inside)
        }
        return [Edge(source, target, shape) for source, target, shape in found if source != target]


def _options(module: nn.Module) -> str:
    try:
        with _disable_current_modes():  # a quantised layer unpacks its weights to say what it is
            return " ".join(str(module.extra_repr()).split())
    except Exception:  # a stranger's, which may read what is not there yet
        return ""


def _has_storage(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested


def _version(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version


def _tied(module: nn.Module) -> list[list[str]]:
    names: dict[int, list[str]] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    return [same for same in names.values() if len(same) > 1]
