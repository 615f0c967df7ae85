"""What a page is made of, before it is HTML or Markdown: sections of a few kinds of block, plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from netwright.picture.words import DASH, number
from netwright.report.fold import Layer
from netwright.report.words import clean, label_of, show, unit_of


@dataclass(frozen=True)
class Cell:
    text: str
    note: str = ""  # a second, quieter line
    tone: str = ""  # strong | good | warn | bad | muted
    share: float | None = None  # a bar behind the number, 0 … 1


@dataclass(frozen=True)
class Para:
    text: str
    tone: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values, as a definition list."""

    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Bullets:
    items: Sequence[Cell]
    title: str = ""
    folded: bool = False  # under its title, until that is clicked


@dataclass(frozen=True)
class Table:
    """`numeric` columns stand at the right. The rows of a `stack` table become cards on a phone."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[int] = frozenset()
    stack: bool = False
    title: str = ""


@dataclass(frozen=True)
class Bar:
    """A budget's line: used of allowed."""

    label: str
    used: str
    allowed: str  # "" where no limit was set
    part: float | None  # used / allowed
    met: bool | None
    how: str


@dataclass(frozen=True)
class Bars:
    rows: Sequence[Bar]


@dataclass(frozen=True)
class Figure:
    """An inline SVG and what it says in words; Markdown has the words, and the table where one is given.

    `quiet`: the picture says it all, so the page leaves the words out.
    """

    svg: str
    caption: str
    table: Table | None = None
    quiet: bool = False


@dataclass(frozen=True)
class Figures:
    items: Sequence[Figure]


@dataclass(frozen=True)
class Diagram:
    svg: str
    mermaid: str
    caption: str


@dataclass(frozen=True)
class LayerTree:
    layers: Sequence[Layer]
    total: Mapping[str, float | None]


@dataclass(frozen=True)
class Code:
    text: str
    language: str = ""
    title: str = ""  # folded under this title, where there is one


Block = Para | Facts | Bullets | Table | Bars | Figure | Figures | Diagram | LayerTree | Code


@dataclass(frozen=True)
class Section:
    key: str
    number: int
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)


def reason(item: Any) -> Cell:
    """A reason as a line: its sentence, and beneath it the rule's id and source."""
    if not isinstance(item, Mapping):
        return Cell(clean(item, 600))
    parts = [
        item.get("rule"),
        item.get("source"),
        item.get("confidence") and f"confidence {item['confidence']}",
    ]
    return Cell(clean(item.get("text") or "", 600), " · ".join(clean(part, 160) for part in parts if part))


def reasons(items: Any) -> list[Cell]:
    return [cell for item in items or [] if (cell := reason(item)).text]


def bullets(items: Any, title: str = "") -> list[Block]:
    cells = reasons(items)
    return [Bullets(cells, title)] if cells else []


def lean(table: Table) -> Table:
    """The table without the columns (the first aside) in which nothing is said."""
    kept = [
        k
        for k in range(len(table.head))
        if k == 0 or any(row[k].text not in ("", DASH) or row[k].note for row in table.rows)
    ]
    numeric = frozenset(new for new, old in enumerate(kept) if old in table.numeric)
    rows = [[row[k] for k in kept] for row in table.rows]
    return replace(table, head=[table.head[k] for k in kept], rows=rows, numeric=numeric)


def joined(items: Any) -> Cell:
    """Several reasons in one cell."""
    cells = [item if isinstance(item, Cell) else reason(item) for item in items or []]
    notes = dict.fromkeys(cell.note for cell in cells if cell.note)
    return Cell(" ".join(cell.text for cell in cells), " · ".join(notes))


def budget_bars(verdict: Mapping[str, Any]) -> list[Bar]:
    rows = []
    for item in verdict.get("budget") or []:
        name = str(item.get("name") or "")
        unit = unit_of(name, item.get("unit"))
        used, allowed = number(item.get("used")), number(item.get("allowed"))
        part = used / allowed if used is not None and allowed else None
        met = item.get("met")
        if met is None and part is not None:
            met = part <= 1
        limit = show(allowed, unit) if allowed is not None else ""
        rows.append(Bar(label_of(name), show(used, unit), limit, part, met, clean(item.get("how") or "")))
    return rows
