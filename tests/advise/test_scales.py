"""The ladders of sizes: buildable, monotone, aligned."""

from itertools import pairwise

import pytest

from netwright.advise.networks import count, example, network
from netwright.advise.scales import SCALES, coarse_levels, ladder
from netwright.advise.widths import halvings, heads, widths
from netwright.design import Spec

CONTRACTS = {
    "image": [
        {"in_channels": 1, "image_size": 8, "num_classes": 10},
        {"in_channels": 1, "image_size": 28, "num_classes": 10},
        {"in_channels": 3, "image_size": 128, "num_classes": 3},
    ],
    "table": [
        {"num_features": 8, "cardinalities": [5, 20], "num_classes": 1},
        {"num_features": 0, "cardinalities": [3], "num_classes": 3},
    ],
    "segmentation": [
        {"in_channels": 1, "image_size": 28, "num_classes": 2},
        {"in_channels": 3, "image_size": 96, "num_classes": 3},
    ],
    "detection": [{"in_channels": 3, "image_size": 64, "num_classes": 2}],
    "text": [{"vocab_size": 500, "max_length": 16, "num_classes": 2}],
}
CASES = [(name, contract) for name, scale in SCALES.items() for contract in CONTRACTS[scale.modality]]
NAMES = [f"{name}-{list(contract.values())[:2]}" for name, contract in CASES]


def family_of(name: str) -> str:
    return name.removeprefix("wide_").removesuffix("_resnet") if name != "tabular_resnet" else name


@pytest.mark.parametrize(("name", "contract"), CASES, ids=NAMES)
def test_every_rung_builds_and_costs_no_less_than_the_one_before(name, contract):
    for coarse in coarse_levels(name, contract):
        # All rungs for one kind of image, every third for the others.
        few = name in ("mobilenetv3", "fpn", "segformer", "deeplabv3plus")
        every = 3 if few or contract.get("image_size", 28) != 28 else 1
        rungs = ladder(name, contract, coarse)[::every]
        counts = [count(Spec(family_of(name), args), contract) for args in rungs]
        for one, two in pairwise(counts):
            assert two.params >= one.params and two.macs >= one.macs and two.size_bytes >= one.size_bytes
        assert counts[-1].params > 50 * counts[0].params or name in ("textcnn", "bilstm", "faster_rcnn", "detr")


@pytest.mark.parametrize(("name", "contract"), CASES, ids=NAMES)
def test_the_smallest_and_a_middle_rung_run(name, contract):
    for coarse in coarse_levels(name, contract):
        rungs = ladder(name, contract, coarse)
        for args in (rungs[0], rungs[len(rungs) // 3]):
            module = network(Spec(family_of(name), args), contract).eval()
            out = module(**example(contract, batch=2, of=module))
            if SCALES[name].modality == "detection":
                assert len(out) == 2 and all(set(one) == {"boxes", "scores", "labels"} for one in out)
                continue
            pixels = [contract["image_size"]] * 2 if SCALES[name].modality == "segmentation" else []
            assert out.shape == (2, contract["num_classes"], *pixels)
            assert out.isfinite().all()


@pytest.mark.parametrize(
    "name", [n for n, s in SCALES.items() if s.modality == "image" or (s.modality == "segmentation" and s.coarser)]
)
def test_a_coarser_look_costs_less(name):
    contract = {"in_channels": 3, "image_size": 64, "num_classes": 10}
    levels = coarse_levels(name, contract)
    assert len(levels) >= 2
    middle = len(ladder(name, contract)) // 2
    macs = [count(Spec(family_of(name), ladder(name, contract, c)[middle]), contract).macs for c in levels]
    assert macs == sorted(set(macs), reverse=True)


def test_widths_are_aligned():
    found = widths(4, 1024)
    assert found[0] == 4 and found[-1] == 1024
    assert all(w % (4 if w < 32 else 8) == 0 for w in found)
    assert list(found) == sorted(set(found))


@pytest.mark.parametrize("dim", [4, 8, 12, 16, 24, 48, 64, 80, 96, 160, 192, 256, 384, 768, 1280])
def test_heads_divide_the_width(dim):
    assert dim % heads(dim) == 0
    assert heads(dim) <= max(1, dim // 16)


def test_heads_have_64_channels_where_the_network_is_wide():
    assert [heads(d) for d in (256, 512, 768, 1280)] == [4, 8, 12, 20]


@pytest.mark.parametrize(
    ("side", "expected"), [(1, 0), (4, 0), (7, 1), (8, 1), (16, 2), (28, 3), (32, 3), (64, 4), (224, 5), (1024, 5)]
)
def test_halvings_leave_a_useful_map(side, expected):
    assert halvings(side) == expected


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7, 9, 13, 17, 33, 50, 100])
@pytest.mark.parametrize("name", [n for n, s in SCALES.items() if s.modality == "image"])
def test_odd_sizes_of_images_are_no_problem(name, side):
    contract = {"in_channels": 2, "image_size": side, "num_classes": 3}
    for coarse in coarse_levels(name, contract):
        out = network(Spec(family_of(name), ladder(name, contract, coarse)[3]), contract).eval()(**example(contract))
        assert out.shape == (1, 3)
