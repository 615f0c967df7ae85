"""Detectors: which are proposed for which boxes, and what the boxes' sizes decide."""

import pytest

from netwright.advise import propose_within
from netwright.advise.candidates import propose
from netwright.advise.facts import facts_of
from netwright.advise.networks import count, example, fixed, network
from netwright.advise.recipe import recipe_of
from netwright.advise.rules import RULES, applying
from netwright.design import Brief, Budget

from . import samples

LONG = Budget(time_s=3600)


def families(data, **brief):
    proposal = propose(data[0], Brief(task="detection", **brief), data[1])
    return [c.family for c in proposal.candidates], {r["family"]: r["rule"] for r in proposal.rejected}, proposal


def test_one_stage_is_the_default_and_detr_wants_many_images():
    chosen, rejected, proposal = families(samples.STREETS)
    assert chosen == ["retinanet", "yolox", "faster_rcnn"] and rejected == {"detr": "D4"}
    assert any(note["rule"] == "D7" for note in proposal.notes)
    profile, contract = samples.boxes(100_000, 64)
    spoken = {r.id for r in applying(RULES, facts_of(profile, Brief(task="detection", budget=LONG), contract))}
    assert "D4b" in spoken and not spoken & {"D4", "D3d"}


def test_limits_favour_yolox_and_small_crowded_objects_two_stages():
    assert families(samples.STREETS, budget=Budget(params=300_000, time_s=60))[0][0] == "yolox"
    found = {}
    for data in (samples.boxes(400, 64, small=0.4), samples.boxes(400, 64, small=0.1, objects=30.0)):
        facts = facts_of(data[0], Brief(task="detection", budget=LONG), data[1])
        found[facts["objects"]] = sum(r.prefer.get("faster_rcnn", 0.0) for r in applying(RULES, facts))
    assert found == {3.0: 1.0, 30.0: 3.0}


@pytest.mark.parametrize(("small", "finest", "scale"), [(0.2, 4, 1.5), (0.9, 8, 3.5)])
def test_anchors_and_maps_follow_the_sizes_of_objects(small, finest, scale):
    chosen, _, proposal = families(samples.boxes(400, 64, small=small))
    args = proposal.candidates[0].spec.args
    assert chosen[0] == "retinanet" and args["finest"] == finest and args["anchor_scale"] == scale
    reasons = [r["text"] for r in proposal.candidates[0].reasons if r["rule"] == "D5"]
    assert reasons and f"stride of {finest}" in reasons[0]


def test_candidates_hold_limits_and_are_counted_before_they_choose_among_boxes():
    profile, contract = samples.STREETS
    brief = Brief(task="detection", budget=Budget(params=150_000, flops=60_000_000, time_s=60))
    for candidate, sized in propose_within(profile, brief, contract).candidates:
        counted = count(sized.spec, contract)
        assert counted.params <= 150_000 and 2 * counted.macs <= 60_000_000
        module = network(sized.spec, contract)
        seen = fixed(module)
        assert seen is not module and seen.state_dict().keys() == module.state_dict().keys()
        assert isinstance(seen(**example(contract, of=module)), tuple) and candidate.recipe.augment[0] == "flip_boxes"


def test_grey_images_are_not_mirrored():
    facts = {"modality": "detection", "task": "detection", "rows": 400, "classes": 3, "device": "cpu", "colour": False}
    recipe, reasons = recipe_of("retinanet", 100_000, facts)
    assert reasons["augment"]["rule"] == "D6b" and "flip" not in str(recipe.augment)
    assert recipe.label_smoothing == recipe.mixup == 0.0
