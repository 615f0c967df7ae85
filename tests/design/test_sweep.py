"""Every family and preset there is: published parameter counts on the meta device, YAML and back."""

import pytest
import torch

from netwright.design import Design, Spec, build, json_schema, registry, yaml_text
from netwright.design.resolve import CONTRACT

FAMILIES = list(registry().families.values())
PRESETS = list(registry().presets)
EXPECTED = {
    *("resnet", "convnext", "mobilenetv3", "vit", "cct"),
    *("mlp", "tabular_resnet", "ft_transformer", "textcnn", "bilstm", "text_transformer"),
}
SMALL = {
    "vision": {"in_channels": 3, "image_size": 64, "num_classes": 7},
    "segmentation": {"in_channels": 3, "image_size": 64, "num_classes": 7},
    "tabular": {"num_features": 5, "cardinalities": [3, 4], "num_classes": 7},
    "text": {"vocab_size": 99, "max_length": 32, "num_classes": 7},
}


def test_the_families_of_the_literature_are_there():
    assert set(registry().families) >= EXPECTED


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_published_number_of_parameters(name):
    family, preset = registry().presets[name]
    published = family.presets[preset]
    assert set(published) <= {"args", "inputs", "params", "source"} and published["source"]
    with torch.device("meta"):
        net = build(name)
    assert sum(p.numel() for p in net.parameters()) == published["params"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_written_out_goes_through_yaml(name):
    family, preset = registry().presets[name]
    for spec in (Spec(name), Spec(family.name, family.presets[preset]["args"])):
        text = yaml_text.write(spec.to_data())
        assert Spec.from_data(yaml_text.plain(yaml_text.read(text))) == spec
        inputs = {**SMALL[family.modality], **family.presets[preset].get("inputs", {})}
        inputs = {k: v for k, v in inputs.items() if k not in spec.args}
        design = Design(spec, inputs=inputs)
        assert Design.loads(design.dumps()) == design


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_a_family_takes_what_the_data_give(family):
    """`inputs` name every input of the modality; the family takes those that it has use for."""
    assert family.modality in CONTRACT
    needed = {p.name for p in family.parameters.values() if p.required}
    assert needed <= set(CONTRACT[family.modality]) and "num_classes" in family.settable
    with torch.device("meta"):
        net = Design(Spec(family.name), inputs=SMALL[family.modality]).build()
    assert isinstance(net, family.cls)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)
def test_every_default_of_a_family_can_be_written_in_a_file(family):
    properties = json_schema()["$defs"][f"family.{family.name}"]["properties"]
    settable = {n: p for n, p in family.settable.items() if not p.required}
    assert [n for n in settable if "default" not in properties[n]] == []
    written = {n: properties[n]["default"] for n in settable if n not in CONTRACT[family.modality]}
    with torch.device("meta"):
        plain = Design(Spec(family.name), inputs=SMALL[family.modality]).build()
        again = Design(Spec(family.name, written), inputs=SMALL[family.modality]).build()
    assert str(plain) == str(again)
