"""Two networks side by side: totals, classes, and which layer of the one is which of the other."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.inspect import differences, inspect


def blueprint(*layers: nn.Module):
    return inspect(nn.Sequential(*layers), torch.zeros(2, 4))


def changes(left, right):
    """What differs, as (change, name on the left, name on the right, what), the network itself aside."""
    rows = differences(left, right)["rows"]
    names = [[row[side] and row[side]["name"] for side in ("left", "right")] for row in rows]
    pairs = zip(rows[1:], names[1:], strict=True)
    return [(row["change"], *both, row["changed"]) for row, both in pairs if row["change"] != "same"]


def test_the_same_twice():
    found = differences(blueprint(nn.Linear(4, 4)), blueprint(nn.Linear(4, 4)))
    assert found["identical"] and found["same_wiring"]
    assert found["classes"] == []
    assert all(row["left"] == row["right"] and row["ratio"] == 1 for row in found["totals"])
    assert [row["change"] for row in found["rows"]] == ["same", "same"]


def test_a_wider_layer_and_a_new_one():
    left, right = blueprint(nn.Linear(4, 4)), blueprint(nn.Linear(4, 8), nn.ReLU())
    found = differences(left, right)
    totals = {row["name"]: (row["left"], row["right"], row["ratio"]) for row in found["totals"]}
    assert totals["parameters"] == (20, 40, 2)
    assert totals["MACs"] == (32, 64, 2)
    assert "backward MACs" not in totals
    classes = {row["class"]: row for row in found["classes"]}
    assert classes["Linear"]["right"] == {"calls": 1, "params": 40, "macs": 64}
    assert classes["ReLU"]["left"] == {"calls": 0, "params": 0, "macs": 0}
    assert not found["identical"]
    assert changes(left, right) == [
        ("changed", "0", "0", ["params", "macs", "outputs", "options"]),
        ("added", None, "1", []),
    ]


def test_a_layer_between_others_shifts_their_numbers_only():
    left = blueprint(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    right = blueprint(nn.Linear(4, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))
    assert changes(left, right) == [
        ("added", None, "1", []),
        ("changed", "1", "2", ["name"]),
        ("changed", "2", "3", ["name"]),
    ]


def test_another_class_under_the_same_name():
    class Net(nn.Module):
        def __init__(self, norm: nn.Module):
            super().__init__()
            self.norm, self.head = norm, nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.norm(x))

    nets = [inspect(Net(norm), torch.zeros(2, 4)) for norm in (nn.LayerNorm(4), nn.RMSNorm(4))]
    assert changes(*nets) == [("changed", "norm", "norm", ["class", "params", "options"])]


def test_repeats_are_compared_as_repeats():
    def chain(depth: int):
        return inspect(nn.Sequential(*(nn.Linear(4, 4) for _ in range(depth))), torch.zeros(1, 4))

    assert changes(chain(6), chain(23)) == [("changed", "0..5", "0..22", ["repeat"])]
    (row,) = [row for row in differences(chain(6), chain(23))["rows"] if row["changed"] == ["repeat"]]
    assert [row[side]["repeat"] for side in ("left", "right")] == [6, 23]


def test_options_that_change_nothing_else():
    left, right = blueprint(nn.Dropout(0.1)), blueprint(nn.Dropout(0.2))
    assert changes(left, right) == [("changed", "0", "0", ["options"])]
    assert not differences(left, right)["identical"]


def test_containers_are_seen_through():
    """The same layers under an owner, in a list or a sequence: other names, nothing added or removed."""

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.head = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.stem(x))

    class Nested(Flat):
        def __init__(self):
            super().__init__()
            del self.stem
            self.features = nn.Sequential(nn.Sequential(nn.Linear(4, 8)))

        def forward(self, x):
            return self.head(self.features(x))

    nets = [inspect(net(), torch.zeros(1, 4)) for net in (Flat, Nested)]
    assert changes(*nets) == [("changed", "stem", "features.0.0", ["name"])]


def test_the_same_layers_wired_otherwise():
    class Net(nn.Module):
        def __init__(self, crossed: bool):
            super().__init__()
            self.first, self.second, self.crossed = nn.Linear(4, 4), nn.Linear(4, 4), crossed

        def forward(self, x):
            one = self.first(x)
            return one + self.second(x if self.crossed else one)

    nets = [inspect(Net(crossed), torch.zeros(1, 4)) for crossed in (False, True)]
    found = differences(*nets)
    assert all(row["change"] == "same" for row in found["rows"])
    assert not found["same_wiring"]
    assert not found["identical"]


# Any two chains of layers


LAYERS = {
    "linear": lambda: nn.Linear(4, 4),
    "norm": lambda: nn.LayerNorm(4),
    "relu": nn.ReLU,
    "block": lambda: nn.Sequential(nn.Linear(4, 4), nn.GELU()),
}
names = st.lists(st.sampled_from(list(LAYERS)), min_size=1, max_size=7)


@settings(max_examples=40, deadline=None)
@given(names, names)
def test_no_row_is_lost_or_seen_twice(one, other):
    nets = [blueprint(*(LAYERS[name]() for name in chain)) for chain in (one, other)]
    rows = differences(*nets)["rows"]
    flat = [inspect_leaves(net) for net in nets]
    for side, leaves in zip(("left", "right"), flat, strict=True):
        seen = Counter()
        for row in rows:
            if row[side] and row[side]["class"] != "Sequential":
                seen[row[side]["class"]] += row[side]["times"]
        assert seen == leaves
    assert all((row["left"] is None) == (row["change"] == "added") for row in rows)
    assert all((row["right"] is None) == (row["change"] == "removed") for row in rows)
    assert all(bool(row["changed"]) == (row["change"] == "changed") for row in rows)


def inspect_leaves(found) -> Counter:
    return Counter(row.cls for row in found.rows if row.leaf)


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(1, 7))
def test_what_was_taken_out_is_what_is_removed(data, count):
    """Layers of growing widths: each is only like itself."""
    layers = [nn.Linear(width, width + 1) for width in range(4, 4 + count)]
    kept = data.draw(st.integers(1, count))
    left, right = (inspect(nn.Sequential(*some), torch.zeros(1, 4)) for some in (layers, layers[:kept]))
    found = Counter(row["change"] for row in differences(left, right)["rows"][1:])
    assert found == Counter(["same"] * kept + ["removed"] * (count - kept))


@pytest.mark.parametrize("side", ["left", "right"])
def test_sides_are_mirrored(side):
    small, large = blueprint(nn.Linear(4, 4)), blueprint(nn.Linear(4, 4), nn.ReLU(), nn.LayerNorm(4))
    pair = (small, large) if side == "right" else (large, small)
    found = [row for row in differences(*pair)["rows"] if row["change"] in ("added", "removed")]
    assert [row[side]["class"] for row in found] == ["ReLU", "LayerNorm"]
