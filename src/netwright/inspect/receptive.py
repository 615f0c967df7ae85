"""Receptive fields: how far each layer of a network sees in its input, in theory and by its gradients.

In theory (Araujo et al. 2019, doi:10.23915/distill.00021), exactly: each operator of the forward, on fakes, is followed
by which units of its input a unit of its result reaches. Where branches meet, the field is the hull of theirs. What
reads every place (attention, global pooling, a product over the places) sees the whole input; statistics that norms
take over space do not count. Followed is the first input: of (B, C, *space) its space, of (B, L) tokens its length.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.weak import WeakIdKeyDictionary

from netwright.errors import InputError
from netwright.inspect.capture import inference
from netwright.inspect.fakes import faked
from netwright.inspect.lattice import Lattice
from netwright.inspect.macs import makes_constants
from netwright.inspect.measure import evaluating
from netwright.inspect.reach import Seen, along, compact, follow, settled, units_of
from netwright.inspect.recorder import Recorder
from netwright.inspect.tensors import Inputs, as_call, tensors_in


class NotFollowedError(Exception):
    """The forward is right, and what an operator does to fields is not known here: a gap in netwright."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one layer sees. Per axis of the input's space, in pixels (samples, tokens) of the input."""

    id: str  # of the Blueprint's row
    size: tuple[int, ...]  # of the widest unit; the padding around the input counts as seen
    local: tuple[int, ...]  # the same without what mixes all places: squeeze-excite, attention, global pooling
    stride: tuple[float, ...]  # from one unit to the next, on average ("jump")
    start: tuple[int, ...]  # first pixel that the first unit sees, negative in the padding
    units: tuple[int, ...]  # the map's size
    covers_input: bool  # at least as large as the input along every axis


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder of resolutions: the map's size, and the first and last row with this stride."""

    stride: int
    units: tuple[int, ...]
    first: str
    last: str


def receptive_field(module: nn.Module, inputs: Inputs) -> list[Field]:
    """The field of every leaf row of `inspect(module, inputs)` that sees the first input, in the order of the calls.

    The module and its inputs may be on any device, meta included; nothing is computed, and the module stays as it was.
    InputError where the forward fails on fakes, or the first input has no space to see; NotFollowedError where it is
    netwright that fails.
    """
    args, kwargs = as_call(inputs)
    first = next(iter(tensors_in((args, kwargs))), None)
    if first is None or first.dim() < 2:
        raise InputError(
            "a receptive field needs an input with space", where=type(module).__name__, fix="give (B, C, *space)"
        )
    recorder = _Fields(module, tuple(first.shape[2:] if first.dim() > 2 else first.shape[1:]))
    try:
        with faked(module) as (mode, fake), mode, inference(module), recorder.hooked(), recorder:
            fake_args, fake_kwargs = fake(args), fake(kwargs)
            recorder.feed((fake_args, fake_kwargs))
            module(*fake_args, **fake_kwargs)
    except Exception as error:
        if recorder.lost is not None:
            raise recorder.lost from recorder.lost.__cause__
        raise InputError(
            f"no forward on fakes: {type(error).__name__}: {error}",
            where=type(module).__name__,
            fix="give inputs that the forward takes; what depends on their values can't be followed: give the backbone",
        ) from error
    if recorder.lost is not None:  # the forward itself caught it
        raise recorder.lost
    return recorder.found()


def resolution_ladder(fields: Iterable[Field], strides: Iterable[int] = (2, 4, 8, 16, 32)) -> list[Rung]:
    """The sizes of the maps with each of these strides (along time and space the larger), where the network has any."""
    rungs = []
    fields = list(fields)
    for stride in strides:
        there = [field for field in fields if max(field.stride) == stride and prod(field.units) > 1]
        if there:
            rungs.append(Rung(stride, there[0].units, there[0].id, there[-1].id))
    return rungs


def effective_receptive_field(module: nn.Module, inputs: Inputs, path: str | None = None) -> Tensor:
    """|∂ centre unit / ∂ input|, summed over the input's channels and the batch: (H, W), or its other spatial axes.

    The unit is the sum of its channels, each with a sign at random: without signs they cancel behind a LayerNorm.

    path: of the module whose result is looked at (its last call), (B, C, *space); the last one with a map if not given.
    Luo et al. 2016, arXiv:1701.04128, who average over many random inputs: here the batch is averaged over.
    Runs on the CPU in eval mode; weights, gradients and buffers are left as they were.
    """
    args, kwargs = as_call(inputs)
    given = next(iter(tensors_in((args, kwargs))))
    fields = receptive_field(module, inputs) if path is None else []
    maps = {field.id.partition(":")[0]: field.units for field in fields}
    parts = dict(module.named_modules())
    if path is not None and path not in parts:
        raise InputError("no such module", where=path, fix="give a path of module.named_modules()")
    seen = given.detach().clone().requires_grad_()
    centres: list[Tensor] = []

    def keep(part: nn.Module, _: Any, out: Any) -> None:
        map_ = next(iter(tensors_in(out)))
        if path is None and not 1 < prod(map_.shape[2:]) == prod(maps[names[part]]):  # a map laid out otherwise
            return
        for size in map_.shape[2:]:
            map_ = map_.select(2, size // 2)
        signs = torch.randint(0, 2, map_.shape[1:], generator=torch.Generator().manual_seed(0)) * 2 - 1
        centres.append(
            (map_ * signs.to(map_)).sum()
        )  # at once: an activation in place may write over the map right after

    keys = {part: name or type(part).__name__ for name, part in parts.items()}  # as the rows' ids
    names = {part: key for part, key in keys.items() if (key in maps if path is None else part is parts[path])}
    args = tuple(seen if arg is given else arg for arg in args)
    kwargs = {name: seen if value is given else value for name, value in kwargs.items()}
    with ExitStack() as hooks, evaluating(module), torch.enable_grad():
        for part in names:
            hooks.callback(part.register_forward_hook(keep).remove)
        module(*args, **kwargs)
        if not centres:
            raise InputError("no map (B, C, *space) was made", where=path or type(module).__name__, fix="give a path")
        (gradient,) = torch.autograd.grad(centres[-1], seen)
    return gradient.abs().sum((0, 1))


def effective_size(gradient: Tensor, share: float = 0.95) -> int:
    """Side in pixels of the smallest square around the gradient's centre of mass that holds this share of its sum."""
    weight = gradient.abs().double()
    total = weight.sum()
    if not total > 0:
        raise InputError("the gradient is zero everywhere", fix="give weights and inputs that reach the centre unit")
    lines = [weight.sum([other for other in range(weight.dim()) if other != dim]) for dim in range(weight.dim())]
    centre = [float((line * torch.arange(len(line))).sum() / total) for line in lines]
    for side in range(1, 2 * max(weight.shape) + 1):
        starts = [ceil(middle - side / 2 - 1e-9) for middle in centre]
        if weight[tuple(slice(max(0, start), max(0, start + side)) for start in starts)].sum() >= share * total:
            return side
    return max(weight.shape)


class _Fields(Recorder):
    """The recorder of `inspect`, so that the rows have its ids, that also follows what each tensor sees."""

    def __init__(self, module: nn.Module, space: tuple[int, ...]):
        super().__init__(module)
        self.space = space
        self.seen = WeakIdKeyDictionary()  # tensor → list[Seen], one an axis
        self.parts = WeakIdKeyDictionary()  # storage → (numbers, list[Lattice]) of the largest part written
        self.fields: dict[str, Field] = {}
        self.lost: NotFollowedError | None = None

    @contextmanager
    def _following(self, what: str) -> Iterator[None]:
        """No fake tensors while it lasts; what fails then is no fault of the forward's."""
        try:
            with _disable_current_modes():
                yield
        except Exception as error:
            self.lost = NotFollowedError(f"{what} can't be followed: {type(error).__name__}: {error}")
            raise self.lost from error

    def feed(self, inputs: Any) -> None:
        super().feed(inputs)
        tensor = next(iter(tensors_in(inputs)))
        one = Lattice((Fraction(0),), (Fraction(0),), Fraction(1))
        ahead = tensor.dim() - len(self.space)
        with self._following("the input"):
            self.seen[tensor] = [(one, along(tensor.shape, ahead + axis)) for axis in range(len(self.space))]

    def found(self) -> list[Field]:
        rows, _ = self._without_insides_of_leaves()
        return [self.fields[row.id] for row in rows if row.leaf and row.id in self.fields]

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict, out: Any) -> None:
        index = self.frames[-1].index if self.frames and self.frames[-1].module is module else None
        super()._leave(module, args, kwargs, out)
        if index is not None and self.rows[index].leaf:
            self._note(index, out)

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        before = len(self.rows)
        # Before the operator, which may write over what it reads.
        given = {id(tensor): seen for tensor in tensors_in((args, kwargs)) if (seen := self._seen(tensor))}
        out = super().see(func, args, kwargs)
        results = list(tensors_in(out))
        if given and results and not makes_constants(func):
            with self._following(str(func)):
                for made in results:
                    self._keep(
                        made, [self._axis(func, args, kwargs, given, out, made, k) for k in range(len(self.space))]
                    )
            if len(self.rows) > before:
                self._note(len(self.rows) - 1, out)
        return out

    def _axis(
        self, func: Any, args: tuple, kwargs: dict, given: dict[int, list[Seen]], out: Any, made: Tensor, number: int
    ) -> Seen:
        def sees(value: Any) -> Seen | None:
            seen = given.get(id(value))
            return seen[number] if seen else None

        return follow(func, args, kwargs, sees, out, made, number - len(self.space))

    def _seen(self, tensor: Tensor) -> list[Seen] | None:
        """Of a tensor that was filled through views of its memory: what the largest part sees, a map by habit."""
        seen = self.seen.get(tensor)
        if seen is None and tensor.dim() >= len(self.space) and (part := self.parts.get(tensor.untyped_storage())):
            with self._following("what was written in parts"):
                axes = range(-len(self.space), 0)
                return [
                    (one, along(tensor.shape, axis % tensor.dim())) for one, axis in zip(part[1], axes, strict=True)
                ]
        return seen

    def _keep(self, tensor: Tensor, seen: list[Seen]) -> None:
        self.seen[tensor] = seen
        storage = tensor.untyped_storage()
        if self.parts.get(storage, (0,))[0] < tensor.numel():
            self.parts[storage] = tensor.numel(), [settled(*one)[0] for one in seen]

    def _note(self, index: int, out: Any) -> None:
        tensor = next((tensor for tensor in tensors_in(out) if self._seen(tensor)), None)
        if tensor is None:
            return
        with self._following(self.rows[index].id):
            self.fields[self.rows[index].id] = self._field(self.rows[index].id, self._seen(tensor) or [])

    def _field(self, key: str, seen: list[Seen]) -> Field:
        seen = [settled(*one) for one in seen]
        units = [units_of(place) for _, place in seen]
        size, stride = [], []
        for (lattice, _), count, pixels in zip(seen, units, self.space, strict=True):
            size.append(max(lattice.size, pixels) if lattice.whole else lattice.size)
            stride.append(float(pixels if lattice.whole and count == 1 else lattice.stride))
        return Field(
            id=key,
            size=tuple(size),
            local=tuple(lattice.size for lattice, _ in seen),
            stride=tuple(stride),
            start=tuple(floor(lattice.sees(int(compact(place).min()))[0]) for lattice, place in seen),
            units=tuple(units),
            covers_input=all(pixels <= there for pixels, there in zip(self.space, size, strict=True)),
        )
