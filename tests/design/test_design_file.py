"""Design files: byte for byte when unchanged, comments kept when changed, faults with line and path."""

import copy
import dataclasses

import pytest

from netwright.design import Budget, Data, Design, DesignError, Recipe, Spec, Task

FILE = """\
# houses, second try
netwright: 1
name: "houses"   # quoted
task: {kind: regression, target: price, metric: rmse}

data:
    source:   houses.csv
    seed: 0x10          # a hexadecimal seed
inputs: {num_features: 8, cardinalities: [3, 4]}
model:
    tiny:
        # wide enough
        dim: 32    # not 64
        mixer: {attention: {num_heads: 4}}
        norm: rmsnorm
recipe:
    lr: 1e-3
    steps: 1_000
    augment:
      - noise     # by rule A7
      - mask: {p: 0.1}
budget: {params: 200k, latency: 5 ms}
reasons:
  - rule: T1   # the first
    text: 'few rows'
  - rule: T2
    text: >-
      a long
      story
"""


def test_an_unchanged_file_is_written_byte_for_byte(tmp_path):
    file = tmp_path / "design.yaml"
    file.write_bytes(FILE.encode())
    Design.load(file).save(tmp_path / "copy.yaml")
    assert (tmp_path / "copy.yaml").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        FILE.replace("\n", "\r\n"),
        "\ufeff" + FILE,
        FILE.rstrip("\n"),
        "---\n" + FILE + "...\n",
        "{netwright: 1, model: tiny8, inputs: {num_features: 1}}",
        "netwright: 1\nmodel: {tiny: }\ninputs: {num_features: 1}\nbudget:\ndata: ~\n\n\n",
    ],
)
def test_other_ways_to_write_it(text, tmp_path):
    design = Design.loads(text)
    assert design.dumps() == text
    design.save(tmp_path / "d.yaml")
    assert (tmp_path / "d.yaml").read_bytes() == text.encode()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.yaml"]


def test_what_the_file_says():
    design = Design.loads(FILE)
    assert design.task == Task("regression", "price", "rmse") and design.data == Data("houses.csv", seed=16)
    assert design.budget == Budget(params=200_000, latency_ms=5.0)
    assert design.recipe == Recipe(lr=1e-3, steps=1000, augment=["noise", {"mask": {"p": 0.1}}])
    assert design.reasons[1] == {"rule": "T2", "text": "a long story"}
    assert type(design.recipe.steps) is int and type(design.data.seed) is int and type(design.name) is str
    net = design.build()
    assert net.embed.in_features == 10 and net.embed.out_features == 32 and net.mixers[0].num_heads == 4
    assert design.build(dim=64, num_features=1).embed.in_features == 3


def test_a_change_touches_its_own_place_only():
    design = Design.loads(FILE)
    design.recipe = dataclasses.replace(design.recipe, lr=0.002, ema_decay=0.99)
    design.model = design.model.replace(dim=48)
    design.budget = Budget.parse(latency="5ms")
    design.reasons = [{"rule": "T1", "text": "many rows"}, design.reasons[1]]
    text = design.dumps()
    before, after = FILE.splitlines(), text.splitlines()
    changed = {line.strip() for line in after if line not in before}
    expected = {"dim: 48    # not 64", "lr: 0.002", "ema_decay: 0.99", "budget: {latency: 5 ms}"}
    assert changed == {*expected, "text: 'many rows'", "source: houses.csv", "a long", "story"}  # respaced
    assert Design.loads(text) == design


def test_sections_that_come_and_go():
    design = Design.loads("netwright: 1  # v\nmodel: tiny  # small\ninputs: {num_features: 2}\n")
    design.task = Task("binary", "y")
    design.model = Spec("tiny", {"dim": 16})
    text = design.dumps()
    assert "# v" in text and Design.loads(text) == design
    design.task = Task()
    design.model = Spec("tiny")
    assert Design.loads(design.dumps()) == design


def test_lists_that_grow_and_shrink():
    for count in (0, 1, 3):
        design = Design.loads(FILE)
        design.reasons = [{"rule": f"R{i}", "text": "because"} for i in range(count)]
        text = design.dumps()
        assert Design.loads(text) == design
        assert "# houses, second try" in text and "# not 64" in text


def test_line_ends_and_the_mark_stay_after_a_change():
    design = Design.loads("\ufeff---\r\nnetwright: 1\r\nmodel: tiny  # c\r\ninputs: {num_features: 2}\r\n")
    design.name = "other"
    text = design.dumps()
    assert text.startswith("\ufeff---\r\nnetwright: 1\r\n") and text.count("\r\n") == text.count("\n")
    assert "# c" in text and Design.loads(text).name == "other"


def test_a_new_design():
    design = Design(
        Spec("tiny:wide", {"mixer": Spec("attention", {"num_heads": 2})}),
        inputs={"num_features": 4, "cardinalities": (2, 3), "num_classes": 2},
        task=Task("binary", "y", "auc", ["no", "yes"]),
        reasons=[{"rule": "T1", "text": "why: not # a comment", "confidence": 0.5}],
    )
    text = design.dumps()
    assert text.startswith("netwright: 1\nname: design\n")
    assert "classes: [no, yes]" in text or "classes: ['no', 'yes']" in text
    assert Design.loads(text) == design and Design.loads(text).dumps() == text
    assert Design.from_data(copy.deepcopy(design.to_data())) == design


# text of the file, what the message says
FAULTS = [
    ("", "the file is empty"),
    ("# only a comment\n", "the file is empty"),
    ("- 1\n- 2\n", "is no design"),
    ("just text", "is no design"),
    ("3", "is no design"),
    ("model: tiny8", "netwright: the version is missing"),
    ("netwright: 2\nmodel: tiny8", "line 1: netwright: version 2 is unknown"),
    ("netwright: true\nmodel: tiny8", "version true is unknown"),
    ("netwright: '1'\nmodel: tiny8", "version '1' is unknown"),
    ("netwright: 1", "the model is missing"),
    ("netwright: 1\nmodel:\n", "names no block"),
    ("netwright: 1\nmodle: tiny8", "line 2: modle: 'modle' is no key of a design\n  → did you mean model?"),
    ("netwright: 1\nmodel: tini8", "line 2: model: 'tini8' is no family or preset\n  → did you mean tiny8?"),
    ("netwright: 1\nmodel: attention\n", "is no family or preset"),
    ("netwright: 1\nmodel: tiny8", "num_features is missing"),
    ("netwright: 1\nmodel: {tiny: {dim: 4}, vit: {}}", "names no block"),
    ("netwright: 1\nmodel: tiny8\ninputs: {num_feature: 3}", "did you mean num_features"),
    ("netwright: 1\nmodel: tiny8\ninputs: {num_features: no}", "line 3: inputs.num_features: 'no' is not"),
    ("netwright: 1\nmodel: tiny8\ninputs: 3", "inputs: 3 is not allowed"),
    ("netwright: 1\nname: 3\nmodel: tiny8\n", "line 2: name: 3 is no name"),
    ("netwright: 1\nname: 2020-01-01\nmodel: tiny8", "line 2: name: '2020-01-01' is read as a date"),
    ("netwright: 1\nmodel: tiny8\nrecipe: {lr: -1}", "line 3: recipe.lr: -1 is out of range"),
    ("netwright: 1\nmodel: tiny8\nrecipe: [1]", "recipe: [1] is not allowed"),
    ("netwright: 1\nmodel: tiny8\nbudget: {params: 0}", "budget.params: 0 is not above 0"),
    ("netwright: 1\nmodel: tiny8\nbudget: 200k", "is no budget"),
    ("netwright: 1\nmodel: tiny8\nreasons: {a: 1}", "reasons: {'a': 1} is not allowed"),
    ("netwright: 1\nmodel: tiny8\nreasons:\n- rule: a\n", "line 4: reasons[0]: text is missing"),
    ("netwright: 1\nmodel: tiny8\nreasons:\n- {rule: a, txt: b}\n", "did you mean text"),
    ("netwright: 1\nmodel: tiny8\nreasons:\n- {rule: a, text: 3}\n", "reasons[0].text: 3 is not allowed"),
    ("netwright: 1\nmodel: tiny8\nreasons: [a]", "reasons[0]: 'a' is not allowed"),
    ("netwright: 1\nmodel: tiny8\n1: 2\n", "the key 1 is no text"),
    ("netwright: 1\nmodel: tiny8\n? [a]\n: 2\n", "is no text"),
    ("netwright: 1\nmodel: tiny8\nmodel: tiny\n", "line 3: found duplicate key"),
    ("netwright: 1\nmodel:\n  tiny:\n    dim: 4\n    'dim': 5\n", "line 5: found duplicate key"),
    ("netwright: 1\nmodel: {tiny: {dim: 4}\n", "no valid YAML"),
    ("netwright: 1\nmodel:\n\ttiny: 3", "no valid YAML"),
    ("netwright: 1\nmodel: \x00", "no valid YAML"),
    ("netwright: 1\nmodel: tiny8\nname: -_", "no valid YAML"),
    ("netwright: 1\n---\nmodel: tiny8\n", "no valid YAML"),
    (
        "netwright: 1\nmodel:\n  tiny:\n    # comment\n    dropout: 1.5\n",
        "line 5: model.tiny.dropout: 1.5 is out",
    ),
    ("netwright: 1\nmodel: {tiny: {dim: .nan}}", "model.tiny.dim: nan is not allowed"),
    ("netwright: 1\nmodel: {tiny: {dim: " + "9" * 5000 + "}}", "no valid YAML"),
]


@pytest.mark.parametrize(("text", "says"), FAULTS)
def test_a_fault_is_said_with_its_line_and_path(text, says):
    with pytest.raises(DesignError) as caught:
        Design.loads(text)
    assert says in str(caught.value)


def test_the_file_and_line_in_front(tmp_path):
    file = tmp_path / "d.yaml"
    file.write_text("netwright: 1\nmodel:\n  tiny: {mixer: {attention: {num_heds: 3}}}\n")
    with pytest.raises(DesignError) as caught:
        Design.load(file)
    assert str(caught.value).startswith(f"{file}:3: model.tiny.mixer.attention: 'num_heds' is no argument")
    assert caught.value.path == "model.tiny.mixer.attention" and caught.value.nearest == "num_heads"


def test_files_that_can_t_be_read(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    (tmp_path / "big.yaml").write_bytes(b"#" * 300_000)
    (tmp_path / "empty.yaml").write_bytes(b"")
    for name, says in [
        ("missing.yaml", "there is no such file"),
        (".", "this is a folder"),
        ("latin.yaml", r"not UTF-8 text \(byte 6 is 0xe9\)"),
        ("big.yaml", "300,000 bytes"),
        ("empty.yaml", "the file is empty"),
        ("a\0b", "can't be read"),
    ]:
        with pytest.raises(DesignError, match=says):
            Design.load(tmp_path / name)


def test_a_place_that_can_t_be_written(tmp_path):
    design = Design(Spec("tiny", {"num_features": 2}))
    with pytest.raises(DesignError, match="can't be written"):
        design.save(tmp_path / "no" / "such" / "folder.yaml")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DesignError, match="can't be written"):
        design.save(tmp_path / "folder")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_parts_of_the_wrong_kind():
    for wrong in ({"task": {}}, {"recipe": None}, {"inputs": []}, {"version": "1"}, {"name": " "}):
        with pytest.raises(DesignError):
            Design(Spec("tiny", {"num_features": 2}), **wrong)
    design = Design(Spec("tiny", {"num_features": 2}))
    design.inputs = {"num_features": 3}
    with pytest.raises(DesignError, match="not what the data give"):
        design.dumps()
