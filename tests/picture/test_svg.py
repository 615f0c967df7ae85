"""The picture as SVG and as Mermaid: words fit their boxes, colours follow the cost, names stay names."""

import re
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect
from netwright.picture import mermaid, svg
from tests.picture.networks import NETWORKS, blueprint, by_chance
from tests.report.drawing import width_of

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</script><b onload=\"alert('1')\">&\u2028"


def hostile():
    model = nn.Sequential()
    model.add_module("first", nn.Linear(2, 2))
    source = inspect(model, torch.zeros(1, 2)).to_json()
    for row in source["rows"][1:]:
        row["path"], row["cls"] = HOSTILE, HOSTILE
    source["cls"] = HOSTILE
    return source


@pytest.mark.parametrize("name", NETWORKS)
def test_words_fit_their_boxes(name):
    """By a table of a font's widths, which the drawing doesn't know."""
    root = ElementTree.fromstring(svg(blueprint(name), depth=2))
    boxes = [
        [float(rect.attrib[key]) for key in ("x", "y", "width", "height")]
        for rect in root.iter(f"{SVG}rect")
        if rect.get("class", "").endswith(("s-line", "s-muted"))
    ]
    for text in root.iter(f"{SVG}text"):
        words, size = "".join(text.itertext()), float(text.attrib["font-size"])
        width = width_of(words, size, text.get("font-weight") == "600")
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        x -= {"start": 0.0, "middle": width / 2, "end": width}[text.get("text-anchor", "start")]
        around = [box for box in boxes if box[0] <= x + 1 <= box[0] + box[2] and box[1] <= y - 2 <= box[1] + box[3]]
        page = root.attrib["viewBox"].split()
        assert float(page[0]) <= x and x + width <= float(page[0]) + float(page[2]), words
        if around:
            left, _, wide, _ = min(around, key=lambda box: box[2] * box[3])
            assert left - 0.5 <= x and x + width <= left + wide + 0.5, words


def test_is_whole_in_itself():
    drawn = svg(blueprint("gpt2"))
    assert not re.search(r"<script|href=|url\((?!#nw-)|@import", drawn)
    assert "https://" not in drawn and drawn.count("http://") == 1  # the name of SVG
    assert "prefers-color-scheme:dark" in drawn and "var(" not in drawn
    root = ElementTree.fromstring(drawn)
    assert root.find(f"{SVG}title").text == "GPT2LMHeadModel"
    for shape in root.iter(f"{SVG}rect"):
        assert shape.attrib["fill"].startswith("#")  # programs without CSS see the light colours


def test_depth_opens_so_many_levels():
    frames = [svg(blueprint("resnet50"), depth=depth).count("stroke-dasharray") for depth in (1, 2, 3)]
    assert frames == [0, 4, 4 + 2 * 4]  # the stages; in each a first block and the others folded


def shades(drawn):
    return [float(value) for value in re.findall(r'class="f-warm" fill-opacity="([\d.]+)"', drawn)]


def test_a_closed_group_has_the_heat_of_all_that_it_holds():
    one = {heat: shades(svg(blueprint("resnet50"), depth=1, heat=heat)) for heat in ("macs", "params")}
    assert max(one["macs"]) < max(one["params"])  # layer4 has 59 % of the parameters, layer3 36 % of the MACs
    assert max(one["params"]) == pytest.approx(0.04 + 0.56 * (14_964_736 / 25_557_032) ** 0.7, abs=1e-3)
    assert ">59 %</text>" in svg(blueprint("resnet50"), depth=1, heat="params")
    assert not shades(svg(blueprint("resnet50"), heat=None))


def test_an_unknown_heat_is_bad_input():
    with pytest.raises(InputError, match="activation_bytes"):
        svg(blueprint("gpt2"), heat="beauty")


def test_latency_is_a_heat_where_it_is_known():
    source = inspect(nn.Sequential(nn.Linear(4, 8), nn.Flatten(), nn.Linear(8, 2)), torch.zeros(1, 4)).to_json()
    source["latency_ms"] = None
    source["rows"] = [{**row, "latency_ms": None} for row in source["rows"]]
    with pytest.raises(InputError, match="no latency"):
        svg(source, heat="latency_ms")
    for row, value in zip(source["rows"], (4.0, 3.0, 0.0, 1.0), strict=True):
        row["latency_ms"] = value
    assert ">75 %</text>" in svg(source, heat="latency_ms")


def test_its_caption_says_what_the_shade_is():
    source = inspect(nn.Sequential(nn.Linear(4, 8), nn.Flatten(), nn.Linear(8, 2)), torch.zeros(1, 4)).to_json()
    assert ">58 params · 48 MACs · shade: share of MACs</text>" in svg(source)
    assert ">58 params · 48 MACs</text>" in svg(source, heat=None)
    source["not_counted"] = [{"op": "aten::strange", "calls": 2, "where": "0"}]
    assert "48 MACs · a lower bound, because something was not counted" in svg(source)
    assert "shade:" not in svg(source, caption=False)


def test_hostile_names_stay_names():
    drawn = svg(hostile(), title=HOSTILE)
    assert "<b" not in drawn and "<script" not in drawn
    ElementTree.fromstring(drawn)


# Mermaid


@pytest.mark.parametrize("source", [*NETWORKS, *range(12), "hostile"])
def test_mermaid_is_well_formed(source):
    """Every wire's ends are declared cards, groups close, labels hold no quote or markup of their own."""
    found = hostile() if source == "hostile" else blueprint(source) if isinstance(source, str) else by_chance(source)
    for depth in (None, 1, 3):
        lines = [line.strip() for line in mermaid(found, depth=depth).splitlines()]
        assert lines[0] == "flowchart TB"
        declared, groups, ends, depth_now = set(), set(), [], 0
        for line in lines[1:]:
            if match := re.fullmatch(r'subgraph (n\d+)\["([^"<>`]*)"\]', line):
                groups.add(match[1])
                depth_now += 1
            elif line == "end":
                depth_now -= 1
            elif match := re.fullmatch(r'(n\d+)(\["[^"`]*"\]|\(\["[^"`]*"\]\))', line):
                declared.add(match[1])
                assert "<" not in match[2].replace("<br/>", "")
            else:
                match = re.fullmatch(r'(n\d+) -->\|"[^"]*"\| (n\d+)', line)
                assert match, line
                ends += match.groups()
        assert depth_now == 0
        assert set(ends) <= declared and not declared & groups


def test_mermaid_has_the_wires_of_the_picture():
    words = mermaid(inspect(nn.Sequential(nn.Linear(4, 8), nn.Flatten(), nn.Linear(8, 2)), torch.zeros(1, 4)).to_json())
    assert words.splitlines() == [
        "flowchart TB",
        '  n1(["input"])',
        '  n2["0 Linear<br/>40 params · 32 MACs"]',
        '  n3["1 Flatten"]',
        '  n4["2 Linear<br/>18 params · 16 MACs"]',
        '  n5(["output"])',
        '  n1 -->|"1×4"| n2',
        '  n2 -->|"1×8"| n3',
        '  n3 -->|"1×8"| n4',
        '  n4 -->|"1×2"| n5',
    ]


def test_mermaid_joins_through_borders():
    """A residual around an open block goes from the card before the block to the sum inside it."""
    chart = mermaid(blueprint("gpt2"), depth=3)
    cards = dict(re.findall(r'(n\d+)(?:\[|\(\[)"([^"]*?)(?:<br/>|")', chart))
    wires = {(cards[a].split()[0], cards[b].split()[0]) for a, b in re.findall(r'(n\d+) -->\|"[^"]*"\| (n\d+)', chart)}
    assert {("input", "wte"), ("wte", "add"), ("add", "ln_1"), ("ln_1", "attn"), ("attn", "add")} <= wires
    assert {("add", "add"), ("add", "ln_f"), ("ln_f", "lm_head"), ("lm_head", "output")} <= wires
