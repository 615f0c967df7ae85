"""Every architecture keeps every promise: the sweep over the registry, and the record of it in the docs."""

from dataclasses import asdict

import pytest

from netwright.design import registry
from tests.families.oracles import ELSEWHERE, ORACLES
from tests.families.sweep import TOLERANCE, examine, read

MODALITIES = ("vision", "pretraining", "segmentation", "detection")
VISION = [f for f in registry().families.values() if f.modality in MODALITIES]
QUICK = ["resnet20"]


@pytest.mark.parametrize("family", VISION, ids=lambda f: f.name)
def test_every_family_of_vision_is_compared_with_an_independent_implementation(family):
    compared = [name for name in ORACLES if registry().presets[name][0].name == family.name]
    assert bool(compared) != (family.name in ELSEWHERE), f"{family.name} has no oracle in tests/families/oracles.py"


def test_the_record_is_of_the_networks_that_there_are():
    rows = read()
    assert list(rows) == [name for name in registry().presets if name in ORACLES]
    assert rows.keys() == ORACLES.keys()
    for name, row in rows.items():
        family, preset = registry().presets[name]
        published = family.presets[preset]
        assert (row["params"], row["source"]) == (published["params"], published["source"])
        assert row["reference"] == ORACLES[name].name
        assert max(row["outputs"], row["gradients"]) <= TOLERANCE
        assert set(row["tried"]) == {"bf16", "meta", "compile", "export", "eject"}


@pytest.mark.parametrize("name", QUICK)
def test_what_is_recorded_is_seen_again(name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in ORACLES if n not in QUICK])
def test_the_whole_sweep(name):
    check(name)


def check(name: str) -> None:
    row, kept = asdict(examine(name)), read()[name]
    assert max(row.pop("outputs"), row.pop("gradients")) <= TOLERANCE
    assert row == {key: value for key, value in kept.items() if key in row}
