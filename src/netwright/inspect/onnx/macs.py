"""Multiply-accumulates of one ONNX node, by the convention of netwright.inspect.macs, and which nodes have none.

A node that is neither in FORMULAS nor known to be free is never passed over: it is listed as not counted, and so is one
with a formula whose shapes are unknown.
"""

from collections import Counter
from collections.abc import Callable
from math import log2, prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netwright.inspect.onnx.graph import Step

MacFormula = Callable[["Step"], int]


class UnknownShapeError(Exception):
    """A formula needs a shape that can't be told."""


def macs_of(step: "Step") -> int:
    """MACs of one turn of a node; 0 for those without a formula. UnknownShapeError where it needs an unknown shape."""
    formula = FORMULAS.get(step.op)
    return formula(step) if formula else 0


def is_free(op: str) -> bool:
    return op in FREE


def shape(step: "Step", place: int) -> list[int]:
    """Of an input."""
    value = step.inputs[place] if place < len(step.inputs) else None
    if value is None or not value.known:
        raise UnknownShapeError
    return value.sizes


def out(step: "Step") -> int:
    """Numbers in the first output."""
    if not step.outputs[0].known:
        raise UnknownShapeError
    return step.outputs[0].numel


def _number(step: "Step", place: int) -> int:
    """An input that is one known number."""
    value = step.inputs[place]
    if value is None or value.number is None:
        raise UnknownShapeError
    return int(value.number)


def has(step: "Step", place: int) -> bool:
    return place < len(step.inputs) and step.inputs[place] is not None


def _convolution(weight: int) -> MacFormula:
    """Weight (C_out, C_in / groups, k…), or the channels last: each output element sums one filter."""
    return lambda step: out(step) * prod(shape(step, weight)[1:])


def _transposed(step: "Step") -> int:
    """Weight (C_in, C_out / groups, k…): each input element is spread by one filter."""
    return prod(shape(step, 0)) * prod(shape(step, 1)[1:])


def _matmul(step: "Step") -> int:
    """(…, M, K) × (…, K, N): each output element sums K products."""
    left = shape(step, 0)
    rows_first = step.attributes.get("transA", 0) and len(left) > 1
    return out(step) * left[-2 if rows_first else -1]


def _recurrent(step: "Step") -> int:
    """x (T, B, I), weights (directions, gates·H, I) and (directions, gates·H, H), at every step of every sequence."""
    return prod(shape(step, 0)[:2]) * (prod(shape(step, 1)) + prod(shape(step, 2)))


def _einsum(step: "Step") -> int:
    """Pair by pair from the left; an axis that only one of a pair has, and nothing later reads, is summed before."""
    equation = step.attributes["equation"].decode().replace(" ", "")
    terms, _, result = equation.partition("->")
    operands = [_labelled(term, shape(step, place)) for place, term in enumerate(terms.split(","))]
    if "->" not in equation:
        times = Counter(label for term in terms.split(",") for label in term if label.isalpha())
        result = "".join(sorted(label for label, n in times.items() if n == 1)) + ("..." if "..." in terms else "")
    broadcast = [label for operand in operands for label in operand if label.startswith(".")]
    total, (first, *others) = 0, operands
    for number, other in enumerate(others):
        later = {label for operand in others[number + 1 :] for label in operand} | set(result) | set(broadcast)
        needed = (set(first) & set(other)) | later
        sizes = {
            label: max(first.get(label, 1), other.get(label, 1)) for label in {**first, **other} if label in needed
        }
        total += prod(sizes.values())
        first = {label: size for label, size in sizes.items() if label in later}
    return total


def _labelled(term: str, sizes: list[int]) -> dict[str, int]:
    """Label → size; the axes of "..." are named by their place from the right."""
    before, dots, after = term.partition("...")
    more = len(sizes) - len(before) - len(after) if dots else 0
    labels = [*before, *(f".{more - i}" for i in range(more)), *after]
    return dict(zip(labels, sizes, strict=True))


def attention(queries: int, length: int, keys: int, query_width: int, value_width: int) -> int:
    """Scores and weighted values of `queries` sequences of heads: L·S·E, then L·S·Ev, causal masks or not."""
    return queries * length * keys * (query_width + value_width)


def _attention(step: "Step") -> int:
    """q (B, H, L, E), k (B, Hkv, S, E), v (B, Hkv, S, Ev), or (B, L, H·E); past keys stand before the new."""
    query, key, value = (shape(step, place) for place in range(3))
    if len(query) == 3:
        heads, kv_heads = step.attributes["q_num_heads"], step.attributes["kv_num_heads"]
        query = [query[0], heads, query[1], query[2] // heads]
        key, value = ([one[0], kv_heads, one[1], one[2] // kv_heads] for one in (key, value))
    past = shape(step, 4)[2] if has(step, 4) else 0
    return attention(query[0] * query[1], query[2], key[2] + past, query[3], value[3])


def _fourier(step: "Step") -> int:
    """As netwright.inspect.macs: 2.5 n log2 n a transform of n points, half of it for real numbers."""
    sizes = shape(step, 0)
    axis = step.attributes.get("axis", -2)
    if has(step, 2):
        axis = _number(step, 2)
    result = step.outputs[0].sizes
    if not result:
        raise UnknownShapeError
    points = result[axis] if step.attributes.get("inverse", 0) else sizes[axis]
    if has(step, 1):
        points = _number(step, 1)
    others = prod(size for place, size in enumerate(sizes[:-1]) if place != axis % len(sizes))
    real = sizes[-1] == 1 or result[-1] == 1
    return round(2.5 * others * points * log2(max(2, points)) / (2 if real else 1))


def _short_fourier(step: "Step") -> int:
    """Frames (B, frames, bins, 2) of so many points each."""
    frames = step.outputs[0].sizes
    if not frames or -1 in frames:
        raise UnknownShapeError
    points = _number(step, 3) if has(step, 3) else shape(step, 2)[0]
    real = shape(step, 0)[-1] == 1 or len(shape(step, 0)) == 2
    return round(2.5 * frames[0] * frames[1] * points * log2(max(2, points)) / (2 if real else 1))


# com.microsoft's: what onnxruntime's optimizer and quantizer write


def _projected_attention(step: "Step") -> int:
    """x (B, L, D) times a weight (D, E + E + Ev), then attention; past (2, B, heads, P, E/heads)."""
    (batch, length, _), (_, widths) = shape(step, 0), shape(step, 1)
    past = 8 if step.op.endswith("QAttention") else 4
    keys = length + (shape(step, past)[3] if has(step, past) else 0)
    query, _, value = step.attributes.get("qkv_hidden_sizes", [widths // 3] * 3)
    return prod(shape(step, 0)) * widths + attention(batch, length, keys, query, value)


def _multi_head_attention(step: "Step") -> int:
    """q (B, L, E), k (B, S, E) or (B, heads, S, E/heads), v alike; or q, k, v in one (B, L, heads, 3, E/heads)."""
    query = shape(step, 0)
    if len(query) == 5:
        batch, length, heads, _, width = query
        return attention(batch * heads, length, length, width, width)
    heads, key = step.attributes["num_heads"], shape(step, 1)
    if len(key) == 5:  # k and v in one (B, S, heads, 2, E/heads)
        keys, value_width = key[1], query[2] // heads
    else:
        value = shape(step, 2)
        keys, value_width = key[-2], value[3] if len(value) == 4 else value[2] // heads
    past = shape(step, 6)[2] if has(step, 6) else 0
    return attention(query[0] * heads, query[1], keys + past, query[2] // heads, value_width)


def _grouped_query_attention(step: "Step") -> int:
    """q (B, L, heads·E), or q, k, v in one; the keys are those of its own `present` output, or the past and the new."""
    (batch, length, width), heads = shape(step, 0), step.attributes["num_heads"]
    each = width // (heads if has(step, 1) else heads + 2 * step.attributes["kv_num_heads"])
    if len(step.outputs) > 1 and step.outputs[1].known:
        keys = step.outputs[1].sizes[2]
    else:
        keys = length + (shape(step, 3)[2] if has(step, 3) else 0)
    return attention(batch * heads, length, keys, each, each)


def _block_quantized(step: "Step") -> int:
    """x (…, K) times a weight of N × K numbers of a few bits."""
    return prod(shape(step, 0)) * step.attributes["N"]


def _experts(step: "Step") -> int:
    """Each row of x meets k experts of (E, …) weights."""
    rows = prod(shape(step, 0)[:-1]) * step.attributes.get("k", 1)
    return rows * sum(prod(shape(step, place)[1:]) for place in (2, 4, 6) if has(step, place))


MS = "com.microsoft::"
FORMULAS: dict[str, MacFormula] = {
    "Conv": _convolution(1),
    "ConvInteger": _convolution(1),
    "QLinearConv": _convolution(3),
    "DeformConv": _convolution(1),
    "CausalConvWithState": _convolution(1),
    "ConvTranspose": _transposed,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearMatMul": _matmul,
    "Gemm": _matmul,
    "Einsum": _einsum,
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
    "Attention": _attention,
    "DFT": _fourier,
    "STFT": _short_fourier,
    **dict.fromkeys((f"{MS}FusedConv", f"{MS}NhwcConv", f"{MS}NhwcFusedConv"), _convolution(1)),
    f"{MS}ConvTransposeWithDynamicPads": _transposed,
    f"{MS}QLinearConv": _convolution(3),
    **{
        f"{MS}{name}": _matmul
        for name in (
            "FusedMatMul",
            "FusedGemm",
            "FusedMatMulActivation",
            "TransposeMatMul",
            "MatMulInteger16",
            "MatMulIntegerToFloat",
            "DynamicQuantizeMatMul",
            "QGemm",
            "GemmFloat8",
            "GemmFastGelu",
        )
    },
    **dict.fromkeys((f"{MS}MatMulNBits", f"{MS}MatMulBnb4"), _block_quantized),
    **dict.fromkeys((f"{MS}Attention", f"{MS}QAttention"), _projected_attention),
    f"{MS}MultiHeadAttention": _multi_head_attention,
    f"{MS}GroupQueryAttention": _grouped_query_attention,
    f"{MS}DynamicQuantizeLSTM": _recurrent,
    f"{MS}MoE": _experts,
}

# One result for each number of the first input, in its shape.
_ELEMENTWISE = """
    Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast CastLike Ceil Celu Clip Cos Cosh CumProd CumSum Dropout Elu
    Erf Exp Floor Gelu HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization
    LeakyRelu Log LogSoftmax LpNormalization MeanVarianceNormalization Mish Neg Not PRelu RMSNormalization Reciprocal
    Relu Round Selu Shrink Sigmoid Sign SimplifiedLayerNormalization Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan
    Tanh ThresholdedRelu Trilu BatchNormalization GroupNormalization RotaryEmbedding"""
_STANDARD = """
    Add AffineGrid And ArgMax ArgMin AveragePool Bernoulli BitCast BitShift BitwiseAnd BitwiseOr BitwiseXor
    BlackmanWindow CenterCropPad Col2Im Compress Concat ConcatFromSequence ConstantOfShape DepthToSpace
    DequantizeLinear Div DynamicQuantizeLinear Equal Expand EyeLike Flatten Gather GatherElements GatherND
    GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample HammingWindow HannWindow ImageDecoder
    Less LessOrEqual LpPool Max MaxPool MaxRoiPool MaxUnpool Mean MelWeightMatrix Min Mod Mul Multinomial
    NegativeLogLikelihoodLoss NonMaxSuppression NonZero OneHot Optional OptionalGetElement OptionalHasElement Or Pad Pow
    QuantizeLinear RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range ReduceL1 ReduceL2 ReduceLogSum
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Reshape Resize
    ReverseSequence RoiAlign Scatter ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase
    SequenceInsert SequenceLength Shape Size Slice SoftmaxCrossEntropyLoss SpaceToDepth Split SplitToSequence Squeeze
    StringConcat StringNormalizer StringSplit Sub Sum SwiGLU TensorScatter TfIdfVectorizer Tile TopK Transpose Unique
    Unsqueeze Upsample Where Xor"""
_CONTRIB = """
    BiasAdd BiasDropout BiasGelu BiasSoftmax BiasSplitGelu DequantizeLinear EmbedLayerNormalization FastGelu
    GatherBlockQuantized Gelu GroupNorm NhwcMaxPool QLinearAdd QLinearAveragePool QLinearConcat QLinearGlobalAveragePool
    QLinearLeakyRelu QLinearMul QLinearReduceMean QLinearSigmoid QLinearSoftmax QLinearWhere QuantizeLinear QuickGelu
    RotaryEmbedding SimplifiedLayerNormalization SkipGroupNorm SkipLayerNormalization
    SkipSimplifiedLayerNormalization"""
ELEMENTWISE = frozenset(_ELEMENTWISE.split())
FREE = ELEMENTWISE | frozenset(_STANDARD.split()) | {f"{MS}{name}" for name in _CONTRIB.split()}
