"""The report's short form in a terminal: the verdict, the budget, the comparison."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netwright.report.document import budget_bars
from netwright.report.evidence import comparison
from netwright.report.markdown import blocks
from netwright.report.words import advice, clean, interval, metric_name, score, verdict_sentence

TONES = {"wins": "green", "ties": "yellow", "loses": "red"}


def render_terminal(report: Mapping[str, Any], console: Console) -> None:
    """Prints the short form. Names from the data are never read as rich's markup."""
    verdict = report.get("verdict") or {}
    tone = TONES.get(verdict.get("outcome") or "", "yellow" if verdict.get("status") == "interrupted" else "")
    console.print(Text(verdict_sentence(report), style=f"bold {tone}".strip()))
    if words := advice(report):
        console.print(Text(words))
    _budget(verdict, console)
    _comparison(report, verdict, console)


def _budget(verdict: Mapping[str, Any], console: Console) -> None:
    bars = budget_bars(verdict)
    if not bars:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    for bar in bars:
        tone = "red" if bar.met is False else "green" if bar.part is not None else "dim"
        filled = Text(blocks(bar.part, 16) if bar.part is not None else "", style=tone)
        limit = f"{bar.used} of {bar.allowed}" if bar.allowed else bar.used
        if bar.met is False:
            limit += " (missed)"
        table.add_row(Text(bar.label), filled, Text(limit), Text(bar.how, style="dim"))
    console.print()
    console.print(table)


def _comparison(report: Mapping[str, Any], verdict: Mapping[str, Any], console: Console) -> None:
    rows = comparison(report)
    if not rows:
        return
    metric = metric_name((report.get("baselines") or {}).get("metric") or verdict.get("metric"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column(Text(metric), justify="right")
    table.add_column("95 % interval")
    for row in rows:
        style = "bold" if row["strong"] else ""
        table.add_row(
            Text(clean(row["name"], 60), style=style),
            Text(score(row.get("score")), style=style),
            Text(interval(row.get("interval"))),
        )
    console.print()
    console.print(table)
