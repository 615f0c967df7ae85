"""Shapes that onnxruntime's own operators give, which ONNX's inference doesn't know: (type, shape) of each output."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from onnx import TensorProto

from netwright.inspect.onnx.macs import MS, UnknownShapeError, has, shape

if TYPE_CHECKING:
    from netwright.inspect.onnx.graph import Step

Made = list[tuple[int, list[int]]]


def _as_first(step: "Step") -> Made:
    return [(_kind(step, 0), shape(step, 0))] * max(1, len(step.node.output))


def _kind(step: "Step", place: int) -> int:
    value = step.inputs[place]
    return value.dtype if value is not None else TensorProto.UNDEFINED


def _broadcast(*places: int) -> Callable[["Step"], Made]:
    def made(step: "Step") -> Made:
        shapes = [shape(step, place) for place in places]
        longest = max(len(one) for one in shapes)
        padded = [[1] * (longest - len(one)) + one for one in shapes]
        return [(_kind(step, places[0]), [max(sizes) for sizes in zip(*padded, strict=True)])]

    return made


def _matmul(right: int, kind: int | None = None) -> Callable[["Step"], Made]:
    """Inputs 0 and `right`; `kind` where it isn't that of the left."""

    def made(step: "Step") -> Made:
        a, b = shape(step, 0), shape(step, right)
        if step.attributes.get("transA", 0):
            a = [*a[:-2], a[-1], a[-2]]
        if step.attributes.get("transB", 0):
            b = [*b[:-2], b[-1], b[-2]]
        width = max(len(a), len(b)) - 2
        before = [
            max(one, other)
            for one, other in zip([1] * (width + 2 - len(a)) + a[:-2], [1] * (width + 2 - len(b)) + b[:-2], strict=True)
        ]
        return [(_kind(step, 0) if kind is None else kind, [*before, a[-2], b[-1]])]

    return made


def _few_bits(step: "Step") -> Made:
    return [(_kind(step, 0), [*shape(step, 0)[:-1], step.attributes["N"]])]


def _convolution(step: "Step") -> Made:
    """x (B, C, …), weight (C_out, C_in / groups, k…)."""
    x, weight, said = shape(step, 0), shape(step, 1), step.attributes
    axes = len(x) - 2
    strides, dilations = said.get("strides", [1] * axes), said.get("dilations", [1] * axes)
    pads = said.get("pads", [0] * 2 * axes)
    how = said.get("auto_pad", b"NOTSET").decode()
    sizes = []
    for i in range(axes):
        window = dilations[i] * (weight[2 + i] - 1) + 1
        if how.startswith("SAME"):
            sizes.append(-(-x[2 + i] // strides[i]))
        else:
            around = 0 if how == "VALID" else pads[i] + pads[axes + i]
            sizes.append((x[2 + i] + around - window) // strides[i] + 1)
    return [(_kind(step, 0), [x[0], weight[0], *sizes])]


def _projected_attention(step: "Step") -> Made:
    (batch, length, _), (_, widths) = shape(step, 0), shape(step, 1)
    value = step.attributes.get("qkv_hidden_sizes", [widths // 3] * 3)[2]
    kind = _kind(step, 3) if step.op.endswith("QAttention") else _kind(step, 0)
    return [(kind, [batch, length, value])]


def _multi_head_attention(step: "Step") -> Made:
    query = shape(step, 0)
    if len(query) == 5:
        return [(_kind(step, 0), [query[0], query[1], query[2] * query[4]])]
    heads = step.attributes["num_heads"]
    value = shape(step, 2) if has(step, 2) else query
    width = value[1] * value[3] if len(value) == 4 else value[2]
    made: Made = [(_kind(step, 0), [query[0], query[1], width])]
    if len(step.node.output) > 1:
        past = shape(step, 6)[2] if has(step, 6) else 0
        keys = shape(step, 1)[-2] + past
        made += [(_kind(step, 0), [query[0], heads, keys, one // heads]) for one in (query[2], width)]
    return made


def _grouped_query_attention(step: "Step") -> Made:
    (batch, length, width), said = shape(step, 0), step.attributes
    heads, kv_heads = said["num_heads"], said["kv_num_heads"]
    each = width // (heads if has(step, 1) else heads + 2 * kv_heads)
    past = shape(step, 3)[2] if has(step, 3) else 0
    total = step.inputs[6].number if has(step, 6) else None  # type: ignore[union-attr]
    present = max(past, int(total)) if total is not None else past + length
    return [(_kind(step, 0), [batch, length, heads * each])] + [(_kind(step, 0), [batch, kv_heads, present, each])] * 2


def _embedded(step: "Step") -> Made:
    batch, length = shape(step, 0)
    return [(_kind(step, 2), [batch, length, shape(step, 2)[-1]]), (TensorProto.INT32, [batch])]


def _skipped(step: "Step") -> Made:
    """Norms of a sum: the result, mean and inverse deviation (unused at inference), and the sum."""
    x, kind = shape(step, 0), _kind(step, 0)
    return [(kind, x), (TensorProto.FLOAT, [*x[:-1], 1]), (TensorProto.FLOAT, [*x[:-1], 1]), (kind, x)]


def _pooled(step: "Step") -> Made:
    x = shape(step, 0)
    last = step.attributes.get("channels_last", 0)
    return [(_kind(step, 0), [x[0], *[1] * (len(x) - 2), x[-1]] if last else [*x[:2], *[1] * (len(x) - 2)])]


def _joined(step: "Step") -> Made:
    """Scale, zero point, then (value, scale, zero point) of each."""
    parts = [shape(step, place) for place in range(2, len(step.inputs), 3)]
    axis = step.attributes["axis"]
    made = list(parts[0])
    made[axis] = sum(part[axis] for part in parts)
    return [(_kind(step, 2), made)]


def _gathered(step: "Step") -> Made:
    """Rows of a table of few bits, in blocks with a scale each."""
    data, indices, axis = shape(step, 0), shape(step, 1), step.attributes.get("gather_axis", 0)
    bits = step.attributes.get("bits", 4)
    packed = 8 // bits if _kind(step, 0) == TensorProto.UINT8 else 1
    data = [*data[:-1], data[-1] * packed]
    if has(step, 2):
        return [(_kind(step, 2), [*data[:axis], *indices, *data[axis + 1 :]])]
    raise UnknownShapeError


_AS_FIRST = """
    BiasAdd BiasGelu BiasSoftmax BiasDropout FastGelu Gelu QuickGelu GroupNorm QLinearLeakyRelu QLinearSigmoid
    QLinearSoftmax RotaryEmbedding SimplifiedLayerNormalization"""
CONTRIB_SHAPES: dict[str, Callable[["Step"], Made]] = {
    **{f"{MS}{name}": _as_first for name in _AS_FIRST.split()},
    **dict.fromkeys((f"{MS}SkipLayerNormalization", f"{MS}SkipSimplifiedLayerNormalization"), _skipped),
    **dict.fromkeys((f"{MS}QLinearAdd", f"{MS}QLinearMul"), _broadcast(0, 3)),
    **{
        f"{MS}{name}": _matmul(1)
        for name in ("FusedMatMul", "FusedGemm", "FusedMatMulActivation", "TransposeMatMul", "DynamicQuantizeMatMul")
    },
    f"{MS}MatMulIntegerToFloat": _matmul(1, TensorProto.FLOAT),
    f"{MS}QGemm": _matmul(3),
    **dict.fromkeys((f"{MS}MatMulNBits", f"{MS}MatMulBnb4"), _few_bits),
    f"{MS}FusedConv": _convolution,
    **dict.fromkeys((f"{MS}Attention", f"{MS}QAttention"), _projected_attention),
    f"{MS}MultiHeadAttention": _multi_head_attention,
    f"{MS}GroupQueryAttention": _grouped_query_attention,
    f"{MS}EmbedLayerNormalization": _embedded,
    f"{MS}QLinearGlobalAveragePool": _pooled,
    f"{MS}QLinearConcat": _joined,
    f"{MS}GatherBlockQuantized": _gathered,
}
