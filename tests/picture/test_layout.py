"""Where things stand: both layouts say what the golden cases say, and nothing in any picture meets."""

import json
import shutil
import subprocess
from functools import cache
from importlib.resources import files

import pytest

from netwright.picture import tree
from netwright.picture.layout import layout
from netwright.picture.nodes import first_open, open_to, read_tree
from tests.picture import golden
from tests.picture.geometry import check
from tests.picture.networks import NETWORKS, by_chance

CASES = sorted(path.stem for path in golden.FOLDER.glob("*.json"))
STATES = ("collapsed", "first", "odd", "all")
NODE = shutil.which("node")
HARNESS = """
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(({ tree: data, opened }) => {
  const tree = readTree(data);
  const pictures = opened.map((ids) => {
    const { boxes, wires, tags, width, height, axis } = layout(tree, new Set(ids));
    return {
      size: [width, height, axis],
      boxes: boxes.map((box) => [box.node.id, box.kind, box.words.name, box.words.cls, ...box.words.costs,
        box.x, box.y, box.width, box.height, box.axis, box.named ?? 0, box.told ?? 0, box.toldX ?? 0]),
      wires: wires.map((wire) => [wire.scope, wire.from, wire.port, wire.to, wire.shape, wire.lane, wire.arrow,
        ...wire.points]),
      tags: tags.map((tag) => [tag.x, tag.y, tag.words]),
    };
  });
  const paths = tree.nodes.map((node) => node.path);
  return { pictures, paths, first: [...firstOpen(tree)], two: [...openTo(tree, 2)] };
})));
"""


@cache
def case(name):
    return json.loads((golden.FOLDER / f"{name}.json").read_text("utf-8"))


def in_javascript(cases):
    """What nodes.js and layout.js say of trees with these groups open."""
    scripts = "".join(
        files("netwright.picture").joinpath(name).read_text("utf-8") for name in ("nodes.js", "layout.js")
    )
    asked = json.dumps([{"tree": data, "opened": opened} for data, opened in cases])
    done = subprocess.run([NODE, "-e", scripts + HARNESS], input=asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_cases_are_the_networks_and_some_by_chance():
    assert set(NETWORKS) < set(CASES) and sum(name.startswith("chance") for name in CASES) >= 5


@pytest.mark.parametrize("name", CASES)
def test_python_says_what_is_golden(name):
    nodes = read_tree(case(name)["tree"])
    for state, said in case(name)["states"].items():
        picture = layout(nodes, set(said["open"]))
        assert golden.rounded(golden.drawn(picture)) == {key: said[key] for key in said if key != "open"}, state


@pytest.mark.skipif(NODE is None, reason="no node to run the layout with")
def test_javascript_says_what_is_golden():
    asked = [(case(name)["tree"], [said["open"] for said in case(name)["states"].values()]) for name in CASES]
    for name, answer in zip(CASES, in_javascript(asked), strict=True):
        for picture, (state, said) in zip(answer["pictures"], case(name)["states"].items(), strict=True):
            assert golden.rounded(picture) == {key: said[key] for key in said if key != "open"}, (name, state)


@pytest.mark.skipif(NODE is None, reason="no node to run the layout with")
def test_both_say_the_same_of_any_network():
    trees = [tree(by_chance(seed)) for seed in range(100, 160)]
    found = [read_tree(data) for data in trees]
    opened = [[sorted(ones) for ones in golden.states(nodes).values()] for nodes in found]
    for nodes, states, answer in zip(found, opened, in_javascript(zip(trees, opened, strict=True)), strict=True):
        assert answer["paths"] == [node.path for node in nodes.all]
        assert set(answer["first"]) == first_open(nodes) and set(answer["two"]) == open_to(nodes, 2)
        for ones, picture in zip(states, answer["pictures"], strict=True):
            assert golden.rounded(picture) == golden.rounded(golden.drawn(layout(nodes, set(ones))))


@pytest.mark.parametrize("name", CASES)
def test_nothing_meets_in_the_golden_cases(name):
    nodes = read_tree(case(name)["tree"])
    for opened in golden.states(nodes).values():
        check(nodes, layout(nodes, opened))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_meets_in_any_network(seed):
    nodes = read_tree(tree(by_chance(seed)))
    for opened in golden.states(nodes).values():
        check(nodes, layout(nodes, opened))


def test_the_trunk_is_a_straight_line():
    nodes = read_tree(case("gpt2")["tree"])
    picture = layout(nodes, first_open(nodes))
    block = next(node for node in nodes.all if node.repeat == 12)
    axes = {box.axis for box in picture.boxes if box.node.parent in (nodes.root, block)}
    assert len(axes) == 1
    (axis,) = axes
    straight = [wire for wire in picture.wires if len(wire.points) == 2]
    assert {x for wire in straight for x, _ in wire.points} == {axis}


def test_skips_nest_with_the_shortest_innermost():
    """As a U-Net is drawn in its paper, turned by a quarter."""
    nodes = read_tree(case("unet")["tree"])
    lanes = [wire for wire in layout(nodes, {0}).wires if wire.lane]
    spans = sorted(
        (max(y for _, y in wire.points) - min(y for _, y in wire.points), _rightmost(wire)) for wire in lanes
    )
    assert len(spans) == 4
    assert [x for _, x in spans] == sorted({x for _, x in spans})


def _rightmost(wire):
    return max(x for x, _ in wire.points)


def test_a_group_opens_in_its_place():
    """What stands above it stays where it was, and so do its own name and its siblings' sizes."""
    nodes = read_tree(case("googlenet")["tree"])
    group = next(node for node in nodes.all if node.name == "inception3b")
    before, after = layout(nodes, {0}), layout(nodes, {0, group.id})
    was = {box.node.id: box for box in before.boxes}
    shift = next(box.axis for box in after.boxes if box.node is group) - was[group.id].axis
    for box in after.boxes:
        if box.node.id in was and box.node is not group:
            old = was[box.node.id]
            assert (box.width, box.height) == (old.width, old.height)
            assert box.x - old.x == pytest.approx(shift)
            assert box.y == old.y or box.node.id > group.id
