"""Every Blueprint's JSON has the keys that the schema says, and no others."""

import json

import jsonschema
import pytest
import torch
from torch import nn

from netwright.inspect import capture, growth, inspect, json_schema, sight
from netwright.inspect.schema import OPTIONAL, TOP
from tests.references import torchvision

SCHEMA = jsonschema.Draft202012Validator(json_schema())


class Chooses(nn.Module):
    """Depends on values: captured by a real run."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x) if x.sum() > 0 else self.linear(-x)


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 8)
        self.layers = nn.Sequential(*(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True) for _ in range(2)))
        self.head = nn.Linear(8, 10, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(self.layers(self.embedding(tokens)))


def check(blueprint) -> dict:
    """As it is, and as it is read again from its text: with lists for tuples."""
    said = blueprint.to_json()
    SCHEMA.validate(said)
    SCHEMA.validate(json.loads(json.dumps(said)))
    return said


def asked(net: nn.Module, inputs, axis: str, **options):
    blueprint = inspect(net, inputs, **options)
    blueprint.growth = growth(net, inputs, axis, **options)
    blueprint.sight = sight(net, blueprint, inputs)
    return blueprint


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert set(OPTIONAL) < set(TOP)
    assert all(key.get("description") for key in TOP.values())


def test_a_forward_and_a_training_step():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(2))
    net(torch.zeros(1, 3, 8, 8))
    for train in (False, True):
        said = check(inspect(net, torch.zeros(2, 3, 8, 8), train=train))
        assert said["train"] is train
        assert set(said) == set(TOP) - set(OPTIONAL)


def test_notes_ties_and_what_is_not_counted():
    assert check(inspect(Tokens()))["tied"]
    assert check(inspect(Chooses(), torch.ones(1, 4)))["notes"]

    class Solves(nn.Module):
        def forward(self, x):
            return torch.linalg.svd(x)[1]

    assert check(inspect(Solves(), torch.ones(1, 4, 4)))["not_counted"]


def test_a_bound_and_a_partial_capture(monkeypatch):
    monkeypatch.setattr(capture, "MOST_REAL_BYTES", -1)
    assert "upper bound" in check(inspect(Chooses(), torch.ones(1, 4)))["how"]

    class Stops(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 4)

        def forward(self, x):
            return int(self.linear(x).tolist()[0][0] / 0)

    assert "partial" in check(inspect(Stops(), torch.ones(1, 4)))["how"]


def test_growth_and_field():
    image = asked(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), torch.zeros(1, 3, 16, 16), "resolution", train=True)
    said = check(image)
    assert said["growth"]["unit"] == "pixels"
    assert said["field"]["effective"]["size"] == 3
    text = check(asked(Tokens(), torch.ones(1, 12, dtype=torch.long), "depth"))
    assert text["field"]["attention"][0]["layers"] == 2


def test_a_refused_size():
    class Fixed(nn.Module):
        def forward(self, x):
            return x + 1 if x.shape[0] < 4 else x + torch.zeros(3)

    said = check(asked(Fixed(), torch.zeros(1, 2), "batch"))
    assert said["growth"]["rows"][2]["error"]


@pytest.mark.parametrize("name", ["vit_b_16", "mobilenet_v3_small"])
def test_real_networks(name):
    with torch.device("meta"):
        net = torchvision().models.get_model(name)
    check(asked(net, torch.empty(1, 3, 224, 224, device="meta"), "batch"))


def test_a_key_that_is_not_there_is_an_error():
    said = check(inspect(nn.Linear(4, 4), torch.zeros(1, 4)))
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({**said, "colour": "blue"})
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({key: value for key, value in said.items() if key != "macs"})
    said["rows"][0]["weight"] = 3
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(said)
