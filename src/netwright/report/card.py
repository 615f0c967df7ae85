"""The verdict as a card for a notebook, which brings its own page, theme and width."""

from collections.abc import Mapping
from typing import Any

from netwright.report.document import budget_bars
from netwright.report.evidence import comparison
from netwright.report.svg import esc
from netwright.report.words import advice, interval, metric_name, score, verdict_sentence

BORDER = "1px solid rgba(128,128,128,.35)"
QUIET = "opacity:.7;font-size:12px"


def repr_html(report: Mapping[str, Any]) -> str:
    """A short card. It takes the notebook's text colour, so that it reads in every theme."""
    verdict = report.get("verdict") or {}
    metric = metric_name((report.get("baselines") or {}).get("metric") or verdict.get("metric"))
    parts = [f'<div style="font-weight:600;font-size:15px;margin-bottom:6px">{esc(verdict_sentence(report))}</div>']
    if words := advice(report):
        parts.append(f'<div style="margin-bottom:8px">{esc(words, 600)}</div>')
    rows = "".join(
        f'<tr style="background:none"><td style="text-align:left;padding:2px 18px 2px 0;'
        f'{"font-weight:600" if row["strong"] else ""}">{esc(row["name"], 60)}</td>'
        f'<td style="padding:2px 18px 2px 0">{score(row.get("score"))}</td>'
        f'<td style="padding:2px 0;{QUIET}">{interval(row.get("interval"))}</td></tr>'
        for row in comparison(report)
    )
    if rows:
        parts.append(f'<div style="{QUIET}">{esc(metric)}, 95 % interval</div>')
        parts.append(f'<table style="border:0;margin:0 0 8px;border-collapse:collapse">{rows}</table>')
    for bar in budget_bars(verdict):
        colour = "#d64545" if bar.met is False else "#2e9e63"
        track = ""
        if bar.part is not None:
            track = (
                '<div style="height:5px;border-radius:9px;background:rgba(128,128,128,.25);margin:2px 0 6px">'
                f'<div style="height:5px;border-radius:9px;background:{colour};'
                f'width:{min(100.0, 100 * bar.part):.1f}%"></div></div>'
            )
        limit = f" of {esc(bar.allowed)}" if bar.allowed else ""
        quiet = f' <span style="{QUIET}">{esc(bar.how)}</span>' if bar.how else ""
        parts.append(f"<div>{esc(bar.label)}: {esc(bar.used)}{limit}{quiet}{track}</div>")
    frame = f"border:{BORDER};border-radius:10px;padding:14px 16px;max-width:560px"
    return f'<div style="{frame}">{"".join(parts)}</div>'
