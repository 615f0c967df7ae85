"""Run the commands and Python of a page, from top to bottom, in the current folder.

    python pages.py PAGE.md

Blocks of ```sh, ```console and ```python are run; ```text, ```yaml and the like are for reading. The Python of a page
is one session. In a console block lines that begin with `$ ` are commands and the others what they print. A comment
just before a block says more:

    <!-- test: skip because it runs the tests -->     not run (only what SKIPPABLE allows)
    <!-- test: exit 2 -->                             it ends with this exit code
    <!-- test: output -->                             what it prints has these lines, digits aside
"""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUN = ("sh", "console", "python")
FENCE = re.compile(r"^```(\w*)\s*$")
COMMENT = re.compile(r"<!-- test: (.+?) -->")
# Installing, and targets that would run this very test.
SKIPPABLE = re.compile(r"(make \w+|git clone .*|cd \w+|python3? -m venv .*|(\.venv/bin/)?pip install .*)( *#.*)?")


@dataclass
class Block:
    kind: str
    text: str
    line: int
    note: str = ""

    @property
    def skipped(self) -> bool:
        return self.note.startswith("skip because ")

    @property
    def exit_code(self) -> int:
        return int(self.note.removeprefix("exit ")) if self.note.startswith("exit ") else 0

    @property
    def commands(self) -> list[str]:
        lines = self.text.splitlines()
        if self.kind != "console":
            return lines
        return [line[2:] for line in lines if line.startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("$ ")]


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page that are run or skipped."""
    found, lines = [], text.splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at].strip())
        if fence is None:
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == "```")
        indent = len(lines[at]) - len(lines[at].lstrip())
        body = "\n".join(line[indent:] for line in lines[at + 1 : end])
        before = next((line for line in reversed(lines[:at]) if line.strip()), "")
        comment = COMMENT.fullmatch(before.strip())
        if fence[1] in RUN:
            found.append(Block(fence[1], body, at + 1, comment[1] if comment else ""))
        at = end + 1
    return found


def alike(line: str) -> str:
    """A line without what differs from run to run: digits and spaces."""
    return " ".join(re.sub(r"\d+", "0", line).split())


def run(page: Path) -> None:
    """Run a page's blocks; the first that does not do as the page says ends it."""
    session: dict[str, object] = {"__name__": "__page__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.skipped:
            continue
        print(f"--- {page.name}:{block.line} ({block.kind})", flush=True)
        printed = run_python(block, session, page) if block.kind == "python" else run_shell(block, page)
        if block.note == "output":
            lines = {alike(line) for line in printed.splitlines()}
            missing = [line for line in block.shown if line.strip() != "…" and alike(line) not in lines]
            assert not missing, f"{page.name}:{block.line} was not printed: {missing}"


def run_python(block: Block, session: dict[str, object], page: Path) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(compile("\n" * block.line + block.text, str(page), "exec"), session)
    print(said.getvalue(), end="", flush=True)
    return said.getvalue()


def run_shell(block: Block, page: Path) -> str:
    script = "\n".join(block.commands)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(done.stdout, end="", flush=True)
    assert done.returncode == block.exit_code, f"{page.name}:{block.line} ended with exit code {done.returncode}"
    return done.stdout


# Links --------------------------------------------------------------------------------------------------------

LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")


def links(text: str) -> Iterator[str]:
    """The targets of a page's links, outside of code."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from LINK.findall(re.sub(r"`[^`]*`", "", plain))
    yield from re.findall(r'(?:src|href)="([^"]+)"', plain)


def anchors(text: str) -> set[str]:
    """What a page's headings are called in links, as GitHub makes it."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


if __name__ == "__main__":
    run(Path(sys.argv[1]).resolve())
