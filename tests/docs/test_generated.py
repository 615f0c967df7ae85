"""The pages that docs/generate.py makes are those that are there: `make docs` brings them up to date."""

import importlib.util
from pathlib import Path

import netwright as nw

DOCS = Path(__file__).parents[2] / "docs"


def generated():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.pages()


def test_they_are_up_to_date():
    for name, text in generated().items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"docs/{name} is out of date: run make docs"


def test_nothing_public_is_left_out():
    made = generated()
    for name in set(nw.__all__) - {"__version__"}:
        assert f"### `{name}`" in made["reference/api.md"]
    for command in ("design", "train", "predict", "list", "show"):
        assert f"## netwright {command}\n" in made["reference/cli.md"]
    for family in nw.families():
        assert f"### {family['name']}\n" in made["reference/families.md"]
    for block in nw.blocks():
        assert block["name"] in made["reference/blocks.md"]
