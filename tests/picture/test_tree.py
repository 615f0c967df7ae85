"""The folded tree: what is drawn as one, that nothing is lost, and that the wires join what is there."""

import pytest
import torch
from torch import nn

import netwright as nw
from netwright.inspect import inspect
from netwright.picture import tree
from tests.picture.networks import NETWORKS, blueprint, by_chance

ALL = (*NETWORKS, "decoder")


def of(module, *shapes):
    return tree(inspect(module, tuple(torch.zeros(shape) for shape in shapes)).to_json())


def walk(kids):
    for kid in kids:
        yield kid
        yield from walk(kid.get("k", []))


def named(data, name):
    return next(kid for kid in walk(data["kids"]) if kid["n"] == name)


def words(data, kid):
    return data["classes"][kid["c"]]


# Nothing is lost


@pytest.mark.parametrize("name", ALL)
def test_holds_every_parameter_and_mac(name):
    source = blueprint(name)
    data = tree(source)
    assert sum(kid.get("M", 0) * kid.get("r", 1) for kid in data["kids"]) == source["macs"]
    known = {row["own_params"] for row in source["rows"]}
    for kid in walk(data["kids"]):
        if "k" in kid:
            inside = sum(inner.get("P", 0) * inner.get("r", 1) for inner in kid["k"])
            tiled = {"x", "u"} & kid.keys()
            assert kid.get("P", 0) - inside in ({0} if tiled else known)
            assert kid.get("M", 0) >= sum(inner.get("M", 0) * inner.get("r", 1) for inner in kid["k"])
    top = sum(kid.get("P", 0) * kid.get("r", 1) for kid in data["kids"])
    assert top + source["rows"][0]["own_params"] == source["params"]


@pytest.mark.parametrize("name", [*ALL, *range(12)])
def test_wires_join_what_is_there(name):
    """Each goes forward between children or ports; a port of a group is used both inside it and outside."""
    data = tree(blueprint(name) if isinstance(name, str) else by_chance(name))
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


# Repeats


def test_equal_blocks_fold_once_with_the_entry_edge():
    blocks = named(tree(blueprint("gpt2")), "h.0–11")
    assert blocks["r"] == 12 and "l" not in blocks
    assert [kid["n"] for kid in blocks["k"]] == ["ln_1", "attn", "add", "ln_2", "mlp", "add"]
    pairs = {(wire[0], wire[2]) for wire in blocks["e"]}
    assert pairs == {(-1, 0), (0, 1), (1, 2), (-1, 2), (2, 3), (3, 4), (4, 5), (2, 5), (5, 6)}


def test_pairs_fold():
    """Swin's shifted and unshifted windows, in turn: the stage of six is one of three pairs."""
    data = tree(blueprint("swin_t"))
    pairs = named(data, "5.0–5")
    assert (pairs["r"], [kid["n"] for kid in pairs["k"]]) == (3, ["5.0", "5.1"])
    assert words(data, pairs) == "pairs of SwinTransformerBlock"


def test_a_tensor_that_every_copy_reads_has_one_port():
    data = tree(blueprint("decoder"))
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

    heads = named(of(Heads(), (2, 4)), "heads.0–2")
    assert (heads["r"], heads["l"]) == (3, 1)


def test_a_container_of_one_is_that_one():
    data = of(nn.Sequential(nn.Sequential(nn.Linear(4, 4)), nn.Flatten()), (2, 4))
    assert [(kid["n"], words(data, kid)) for kid in data["kids"]][1] == ("0.0", "Linear")


def test_a_kernel_of_attention_is_called_so():
    data = tree(blueprint("gpt2"))
    attention = named(data, "attention")
    assert words(data, attention) == "sdpa"
    assert data["tones"][attention["c"]] == "violet"


# Chains


def chains(module, *shapes):
    return [(kid["n"], kid["h"]) for kid in of(module, *shapes)["kids"] if "h" in kid]


def test_a_call_of_nothing_but_a_chain_is_closed_too():
    """GoogLeNet's BasicConv2d."""
    data = tree(blueprint("googlenet"))
    stem = named(data, "conv1")
    assert stem["h"] == 1 and [kid["n"] for kid in stem["k"]] == ["conv", "bn"]
    assert "h" not in named(data, "inception3a")


def test_a_convolution_with_its_norm_and_activation_is_one_and_closed():
    data = tree(blueprint("resnet50"))
    stem = named(data, "conv1 · bn1 · relu")
    assert stem["h"] == 1 and words(data, stem) == "Conv2d · BatchNorm2d · ReLU"
    assert [kid["n"] for kid in stem["k"]] == ["conv1", "bn1", "relu"]
    assert stem["P"] == 64 * 3 * 49 + 2 * 64


def test_equal_chains_fold():
    layers = [layer for _ in range(3) for layer in (nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())]
    kids = of(nn.Sequential(*layers, nn.Flatten()), (1, 4, 8, 8))["kids"]
    assert [(kid["n"], kid.get("r", 1)) for kid in kids] == [("input", 1), ("0–5", 3), ("6", 1), ("output", 1)]


def test_norm_activation_convolution_is_a_chain_too():
    names = [kid["n"] for kid in named(tree(blueprint("densenet121")), "denselayer1")["k"]]
    assert names == ["norm1 · relu1 · conv1", "norm2 · relu2 · conv2"]


def test_no_chain_where_something_else_reads_what_flows_in_it():
    class Tap(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm, self.act = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU()

        def forward(self, x):
            before = self.norm(self.conv(x))
            return self.act(before) + before

    assert chains(Tap().eval(), (1, 4, 5, 5)) == [("conv · norm", 1)]


# Similar ones


def test_layers_of_growing_width_are_one_group_of_the_real_ones():
    """DenseNet's: each reads 32 channels more than the one before it."""
    source = blueprint("densenet121")
    data = tree(source)
    block = named(data, "denseblock1")
    alike = next(kid for kid in block["k"] if "x" in kid)
    assert (alike["n"], alike["x"], "r" in alike) == ("denselayer1–6", 6, False)
    assert words(data, alike) == "_DenseLayer, 64→224 channels"
    assert [kid["n"] for kid in alike["k"]] == [f"denselayer{k}" for k in range(1, 7)]
    rows = {row["path"]: row for row in source["rows"]}
    real = [rows[f"features.denseblock1.denselayer{k}"] for k in range(1, 7)]
    assert alike["P"] == sum(row["params"] for row in real)
    assert [kid["M"] for kid in alike["k"]] == [row["macs"] for row in real]


def test_stages_that_a_skip_leaves_stay_apart():
    """A U-Net's are alike in build, but each has its own skip: the picture is of them."""
    names = [kid["n"] for kid in tree(blueprint("unet"))["kids"]]
    assert {"enc1", "enc2", "enc3", "enc4", "up1", "up2", "up3", "up4"} < set(names)


def test_two_of_a_kind_stay_apart():
    kids = of(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3), nn.Flatten()), (2, 4))["kids"]
    assert [kid["n"] for kid in kids] == ["input", "0", "1", "2", "output"]
    more = of(nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 6), nn.Linear(6, 3), nn.Flatten()), (2, 4))
    (alike,) = [kid for kid in more["kids"] if "x" in kid]
    assert (alike["n"], words(more, alike)) == ("0–2", "Linear, 8→3 features")


# Names, shapes, costs


class Halves(nn.Module):
    """Reads the rows of a map by halves, as Swin's merging of patches does."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 2)

    def forward(self, x):
        return self.linear(torch.cat([x[:, 0::2], x[:, 1::2]], -1))


def test_a_wire_has_the_shape_that_leaves_its_source():
    """Not that of the views which the reader makes of it."""
    data = of(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Sequential(Halves(), nn.ReLU())), (1, 6, 3))
    assert [data["shapes"][edge[-1]] for edge in data["edges"]] == ["1×6×3", "1×6×4", "1×3×2"]


def test_paths_are_those_of_the_rows():
    from netwright.picture.nodes import read_tree

    for name in ("densenet121", "t5", "maskrcnn", "resnet50"):
        source = blueprint(name)
        nodes = read_tree(tree(source)).all[1:]
        ids = {row["id"] for row in source["rows"]} | {"output", *(f"input:{k}" for k in range(3))}
        assert {node.path for node in nodes} <= ids


def test_sizes_are_symbols_where_they_were_asked_for():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.MaxPool2d(2), nn.Flatten(2))
    data = tree(nw.inspect(net, "3,32,32", symbolic=True).to_json())
    assert next(data["shapes"][edge[-1]] for edge in data["edges"]) == "B×3×H×W"
    assert "B×8×⌈H/2⌉×⌈W/2⌉" in data["shapes"]


def test_latency_is_there_where_the_rows_have_it():
    source = inspect(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), torch.zeros(1, 4)).to_json()
    source = {key: value for key, value in source.items() if key != "latency_ms"}
    source["rows"] = [{**row, "latency_ms": None} for row in source["rows"]]
    assert tree(source)["totals"]["L"] == 0
    for k, row in enumerate(source["rows"]):
        row["latency_ms"] = 0.75 if k == 0 else 0.25
    data = tree(source)
    assert data["totals"]["L"] == 0.75
    assert sum(kid.get("L", 0) for kid in data["kids"]) == 0.75
