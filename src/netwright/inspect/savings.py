"""What would make a training step take less memory: each way's peak, what it costs, and how that is known."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint
from netwright.inspect.capture import PARTIAL, inspect
from netwright.inspect.causal import Attention, Product
from netwright.inspect.fit import batch_of, with_batch
from netwright.inspect.memory import EIGHT_BIT, state_bytes
from netwright.inspect.repeats import autocast, checkpointed, repeated, without_cache
from netwright.inspect.tensors import Inputs

CAPTURED = "captured"
SHARED_BY = 4  # query heads that share one key-value head


@dataclass(frozen=True, slots=True)
class Saving:
    """The peak of a training step (bytes, on each device) done this way, and what of the present one it saves."""

    name: str
    peak_bytes: int | None  # None: could not be told, and `how` says why
    saved_bytes: int  # below 0 where it takes more
    share: float  # of the present peak
    cost: str
    how: str


def savings(
    module: nn.Module,
    inputs: Inputs | None = None,
    *,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    devices: int = 8,
    batch: int = 1,
) -> list[Saving]:
    """The present peak of a training step, and what it would be with: activation checkpointing, bf16, half the batch,
    grouped queries, another optimizer, and FSDP over `devices`. What can't apply has no row.

    inputs, optimizer, dtype, batch: as for `inspect`. Most are captured again as they would run; sharding, grouped
    queries and optimizers are estimated by their formulas, which were not compared with a run.

    Sources: checkpointing arXiv 1604.06174 · grouped queries 2305.13245 · 8-bit optimizers 2110.02861 · ZeRO
    1910.02054, and PyTorch's fully_shard.
    """
    if devices < 1:
        raise InputError(f"{devices} devices are none", where="devices", fix="give a whole number above 0")
    present = inspect(module, inputs, train=True, optimizer=optimizer, dtype=dtype, batch=batch)
    inputs = present.example
    if present.memory is None or present.how == PARTIAL:
        raise InputError("its step of training could not be captured whole", where=type(module).__name__)
    step = _Step(module, inputs, optimizer, dtype, present)
    rows = [Saving("as it is", step.peak, 0, 0.0, "", present.how)]
    rows += _checkpointing(step)
    rows += _lower_precision(step)
    rows += _smaller_batch(step)
    rows += _grouped_queries(step)
    rows += _other_optimizers(step)
    rows += _sharding(step, devices)
    return rows


@dataclass(frozen=True)
class _Step:
    """The training step as it is."""

    module: nn.Module
    inputs: Inputs
    optimizer: str
    dtype: torch.dtype | None
    present: Blueprint

    @property
    def peak(self) -> int:
        return self.present.peak_memory

    @property
    def held(self) -> dict[str, int]:
        assert self.present.memory is not None
        return self.present.memory.by

    def row(self, name: str, peak: int, cost: str, how: str) -> Saving:
        return Saving(name, peak, self.peak - peak, (self.peak - peak) / self.peak if self.peak else 0.0, cost, how)

    def again(
        self,
        changed: AbstractContextManager | None = None,
        inputs: Inputs | None = None,
        dtype: torch.dtype | None = None,
    ) -> Blueprint:
        """Captured once more; InputError where the change does not run, or not in the same way as the present."""
        with changed or nullcontext():
            given = self.inputs if inputs is None else inputs
            found = inspect(
                self.module, given, train=True, optimizer=self.optimizer, dtype=dtype or self.dtype, batch=1
            )
        if found.how != self.present.how:
            raise InputError((found.notes or ["it ran otherwise"])[0])
        return found

    def try_row(self, name: str, capture: Callable[[], Blueprint], cost: str, how: str) -> Saving:
        try:
            return self.row(name, capture().peak_memory, cost, how)
        except InputError as error:
            return Saving(name, None, 0, 0.0, cost, f"could not be captured: {error.what}")

    def size_of(self, parameter: Tensor) -> int:
        """Bytes of a number of it."""
        return self.dtype.itemsize if self.dtype and parameter.is_floating_point() else parameter.element_size()

    def bytes_of(self, parameters: Any, trainable: bool = False) -> int:
        return sum(p.numel() * self.size_of(p) for p in parameters if p.requires_grad or not trainable)

    def with_state(self, optimizer: str) -> int:
        """The peak with another optimizer's state; all else stays."""
        sizes = [(p.numel(), self.size_of(p)) for p in self.module.parameters() if p.requires_grad]
        return self.peak - self.held.get("optimizer", 0) + state_bytes(sizes, optimizer)


# Captured again -----------------------------------------------------------------------------------------------


def _checkpointing(step: _Step) -> list[Saving]:
    """Of the outer or the inner repeated blocks, whichever has the lower peak, then computes less again."""
    levels = repeated(step.module)
    found: list[tuple[int, Saving]] = []
    for blocks in levels:
        name = f"checkpointing each of {len(blocks)} {_kinds(blocks)}"
        with ExitStack() as changed:
            changed.enter_context(without_cache(step.module))
            changed.enter_context(checkpointed(blocks))
            try:
                again = step.again()
            except InputError:
                continue
        more = again.backward_macs - step.present.backward_macs
        whole = step.present.macs + step.present.backward_macs
        cost = f"{100 * more / whole if whole else 0:.0f} % more MACs a step: forwards computed again"
        how = f"{CAPTURED} with the blocks in torch.utils.checkpoint"
        found.append((more, step.row(name, again.peak_memory, cost, how)))
    if not found:
        return [_checkpointing_by_formula(step, levels[0])] if levels else []
    return [min(found, key=lambda pair: (pair[1].peak_bytes, pair[0]))[1]]


def _checkpointing_by_formula(step: _Step, blocks: list[nn.Module]) -> Saving:
    """What the blocks save goes, but for their inputs and the block that is computed again."""
    paths = {part: path for path, part in step.module.named_modules()}
    names = {paths[block] for block in blocks}
    rows = [row for row in step.present.rows if row.kind == "module" and row.path in names]
    widest = max((row.saved_bytes for row in rows), default=0)
    number = max((step.size_of(parameter) for parameter in step.module.parameters()), default=4)
    kept = sum(number * torch.Size(shape).numel() for row in rows for shape in row.inputs[:1])
    moves = sum(size for name, size in step.held.items() if name not in ("weights", "inputs", "optimizer"))
    peak = step.peak - moves + max(0, moves - sum(row.saved_bytes for row in rows) + kept + widest)
    cost = "the blocks' forwards once more"
    how = "estimated: saved activations but for the blocks' inputs and one block; it did not run checkpointed"
    return step.row(f"checkpointing each of {len(blocks)} {_kinds(blocks)}", peak, cost, how)


def _kinds(blocks: list[nn.Module]) -> str:
    return " and ".join(dict.fromkeys(type(block).__name__ for block in blocks))


def _lower_precision(step: _Step) -> list[Saving]:
    floating = [p for p in step.module.parameters() if p.is_floating_point()]
    if not any(step.size_of(parameter) > 2 for parameter in floating):
        return []
    half = torch.bfloat16
    return [
        step.try_row(
            "bf16 throughout",
            lambda: step.again(dtype=half),
            "small updates of weights are rounded away",
            f"{CAPTURED} with weights, inputs and state in bf16",
        ),
        step.try_row(
            "bf16 autocast, weights in fp32",
            lambda: step.again(autocast(step.module, half)),
            "weights are cast in every forward",
            f"{CAPTURED} under torch.autocast with the CPU's list of operators; CUDA's keeps norms and softmax in fp32",
        ),
    ]


def _smaller_batch(step: _Step) -> list[Saving]:
    batch = batch_of(step.inputs)
    if batch is None or batch < 2:
        return []
    half = batch // 2
    try:
        again = step.again(inputs=with_batch(step.inputs, half))
    except InputError:  # then that dimension is no batch: the nodes of a graph, say
        return []
    cost = "two steps, or accumulated gradients, for as many samples; batch norm sees fewer"
    return [step.row(f"batch {half} instead of {batch}", again.peak_memory, cost, CAPTURED)]


# By formula ---------------------------------------------------------------------------------------------------


def _grouped_queries(step: _Step) -> list[Saving]:
    """Four query heads to a key-value head: keys' and values' projections shrink to a quarter, and so does the cache.

    Of attention whose heads each have keys of their own, read off the products that made queries and keys.
    """
    calls = [call for call in step.present.attention if _is_multi_head(call)]
    if not calls:
        return []
    made: dict[tuple[Product, str], int] = {}  # numbers of the weights that make keys and values, shared ones once
    for call in calls:
        for what, one in (("key", call.key), ("value", call.value)):
            made[one.product, what] = one.product.inputs * one.numbers
    fewer = sum(size - size // SHARED_BY for size in made.values())
    share = fewer / step.present.trainable if step.present.trainable else 0.0
    fixed = ("weights", "gradients", "optimizer")
    # Of the weights' bytes buffers are a part, which stays; of the rest each category loses the same share.
    own = step.bytes_of(step.module.parameters())
    sizes = {**step.held, "weights": min(own, step.held.get("weights", 0))}
    peak = step.peak - round(sum(share * sizes.get(name, 0) for name in fixed))
    cost = f"{fewer:,} parameters fewer; trained anew or from averaged heads"
    if cache := step.present.kv_cache_bytes_per_token:
        saved = sum(call.cache_bytes for call in calls if call.causal) * (SHARED_BY - 1) // SHARED_BY
        cost += f"; KV cache {cache:,} → {cache - saved:,} bytes a token"
    how = "estimated: weights, gradients and state of the projections; activations as they are"
    return [step.row(f"grouped queries, {SHARED_BY} to a key-value head", peak, cost, how)]


def _is_multi_head(call: Attention) -> bool:
    heads = call.query.heads
    return heads == call.key.heads and heads % SHARED_BY == 0 and call.key.numbers % heads == 0


def _other_optimizers(step: _Step) -> list[Saving]:
    rows = []
    if step.optimizer in ("adam", "adamw"):
        how = "estimated: two bytes a parameter and scales for blocks of 256, as bitsandbytes; the rest as captured"
        cost = "state rounded to 8 bits in blocks"
        rows.append(step.row("8-bit AdamW", step.with_state(EIGHT_BIT), cost, how))
    if step.with_state("sgd") < step.peak:
        cost, how = "its own learning rate, and often a worse end", "counted: no state; the rest as captured"
        rows.append(step.row("SGD without momentum", step.with_state("sgd"), cost, how))
    return rows


def _sharding(step: _Step, devices: int) -> list[Saving]:
    """A device's share of weights, gradients and state; the rest of the network and two blocks whole, one computing
    and one gathered ahead; one unit's gradients before they are scattered; and activations, of a batch of its own."""
    parameters = list(step.module.parameters())
    weights, gradients = step.bytes_of(parameters), step.bytes_of(parameters, trainable=True)
    beside = {**step.present.beside_gradients, gradients: step.present.beside_gradients.get(gradients, 0)}
    moving = max(rest + made / devices for made, rest in beside.items())
    whole = step.held.get("weights", 0) - weights + step.held.get("inputs", 0)  # buffers and inputs
    split = (weights + step.held.get("optimizer", 0)) / devices
    gathered = min(_gathered(step, blocks) for blocks in [*repeated(step.module), []]) if devices > 1 else 0
    peak = round(whole + split + moving + gathered)
    cost = "weights sent twice and gradients once a step: 1.5 times the traffic of data parallel"
    how = f"estimated: (weights, gradients, state) / {devices} + the largest units in full + activations"
    return [step.row(f"FSDP over {devices} devices", peak, cost, how)]


def _gathered(step: _Step, blocks: list[nn.Module]) -> int:
    """Bytes in full at once: what is in no block stays so from the forward to the backward."""
    inside = {id(parameter) for block in blocks for parameter in block.parameters()}
    rest = [parameter for parameter in step.module.parameters() if id(parameter) not in inside]
    units = [list(block.parameters()) for block in blocks]
    largest = max((step.bytes_of(unit) for unit in units), default=0)
    gradient = max(step.bytes_of(unit, trainable=True) for unit in [*units, rest])
    return step.bytes_of(rest) + 2 * largest + gradient
