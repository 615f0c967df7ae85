"""A Blueprint in a terminal: what it costs, its folded layers with their shares, and how each figure was got."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.picture.words import count, shape, share, significant, size
from netwright.report.field import render_field
from netwright.report.growth import render_growth
from netwright.report.markdown import blocks
from netwright.report.words import clean

if TYPE_CHECKING:
    from netwright.inspect import Blueprint, Figure, Fit, FoldedRow, Saving, Symbols

BAR = 8


def render_blueprint(
    blueprint: "Blueprint",
    console: Console,
    title: str = "",
    depth: int | None = None,
    training: "Figure | None" = None,
) -> None:
    """The summary, the layers down to `depth`, then what was guessed, what was not counted, and the convention."""
    console.print(Text(clean(title or blueprint.cls, 120), style="bold"))
    table = _plain_table("", "", "")
    rows = summary(blueprint)
    if training is not None:
        rows.append(("training", f"{significant(training.value)} h{_within(training)}", training.how))
    for name, value, remark in rows:
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
    asked = blueprint.to_json() if blueprint.growth or blueprint.sight else {}
    for key, render in (("growth", render_growth), ("field", render_field)):
        if key in asked:
            console.print()
            render(asked[key], console)


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
    if cache := blueprint.kv_cache:
        calls = f"{len(cache.layers)} layer{'s' if len(cache.layers) != 1 else ''}"
        rows.append(("KV cache", f"{size(cache.bytes_per_token)} a token", f"{calls}; {cache.how}"))
    if blueprint.latency:
        milliseconds = f"{significant(blueprint.latency.value)} ms{_within(blueprint.latency)}"
        rows.append(("latency", milliseconds, blueprint.latency.how))
    return rows + (_symbols(blueprint.symbols) if blueprint.symbols else [])


def _symbols(found: "Symbols") -> list[tuple[str, str, str]]:
    """What each symbol stands for, and the MACs in them."""
    rows = []
    for symbol, here in found.sizes.items():
        step = found.steps.get(symbol, 1)
        remark = "fixed" if symbol in found.fixed else f"in steps of {step}" if step > 1 else ""
        rows.append((f"  {symbol}", f"{here} here", remark))
    if found.macs:
        apart = ", ".join(f"{symbol} in steps of {step}" for symbol, step in found.macs_steps.items() if step > 1)
        rows.append(("  MACs", str(found.macs), apart))
    if found.unclear:
        rows.append(("  unclear", f"{found.unclear:,}", "sizes that follow a symbol in no known form stay numbers"))
    return [("symbols", "", found.how), *rows] if rows else []


def _within(figure: "Figure") -> str:
    return f" ± {figure.error:.0%}" if figure.error is not None else ""


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
            shape(_output(blueprint, row)),
            f"{row.params:,}" if row.params else "",
            count(row.macs) if row.macs else "",
            Text(f"{blocks(part, BAR):{BAR}} {share(part, 1)}" if row.macs else "", style="green"),
        )
    return table


def _output(blueprint: "Blueprint", row: "FoldedRow") -> Sequence[int | str]:
    """The shape of its first output, in symbols where they were asked for."""
    outputs = blueprint.symbols.outputs[row.index] if blueprint.symbols else row.outputs
    return outputs[0] if outputs else []


def layer_name(row: "FoldedRow") -> str:
    """Indented by its depth, with the copies that it stands for."""
    name = clean(row.name, 40) or "the network"
    return "  " * row.depth + name + (f"  ×{row.repeat}" if row.repeat > 1 else "")


def render_savings(savings: Sequence["Saving"], console: Console) -> None:
    """The peak of a training step done in each way and the share that it saves; below, what it costs and how that is
    known."""
    names = [clean(row.name, 60) for row in savings]
    width = max(len(name) for name in ("a training step", *names))
    console.print()
    console.print(Text(f"{'a training step':{width}}  {'peak':>9}  {'saved':>6}", style="dim"))
    for name, row in zip(names, savings, strict=True):
        peak = size(row.peak_bytes) if row.peak_bytes is not None else "unknown"
        saved = f"{round(100 * row.share)} %" if row.peak_bytes is not None and row.cost else ""
        console.print(Text(f"{name:{width}}  {peak:>9}  {saved:>6}"))
        console.print(Text("  " + clean(f"{row.cost}; {row.how}" if row.cost else row.how, 400), style="dim"))


def render_fit(fit: "Fit", console: Console) -> None:
    """The largest batch that fits, or what is missing for one."""
    room = size(fit.memory_bytes - fit.reserve_bytes)
    if fit.batch:
        after = f", one more {size(fit.next_bytes)}" if fit.next_bytes is not None else ""
        words = f"largest batch in {room}: {fit.batch:,}, peak {size(fit.peak_bytes)}{after}"
    else:
        words = f"nothing fits {room}: the smallest batch takes {size(fit.peak_bytes)}"
    console.print()
    console.print(Text(words, style="bold"))
    console.print(Text(clean(fit.how, 400), style="dim"))


def _plain_table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(columns))
    for name in columns:
        table.add_column(Text(name), justify="right" if name and name in right else "left", no_wrap=bool(name))
    return table
