"""How far a network sees, stage by stage, summed up: in theory, by its gradients, and through its attention."""

from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.attention import AttentionReach, attention_reach
from netwright.inspect.blueprint import Blueprint, Row
from netwright.inspect.fakes import mapped
from netwright.inspect.measure import weights_bytes
from netwright.inspect.receptive import (
    Field,
    NotFollowedError,
    effective_receptive_field,
    effective_size,
    receptive_field,
    resolution_ladder,
)
from netwright.inspect.tensors import Inputs, as_call, tensors_in

SHARE = 0.95  # of the gradient, inside the effective field
SAMPLES = 4  # of noise, for a gradient
MOST_BYTES, MOST_MACS = 2 << 30, 50 * 10**9  # of weights and of a forward: what is larger is not run for its gradient
TOKEN = 5  # given for every token: 0 and 1 are padding to many

Make = Callable[[], nn.Module]


@dataclass(frozen=True, slots=True)
class Stage:
    """The layers whose maps have one stride, and what the last of them sees. Per axis, in pixels of the input."""

    stride: int
    units: tuple[int, ...]  # the map's size
    first: str  # row of the Blueprint
    last: str
    size: tuple[int, ...]  # in theory, padding included
    local: tuple[int, ...]  # without what mixes all places: squeeze-and-excitation, attention, global pooling
    covers_input: bool


@dataclass(frozen=True, slots=True)
class Effective:
    """Side of the square around the centre unit's gradient that holds this share of it."""

    size: int
    share: float
    where: str  # the module whose centre unit was taken
    how: str


@dataclass(frozen=True, slots=True)
class Sight:
    """`stages` by stride; None for what the network does not have, or what `notes` say could not be found."""

    space: tuple[int, ...]  # of the first input: pixels, or tokens
    unit: str  # "pixels" | "tokens"
    stages: list[Stage]
    last: Stage | None  # whose map is made last
    effective: Effective | None
    attention: list[AttentionReach]
    notes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What the last stage sees, in a line."""
        last = self.last
        if last is None:
            return ""
        text = f"The last stage (stride {last.stride}, {side(last.units, ' × ')}) sees "
        text += f"{side(last.size)} of {side(self.space)} {self.unit}"
        if last.size != last.local:
            text += f" ({side(last.local)} without what mixes all places)"
        if any(layer.words != "full" for layer in self.attention):
            text += ", masks aside"
        text += ": covers the input" if last.covers_input else ": does not cover the input"
        if self.effective is not None:
            share = f"{self.effective.share:.0%}".replace("%", " %")
            text += f"; {share} of the centre's gradient lies within {self.effective.size}"
        return f"{text}."

    def to_json(self) -> dict[str, Any]:
        attention = [layer.to_json() for layer in self.attention]
        return {**_listed(asdict(self)), "attention": attention, "sentence": self.sentence}


def _listed(value: Any) -> Any:
    """With lists for tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: _listed(one) for key, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value


def side(sizes: tuple[int, ...], between: str = "") -> str:
    """One number where all axes are alike: 224, or 16 × 112 × 112."""
    alike = len(set(sizes)) == 1 and not between
    return str(sizes[0]) if alike else " × ".join(map(str, sizes))


def sight(module: nn.Module, blueprint: Blueprint, inputs: Inputs, make: Make | None = None) -> Sight:
    """How far the module sees in the first of these inputs, those of the Blueprint.

    In theory on fakes; by gradient where the module's weights are real, or where `make` makes it anew with its own
    initial ones and it is not too large to run. What could not be found is said in `notes`.
    """
    first = next(iter(tensors_in(as_call(inputs))), None)
    if first is None or first.dim() < 2:
        raise InputError("there is no space to see in the first input", where="inputs", fix="give (B, C, *space)")
    notes: list[str] = []
    sequence = first.dim() == 2 or (first.dim() == 3 and not _channels_first(module, first))
    space = tuple(first.shape[1:2] if sequence else first.shape[2:])
    fields = [] if sequence and first.dim() == 3 else _followed(module, inputs, notes)
    maps = [one for one in fields if prod(one.units) > 1]
    strides = sorted({int(max(one.stride)) for one in maps if max(one.stride).is_integer()})
    known = {one.id: one for one in fields}
    stages = [
        Stage(rung.stride, rung.units, rung.first, rung.last, seen.size, seen.local, seen.covers_input)
        for rung in resolution_ladder(maps, strides)
        for seen in [known[rung.last]]
    ]
    order = {row.id: place for place, row in enumerate(blueprint.rows)}
    last = max(stages, key=lambda stage: order.get(stage.last, -1), default=None)
    effective, attention = None, []
    if sequence:
        attention = _attention(module, blueprint, inputs, make, notes)
    elif last is not None:
        where = _last_map(blueprint, {row: one for row, one in known.items() if one.size == last.size}, last.units)
        effective = _effective(module, blueprint, inputs, where, make, notes)
    return Sight(space, "tokens" if sequence else "pixels", stages, last, effective, attention, notes)


def _channels_first(module: nn.Module, first: Tensor) -> bool:
    """Of (B, C, L) and (B, L, D): the first where its first layer with weights is a convolution of so many channels."""
    layers = (part for part in module.modules() if not list(part.children()) and list(part.parameters(recurse=False)))
    layer = next(layers, None)
    return isinstance(layer, nn.Conv1d | nn.ConvTranspose1d) and layer.in_channels == first.shape[1]


def _followed(module: nn.Module, inputs: Inputs, notes: list[str]) -> list[Field]:
    try:
        return receptive_field(module, inputs)
    except NotFollowedError as error:
        notes.append(f"the receptive field could not be followed, which is netwright's fault: {error}")
    except InputError as error:
        notes.append(f"the receptive field could not be followed: {error.what}")
    return []


def _effective(
    module: nn.Module, blueprint: Blueprint, inputs: Inputs, path: str | None, make: Make | None, notes: list[str]
) -> Effective | None:
    if path is None:
        notes.append("no effective field: the last stage gives no map (B, C, *space)")
        return None
    samples = SAMPLES if next(iter(tensors_in(as_call(inputs)))).shape[0] == 1 else 1
    found = _real(module, blueprint, make, notes, "effective field", samples)
    if found is None:
        return None
    network, weights = found
    try:
        gradient = effective_receptive_field(network, _noise(network, inputs, samples), path)
        size = effective_size(gradient, SHARE)
    except Exception as error:  # a backward through anything
        notes.append(f"no effective field: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        return None
    how = f"gradient of the centre unit of {path or blueprint.cls}, on {samples} sample{'s' * (samples > 1)} of noise"
    return Effective(size, SHARE, path, f"{how}, with {weights}")


def _last_map(blueprint: Blueprint, known: Container[str], units: tuple[int, ...]) -> str | None:
    """Path of the module that gives the last map of so many units, the outermost of those that end in a known row."""
    rows = blueprint.rows
    ends = list(range(len(rows)))
    for index in reversed(range(len(rows))):
        parent = rows[index].parent
        if parent is not None:
            ends[parent] = max(ends[parent], ends[index])

    def is_map(row: Row) -> bool:
        shape = row.outputs[0] if row.outputs else []
        return row.kind == "module" and tuple(shape[2:]) == units

    found = [(ends[i], -i) for i, row in enumerate(rows) if is_map(row) and rows[ends[i]].id in known]
    return rows[-max(found)[1]].path if found else None


def _attention(
    module: nn.Module, blueprint: Blueprint, inputs: Inputs, make: Make | None, notes: list[str]
) -> list[AttentionReach]:
    try:
        found = _real(module, blueprint, make, notes, "attention's reach by gradient", 1)
        if found is not None:
            try:
                return attention_reach(found[0], _noise(found[0], inputs, 1))
            except InputError as error:
                notes.append(f"attention's reach was not asked of gradients: {error.what}")
        return attention_reach(module, inputs, real=False)
    except InputError as error:
        notes.append(f"attention's reach is not known: {error.what}")
        return []


def _real(
    module: nn.Module, blueprint: Blueprint, make: Make | None, notes: list[str], what: str, samples: int
) -> tuple[nn.Module, str] | None:
    """The module with memory on the CPU, and what its weights are."""
    devices = {tensor.device.type for tensor in [*module.parameters(), *module.buffers()]}
    if weights_bytes(module) > MOST_BYTES or blueprint.macs * samples > MOST_MACS:
        notes.append(f"no {what}: the network is too large to be run for it")
        return None
    if devices <= {"cpu"}:
        return module, "the weights given"
    if make is None or devices != {"meta"}:
        notes.append(f"no {what}: its weights are not on the CPU")
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(), "its random initial weights"


def _noise(module: nn.Module, inputs: Inputs, samples: int) -> Inputs:
    """Inputs like these, of as many samples more: noise; one token many times; all of a mask."""
    words = next((part.num_embeddings for part in module.modules() if isinstance(part, nn.Embedding)), TOKEN + 1)
    token = min(TOKEN, words - 1)
    generator = torch.Generator().manual_seed(0)

    def real(tensor: Tensor) -> Tensor:
        shape = (tensor.shape[0] * samples, *tensor.shape[1:])
        if tensor.is_floating_point():
            return torch.randn(shape, generator=generator).to(tensor.dtype)
        return torch.full(shape, True if tensor.dtype is torch.bool else token, dtype=tensor.dtype)

    made = mapped(inputs, real)
    if isinstance(made, dict):
        made |= {name: torch.ones_like(one) for name, one in made.items() if "mask" in name and isinstance(one, Tensor)}
    return made
