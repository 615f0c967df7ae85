"""The report's three files, whole or not at all."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from netwright.errors import InputError
from netwright.report.html import render_html
from netwright.report.markdown import render_markdown
from netwright.report.schema import SECTIONS
from netwright.report.words import plain


def write(report: Mapping[str, Any], folder: str | os.PathLike[str]) -> dict[str, Path]:
    """report.json, report.md and report.html in `folder`; returns their paths by kind.

    Everything is rendered and written beside its place first; only then are the three renamed, so a reader
    finds the old report or the new one. NaN and infinite numbers are null in the JSON.
    """
    strict = plain(report)
    ordered = {key: strict[key] for key in (*SECTIONS, *strict) if key in strict}
    texts = {
        "json": json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "md": render_markdown(report),
        "html": render_html(report),
    }
    folder = Path(folder)
    ready: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, text in texts.items():
            handle, name = tempfile.mkstemp(prefix=".report-", suffix=f".{kind}", dir=folder)
            ready[folder / f"report.{kind}"] = Path(name)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", errors="replace"))
        for final, temporary in ready.items():
            temporary.chmod(0o644)
            temporary.replace(final)
    except OSError as error:
        raise InputError(
            f"the report can't be written: {error.strerror or error}",
            where=str(folder),
            fix="choose a folder that you can write to (--out)",
        ) from error
    finally:
        for temporary in ready.values():
            temporary.unlink(missing_ok=True)
    return {path.suffix[1:]: path for path in ready}
