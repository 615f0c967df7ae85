"""How the cost of a network grows: a table in the terminal, a small plot in the report."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.picture.words import significant
from netwright.report import plots
from netwright.report.document import Figure
from netwright.report.words import clean, quantity

Json = Mapping[str, Any]

# key → the column's name and unit; a column is there where a size has the figure
COLUMNS = {
    "params": ("parameters", "count"),
    "macs": ("MACs", "count"),
    "attention_macs": ("of attention", "count"),
    "backward_macs": ("backward", "count"),
    "activation_bytes": ("activations", "bytes"),
    "saved_bytes": ("saved", "bytes"),
    "peak_memory": ("peak memory", "bytes"),
    "latency_ms": ("latency", "ms"),
}
PLOTTED = {"params": "parameters", "macs": "MACs", "peak_memory": "peak memory", "latency_ms": "latency"}
HOW = "counted on fakes at each size; exponents by least squares over the logarithms"


def render_growth(growth: Json, console: Console) -> None:
    """The table of `Growth.to_json()`, the exponents in its last line, and where attention overtakes."""
    rows, unit = growth["rows"], growth["unit"]
    shown = {key: said for key, said in COLUMNS.items() if any(row.get(key) for row in rows)}
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in (unit, *(name for name, _ in shown.values())):
        table.add_column(Text(name), justify="right", no_wrap=True)
    for row in rows:
        figures = [quantity(row[key], kind) if row.get(key) is not None else "" for key, (_, kind) in shown.items()]
        table.add_row(size(row["size"]), *figures)
    found = growth["exponents"]
    powers = [f"^ {significant(round(found[key], 3))}" if key in found else "" for key in shown]
    table.add_row(*(Text(one, style="green") for one in ["∝ size", *powers]))
    step = ", a step of training" if growth["train"] else ""
    console.print(Text(f"growth with the {growth['axis']}{step}", style="bold"))
    console.print(table)
    for row in rows:
        if row["error"]:
            console.print(Text(clean(f"{size(row['size'])} {unit}: refused: {row['error']}", 300), style="yellow"))
    console.print(Text(clean(crossing(growth), 400)))
    console.print(Text(HOW, style="dim"))


def size(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else significant(value)


def crossing(growth: Json) -> str:
    """From where attention takes more than the rest, or why there is no such size."""
    if growth["crossing"] is None:
        return f"No size at which attention overtakes the rest: {growth['how']}."
    at, how = growth["crossing"], growth["how"]
    if at <= min(row["size"] for row in growth["rows"]) / 100:
        return f"Attention takes more MACs than all else at every size ({how})."
    return f"Attention takes more MACs than all else from {size(round(at))} {growth['unit']} on ({how})."


def figure(growth: Json) -> Figure | None:
    """Each cost at each size, as a multiple of that at the smallest, on logarithmic axes: straight lines are powers."""
    rows = [row for row in growth.get("rows") or [] if not row.get("error")]
    series = {}
    for key, name in PLOTTED.items():
        values = [row.get(key) for row in rows]
        if len(rows) > 1 and all(values) and len(set(values)) > 1:
            series[name] = {"x": [row["size"] for row in rows], "y": [value / values[0] for value in values]}
    if not series:
        return None
    axis, unit = clean(growth.get("axis"), 20), clean(growth.get("unit"), 20)
    title = f"Growth with the {axis}"
    drawn = plots.lines(series, x_label=f"{axis} ({unit})", y_label="Growth (×)", log=True, log_x=True)
    exponents = growth.get("exponents") or {}
    powers = [f"{name} {significant(exponents[key], 2)}" for key, name in PLOTTED.items() if key in exponents]
    span = f"from {size(rows[0]['size'])} to {size(rows[-1]['size'])} {unit}"
    said = f"{title}, counted {span}, as powers of the size: {', '.join(powers)}."
    return Figure(drawn, f"{said} {crossing(growth)}")
