"""Attention as it runs: which calls look only backwards, and how many numbers of keys and values a token leaves.

Operators are followed by marks on their results. A mask is causal where it comes of `tril`, `triu`, a comparison of
two ranges of positions, or a tensor whose values are triangular; attention is where the kernel or its mask says so.
Keys and values are counted before heads are repeated: a mark knows how many copies of each number there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensor
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary

from netwright.inspect.macs import name_of

CORNER = 64  # of a given mask: as much of it is looked at


@dataclass(frozen=True, slots=True)
class Product:
    """The product with a weight that made a tensor."""

    weight: int  # which one
    tokens: int  # that it was applied to
    inputs: int  # weights that each number of its results has, with its bias
    bytes: int  # of such a number, though the attention may compute in another type


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of a tensor; of most nothing."""

    copies: float = 1  # of each of its numbers
    product: Product | None = None
    weight: int | None = None  # it is this weight, seen or converted
    position: float | None = None  # a range of positions, from this one
    triangular: bool = False
    scores: "tuple[Attended, Attended] | None" = None  # queries and keys whose product it is


@dataclass(frozen=True, slots=True)
class Attended:
    """Queries, keys or values of one call of attention: `heads` × `width` numbers a token, before any repeats."""

    product: Product
    numbers: int  # of one token
    width: int  # of a head

    @property
    def heads(self) -> int:
        return self.numbers // self.width


@dataclass(frozen=True, slots=True)
class Attention:
    """One call; `row` is the recorder's, of the module that it was in."""

    row: int
    query: Attended
    key: Attended
    value: Attended
    causal: bool

    @property
    def cache_bytes(self) -> int:
        """That a token leaves for those after it."""
        return sum(one.numbers * one.product.bytes for one in (self.key, self.value))


class Attentions:
    """The calls of attention whose queries, keys and values come of products with weights, in order."""

    def __init__(self, weights: Iterable[Tensor], masks: Iterable[Tensor] = ()) -> None:
        self.calls: list[Attention] = []
        self._marks = WeakIdKeyDictionary()
        self._pieces = WeakIdKeyDictionary()  # storage → what was copied into parts of it: (numbers, Mark)
        self._weights = {id(weight.untyped_storage()) for weight in weights if _is_plain(weight)}
        for mask in masks:
            self._marks[mask] = _TRIANGULAR

    def see(self, func: Any, args: tuple, kwargs: dict, given: list[Tensor], made: list[Tensor], row: int) -> None:
        """One operator of the forward, in the row of the module that called it."""
        kind = _kind(func)
        if not kind or not made or not all(map(_is_plain, [*given, *made])):
            return
        if kind == "attention":
            self._fused(func, args, kwargs, row)
        elif kind == "product":
            self._product(name_of(func), args, made[0], row)
        elif kind == "positions":
            start = args[0] if len(args) > 1 else 0
            self._marks[made[0]] = Mark(position=start if isinstance(start, int | float) else 0)
        else:
            mark = self._followed(func, kind, args, kwargs, given, made[0])
            for tensor in made:
                if mark is not None:
                    self._marks[tensor] = mark
                    if name_of(func) == "copy" and mark.product:
                        pieces = self._pieces.setdefault(tensor.untyped_storage(), [])
                        pieces.append((tensor.numel(), mark))
                elif tensor in self._marks:
                    del self._marks[tensor]

    def _followed(
        self, func: Any, kind: str, args: tuple, kwargs: dict, given: list[Tensor], out: Tensor
    ) -> Mark | None:
        """What the operands' marks say of a result that holds their numbers, or numbers made one by one of them."""
        name = name_of(func)
        operands = [tensor for tensor in given[name == "copy" :] if tensor.numel()]
        marks = [self._mark(tensor) for tensor in operands]
        if kind == "comparison":
            return _TRIANGULAR if _is_causal(operands, marks, out) else None
        triangular = any(mark.triangular for mark in marks)
        if kind == "triangle":
            triangular |= abs(args[1] if len(args) > 1 else kwargs.get("diagonal", 0)) <= 1
        scores = next((mark.scores for mark in marks if mark.scores), None)
        product = next((mark.product for mark in marks if mark.product), None)
        weights = [self._weight(tensor) for tensor in operands]
        weight = weights[0] if weights and None not in weights else None
        added = name == "add" and any(
            one is not None and tensor.dim() == 1 for one, tensor in zip(weights, operands, strict=True)
        )
        if product and added:  # a bias
            product = replace(product, inputs=product.inputs + 1)
        position = marks[0].position if len(marks) == 1 and (kind == "moved" or name in ("add", "sub")) else None
        if position is not None and kind != "moved":
            step = args[1] if len(args) > 1 and isinstance(args[1], int | float) else float("nan")
            position += step if name == "add" else -step
        if weight is None and position is None and not (triangular or scores or product):
            return None
        copies = _copies(kind, operands, marks, out) if product else 1.0
        return Mark(copies, product, weight, position, triangular, scores)

    def _product(self, name: str, args: tuple, out: Tensor, row: int) -> None:
        left, right = args[1:3] if name in ("addmm", "baddbmm") else args[:2]
        weights = [self._weight(left), self._weight(right)]
        if weights[1] is not None:
            if weights[0] is not None:  # a product of two weights (low-rank updates, say) is a weight
                self._marks[out] = Mark(weight=weights[1])
            else:
                self._marks[out] = _projection(weights[1], name, args, out)
        elif weights[0] is None and name in ("mm", "bmm", "baddbmm"):
            before = self._mark(left)
            if before.scores:
                if value := self._attended(right, right.shape[-1]):
                    self.calls.append(Attention(row, *before.scores, value, before.triangular))
                return
            query, key = self._attended(left, left.shape[-1]), self._attended(right, right.shape[-2])
            if query and key:
                triangular = name == "baddbmm" and self._mark(args[0]).triangular
                self._marks[out] = Mark(scores=(query, key), triangular=triangular)

    def _fused(self, func: Any, args: tuple, kwargs: dict, row: int) -> None:
        named = {one.name: value for one, value in zip(func._schema.arguments, args, strict=False)} | kwargs
        query, key, value = (self._attended(tensor, tensor.shape[-1]) for tensor in args[:3])
        mask = next((named[name] for name in ("attn_mask", "attn_bias") if named.get(name) is not None), None)
        causal = bool(named.get("is_causal")) or (isinstance(mask, Tensor) and self._mark(mask).triangular)
        if query and key and value:
            self.calls.append(Attention(row, query, key, value, causal))

    def _attended(self, tensor: Tensor, width: int) -> Attended | None:
        mark = self._mark(tensor)
        if mark.product is None or not tensor.numel():
            return None
        numbers = round(tensor.numel() / mark.copies / mark.product.tokens)
        return Attended(mark.product, numbers, width) if numbers else None

    def _mark(self, tensor: Tensor) -> Mark:
        mark = self._marks.get(tensor)
        if mark is not None:
            return mark
        if self._pieces:
            pieces = self._pieces.get(tensor.untyped_storage(), [])
            if pieces and sum(size for size, _ in pieces) == tensor.numel():  # all of it was written
                copies = tensor.numel() / sum(size / mark.copies for size, mark in pieces)
                return Mark(copies, pieces[0][1].product)
        if isinstance(tensor, FakeTensor):
            return _NOTHING
        # Masks that a module keeps as plain attributes are real, and so is everything in a real run.
        return _TRIANGULAR if is_triangular(tensor) else _NOTHING

    def _weight(self, tensor: Tensor) -> int | None:
        key = id(tensor.untyped_storage())
        return key if key in self._weights else self._mark(tensor).weight


_NOTHING, _TRIANGULAR = Mark(), Mark(triangular=True)


def _projection(weight: int, name: str, args: tuple, out: Tensor) -> Mark:
    """Of (…, tokens, K) × (…, K, N), of `linear`'s (tokens…, K), or of a convolution's places."""
    if name == "convolution":
        tokens, inputs = out.numel() // out.shape[1], prod(args[1].shape[1:])
        return Mark(product=Product(weight, tokens, inputs + (args[2] is not None), out.element_size()))
    left, right = args[1:3] if name in ("addmm", "baddbmm") else args[:2]
    bias = name in ("addmm", "baddbmm") or (name == "linear" and len(args) > 2 and args[2] is not None)
    tokens = left.numel() // left.shape[-1]
    if name in ("bmm", "baddbmm") and right.stride(0):  # each of the batch has its own weight: it is the heads
        tokens = left.shape[1]
    return Mark(product=Product(weight, tokens, left.shape[-1] + bias, out.element_size()))


def _copies(kind: str, operands: list[Tensor], marks: list[Mark], out: Tensor) -> float:
    """Copies of each number that came of a product with a weight."""
    theirs = [(tensor.numel(), mark.copies) for tensor, mark in zip(operands, marks, strict=True) if mark.product]
    if kind == "joined":
        return sum(size for size, _ in theirs) / sum(size / copies for size, copies in theirs)
    return min(copies * max(1.0, out.numel() / size) for size, copies in theirs)


def _is_causal(operands: list[Tensor], marks: list[Mark], out: Tensor) -> bool:
    """Each of a range of positions is compared with each of the same range."""
    if len(operands) != 2 or any(mark.position is None for mark in marks):
        return False
    first, second = (mark.position for mark in marks)
    assert first is not None and second is not None
    return out.numel() > max(tensor.numel() for tensor in operands) and abs(first - second) <= 1


def is_triangular(mask: Tensor) -> bool:
    """Are the places above its diagonal one value, and those below and on it another? False on meta."""
    if not _is_plain(mask) or mask.requires_grad or mask.is_meta or mask.is_quantized:
        return False
    if not (2 <= mask.dim() <= 4 and mask.shape[-1] == mask.shape[-2] > 1 and mask.numel()):
        return False
    with _disable_current_modes():
        corner = mask.reshape(-1, *mask.shape[-2:])[0, :CORNER, :CORNER]
        lower = torch.ones_like(corner, dtype=torch.bool).tril()
        above, below = corner[~lower], corner[lower]
        return bool((above == above[0]).all() and (below == below[0]).all() and above[0] != below[0])


def _is_plain(tensor: Tensor) -> bool:
    return tensor.layout is torch.strided and not tensor.is_nested


_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "linear", "convolution")
_MOVES = """clone copy _to_copy contiguous repeat repeat_interleave index_select index _unsafe_view _reshape_alias
    _reshape_copy lift_fresh roll flip constant_pad_nd"""
_KEEPS = """masked_fill where _softmax _safe_softmax native_dropout native_layer_norm _fused_rms_norm
    native_group_norm leaky_relu silu gelu"""
_MOVING, _KEEPING = frozenset(_MOVES.split()), frozenset(_KEEPS.split())


@cache
def _kind(func: Any) -> str:
    """How marks pass through an operator; "" where they end."""
    name = name_of(func)
    if "scaled_dot_product" in name or name == "_flash_attention_forward":
        return "attention"
    if name in _PRODUCTS:
        return "product"
    if name == "arange":
        return "positions"
    if name in ("tril", "triu"):
        return "triangle"
    if name in ("cat", "stack"):
        return "joined"
    if name in ("le", "lt", "ge", "gt") and "Tensor" in func._overloadname:
        return "comparison"
    aliases = [value.alias_info for value in func._schema.returns]
    if name in _MOVING or (aliases and all(alias is not None and not alias.is_write for alias in aliases)):
        return "moved"
    return "made" if name in _KEEPING or torch.Tag.pointwise in func.tags else ""
