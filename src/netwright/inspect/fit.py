"""The largest batch whose peak memory fits a device."""

from dataclasses import dataclass, field
from itertools import count

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.capture import ON_FAKES, inspect
from netwright.inspect.fakes import mapped
from netwright.inspect.tensors import Inputs, as_call, tensors_in

MOST = 1 << 40  # samples: as many are taken not to fit
LINES = 12  # captures by lines, after which the rest is halved
VERIFIED = "captured at this batch and at one more"
NO_RESERVE = "nothing is kept back for the driver's context, the allocator's fragments or other processes"


@dataclass(frozen=True, slots=True)
class Fit:
    """The largest batch that fits; 0 where not even the smallest that runs does, whose peak is then given."""

    batch: int
    peak_bytes: int  # of this batch
    next_bytes: int | None  # of one sample more; None where the forward refuses it or it was not asked
    memory_bytes: int
    reserve_bytes: int
    train: bool
    how: str

    @property
    def free_bytes(self) -> int:
        """Left over; below 0 where nothing fits."""
        return self.memory_bytes - self.reserve_bytes - self.peak_bytes


def largest_batch(
    module: nn.Module,
    inputs: Inputs | None = None,
    memory_bytes: int = 0,
    *,
    train: bool = False,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    reserve_bytes: int = 0,
) -> Fit:
    """The largest batch whose peak memory is at most `memory_bytes` less `reserve_bytes`.

    inputs: as for `inspect`; their dimension 0, and all that are as long in it, becomes the batch · train, optimizer,
    dtype: as for `inspect` · reserve_bytes: kept back for what no tensor shows: the driver's context and fragments
    of the allocator (nothing unless said).

    The peak is the largest of many sums that are affine in the batch. So the batch is found by lines through captures,
    and captured itself and one sample above. What runs for real instead of on fakes is not run at large batches, but
    reckoned from small ones. InputError where the inputs have no batch, or the forward takes one size of it.
    """
    if memory_bytes <= 0 or reserve_bytes < 0 or reserve_bytes >= memory_bytes:
        raise InputError(
            f"{memory_bytes:,} bytes with {reserve_bytes:,} kept back hold nothing",
            where="memory",
            fix="give the device's bytes, and less to keep back",
        )
    present = inspect(module, inputs, train=train, optimizer=optimizer, dtype=dtype, batch=2)
    inputs = present.example
    if not batch_of(inputs):
        raise InputError("the first input has no batch", where="inputs", fix="give tensors of (batch, …)")
    room = memory_bytes - reserve_bytes
    peaks = _Peaks(module, inputs, train, optimizer, dtype)
    peaks.known[batch_of(inputs) or 0] = present.peak_memory
    least = next((batch for batch in (1, 2) if peaks.at(batch) is not None), 0)  # batch norm trains with two at least
    if not least or peaks.at(least + 1) is None:
        raise InputError(
            "the forward takes its inputs at no other batch",
            where=type(module).__name__,
            fix="give inputs whose first dimension is the batch, and a network that takes any",
        )
    batch, how = 0, f"captured at a batch of {least}, which does not fit"
    if peaks.fit(least, room):
        batch, how = _by_lines(peaks, least, room) if present.how == ON_FAKES else _reckoned(peaks, room)
    shown = batch or least
    reserve = "" if reserve_bytes else f"; {NO_RESERVE}"
    size = peaks.known[shown]
    assert size is not None
    return Fit(batch, size, peaks.known.get(shown + 1), memory_bytes, reserve_bytes, train, how + reserve)


@dataclass
class _Peaks:
    """Peak bytes at each batch asked for, captured once; None where the forward refuses it."""

    module: nn.Module
    inputs: Inputs
    train: bool
    optimizer: str
    dtype: torch.dtype | None
    known: dict[int, int | None] = field(default_factory=dict)

    def at(self, batch: int) -> int | None:
        if batch not in self.known:
            try:
                given = with_batch(self.inputs, batch)
                again = inspect(
                    self.module, given, train=self.train, optimizer=self.optimizer, dtype=self.dtype, batch=batch
                )
                self.known[batch] = again.peak_memory
            except (InputError, RuntimeError):  # torch's own: more bytes than can be counted
                self.known[batch] = None
        return self.known[batch]

    def fit(self, batch: int, room: int) -> bool:
        size = self.at(batch)
        return size is not None and size <= room

    def points(self) -> list[tuple[int, int]]:
        """Those that ran, by batch."""
        return sorted((batch, size) for batch, size in self.known.items() if size is not None)


def _by_lines(peaks: _Peaks, fits: int, room: int) -> tuple[int, str]:
    """A line through the two largest that fit is never steeper than what follows: it ends at the answer or above. One
    between what fits and what does not ends at the answer or below. Where neither helps, halves."""
    over = MOST
    for step in count():
        if over - fits == 1:
            return fits, VERIFIED
        fitting = [(batch, size) for batch, size in peaks.points() if batch <= fits]
        batch = _reached(fitting[-2], fitting[-1], room) if len(fitting) > 1 else fits + 1
        if batch >= over:
            too_large = peaks.known.get(over)
            batch = (fits + over) // 2 if too_large is None else _reached(fitting[-1], (over, too_large), room)
        if step >= LINES:
            batch = (fits + over) // 2
        batch = min(max(batch, fits + 1), over - 1)
        if peaks.fit(batch, room):
            fits = batch
        else:
            over = batch
    raise AssertionError


def _reckoned(peaks: _Peaks, room: int) -> tuple[int, str]:
    low, high = peaks.points()[-2:]
    batch = max(_reached(low, high, room), 1)
    slope = (high[1] - low[1]) / (high[0] - low[0])
    peaks.known[batch] = round(high[1] + slope * (batch - high[0]))
    return batch, f"estimated: a line through batches of {low[0]} and {high[0]}, which ran for real; not run itself"


def _reached(low: tuple[int, int], high: tuple[int, int], room: int) -> int:
    """The last batch below `room` on the line through two (batch, peak)."""
    if high[1] <= low[1]:
        return MOST
    return low[0] + (room - low[1]) * (high[0] - low[0]) // (high[1] - low[1])


def batch_of(inputs: Inputs) -> int | None:
    """Samples in the first input: its first dimension."""
    first = next(tensors_in(as_call(inputs)), None)
    return first.shape[0] if first is not None and first.dim() else None


def with_batch(inputs: Inputs, batch: int) -> Inputs:
    """The inputs with another number of samples, in dimension 0 of all that have as many: fewer are the first ones,
    more have shapes and types only."""
    present = batch_of(inputs)

    def resized(tensor: Tensor) -> Tensor:
        if not tensor.dim() or tensor.shape[0] != present:
            return tensor
        if batch <= present:
            return tensor[:batch]
        return torch.empty((batch, *tensor.shape[1:]), dtype=tensor.dtype, device="meta")

    return mapped(inputs, resized)
