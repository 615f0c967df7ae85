"""What a person sees: stages, a progress line for each candidate, the result, and errors without a traceback."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from textwrap import indent
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from netwright.errors import BudgetError, InputError


class _Out(Console):
    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # for `screen`; rich would exit with 1, which here says that a limit was missed


class Screen:
    """A narrator for the terminal; with format `json` or `quiet` only the result (or nothing) goes to stdout."""

    def __init__(self, format: str):
        self.format = format
        self.out = _Out(highlight=False, soft_wrap=True)
        # What happens on the way is for people: beside JSON it goes to stderr, with `quiet` nowhere.
        self.way = _Out(stderr=format == "json", quiet=format == "quiet", highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}

    # A narrator -----------------------------------------------------------------------------------------------

    def stage(self, title: str) -> None:
        self._end_progress()
        self.way.print(f"[bold]{_plain(title)}[/bold]")

    def say(self, text: str) -> None:
        self.way.print(f"  {_plain(text)}")

    def warn(self, text: str) -> None:
        self.way.print(f"  [yellow]! {_plain(text)}[/yellow]")

    def progress(self, name: str, event: dict) -> None:
        if "event" in event:
            self.warn(f"{name}: {event['event']}")
            return
        if not self.way.is_terminal:
            return
        if self._progress is None:
            columns = ("  {task.description:32}", BarColumn(24), "{task.completed}/{task.total} steps")
            score = TextColumn("[cyan]{task.fields[score]}")
            self._progress = Progress(*columns, score, console=self.way, transient=False)
            self._progress.start()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=event["steps"], score="")
        score_text = f"validation {event['score']:.4g}" if event.get("score") is not None else ""
        task = self._tasks[name]
        self._progress.update(task, completed=event["step"], total=event["steps"], score=score_text)

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress, self._tasks = None, {}

    # Results --------------------------------------------------------------------------------------------------

    def result(self, result: Any) -> None:
        self._end_progress()
        if self.format == "json":
            print(
                json.dumps(
                    {
                        "folder": str(result.folder),
                        "interrupted": result.interrupted,
                        **result.report["verdict"],
                    }
                )
            )
            return
        if self.format == "quiet":
            return
        if self.format == "human":
            from netwright.report import render_terminal

            render_terminal(result.report, self.out)
            self.out.print()
        self.out.print(f"report  {_plain(str(result.folder / 'report.html'))}")
        self.out.print(f"source  {_plain(str(result.folder / 'model.py'))}")
        if result.interrupted:
            self.out.print("interrupted: the same command with --resume goes on from here")

    def blueprint(
        self,
        blueprint: Any,
        title: str,
        depth: int | None,
        over: list[str],
        training: Any = None,
        savings: Any = None,
        fit: Any = None,
    ) -> None:
        if self.format == "json":
            asked = {"training_hours": training, "fit": fit}
            more: dict[str, Any] = {name: asdict(value) for name, value in asked.items() if value}
            more |= {"savings": [asdict(row) for row in savings]} if savings else {}
            print(json.dumps({"target": title, **blueprint.to_json(), **more, "over_budget": over}))
        elif self.format == "human":
            from netwright.report import render_blueprint, render_fit, render_savings

            render_blueprint(blueprint, self.out, title, depth, training)
            if savings:
                render_savings(savings, self.out)
            if fit:
                render_fit(fit, self.out)
        self._over(over)

    def calibration(self, found: Any) -> None:
        if self.format == "json":
            print(json.dumps(asdict(found)))
        elif self.format == "human":
            self.out.print(f"[bold]{_plain(found.machine)}[/bold], {found.threads} threads")
            overhead = f"{1e6 * found.overhead:.1f} µs a call"
            self.out.print(f"a network takes {found.scale:.3f} × its operators alone + {overhead}")
            self.out.print(f"error of that, each network left out in turn: median {found.error:.1%}")
            self.out.print(f"error of a roofline of its work: median {found.rates_error:.1%}")

    def difference(self, both: Any, names: tuple[str, str], over: list[str], depth: int | None = None) -> None:
        from netwright.inspect import differences
        from netwright.report import render_differences

        found = differences(*both)
        if self.format == "json":
            print(json.dumps({"left": names[0], "right": names[1], **found, "over_budget": over}))
        elif self.format == "human":
            render_differences(found, names, self.out, depth)
        self._over(over)

    def _over(self, over: list[str]) -> None:
        for words in over:
            _complain(f"over budget: {words}")

    def predictions(self, predictions: Any, out: Path | None) -> None:
        if out is None:
            predictions.table.to_csv(sys.stdout, index=False)
        else:
            predictions.save(out)
        if predictions.score is not None:
            Console(stderr=True).print(f"{predictions.metric} {predictions.score!r} on {predictions.rows} rows")

    def listing(self, rows: list[dict], what: str) -> None:
        if self.format == "json":
            print(json.dumps(rows))
            return
        if self.format == "quiet":
            for row in rows:
                print(row["name"])
            return
        columns = [name for name in rows[0] if not isinstance(rows[0][name], list | dict)]
        table = Table(title=what, box=None, title_justify="left", header_style="bold")
        for name in columns:
            table.add_column(name, no_wrap=name == "name")
        for row in rows:
            table.add_row(*(_cell(row.get(name)) for name in columns))
        self.out.print(table)

    def shown(self, facts: dict) -> None:
        if self.format == "json":
            print(json.dumps(facts))
            return
        for name, value in facts.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                columns = list(value[0])
                table = Table(*columns, box=None, header_style="bold", padding=(0, 2, 0, 0))
                for row in value:
                    table.add_row(*(_cell(row.get(column)) for column in columns))
                self.out.print(f"[bold]{_plain(name)}[/bold]")
                self.out.print(table)
            elif isinstance(value, dict) and value:
                from netwright.design import yaml_text

                self.out.print(f"[bold]{_plain(name)}[/bold]")
                self.out.print(_plain(indent(yaml_text.write(value).rstrip(), "  ")))
            elif value not in (None, "", [], {}):
                self.out.print(f"[bold]{_plain(name)}[/bold]  {_cell(value)}")


@contextmanager
def screen(format: str) -> Iterator[Screen]:
    """Errors that a person can mend become a message and an exit code: 2 bad input, 1 a limit that can't be met."""
    view = Screen(str(format))
    try:
        yield view
        sys.stdout.flush()
    except BudgetError as error:
        view._end_progress()
        _complain(str(error))
        raise typer.Exit(1) from None
    except BrokenPipeError:  # `| head` has read enough: end as a tool killed by SIGPIPE does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(141) from None
    except (InputError, OSError) as error:
        view._end_progress()
        _complain(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        view._end_progress()
        _complain("interrupted before there was anything to keep")
        raise typer.Exit(130) from None
    finally:
        view._end_progress()


def _complain(message: str) -> None:
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"[red]error:[/red] {_plain(message)}")


def _plain(text: str) -> str:
    """Text as it is: a column named "[red]" is no markup."""
    from rich.markup import escape

    return escape(text)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return _plain(str(value))
