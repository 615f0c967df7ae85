"""Two networks side by side in a terminal: totals, then the rows that were added, removed or changed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.picture.words import count, shape, significant
from netwright.report.words import clean, quantity

Json = Mapping[str, Any]

SHAPES = {"inputs", "outputs"}  # which follow from another row's change where nothing else differs
MARKS = {"added": ("+", "green"), "removed": ("−", "red"), "changed": ("~", "yellow")}


def render_differences(found: Json, names: Sequence[str], console: Console, depth: int | None = None) -> None:
    """As `netwright.inspect.differences` found them, the rows down to `depth`."""
    left, right = (clean(name, 40) for name in names)
    totals = _table("", left, right, "ratio", right=(1, 2, 3))
    for row in found["totals"]:
        ratio = significant(row["ratio"], 4) if row["ratio"] is not None else ""
        totals.add_row(row["name"], *(quantity(row[side], row["unit"]) for side in ("left", "right")), ratio)
    console.print(totals)
    console.print()
    if found["identical"]:
        console.print(Text("identical: the same layers, shapes, options, wiring and cost"))
        return
    tops = [row for row in _tops(found["rows"]) if depth is None or row["depth"] <= depth]
    shown = [row for row in tops if not set(row["changed"]) <= SHAPES or row["change"] != "changed"]
    if shown:
        table = _table("  layer", "class", "parameters", "MACs", "what differs", right=(2, 3))
        longest = max(2 * row["depth"] + len(_name(row)) for row in shown)
        for place, least in ((0, min(longest + 2, 36)), (2, 15), (3, 15)):  # what a narrow terminal must not cut
            table.columns[place].min_width = least
        for row in shown:
            mark, style = MARKS[row["change"]]
            name = Text(mark, style=style).append(f" {'  ' * row['depth']}{_name(row)}", style="default")
            figures = (_both(row, key, count) for key in ("params", "macs"))
            what = Text("; ".join(_what(row)))
            table.add_row(name, Text(_class(row), style="cyan"), *figures, what)
        console.print(table)
    same = sum(row["change"] == "same" for row in found["rows"])
    inside = sum(row["change"] != "same" for row in found["rows"]) - len(tops)
    counts = ((same, "the same"), (len(tops) - len(shown), "other shapes only"), (inside, "inside what is shown"))
    console.print(Text("rows not shown: " + ", ".join(f"{n} {words}" for n, words in counts if n), style="dim"))
    if not tops:
        wired = "the same" if found["same_wiring"] else "another"
        console.print(Text(f"every layer is the same; the wiring is {wired}"))


def _tops(rows: Sequence[Json]) -> Iterator[Json]:
    """What differs; of a part that was added or removed as a whole only its top."""
    inside: tuple[str, int] | None = None
    for row in rows:
        if inside and row["depth"] > inside[1] and row["change"] == inside[0]:
            continue
        inside = (row["change"], row["depth"]) if row["change"] in ("added", "removed") else None
        if row["change"] != "same":
            yield row


def _name(row: Json) -> str:
    """stem → features.0, with the copies that it stands for: ×5 → ×22."""
    sides = [row[side] for side in ("left", "right") if row[side]]
    names = list(dict.fromkeys(clean(side["name"], 36) or "the network" for side in sides))
    repeats = list(dict.fromkeys(side["repeat"] for side in sides))
    if "name" not in row["changed"]:
        names = names[:1]
    times = " → ".join(f"×{repeat}" for repeat in repeats)
    return " → ".join(names) + (f"  {times}" if repeats != [1] else "")


def _class(row: Json) -> str:
    return " → ".join(dict.fromkeys(clean(row[side]["class"], 28) for side in ("left", "right") if row[side]))


def _both(row: Json, key: str, words: Any) -> str:
    """One figure, or that of the left → that of the right; of two that look alike the difference."""
    values = [row[side][key] for side in ("left", "right") if row[side]]
    said = [words(value) if value else "0" for value in dict.fromkeys(values)]
    if len(said) == 2 and said[0] == said[1]:
        return f"{said[0]} {'+' if values[1] > values[0] else '−'} {words(abs(values[1] - values[0]))}"
    return " → ".join(said) if any(values) else ""


def _what(row: Json) -> Iterator[str]:
    """The options that changed, else the shapes; the rest has columns."""
    left, right = row["left"], row["right"]
    if "options" in row["changed"] and left["class"] == right["class"]:
        yield clean(_options(left["options"], right["options"]), 72)
        return
    for key in ("outputs", "inputs"):
        if key in row["changed"]:
            one, other = (shape(side[key][0]) if side[key] else "nothing" for side in (left, right))
            yield f"{key.removesuffix('s')} {one} → {other}"
            return


def _options(left: str, right: str) -> str:
    """Only those that differ, where there are as many: "kernel_size=(3, 3) → (5, 5)"."""
    one, other = (re.split(r", (?![^(]*\))", side) for side in (left, right))
    if len(one) != len(other):
        return f"{left or 'nothing'} → {right or 'nothing'}"
    pairs = ((a, b.removeprefix(a.partition("=")[0] + "=")) for a, b in zip(one, other, strict=True) if a != b)
    return ", ".join(f"{a} → {b}" for a, b in pairs)


def _table(*names: str, right: Sequence[int]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, name in enumerate(names):
        table.add_column(Text(name), justify="right" if place in right else "left", no_wrap=bool(name))
    return table
