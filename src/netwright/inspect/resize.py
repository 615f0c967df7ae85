"""A network deeper or wider by a factor: as its configuration says (transformers), or by repeating its equal blocks.

Nothing is allocated: what is made is on the meta device, except where a constructor needs values.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint, Row
from netwright.inspect.capture import inspect
from netwright.inspect.tensors import Inputs


@dataclass(frozen=True)
class Resized:
    size: float  # blocks, or channels
    module: nn.Module
    called: tuple[str, ...] = ()  # paths that the forward has to call: it may not know of blocks that were added


Resize = Callable[[float], Resized]  # by a factor

# Names in the configurations of transformers. `depths` are of stages, whose number the others are then.
DEPTHS = ("num_hidden_layers", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers")
WIDTHS = (
    *("hidden_size", "hidden_sizes", "d_model", "embed_dim", "hidden_dim"),
    *("intermediate_size", "moe_intermediate_size", "shared_expert_intermediate_size", "n_inner"),
    *("d_ff", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim"),
)
# More heads of the same size, not larger ones.
HEADS = (
    *("num_key_value_heads", "num_attention_heads", "num_heads"),
    *("encoder_attention_heads", "decoder_attention_heads"),
)


def resizing(module: nn.Module, inputs: Inputs, axis: str) -> Resize:
    """How to make the module of another "depth" or "width"; InputError where there is no way."""
    config = getattr(module, "config", None)
    if config is not None and hasattr(config, "to_dict"):
        return _by_config(module, config, axis)
    if axis == "width":
        raise InputError(
            "its width is set where it is made",
            where=type(module).__name__,
            fix="give a family, a preset, a design, or a model of transformers",
        )
    return _by_blocks(module, inputs)


# By the configuration


def _by_config(module: nn.Module, config: Any, axis: str) -> Resize:
    depths = _said(config, ["depths"]) or _said(config, DEPTHS)
    names = depths if axis == "depth" else _said(config, (*WIDTHS, *HEADS))
    sizes = [name for name in names if name not in HEADS]
    if not sizes:
        raise InputError(f"its configuration has no {axis}", where=type(module).__name__, fix="choose another axis")

    def resize(factor: float) -> Resized:
        made = copy.deepcopy(config)
        by = factor
        if axis == "width":
            by = whole(factor, _flat(getattr(config, name) for name in _said(config, HEADS)))
        for name in names:
            setattr(made, name, scaled(getattr(config, name), by))
        old, new = (getattr(one, sizes[0]) for one in (config, made))
        if axis == "depth" and isinstance(old, int):
            _cycle(made, old, new)
        with torch.device("meta"):
            size = new if isinstance(new, int) else sum(new) if axis == "depth" else new[0]
            return Resized(size, type(module)(made))

    return resize


def _said(config: Any, names: Iterable[str]) -> list[str]:
    """Those that hold numbers, each once: a configuration may call one number by two names."""
    aliases = getattr(config, "attribute_map", {})
    found: dict[str, str] = {}
    for name in names:
        value = getattr(config, name, None)
        if value and all(isinstance(one, int) and not isinstance(one, bool) for one in _flat([value])):
            found.setdefault(aliases.get(name, name), name)
    return list(found.values())


def _cycle(config: Any, old: int, new: int) -> None:
    """What is said of each layer (full or sliding attention, dense or of experts) goes on as it was."""
    for name, value in vars(config).items():
        if isinstance(value, list) and len(value) == old:
            setattr(config, name, [value[layer % old] for layer in range(new)])


def scaled(value: Any, by: float) -> Any:
    """A number, or each of a list, times `by`; whole ones stay whole and at least 1."""
    if isinstance(value, list | tuple):
        return [scaled(one, by) for one in value]
    return max(1, round(value * by)) if isinstance(value, int) else value * by


def whole(factor: float, numbers: Iterable[int]) -> float:
    """The factor nearest to this one that leaves the smallest of these numbers, the number of heads, whole."""
    least = min(numbers, default=0)
    return max(1, round(least * factor)) / least if least else factor


def _flat(values: Iterable[Any]) -> Iterator[Any]:
    return chain.from_iterable(value if isinstance(value, list | tuple) else [value] for value in values)


# By repeating blocks


@dataclass(frozen=True)
class _Run:
    """Equal blocks one behind the other in a container: the first one's place, how many, and of how many.

    One alone may be repeated where the others are of its class: the second of the two blocks of ResNet-18's stages.
    """

    container: str
    start: int
    length: int
    kin: int  # blocks of their class in the container, those that differ (a first one with a stride) included


def _by_blocks(module: nn.Module, inputs: Inputs) -> Resize:
    runs = list(_runs(module, inspect(module, inputs)))
    if not runs:
        raise InputError(
            "no equal blocks feed one another, so that there is nothing to repeat",
            where=type(module).__name__,
            fix="give a family, a preset, a design, a model of transformers, or blocks in nn.Sequential or ModuleList",
        )

    def resize(factor: float) -> Resized:
        made = _on_meta(module)
        size, called = 0, []
        for run in runs:
            others = run.kin - run.length
            length = max(1, round(run.kin * factor) - others)
            container = made.get_submodule(run.container)
            names = _repeat(made, container, run, length)
            called += [f"{run.container}.{name}".lstrip(".") for name in names]
            size += others + length
        return Resized(size, made, tuple(called))

    return resize


def _runs(module: nn.Module, blueprint: Blueprint) -> Iterator[_Run]:
    """The longest run of each container, outermost first: inside blocks that are repeated nothing else is."""
    rows = {row.id: row for row in blueprint.rows}
    taken: list[str] = []
    for path, part in module.named_modules():
        inside = any(path.startswith(f"{one}." if one else "") for one in taken)
        if inside or not isinstance(part, nn.Sequential | nn.ModuleList):
            continue
        children = [(f"{path}.{name}".lstrip("."), child) for name, child in part.named_children()]
        looks = [
            (blueprint.look(rows[where]), type(child)) if where in rows and list(child.parameters()) else None
            for where, child in children
        ]
        start, best = 0, (0, 0)
        for look, same in groupby(looks):
            length = len(list(same))
            if look is not None and length > best[1]:
                best = start, length
            start += length
        start, length = best
        if length == 1 and _may_repeat(children, rows):
            start = len(children) - 1
        elif length < 2:
            continue
        before = start - 1 if length == 1 else start
        run = [where for where, _ in children[before : start + length]]
        if all(_feeds(blueprint, one, other, run) for one, other in pairwise(run)):
            kin = sum(type(child) is type(children[start][1]) for _, child in children)
            taken.append(path)
            yield _Run(path, start, length, kin)


def _may_repeat(children: list[tuple[str, nn.Module]], rows: dict[str, Row]) -> bool:
    """Whether the last of blocks of one class, each with layers inside, gives what it takes."""
    where, last = children[-1]
    alike = len(children) > 1 and len({type(child) for _, child in children}) == 1
    row = rows.get(where)
    return alike and row is not None and bool(list(last.children())) and row.inputs[:1] == row.outputs[:1]


def _feeds(blueprint: Blueprint, one: str, other: str, run: list[str]) -> bool:
    """Whether something flows from the one block to the other without passing a third: experts stand in parallel."""

    def of(block: str, row: str) -> bool:
        return row == block or row.startswith((f"{block}.", f"{block}:"))

    after: dict[str, list[str]] = {}
    for edge in blueprint.edges:
        after.setdefault(edge.source, []).append(edge.target)
    todo = [source for source in after if of(one, source)]
    seen = set(todo)
    while todo:
        for target in after.get(todo.pop(), []):
            if of(other, target):
                return True
            if target not in seen and not any(of(block, target) for block in run):
                seen.add(target)
                todo.append(target)
    return False


def _repeat(module: nn.Module, container: nn.Module, run: _Run, length: int) -> list[str]:
    """The container with so many copies of the run's blocks; their names."""
    children = list(container._modules.items())
    before, blocks = children[: run.start], children[run.start : run.start + run.length]
    after = children[run.start + run.length :]
    pattern = blocks[-1][1]
    kept = [block for _, block in blocks][:length]
    kept += [_another(module, pattern) for _ in range(length - len(kept))]  # type: ignore[arg-type]
    numbered = all(name.isdigit() for name, _ in children)
    names = [name for name, _ in blocks][:length]
    stem, number = re.fullmatch(r"(.*?)(\d*)", blocks[-1][0]).groups()  # type: ignore[union-attr]
    names += [f"{stem}{int(number or 0) + more}" for more in range(1, length - len(names) + 1)]
    if numbered:  # as nn.ModuleList needs them: 0, 1, 2 …
        both = [*(part for _, part in before), *kept, *(part for _, part in after)]
        made = {str(place): part for place, part in enumerate(both)}
        names = [str(run.start + place) for place in range(length)]
    else:
        taken = {name for name, _ in [*before, *after]}
        names = [name if name not in taken else f"{name}_again" for name in names]
        made = dict(before) | dict(zip(names, kept, strict=True)) | dict(after)
    container._modules.clear()
    container._modules.update(made)
    return names


def _on_meta(module: nn.Module) -> nn.Module:
    """The same without memory; what was tied stays tied."""
    tensors = [*module.parameters(), *module.buffers()]
    return copy.deepcopy(module, {id(tensor): _meta(tensor) for tensor in tensors})


def _another(module: nn.Module, block: nn.Module) -> nn.Module:
    """A block like this one with weights of its own; those that it shares with others stay shared."""
    inside = {id(part) for part in block.modules()}
    outside = [part for part in module.modules() if id(part) not in inside]
    shared = {id(tensor): tensor for part in outside for tensor in part.parameters(recurse=False)}
    own = [tensor for tensor in [*block.parameters(), *block.buffers()] if id(tensor) not in shared]
    return copy.deepcopy(block, shared | {id(tensor): _meta(tensor) for tensor in own})


def _meta(tensor: Tensor) -> Tensor:
    made = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")
    return nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else made
