"""The steps of an ONNX graph as a Blueprint: rows in the exporter's module tree, edges, memory."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from netwright.inspect.blueprint import Blueprint, Edge, PeakMemory, Row
from netwright.inspect.onnx.graph import CONTROL, Graph, Step, Value
from netwright.inspect.onnx.scopes import Scope, scope_of
from netwright.inspect.onnx.weights import RULE, Weights

HOW = "read from the ONNX file as data: shapes inferred, nothing run"
MEMORY_HOW = (
    "from each node to the last reader of what it makes, in the file's order; a runtime may reuse more, and kernels' "
    "workspace is not known"
)
UNNAMED = ("", "graph", "main_graph", "main", "torch_jit", "torch-jit-export", "tf2onnx", "g")
# They give another view of their first input, and take no memory.
VIEWS = frozenset(("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"))


@dataclass(eq=False)
class _Call:
    """A module as the exporter names it, or a node of its own: what becomes a row."""

    path: str
    cls: str = ""
    parent: "_Call | None" = None
    items: list["_Call"] = field(default_factory=list)  # the rows beneath
    seen: list["Step | _Call"] = field(default_factory=list)  # its own nodes and the calls in it, in order
    step: Step | None = None  # of a node
    row: Row = field(default_factory=lambda: Row("", "", "", "module", 0, None, [], []))

    @property
    def around(self) -> list["_Call"]:
        """It and all around it."""
        return [self, *(self.parent.around if self.parent else [])]

    def __iter__(self) -> Iterator["_Call"]:
        """It and all beneath, parents first."""
        yield self
        for item in self.items:
            yield from item


Source = _Call | str  # "input:0" and "output" are ends


@dataclass(frozen=True)
class _Made:
    """A value as it left the row that made it; views of it are read elsewhere."""

    source: Source
    value: Value
    number: int  # in the order of the nodes


def blueprint(graph: Graph) -> Blueprint:
    """Of a graph that is laid out."""
    weights = Weights(graph)
    tree = _Tree(graph)
    edges = tree.connect()
    parameters = [value for value in graph.stored if weights.is_parameter(value)]
    counted = set(parameters)
    for value in graph.stored:
        reader = weights.first_reader(value)
        row = (tree.place.get(reader, tree.root) if reader else tree.root).row
        numbers = weights.numbers(value)
        if value in counted:
            row.own_params += numbers
            row.params += numbers
        else:
            row.buffers += numbers
    rows = tree.rows()
    memory = _peak(graph, tree)
    whole = sum(value.bytes for value in graph.stored)
    held = {"weights": whole, "inputs": sum(value.bytes for value in graph.inputs), **memory[1]}
    return Blueprint(
        cls=rows[0].cls,
        device="cpu",
        inputs=[value.sizes for value in graph.inputs],
        outputs=[value.sizes for value in graph.outputs],
        rows=rows,
        edges=edges,
        params=rows[0].params,
        trainable=0,
        buffers=rows[0].buffers,
        weights_bytes=whole,
        not_counted=_missed(graph, tree),
        tied=_tied(graph, counted),
        memory=PeakMemory(
            sum(held.values()), {name: size for name, size in held.items() if size}, "forward", memory[0], MEMORY_HOW
        ),
        how=HOW,
        notes=[*graph.notes, RULE],
    )


class _Tree:
    """The calls of a graph, and in which of them each step is."""

    def __init__(self, graph: Graph):
        self.graph = graph
        scopes = [scope_of(step.node) for step in graph.steps]
        self.flat = not any(scope and scope.paths for scope in scopes)
        named = graph.model.graph.name
        cls = next((scope.root for scope in scopes if scope and scope.root), "")
        self.root = _Call("", cls or ("ONNX" if named in UNNAMED else named))
        self.place: dict[Step, _Call] = {}
        self._open: dict[tuple[str, ...], _Call] = {(): self.root}
        for step, scope in zip(graph.steps, _filled(graph.steps, scopes), strict=True):
            if self._runs(step):
                call = self._call(scope)
                self.place[step] = call
                call.seen.append(step)
        self._settle(self.root)

    @staticmethod
    def _runs(step: Step) -> bool:
        """Not worked out before: constants, and arithmetic on shapes."""
        return bool(step.macs or step.missed) or not (step.constant or step.arithmetic)

    def _call(self, scope: Scope) -> _Call:
        """The open call of a scope; where modules are told by call, others than those around it are closed."""
        if scope.by_call:
            around = {scope.paths[:n] for n in range(len(scope.paths) + 1)}
            self._open = {paths: call for paths, call in self._open.items() if paths in around}
        call = self.root
        for n, cls in enumerate(scope.classes, 1):
            paths = scope.paths[:n]
            if paths not in self._open:
                self._open[paths] = _Call(paths[-1], cls, call)
                call.seen.append(self._open[paths])
            call = self._open[paths]
        return call

    def _settle(self, call: _Call) -> None:
        """Nodes become rows of their own, or a part of the module that calls no others and has one costly node."""
        steps = [one for one in call.seen if isinstance(one, Step)]
        whole = len(steps) == len(call.seen)
        call.row.leaf = whole and sum(bool(step.macs) for step in steps) < 2 and call is not self.root
        call.cls = call.cls or (_main(steps) if call.row.leaf else "Scope")
        for one in call.seen if not call.row.leaf else []:
            if isinstance(one, _Call):
                call.items.append(one)
                self._settle(one)
            else:
                own = _Call(_step_path(one, call, self.flat), one.op.rpartition(":")[2], call, step=one)
                own.row.kind = "op"
                call.items.append(own)
                self.place[one] = own

    def connect(self) -> list[Edge]:
        """Edges between leaves; a node that neither costs MACs nor joins becomes a part of the module around it."""
        sources: dict[Value, frozenset[_Made]] = {
            value: frozenset([_Made(f"input:{number}", value, -1)]) for number, value in enumerate(self.graph.inputs)
        }
        flows: dict[tuple[_Made, Source, Value], None] = {}
        for number, step in enumerate(self.graph.steps):
            if step not in self.place:
                continue
            call = self.place[step]
            fed = {value: sources[value] for value in step.given if value in sources and value.number is None}
            joined: frozenset[_Made] = frozenset().union(*fed.values())
            if call.step is not None and not (self.flat or step.macs or step.missed or len(joined) > 1):
                assert call.parent is not None
                call.parent.items.remove(call)
                self.place[step] = call.parent
                made = dict.fromkeys(step.outputs, joined)
            else:
                for value, ends in fed.items():
                    for end in sorted(ends, key=_key):
                        flows[end, call, value] = None
                made = {value: frozenset([_Made(call, value, number)]) for value in step.outputs}
            for value in step.outputs:
                if value.number is None and not value.constant:
                    sources.setdefault(value, made[value])
            self._cost(step)
        for value in self.graph.outputs:
            for end in sorted(sources.get(value, ()), key=_key):
                flows[end, "output", value] = None
        self._number()
        self._shapes(flows)
        found = {
            (_id(made.source), _id(target), tuple(value.sizes)): None
            for made, target, value in flows
            if made.source != target
        }
        return [Edge(*ends) for ends in found]

    def _cost(self, step: Step) -> None:
        row = self.place[step].row
        row.macs += step.macs * step.times
        if step.op not in VIEWS and step.op not in CONTROL and not step.constant:
            row.activation_bytes += step.times * sum(value.bytes for value in step.outputs)

    def _number(self) -> None:
        """Unique ids, in the order of the rows."""
        ids: Counter[str] = Counter()
        for call in self.root:
            key = call.path or call.cls
            ids[key] += 1
            row = call.row
            row.id, row.path, row.cls = key if ids[key] == 1 else f"{key}:{ids[key]}", call.path, call.cls
            row.depth = len(call.around) - 1

    def _shapes(self, flows: dict[tuple["_Made", Source, Value], None]) -> None:
        """What crosses a call's border is its input or its output."""
        seen: set[tuple[_Call, str, Value]] = set()
        for made, target, read in flows:
            left = made.source.around if isinstance(made.source, _Call) else []
            entered = target.around if isinstance(target, _Call) else []
            for calls, others, side, value in (
                (left, entered, "outputs", made.value),
                (entered, left, "inputs", read),
            ):
                for call in calls:
                    if call.step is None and call not in others and (call, side, value) not in seen:
                        seen.add((call, side, value))
                        getattr(call.row, side).append(value.sizes)
        for call in self.root:
            if call.step is not None:
                call.row.inputs = [
                    value.sizes for value in call.step.given if not value.constant and value.number is None
                ]
                call.row.outputs = [value.sizes for value in call.step.outputs]
        self.root.row.inputs = [value.sizes for value in self.graph.inputs]
        self.root.row.outputs = [value.sizes for value in self.graph.outputs]

    def rows(self) -> list[Row]:
        """In the order of the calls, sums rolled up."""
        calls = list(self.root)
        index = {call: number for number, call in enumerate(calls)}
        for call in reversed(calls):
            if call.parent is not None:
                call.row.parent = index[call.parent]
                above = call.parent.row
                above.params += call.row.params
                above.buffers += call.row.buffers
                above.macs += call.row.macs
                above.activation_bytes += call.row.activation_bytes
        return [call.row for call in calls]


def _filled(steps: list[Step], scopes: list[Scope | None]) -> list[Scope]:
    """Nodes that an optimizer made have no scope: they stay in what is around both neighbours."""
    before: list[Scope | None] = []
    last = None
    for scope in scopes:
        before.append(scope or last)
        last = scope or last
    filled: list[Scope] = []
    following = None
    for scope, earlier in zip(reversed(scopes), reversed(before), strict=True):
        following = scope or following
        filled.append(scope or _common(earlier, following))
    return filled[::-1]


def _common(one: Scope | None, other: Scope | None) -> Scope:
    if one is None or other is None:
        return Scope((), ())
    same = 0
    while same < min(len(one.paths), len(other.paths)) and one.paths[same] == other.paths[same]:
        same += 1
    return Scope(one.paths[:same], one.classes[:same], by_call=one.by_call)


def _main(steps: list[Step]) -> str:
    """What a module without a class is called: its costliest operator, or the first."""
    return max(steps, key=lambda step: step.macs).op.rpartition(":")[2] if steps else "Scope"


def _step_path(step: Step, call: _Call, flat: bool) -> str:
    if flat and step.node.name:
        return step.node.name
    name = step.op.rpartition(":")[2]
    return f"{call.path}.{name}" if call.path else name


def _key(made: _Made) -> tuple[int, str]:
    return made.number, made.source if isinstance(made.source, str) else ""


def _id(source: Source) -> str:
    return source if isinstance(source, str) else source.row.id


def _missed(graph: Graph, tree: _Tree) -> list[dict]:
    found: dict[str, dict] = {}
    for step in graph.steps:
        if step.missed:
            entry = found.setdefault(step.op, {"op": step.op, "calls": 0, "where": tree.place[step].row.id})
            entry["calls"] += 1
    return list(found.values())


def _tied(graph: Graph, parameters: set[Value]) -> list[list[str]]:
    """Exporters write a second name of a parameter as an Identity of the first."""
    names: dict[Value, list[str]] = {}
    for step in graph.steps:
        if step.op == "Identity" and step.given and step.given[0] in parameters:
            names.setdefault(step.given[0], [step.given[0].name]).append(step.outputs[0].name)
    return list(names.values())


def _peak(graph: Graph, tree: _Tree) -> tuple[str, dict[str, int]]:
    """The row of the peak and the activations alive then."""
    holder: dict[Value, Value] = {}
    last: dict[Value, int] = {}
    moving = [step for step in graph.steps if step in tree.place and not step.constant]
    for now, step in enumerate(moving):
        for value in step.given:
            last[holder.get(value, value)] = now
        for value in step.outputs:
            seen = step.inputs[0] if step.op in VIEWS else None
            holder[value] = value if seen is None else holder.get(seen, seen)
    for value in graph.outputs:
        last[holder.get(value, value)] = len(moving)
    alive, most, where = 0, 0, ""
    ends: dict[int, list[Value]] = {}
    for now, step in enumerate(moving):
        own = [value for value in step.outputs if holder[value] is value and step.op not in CONTROL]
        alive += sum(value.bytes for value in own)
        if alive > most:
            most, where = alive, tree.place[step].row.id
        for value in own:
            ends.setdefault(last.get(value, now), []).append(value)
        alive -= sum(value.bytes for value in ends.pop(now, []))
    return where, {"activations": most}
