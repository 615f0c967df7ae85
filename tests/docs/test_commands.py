"""What the README and the pages of docs/ tell people to type is typed here."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import pages

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
RUN = [name for name in NAMES if any(not block.skipped for block in pages.blocks((ROOT / name).read_text("utf-8")))]
# These train next to nothing; the others are run by make test-slow.
QUICK = {"README.md", "docs/howto/build.md", "docs/howto/design-file.md"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in RUN])
def test_a_page_does_what_it_says(name, tmp_path):
    command = [sys.executable, pages.__file__, str(ROOT / name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def test_the_quick_pages_are_there():
    assert set(RUN) >= QUICK


@pytest.mark.parametrize("name", NAMES)
def test_only_what_would_run_itself_is_skipped(name):
    for block in pages.blocks((ROOT / name).read_text("utf-8")):
        if block.skipped:
            for line in block.commands:
                assert pages.SKIPPABLE.fullmatch(line.strip()), f"{name}:{block.line}: {line}"
        else:
            assert block.note == "output" or not block.note or block.exit_code, f"{name}:{block.line}: {block.note}"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    page = ROOT / name
    for link in pages.links(page.read_text("utf-8")):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name} links to {link}"
        if anchor:
            assert anchor in pages.anchors(target.read_text("utf-8")), f"{name}: no heading {anchor} in {target.name}"


@pytest.mark.parametrize("name", NAMES)
def test_pages_end_well_and_lines_are_short(name):
    text = (ROOT / name).read_text("utf-8")
    assert text.endswith("\n") and not text.endswith("\n\n")
    if "docs/generate.py" not in text.splitlines()[0]:
        long = [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")]
        assert not long, f"{name}: {long[0]}"


def test_every_page_is_reached_from_the_index():
    seen, todo = set(), [ROOT / "docs" / "index.md"]
    while todo:
        page = todo.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            todo += [
                (page.parent / link.partition("#")[0]).resolve()
                for link in pages.links(page.read_text("utf-8"))
                if not link.startswith(("http", "#"))
            ]
    assert {page for page in PAGES if page.name != "README.md"} <= seen
