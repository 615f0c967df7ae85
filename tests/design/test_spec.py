"""Spec: plain data, both ways."""

import functools

import numpy as np
import pytest

from netwright.blocks.mixer import Attention
from netwright.design import DesignError, Spec


def test_every_way_to_give_a_slot_is_one_spec():
    expected = Spec("tiny", {"mixer": {"attention": {"num_heads": 3}}, "norm": "rmsnorm"})
    inner = Spec("attention", {"num_heads": 3})
    assert Spec("tiny", {"mixer": inner, "norm": {"rmsnorm": {}}}) == expected
    assert Spec("tiny", {"mixer": inner.to_data(), "norm": {"rmsnorm": None}}) == expected
    assert Spec("tiny", {"mixer": functools.partial(Attention, num_heads=3), "norm": "rmsnorm"}) == expected
    assert hash(Spec("tiny", {"mixer": inner, "norm": Spec("rmsnorm")})) == hash(expected)


def test_plain_values():
    spec = Spec("tiny", {"widths": (1, np.int64(2)), "channel": None, "list": np.arange(2)})
    assert spec.args == {"widths": [1, 2], "channel": None, "list": [0, 1]}
    assert type(spec.args["widths"][1]) is int


def test_data_both_ways():
    for spec in (Spec("resnet50"), Spec("vit", {"dim": 3, "mixer": {"attention": {"num_heads": 3}}})):
        assert Spec.from_data(spec.to_data()) == spec
    assert Spec("resnet50").to_data() == "resnet50"
    assert Spec.from_data({"vit": None}) == Spec("vit")


def test_an_argument_that_is_null_stays():
    spec = Spec("tiny", {"mixer": {"attention": {"num_heads": None}}, "channel": None})
    assert spec.to_data() == {"tiny": {"mixer": {"attention": {"num_heads": None}}, "channel": None}}


def test_replace_leaves_the_old_one_alone():
    old = Spec("vit", {"dim": 3, "depth": 2})
    assert old.replace(dim=4, norm="rmsnorm") == Spec("vit", {"dim": 4, "depth": 2, "norm": "rmsnorm"})
    assert old == Spec("vit", {"dim": 3, "depth": 2})


def test_it_prints_as_a_call():
    spec = Spec("vit", {"dim": 192, "mixer": {"attention": {"num_heads": 3}}, "norm": "rmsnorm"})
    assert str(spec) == "vit(dim=192, mixer=attention(num_heads=3), norm=rmsnorm)"


@pytest.mark.parametrize("data", [None, 3, "", [], ["vit"], {}, {"a": 1}, {"a": {}, "b": {}}, {1: {}}, True])
def test_what_names_nothing(data):
    with pytest.raises(DesignError, match="names no block") as caught:
        Spec.from_data(data, "model.x")
    assert caught.value.path == "model.x"


def test_names_and_arguments_of_the_wrong_type():
    with pytest.raises(DesignError, match="no name"):
        Spec(3)  # type: ignore[arg-type]
    with pytest.raises(DesignError, match="no arguments"):
        Spec("vit", [1])  # type: ignore[arg-type]
