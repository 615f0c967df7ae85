"""The JSON Schema: what it allows, Design.load allows."""

import json

import jsonschema
import pytest

from netwright.design import Design, DesignError, json_schema, registry, yaml_text

from .test_design_file import FILE


@pytest.fixture(scope="module")
def validator():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_it_is_json_and_every_reference_leads_somewhere():
    schema = json_schema()
    text = json.dumps(schema, allow_nan=False)
    assert json.loads(text) == schema
    refs = {part.split('"')[0] for part in text.split('"$ref": "#/$defs/')[1:]}
    assert refs and refs <= set(schema["$defs"])


def test_every_family_with_its_settable_parameters():
    defs = json_schema()["$defs"]
    for name, entry in registry().families.items():
        assert list(defs[f"family.{name}"]["properties"]) == list(entry.settable)
    assert "dim" not in defs["mixer.attention"]["properties"]  # the owner gives it
    assert defs["family.tiny"]["properties"]["dim"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 2**20,
        "default": 8,
    }
    assert defs["family.tiny"]["properties"]["norm"]["default"] == {"layernorm": {"eps": 1e-6}}


TINY = "inputs: {num_features: 2}\n"
VALID = [
    FILE,
    "netwright: 1\nmodel: tiny8\n" + TINY,
    "netwright: 1\nmodel: tiny:8\n" + TINY,
    "netwright: 1\nmodel: {tiny8: {dim: 16}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {channel: null, extras: [rmsnorm, {layernorm: {eps: 0.1}}]}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {window: [1, 2], mode: mean, dropout: 0}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {mixer: {meanmixer: {gain: -2}}}}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nbudget: {time: 1h30min, memory: 64MiB, flops: 1e9, size: 1.5G}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nreasons: []\nrecipe: {ema_decay: null, betas: [0.9, 0.95]}\n" + TINY,
    "netwright: 1\nmodel: tiny8\ntask: {classes: [a, 1, true, 0.5]}\ndata: {source: x.csv}\n" + TINY,
]
INVALID = [
    "model: tiny8\n" + TINY,
    "netwright: 2\nmodel: tiny8\n" + TINY,
    "netwright: 1\n" + TINY,
    "netwright: 1\nmodel: tinny\n" + TINY,
    "netwright: 1\nmodle: tiny8\nmodel: tiny8\n" + TINY,
    "netwright: 1\nmodel: {tiny: {dimm: 3}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {dim: 0}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {dim: true}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {dim: '8'}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {dropout: 1}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {mode: max}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {hook: 1}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {window: [1, 2, 3]}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {mixer: rmsnorm}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {mixer: {attention: {dim: 3}}}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {mixer: null}}\n" + TINY,
    "netwright: 1\nmodel: {tiny: {}, tiny8: {}}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nrecipe: {lr: 0}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nrecipe: {learn: 1}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nrecipe: {augment: [3]}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nbudget: {latency: 5}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nbudget: {time: soon}\n" + TINY,
    "netwright: 1\nmodel: tiny8\ntask: {metric: best}\n" + TINY,
    "netwright: 1\nmodel: tiny8\nreasons: [{rule: a}]\n" + TINY,
    "netwright: 1\nmodel: tiny8\ninputs: {num_features: -1}\n",
]


@pytest.mark.parametrize("text", VALID)
def test_valid_designs(text, validator):
    Design.loads(text)
    errors = [e.message for e in validator.iter_errors(yaml_text.plain(yaml_text.read(text)))]
    assert errors == []


@pytest.mark.parametrize("text", INVALID)
def test_invalid_designs(text, validator):
    with pytest.raises(DesignError):
        Design.loads(text)
    assert not validator.is_valid(yaml_text.plain(yaml_text.read(text)))


def test_what_designs_write_is_valid(validator):
    for text in VALID:
        assert validator.is_valid(Design.loads(text).to_data())
