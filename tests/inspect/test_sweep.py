"""Whatever network there is, a Blueprint comes out: of whole libraries, at least 98 % of their networks.

A Blueprint of a part is a failure here; one labelled as an upper bound is none.
"""

from collections import Counter

import pytest

from netwright.errors import InputError
from netwright.inspect import inspect
from netwright.inspect.capture import BOUND, BY_A_RUN, ON_FAKES, PARTIAL
from tests.inspect.sweep_networks import WHOLES, Make

HANDFUL = {
    "torchvision": {"raft_small": "full", "fasterrcnn_mobilenet_v3_large_320_fpn": "by a run"},
    "timm": {"beit3_base_patch16_224": "full"},
    "transformers": {
        "CLIPModel": "full",
        "ClapModel": "full",
        "LxmertModel": "full",
        "OwlViTForObjectDetection": "full",
        "Qwen2_5_VisionTransformerPretrainedModel": "full",
        "WhisperForConditionalGeneration": "full",
    },
    "PyTorch Geometric": {"PointNet++": "full", "SchNet": "by a run"},
    "diffusers": {"UNet3DConditionModel": "full"},
}


def capture(name: str, make: Make) -> tuple[str, str]:
    """How it was captured, or why it was not."""
    try:
        module, inputs = make()
    except Exception as error:
        return "not made", f"{name} could not be made: {type(error).__name__}: {str(error)[:200]}"
    try:
        blueprint = inspect(module, inputs)
    except InputError as error:
        return "failed", f"{name}: {str(error)[:300]}"
    if blueprint.how == PARTIAL:
        return "partial", f"{name}: {'; '.join(blueprint.notes)[:300]}"
    return {ON_FAKES: "full", BY_A_RUN: "by a run", BOUND: "bound"}[blueprint.how], ""


@pytest.mark.parametrize("whole", HANDFUL)
def test_a_handful(whole):
    made = dict(WHOLES[whole][0]())
    assert {name: capture(name, made[name]) for name in HANDFUL[whole]} == {
        name: (how, "") for name, how in HANDFUL[whole].items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("whole", WHOLES)
def test_of_all_networks_98_in_100(whole, capsys):
    networks, least = WHOLES[whole]
    how, failures = Counter(), []
    for name, make in networks():
        kind, why = capture(name, make)
        how[kind] += 1
        failures += [why] if why else []
    with capsys.disabled():
        print(f"\n{whole}: {how.total()} networks: {', '.join(f'{count} {kind}' for kind, count in how.items())}")
        print(*(f"  {failure}" for failure in failures), sep="\n")
    assert how.total() >= least
    assert len(failures) <= 0.02 * how.total()
