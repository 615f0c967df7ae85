"""Where a run works and where its result goes."""

import shutil
from pathlib import Path

from netwright.errors import InputError

MARK = "design.yaml"


def result_folder(name: str, out: Path | None, resume: bool) -> Path:
    """The folder for the result: `out`, or out/NAME, or out/NAME-2 … where that is taken.

    A folder that was named is only ever replaced if it holds a result of ours.
    """
    if out is not None:
        out = Path(out)
        if out.is_file():
            raise InputError("this is a file", where=str(out), fix="give a folder to --out")
        if out.is_dir() and any(out.iterdir()) and not (out / MARK).exists():
            raise InputError(
                "the folder is not empty and holds no result of netwright, so it is left as it is",
                where=str(out),
                fix="give another folder to --out",
            )
        return out
    base = Path("out") / (name or "design")
    if resume:
        return base
    number, folder = 1, base
    while folder.exists() or work_folder(folder).exists():
        number += 1
        folder = base.with_name(f"{base.name}-{number}")
    return folder


def work_folder(result: Path) -> Path:
    """Where a run keeps what it needs to go on; gone when it has finished."""
    return result.with_name(f"{result.name}.run")


def check_writable(result: Path) -> None:
    """InputError now rather than after the training."""
    parent = result.parent
    existing = next(folder for folder in [parent, *parent.parents] if folder.exists())
    if not existing.is_dir():
        raise InputError(f"{existing} is a file", where=str(result), fix="give another folder to --out")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        probe = parent / f".{result.name}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"can't be written: {error.strerror}", where=str(result), fix="give another folder to --out"
        ) from error


def put(made: Path, result: Path) -> None:
    """Move a finished folder to its place; what was there goes only once the new one stands."""
    aside = result.with_name(f".{result.name}.before")
    shutil.rmtree(aside, ignore_errors=True)
    if result.exists():
        result.rename(aside)
    made.rename(result)
    shutil.rmtree(aside, ignore_errors=True)
