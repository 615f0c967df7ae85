"""Sections 2 to 7, what was designed and why: the JSON's dicts → blocks."""

from collections.abc import Mapping
from typing import Any

from netwright.picture import mermaid, svg
from netwright.picture.words import count, number, share
from netwright.report import diagram, plots
from netwright.report.document import (
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
    Table,
    bullets,
    joined,
    lean,
    reasons,
)
from netwright.report.fold import totals, tree
from netwright.report.growth import figure as growth_figure
from netwright.report.words import clean, label_of, metric_name, show, unit_of

Json = Mapping[str, Any]
MOST_REASONS = 6


def brief(body: Json, report: Json) -> list[Block]:
    names = ("name", "task", "modality", "source", "target", "device")
    rows = [(name.capitalize(), Cell(clean(body[name]))) for name in names if body.get(name)]
    if body.get("metric"):
        rows.append(("Metric", Cell(metric_name(body["metric"]))))
    if body.get("rows") is not None:
        rows.append(("Rows", Cell(show(body["rows"]))))
    split = body.get("split") or {}
    parts = [f"{show(split[name])} {name}" for name in ("train", "validation", "test") if split.get(name) is not None]
    if parts:
        rows.append(("Split", Cell(" · ".join(parts), clean(split.get("how") or ""))))
    if body.get("classes"):
        rows.append(("Classes", _classes(body["classes"])))
    for key, value in (body.get("facts") or {}).items():
        label = clean(key, 60)
        rows.append((label[:1].upper() + label[1:], Cell(clean(show(value), 400))))
    blocks: list[Block] = [Facts(rows)] if rows else []
    return blocks + bullets(body.get("assumptions"), "Assumptions")


def _classes(classes: Any) -> Cell:
    shown = [
        clean(item.get("label"), 40) + (f" ({show(item['count'])})" if item.get("count") is not None else "")
        for item in classes[:24]
    ]
    more = len(classes) - len(shown)
    return Cell(", ".join(shown) + (f" and {more} more" if more > 0 else ""), f"{len(classes)} classes")


def decision(body: Json, report: Json) -> list[Block]:
    blocks: list[Block] = []
    chosen = body.get("chosen") or {}
    if chosen:
        words = clean(chosen.get("text") or "", 600)
        blocks.append(Para(f"Chosen: {clean(chosen.get('name'), 120)}." + (f" {words}" if words else ""), "strong"))
        args = [(clean(key, 60), Cell(clean(show(value)))) for key, value in (chosen.get("args") or {}).items()]
        if args:
            blocks.append(Facts(args))
        why = reasons(chosen.get("reasons"))
        if why:
            blocks.append(Bullets(why[:MOST_REASONS], "Why"))
        if len(why) > MOST_REASONS:
            rest = why[MOST_REASONS:]
            blocks.append(Bullets(rest, f"{len(rest)} more reason{'s' if len(rest) > 1 else ''}", folded=True))
        if chosen.get("yaml"):
            blocks.append(Code(str(chosen["yaml"]), "yaml", "The model as a Design file has it"))
    if body.get("candidates"):
        blocks += _candidates(body["candidates"], report, reasons(chosen.get("reasons")))
    if body.get("rejected"):
        rows = [
            [Cell(clean(item.get("family"), 80), tone="strong"), joined(item.get("reasons")), _numbers(item)]
            for item in body["rejected"]
        ]
        blocks.append(lean(Table(("Family", "Why not", "Numbers"), rows, stack=True, title="Rejected")))
    return blocks + bullets(body.get("notes"))


def _numbers(item: Json) -> Cell:
    parts = [
        f"{label_of(str(key)).lower() if key != 'flops' else 'FLOPs'} {show(value, unit_of(str(key)))}"
        for key, value in (item.get("numbers") or {}).items()
    ]
    return Cell(", ".join(parts))


def _candidates(items: Any, report: Json, known: list[Cell]) -> list[Block]:
    """The table; where reasons are many, those that are not the chosen one's too are folded beneath it."""
    metric = metric_name((report.get("verdict") or {}).get("metric") or "score")
    columns = (
        ("params", "Parameters", "count"),
        ("flops", "FLOPs", "count"),
        ("latency_ms", "Latency", "ms"),
        ("memory_bytes", "Memory", "bytes"),
        ("score", f"Validation {metric}", "score"),
    )
    own = [[cell for cell in reasons(item.get("reasons")) if cell not in known] for item in items]
    brief_ = all(len(cells) <= 2 for cells in own)
    rows = []
    for item, cells in zip(items, own, strict=True):
        outcome, name = clean(item.get("outcome") or "", 80), clean(item.get("name"), 80)
        chosen = outcome == "chosen"
        family = clean(item.get("family") or "", 60)
        row = [Cell(name, family if family != name else "", "strong" if chosen else "")]
        row += [Cell(show(number(item.get(key)), unit)) for key, _, unit in columns]
        row += [Cell(outcome, tone="good" if chosen else ""), joined(cells) if brief_ else Cell("")]
        rows.append(row)
    head = ("Candidate", *(title for _, title, _ in columns), "Outcome", "Reasons")
    table = Table(head, rows, frozenset(range(1, 1 + len(columns))), stack=True, title="Candidates")
    folds = (
        []
        if brief_
        else [
            Bullets(cells, f"Why {clean(item.get('name'), 80)}", folded=True)
            for item, cells in zip(items, own, strict=True)
            if cells
        ]
    )
    return [lean(table), *folds]


def picture(body: Json, report: Json) -> list[Block]:
    rows = body.get("nodes") or (report.get("layers") or {}).get("rows") or []
    if not rows:
        return []
    title, edges = clean(body.get("title") or "The network", 100), body.get("edges")
    blueprint = diagram.blueprint(rows, edges, body.get("input"), title)
    heat = body.get("heat") or ("macs" if blueprint["macs"] else "params")
    drawn = svg(blueprint, heat=heat, caption=False)
    caption = f"Shade: share of {'MACs' if heat == 'macs' else 'parameters'}."
    caption += " Equal neighbours are folded (×N); dropout is not drawn."
    skips = " Blue: tensors that skip ahead." if "url(#nw-accent)" in drawn else ""
    caption += skips if edges else " Drawn in the order of the modules' calls."
    return [Diagram(drawn, mermaid(blueprint), caption)]


def layers(body: Json, report: Json) -> list[Block]:
    rows = body.get("rows") or []
    blocks: list[Block] = []
    if rows:
        folded = tree(rows)
        total: dict[str, float | None] = dict(totals(folded))
        if all(layer.activations is not None for layer in folded):
            total["activations"] = sum(layer.total("activations") for layer in folded)
        total |= {key: number(value) for key, value in (body.get("total") or {}).items()}
        blocks.append(LayerTree(folded, total))
    return blocks + bullets(body.get("notes"))


def cost(body: Json, report: Json) -> list[Block]:
    blocks: list[Block] = []
    if body.get("rows"):
        blocks.append(figures_table(body["rows"]))
    figures = [_shares(body, *kind) for kind in (("macs", "MACs", "accent"), ("params", "Parameters", "violet"))]
    figures.append(growth_figure(body["growth"]) if body.get("growth") else None)
    if known := [figure for figure in figures if figure]:
        blocks.append(Figures(known))
    return blocks + bullets(body.get("notes"))


def _shares(body: Json, key: str, name: str, tone: str) -> Figure | None:
    """The ten costliest block types, with their shares of the whole."""
    types = body.get("by_type") or []
    rows = [(clean(item.get("type"), 60), value) for item in types if (value := number(item.get(key)))]
    if not rows:
        return None
    whole = sum(value for _, value in rows)
    most = sorted(rows, key=lambda row: -row[1])[:10]
    bars = [(label, value, f"{count(value)} · {share(value, whole)}") for label, value in most]
    title = f"{name} by block type"
    words = ", ".join(f"{label} {told}" for label, _, told in bars)
    return Figure(plots.bars(bars, label=title, fill=tone), f"{title}: {words}.", quiet=True)


def figures_table(rows: Any) -> Table:
    cells = []
    for item in rows:
        name = str(item.get("name") or "")
        value = clean(show(item.get("value"), unit_of(name, item.get("unit"))), 160)
        cells.append(
            [
                Cell(label_of(name)),
                Cell(value, tone="strong"),
                Cell(clean(item.get("how") or ""), tone="muted"),
            ]
        )
    return Table(("What", "Value", "How it was got"), cells, frozenset({1}))


def recipe(body: Json, report: Json) -> list[Block]:
    rows = []
    for item in body.get("rows") or []:
        note = " · ".join(clean(item[key], 120) for key in ("rule", "source") if item.get(key))
        value = Cell(clean(show(item.get("value")), 200), tone="strong")
        rows.append([Cell(clean(item.get("name"), 60)), value, Cell(clean(item.get("reason") or "", 400), note)])
    blocks: list[Block] = [Table(("Setting", "Value", "Reason"), rows, stack=True)] if rows else []
    return blocks + bullets(body.get("notes"))
