"""Sections 8 to 13, how it trained and what that proves: the JSON's dicts → blocks."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from netwright.picture.words import count, number
from netwright.report import plots
from netwright.report.detection import detection
from netwright.report.document import (
    Block,
    Bullets,
    Cell,
    Code,
    Facts,
    Figure,
    Figures,
    Table,
    bullets,
    joined,
    lean,
)
from netwright.report.segmentation import segmentation
from netwright.report.story import figures_table
from netwright.report.words import clean, interval, metric_name, score, show

Json = Mapping[str, Any]
MOST_CLASSES = 40


def validation(body: Json, report: Json) -> list[Block]:
    curves = _curves(body, report)
    blocks: list[Block] = [Figures(curves)] if curves else []
    if body.get("events"):
        cells = []
        for item in body["events"]:
            when = f"step {show(item['step'])}: " if item.get("step") is not None else ""
            tone = "warn" if "diverg" in str(item.get("kind")) else ""
            cells.append(Cell(when + clean(item.get("text"), 400), tone=tone))
        blocks.append(Bullets(cells, "Events"))
    blocks += [_rung_table(body["rungs"])] if body.get("rungs") else []
    if body.get("segmentation"):
        blocks += segmentation(body["segmentation"])
    if body.get("detection"):
        blocks += detection(body["detection"])
    if body.get("confusion"):
        blocks += _confusion(body["confusion"])
    if body.get("predictions"):
        blocks += _predictions(body["predictions"], report)
    return blocks + bullets(body.get("findings"), "Findings") + bullets(body.get("notes"))


def _known(series: Any) -> list[float]:
    return [y for _, y in plots.points(series or {}) if y is not None]


def _curves(body: Json, report: Json) -> list[Figure]:
    x_label = clean(body.get("x_label") or "step", 40)
    metric = metric_name(body.get("metric") or (report.get("verdict") or {}).get("metric"))
    stops = [at for item in body.get("events") or [] if (at := number(item.get("step"))) is not None]
    figures = []

    def add(title: str, series: Mapping[str, Any], caption: str = "", **options: Any) -> None:
        known = {clean(name, 60): item for name, item in series.items() if _known(item)}
        if known:
            drawn = plots.lines(known, x_label=x_label, y_label=title, events=stops, **options)
            spans = "; ".join(
                f"{name} {_span(item)}" if len(known) > 1 else _span(item) for name, item in known.items()
            )
            figures.append(Figure(drawn, caption or f"{title}: {spans}."))

    losses = {"train": body.get("train_loss"), "validation": body.get("validation_loss")}
    add("Loss", losses, noisy=True)
    series = body.get("validation_metric") or {}
    metric = metric_name(series["name"]) if series.get("name") else metric
    add(f"Validation {metric}", {metric: series})
    add("Learning rate", {"learning rate": body.get("learning_rate")})
    add("Gradient norm", {"gradient norm": body.get("gradient_norm")}, log=True, noisy=True)
    ratios = {name: item for name, item in (body.get("update_ratio") or {}).items() if _known(item)}
    ratios = dict(list(ratios.items())[:6])
    last = ", ".join(f"{clean(name, 60)} {show(_known(item)[-1])}" for name, item in ratios.items())
    words = f"Update / weight at the end: {last}. Dashed: 0.001, a healthy rate."
    add("Update / weight", ratios, words, log=True, guide=1e-3)
    return figures


def _span(series: Any) -> str:
    ys = _known(series)
    return f"{show(ys[0])} at first, {show(ys[-1])} at the end, between {show(min(ys))} and {show(max(ys))}"


def _rung_table(rungs: Sequence[Json]) -> Table:
    rows = []
    for rung in rungs:
        for item in rung.get("entries") or []:
            kept = item.get("kept")
            outcome = Cell("goes on" if kept else "stopped", clean(item.get("note") or ""), "good" if kept else "muted")
            rows.append(
                [
                    Cell(clean(item.get("name"), 80), tone="strong" if kept else ""),
                    Cell(show(rung.get("rung"))),
                    Cell(score(item.get("score"))),
                    Cell(show(item.get("steps"))),
                    Cell(show(item.get("seconds"), "s")),
                    Cell("–") if kept is None else outcome,
                ]
            )
    head = ("Candidate", "Rung", "Validation", "Steps", "Time", "Outcome")
    return lean(Table(head, rows, frozenset({1, 2, 3, 4}), stack=True, title="Successive halving"))


def _confusion(body: Json) -> list[Block]:
    labels = [clean(label, 60) for label in body.get("labels") or []]
    matrix = [[number(value) or 0 for value in row] for row in body.get("matrix") or []]
    size = len(matrix)
    if not size or len(labels) != size or any(len(row) != size for row in matrix):
        return []
    where = clean(body.get("split") or "", 60)
    pairs = sorted(((matrix[i][j], i, j) for i in range(size) for j in range(size) if i != j), reverse=True)
    worst = [pair for pair in pairs if pair[0] > 0][:6]
    right, total = sum(matrix[i][i] for i in range(size)), sum(map(sum, matrix))
    title = f"Confusion matrix{', ' + where if where else ''}"
    said = f"{title}: {show(right)} of {show(total)} right"
    said += (
        f"; most often {labels[worst[0][1]]} taken for {labels[worst[0][2]]} ({show(worst[0][0])})." if worst else "."
    )
    blocks: list[Block] = []
    if size <= MOST_CLASSES:
        table = None
        if size <= 12:
            rows = [
                [Cell(labels[i], tone="strong"), *(Cell(show(value)) for value in row)] for i, row in enumerate(matrix)
            ]
            table = Table(("true ↓ predicted →", *labels), rows, frozenset(range(1, size + 1)))
        drawn = plots.confusion(matrix, labels, label=title)
        blocks.append(Figures([Figure(drawn, said, table)]))
    if worst and size > 2:
        rows = [[Cell(labels[i]), Cell(labels[j]), Cell(show(n))] for n, i, j in worst]
        blocks.append(Table(("True", "Taken for", "Times"), rows, frozenset({2}), title="Most frequent errors"))
    return blocks


def _predictions(body: Json, report: Json) -> list[Block]:
    pairs = [
        (a, b)
        for x, y in zip(body.get("truth") or [], body.get("predicted") or [], strict=False)
        if (a := number(x)) is not None and (b := number(y)) is not None
    ]
    if not pairs:
        return []
    truth, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    errors = [b - a for a, b in pairs]
    unit = f" ({clean(body['unit'], 30)})" if body.get("unit") else ""
    where = f", {clean(body['split'], 60)}" if body.get("split") else ""
    bias = mean(errors)
    first = plots.scatter(
        truth, predicted, x_label=f"true{unit}", y_label=f"Predicted against true{where}", identity=True
    )
    second = plots.scatter(
        predicted, errors, x_label=f"predicted{unit}", y_label=f"Residual: predicted − true{where}", level=0
    )
    half = sorted(map(abs, errors))[len(errors) // 2]
    said = f"Mean residual {show(float(bias))}, half of them within {show(float(half))}."
    return [
        Figures(
            [
                Figure(
                    first,
                    f"Predicted against true, {show(len(pairs))} rows; on the dashed line they are equal.",
                ),
                Figure(second, said),
            ]
        )
    ]


def baselines(body: Json, report: Json) -> list[Block]:
    verdict = report.get("verdict") or {}
    metric = metric_name(body.get("metric") or verdict.get("metric"))
    rows = comparison(report)
    blocks: list[Block] = []
    if rows:
        split = clean(body.get("split") or verdict.get("split") or "", 80)
        label = f"{metric}{', ' + split if split else ''}, with its 95 % interval"
        blocks.append(Figure(plots.whiskers(rows, x_label=label), label[0].upper() + label[1:], quiet=True))
        cells = [
            [
                Cell(clean(row["name"], 80), clean(row.get("text") or ""), "strong" if row["strong"] else ""),
                Cell(score(row.get("score")), tone="strong" if row["strong"] else ""),
                Cell(interval(row.get("interval")) or "–"),
                Cell(show(number(row.get("seconds")), "s")),
            ]
            for row in rows
        ]
        blocks.append(lean(Table(("Model", metric, "Interval", "Time to fit"), cells, frozenset({1, 2, 3}))))
    facts: list[tuple[str, Cell]] = []
    difference = body.get("difference") or verdict.get("difference") or {}
    if number(difference.get("value")) is not None:
        against = clean(difference.get("against") or "the best baseline", 80)
        words = signed(difference["value"])
        span = difference.get("interval") or []
        if interval(span):
            words += f" ({signed(span[0])} to {signed(span[1])})"
        up = body.get("greater_is_better", verdict.get("greater_is_better", True))
        notes = [clean(difference.get("method") or ""), "" if up else "lower is better"]
        facts.append((f"Network − {against}", Cell(words, ", ".join(note for note in notes if note))))
    for item in body.get("seeds") or []:
        scores = [value for raw in item.get("scores") or [] if (value := number(raw)) is not None]
        if scores:
            words = f"mean {score(mean(scores))}, from {score(min(scores))} to {score(max(scores))}"
            words += f", standard deviation {score(stdev(scores))}" if len(scores) > 1 else ""
            seeds = ", ".join(show(seed) for seed in item.get("seeds") or [])
            count_ = f"{len(scores)} seed{'s' if len(scores) > 1 else ''}"
            facts.append(
                (
                    f"Seeds' spread, {clean(item.get('name'), 60)}",
                    Cell(words, f"{count_}{': ' + seeds if seeds else ''}"),
                )
            )
    return [*blocks, *([Facts(facts)] if facts else []), *bullets(body.get("notes"))]


def comparison(report: Json) -> list[dict[str, Any]]:
    """The network and its baselines, best first; from section 9, or where that is empty from the verdict."""
    body, verdict = report.get("baselines") or {}, report.get("verdict") or {}
    rows = [dict(row) for row in body.get("rows") or []]
    if not rows:
        network = verdict.get("network")
        rows = [{"kind": "network", **network, "name": network.get("name") or "network"}] if network else []
        rows += [{**item, "name": name} for name, item in (verdict.get("baselines") or {}).items()]
    up = body.get("greater_is_better", verdict.get("greater_is_better", True))
    for row in rows:
        row["strong"] = row.get("kind") == "network"
        row["name"] = clean(row.get("name"), 80)

    def order(row: Json) -> tuple[bool, float]:
        value = number(row.get("score"))
        return value is None, 0.0 if value is None else -value if up else value

    return sorted(rows, key=order)


def signed(value: Any) -> str:
    size = number(value)
    return score(size) if size is None or size <= 0 else f"+{score(size)}"


def scaling(body: Json, report: Json) -> list[Block]:
    rows = [
        [
            Cell(clean(item.get("when"), 200), tone="strong"),
            Cell(clean(item.get("change"), 300)),
            Cell(count(item.get("params"))),
            joined(item.get("reasons")),
        ]
        for item in body.get("rows") or []
    ]
    head = ("When", "Then", "Parameters", "Reason")
    blocks: list[Block] = [lean(Table(head, rows, frozenset({2}), stack=True))] if rows else []
    return blocks + bullets(body.get("notes"))


def deployment(body: Json, report: Json) -> list[Block]:
    blocks: list[Block] = [figures_table(body["rows"])] if body.get("rows") else []
    if body.get("files"):
        rows = [
            [
                Cell(clean(item.get("name"), 80), tone="strong"),
                Cell(clean(item.get("text"), 300)),
                Cell(show(number(item.get("bytes")), "bytes")),
            ]
            for item in body["files"]
        ]
        blocks.append(Table(("File", "What it is", "Size"), rows, frozenset({2}), stack=True, title="What you own"))
    for item in body.get("commands") or []:
        words = clean(item.get("text") or "", 200)
        blocks.append(Code((f"# {words}\n" if words else "") + clean(item.get("command"), 400), "sh"))
    return blocks + bullets(body.get("notes"))


def limits(body: Json, report: Json) -> list[Block]:
    return [
        *bullets(body.get("limits"), "Limits"),
        *bullets(body.get("out_of_scope"), "Out of scope"),
        *bullets(body.get("unknown"), "Unknown"),
    ]


def provenance(body: Json, report: Json) -> list[Block]:
    names = {
        "command": "Command",
        "created": "Created",
        "design_hash": "Design hash",
        "data_hash": "Data hash",
    }
    rows = [(label, Cell(clean(body[key], 300))) for key, label in names.items() if body.get(key)]
    for key, label in (("versions", "Versions"), ("machine", "Machine"), ("seeds", "Seeds")):
        if body.get(key):
            rows.append(
                (
                    label,
                    Cell(
                        ", ".join(f"{clean(name, 60)} {clean(show(value), 120)}" for name, value in body[key].items())
                    ),
                )
            )
    blocks: list[Block] = []
    if body.get("warnings"):
        cells = []
        for item in body["warnings"]:
            where = f"{clean(item['where'], 80)}: " if item.get("where") else ""
            note = " · ".join(clean(item[key], 300) for key in ("fix", "id") if item.get(key))
            cells.append(Cell(where + clean(item.get("message"), 400), note, "warn"))
        blocks.append(Bullets(cells, "Warnings about the data"))
    blocks += [Facts(rows)] if rows else []
    if body.get("numbers"):
        table = [[Cell(clean(item.get("what"), 120)), Cell(clean(item.get("how"), 300))] for item in body["numbers"]]
        blocks.append(Table(("Number", "How it was got"), table, stack=True, title="How each number was got"))
    return blocks + bullets(body.get("notes"), "Notes")
