"""Multiply-accumulates of one operator, from its shapes; and which operators have none by convention.

Convention: a MAC is one multiplication with its addition inside a matrix product, convolution or attention,
as the literature counts them (ResNet-50: 4.09 G). Biases, norms, activations, pooling, softmax, interpolation and
moving data count zero. Positions in the padding are counted, as they are computed; so is the masked half of
causal attention, and what a fused backward computes again. FLOPs are 2 × MACs.

An operator that is neither in FORMULAS nor known to be free is never passed over: the capture lists it as not
counted.
"""

from collections.abc import Callable
from functools import cache
from math import log2, prod
from typing import Any

import torch
from torch import Tensor

from netwright.inspect import quantised

MacFormula = Callable[[tuple, dict, Any], int]


def macs_of(operator: torch._ops.OpOverload, args: tuple, kwargs: dict, out: Any) -> int:
    """MACs of one call of an operator; 0 for those without a formula."""
    formula = FORMULAS.get(name_of(operator))
    return formula(args, kwargs, out) if formula else 0


def has_formula(operator: torch._ops.OpOverload) -> bool:
    return name_of(operator) in FORMULAS


@cache
def name_of(operator: torch._ops.OpOverload) -> str:
    """`addmm` for aten.addmm.default and its in-place and out= forms; `torchvision::nms` outside aten."""
    name = operator.overloadpacket.__name__.removesuffix("_") or operator.overloadpacket.__name__
    return name if operator.namespace == "aten" else f"{operator.namespace}::{name}"


def _matmul(left: int, right: int) -> MacFormula:
    """args[left] (…, M, K) × args[right] (…, K, N): every element of the left meets N of the right."""

    def formula(args: tuple, kwargs: dict, out: Any) -> int:
        return args[left].numel() * (args[right].shape[-1] if args[right].dim() > 1 else 1)

    return formula


def _linear(args: tuple, kwargs: dict, out: Tensor) -> int:
    return args[0].numel() * (args[1].shape[0] if args[1].dim() > 1 else 1)


def _convolution(args: tuple, kwargs: dict, out: Tensor) -> int:
    """Weight (C_out, C_in / groups, k…): each output element sums one filter. Transposed, with weight
    (C_in, C_out / groups, k…): each input element is spread by one filter."""
    x, weight, transposed = args[0], args[1], args[6]
    return (x if transposed else out).numel() * prod(weight.shape[1:])


def _convolution_forward_only(args: tuple, kwargs: dict, out: Tensor) -> int:
    return out.numel() * prod(args[1].shape[1:])


def _attention(args: tuple, kwargs: dict, out: Any) -> int:
    """q (B, H, L, E), k (B, Hkv, S, E), v (B, Hkv, S, Ev): scores H·L·S·E, then H·L·S·Ev."""
    query, key, value = args[:3]
    return prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def _convolution_backward(args: tuple, kwargs: dict, out: Any) -> int:
    """The gradients of input and weight, where asked for, each take as many as the forward, groups and all."""
    grad, x, weight, transposed, wanted = args[0], args[1], args[2], args[7], args[10]
    return (x if transposed else grad).numel() * prod(weight.shape[1:]) * sum(wanted[:2])


def _attention_backward(args: tuple, kwargs: dict, out: Any) -> int:
    """The scores again and the gradients of query and key (E each), those of value and weights (Ev each)."""
    query, key, value = args[1:4]
    return prod(query.shape[:-1]) * key.shape[-2] * (3 * query.shape[-1] + 2 * value.shape[-1])


def _flash_attention(args: tuple, kwargs: dict, out: Any) -> int:
    """q (B, L, H, E), k (B, S, Hkv, E), v: as above with the heads behind the positions."""
    query, key, value = args[:3]
    batch, length, heads, width = query.shape
    return batch * heads * length * key.shape[1] * (width + value.shape[-1])


def _rnn_layer_backward(args: tuple, kwargs: dict, out: Any) -> int:
    """The gradients of what goes in and of the weights: twice the forward."""
    return 2 * _rnn_layer(args, kwargs, out)


def _cell_weights(args: tuple, kwargs: dict, out: Any) -> int:
    """cuDNN's whole stack: x (T, B, I); every weight matrix meets every step of every sequence once."""
    return prod(args[0].shape[:-1]) * sum(weight.numel() for weight in args[1] if weight.dim() == 2)


def _cdist(args: tuple, kwargs: dict, out: Tensor) -> int:
    """Distances of all pairs: one MAC a number of each pair."""
    return out.numel() * args[0].shape[-1]


def _trilinear(args: tuple, kwargs: dict, out: Tensor) -> int:
    """Σ x (…, I) · weight (O, I, J) · y (…, J), each with new dimensions: one MAC an element of the whole product."""
    shapes = []
    for tensor, new in zip(args[:3], args[3:6], strict=True):
        shape = list(tensor.shape)
        for dim in sorted(new):
            shape.insert(dim, 1)
        shapes.append(shape)
    return prod(max(sizes) for sizes in zip(*shapes, strict=True))


def _fft(args: tuple, kwargs: dict, out: Tensor) -> int:
    """A transform of n points takes 5 n log2 n operations (Cooley and Tukey's, the usual convention), of real ones
    half: as MACs half as many again."""
    x, axes = args[0], args[1]
    longer = max(x, out, key=lambda tensor: tensor.numel())
    points = prod(longer.shape[axis] for axis in axes)
    real = not (x.is_complex() and out.is_complex())
    return round(2.5 * longer.numel() * log2(max(2, points)) / (2 if real else 1))


def _sparse_matmul(sparse: int, dense: int) -> MacFormula:
    """Every stored number meets a row of the dense matrix."""

    def formula(args: tuple, kwargs: dict, out: Any) -> int:
        return args[sparse]._nnz() * args[dense].shape[-1]

    return formula


def _rnn_layer(args: tuple, kwargs: dict, out: Any) -> int:
    """oneDNN's one layer, one direction: x (T, B, I), weights (gates·H, I), (gates·H, H), at every step."""
    x, input_weight, hidden_weight = args[:3]
    return prod(x.shape[:-1]) * (input_weight.numel() + hidden_weight.numel())


def _grouped_mm(args: tuple, kwargs: dict, out: Tensor) -> int:
    """Rows sorted by group: (T, K) × (G, K, N), (G, M, K) × (K, T), (M, T) × (T, N), or a plain batched
    product. Each row meets the matrix of its own group only."""
    left, right = args[:2]
    if left.dim() == 3 and right.dim() == 2:
        return left.shape[1] * right.numel()
    return left.numel() * right.shape[-1]


_FUSED_ATTENTION = (
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)

FORMULAS: dict[str, MacFormula] = {
    "mm": _matmul(0, 1),
    "_int_mm": _matmul(0, 1),
    "bmm": _matmul(0, 1),
    "mv": _matmul(0, 1),
    "dot": _matmul(0, 1),
    "vdot": _matmul(0, 1),
    "addmm": _matmul(1, 2),
    "_addmm_activation": _matmul(1, 2),
    "addbmm": _matmul(1, 2),
    "baddbmm": _matmul(1, 2),
    "addmv": _matmul(1, 2),
    "linear": _linear,
    "mkldnn_linear": _linear,
    "_grouped_mm": _grouped_mm,
    "convolution": _convolution,
    "_convolution": _convolution,
    "convolution_overrideable": _convolution,
    "mkldnn_convolution": _convolution_forward_only,
    "torchvision::deform_conv2d": _convolution_forward_only,
    **dict.fromkeys(_FUSED_ATTENTION, _attention),
    "convolution_backward": _convolution_backward,
    "mkldnn_rnn_layer": _rnn_layer,
    "mkldnn_rnn_layer_backward": _rnn_layer_backward,
    "_cudnn_rnn": _cell_weights,
    "_cdist_forward": _cdist,
    "_fft_c2c": _fft,
    "_fft_r2c": _fft,
    "_fft_c2r": _fft,
    "_flash_attention_forward": _flash_attention,
    "_sparse_addmm": _sparse_matmul(1, 2),
    "_sparse_mm": _sparse_matmul(0, 1),
    **{f"{name}_backward": _attention_backward for name in _FUSED_ATTENTION},
    "_trilinear": _trilinear,
    **quantised.FORMULAS,
}


# Elementwise operators mostly carry torch's own tag; these do not.
_ELEMENTWISE = """
    hardswish hardsigmoid hardtanh leaky_relu silu mish softplus elu celu selu prelu rrelu gelu
    floor_divide masked_fill"""
_NORMS = """
    native_layer_norm native_batch_norm native_group_norm cudnn_batch_norm _fused_rms_norm
    _batch_norm_no_update _batch_norm_with_update _native_batch_norm_legit
    _native_batch_norm_legit_no_training linalg_vector_norm norm renorm local_response_norm"""
_POOLING = """
    max_pool2d_with_indices max_pool3d_with_indices mkldnn_max_pool2d mkldnn_max_pool3d avg_pool2d
    avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d mkldnn_adaptive_avg_pool2d adaptive_max_pool2d
    adaptive_max_pool3d fractional_max_pool2d max_unpool2d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d upsample_linear1d upsample_bilinear2d
    upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d
    grid_sampler_3d torchvision::roi_align torchvision::roi_pool torchvision::ps_roi_align torchvision::nms"""
_REDUCTIONS = """
    _softmax _log_softmax _safe_softmax logsumexp mean sum nansum prod amax amin aminmax max min median
    mode var std var_mean std_mean argmax argmin any all cumsum cumprod cummax cummin logcumsumexp topk
    kthvalue sort argsort count_nonzero nonzero unique_consecutive _unique2 bincount histc searchsorted
    bucketize glu native_dropout rrelu_with_noise segment_reduce"""
_DATA = """
    cat stack clone copy _copy_from _to_copy contiguous index index_select index_put index_add index_copy
    index_fill _unsafe_index _unsafe_index_put gather scatter scatter_ scatter_add scatter_reduce
    masked_select masked_scatter take embedding _embedding_bag _embedding_bag_forward_only
    embedding_renorm one_hot arange linspace eye zeros ones full empty empty_strided empty_permuted
    zeros_like ones_like full_like empty_like new_zeros new_ones new_full new_empty new_empty_strided
    scalar_tensor rand randn randint randperm rand_like randn_like randint_like bernoulli uniform normal
    normal_functional multinomial random fill zero constant_pad_nd reflection_pad1d reflection_pad2d
    reflection_pad3d replication_pad1d replication_pad2d replication_pad3d roll flip repeat
    repeat_interleave rot90 tril triu tril_indices triu_indices pixel_shuffle pixel_unshuffle
    channel_shuffle native_channel_shuffle im2col col2im _unsafe_view unsafe_split unsafe_split_with_sizes
    unsafe_chunk _reshape_alias _reshape_copy as_strided as_strided_scatter resize set lift lift_fresh
    lift_fresh_copy _local_scalar_dense item is_same_size equal _pack_padded_sequence _assert_async
    _assert_tensor_metadata split_with_sizes_copy unfold_copy view_copy transpose t squeeze unsqueeze
    swapaxes sym_size sym_stride sym_numel isin"""
_FREE = frozenset((_ELEMENTWISE + _NORMS + _POOLING + _REDUCTIONS + _DATA).split())


@cache
def makes_constants(operator: torch._ops.OpOverload) -> bool:
    """`x.new_zeros(3)`, `zeros_like(x)`: x gives shape, type and device, not its values."""
    return name_of(operator).startswith("new_") or name_of(operator).endswith("_like")


def _of_backward(name: str) -> str:
    """The forward's name where this is a backward: gelu_backward, _softmax_backward_data."""
    for ending in ("_dense_backward", "_backward_data", "_jvp", "_backward"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return ""


@cache
def is_free(operator: torch._ops.OpOverload) -> bool:
    """Zero MACs by convention: elementwise operators, views, and those listed above."""
    if torch.Tag.pointwise in operator.tags or name_of(operator) in _FREE:
        return True
    if operator.namespace in ("prim", "prims") or quantised.is_free(name_of(operator)):
        return True
    forward = _of_backward(name_of(operator))
    if forward and hasattr(torch.ops.aten, forward):
        packet = getattr(torch.ops.aten, forward)
        return forward not in FORMULAS and any(is_free(getattr(packet, form)) for form in packet.overloads())
    return is_view(operator)


@cache
def is_view(operator: torch._ops.OpOverload) -> bool:
    """It makes no memory and writes none: other strides, not a kernel."""
    aliases = [value.alias_info for value in operator._schema.returns]
    return bool(aliases) and all(alias is not None and not alias.is_write for alias in aliases)
