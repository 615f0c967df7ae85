"""Put definitions together to one file: readable names for tokens, sorted imports, the formatter."""

import builtins
import keyword
import re
import shutil
import subprocess
import sys
from pathlib import Path

from netwright.export.symbols import TOKEN, Symbol, Symbols

WIDTH = 120


def compose(header: str, texts: list[tuple[str, str]], tail: str, symbols: Symbols) -> str:
    """One source file: docstring, imports, the definitions (token, text) in order, and the tail."""
    body = "\n\n".join([*(text.strip("\n") + "\n" for _, text in texts), tail.strip("\n") + "\n"])
    used = list(dict.fromkeys(TOKEN.findall(body)))
    pretty = _readable(used, symbols)
    imports = {pretty[token]: symbols.symbols[token] for token in used if symbols.symbols[token].is_import}
    source = f'"""{plain_words(header)}"""\n\n' + import_block(imports) + "\n\n"
    return tidy_format(source + TOKEN.sub(lambda match: pretty[match[0]], body))


def _readable(tokens: list[str], symbols: Symbols) -> dict[str, str]:
    """A name for each token: its own, or with its file's name in front where two share one."""
    pretty: dict[str, str] = {}
    taken = set(dir(builtins)) | set(keyword.kwlist) | {"build"}
    for token in sorted(tokens, key=lambda token: not symbols.symbols[token].is_import):
        symbol = symbols.symbols[token]
        name = symbol.alias
        if name in taken:
            place = "".join(part.title() for part in symbol.module.rpartition(".")[2].split("_"))
            name = place + name if name[0].isupper() else f"{place.lower()}_{name.lstrip('_')}"
        while name in taken:
            name += "_"
        taken.add(name)
        pretty[token] = name
    return pretty


def import_block(imports: dict[str, Symbol]) -> str:
    """Import statements for names (as the file calls them), sorted: standard library, then torch."""
    sections = []
    for torch_too in (False, True):
        plain: list[str] = []
        members: dict[str, list[str]] = {}
        for alias, symbol in imports.items():
            if (symbol.module.partition(".")[0] in sys.stdlib_module_names) is torch_too:
                continue
            if symbol.name:
                shown = symbol.name if symbol.name == alias else f"{symbol.name} as {alias}"
                members.setdefault(symbol.module, []).append(shown)
            else:
                plain.append(f"import {symbol.module}" + (f" as {alias}" if alias != symbol.module else ""))
        rows = sorted(plain)
        rows += [
            f"from {module} import {', '.join(sorted(members[module], key=import_order))}" for module in sorted(members)
        ]
        if rows:
            sections.append("\n".join(rows) + "\n")
    return "\n".join(sections)


def import_order(name: str) -> tuple[int, str]:
    """isort's order: constants, classes, the rest."""
    first = name.split()[0]
    return (0 if first.isupper() and len(first) > 1 else 1 if first[0].isupper() else 2), name


def plain_words(text: str) -> str:
    """A person's words as a docstring can hold them."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())


def tidy_format(source: str, sort: bool = True) -> str:
    """Format with ruff where it is installed; without it, only blank lines are put in order."""
    ruff = find_ruff()
    source = re.sub(r"\n{4,}", "\n\n\n", source).strip("\n") + "\n"
    if ruff is None:
        return source
    tasks = [["format"], ["check", "--select", "I", "--fix", "--quiet"]]
    for task in tasks if sort else tasks[:1]:
        command = [
            ruff,
            *task,
            "--isolated",
            "--line-length",
            str(WIDTH),
            "--stdin-filename",
            "model.py",
            "-",
        ]
        done = subprocess.run(command, input=source, capture_output=True, encoding="utf-8", timeout=60)
        source = done.stdout if done.returncode == 0 else source
    return source


def find_ruff() -> str | None:
    beside = Path(sys.executable).with_name("ruff.exe" if sys.platform == "win32" else "ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")
