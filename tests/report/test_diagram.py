"""The report's rows and edges as the picture takes them: nothing is lost, and what is drawn is what they say."""

import random
from itertools import combinations, pairwise

import pytest

from netwright.picture import mermaid, svg, tree
from netwright.picture.layout import layout
from netwright.picture.nodes import first_open, open_to, read_tree
from netwright.report import fold
from netwright.report.diagram import blueprint
from tests.picture.geometry import check
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


@pytest.mark.parametrize("name", CASES)
def test_nothing_meets(name):
    rows, edges = CASES[name]
    nodes = read_tree(tree(blueprint(rows, edges, [3, 224, 224])))
    for opened in (first_open(nodes), open_to(nodes, 9)):
        check(nodes, layout(nodes, opened))


@pytest.mark.parametrize("name", CASES)
def test_every_parameter_is_drawn(name):
    rows, edges = CASES[name]
    said = blueprint(rows, edges)
    drawn = tree(said)["kids"]
    assert said["params"] == fold.totals(fold.tree(rows))["params"]
    assert sum(kid.get("P", 0) * kid.get("r", 1) for kid in drawn) == said["params"]
    assert mermaid(said).startswith("flowchart TB")


def wires(rows, edges):
    """By name, between what a chart shows with every group open."""
    nodes = read_tree(tree(blueprint(rows, edges)))
    chart = mermaid(blueprint(rows, edges), depth=9)
    pairs = [line.split() for line in chart.splitlines() if "-->" in line]
    names = {f"n{node.id}": node.name for node in nodes.all}
    return {(names[pair[0]], names[pair[-1]]) for pair in pairs}


def test_repeats_fold_with_their_totals():
    rows, _ = transformer(depth=12)
    folded = fold.tree(rows)
    block = next(layer for layer in folded if layer.repeat == 12)
    assert block.name == "blocks[0–11]"
    assert block.paths == [f"blocks.{k}" for k in range(12)]
    total = sum(r["params"] for r in rows if r["path"].count(".") == 1 or "." not in r["path"])
    assert sum(layer.total("params") for layer in folded) == total
    assert "blocks.0–11 ×12" in svg(blueprint(rows))


def test_only_equal_neighbours_fold():
    rows = [row(f"layers.{k}", shape=(size,)) for k, size in enumerate([64, 64, 32, 64])]
    assert [(layer.name, layer.repeat) for layer in fold.tree(rows)] == [
        ("layers[0–1]", 2),
        ("layers.2", 1),
        ("layers.3", 1),
    ]


def test_a_given_repeat_multiplies():
    rows = [row("blocks.0", params=100, repeat=6), row("blocks.6", params=100, repeat=2)]
    (layer,) = fold.tree(rows)
    assert layer.repeat == 8 and layer.total("params") == 800


def test_wrappers_around_everything_are_left_out():
    rows = [row("", "Net"), row("model", "Inner"), row("model.a"), row("model.b", "ReLU")]
    assert [layer.name for layer in fold.tree(rows)] == ["a", "b"]


def test_a_given_repeat_is_drawn():
    rows = [row("blocks.0", params=100, repeat=6), row("head", params=7)]
    data = tree(blueprint(rows))
    assert [(kid["n"], kid.get("r", 1)) for kid in data["kids"]][1] == ("blocks.0", 6)
    assert data["totals"]["P"] == 607


def test_edges_of_a_group_are_those_of_what_is_inside():
    """The two blocks are equal, and fold."""
    rows, edges = inception()
    found = wires(rows, edges)
    assert {("stem", f"branch{k}") for k in range(4)} <= found
    assert {(f"branch{k}", "cat") for k in range(4)} <= found
    assert {("cat", "fc"), ("input", "stem"), ("fc", "output")} <= found
    assert not {pair for pair in found if pair[0].startswith("mixed") or pair[1].startswith("mixed")}


def test_without_edges_modules_follow_each_other():
    rows = [row("a", params=1), row("b", "Pool", params=2), row("b.c", params=2), row("d", params=3)]
    assert wires(rows, None) == {("input", "a"), ("a", "c"), ("c", "d"), ("d", "output")}


def test_a_group_of_which_nothing_is_said_runs_in_turn():
    rows = [
        row("stem", params=9),
        *(row(f"stem.{name}", name.upper(), params=3) for name in "abc"),
        row("head", params=2),
    ]
    edges = [{"from": a, "to": b} for a, b in pairwise(["input", "stem", "head", "output"])]
    assert wires(rows, edges) == {("input", "a"), ("a", "b"), ("b", "c"), ("c", "head"), ("head", "output")}


def test_a_residual_is_a_lane():
    rows = [row("a", "Conv2d", params=1), row("b", "Pool", params=2), row("c", "add", params=0, macs=0)]
    chain = [{"from": a, "to": b} for a, b in pairwise(["input", "a", "b", "c", "output"])]
    without, with_lane = (svg(blueprint(rows, edges)) for edges in (chain, [*chain, {"from": "a", "to": "c"}]))
    assert without.count("url(#nw-accent)") == 0
    assert with_lane.count("url(#nw-accent)") == 1


def test_unknown_edges_and_cycles_do_no_harm():
    rows = [row("a", params=1), row("b", params=2)]
    edges = [
        {"from": "b", "to": "a"},
        {"from": "a", "to": "a"},
        {"from": "nowhere", "to": "b"},
        {"from": "", "to": ""},
    ]
    assert len(tree(blueprint(rows, edges))["kids"]) == 4
    assert "<svg" in svg(blueprint(rows, edges))
