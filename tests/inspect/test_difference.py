"""Two networks side by side."""

import torch
from torch import nn

from netwright.inspect import differences, inspect


def blueprint(*layers: nn.Module):
    return inspect(nn.Sequential(*layers), torch.zeros(2, 4))


def test_the_same_twice():
    found = differences(blueprint(nn.Linear(4, 4)), blueprint(nn.Linear(4, 4)))
    assert found["classes"] == []
    assert all(row["left"] == row["right"] for row in found["totals"])


def test_a_wider_layer_and_a_new_one():
    left, right = blueprint(nn.Linear(4, 4)), blueprint(nn.Linear(4, 8), nn.ReLU())
    found = differences(left, right)
    totals = {row["name"]: (row["left"], row["right"]) for row in found["totals"]}
    assert totals["parameters"] == (20, 40)
    assert totals["MACs"] == (32, 64)
    assert "backward MACs" not in totals
    classes = {row["class"]: row for row in found["classes"]}
    assert classes["Linear"]["right"] == {"calls": 1, "params": 40, "macs": 64}
    assert classes["ReLU"]["left"] == {"calls": 0, "params": 0, "macs": 0}
