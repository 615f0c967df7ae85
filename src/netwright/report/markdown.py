"""The report as GitHub Markdown: tables, folds, a Mermaid diagram; a plot is the sentence that it shows."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.picture.words import count, shape
from netwright.report.document import (
    Bar,
    Bars,
    Block,
    Bullets,
    Cell,
    Code,
    Diagram,
    Facts,
    Figure,
    Figures,
    Para,
    Table,
    budget_bars,
)
from netwright.report.fold import Layer
from netwright.report.outline import sections
from netwright.report.words import advice, clean, verdict_sentence

SPECIAL = re.compile(r"([\\`*_\[\]<>|~$])")
LEADING = re.compile(r"^([-+=#]|\d+[.)](?=\s|$))")


def render_markdown(report: Mapping[str, Any]) -> str:
    """The whole report; its first line is the verdict."""
    verdict = report.get("verdict") or {}
    parts = [f"# {escape(verdict_sentence(report), 400)}"]
    if words := advice(report):
        parts.append(escape(words, 600))
    bars = budget_bars(verdict)
    if bars:
        parts.append(_bars(bars))
    for section in sections(report):
        parts.append(f"## {section.number} {section.title}")
        parts += [block_markdown(block) for block in section.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(value: Any, limit: int = 240) -> str:
    """Words that GitHub shows as they are: no markup, no table cell ended, no list begun."""
    text = SPECIAL.sub(r"\\\1", clean(value, limit).replace("&", "&amp;"))
    return LEADING.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], text)


def block_markdown(block: Block) -> str:
    if isinstance(block, Para):
        text = escape(block.text, 1200)
        return f"**{text}**" if block.tone == "strong" and len(text) < 120 else text
    if isinstance(block, Facts):
        return _table(("", ""), [[Cell(name), cell] for name, cell in block.rows], frozenset())
    if isinstance(block, Bullets):
        items = "\n".join(f"- {_inner(cell, ' — ')}" for cell in block.items)
        return _folded(block.title, items) if block.folded else _title(block.title) + items
    if isinstance(block, Table):
        return _title(block.title) + _table(block.head, block.rows, block.numeric)
    if isinstance(block, Bars):
        return _bars(block.rows)
    if isinstance(block, Figure):
        return _figure(block)
    if isinstance(block, Figures):
        return "\n".join(_figure(item) for item in block.items)
    if isinstance(block, Diagram):
        return f"```mermaid\n{block.mermaid}\n```\n\n{escape(block.caption, 600)}"
    if isinstance(block, Code):
        return _code(block)
    lines = [("layer", "output", "parameters", "MACs")]
    for layer in block.layers:
        lines += _layer(layer, 0, 1)
    lines.append(("all", "", count(block.total.get("params")), count(block.total.get("macs"))))
    widths = [max(len(row[k]) for row in lines) for k in range(4)]
    text = "\n".join(
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}".rstrip()
        for row in lines
    )
    return _code(Code(text, "text", f"{len(lines) - 2} rows, equal neighbours folded" if len(lines) > 30 else ""))


def _title(words: str) -> str:
    return f"### {escape(words)}\n\n" if words else ""


def _inner(cell: Cell, between: str = "<br>") -> str:
    text = escape(cell.text, 800)
    text = f"**{text}**" if cell.tone == "strong" and text else text
    return text + (f"{between}*{escape(cell.note, 600)}*" if cell.note else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[Cell]], numeric: frozenset[int]) -> str:
    lines = [
        "| " + " | ".join(escape(name) or " " for name in head) + " |",
        "|" + "|".join(" ---: " if index in numeric else " --- " for index in range(len(head))) + "|",
    ]
    lines += ["| " + " | ".join(_inner(cell) or " " for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _bars(bars: Sequence[Bar]) -> str:
    rows = []
    for bar in bars:
        part = "" if bar.part is None else f"{blocks(bar.part, 10)} {100 * bar.part:.0f} %"
        allowed = bar.allowed or "no limit"
        rows.append([Cell(bar.label), Cell(bar.used, tone="strong"), Cell(allowed), Cell(part), Cell(bar.how)])
    return _table(("Budget", "Used", "Allowed", "", "How it was got"), rows, frozenset({1, 2}))


def blocks(part: float, width: int) -> str:
    """A bar of characters; a tenth over its limit is as full as one at it."""
    full = round(min(1.0, max(0.0, part)) * width)
    full = max(full, 1) if part > 0 else full
    return "█" * full + "░" * (width - full)


def _figure(item: Figure) -> str:
    table = f"\n\n{_table(item.table.head, item.table.rows, item.table.numeric)}\n" if item.table else ""
    return f"- {escape(item.caption, 800)}{table}"


def _code(block: Code) -> str:
    text = "\n".join("".join(c for c in row if c.isprintable()) for row in block.text[:60000].splitlines())
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    body = f"{fence}{block.language}\n{text}\n{fence}"
    if not block.title:
        return body
    return _folded(block.title, body)


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{html.escape(clean(title))}</summary>\n\n{body}\n\n</details>"


def _layer(layer: Layer, deep: int, copies: int) -> list[tuple[str, str, str, str]]:
    copies *= layer.repeat
    times = f" ×{layer.repeat}" if layer.repeat > 1 else ""
    name = f"{'  ' * min(deep, 20)}{clean(layer.name, 60)}{times}  {clean(layer.cls, 40)}".rstrip()
    params, macs = (count(value * copies) if value else "" for value in (layer.params, layer.macs))
    rows = [(name, shape(layer.shape), params, macs)]
    for child in layer.children if deep < 40 else []:
        rows += _layer(child, deep + 1, copies)
    return rows
