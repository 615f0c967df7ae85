"""Which constants of an ONNX file are a network's parameters, and how many numbers they hold.

A parameter is a stored constant that some node computes with: floating, or whole numbers of at most 8 bits (32 for the
bias) where a quantised operator takes its weight. No parameters are: sizes, axes, indices and limits; scales and zero
points; running means and variances; initial states of recurrent layers; masks (they hold −∞ or nearly); and a single
number, unless it bears a module's name. The file does not tell a parameter from another table of floating numbers, such
as fixed positions.
"""

import re
from collections import defaultdict

import numpy as np
from onnx import TensorProto

from netwright.inspect.onnx.graph import BITS, FLOATING, Graph, Step, Value
from netwright.inspect.onnx.macs import MS

RULE = (
    "parameters: the file's constants that a node computes with, floating or quantised; not sizes, scales, masks and "
    "running statistics, while fixed tables of positions can't be told from weights"
)
# Operators that only pass a constant on: what it is, its readers say.
_PASSING = "Identity Transpose Reshape Slice Squeeze Unsqueeze Cast Concat Split Flatten Expand Tile"
PASSING = frozenset(_PASSING.split())
# operator → its inputs that are no weights, though they may be floating or of 8 bits.
SETTINGS: dict[str, tuple[int, ...]] = {
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "Dropout": (1,),
    "Pad": (1, 2),
    "Pow": (1,),
    "Range": (0, 1, 2),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
    "STFT": (2,),
    "NonMaxSuppression": (2, 3, 4),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (4, 5, 6)),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), (1, 2)),
    **dict.fromkeys((f"{MS}QuantizeLinear", f"{MS}DequantizeLinear"), (1, 2)),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), (2, 3)),
    **dict.fromkeys((f"{MS}QLinearAdd", f"{MS}QLinearMul"), (1, 2, 4, 5, 6, 7)),
    f"{MS}QGemm": (1, 2, 4, 5, 7, 8),
    f"{MS}MatMulNBits": (2, 3, 4),
    f"{MS}MatMulBnb4": (2,),
    f"{MS}MatMulIntegerToFloat": (2, 3, 4, 5),
    f"{MS}DynamicQuantizeMatMul": (2, 3),
    f"{MS}QAttention": (3, 4, 6, 7),
    f"{MS}GatherBlockQuantized": (2, 3),
    f"{MS}DynamicQuantizeLSTM": (4, 5, 6, 8, 9, 10, 11),
    **{
        f"{MS}{name}": tuple(range(1, 9))
        for name in ("QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax", "QLinearGlobalAveragePool")
    },
    f"{MS}QLinearConcat": (0, 1, *range(3, 200, 3), *range(4, 200, 3)),
}
WIDE_BIAS = {("DequantizeLinear", 0), ("QLinearConv", 8), (f"{MS}QGemm", 6)}
MASKED = -1e30
MOST_LOOKED_AT = 1 << 24  # numbers of a constant that might be a mask


class Weights:
    """Tells of each stored constant what it is, and which step is the first to read it."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.readers: dict[Value, list[tuple[Step, int]]] = defaultdict(list)
        for step in graph.steps:
            for place, value in enumerate(step.inputs):
                if value is not None:
                    self.readers[value].append((step, place))
        self._reads: dict[Value, list[tuple[Step, int]]] = {}
        self._order = {step: number for number, step in enumerate(graph.steps)}

    def reads(self, value: Value) -> list[tuple[Step, int]]:
        """Who computes with it, itself or after it was turned, cut or joined."""
        if value not in self._reads:
            found: list[tuple[Step, int]] = []
            for step, place in self.readers[value]:
                fixed = all(other.constant or other.number is not None for other in step.given)
                if fixed and step.op in PASSING:
                    found += [read for made in step.outputs for read in self.reads(made)]
                else:
                    found.append((step, place))
            self._reads[value] = found
        return self._reads[value]

    def first_reader(self, value: Value) -> Step | None:
        """The first step that is not itself a constant."""
        found = {last for step, _ in self.reads(value) for last in self._running(step)}
        return min(found, key=self._order.__getitem__, default=None)

    def _running(self, step: Step) -> set[Step]:
        """It, or those that read what it makes of constants."""
        if not step.constant or step.macs:
            return {step}
        return {last for made in step.outputs for inner, _ in self.readers[made] for last in self._running(inner)}

    def is_parameter(self, value: Value) -> bool:
        if value.numel < 2 and not _names_a_module(value.name):
            return False
        reads = [(step, place) for step, place in self.reads(value) if place not in SETTINGS.get(step.op, ())]
        if value.dtype in FLOATING:
            return bool(reads) and not self._masks(value, reads)
        if value.dtype == TensorProto.INT32:
            return any((step.op, place) in WIDE_BIAS for step, place in reads)
        return value.dtype != TensorProto.BOOL and BITS[value.dtype] <= 8 and bool(reads)

    def numbers(self, value: Value) -> int:
        """Those that packed bytes stand for."""
        for step, place in self.readers[value]:
            if step.op in (f"{MS}MatMulNBits", f"{MS}MatMulBnb4") and place == 1:
                return step.attributes["K"] * step.attributes["N"]
            if step.op == f"{MS}GatherBlockQuantized" and place == 0 and value.dtype == TensorProto.UINT8:
                return value.numel * 8 // step.attributes.get("bits", 4)
        return value.numel

    def _masks(self, value: Value, reads: list[tuple[Step, int]]) -> bool:
        if not any(step.op in ("Add", "Where", "Sum", "Mul", "Attention") for step, _ in reads):
            return False
        numbers = self.graph.read(value) if 1 < value.numel <= MOST_LOOKED_AT else None
        return numbers is not None and bool(np.any(numbers.astype(np.float64) <= MASKED))


def _names_a_module(name: str) -> bool:
    """A parameter's path, such as blocks.0.gamma; exporters number their constants: val_7, onnx::Mul_3."""
    return re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", name) is not None and not re.search(r"(^|_)(\d+|const\w*)$", name)
