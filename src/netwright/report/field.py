"""How far a network sees, in the terminal: its stages, and the reach of its attention."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.report.words import clean

Json = Mapping[str, Any]


def render_field(field: Json, console: Console) -> None:
    """`Sight.to_json()`: a row for each stride, a row for attention layers of one reach, and what is not known."""
    unit = clean(field["unit"], 20)
    console.print(Text(f"how far it sees, of {sides(field['space'])} {unit}", style="bold"))
    if field["stages"]:
        table = _table("stride", "map", "sees", "local", "covers the input", "from", "to", right=3)
        for stage in field["stages"]:
            seen, local = sides(stage["size"]), sides(stage["local"])
            covers = Text("yes", style="green") if stage["covers_input"] else Text("no", style="yellow")
            ends = (clean(stage[end], 48) for end in ("first", "last"))
            sizes = str(stage["stride"]), " × ".join(map(str, stage["units"])), seen, local if local != seen else ""
            table.add_row(*sizes, covers, *(Text(end, style="dim") for end in ends))
        console.print(table)
        console.print(
            Text("in theory, padding included, masks aside; local: without what mixes all places", style="dim")
        )
    if field["attention"]:
        table = _table("attention", "layers", "sees", "before", "after", "from", "to", right=-1)
        for layer in field["attention"]:
            reach = ["" if layer[key] is None else str(layer[key]) for key in ("before", "after")]
            paths = (Text(clean(layer[end], 48), style="dim") for end in ("first", "last"))
            cls = Text(clean(layer["cls"], 40), style="cyan")
            table.add_row(cls, str(layer["layers"]), layer["words"], *reach, *paths)
        console.print(table)
        console.print(Text(f"of {field['attention'][0]['length']} tokens, {field['attention'][0]['how']}", style="dim"))
    if field["sentence"]:
        console.print(Text(clean(field["sentence"], 400)))
    if field["effective"]:
        console.print(Text(clean(field["effective"]["how"], 300), style="dim"))
    for note in field["notes"]:
        console.print(Text(clean(note, 400), style="yellow"))


def sides(sizes: Any) -> str:
    """One number where all axes are alike: 224, or 16 × 112 × 112."""
    return str(sizes[0]) if len(set(sizes)) == 1 else " × ".join(map(str, sizes))


def _table(*names: str, right: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, name in enumerate(names):
        table.add_column(Text(name), justify="right" if place < right else "left", no_wrap=True)
    return table
