"""build: names, Specs, dicts and files become modules, or an error with the path of what is wrong."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from netwright.blocks.mixer import Attention
from netwright.design import DesignError, Spec, build
from netwright.design.resolve import resolve


def error(target, **given) -> DesignError:
    with pytest.raises(DesignError) as caught:
        build(target, **given)
    return caught.value


def test_a_preset_with_the_inputs_of_its_paper():
    net = build("tiny8")
    assert net.embed.in_features == 3 and net.embed.out_features == 8
    assert build("tiny:wide").mixers[0].num_heads == 4


def test_arguments_over_the_preset():
    net = build("tiny:wide", num_classes=5, mixer={"attention": {"num_heads": 2}}, norm="rmsnorm")
    assert net.head.out_features == 5 and net.mixers[0].num_heads == 2
    assert isinstance(net.norm, nn.RMSNorm) and net.embed.out_features == 16


def test_a_slot_given_anew_keeps_nothing_of_the_presets():
    assert build("tiny:wide", mixer="attention").mixers[0].num_heads == 1  # 16 channels: one head


def test_a_spec_a_dict_and_python_say_the_same():
    args = {"num_features": 3, "mixer": {"attention": {"num_heads": 2}}, "norm": "rmsnorm"}
    texts = {
        str(build(Spec("tiny", args))),
        str(build({"tiny": args})),
        str(build("tiny", num_features=3, mixer=functools.partial(Attention, num_heads=2), norm=nn.RMSNorm)),
        str(build("tiny", num_features=np.int64(3), mixer=Spec("attention", {"num_heads": 2}), norm="RMSNorm")),
    }
    assert len(texts) == 1


def test_slots_are_classes_or_partials_of_them():
    args = resolve(Spec("tiny", {"num_features": 3, "mixer": {"attention": {"num_heads": 2}}})).args
    factory = args["mixer"].factory()
    assert isinstance(factory, functools.partial)
    assert factory.func is Attention and factory.keywords == {"num_heads": 2}
    assert resolve(Spec("tiny8", {"num_features": 3, "mixer": "attention"})).args["mixer"].factory() is Attention


def test_lists_optional_slots_and_lists_of_slots():
    net = build("tiny8", widths=[1, 2, 3], window=[3, 4], channel=None, extras=["rmsnorm", {"layernorm": {}}])
    assert net.args["widths"] == (1, 2, 3) and net.args["window"] == (3, 4) and net.channel is None
    assert [type(e) for e in net.extras] == [nn.RMSNorm, nn.LayerNorm]
    assert isinstance(build("tiny8", channel="gatedfeedforward").channel, nn.Module)


def test_nested_slots():
    net = build("tiny8", channel={"feedforward": {"activation": {"leakyrelu": {"negative_slope": 0.2}}}})
    assert net.channel.act.negative_slope == 0.2


def test_blocks_build_too():
    block = build("transformerblock", dim=16, mixer={"attention": {"num_heads": 4}})
    assert block(torch.zeros(1, 3, 16)).shape == (1, 3, 16)


def test_the_data_s_inputs_are_taken_where_there_is_use_for_them():
    net = build("tiny:wide", inputs={"num_features": 7, "num_classes": 3, "cardinalities": [2, 2]})
    assert net.embed.in_features == 9 and net.head.out_features == 3
    assert error("tiny", inputs={"num_clases": 3}).nearest == "num_classes"
    assert "num_features is missing" in str(error("tiny:wide", inputs={"num_classes": 3}))


def test_an_input_that_the_model_contradicts():
    wrong = error({"tiny": {"num_features": 4}}, inputs={"num_features": 5})
    assert wrong.path == "model.tiny.num_features" and "inputs.num_features is 5" in wrong.fix
    assert build({"tiny": {"num_features": 4}}, inputs={"num_features": 4}).embed.in_features == 4


@pytest.mark.parametrize("as_text", [str, Path])
def test_a_design_file(tmp_path, as_text):
    file = tmp_path / "design.yaml"
    file.write_text("netwright: 1\nmodel: {tiny: {dim: 24}}\ninputs: {num_features: 5}\n")
    assert build(as_text(file)).embed.out_features == 24
    assert build(as_text(file), dim=32, num_features=6).embed.in_features == 6
    assert build(as_text(file), inputs={"num_features": 9}).embed.in_features == 9
    assert build({"netwright": 1, "model": "tiny", "inputs": {"num_features": 2}}).embed.in_features == 2


# target, arguments, path, what the message says
WRONG = [
    ("tiny8", {"dimm": 3}, "model.tiny8", "did you mean dim?"),
    ("tiny8", {"dim": 0}, "model.tiny8.dim", "0 is out of range"),
    ("tiny8", {"dim": 1.5}, "model.tiny8.dim", "1.5 is not allowed"),
    ("tiny8", {"dim": 8.0}, "model.tiny8.dim", "a whole number"),
    ("tiny8", {"dim": True}, "model.tiny8.dim", "true is not allowed"),
    ("tiny8", {"dim": "8"}, "model.tiny8.dim", "'8' is not allowed"),
    ("tiny8", {"dim": None}, "model.tiny8.dim", "null is not allowed"),
    ("tiny8", {"dim": 10**5000}, "model.tiny8.dim", "a whole number of 16610 bits is out of range"),
    ("tiny8", {"dropout": 1}, "model.tiny8.dropout", "0 ≤ x < 1"),
    ("tiny8", {"dropout": 10**5000}, "model.tiny8.dropout", "out of range"),
    ("tiny8", {"dropout": float("nan")}, "model.tiny8.dropout", "nan is out of range"),
    ("tiny8", {"dropout": "none"}, "model.tiny8.dropout", "a number"),
    ("tiny8", {"bias": 1}, "model.tiny8.bias", "true or false"),
    ("tiny8", {"note": 1}, "model.tiny8.note", "text"),
    ("tiny8", {"mode": "men"}, "model.tiny8.mode", "did you mean mean?"),
    ("tiny8", {"mode": True}, "model.tiny8.mode", "one of sum, mean"),
    ("tiny8", {"widths": 3}, "model.tiny8.widths", "a list, each a whole number"),
    ("tiny8", {"widths": [1, "x"]}, "model.tiny8.widths[1]", "'x' is not allowed"),
    ("tiny8", {"widths": {"a": 1, "b": 2}}, "model.tiny8.widths", "a list"),
    ("tiny8", {"window": [1, 2, 3]}, "model.tiny8.window", "has 3 items"),
    ("tiny8", {"hook": 3}, "model.tiny8.hook", "in Python only"),
    ("tiny8", {"mixer": "layernorm"}, "model.tiny8.mixer", "fits a slot for norm"),
    ("tiny8", {"mixer": "atention"}, "model.tiny8.mixer", "did you mean attention?"),
    ("tiny8", {"mixer": None}, "model.tiny8.mixer", "null is not allowed"),
    ("tiny8", {"mixer": 3}, "model.tiny8.mixer", "a mixer (its name, or {name: {arguments}})"),
    ("tiny8", {"mixer": ""}, "model.tiny8.mixer", "names no block"),
    ("tiny8", {"mixer": {"a": {}, "b": {}}}, "model.tiny8.mixer", "names no block"),
    ("tiny8", {"mixer": {"attention": 3}}, "model.tiny8.mixer", "names no block"),
    ("tiny8", {"mixer": {3: {"a": 1}}}, "model.tiny8.mixer", "names no block"),
    (
        "tiny8",
        {"mixer": {"attention": {"heads": 2}}},
        "model.tiny8.mixer.attention",
        "did you mean num_heads?",
    ),
    ("tiny8", {"mixer": {"attention": {"dim": 2}}}, "model.tiny8.mixer.attention.dim", "leave it out"),
    (
        "tiny8",
        {"mixer": {"attention": {"num_heads": 0}}},
        "model.tiny8.mixer.attention.num_heads",
        "0 is out of range",
    ),
    (
        "tiny8",
        {"mixer": {"attention": {"num_heads": 3}}},
        "model.tiny8.mixer.attention",
        "multiple of num_heads",
    ),
    ("tiny8", {"dim": 193}, "model.tiny8", "multiple of num_heads"),  # the default mixer's: not in the design
    ("tiny8", {"mode": "mean", "depth": 3}, "model.tiny8", "mode mean goes with depth 1 or 2"),
    (
        "tiny8",
        {"channel": {"feedforward": {"activation": {"leakyrelu": {"negative_slop": 0}}}}},
        "model.tiny8.channel.feedforward.activation.leakyrelu",
        "did you mean negative_slope?",
    ),
    ("tiny8", {"extras": ["rmsnorm", "nonorm"]}, "model.tiny8.extras[1]", "is no norm"),
    (
        "tiny8",
        {"channel": {"feedforward": {"activation": {"gelu": {"approximate": "tan"}}}}},
        None,
        "mean tanh?",
    ),
    ("tiny", {}, "model.tiny", "num_features is missing"),
    ("tinny", {}, "model", "did you mean tiny?"),
    ("", {}, "model", "names no block"),
    ({"tiny": 3}, {}, "model", "names no block"),
    ({"tiny": {}, "other": {}}, {}, "model", "names no block"),
    ({}, {}, "model", "names no block"),
    ({3: {}}, {}, "model", "names no block"),
    ("attention", {}, "model.attention", "dim is missing"),
    (3, {}, "", "3 can't be built"),
    (None, {}, "", "null can't be built"),
    ("no/such/design.yaml", {}, None, "there is no such file"),
]


@pytest.mark.parametrize(("target", "given", "path", "says"), WRONG)
def test_what_is_wrong_is_said_with_its_path(target, given, path, says):
    wrong = error(target, **given)
    assert says in str(wrong)
    if path is not None:
        assert wrong.path == path
    assert len(str(wrong)) < 2000


def test_an_error_carries_the_value_and_what_is_allowed():
    wrong = error("tiny8", dropout=2)
    assert wrong.value == 2 and wrong.allowed == "0 ≤ x < 1" and wrong.path == "model.tiny8.dropout"


def test_blocks_nest_but_not_without_end():
    inner: str | dict = "attention"
    for _ in range(3):
        inner = {"twice": {"inner": inner}}
    assert sum(isinstance(m, Attention) for m in build("tiny8", mixer=inner).modules()) == 8
    for _ in range(100):
        inner = {"twice": {"inner": inner}}
    assert "nested more than 32 deep" in str(error("tiny8", mixer=inner))


def test_a_programming_error_in_a_block_stays_what_it_is(monkeypatch):
    def broken(self, dim):
        raise KeyError("a bug")

    monkeypatch.setattr(Attention, "__init__", broken)
    with pytest.raises(KeyError):
        build("tiny8")


def test_the_constructor_s_own_error_is_the_cause():
    assert isinstance(error("tiny8", mode="mean", depth=3).__cause__, ValueError)
