"""The report as one HTML file: no script, no request, nothing from elsewhere; it may be mailed and kept."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
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
    LayerTree,
    Para,
    Section,
    Table,
    budget_bars,
)
from netwright.report.evidence import comparison
from netwright.report.fold import Layer
from netwright.report.outline import sections
from netwright.report.style import CSS
from netwright.report.svg import esc
from netwright.report.words import advice, clean, interval, metric_name, score, verdict_sentence

# The page may not load or run anything, even if a label slipped through as markup.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
OUTCOMES = {
    "wins": ("good", "Win"),
    "ties": ("warn", "Tie"),
    "loses": ("bad", "Loss to a baseline"),
}


def render_html(report: Mapping[str, Any]) -> str:
    """The whole page."""
    found = sections(report)
    links = " ".join(f'<a href="#{part.key}">{part.number} {esc(part.title)}</a>' for part in found)
    title = esc(verdict_sentence(report))
    name = (report.get("brief") or {}).get("name") or (report.get("provenance") or {}).get("name")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{CSS}</style>
</head>
<body><main class="page">
<header id="verdict">
<h1>{title}</h1>
{verdict_html(report)}
<nav aria-label="Sections">{links}</nav>
</header>
{"".join(_section(part) for part in found)}
<footer>{esc(name) + " · " if name else ""}designed by netwright · its numbers are in report.json</footer>
</main></body>
</html>
"""


def verdict_html(report: Mapping[str, Any]) -> str:
    """What stands under the sentence: outcome, recommendation, the scores as tiles, the budget."""
    verdict = report.get("verdict") or {}
    parts = []
    if verdict.get("status") == "interrupted":
        parts.append('<div><span class="badge warn">Interrupted</span></div>')
    if verdict.get("outcome") in OUTCOMES:
        tone, words = OUTCOMES[verdict["outcome"]]
        where = f'<span class="muted">scored on {esc(verdict["split"], 80)}</span>' if verdict.get("split") else ""
        parts.append(f'<div><span class="badge {tone}">{words}</span>{where}</div>')
    if words := advice(report):
        parts.append(f'<p class="lead">{esc(words, 600)}</p>')
    metric = metric_name(verdict.get("metric"))
    tiles = []
    for row in _tiles(report, verdict):
        span = interval(row.get("interval"))
        note = f"<span>{esc(metric)}{', ' + span if span else ''}</span>"
        name = f"<span>{esc(row['name'], 60)}</span>"
        tiles.append(f'<div class="tile{row["css"]}">{name}<b>{score(row.get("score"))}</b>{note}</div>')
    if tiles:
        parts.append(f'<div class="tiles">{"".join(tiles)}</div>')
    bars = budget_bars(verdict)
    if bars:
        parts.append(_bars(Bars(bars)))
    return "".join(parts)


def _tiles(report: Mapping[str, Any], verdict: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The network, then the three best baselines; whoever wins is marked, in a tie both."""
    rows = [row for row in comparison(report) if row.get("score") is not None]
    network = [row for row in rows if row["strong"]][:1]
    others = [row for row in rows if not row["strong"]][:3]
    leader = [row for row in others if row["name"] == verdict.get("best_baseline")] or others[:1]
    outcome = verdict.get("outcome")
    best = (network if outcome in ("wins", "ties") else []) + (leader if outcome in ("loses", "ties") else [])
    return [row | {"css": " best" if row in best else ""} for row in network + others]


def _section(part: Section) -> str:
    blocks = "".join(block_html(block) for block in part.blocks)
    return f'<section id="{part.key}"><h2><span>{part.number}</span>{esc(part.title)}</h2>{blocks}</section>\n'


def block_html(block: Block) -> str:
    if isinstance(block, Para):
        return f'<p class="{block.tone}">{esc(block.text, 1200)}</p>'
    if isinstance(block, Facts):
        return f"<dl>{''.join(f'<dt>{esc(name)}</dt><dd>{_inner(cell)}</dd>' for name, cell in block.rows)}</dl>"
    if isinstance(block, Bullets):
        items = f"<ul>{''.join(f'<li>{_inner(cell)}</li>' for cell in block.items)}</ul>"
        if block.folded:
            return f"<details><summary>{esc(block.title)}</summary>{items}</details>"
        return _title(block.title) + items
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Bars):
        return _bars(block)
    if isinstance(block, Figure):
        return f'<div class="figures">{_figure(block)}</div>'
    if isinstance(block, Figures):
        return f'<div class="figures">{"".join(_figure(item) for item in block.items)}</div>'
    if isinstance(block, Diagram):
        return f'<figure class="drawing">{block.svg}<figcaption>{esc(block.caption, 600)}</figcaption></figure>'
    if isinstance(block, Code):
        body = f"<pre><code>{escape(_printable(block.text))}</code></pre>"
        return f"<details><summary>{esc(block.title)}</summary>{body}</details>" if block.title else body
    return _tree(block)


def _printable(text: str) -> str:
    """Code keeps its lines; each of them is cleaned, and its leading spaces are kept."""
    rows = text[:20000].replace("\t", "    ").splitlines()
    return "\n".join(" " * (len(row) - len(row.lstrip(" "))) + clean(row or " ", 400) for row in rows)


def _title(words: str) -> str:
    return f"<h3>{esc(words)}</h3>" if words else ""


def _inner(cell: Cell) -> str:
    words = esc(cell.text, 800)
    words = f'<span class="{cell.tone}">{words}</span>' if cell.tone else words
    return words + (f"<small>{esc(cell.note, 600)}</small>" if cell.note else "")


def _table(block: Table) -> str:
    head = "".join(f'<th scope="col"{_numeric(block, index)}>{esc(name)}</th>' for index, name in enumerate(block.head))
    rows = "".join(f"<tr>{''.join(_cells(block, row))}</tr>" for row in block.rows)
    css = ' class="stack"' if block.stack else ' class="narrow"' if len(block.head) < 4 else ""
    table = f"<table{css}><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'{_title(block.title)}<div class="scroll">{table}</div>'


def _numeric(block: Table, index: int) -> str:
    return ' class="num"' if index in block.numeric else ""


def _cells(block: Table, row: Sequence[Cell]) -> Iterable[str]:
    for index, cell in enumerate(row):
        label = f' data-label="{esc(block.head[index])}"' if block.stack and index and cell.text else ""
        yield f"<td{_numeric(block, index)}{label}>{_inner(cell)}</td>"


def _bars(block: Bars) -> str:
    return f'<div class="bars">{"".join(_bar(bar) for bar in block.rows)}</div>'


def _bar(bar: Bar) -> str:
    """A line of the budget; without a limit, how the number was got stands where the bar would."""
    over = " over" if bar.met is False else ""
    notes = ['<span class="bad">limit missed</span>'] if over else []
    notes += [esc(bar.how)] if bar.how else []
    notes += [] if bar.allowed else ["no limit set"]
    how = f"<small>{', '.join(notes)}</small>" if notes else ""
    limit = f' <span class="muted">of {esc(bar.allowed)}</span>' if bar.allowed else ""
    value = f'<span class="value"><span class="strong">{esc(bar.used)}</span>{limit}</span>'
    if bar.part is None:
        return f'<div class="bar free"><span>{esc(bar.label)}</span>{how}{value}</div>'
    track = f'<i role="presentation"><b style="width:{min(100.0, 100 * max(0.0, bar.part)):.1f}%"></b></i>'
    return f'<div class="bar{over}"><span>{esc(bar.label)}</span>{track}{value}{how}</div>'


def _figure(item: Figure) -> str:
    words = "" if item.quiet else f"<figcaption>{esc(item.caption, 800)}</figcaption>"
    return f"<figure>{item.svg}{words}</figure>"


def _tree(block: LayerTree) -> str:
    """The layers as nested details: rows that fold without a script."""
    head = '<div class="row head"><span class="name" style="--deep:0">Layer</span>'
    head += '<span class="shape">Output</span><span>Parameters</span><span>MACs</span>'
    head += '<span class="acts">Activations</span></div>'
    rows = "".join(_layer(layer, 0, 1, block.total) for layer in block.layers)
    total = block.total
    last = '<div class="row sum"><span class="name" style="--deep:0">All</span><span class="shape"></span>'
    last += f"<span>{count(total.get('params'))}</span><span>{count(total.get('macs'))}</span>"
    last += f'<span class="acts">{count(total.get("activations"))}</span></div>'
    return f'<div class="tree">{head}{rows}{last}</div>'


def _layer(layer: Layer, deep: int, copies: int, total: Mapping[str, float | None]) -> str:
    copies *= layer.repeat
    whole = total.get("macs") or total.get("params") or 0
    part = (layer.macs if total.get("macs") else layer.params) * copies / whole if whole else 0
    times = f'<span class="times">×{layer.repeat}</span>' if layer.repeat > 1 else ""
    heat = f'<u style="width:{min(100.0, 100 * part):.1f}%" title="share of the cost"></u>' if part > 0.005 else ""
    acts = count(layer.activations * copies) if layer.activations is not None else "–"
    row = (
        f'<span class="name" style="--deep:{min(deep, 12)}">'
        f'<span class="strong">{esc(layer.name, 80)}</span>{times}<em>{esc(layer.cls, 60)}</em></span>'
        f'<span class="shape">{esc(shape(layer.shape)) or "–"}</span>'
        f"<span>{_amount(layer.params * copies)}</span><span>{_amount(layer.macs * copies)}</span>"
        f'<span class="acts">{acts}</span>{heat}'
    )
    if not layer.children or deep > 40:
        return f'<div class="row">{row}</div>'
    inner = "".join(_layer(child, deep + 1, copies, total) for child in layer.children)
    opened = " open" if deep == 0 and len(layer.children) <= 14 else ""
    return f'<details{opened}><summary class="row">{row}</summary>{inner}</details>'


def _amount(value: float) -> str:
    return count(value) if value else "–"
