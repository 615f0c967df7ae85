"""What is proposed: enough, varied, buildable, reasoned; and what the rules say on known data sets."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netwright.advise import default_spec, facts_of, propose, rule
from netwright.advise.defaults import ANCHORS, families_of, largest, target_params
from netwright.advise.networks import count
from netwright.advise.scales import SCALES
from netwright.design import Brief, Budget
from netwright.design.resolve import resolve_inputs
from netwright.errors import InputError

from . import samples

TWO_MINUTES = Brief(budget=Budget(time_s=120))

any_data = st.one_of(
    st.builds(
        samples.images,
        rows=st.integers(6, 300_000),
        side=st.sampled_from([1, 5, 8, 16, 28, 32, 64, 96]),
        channels=st.sampled_from([1, 3]),
        classes=st.integers(2, 100),
    ),
    st.builds(
        samples.table,
        rows=st.integers(4, 3_000_000),
        numeric=st.integers(0, 400),
        cardinalities=st.lists(st.integers(2, 500), min_size=1, max_size=5).map(tuple),
        classes=st.integers(1, 12),
    ),
    st.builds(
        samples.texts,
        rows=st.integers(10, 500_000),
        length=st.integers(1, 64),
        vocabulary=st.integers(2, 5000),
        classes=st.integers(2, 20),
    ),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_data, st.sampled_from([None, 20.0, 120.0, 7200.0]))
def test_at_least_three_candidates_of_two_families_that_all_build(data, seconds):
    profile, contract = data
    brief = Brief(budget=Budget(time_s=seconds))
    proposal = propose(profile, brief, contract)
    assert len(proposal.candidates) >= 3
    assert len({c.family for c in proposal.candidates}) >= 2
    assert len({c.name for c in proposal.candidates}) == len(proposal.candidates)
    points = [c.points for c in proposal.candidates]
    assert points == sorted(points, reverse=True)
    for candidate in proposal.candidates:
        resolve_inputs(candidate.spec, contract)  # every argument known and in its range
        assert count(candidate.spec, contract).params == candidate.default_cost["params"].value
        assert candidate.recipe.batch_size >= 1 and candidate.recipe.steps >= 1
        assert all(r["rule"] == "brief" or rule(r["rule"]) for r in candidate.reasons)
        assert all(r["text"] and "unknown" not in r["text"] and "{" not in r["text"] for r in candidate.reasons)
    seen = {c.family for c in proposal.candidates} | {r["family"] for r in proposal.rejected}
    assert seen == set(families_of(profile.modality))
    json.dumps([proposal.rejected, proposal.notes, proposal.facts])


def test_digits_get_a_residual_network_with_a_small_stem():
    proposal = propose(samples.DIGITS[0], TWO_MINUTES, samples.DIGITS[1])
    first = proposal.candidates[0]
    assert first.family == "resnet" and first.spec.args["stem"] == "smallstem"
    assert 60_000 <= first.default_cost["params"].value <= 300_000
    assert first.default_cost["seconds_a_pass"].value < 2
    assert "flip" not in str(first.recipe.augment)


def test_mnist_5k_gets_a_residual_network_that_can_train_in_time():
    first = propose(samples.MNIST_5K[0], TWO_MINUTES, samples.MNIST_5K[1]).candidates[0]
    assert first.family == "resnet" and first.spec.args["stem"] in ("smallstem", {"smallstem": {"stride": 2}})
    assert 40_000 <= first.default_cost["params"].value <= 300_000
    assert first.default_cost["seconds_a_pass"].value < 3


def test_masks_get_u_nets_of_two_kinds():
    proposal = propose(samples.SHAPES[0], TWO_MINUTES, samples.SHAPES[1])
    assert [c.name for c in proposal.candidates] == ["unet-resnet", "unet", "fpn"]
    assert {"G1", "G2"} <= {r["rule"] for r in proposal.candidates[1].reasons}
    notes = {note["rule"]: note["text"] for note in proposal.notes}
    assert "Dice" in notes["G3"] and "random forest" in notes["G6"] and "S0.4" not in notes
    assert all(c.recipe.loss is None and c.recipe.batch_size == 8 for c in proposal.candidates)


def test_segformer_wants_many_images_and_deeplab_large_ones():
    few = {r["family"]: r for r in propose(samples.SHAPES[0], TWO_MINUTES, samples.SHAPES[1]).rejected}
    assert few["segformer"]["rule"] == "G8" and "400 images" in few["segformer"]["reason"]
    assert few["deeplabv3plus"]["rule"] == "G9" and "64 pixels" in few["deeplabv3plus"]["reason"]
    profile, contract = samples.masks(20_000, 192)
    many = propose(profile, Brief(budget=Budget(time_s=1e4)), contract).candidates
    assert many[0].family == "unet" and {"segformer", "deeplabv3plus"} <= {c.family for c in many}


def test_a_vit_is_rejected_on_few_images_with_the_numbers_unless_asked_for():
    profile, contract = samples.DIGITS
    rejected = {r["family"]: r for r in propose(profile, TWO_MINUTES, contract).rejected}
    assert rejected["vit"]["rule"] == "S2.4"
    assert "1,797" in rejected["vit"]["reason"] and "1,000,000" in rejected["vit"]["reason"]
    assert rejected["mobilenetv3"]["rule"] == "V5" and "8×8" in rejected["mobilenetv3"]["reason"]
    asked = propose(profile, Brief(prefer=("ViT",)), contract)
    assert asked.candidates[0].family == "vit"
    assert "vit" not in {r["family"] for r in asked.rejected}


def test_a_vit_is_proposed_on_millions_of_images():
    profile, contract = samples.images(2_000_000, 64, channels=3)
    assert "vit" in {c.family for c in propose(profile, Brief(budget=Budget(time_s=1e7)), contract).candidates}


def test_few_rows_get_small_plain_networks_and_the_linear_model_is_named_first():
    profile, contract = samples.DIABETES
    proposal = propose(profile, TWO_MINUTES, contract)
    assert proposal.candidates[0].name == "mlp"
    assert proposal.candidates[0].default_cost["params"].value < 20_000
    assert proposal.candidates[0].spec.args["dropout"] == 0.3
    assert any(n["rule"] == "S5.6" and "linear" in n["text"] for n in proposal.notes)


def test_many_rows_get_numeric_embeddings():
    proposal = propose(samples.DIAMONDS[0], TWO_MINUTES, samples.DIAMONDS[1])
    names = [c.name for c in proposal.candidates]
    assert names[0] == "tabm-piecewise" and "mlp-piecewise" in names


def test_long_texts_leave_out_the_lstm_with_the_numbers():
    profile, contract = samples.texts(40_000, 1500, 1000)
    rejected = {r["family"]: r["reason"] for r in propose(profile, TWO_MINUTES, contract).rejected}
    assert "1,500 steps" in rejected["bilstm"]


def test_excluded_families_are_left_out_and_all_of_them_is_an_error():
    profile, contract = samples.DIABETES
    brief = Brief(exclude=("mlp", "tabm"))
    proposal = propose(profile, brief, contract)
    assert {"mlp", "tabm"}.isdisjoint(c.family for c in proposal.candidates)
    assert {"family": "mlp", "rule": "brief", "reason": "You excluded it."} in proposal.rejected
    with pytest.raises(InputError, match="no family is left"):
        propose(profile, Brief(exclude=families_of("table")), contract)


def test_a_preference_for_another_modality_is_an_error():
    with pytest.raises(InputError, match="vit is a family for images"):
        propose(samples.DIABETES[0], Brief(prefer=("vit",)), samples.DIABETES[1])


@pytest.mark.parametrize("family", ANCHORS)
def test_more_rows_never_call_for_fewer_parameters(family):
    wanted = [
        target_params(family, {"rows": rows, "modality": SCALES[family].modality})
        for rows in (10, 100, 900, 1100, 10_000, 1_000_000)
    ]
    assert wanted == sorted(wanted)


def test_less_time_never_gives_a_costlier_network():
    profile, contract = samples.MNIST_5K
    macs = [
        count(default_spec("resnet", profile, contract, Brief(budget=Budget(time_s=seconds))), contract).macs
        for seconds in (10, 60, 600, 36_000)
    ]
    assert macs == sorted(macs) and macs[0] < macs[-1]


def test_bisection_finds_the_largest():
    assert [largest(5, lambda i, k=k: i < k) for k in range(6)] == [-1, 0, 1, 2, 3, 4]
    assert largest(0, lambda i: False) == -1


def test_facts_hold_the_numbers_of_the_data():
    facts = facts_of(samples.DIAMONDS[0], Brief(budget=Budget(params=1000)), samples.DIAMONDS[1])
    assert (facts["numeric"], facts["categorical"], facts["features"], facts["max_cardinality"]) == (6, 3, 9, 9)
    assert facts["limited"] and facts["limits"] == "params ≤ 1k"
    assert not facts_of(samples.DIAMONDS[0], TWO_MINUTES, samples.DIAMONDS[1])["limited"]
