"""The Blueprint: tree by call, parameters once, edges, folded rows; and the module is left as it was."""

import json

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import count_params, inspect, weights_bytes


class Residual(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.linear = nn.Linear(dim, dim)

    def forward(self, x):
        return x + self.linear(self.norm(x))


class Network(nn.Module):
    """One activation called twice, four equal blocks, a head whose weight is the embedding's."""

    def __init__(self, dim: int = 8, depth: int = 4):
        super().__init__()
        self.embed = nn.Embedding(10, dim)
        self.relu = nn.ReLU(inplace=True)
        self.blocks = nn.ModuleList([Residual(dim) for _ in range(depth)])
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(dim, 10, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.ones(3))

    def forward(self, tokens):
        x = self.relu(self.embed(tokens))
        for block in self.blocks:
            x = block(x)
        return self.head(self.drop(self.relu(x)))


@pytest.fixture
def blueprint():
    return inspect(Network(), torch.zeros(2, 5, dtype=torch.long))


def test_rows_are_calls(blueprint):
    rows = {row.id: row for row in blueprint.rows}
    assert len(rows) == len(blueprint.rows)
    assert [row.id for row in blueprint.children(blueprint.rows[0])] == [
        "embed", "relu", "blocks.0", "blocks.1", "blocks.2", "blocks.3", "relu:2", "drop", "head",
    ]  # fmt: skip
    assert [row.id for row in blueprint.children(rows["blocks.1"])] == [
        "blocks.1.norm", "blocks.1.linear", "blocks.1.add",
    ]  # fmt: skip
    assert rows["head"].inputs == [[2, 5, 8]]
    assert rows["head"].outputs == [[2, 5, 10]]
    assert [rows[key].depth for key in ("Network", "blocks.0", "blocks.0.norm")] == [0, 1, 2]
    assert rows["blocks.0.add"].kind == "op"
    assert rows["blocks.0"].leaf is False
    assert rows["blocks.0.linear"].leaf is True


def test_rows_sum_to_their_parents(blueprint):
    for row in blueprint.rows:
        children = blueprint.children(row)
        if children:
            for number in ("params", "macs", "activation_bytes"):
                own = row.own_params if number == "params" else 0
                assert getattr(row, number) == own + sum(getattr(child, number) for child in children), row.id
    assert blueprint.activation_bytes == 4 * (10 * 8 + 4 * (3 * 80 + 2 * 10) + 10 * 10)  # the norms keep mean, rstd


def test_tied_weights_count_once(blueprint):
    assert blueprint.params == 10 * 8 + 4 * (8 * 8 + 3 * 8) == count_params(Network())
    assert blueprint.tied == [["embed.weight", "head.weight"]]
    assert {row.id: row.own_params for row in blueprint.rows}["head"] == 0
    assert blueprint.weights_bytes == 4 * (blueprint.params + 3) == weights_bytes(Network())
    assert blueprint.buffers == 3


def test_frozen_parameters_are_told_apart():
    module = Network()
    module.blocks.requires_grad_(False)
    blueprint = inspect(module, torch.zeros(2, 5, dtype=torch.long))
    assert blueprint.trainable == 80 == count_params(module, trainable_only=True)


def test_edges_follow_the_residuals(blueprint):
    edges = [(edge.source, edge.target) for edge in blueprint.edges]
    assert edges[:7] == [
        ("input:0", "embed"),
        ("embed", "relu"),
        ("relu", "blocks.0.norm"),
        ("blocks.0.norm", "blocks.0.linear"),
        ("relu", "blocks.0.add"),
        ("blocks.0.linear", "blocks.0.add"),
        ("blocks.0.add", "blocks.1.norm"),
    ]
    assert edges[-4:] == [
        ("blocks.3.add", "relu:2"),
        ("relu:2", "drop"),
        ("drop", "head"),
        ("head", "output"),
    ]
    assert blueprint.edges[-1].shape == (2, 5, 10)


class Split(nn.Module):
    """Two halves of one projection go different ways; one of them through modules that pass it unchanged."""

    def __init__(self):
        super().__init__()
        self.both = nn.Linear(4, 8)
        self.left = nn.Identity()
        self.right = nn.Linear(4, 4)

    def forward(self, x):
        left, right = self.both(x).chunk(2, dim=-1)
        return torch.cat([self.left(left), self.right(right)], dim=-1)


def test_edges_tell_views_apart():
    edges = {(edge.source, edge.target) for edge in inspect(Split(), torch.zeros(2, 4)).edges}
    assert edges == {
        ("input:0", "both"),
        ("both", "left"),
        ("both", "right"),
        ("left", "cat"),
        ("right", "cat"),
        ("cat", "output"),
    }


class IntoBuffer(nn.Module):
    """Results are written into slices of one buffer."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(8, 2)

    def forward(self, x):
        buffer = x.new_zeros(len(x), 8)
        buffer[:, :4] = self.a(x)
        buffer[:, 4:] = self.b(x)
        return self.head(buffer)


def test_edges_through_memory_written_in_slices():
    edges = {(edge.source, edge.target) for edge in inspect(IntoBuffer(), torch.zeros(2, 4)).edges}
    assert edges == {
        ("input:0", "a"),
        ("input:0", "b"),
        ("a", "copy"),
        ("b", "copy"),
        ("copy", "head"),
        ("head", "output"),
    }


def test_repeats_fold(blueprint):
    folded = blueprint.folded()
    blocks = next(row for row in folded if row.cls == "Residual")
    assert (blocks.name, blocks.repeat, blocks.times) == ("0..3", 4, 4)
    assert [row.name for row in folded] == [
        "", "embed", "relu", "0..3", "norm", "linear", "add", "relu", "drop", "head",
    ]  # fmt: skip
    assert sum(row.own_params * row.times for row in folded) == blueprint.params
    assert sum(row.macs * row.times for row in folded if row.leaf) == blueprint.macs
    assert [row.depth for row in blueprint.folded(max_depth=1)] == [0, 1, 1, 1, 1, 1, 1]


def test_differing_siblings_do_not_fold():
    module = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4, bias=False))
    assert [(row.name, row.repeat) for row in inspect(module, torch.zeros(2, 4)).folded()] == [
        ("", 1), ("0..1", 2), ("2", 1),
    ]  # fmt: skip


def test_a_leaf_holds_its_operators():
    """MultiheadAttention never calls its output projection as a module: all is the leaf's own."""
    module = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.zeros(2, 5, 8)
    blueprint = inspect(module, {"query": x, "key": x, "value": x, "need_weights": False})
    assert [row.id for row in blueprint.rows] == ["MultiheadAttention"]
    assert blueprint.params == count_params(module) == 4 * 64 + 4 * 8
    assert blueprint.macs == 2 * 5 * (4 * 64 + 2 * 5 * 8)


def test_a_single_leaf():
    blueprint = inspect(nn.Linear(3, 2), (torch.zeros(4, 3),))
    assert [(edge.source, edge.target) for edge in blueprint.edges] == [
        ("input:0", "Linear"),
        ("Linear", "output"),
    ]
    assert (blueprint.rows[0].params, blueprint.macs) == (8, 24)


def test_meta_and_cpu_agree():
    def look(device: str) -> dict:
        with torch.device(device):
            return {**inspect(Network(), torch.zeros(2, 5, dtype=torch.long)).to_json(), "device": ""}

    assert look("cpu") == look("meta")


def test_json(blueprint):
    data = json.loads(json.dumps(blueprint.to_json()))
    assert data["macs"] == blueprint.macs == data["flops"] // 2 == 2 * 5 * (4 * 64 + 80)
    assert data["rows"][1]["id"] == "embed"
    assert data["edges"][0] == {"source": "input:0", "target": "embed", "shape": [2, 5]}


def test_repr(blueprint):
    assert repr(blueprint) == "Blueprint of Network: 432 parameters, 3,360 MACs, 18 calls"


class Outputs(nn.Module):
    """Keyword inputs, None among them, and a dict as output."""

    def forward(self, x_num, x_cat=None, scale=2.0):
        return {"logits": x_num * scale, "hidden": [x_num, x_num + 1], "none": x_cat}


def test_structured_inputs_and_outputs():
    blueprint = inspect(Outputs(), {"x_num": torch.zeros(3, 2), "x_cat": None})
    assert blueprint.inputs == [[3, 2]]
    assert blueprint.outputs == [[3, 2]] * 3


def test_the_module_is_left_as_it_was():
    module = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 2)).train()
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.random.get_rng_state()
    inspect(module, torch.randn(8, 4, generator=torch.Generator().manual_seed(0)))
    assert [part.training for part in module.modules()] == [True, True, False, True]
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_failing_forward_names_the_module():
    module = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Linear(5, 2))).train()
    with pytest.raises(InputError, match=r"1\.1: the forward failed: RuntimeError"):
        inspect(module, torch.zeros(2, 4))
    assert module.training
    assert not any(part._forward_hooks for part in module.modules())
    assert torch.backends.mha.get_fastpath_enabled()
