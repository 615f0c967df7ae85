"""A design file is data: nothing in it is run, nothing unfolds, nothing hides."""

import io
import time

import pytest
from ruamel.yaml import YAML

from netwright.design import Design, DesignError, yaml_text

HEAD = "netwright: 1\nmodel: tiny8\ninputs: {num_features: 2}\n"


@pytest.mark.parametrize(
    "line",
    [
        "name: !!python/object/apply:os.system ['touch {marker}']",
        "name: !!python/name:os.system",
        "name: !!python/object/new:subprocess.Popen [[touch, {marker}]]",
        "name: !custom {{a: 1}}",
        "name: !!str x",
        "name: !!binary aGk=",
        "data: !!map {{seed: 1}}",
        "name: !!set {{a}}",
        "name: ! x",
    ],
)
def test_tags_are_refused_and_run_nothing(line, tmp_path):
    marker = tmp_path / "ran"
    with pytest.raises(DesignError, match=r"tag .* is refused"):
        Design.loads(HEAD + line.format(marker=marker))
    assert not marker.exists()


@pytest.mark.parametrize(
    "name",
    ["os.system", "torch.nn.Linear", "__import__", "netwright.blocks.mixer:Attention", "../vit", "eval"],
)
def test_names_resolve_through_the_registry_only(name):
    with pytest.raises(DesignError, match="is no"):
        Design.loads(f"netwright: 1\nmodel: {{{name!r}: {{}}}}\n")
    with pytest.raises(DesignError, match="is no"):
        Design.loads(f"netwright: 1\nmodel: {{tiny: {{num_features: 2, mixer: {name!r}}}}}\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: &a x\n", "anchors and aliases"),
        ("data: {<<: {seed: 1}}\n", "merge key"),
        ("name: &a [*a]\n", "anchors and aliases"),
    ],
)
def test_nothing_is_written_by_reference(text, says):
    with pytest.raises(DesignError, match=says):
        Design.loads(HEAD + text)


def test_directives_are_refused():
    with pytest.raises(DesignError, match="directives"):
        Design.loads("%YAML 1.1\n---\n" + HEAD)
    with pytest.raises(DesignError, match="directives"):
        Design.loads("%TAG ! tag:example.com,2000:\n---\n" + HEAD)


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return HEAD + "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (bomb(), "anchors and aliases"),
        (HEAD + "name: " + "[" * 5000, "nested more than 64 deep"),
        (HEAD + "name: " + "{a: " * 3000, "nested more than 64 deep"),
        (HEAD + "\n".join("  " * i + "a:" for i in range(200)), "nested more than 64 deep|no valid YAML"),
        ("#" * 300_000, "longer than 256 KiB"),
    ],
)
def test_bombs_are_refused_at_once(text, says):
    start = time.perf_counter()
    with pytest.raises(DesignError, match=says):
        Design.loads(text)
    assert time.perf_counter() - start < 5


def test_yes_and_no_are_text():
    assert Design.loads(HEAD + "name: yes").name == "yes"
    assert Design.loads(HEAD + "task: {classes: [no, yes, true, 1e3, 0o7]}").task.classes == [
        "no",
        "yes",
        True,
        1000.0,
        7,
    ]


TRICKY = [
    *["", " ", "1", "1e3", "true", "null", "~", "0x1f", "1_0", "- a", "a: b", "#", "a #b", "'", '"', "\n"],
    *[
        "a\nb",
        "\ttab",
        "é",
        "日本",
        "🙂",
        "\x85",
        "\u2028",
        "yes",
        "<<",
        "=",
        "!x",
        "&a",
        "*a",
        "%",
        "@",
        "`",
    ],
    *["2020-01-01", "12:30", ".inf", ".nan", "trailing ", " leading", "{", "[", "]", ",", "|", ">", "? a"],
    *["---", "...", "\x07", "x" * 5000, "many words " * 500],
]


@pytest.mark.parametrize("text", TRICKY, ids=lambda t: repr(t[:12]))
def test_any_text_is_written_so_that_it_is_read_back(text):
    written = yaml_text.write({"a": text, "b": [text, {"c": text}]})
    data = yaml_text.plain(yaml_text.read(written))
    assert data == {"a": text, "b": [text, {"c": text}]}
    other = YAML(typ="safe", pure=True).load(io.StringIO(written))  # a plain reader agrees
    assert other == data
