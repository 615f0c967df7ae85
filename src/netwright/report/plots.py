"""Plots as inline SVG: lines, bars, scatter, confusion matrix, whiskers. Pure functions of numbers.

All are drawn about 420 units wide, so that a label is as legible on a phone as beside another plot on a
desk. A value that is not a finite number is left out: a gap in a line, a missing dot.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median
from typing import Any

from netwright.picture.words import significant, width_of
from netwright.report import words
from netwright.report.svg import SERIES, document, dot, fit, line, rect, text, var
from netwright.report.words import score

WIDTH, HEIGHT = 420, 236
TOP, RIGHT, BOTTOM = 28, 14, 40


def number(value: Any) -> float | None:
    """A number that can be drawn, or None: a loss of 1e300 is as lost as one that is infinite."""
    found = words.number(value)
    if found is None or abs(found) > 1e30:
        return None
    return found if abs(found) > 1e-30 else 0.0


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten) inside [low, high]."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    raw = span / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12 - math.floor(math.log10(step))) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten inside [low, high], thinned to six; with 2 and 5 where there are few decades."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    factors = (1, 2, 5) if math.log10(high / low) < 1.5 else (1,)
    every = max(1, math.ceil((last - first) / 6))
    marks = [factor * 10.0**power for power in range(first, last + 1, every) for factor in factors]
    return [mark for mark in marks if low * 0.999 <= mark <= high * 1.001] or [low, high]


class Axis:
    """Values → pixels, linear or logarithmic."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool = False, pad: float = 0.05):
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        self.log = log and low > 0
        if self.log:
            room = max((high / low) ** pad, 1.05)
            low, high = low / room, high * room
        else:
            room = (high - low) * pad or (abs(high) * 0.05 if pad else 0) or (0.5 if pad else 0)
            low, high = low - room, high + room
            high = high if high > low else low + 1
        self.low, self.high, self.start, self.end = low, high, start, end
        self.marks: list[float] = []  # instead of round numbers

    def __call__(self, value: float) -> float:
        if self.log:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        round_ = log_ticks(self.low, self.high) if self.log else ticks(self.low, self.high, wanted)
        return self.marks or round_

    def labels(self, wanted: int = 5) -> list[str]:
        return [_tick(mark) for mark in self.ticks(wanted)]


def _tick(value: float) -> str:
    if value and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return significant(value, 2) if abs(value) < 1e-3 else f"{significant(value / 1e6)} M"
    return f"{significant(value / 1e3)} k" if abs(value) >= 1e4 else significant(value, 6)


def points(series: Mapping[str, Any]) -> list[tuple[float, float | None]]:
    """(x, y) in order; y is None where it is not a finite number. Points without x are dropped."""
    pairs = zip(series.get("x") or [], series.get("y") or [], strict=False)
    return [(where, number(y)) for x, y in pairs if (where := number(x)) is not None]


def thin(pairs: list[tuple[float, float | None]], limit: int = 320) -> list[tuple[float, float | None]]:
    """At most about `limit` points: of every bucket the lowest and the highest, so that no spike is lost."""
    if len(pairs) <= limit:
        return pairs
    step = math.ceil(len(pairs) / (limit // 2))
    kept: list[tuple[float, float | None]] = []
    for begin in range(0, len(pairs), step):
        bucket = pairs[begin : begin + step]
        known = [pair for pair in bucket if pair[1] is not None]
        if not known:
            kept.append(bucket[0])
            continue
        ends = {known.index(min(known, key=lambda pair: pair[1] or 0))}
        ends.add(known.index(max(known, key=lambda pair: pair[1] or 0)))
        kept += [known[index] for index in sorted(ends)]
    return kept


def medians(pairs: list[tuple[float, float | None]], wanted: int = 90) -> list[tuple[float, float | None]]:
    """The course without the noise: the median of each of about `wanted` buckets; spikes leave no mark."""
    size = math.ceil(len(pairs) / wanted)
    result: list[tuple[float, float | None]] = []
    for begin in range(0, len(pairs), size):
        bucket = pairs[begin : begin + size]
        known = [y for _, y in bucket if y is not None]
        result.append((bucket[len(bucket) // 2][0], median(known) if known else None))
    return result


def _path(pairs: list[tuple[float, float | None]], across: Axis, up: Axis) -> str:
    said, pen = [], False
    for x, y in pairs:
        if y is None or (up.log and y <= 0):
            pen = False
            continue
        said.append(f"{'L' if pen else 'M'}{across(x):.1f} {up(y):.1f}")
        pen = True
    return "".join(said)


def _axes(across: Axis, up: Axis, x_label: str, y_label: str) -> list[str]:
    left, right, bottom = across.start, across.end, up.start
    parts = []
    for mark, said in zip(up.ticks(), up.labels(), strict=True):
        y = up(mark)
        parts += [line(left, y, right, y), text(left - 7, y + 3.5, said, anchor="end")]
    for mark, said in zip(across.ticks(), across.labels(), strict=True):
        x = across(mark)
        parts += [line(x, bottom, x, bottom + 4), text(x, bottom + 16, said, anchor="middle")]
    parts.append(line(left, bottom, right, bottom, stroke="muted"))
    parts.append(text((left + right) / 2, bottom + 32, fit(x_label, right - left, 11), anchor="middle"))
    parts.append(text(6, 14, fit(y_label, WIDTH - 20, 11, True), bold=True, fill="ink"))
    return parts


def _left(up: Axis) -> float:
    return max(30.0, 12 + max((width_of(said, 11) for said in up.labels()), default=0))


def lines(
    series: Mapping[str, Mapping[str, Any]],
    *,
    x_label: str = "step",
    y_label: str = "",
    log: bool = False,
    log_x: bool = False,
    guide: float | None = None,
    noisy: bool = False,
    events: Sequence[float] = (),
) -> str:
    """Named series {"x": [...], "y": [...]} as lines; `guide` is a dashed level, `events` are marked steps.

    `log` and `log_x` make the axes logarithmic; of few points each x is told. A long series that is `noisy` is drawn
    pale, with its running median on top.
    """
    data = {name: points(item) for name, item in series.items()}
    ys = [y for pairs in data.values() for _, y in pairs if y is not None]
    log = log and bool(ys) and min(ys) > 0
    ys_all = [*ys, guide] if guide is not None and (guide > 0 or not log) else ys
    up = Axis(ys_all, HEIGHT - BOTTOM, TOP, log=log)
    across = Axis([x for pairs in data.values() for x, _ in pairs], _left(up), WIDTH - RIGHT, log=log_x, pad=0)
    if across.log and len(data) and max(len(pairs) for pairs in data.values()) <= 6:
        across.marks = sorted({x for pairs in data.values() for x, _ in pairs})
    parts = _axes(across, up, x_label, y_label)
    parts += [
        line(across(x), TOP, across(x), HEIGHT - BOTTOM, stroke="bad", dash="3 3")
        for x in events
        if across.low <= x <= across.high
    ]
    if guide is not None and up.low <= guide <= up.high:
        parts.append(line(across.start, up(guide), across.end, up(guide), stroke="good", dash="5 4", width=1.4))
    for index, pairs in enumerate(data.values()):
        colour = var(SERIES[index % len(SERIES)])
        pale = noisy and len(pairs) > 90
        style = f'fill="none" stroke="{colour}" stroke-linejoin="round"'
        faint = ' stroke-width="1" stroke-opacity="0.3"' if pale else ' stroke-width="1.8"'
        parts.append(f'<path d="{_path(thin(pairs), across, up)}" {style}{faint}/>')
        if pale:
            parts.append(f'<path d="{_path(medians(pairs), across, up)}" {style} stroke-width="1.8"/>')
        known = [(x, y) for x, y in pairs if y is not None and (y > 0 or not up.log)]
        if len(known) <= 40:
            parts += [dot(across(x), up(y), 2.4, fill=SERIES[index % len(SERIES)]) for x, y in known]
    if len(data) > 1:
        parts += _legend(list(data))
    return document(WIDTH, HEIGHT, parts, label=f"{y_label} over {x_label}: {', '.join(data)}")


def _legend(names: list[str]) -> list[str]:
    """Names with their colours, at the right of the title's line; the rest is left to the caption."""
    parts: list[str] = []
    x = float(WIDTH - RIGHT)
    for index, name in reversed(list(enumerate(names[: len(SERIES)]))):
        said = fit(name, 90, 11)
        x -= width_of(said, 11)
        if x < 150:
            break
        parts += [text(x, 14, said), rect(x - 15, 9, 11, 3, fill=SERIES[index], radius=1.5)]
        x -= 26
    return parts


def scatter(
    xs: Sequence[Any],
    ys: Sequence[Any],
    *,
    x_label: str = "",
    y_label: str = "",
    identity: bool = False,
    level: float | None = None,
    limit: int = 900,
) -> str:
    """Dots. With `identity` both axes share a range and y = x is drawn; `level` is a dashed height."""
    pairs = [
        (a, b) for x, y in zip(xs, ys, strict=False) if (a := number(x)) is not None and (b := number(y)) is not None
    ]
    step = max(1, math.ceil(len(pairs) / limit))
    pairs = pairs[::step]  # evenly over the order given, which is random for a shuffled test part
    left_values, right_values = [x for x, _ in pairs], [y for _, y in pairs]
    both = left_values + right_values if identity else []
    up = Axis(both or [*right_values, *([level] if level is not None else [])], HEIGHT - BOTTOM, TOP)
    across = Axis(both or left_values, _left(up), WIDTH - RIGHT)
    parts = _axes(across, up, x_label, y_label)
    if identity and pairs:
        ends = max(across.low, up.low), min(across.high, up.high)
        parts.append(line(across(ends[0]), up(ends[0]), across(ends[1]), up(ends[1]), stroke="muted", dash="5 4"))
    if level is not None:
        parts.append(line(across.start, up(level), across.end, up(level), stroke="muted", dash="5 4"))
    opacity = 0.65 if len(pairs) < 200 else 0.35
    parts += [dot(across(x), up(y), 2.6, opacity=opacity) for x, y in pairs]
    return document(WIDTH, HEIGHT, parts, label=f"{y_label} against {x_label}, {len(pairs)} points")


def bars(rows: Sequence[tuple[str, Any, str]], *, label: str, fill: str = "accent") -> str:
    """Horizontal bars: (name, value, words shown at its end)."""
    height = 26 * len(rows) + 28
    largest = max((number(value) or 0 for _, value, _ in rows), default=0) or 1
    names = min(150.0, max((width_of(name, 11.5) for name, _, _ in rows), default=0))
    ends = max((width_of(said, 11) for _, _, said in rows), default=0)
    room = max(60.0, WIDTH - names - ends - 34)
    parts = [text(6, 14, fit(label, WIDTH - 12, 11, True), bold=True, fill="ink")]
    for index, (name, value, said) in enumerate(rows):
        y = 24 + 26 * index
        length = max(0.0, number(value) or 0) / largest * room
        parts += [
            text(names + 6, y + 14, fit(name, names, 11.5), size=11.5, anchor="end", fill="ink"),
            rect(names + 14, y + 3, max(length, 1.5), 15, fill=fill, radius=3, opacity=0.85),
            text(names + 14 + max(length, 1.5) + 6, y + 14.5, said),
        ]
    return document(WIDTH, height, parts, label=label)


def confusion(matrix: Sequence[Sequence[Any]], labels: Sequence[Any], *, label: str = "Confusion matrix") -> str:
    """Rows are the truth, columns the prediction; a cell's shade is its share of its row. Errors are warm."""
    size = len(matrix)
    names = [fit(str(name), 74, 11) for name in labels]
    left = 30 + max((width_of(name, 11) for name in names), default=0)
    cell = min(34.0, (WIDTH - left - 8) / max(1, size))
    top, numbers, named = 54.0, cell >= 17, cell >= 12
    upright = all(width_of(name, 11) <= cell - 2 for name in names)
    if named and not upright:
        top += max((width_of(name, 11) for name in names), default=0) * 0.72
    parts = [
        text(6, 14, label, bold=True, fill="ink"),
        text(left + cell * size / 2, 34, "predicted", anchor="middle"),
        f'<text transform="translate(14 {top + cell * size / 2:.1f}) rotate(-90)" font-size="11"'
        f' text-anchor="middle" fill="{var("muted")}">true</text>',
    ]
    for i, row in enumerate(matrix):
        y, total = top + i * cell, sum(max(0.0, number(value) or 0) for value in row) or 1
        if named:
            parts.append(text(left - 6, y + cell / 2 + 4, names[i], anchor="end", fill="ink"))
            x = left + (i + 0.5) * cell
            if upright:
                parts.append(text(x, top - 5, names[i], anchor="middle", fill="ink"))
            else:
                turned = text(0, 0, names[i], fill="ink")
                parts.append(f'<g transform="translate({x + 3:.1f} {top - 5:.1f}) rotate(-45)">{turned}</g>')
        for j, value in enumerate(row):
            part = max(0.0, number(value) or 0) / total
            shade = 0.1 + 0.75 * part if i == j else min(0.9, 0.28 + 0.9 * part)
            x = left + j * cell
            parts.append(rect(x, y, cell - 1.5, cell - 1.5, fill="soft", radius=2))
            if part:
                fill = "accent" if i == j else "warm"
                parts.append(rect(x, y, cell - 1.5, cell - 1.5, fill=fill, radius=2, opacity=shade))
            said = f"{number(value) or 0:.0f}"
            if numbers and part and width_of(said, 10.5) < cell + 4:
                tone = "paper" if shade > 0.5 else "ink"
                middle = x + cell / 2 - 0.75
                parts.append(text(middle, y + cell / 2 + 3, said, size=10.5, anchor="middle", fill=tone))
    width = WIDTH if not named or upright else WIDTH + 30
    return document(width, top + cell * size + 8, parts, label=f"{label}, {size} classes")


def whiskers(rows: Sequence[Mapping[str, Any]], *, x_label: str) -> str:
    """One line each: {"name", "score", "interval", "strong"}: a dot, its interval as a whisker, the number.

    The interval of the first strong row is a pale band, to hold the others against. A row so far off that
    it would squeeze the rest is an arrow at the edge.
    """
    names = min(170.0, max((width_of(str(row.get("name")), 11.5, True) for row in rows), default=0))
    right = max((width_of(score(row.get("score")), 11, True) for row in rows), default=0)
    bottom = 30.0 * len(rows) + 8
    across = Axis(_near(rows), names + 18, WIDTH - right - 18, pad=0.06)
    parts = []
    for mark, said in zip(across.ticks(4), across.labels(4), strict=True):
        parts.append(line(across(mark), 8, across(mark), bottom))
        parts.append(text(across(mark), bottom + 15, said, anchor="middle"))
    parts.append(text(WIDTH / 2, bottom + 33, fit(x_label, WIDTH - 12, 11), anchor="middle"))
    if band := next((ends for row in rows if row.get("strong") and (ends := _ends(row))), None):
        start, end = across(max(band[0], across.low)), across(min(band[1], across.high))
        parts.append(rect(start, 8, end - start, bottom - 8, fill="accent", opacity=0.1))
    for index, row in enumerate(rows):
        y, strong = 8.0 + 30 * index + 15, bool(row.get("strong"))
        name = fit(str(row.get("name")), names, 11.5, True)
        parts.append(text(names + 4, y + 4, name, size=11.5, anchor="end", fill="ink", bold=strong))
        parts += _whisker(row, across, y, "accent" if strong else "muted", 5 if strong else 4)
        parts.append(text(WIDTH - 6, y + 4, score(row.get("score")), anchor="end", bold=strong, fill="ink"))
    return document(WIDTH, bottom + 40, parts, label=f"{x_label}: scores with intervals")


def _whisker(row: Mapping[str, Any], across: Axis, y: float, colour: str, radius: float) -> list[str]:
    span, value = _ends(row), number(row.get("score"))
    if value is None:
        return []
    if not across.low <= value <= across.high:
        left = value < across.low
        x, back = (across.start, 7) if left else (across.end, -7)
        return [f'<path d="M{x:.1f} {y:.1f}l{back} -5v10Z" fill="{var(colour)}"/>']
    parts = []
    if span:
        ends = [across(min(max(end, across.low), across.high)) for end in span]
        parts.append(line(ends[0], y, ends[1], y, stroke=colour, width=2))
        parts += [line(x, y - 4, x, y + 4, stroke=colour, width=2) for x in ends]
    return [*parts, dot(across(value), y, radius, fill=colour)]


def _near(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """What the axis holds: the farthest row is left out where without it the axis is under a quarter."""
    spans = [[value, *(_ends(row) or ())] for row in rows if (value := number(row.get("score"))) is not None]
    centre = next((v for row in rows if row.get("strong") and (v := number(row.get("score"))) is not None), None)
    if centre is None:
        centre = spans[0][0] if spans else 0.0
    spans.sort(key=lambda span: abs(span[0] - centre))
    while len(spans) > 2:
        whole, most = list(chain(*spans)), list(chain(*spans[:-1]))
        if max(most) - min(most) >= 0.25 * (max(whole) - min(whole)):
            break
        spans.pop()
    return list(chain(*spans))


def _ends(row: Mapping[str, Any]) -> tuple[float, float] | None:
    pair = [number(end) for end in (row.get("interval") or [])]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    return pair[0], pair[1]
