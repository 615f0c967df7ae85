"""The registry: what there is, found by looking."""

import functools
import json

import pytest
import torch
from torch import nn

import netwright.blocks.activation
from netwright.blocks.mixer import Attention
from netwright.design import DesignError, blocks, families, presets, registry
from netwright.design.errors import plain_name
from netwright.design.ranges import ANY, range_of
from netwright.design.types import INT, Many, Slot, check, takes_number


def test_blocks_are_listed_by_the_kind_of_slot_that_they_fit():
    fitting = registry().fitting("activation")
    assert set(fitting) == {n.lower() for n in netwright.blocks.activation.__all__}
    assert fitting["gelu"].cls is nn.GELU
    assert registry().fitting("mixer")["attention"].cls is Attention
    assert {"layernorm", "rmsnorm"} <= set(registry().fitting("norm"))


def test_what_fits_no_slot_is_a_block_and_is_listed_once():
    found = [e for e in registry() if e.name == "transformerblock"]
    assert [e.kind for e in found] == ["block"]
    assert not any(e.cls is Attention for e in registry() if e.kind == "block")


def test_a_class_may_fit_several_kinds():
    kinds = {e.kind for e in registry() if e.cls is nn.Identity}
    assert {"norm", "scale"} <= kinds


def test_parameters_come_from_the_signature():
    parameters = registry().fitting("mixer")["attention"].parameters
    assert list(parameters) == ["dim", "num_heads", "qkv_bias", "dropout", "position"]
    assert parameters["dim"].required and parameters["dim"].type == INT
    assert str(parameters["num_heads"].type) == "a whole number or null"
    assert parameters["dropout"].default == 0.0 and str(parameters["dropout"].range) == "0 ≤ x < 1"
    slot = registry().blocks["transformerblock"].parameters["mixer"].slot
    assert slot == Slot("mixer", 1)


def test_torchs_own_switches_are_hidden_and_untyped_parameters_are_read_from_their_defaults():
    norm = registry().fitting("norm")["layernorm"]
    assert set(norm.parameters) == {"normalized_shape", "eps", "elementwise_affine", "bias"}
    assert "inplace" not in registry().fitting("activation")["relu"].parameters
    tiny = registry().families["tiny"]
    assert tiny.parameters["rest"].type == INT
    assert "hook" in tiny.parameters and "hook" not in tiny.settable


def test_the_plug_in_is_there_and_its_faults_are_said(plug_in_warnings):
    tiny = registry().families["tiny"]
    assert tiny.modality == "tabular" and set(tiny.presets) == {"8", "wide"}
    assert registry().fitting("mixer")["meanmixer"].parameters["gain"].default == 1.0
    text = "\n".join(plug_in_warnings)
    assert len(plug_in_warnings) == 3
    assert "the mixer attention is there already" in text
    assert "norm.broken" in text and "unnamed" in text
    assert registry().fitting("mixer")["attention"].cls is Attention


@pytest.mark.parametrize("name", ["tiny", "Tiny", "TINY", "ti-ny", "t_i_n_y"])
def test_look_ups_ignore_case_underscores_and_dashes(name):
    assert registry().family(name) == (registry().families["tiny"], None)


@pytest.mark.parametrize("name", ["tiny8", "tiny:8", "Tiny_8", "TINY:8"])
def test_a_preset_by_both_of_its_names(name):
    assert registry().family(name) == (registry().families["tiny"], "8")


def test_unknown_names_say_the_nearest_right_one():
    with pytest.raises(DesignError, match="did you mean tiny:wide") as caught:
        registry().family("tyny:wyde".replace(":", ""), "model")
    assert caught.value.nearest == "tiny:wide" and caught.value.path == "model"
    with pytest.raises(DesignError, match="'huge' is no preset of tiny"):
        registry().family("tiny:huge")
    with pytest.raises(DesignError, match=r"layernorm is no mixer \(it fits a slot for norm\)"):
        registry().block("layernorm", "mixer")
    with pytest.raises(DesignError, match="did you mean layernorm"):
        registry().block("layrnorm", "norm")
    with pytest.raises(DesignError, match="transformerblock is no norm"):
        registry().block("transformerblock", "norm")


def test_classes_and_partials_have_names():
    names = registry()
    assert names.name_of(Attention) == "attention"
    nested = functools.partial(functools.partial(Attention, num_heads=2), dropout=0.1)
    assert names.name_of(nested) == {"attention": {"num_heads": 2, "dropout": 0.1}}
    with pytest.raises(DesignError, match="keyword arguments only"):
        names.name_of(functools.partial(Attention, 8))
    with pytest.raises(DesignError, match="not in the registry"):
        names.name_of(torch.nn.Linear)


def test_the_lists_are_plain_data():
    data = json.loads(json.dumps([families(), presets(), blocks()], allow_nan=False))
    tiny = next(f for f in data[0] if f["name"] == "tiny")
    assert tiny["doc"] == "A tiny network: for tests." and tiny["presets"] == ["tiny8", "tiny:wide"]
    by_name = {p["name"]: p for p in tiny["parameters"]}
    assert by_name["norm"]["default"] == {"layernorm": {"eps": 1e-6}} and by_name["norm"]["slot"] == "norm"
    assert by_name["num_features"]["required"] and by_name["depth"]["range"] == "1 ≤ x ≤ 4,096"
    wide = next(p for p in data[1] if p["name"] == "tiny:wide")
    assert wide["args"]["dim"] == 16 and wide["inputs"] == {"num_features": 3, "num_classes": 2}
    assert next(b for b in data[2] if b["name"] == "gelu")["kind"] == "activation"


def test_every_entry_has_a_docstring():
    assert [e.name for e in registry() if not e.doc] == []


def test_every_default_is_a_value_that_is_allowed():
    for entry in registry():
        for p in entry.settable.values():
            if not p.required and p.slot is None:
                check(p.default, p.type, f"{entry.name}.{p.name}", p.range)


def test_every_number_has_a_range():
    free = {"alpha", "init", "gain", "rest", "normalized_shape", "widths", "window"}
    unknown = {
        f"{e.name}.{p.name}"
        for e in registry()
        for p in e.settable.values()
        if takes_number(p.type) and p.name not in free and p.range == ANY
    }
    assert unknown == set()
    assert range_of("image_dropout") == range_of("dropout") and range_of("key_dim") == range_of("dim")


def test_every_block_fits_its_slot():
    """The owner's arguments are exactly those that the block needs, or may have."""
    arities = {p.slot.kind: p.slot.arity for e in registry() for p in e.parameters.values() if p.slot is not None}
    wrong = {e.name for e in registry() if e.kind in arities and not e.fits(arities[e.kind])}
    assert wrong == set()


def test_no_two_presets_or_families_are_called_alike():
    names = [*registry().families, *registry().presets]
    assert len({plain_name(n) for n in names}) == len(names)


def test_lists_of_slots_are_slots():
    extras = registry().families["tiny"].parameters["extras"]
    assert isinstance(extras.type, Many) and extras.slot == Slot("norm", 1)


def test_a_backbone_is_a_vision_family_or_a_preset_of_one():
    backbones = registry().fitting("backbone")
    assert {"resnet", "convnext", "vit"} <= set(backbones) and "mlp" not in backbones
    assert registry().block("resnet50", "backbone") == (backbones["resnet"], "50")
    with pytest.raises(DesignError, match="mlp has no features"):
        registry().block("mlp", "backbone")
