"""An ONNX graph as a list of steps: every value with its type, its shape and, where it is arithmetic on shapes, its
number.

ONNX's own inference takes one node at a time; between the nodes small integers are worked out (the chains of Shape,
Gather and Concat that lead to a Reshape), which whole-graph inference gives up on. Subgraphs are laid out in place.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from netwright.errors import InputError
from netwright.inspect.onnx.contrib import CONTRIB_SHAPES
from netwright.inspect.onnx.macs import ELEMENTWISE, FORMULAS, UnknownShapeError, is_free, macs_of

LARGEST = 4096  # numbers in a value that is worked out
FEW = 16  # and where it is floating: scales and limits, no weights
STANDARD = ("", "ai.onnx")
CONTROL = ("If", "Loop", "Scan")
# Arithmetic on shapes; nothing here draws random numbers, and the size of the result is known before it is made.
_WORKED_OUT = """
    Abs Add And Cast Ceil Concat ConstantOfShape CumSum Div Equal Expand Flatten Floor Gather GatherElements GatherND
    Greater GreaterOrEqual Identity Less LessOrEqual Max Min Mod Mul Neg Not Or Pow Range ReduceMax ReduceMin ReduceProd
    ReduceSum Reshape Round ScatterElements ScatterND Sign Slice Split Sqrt Squeeze Sub Tile Transpose Unsqueeze Where
    Xor"""
WORKED_OUT = frozenset(_WORKED_OUT.split())


@dataclass(eq=False, slots=True)
class Value:
    """What flows along an edge, or is stored in the file."""

    name: str
    dtype: int = TensorProto.UNDEFINED
    shape: tuple[int | None, ...] | None = None  # None where unknown, in part or as a whole
    number: np.ndarray | None = None  # known without any input
    stored: Any = None  # the TensorProto, of a constant of the file
    constant: bool = False  # stored, or made of nothing but what is stored
    other: Any = None  # the TypeProto of what is no tensor

    @property
    def known(self) -> bool:
        return self.shape is not None and None not in self.shape

    @property
    def numel(self) -> int:
        """Of its numbers; 0 where the shape is unknown."""
        return prod(size or 0 for size in self.shape) if self.shape is not None and self.known else 0

    @property
    def bytes(self) -> int:
        return ceil(self.numel * BITS.get(self.dtype, 0) / 8)

    @property
    def sizes(self) -> list[int]:
        """The shape where it is known; unknown sizes as −1."""
        return [-1 if size is None else size for size in self.shape or ()]

    def type(self) -> Any:
        return self.other if self.other is not None else helper.make_tensor_type_proto(self.dtype, self.shape)


@dataclass(eq=False, slots=True)
class Step:
    """A node, once for each place where it runs."""

    node: Any
    op: str  # "Conv"; "com.microsoft::Attention" outside ONNX's own operators
    attributes: dict[str, Any]
    inputs: list[Value | None]
    outputs: list[Value]
    times: int = 1  # in a loop of so many turns
    macs: int = 0  # of one turn
    missed: bool = False  # no formula, or a shape that it needs is unknown

    @property
    def given(self) -> list[Value]:
        return [value for value in self.inputs if value is not None]

    @property
    def named(self) -> dict[str, Value]:
        """By the names that the node has for them: a body's input is the loop's."""
        pairs = zip(self.node.input, self.inputs, strict=False)
        return {name: value for name, value in pairs if value is not None}

    @property
    def arithmetic(self) -> bool:
        """On shapes: all that it makes is known without an input."""
        return bool(self.outputs) and all(value.number is not None for value in self.outputs)

    @property
    def constant(self) -> bool:
        return bool(self.outputs) and all(value.constant for value in self.outputs)


def _bits(name: str) -> int:
    return next((bits for bits in (64, 32, 16, 8, 6, 4, 2) if str(bits) in name.partition("E")[0]), 0)


BITS = {number: _bits(name) for name, number in TensorProto.DataType.items()}
BITS |= {TensorProto.FLOAT: 32, TensorProto.DOUBLE: 64, TensorProto.BOOL: 8}
BITS |= {TensorProto.COMPLEX64: 64, TensorProto.COMPLEX128: 128}


@dataclass
class Graph:
    """The steps of a model in order; `stored` are the constants of the file."""

    model: Any
    folder: Path
    where: str
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    stored: list[Value] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lay_out(self) -> None:
        """Fill in everything from the model, whose inputs are given."""
        names = {value.name: value for value in self.inputs}
        self.outputs = self._walk(self.model.graph, ChainMap(names), 1)

    @cached_property
    def _opsets(self) -> dict[str, int]:
        return {"" if one.domain in STANDARD else one.domain: one.version for one in self.model.opset_import}

    def _walk(self, graph: Any, names: ChainMap[str, Value], times: int) -> list[Value]:
        """Adds the steps of a graph or subgraph; gives its outputs."""
        declared = {info.name: info.type for info in (*graph.value_info, *graph.output)}
        for tensor in graph.initializer:
            names[tensor.name] = self._store(tensor.name, tensor, tensor.dims)
        for tensor in graph.sparse_initializer:
            names[tensor.values.name] = self._store(tensor.values.name, tensor.values, tensor.dims)
        for node in graph.node:
            try:
                inputs = [names[name] if name else None for name in node.input]
            except KeyError as error:
                raise InputError(
                    f"is no sound graph: {_called(node)} reads {error}, which nothing before it makes",
                    where=self.where,
                    fix="export it again, or see what onnx.checker says of it",
                ) from None
            for value in self._outputs(node, inputs, names, times, declared):
                names[value.name] = value
        return [names[output.name] for output in graph.output if output.name in names]

    def _store(self, name: str, tensor: Any, dims: Iterable[int]) -> Value:
        value = Value(name, tensor.data_type, tuple(dims), stored=tensor, constant=True)
        most = FEW if tensor.data_type in FLOATING else LARGEST
        if value.numel <= most and tensor.data_type != TensorProto.STRING:
            value.number = self.read(value)
        self.stored.append(value)
        return value

    def read(self, value: Value) -> np.ndarray | None:
        """The numbers of a stored constant; None where they lie in a file that is not there."""
        try:
            return numpy_helper.to_array(value.stored, str(self.folder))
        except Exception:
            return None

    def _outputs(
        self,
        node: Any,
        inputs: list[Value | None],
        names: ChainMap[str, Value],
        times: int,
        declared: Mapping[str, Any],
    ) -> list[Value]:
        op = node.op_type if node.domain in STANDARD else f"{node.domain}::{node.op_type}"
        attributes = {one.name: one for one in node.attribute}
        if op == "Constant":
            return [self._constant(node.output[0], node.attribute[0])]
        plain = {name: helper.get_attribute_value(one) for name, one in attributes.items() if not one.HasField("g")}
        step = Step(node, op, plain, inputs, [], times)
        if op in CONTROL:
            subgraphs = {name: one.g for name, one in attributes.items() if one.HasField("g")}
            types = getattr(self, f"_{op.lower()}")(step, subgraphs, names)
        else:
            types = self._inferred(node, op, step)
        constant = bool(inputs) and all(value is None or value.constant for value in inputs)
        for place, name in enumerate(node.output):
            made = types[place] if place < len(types) else Value(name)
            value = Value(name, made.dtype, made.shape, other=made.other, constant=constant)
            if name in declared:
                _completed(value, declared[name])
            step.outputs.append(value)
        self._work_out(step)
        self._count(step)
        self.steps.append(step)
        return [value for value in step.outputs if value.name]

    def _constant(self, name: str, attribute: Any) -> Value:
        if attribute.name == "value":
            return self._store(name, attribute.t, attribute.t.dims)
        if attribute.name == "sparse_value":
            return self._store(name, attribute.sparse_tensor.values, attribute.sparse_tensor.dims)
        given = helper.get_attribute_value(attribute)
        kind = np.float32 if "float" in attribute.name else object if "string" in attribute.name else np.int64
        tensor = numpy_helper.from_array(np.array(given, dtype=kind))
        return self._store(name, tensor, tensor.dims)

    # One node

    def _inferred(self, node: Any, op: str, step: Step) -> list[Value]:
        """Types of its outputs, as far as they can be told."""
        if op in CONTRIB_SHAPES:
            if any(value is not None and not value.known for value in step.inputs[:1]):
                return []
            try:
                made = CONTRIB_SHAPES[op](step)
            except (UnknownShapeError, IndexError, TypeError):
                return []
            return [Value("", kind, tuple(shape)) for kind, shape in made]
        domain = "" if node.domain in STANDARD else node.domain
        found: dict[str, Any] = {}
        try:
            schema = defs.get_schema(node.op_type, self._opsets.get(domain, 1), domain)
            data = {name: numpy_helper.from_array(v.number) for name, v in step.named.items() if v.number is not None}
            types = {name: value.type() for name, value in step.named.items()}
            imports = self.model.opset_import
            found = shape_inference.infer_node_outputs(schema, node, types, data, None, imports)
        except Exception as error:  # an unknown operator, or shapes that don't fit each other
            if not isinstance(error, defs.SchemaError) and all(value.known for value in step.given):
                self.notes.append(f"no shape of {_called(node)}: {' '.join(str(error).split())[:160]}")
        known = []
        for name in node.output:
            value = Value(name)
            if name in found:
                _completed(value, found[name])
            if value.shape is None and op in ELEMENTWISE and step.given:
                value.dtype, value.shape = step.given[0].dtype, step.given[0].shape
            known.append(value)
        return known

    def _work_out(self, step: Step) -> None:
        if step.op in ("Shape", "Size") and step.inputs[0] is not None and step.inputs[0].known:
            sizes = step.inputs[0].sizes
            part = slice(step.attributes.get("start", 0), step.attributes.get("end"))
            step.outputs[0].number = np.array(sizes[part] if step.op == "Shape" else prod(sizes), dtype=np.int64)
            return
        outputs = step.outputs
        small = all(value.known and value.numel <= LARGEST for value in outputs)
        if step.op not in WORKED_OUT or not small or any(value.number is None for value in step.given):
            return
        if all(value.constant for value in step.given) and outputs[0].dtype in FLOATING:  # of weights, not of shapes
            return
        try:
            numbers = {name: value.number for name, value in step.named.items()}
            found = ReferenceEvaluator(step.node, opsets=self._opsets).run(None, numbers)
        except Exception:  # then it is not known
            return
        for value, number in zip(outputs, found, strict=True):
            value.number = np.asarray(number)

    def _count(self, step: Step) -> None:
        try:
            step.macs = macs_of(step)
        except (UnknownShapeError, IndexError):
            step.missed = True
        step.missed = step.missed or not (is_free(step.op) or step.op in FORMULAS or step.op in CONTROL)

    # Control flow: bodies are laid out in place, and the node itself then joins what they give

    def _if(self, step: Step, branches: Mapping[str, Any], names: ChainMap[str, Value]) -> list[Value]:
        """The branch that is taken where that is known, else the one that costs more."""
        condition = step.given[0].number
        chosen = ["then_branch", "else_branch"] if condition is None else []
        if condition is not None:
            chosen = ["then_branch" if bool(np.all(condition)) else "else_branch"]
        before = len(self.steps)
        found = []
        for name in chosen:
            outputs = self._walk(branches[name], names.new_child(), step.times)
            found.append((outputs, self.steps[before:]))
            del self.steps[before:]
        outputs, steps = max(found, key=lambda one: sum(inner.macs * inner.times for inner in one[1]))
        self.steps += steps
        if len(chosen) > 1:
            self.notes.append(f"{_called(step.node)}: which branch runs depends on values; the costlier one counts")
        step.inputs = [*step.inputs, *outputs]
        return outputs

    def _loop(self, step: Step, bodies: Mapping[str, Any], names: ChainMap[str, Value]) -> list[Value]:
        """Inputs: most turns, condition, carried…; the body takes (turn, condition, carried…) and gives (condition,
        carried…, one slice of each result…)."""
        body, (most, _, *carried) = bodies["body"], [*step.inputs, None, None][: max(2, len(step.inputs))]
        turns = int(most.number) if most is not None and most.number is not None else None
        if turns is None or turns > 1 << 40:
            turns = None
            self.notes.append(f"{_called(step.node)}: how often it turns depends on values; counted as one turn")
        inner = names.new_child()
        inner[body.input[0].name] = Value(body.input[0].name, TensorProto.INT64, ())
        inner[body.input[1].name] = Value(body.input[1].name, TensorProto.BOOL, ())
        for info, value in zip(body.input[2:], carried, strict=True):
            inner[info.name] = _carried(value, info.name)
        outputs = self._walk(body, inner, step.times * (1 if turns is None else turns))[1:]
        step.inputs = [*step.inputs, *outputs]
        kept = [_carried(value) for value in outputs[: len(carried)]]
        return kept + [_stacked(value, turns) for value in outputs[len(carried) :]]

    def _scan(self, step: Step, bodies: Mapping[str, Any], names: ChainMap[str, Value]) -> list[Value]:
        """Inputs: states…, sequences…, of which the body takes one slice a turn."""
        body, count = bodies["body"], step.attributes["num_scan_inputs"]
        given = step.inputs[1:] if self._opsets.get("", 9) < 9 else step.inputs  # before: sequence_lens, and a batch
        states, sequences = given[: len(given) - count], given[len(given) - count :]
        axes = list(step.attributes.get("scan_input_axes", [0] * count))
        inner = names.new_child()
        turns: int | None = None
        for info, value in zip(body.input, states, strict=False):
            inner[info.name] = _carried(value, info.name)
        for info, value, axis in zip(body.input[len(states) :], sequences, axes, strict=True):
            shape = list(value.shape) if value is not None and value.shape is not None else None
            turns = shape.pop(axis) if shape is not None else None
            kind = value.dtype if value is not None else TensorProto.UNDEFINED
            inner[info.name] = Value(info.name, kind, None if shape is None else tuple(shape))
        if turns is None:
            self.notes.append(f"{_called(step.node)}: its length is unknown; counted as one turn")
        outputs = self._walk(body, inner, step.times * (1 if turns is None else turns))
        step.inputs = [*step.inputs, *outputs]
        kept = [_carried(value) for value in outputs[: len(states)]]
        return kept + [_stacked(value, turns) for value in outputs[len(states) :]]


FLOATING = frozenset(
    number for name, number in TensorProto.DataType.items() if name.startswith(("FLOAT", "BFLOAT", "DOUBLE", "COMPLEX"))
)


def _called(node: Any) -> str:
    return f"{node.op_type} {node.name}" if node.name else node.op_type


def _carried(value: Value | None, name: str = "") -> Value:
    """What a body is given at its first turn. One that is known before is another at the next."""
    if value is None:
        return Value(name)
    fixed = value.constant or value.number is not None
    return Value(name, value.dtype, value.shape, other=value.other) if fixed else value


def _stacked(value: Value, turns: int | None) -> Value:
    return Value("", value.dtype, None if value.shape is None else (turns, *value.shape))


def _completed(value: Value, type_: Any) -> None:
    """What the value does not say of itself, from a TypeProto."""
    kind = type_.WhichOneof("value")
    if kind not in ("tensor_type", None):
        value.other = type_
        return
    tensor = type_.tensor_type
    value.dtype = value.dtype or tensor.elem_type
    if not tensor.HasField("shape"):
        return
    said = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    if value.shape is None:
        value.shape = tuple(said)
    elif len(said) == len(value.shape):
        value.shape = tuple(b if a is None else a for a, b in zip(value.shape, said, strict=True))


def parsed(path: Path) -> Any:
    """The ModelProto of a file, without external data; any exception is the parser's."""
    return onnx.load(str(path), load_external_data=False)
