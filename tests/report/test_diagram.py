"""The diagram: nothing overlaps, every text fits, what is drawn is what the rows and edges say."""

import random
from itertools import combinations, pairwise

import pytest

from netwright.report.diagram import mermaid, svg
from netwright.report.fold import tree, unwrapped
from tests.report.drawing import Drawing, Rect, read
from tests.report.recorded import convnet, transformer


def row(path, cls="Linear", shape=(64,), params=4160, macs=4096, **more):
    return {"path": path, "class": cls, "shape": list(shape), "params": params, "macs": macs, **more}


def inception():
    """Four branches that meet in a concatenation, twice, with a classifier."""
    rows, edges, last = [row("stem", "Conv2d")], [("input", "stem")], "stem"
    for k in range(2):
        group = f"mixed{k}"
        rows.append(row(group, "Inception", (256, 28, 28), 155_900, 121_600_000))
        for b in range(4):
            rows.append(row(f"{group}.branch{b}", "Sequential", (32 * (b + 1), 28, 28), 9_000 * (b + 1), 10**6))
            edges += [(group, f"{group}.branch{b}"), (f"{group}.branch{b}", f"{group}.cat")]
        rows.append(row(f"{group}.cat", "cat", (256, 28, 28), 0, 0))
        edges += [(f"{group}.cat", group), (last, group)]
        last = group
    rows.append(row("fc"))
    edges += [(last, "fc"), ("fc", "output")]
    return rows, [{"from": a, "to": b} for a, b in edges]


def unet(depth=4):
    """Skips from every stage of the encoder to the decoder's stage of the same size."""
    names = [f"enc{k}" for k in range(depth)] + ["bottleneck"] + [f"up{k}" for k in reversed(range(depth))]
    rows = [row(name, "DoubleConv", (64, 32, 32)) for name in names]
    edges = list(pairwise(["input", *names, "output"])) + [(f"enc{k}", f"up{k}") for k in range(depth)]
    return rows, [{"from": a, "to": b} for a, b in edges]


def dense(size=7):
    """Every module reads all before it."""
    rows = [row(f"layer{k}", "DenseLayer", (32, 8, 8), 100 + k) for k in range(size)]
    return rows, [{"from": f"layer{i}", "to": f"layer{j}"} for i, j in combinations(range(size), 2)]


def awkward():
    """Names and shapes of every length, among them markup and another script."""
    names = ["a", "x" * 300, "<script>alert(1)</script>", "層の名前" * 30, 'quote"amp&', "W" * 60]
    rows = [row(name.replace(".", "_"), name, ("batch", 10**9, 10**9, 10**9), 10**13, 10**15) for name in names]
    rows.append(row("group", "Class" * 50))
    rows += [row(f"group.{k}", "M" * 90, (3,), k) for k in range(3)]
    return rows, []


def random_graph(seed):
    """A random acyclic graph of modules, some of them groups with their own."""
    draw = random.Random(seed)
    rows, edges = [], []
    paths = [f"m{k}" for k in range(draw.randint(2, 12))]
    for k, path in enumerate(paths):
        rows.append(
            row(
                path,
                draw.choice(["Conv2d", "Linear", "add", "LayerNorm"]),
                (k + 1, 8),
                draw.randint(1, 10**6),
            )
        )
        edges += [(paths[j], path) for j in range(k) if draw.random() < 0.35]
        children = [f"{path}.c{c}" for c in range(draw.choice([0, 0, 2, 5]))]
        for c, child in enumerate(children):
            rows.append(row(child, draw.choice(["ReLU", "Conv2d", "cat"]), (c, 4), draw.choice([0, 77])))
            edges += [(children[j], child) for j in range(c) if draw.random() < 0.5]
            edges += [(path, child)] * (draw.random() < 0.3) + [(child, path)] * (draw.random() < 0.2)
    return rows, [{"from": a, "to": b} for a, b in edges]


CASES = {
    "convnet": convnet(),
    "transformer": transformer(),
    "inception": inception(),
    "unet": unet(),
    "dense": dense(),
    "awkward": awkward(),
    "flat": ([row(f"layer{k}", f"Kind{k}") for k in range(200)], []),
    "empty": ([], []),
    **{f"random {seed}": random_graph(seed) for seed in range(40)},
}


def segments(drawing: Drawing):
    return [
        (Rect(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])))
        for w in drawing.wires
        for a, b in pairwise(w)
    ]


@pytest.mark.parametrize("name", CASES)
def test_geometry(name):
    """Boxes stand apart, inside the page; texts are inside their box, or clear of every box."""
    rows, edges = CASES[name]
    drawing = read(svg(rows, edges, input_shape=[3, 224, 224]))
    assert len(drawing.boxes) >= 2
    for first, second in combinations(drawing.boxes, 2):
        assert not first.meets(second)
    for first, second in combinations(drawing.groups, 2):
        assert not first.meets(second)
    for box in drawing.boxes:
        assert drawing.page.holds(box)
        for group in drawing.groups:
            assert group.holds(box) or not group.meets(box)
    for words in drawing.texts:
        assert drawing.page.holds(words.box), words
        holders = [box for box in drawing.boxes if box.meets(words.box)]
        if words.css == "shape":
            assert not holders, words
        else:
            assert len(holders) <= 1
            assert all(box.holds(words.box) for box in holders), words
            if not holders:
                assert any(group.holds(words.box) for group in drawing.groups), words
    for first, second in combinations(drawing.texts, 2):
        assert not first.box.meets(second.box), (first, second)


@pytest.mark.parametrize("name", CASES)
def test_wires_pass_no_box(name):
    """A wire may touch a box's edge, where it begins or ends; it never runs through one, or a text."""
    rows, edges = CASES[name]
    drawing = read(svg(rows, edges, input_shape=[3, 224, 224]))
    for piece in segments(drawing):
        assert drawing.page.holds(piece)
        for box in drawing.boxes:
            inner = Rect(box.left + 1, box.top + 1, box.right - 1, box.bottom - 1)
            assert not inner.meets(piece), (piece, box)
        for words in drawing.texts:
            assert not words.box.meets(piece), (piece, words)


def test_repeats_fold_with_their_totals():
    rows, _ = transformer(depth=12)
    folded = tree(rows)
    block = next(layer for layer in folded if layer.repeat == 12)
    assert block.name == "blocks[0–11]"
    assert block.paths == [f"blocks.{k}" for k in range(12)]
    total = sum(r["params"] for r in rows if r["path"].count(".") == 1 or "." not in r["path"])
    assert sum(layer.total("params") for layer in folded) == total
    assert "blocks[0–11] ×12" in svg(rows)


def test_only_equal_neighbours_fold():
    rows = [row(f"layers.{k}", shape=(size,)) for k, size in enumerate([64, 64, 32, 64])]
    assert [(layer.name, layer.repeat) for layer in tree(rows)] == [
        ("layers[0–1]", 2),
        ("layers.2", 1),
        ("layers.3", 1),
    ]


def test_a_given_repeat_multiplies():
    rows = [row("blocks.0", params=100, repeat=6), row("blocks.6", params=100, repeat=2)]
    (layer,) = tree(rows)
    assert layer.repeat == 8 and layer.total("params") == 800


def test_wrappers_around_everything_are_left_out():
    rows = [row("", "Net"), row("model", "Inner"), row("model.a"), row("model.b", "ReLU")]
    assert [layer.name for layer in tree(rows)] == ["a", "b"]


def test_a_group_of_one_is_that_one():
    """A stage of three equal blocks is the block ×3, opened; its totals are the stage's."""
    rows = [row("stem", params=5), row("stage", "Sequential", params=300, macs=30)]
    for k in range(3):
        rows.append(row(f"stage.{k}", "Block", params=100, macs=10))
        rows += [row(f"stage.{k}.a", params=60, macs=10), row(f"stage.{k}.b", "Pool", params=40, macs=0)]
    _, stage = unwrapped(tree(rows))
    assert (stage.name, stage.cls, stage.repeat) == ("stage[0–2]", "Block", 3)
    assert [child.name for child in stage.children] == ["a", "b"]
    assert stage.total("params") == 300
    drawn = svg(rows, [{"from": "stem", "to": "stage.0.a"}, {"from": "stage.0.a", "to": "stage.0.b"}])
    assert len(read(drawn).boxes) == 5 and len(read(drawn).groups) == 1


def test_a_residual_is_a_lane():
    rows = [row("a", "Conv2d", params=1), row("b", "Pool", params=2), row("c", "add", params=0, macs=0)]
    chain = [{"from": a, "to": b} for a, b in pairwise(["input", "a", "b", "c", "output"])]
    without = svg(rows, chain)
    with_lane = svg(rows, [*chain, {"from": "a", "to": "c"}])
    assert without.count("url(#nw-lane)") == 0
    assert with_lane.count("url(#nw-lane)") == 1
    assert with_lane.count('class="wire"') == without.count('class="wire"') + 1


def test_branches_stand_side_by_side():
    rows, edges = inception()
    drawing = read(svg(rows, edges))
    tops = [round(box.top) for box in drawing.boxes]
    assert max(tops.count(top) for top in tops) == 4


def test_chains_join_only_where_nothing_else_reads():
    rows = [
        row("a", "Conv2d"),
        row("b", "BatchNorm2d", params=8),
        row("c", "ReLU", params=0),
        row("d", "add", params=0, macs=0),
    ]
    chain = [{"from": a, "to": b} for a, b in pairwise(["input", "a", "b", "c", "d"])]
    assert len(read(svg(rows, chain)).boxes) == 4  # input, a · b · c, +, output
    assert len(read(svg(rows, [*chain, {"from": "a", "to": "d"}])).boxes) == 5 + 1


def test_a_collapsed_card_carries_the_heat_of_what_it_holds():
    rows, _ = transformer()
    assert "65 %" in svg(rows) and "35 %" in svg(rows)


def test_unknown_edges_and_cycles_do_no_harm():
    rows = [row("a", params=1), row("b", params=2)]
    edges = [
        {"from": "b", "to": "a"},
        {"from": "a", "to": "a"},
        {"from": "nowhere", "to": "b"},
        {"from": "", "to": ""},
    ]
    assert len(read(svg(rows, edges)).boxes) == 4


@pytest.mark.parametrize("name", CASES)
def test_mermaid_is_well_formed(name):
    """Every wire's ends are declared nodes, groups close, labels hold no quote or markup of their own."""
    import re

    rows, edges = CASES[name]
    lines = [line.strip() for line in mermaid(rows, edges).splitlines()]
    assert lines[0] == "flowchart TB"
    declared, open_groups = set(), 0
    for text in lines[1:]:
        if found := re.fullmatch(r'subgraph (n\d+)\["([^"<>`]*)"\]', text):
            declared.add(found[1])
            open_groups += 1
        elif text == "end":
            open_groups -= 1
        elif found := re.fullmatch(r'(n\w+)(\["[^"`]*"\]|\(\["[^"`]*"\]\)|\(\( \)\))', text):
            declared.add(found[1])
            assert "<" not in found[2].replace("<br/>", "")
        else:
            found = re.fullmatch(r'(n\w+) -->(?:\|"[^"]*"\|)? (n\w+)', text)
            assert found, text
            assert {found[1], found[2]} <= declared
    assert open_groups == 0
    assert len(declared) >= 2
