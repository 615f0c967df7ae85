"""The viewer: what its data say of a network, that nothing in its layout meets, and that a browser runs it offline."""

import html
import json
import re
import shutil
import subprocess
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from netwright.inspect import inspect
from netwright.report.viewer import render_viewer
from netwright.report.viewer_tree import network
from tests.references import torchvision, transformers

NETWORKS = ("resnet50", "swin_t", "densenet121", "googlenet", "gpt2", "maskrcnn", "unet", "decoder")
HOSTILE = "</script><b onload=\"alert('1')\">&\u2028"
NODE = shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Level(nn.Module):
    def __init__(self, dim, inner=None):
        super().__init__()
        self.down, self.inner, self.up = nn.Conv2d(dim, dim, 3, padding=1), inner, nn.Conv2d(2 * dim, dim, 1)

    def forward(self, x):
        skip = self.down(x)
        deep = self.inner(skip) if self.inner else skip * 2
        return self.up(torch.cat([skip, deep], dim=1))


class Decoder(nn.Module):
    """Layers of two inputs, the second the same for all."""

    def __init__(self, layers=4):
        super().__init__()
        self.embed, self.encoder = nn.Linear(8, 16), nn.Linear(8, 16)
        self.layers = nn.ModuleList(Cross() for _ in range(layers))
        self.head = nn.Linear(16, 3)

    def forward(self, x, y):
        x, memory = self.embed(x), self.encoder(y)
        for layer in self.layers:
            x = layer(x, memory)
        return self.head(x)


class Cross(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.own, self.other = nn.LayerNorm(16), nn.Linear(16, 16), nn.Linear(16, 16)

    def forward(self, x, memory):
        return x + self.own(self.norm(x)) * self.other(memory)


@cache
def blueprint(name):
    models = torchvision().models
    with torch.device("meta"):
        image = torch.zeros(1, 3, 224, 224)
        if name == "gpt2":
            library = transformers()
            model = library.GPT2LMHeadModel(library.GPT2Config()).eval()
            return inspect(model, torch.zeros(1, 64, dtype=torch.long)).to_json()
        if name == "unet":
            return inspect(Level(8, Level(8, Level(8))), torch.zeros(1, 8, 16, 16)).to_json()
        if name == "decoder":
            return inspect(Decoder(), (torch.zeros(2, 5, 8), torch.zeros(2, 5, 8))).to_json()
        if name != "maskrcnn":
            arguments = {"init_weights": False} if name == "googlenet" else {}
            return inspect(getattr(models, name)(**arguments), image).to_json()
    return _mask_rcnn()


def _mask_rcnn():
    boxes = __import__("torchvision.ops.boxes", fromlist=["nms"])
    suppress, boxes.nms = boxes.nms, lambda _, scores, threshold: scores.argsort(descending=True)[:20]
    try:
        torch.manual_seed(0)
        model = torchvision().models.detection.maskrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, min_size=96, max_size=96, rpn_post_nms_top_n_test=20
        )
        with torch.compiler.set_stance("force_eager"):
            return inspect(model.eval(), ([torch.rand(3, 96, 96)],)).to_json()
    finally:
        boxes.nms = suppress


def walk(kids):
    for kid in kids:
        yield kid
        yield from walk(kid.get("k", []))


def named(data, name):
    return next(kid for kid in walk(data["kids"]) if kid["n"] == name)


# The data


@pytest.mark.parametrize("name", NETWORKS)
def test_page_is_small_and_asks_for_nothing(name):
    page = render_viewer(blueprint(name))
    assert len(page.encode()) < 150_000
    assert "default-src 'none'" in page
    code = page.replace('const SVG = "http://www.w3.org/2000/svg"', "")  # a name, not an address
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|@import|url\(['\"]?[^#'\"]", code)


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_tree_holds_every_parameter_and_mac(name):
    source = blueprint(name)
    data = network(source)
    assert sum(kid.get("M", 0) * kid.get("r", 1) for kid in data["kids"]) == source["macs"]
    own = {row["id"]: row["own_params"] for row in source["rows"]}
    for kid in walk(data["kids"]):
        if "k" in kid:
            inside = sum(inner.get("P", 0) * inner.get("r", 1) for inner in kid["k"])
            assert kid.get("P", 0) - inside in (0, own[kid["p"]])
    top = sum(kid.get("P", 0) * kid.get("r", 1) for kid in data["kids"])
    assert top + source["rows"][0]["own_params"] == source["params"]


@pytest.mark.parametrize("name", NETWORKS)
def test_wires_join_what_is_there(name):
    """Each goes forward between children or ports; a port of a group is used both inside it and outside."""
    data = network(blueprint(name))
    scopes = [data["edges"], *(kid["e"] for kid in walk(data["kids"]) if "k" in kid)]
    children = [data["kids"], *(kid["k"] for kid in walk(data["kids"]) if "k" in kid)]
    for wires, kids in zip(scopes, children, strict=True):
        assert len({tuple(wire[:4]) for wire in wires}) == len(wires)
        for a, ap, b, bp, shape in wires:
            assert -1 <= a < b <= len(kids)
            assert 0 <= shape < len(data["shapes"])
            if a >= 0 and "k" in kids[a]:
                assert any(wire[2] == len(kids[a]["k"]) and wire[3] == ap for wire in kids[a]["e"])
            if b < len(kids) and "k" in kids[b]:
                assert any(wire[0] == -1 and wire[1] == bp for wire in kids[b]["e"])
    assert any(wire[2] == len(data["kids"]) - 1 for wire in data["edges"])  # something reaches the output


def test_repeats_fold_once_with_the_entry_edge():
    data = network(blueprint("gpt2"))
    blocks = named(data, "h.0–11")
    assert blocks["r"] == 12 and "l" not in blocks
    names = [kid["n"] for kid in blocks["k"]]
    assert names == ["ln_1", "attn", "add", "ln_2", "mlp", "add"]
    pairs = {(wire[0], wire[2]) for wire in blocks["e"]}
    assert pairs == {(-1, 0), (0, 1), (1, 2), (-1, 2), (2, 3), (3, 4), (4, 5), (2, 5), (5, 6)}


def test_pairs_fold():
    stage = next(kid for kid in walk(network(blueprint("swin_t"))["kids"]) if kid["p"] == "features.5")
    (pairs,) = stage["k"]
    assert (pairs["n"], pairs["r"], [kid["n"] for kid in pairs["k"]]) == ("0–5", 3, ["0", "1"])
    vgg = nn.Sequential(
        *(layer for _ in range(3) for layer in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())), nn.Flatten()
    )
    kids = network(inspect(vgg, torch.zeros(1, 4, 8, 8)).to_json())["kids"]
    assert [(kid["n"], kid.get("r", 1)) for kid in kids] == [("input", 1), ("0–5", 3), ("6", 1), ("output", 1)]


def test_a_tensor_that_every_copy_reads_has_one_port():
    data = network(blueprint("decoder"))
    layers = named(data, "layers.0–3")
    at = data["kids"].index(layers)
    assert layers["r"] == 4
    entering = [(data["kids"][wire[0]]["n"], wire[3]) for wire in data["edges"] if wire[2] == at]
    assert {name for name, _ in entering} == {"embed", "encoder"}
    assert len({port for _, port in entering}) == 2
    assert {wire[1] for wire in layers["e"] if wire[0] == -1} == {0, 1}


def test_equal_branches_side_by_side_are_said_to_be_parallel():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

        def forward(self, x):
            return torch.cat([head(x) for head in self.heads], dim=1)

    heads = named(network(inspect(Heads(), torch.zeros(2, 4)).to_json()), "heads.0–2")
    assert (heads["r"], heads["l"]) == (3, 1)


def hostile():
    model = nn.Sequential()
    model.add_module("first", nn.Linear(2, 2))
    source = inspect(model, torch.zeros(1, 2)).to_json()
    for row in source["rows"][1:]:
        row["path"], row["cls"] = HOSTILE, HOSTILE
    source["cls"] = HOSTILE
    return source


class Halves(nn.Module):
    """Reads the rows of a map by halves, as Swin's merging of patches does."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 2)

    def forward(self, x):
        return self.linear(torch.cat([x[:, 0::2], x[:, 1::2]], -1))


def test_a_wire_has_the_shape_that_leaves_its_source():
    """Not that of the views which the reader makes of it."""
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(Halves(), nn.ReLU()))
    data = network(inspect(net, torch.zeros(1, 6, 3)).to_json())
    assert [data["shapes"][edge[-1]] for edge in data["edges"]] == ["1×6×3", "1×6×4", "1×6×4", "1×3×2"]


def test_hostile_names_stay_names():
    page = render_viewer(hostile(), title=HOSTILE)
    assert page.count("</script>") == 2 and "<b" not in page.replace("<body", "")
    (embedded,) = re.findall(r'id="network">(.*?)</script>', page, re.S)
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded)["kids"][1]["n"].startswith("</script><b")
    script = files("netwright.report").joinpath("viewer.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", script)


# The geometry

HARNESS = """
const { readTree, firstOpen, layout } = require(process.argv[1]);
const tree = readTree(JSON.parse(require("fs").readFileSync(0, "utf8")));
const groups = tree.nodes.filter((node) => node.kids.length).map((node) => node.id);
const states = {
  collapsed: new Set([0]), first: firstOpen(tree), all: new Set([0, ...groups]),
  one: new Set([0, ...tree.root.kids.map((node) => node.id)]),
  odd: new Set([0, ...groups.filter((id) => id % 3)]),
};
const out = { parents: tree.nodes.map((node) => (node.parent ? node.parent.id : -1)), states: {} };
for (const [name, open] of Object.entries(states)) {
  const { boxes, wires, width, height } = layout(tree, open);
  out.states[name] = {
    width, height,
    boxes: boxes.map((box) => [box.node.id, box.x, box.y, box.x + box.width, box.y + box.height]),
    headers: boxes.filter((box) => box.kind === "group").flatMap((box) => [
      [box.x + 12, box.y + 6, box.x + 12 + box.named, box.y + 40],
      [box.axis + box.told - box.toldWidth, box.y + 6, box.axis + box.told, box.y + 40]]),
    wires,
  };
}
console.log(JSON.stringify(out));
"""


@pytest.mark.skipif(NODE is None, reason="no node to run the layout with")
@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_in_the_layout_meets(name):
    _check(network(blueprint(name)))


@pytest.mark.skipif(NODE is None, reason="no node to run the layout with")
@pytest.mark.parametrize("seed", range(12))
def test_nothing_meets_in_any_network(seed):
    _check(network(_random(seed)))


def _random(seed):
    """A Blueprint's JSON of nested groups whose leaves are joined by chance."""
    chance = np.random.default_rng(seed)
    rows, leaves = [], []

    def add(parent, depth):
        index = len(rows)
        path = f"{rows[parent]['path']}.m{index}".lstrip(".") if parent is not None else ""
        group = parent is None or (depth < 4 and chance.random() < 0.35)
        row = {"id": path, "path": path, "cls": "Group" if group else str(chance.choice(["Linear", "add", "ReLU"]))}
        row |= {"parent": parent, "kind": "module", "depth": depth, "leaf": not group, "own_params": 0}
        row |= {"inputs": [[1, 4]], "outputs": [[1, 4]], "params": 3, "macs": 9, "activation_bytes": 16}
        rows.append(row)
        for _ in range(chance.integers(1, 7) if group else 0):
            add(index, depth + 1)
        if not group:
            leaves.append(path)

    add(None, 0)
    edges = [("input:0", leaves[0]), ("input:1", leaves[-1]), (leaves[-1], "output")]
    for i, leaf in enumerate(leaves[1:], 1):
        reach = chance.choice([1, 2, 5, i], size=chance.integers(0, 4))
        edges += [(leaves[max(0, i - int(step))], leaf) for step in reach]
    joined = [{"source": a, "target": b, "shape": [1, 4]} for a, b in edges]
    whole = {"cls": "Random", "params": 3, "macs": 9, "activation_bytes": 16, "inputs": [[1, 4], [1, 4]]}
    return whole | {"outputs": [[1, 4]], "rows": rows, "edges": joined}


def _check(data):
    laid = _laid_out(data)
    around = [_around(node, laid["parents"]) for node in range(len(laid["parents"]))]
    for state, picture in laid["states"].items():
        nodes = [box[0] for box in picture["boxes"]]
        boxes = np.array([box[1:] for box in picture["boxes"]])
        inside = np.array([[other in around[node] for other in nodes] for node in nodes])
        meets = _meets(boxes, boxes)
        assert not (meets & ~inside & ~inside.T).any(), state
        contained = (boxes[None, :, :2] <= boxes[:, None, :2]).all(2) & (boxes[None, :, 2:] >= boxes[:, None, 2:]).all(
            2
        )
        assert contained[inside].all(), state
        assert boxes.min() >= 0 and boxes[:, 2].max() <= picture["width"] and boxes[:, 3].max() <= picture["height"]

        segments, scopes = [], []
        for wire in picture["wires"]:
            for (x1, y1), (x2, y2) in pairwise(wire["points"]):
                assert x1 == x2 or y1 == y2, state
                segments.append([min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)])
                scopes.append(wire["scope"])
        if segments:
            lines = np.array(segments)
            # A wire is inside the frames of its own scope only; its ends stand on their borders.
            own = np.array([[node in around[scope] or node == scope for node in nodes] for scope in scopes])
            assert not (_meets(lines, boxes) & ~own).any(), state
            if picture["headers"]:
                assert not _meets(lines, np.array(picture["headers"])).any(), state
        assert not _shared_lanes(picture["wires"]), state


def _laid_out(data):
    script = str(files("netwright.report").joinpath("viewer.js"))
    done = subprocess.run([NODE, "-e", HARNESS, script], input=json.dumps(data), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _around(node, parents):
    found = set()
    while parents[node] >= 0:
        node = parents[node]
        found.add(node)
    return found


def _meets(some, others):
    """Which of the first overlap which of the second by more than half a pixel; the same box does not meet itself."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    thin = (some[:, 2:] - some[:, :2])[:, None, :] < 0.5  # a line has no width of its own
    found = (np.where(thin, high - low + 0.5, high - low) > 0.5).all(2)
    inner = (some[:, None, :2] > others[None, :, :2] + 0.5) & (some[:, None, 2:] < others[None, :, 2:] - 0.5)
    found &= (~thin | inner).all(2)
    return found & ~np.eye(*found.shape, dtype=bool) if some is others else found


def _shared_lanes(wires):
    """Vertical stretches of two different tensors' lanes in one place."""
    lanes = {}
    for wire in wires:
        if wire["lane"]:
            points = wire["points"]
            stretches = [(a, b) for a, b in pairwise(points) if a[0] == b[0]]
            (x, y1), (_, y2) = max(stretches, key=lambda pair: (pair[0][0], abs(pair[0][1] - pair[1][1])))
            lanes.setdefault((wire["scope"], x), []).append((min(y1, y2), max(y1, y2), (wire["from"], wire["port"])))
    return [
        (one, other)
        for found in lanes.values()
        for i, one in enumerate(found)
        for other in found[:i]
        if one[2] != other[2] and min(one[1], other[1]) - max(one[0], other[0]) > 0.5
    ]


# The page


def _browse(page, folder, fragment="selftest"):
    """What the page says of itself after its own test, and what the browser complained of."""
    place = folder / "viewer.html"
    place.write_text(page, encoding="utf-8")
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-extensions",
    ]
    command += ["--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    done = subprocess.run([*command, f"{place.as_uri()}#{fragment}"], capture_output=True, text=True, timeout=120)
    said = re.search(r'data-selftest="([^"]*)"', done.stdout)
    assert said, done.stderr[-2000:]
    return json.loads(html.unescape(said[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page with")
@pytest.mark.parametrize("name", ["resnet50", "swin_t", "densenet121"])
def test_page_in_a_browser(name, tmp_path):
    said, complaints = _browse(render_viewer(blueprint(name)), tmp_path)
    assert not complaints and not said["errors"]
    assert said["requests"] == 0
    assert said["collapsed"] < said["first"] <= said["expanded"]
    assert said["opened"] > said["collapsed"] == said["closed"]
    assert said["moved"] <= 1 and said["focused"]  # what was opened stayed in its place
    assert said["layout"] < 1000
    assert said["colours"] == 3 and said["found"] and said["details"]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page with")
def test_hostile_names_in_a_browser(tmp_path):
    said, complaints = _browse(render_viewer(hostile(), title=HOSTILE), tmp_path)
    assert not complaints and not said["errors"]
    assert said["elements"] == 2  # the page's own two scripts, and no element out of a name
