"""A Blueprint becomes layer rows, edges and types that the report's schema takes and whose sums are right."""

import jsonschema
import pytest
import torch
from torch import nn

from netwright.inspect import inspect
from netwright.picture import mermaid, svg
from netwright.report import from_blueprint, json_schema, render_html
from netwright.report.diagram import blueprint
from netwright.report.fold import totals, tree


class Block(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc = nn.Linear(dim, dim)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return x + self.drop(self.fc(self.norm(x)))


class Net(nn.Module):
    """Three equal blocks, one of them called twice, and a head."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 16)
        self.blocks = nn.ModuleList(Block() for _ in range(3))
        self.shared = Block()
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.shared(self.shared(x)))


@pytest.fixture(scope="module")
def found():
    return from_blueprint(inspect(Net(), torch.zeros(8, 4)).to_json(), "a net")


def test_it_keeps_to_the_schema(found):
    report = {
        "verdict": {"sentence": "It ties."},
        "diagram": found["diagram"],
        "layers": found["layers"],
        "cost": {"by_type": found["by_type"]},
    }
    jsonschema.Draft202012Validator(json_schema()).validate(report)
    assert "a net" in render_html(report)


def test_sums_are_the_networks_whatever_the_batch(found):
    net = Net()
    params = sum(parameter.numel() for parameter in net.parameters())
    macs = 4 * 16 + 5 * 16 * 16 + 16 * 2
    assert found["layers"]["total"]["params"] == params
    assert totals(tree(found["layers"]["rows"])) == {"params": params, "macs": macs}
    assert sum(item["params"] for item in found["by_type"]) == params
    assert sum(item["macs"] for item in found["by_type"]) == macs
    single = from_blueprint(inspect(net, torch.zeros(1, 4)).to_json(), "a net")
    assert single == found


def test_blocks_fold_and_their_residuals_are_lanes(found):
    rows, edges = found["layers"]["rows"], found["diagram"]["edges"]
    names = [(layer.name, layer.repeat) for layer in tree(rows)]
    assert ("blocks[0–2]", 3) in names
    said = blueprint(rows, edges, found["diagram"]["input"])
    drawn = svg(said)
    assert drawn.count("url(#nw-accent)") >= 2
    assert "×3" in mermaid(said)
    assert ">Dropout<" not in drawn


def test_a_second_call_has_its_own_rows(found):
    paths = [row["path"] for row in found["layers"]["rows"]]
    assert len(paths) == len(set(paths))
    assert "shared:2" in paths
    assert any(path.startswith("shared:2.fc") for path in paths)
    second = next(layer for layer in tree(found["layers"]["rows"]) if layer.name == "shared:2")
    assert len(second.children) >= 3
    assert second.params == 0  # counted at its first call


def test_what_was_not_counted_is_said():
    blueprint = inspect(Net(), torch.zeros(8, 4)).to_json()
    blueprint["not_counted"] = [{"op": "aten::strange", "calls": 2, "where": "head"}]
    assert from_blueprint(blueprint)["layers"]["notes"] == [
        "Not counted: aten::strange, 2 calls, first in head; the MACs are a lower bound."
    ]
