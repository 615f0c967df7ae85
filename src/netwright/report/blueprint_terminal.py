"""A Blueprint in a terminal: what it costs, its folded layers with their shares, and how each figure was got."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.picture.words import count, shape, share, significant, size
from netwright.report.markdown import blocks
from netwright.report.words import clean, quantity

if TYPE_CHECKING:
    from netwright.inspect import Blueprint, FoldedRow

BAR = 8


def render_blueprint(blueprint: "Blueprint", console: Console, title: str = "", depth: int | None = None) -> None:
    """The summary, the layers down to `depth`, then what was guessed, what was not counted, and the convention."""
    console.print(Text(clean(title or blueprint.cls, 120), style="bold"))
    table = _plain_table("", "", "")
    for name, value, remark in summary(blueprint):
        table.add_row(Text(name, style="dim"), Text(clean(value)), Text(clean(remark), style="dim"))
    console.print(table)
    console.print()
    console.print(layers(blueprint, depth))
    console.print()
    for note in [blueprint.how, *blueprint.notes]:
        console.print(Text(clean(note, 400), style="dim"))
    for missed in blueprint.not_counted:
        calls = f"{missed['calls']} call{'s' if missed['calls'] != 1 else ''}"
        words = f"not counted: {missed['op']}, {calls}, first in {missed['where']}: the MACs are a lower bound"
        console.print(Text(clean(words, 400), style="yellow"))
    console.print(Text(blueprint.convention, style="dim"))


def summary(blueprint: "Blueprint") -> list[tuple[str, str, str]]:
    """Name, value and remark of each figure."""
    frozen = blueprint.params - blueprint.trainable
    trained = f"{frozen:,} frozen" if frozen else "all trainable"
    tied = ", tied ones once" if blueprint.tied else ""
    rows = [
        ("inputs", ", ".join(shape(one) for one in blueprint.inputs) or "none", ""),
        ("parameters", f"{blueprint.params:,}", trained + tied),
        ("weights", size(blueprint.weights_bytes), "parameters and buffers"),
        ("MACs", count(blueprint.macs), f"{count(blueprint.flops)} FLOPs, forward"),
    ]
    if blueprint.train:
        ratio = f"{significant(blueprint.backward_macs / blueprint.macs)} × the forward" if blueprint.macs else ""
        rows.append(("  backward", count(blueprint.backward_macs), ratio))
        rows.append(("saved", size(blueprint.saved_bytes), "what the forward keeps for the backward, and the outputs"))
    if blueprint.memory:
        parts = sorted(blueprint.memory.by.items(), key=lambda item: -item[1])
        rows.append(("peak memory", size(blueprint.peak_memory), ", ".join(f"{n} {size(b)}" for n, b in parts)))
        where = f" of {blueprint.memory.where}" if blueprint.memory.where else ""
        rows.append(("  reached in", blueprint.memory.when + where, blueprint.memory.how))
    return rows


def layers(blueprint: "Blueprint", depth: int | None = None) -> Table:
    """The folded rows: a repeat is one row with the numbers of one copy, its share that of all copies."""
    table = _plain_table(
        "layer", "class", "output", "parameters", "MACs", "share of MACs", right=("parameters", "MACs")
    )
    for row in blueprint.folded(depth):
        part = row.macs * row.times / blueprint.macs if blueprint.macs else 0.0
        table.add_row(
            Text(layer_name(row)),
            Text(clean(row.cls, 40), style="cyan"),
            shape(row.outputs[0]) if row.outputs else "",
            f"{row.params:,}" if row.params else "",
            count(row.macs) if row.macs else "",
            Text(f"{blocks(part, BAR):{BAR}} {share(part, 1)}" if row.macs else "", style="green"),
        )
    return table


def layer_name(row: "FoldedRow") -> str:
    """Indented by its depth, with the copies that it stands for."""
    name = clean(row.name, 40) or "the network"
    return "  " * row.depth + name + (f"  ×{row.repeat}" if row.repeat > 1 else "")


def render_differences(found: Mapping[str, Any], names: Sequence[str], console: Console) -> None:
    """Two networks side by side, as `netwright.inspect.differences` found them."""
    left, right = (clean(name, 40) for name in names)
    totals = _plain_table("", left, right, "ratio", right=(left, right, "ratio"))
    for row in found["totals"]:
        ratio = significant(row["right"] / row["left"]) if row["left"] else ""
        totals.add_row(row["name"], *(quantity(row[side], row["unit"]) for side in ("left", "right")), ratio)
    console.print(totals)
    console.print()
    if not found["classes"]:
        console.print(Text("the same classes of layers, as often, with the same parameters and MACs"))
        return
    classes = _plain_table("class", "calls", "parameters", "MACs", right=("calls", "parameters", "MACs"))
    for row in found["classes"]:
        pairs = (f"{count(row['left'][key])} → {count(row['right'][key])}" for key in ("calls", "params", "macs"))
        classes.add_row(Text(clean(row["class"], 40), style="cyan"), *pairs)
    console.print(classes)


def _plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(columns))
    for name in columns:
        table.add_column(Text(name), justify="right" if name and name in right else "left", no_wrap=bool(name))
    return table
