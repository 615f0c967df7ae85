"""Limits are hard: what comes back is within them, measured anew, or the least that can be reached is said."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from netwright.advise import BudgetError, default_spec, fit_to_budget, propose, propose_within
from netwright.advise.defaults import ANCHORS, choose_size
from netwright.advise.facts import facts_of
from netwright.advise.networks import count, file_bytes, network
from netwright.advise.quarter import LIMITS, TOLERANCE, quarter
from netwright.advise.scales import SCALES, coarse_levels, ladder
from netwright.design import Brief, Budget, Spec
from netwright.errors import InputError
from netwright.inspect import measure_memory

from . import samples

DATA = {
    "image": samples.DIGITS,
    "table": samples.table(20_000, 8, (5,), 3),
    "text": samples.REVIEWS,
    "segmentation": samples.masks(400, 32),
    "detection": samples.STREETS,
}


def data_of(family: str):
    return DATA[SCALES[family].modality]


def default_of(family: str) -> tuple[Spec, dict]:
    profile, contract = data_of(family)
    return default_spec(family, profile, contract), contract


@settings(max_examples=25, deadline=None)
@given(family=st.sampled_from(list(ANCHORS)), share=st.floats(0.001, 1.5), name=st.sampled_from(["params", "flops"]))
def test_random_limits_are_met_or_the_error_says_truthfully_how_far_it_goes(family, share, name):
    start, contract = default_of(family)
    counts = count(start, contract)
    whole = counts.params if name == "params" else 2 * counts.macs
    limit = max(1, int(share * whole))
    try:
        sized = fit_to_budget(family, contract, Budget(**{name: limit}), start)
    except BudgetError as error:
        least = error.smallest[family][name]
        assert least > limit
        reached = [
            count(Spec(family, {**start.args, **ladder(family, contract, coarse)[0]}), contract)
            for coarse in coarse_levels(family, contract)
        ]
        assert least <= min(c.params if name == "params" else 2 * c.macs for c in reached)
        return
    found = count(sized.spec, contract)
    assert (found.params if name == "params" else 2 * found.macs) <= limit
    assert found.params <= counts.params or share < 1
    assert sized.margins[name] <= 1.0
    assert sized.cost["params"].value == found.params and sized.cost["params"].how == "counted"


@pytest.mark.parametrize("family", ANCHORS)
def test_a_quarter_of_the_default_parameters_and_flops_is_met_and_used(family):
    start, contract = default_of(family)
    counts = count(start, contract)
    sized = fit_to_budget(family, contract, Budget(params=counts.params // 4), start)
    assert 0.25 * counts.params / 5 < sized.cost["params"].value <= counts.params / 4
    sized = fit_to_budget(family, contract, Budget(flops=2 * counts.macs // 4), start)
    assert sized.cost["flops"].value <= 2 * counts.macs / 4


@pytest.mark.parametrize("family", ANCHORS)
def test_limits_that_hold_change_nothing(family):
    start, contract = default_of(family)
    sized = fit_to_budget(family, contract, Budget(params=10**12, flops=10**15), start)
    assert sized.spec == start
    assert fit_to_budget(family, contract, Budget(time_s=5), start).spec == start


def test_masks_see_a_thousand_batches_before_the_network_grows():
    profile, contract = samples.masks(1000, 96)
    facts = facts_of(profile, Brief(budget=Budget(time_s=60.0)), contract)
    assert choose_size("unet", {}, contract, facts, 8, "unet_resnet").passes == 16.0  # 16,000 images in all
    profile, contract = samples.DIGITS
    facts = facts_of(profile, Brief(budget=Budget(time_s=1.0)), contract)
    assert choose_size("resnet", {}, contract, facts, 64).passes < 9  # 1,797 images


def test_the_next_rung_would_break_the_limit():
    start, contract = default_of("mlp")
    limit = count(start, contract).params // 3
    sized = fit_to_budget("mlp", contract, Budget(params=limit), start)
    rungs = [Spec("mlp", {**start.args, **args}) for args in ladder("mlp", contract)]
    params = [count(spec, contract).params for spec in rungs]
    assert sized.cost["params"].value == max(p for p in params if p <= limit)


def test_several_limits_hold_at_once():
    start, contract = default_of("resnet")
    budget = Budget(params=30_000, flops=1_000_000, size_bytes=90_000, memory_bytes=400_000)
    sized = fit_to_budget("resnet", contract, budget, start)
    module = network(sized.spec, contract)
    found = count(sized.spec, contract)
    assert found.params <= 30_000 and 2 * found.macs <= 1_000_000
    assert len(save({k: v.contiguous() for k, v in module.state_dict().items()})) <= 90_000
    assert measure_memory(module, {"x": torch.zeros(1, 1, 8, 8)}).peak_bytes <= 400_000
    assert set(sized.margins) == {"params", "flops", "size", "memory"}


@pytest.mark.parametrize("family", ANCHORS)
def test_the_size_of_the_weights_file_is_counted_to_the_byte(family):
    start, contract = default_of(family)
    module = network(start, contract)
    state = {name: value.contiguous() for name, value in module.state_dict().items()}
    assert file_bytes(network(start, contract, "meta")) == len(save(state))


def test_a_coarser_look_is_taken_where_flops_would_stunt_the_network():
    profile, contract = samples.images(50_000, 64, channels=3)
    start = default_spec("vit", profile, contract, Brief(budget=Budget(time_s=1e6)))
    flops = 2 * count(start, contract).macs
    sized = fit_to_budget("vit", contract, Budget(flops=flops // 4), start)
    assert sized.spec.args["patch_size"] == 2 * start.args["patch_size"]
    assert sized.cost["flops"].value <= flops / 4
    assert sized.cost["params"].value > 0.5 * count(start, contract).params


def test_the_look_of_the_start_is_kept_while_it_fits():
    profile, contract = samples.MNIST_5K
    start = default_spec("resnet", profile, contract, Brief(budget=Budget(time_s=120)))
    sized = fit_to_budget("resnet", contract, Budget(params=count(start, contract).params // 2), start)
    assert sized.spec.args["stem"] == start.args["stem"]
    assert 2 * count(sized.spec, contract).macs <= 2 * count(start, contract).macs


def test_smaller_images_are_tried_only_where_they_are_allowed():
    profile, contract = samples.images(20_000, 128, channels=3)
    start = default_spec("mobilenetv3", profile, contract)
    least = 2 * min(
        count(Spec("mobilenetv3", {**start.args, **ladder("mobilenetv3", contract, coarse)[0]}), contract).macs
        for coarse in coarse_levels("mobilenetv3", contract)
    )
    budget = Budget(flops=least // 2)
    with pytest.raises(BudgetError):
        fit_to_budget("mobilenetv3", contract, budget, start)
    sized = fit_to_budget("mobilenetv3", contract, budget, start, image_sizes=(96, 64))
    assert sized.contract["image_size"] in (96, 64)
    assert 2 * count(sized.spec, sized.contract).macs <= least // 2


def test_numeric_embeddings_give_way_to_a_limit():
    profile, contract = samples.DIAMONDS
    start = next(c for c in propose(profile, Brief(), contract).candidates if c.name == "mlp-piecewise")
    sized = fit_to_budget("mlp", contract, Budget(params=400), start.spec, overlay=start.overlay)
    assert sized.spec.args["numeric"] == "raw" and sized.cost["params"].value <= 400


def test_all_candidates_are_made_to_fit_and_say_so():
    profile, contract = samples.DIGITS
    fitted = propose_within(profile, Brief(budget=Budget(params=20_000, time_s=120)), contract)
    assert len(fitted.candidates) >= 3
    assert len({candidate.family for candidate, _ in fitted.candidates}) >= 2
    for candidate, sized in fitted.candidates:
        assert candidate.spec == sized.spec
        assert count(candidate.spec, contract).params <= 20_000
        assert any(r["rule"] == "S0.1" and "20,000" in r["text"] for r in candidate.reasons)
    assert len({str(candidate.spec) for candidate, _ in fitted.candidates}) == len(fitted.candidates)


def test_without_limits_the_proposal_is_kept():
    profile, contract = samples.DIABETES
    brief = Brief(budget=Budget(time_s=120))
    fitted = propose_within(profile, brief, contract)
    plain = propose(profile, brief, contract)
    assert [c.spec for c, _ in fitted.candidates] == [c.spec for c in plain.candidates]
    assert [c.recipe for c, _ in fitted.candidates] == [c.recipe for c in plain.candidates]


def test_families_that_do_not_fit_are_replaced_and_rejected_with_their_least():
    profile, contract = samples.PHOTOS
    fitted = propose_within(profile, Brief(budget=Budget(params=3000, time_s=120)), contract)
    assert len({candidate.family for candidate, _ in fitted.candidates}) >= 2
    rejected = {r["family"]: r for r in fitted.rejected}
    assert rejected["mobilenetv3"]["rule"] == "S0.1"
    assert "params ≤ 3,000" in rejected["mobilenetv3"]["reason"] and "12," in rejected["mobilenetv3"]["reason"]


def test_an_impossible_limit_names_the_least_of_every_family():
    profile, contract = samples.REVIEWS
    with pytest.raises(BudgetError) as error:
        propose_within(profile, Brief(budget=Budget(params=100, time_s=120)), contract)
    assert not isinstance(error.value, InputError)
    assert set(error.value.smallest) == {"textcnn", "bilstm", "text_transformer"}
    assert all(values["params"] > 100 for values in error.value.smallest.values())
    assert "params ≤ 100" in str(error.value) and "textcnn: params" in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("family", ANCHORS)
def test_a_quarter_of_the_default_is_met_when_measured_after_the_fact(family):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        results = quarter(family)
        if any(r.limit == "latency" and not r.met for r in results):  # clocks are noisy: once more
            results = [r for r in results if r.limit != "latency"] + quarter(family, ("latency",))
    finally:
        torch.set_num_threads(threads)
    assert {r.limit for r in results} == set(LIMITS)
    for result in results:
        assert result.got <= TOLERANCE[result.limit] * result.asked, result.note or result
