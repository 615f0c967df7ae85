"""Latency: the work of operators, their benchmark, what is learnt from it, and rooflines of devices that are not here.

No timing is judged here: what the machine does is only asked to be positive. `make bench` has the errors.
"""

import csv
import json
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from netwright.errors import InputError
from netwright.inspect import DEVICES, Device, add_latency, by_calibration, inspect, training_hours
from netwright.inspect import latency as latency_module
from netwright.inspect.calibration import Calibration, Sample, calibrated, fit, left_out_errors, load, sample, save
from netwright.inspect.capture import as_used
from netwright.inspect.devices import ARITHMETIC, BANDWIDTH, CHECKED, device
from netwright.inspect.figure import Figure
from netwright.inspect.latency import is_model
from netwright.inspect.operators import KINDS, Operator
from netwright.inspect.replay import CallLog, logged, operator_times
from netwright.inspect.roofline import estimate, roofline
from tests.references import timm, torchvision, transformers


def small_gpt() -> tuple[nn.Module, dict]:
    library = transformers()
    config = library.GPT2Config(n_layer=2, n_embd=32, n_head=4, vocab_size=100, n_positions=64)
    return library.GPT2LMHeadModel(config).eval(), {"input_ids": torch.randint(0, 100, (2, 16))}


NETWORKS = {
    "resnet18": lambda: (torchvision().models.resnet18().eval(), torch.randn(1, 3, 64, 64)),
    "mobilenet": lambda: (torchvision().models.mobilenet_v3_small().eval(), torch.randn(1, 3, 64, 64)),
    "swin": lambda: (torchvision().models.swin_t().eval(), torch.randn(1, 3, 64, 64)),
    "gpt2": small_gpt,
    "lstm": lambda: (nn.LSTM(8, 16, 2, batch_first=True).eval(), torch.randn(2, 5, 8)),
    "encoder": lambda: (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2).eval(),
        torch.randn(2, 6, 16),
    ),
}


# The work


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_operators_hold_all_macs(name, train):
    blueprint = inspect(*NETWORKS[name](), train=train)
    assert sum(one.macs * one.calls for one in blueprint.operators) == blueprint.macs + blueprint.backward_macs
    assert {one.kind for one in blueprint.operators} <= set(KINDS)
    assert all(one.macs or one.bytes for one in blueprint.operators)
    totals = blueprint.by_operator()
    assert sum(one["macs"] for one in totals) == blueprint.macs + blueprint.backward_macs
    assert totals == sorted(totals, key=lambda one: (-one["macs"], -one["bytes"]))


def test_bytes_of_a_layer():
    """Inputs, weight, bias and results, each once; a view moves none."""
    module = nn.Sequential(nn.Linear(10, 20), nn.Unflatten(1, (4, 5)), nn.ReLU())
    linear, relu = inspect(module, torch.zeros(3, 10)).operators
    assert (linear.kind, linear.bytes, linear.macs) == ("matrix product", 4 * (30 + 200 + 20 + 60), 600)
    assert (relu.kind, relu.bytes) == ("memory", 4 * (60 + 60))


def test_a_lookup_reads_only_the_rows_asked_for():
    (one,) = inspect(nn.Embedding(1_000_000, 8), torch.zeros(2, 3, dtype=torch.long)).operators
    assert one.bytes == 8 * 6 + 2 * 4 * 48


def test_kinds():
    module = nn.Sequential(nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, groups=2), nn.BatchNorm2d(4), nn.Flatten())
    kinds = [one.kind for one in inspect(module, torch.zeros(1, 4, 8, 8), train=True).operators if one.macs]
    assert set(kinds) == {"convolution", "grouped convolution"}
    assert "normalisation" in {one.kind for one in inspect(module, torch.zeros(1, 4, 8, 8)).operators}


def test_the_optimizers_step_is_work():
    blueprint = inspect(nn.Linear(10, 10), torch.zeros(1, 10), train=True, optimizer="adamw")
    (step,) = (one for one in blueprint.operators if one.phase == "optimizer step")
    assert step.bytes == 7 * 4 * 110


# The operator benchmark


@pytest.mark.parametrize("name", NETWORKS)
def test_the_operators_on_fakes_are_those_of_a_real_run(name):
    module, inputs = NETWORKS[name]()
    held = {tensor.untyped_storage()._cdata for tensor in [*module.parameters(), *module.buffers()]}
    real = CallLog(held)
    args, kwargs = ((), inputs) if isinstance(inputs, dict) else ((inputs,), {})
    with torch.no_grad(), real:
        module(*args, **kwargs)
    found = logged(module, inputs, train=False)
    assert found.counts == real.counts


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_operator_runs_alone(name, train):
    module, inputs = NETWORKS[name]()
    times = operator_times(module, inputs, train, seconds_each=0.0)
    assert times.missed == {}
    assert times.seconds > 0
    assert times.calls >= times.distinct > 0


def test_a_network_larger_than_the_memory_is_read_on_fakes():
    with torch.device("meta"):
        module = nn.Sequential(*(nn.Linear(64, 64, bias=False) for _ in range(1000)))
        module.append(nn.Linear(64, 10**12, bias=False))
    log = logged(module, torch.zeros(1, 64, device="meta"), train=False)
    assert log.counts.total() == 2 * 1001  # a transposition and a product each
    assert len(log.calls) == 4


def test_known_times_are_kept():
    known: dict = {}
    module = nn.Linear(8, 8)
    operator_times(module, torch.zeros(1, 8), known=known, seconds_each=0.0)
    seconds = dict.fromkeys(known, 1.0)
    assert operator_times(nn.Linear(8, 8), torch.zeros(1, 8), known=seconds).seconds == len(known)


def test_a_module_that_reads_values_has_no_operators_on_fakes():
    class Reads(nn.Module):
        def forward(self, x):
            return x * 2 if x.sum().item() > 0 else x

    with pytest.raises(InputError, match="measure the whole network"):
        operator_times(Reads(), torch.ones(3))


# What is learnt from it


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_fit_finds_the_law_in_spite_of_a_disturbance(seed):
    random = np.random.default_rng(seed)
    columns = random.uniform(1, 2, (12, 2)) * [1e-2, 1e3]
    seconds = columns @ [1.1, 2e-6]
    seconds[3] *= 3
    assert fit(columns, seconds) == pytest.approx([1.1, 2e-6], rel=1e-6)
    errors = np.abs(left_out_errors(columns, seconds))
    assert np.delete(errors, 3).max() < 1e-6
    assert errors[3] == pytest.approx(2 / 3)


def work(macs: int) -> list[Operator]:
    return [Operator(0, "mm", "matrix product", "forward", "float32", macs, macs // 10, 5)]


def test_calibrated_predicts_what_it_was_fitted_on():
    samples = [Sample(str(n), 1.2 * n + 1e-5 * 7 * n, n, 7 * n, work(1000 * n)) for n in range(1, 8)]
    found = calibrated(samples, threads=1)
    assert found.networks == 7 and found.error < 1e-9 and found.rates_error < 1e-9
    assert found.of_alone(2.0, 14) == pytest.approx(samples[1].seconds)
    assert found.of_work(work(2000)) == pytest.approx(samples[1].seconds)


def test_a_sample_holds_the_forward_only():
    module, inputs = NETWORKS["lstm"]()
    found = sample("lstm", module, inputs)
    assert found.seconds > 0 and found.alone > 0
    assert {one.phase for one in found.work} == {"forward"}


def test_calibrations_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path / "new"))
    assert load(3).error is None  # never calibrated: the usual figures
    samples = [Sample(str(n), 1.2 * n, n, 7, work(1000 * n)) for n in range(1, 8)]
    found = calibrated(samples, threads=3)
    path = save(found)
    assert load(3) == found and load(2).error is None
    assert [one.name for one in path.parent.iterdir()] == ["calibration-3.json"]
    save(replace(found, machine="another"))
    assert load(3).error is None
    path.write_text("{")
    assert load(3).error is None


def test_an_estimate_by_calibration():
    blueprint = inspect(nn.Linear(10, 10), torch.zeros(1, 10))
    with pytest.raises(InputError, match="netwright calibrate"):
        by_calibration(blueprint, Calibration("here", 1))
    samples = [Sample(str(n), n, n, 7, work(1000 * n)) for n in range(1, 8)]
    assert by_calibration(blueprint, calibrated(samples, 1)).unit == "ms"


# Devices


def test_the_table():
    for name, one in DEVICES.items():
        assert name == one.name == name.lower() and device(name.upper()) is one
        assert 0 < one.memory_gb < 1000 and 1 < one.bandwidth_gb < 20_000
        assert one.peak("float16") >= one.peak("float32") or "float16" not in one.tflops
        assert one.source and one.title


def test_names_are_forgiving_and_unknown_ones_are_said():
    assert device("RTX 4090") is device("rtx-4090") is DEVICES["rtx4090"]
    with pytest.raises(InputError, match="h200"):
        device("h20")


TOY = Device("toy", "a toy", 1, 100, {"float32": 1.0, "float16": 4.0}, 10, "made up")


def test_the_roofline_takes_the_longest():
    def one(macs: int, size: int, dtype: str = "float32") -> float:
        return roofline(Operator(0, "mm", "matrix product", "forward", dtype, macs, size), TOY)

    assert one(10**9, 10) == pytest.approx(2e9 / (ARITHMETIC * 1e12))
    assert one(10**9, 10, "float16") == pytest.approx(2e9 / (ARITHMETIC * 4e12))
    assert one(10**9, 10, "bfloat16") == one(10**9, 10)  # which it lacks
    assert one(10, 10**9) == pytest.approx(1e9 / (BANDWIDTH * 100e9))
    assert one(10, 10) == pytest.approx(10e-6)


def test_rows_add_up():
    blueprint = inspect(*NETWORKS["resnet18"]())
    estimate(blueprint, TOY)
    assert blueprint.rows[0].latency_ms == pytest.approx(blueprint.latency.value)
    for row in blueprint.rows:
        inside = blueprint.children(row)
        assert row.latency_ms >= sum(child.latency_ms for child in inside) * (1 - 1e-9)
    assert blueprint.latency.error is None and "not checked" in blueprint.latency.how


def test_an_error_is_promised_only_for_what_was_checked():
    """Published times are of large batches in half precision; one GPU's in training, the other's of forwards."""
    module = torchvision().models.resnet50()
    half = {"dtype": torch.float16}

    def error(batch: int, name: str, **options) -> float | None:
        blueprint = inspect(module, torch.empty(batch, 3, 224, 224, device="meta"), **options)
        estimate(blueprint, device(name))
        return blueprint.latency.error

    assert error(256, "rtx4090", **half) == 0.09 and error(256, "rtx3090", train=True, **half) == 0.12
    assert error(256, "rtx3090", **half) is None and error(256, "h100", **half) is None
    assert error(1, "rtx4090", **half) is None and error(256, "rtx4090") is None


@pytest.mark.parametrize(
    "name, gpu, same",
    [
        ("a100", "NVIDIA A100-SXM4-80GB", True),
        ("a10", "NVIDIA A100-SXM4-80GB", False),
        ("l4", "NVIDIA L40S", False),
        ("rtx4090", "NVIDIA GeForce RTX 4090", True),
        ("h100-pcie", "NVIDIA H100 PCIe", True),
        ("t4", "Tesla T4", True),
        ("orin-nano", "Orin", False),
    ],
)
def test_a_gpu_is_known_by_its_whole_name(name, gpu, same):
    assert is_model(name, gpu) is same


def test_a_step_takes_longer_than_a_forward():
    module, inputs = NETWORKS["gpt2"]()
    times = []
    for train in (False, True):
        blueprint = inspect(module, inputs, train=train)
        add_latency(blueprint, module, "t4")
        times.append(blueprint.latency.value)
    assert times[1] > 2 * times[0]


def test_what_does_not_fit_is_said():
    with torch.device("meta"):
        module = nn.Linear(100_000, 50_000)
    blueprint = inspect(module, torch.zeros(1, 100_000, device="meta"))
    add_latency(blueprint, module, "rtx4060")
    assert any("does not fit NVIDIA GeForce RTX 4060: 20 GB of 8 GB" in note for note in blueprint.notes)


def test_training_hours():
    step = Figure(100.0, "ms", "measured", 0.1)
    found = training_hours(step, samples=1_280_000, batch=256, epochs=90, devices=8)
    assert found.value == pytest.approx(56_250 * 0.1 / 3600)
    assert (found.unit, found.error) == ("h", 0.1)
    with pytest.raises(InputError, match="epochs is 0"):
        training_hours(step, 100, 10, 0)


# Here


@pytest.mark.parametrize("train", [False, True])
def test_here_it_is_measured_and_left_as_it_was(train):
    module = torchvision().models.resnet18().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    images = torch.randn(2, 3, 32, 32)
    blueprint = inspect(module, images, train=train)
    add_latency(blueprint, module, "here", threads=1)
    assert blueprint.latency.value > 0 and "measured on this machine (1 thread" in blueprint.latency.how
    assert module.training and all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    if not train:
        calls = [row for row in blueprint.rows if row.kind == "module"]
        assert all(row.latency_ms > 0 for row in calls)
        assert calls[0].latency_ms == pytest.approx(blueprint.latency.value)


def test_from_meta_it_is_filled_with_numbers():
    with torch.device("meta"):
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    images = torch.zeros(1, 3, 8, 8, device="meta")
    blueprint = inspect(module, images)
    add_latency(blueprint, module, "here")
    assert blueprint.latency.value > 0
    assert all(parameter.is_meta for parameter in module.parameters())


@pytest.mark.parametrize("train", [False, True])
def test_what_does_not_fit_this_memory_is_added_up_from_its_operators(monkeypatch, tmp_path, train):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(latency_module, "free_memory", lambda: 1000)
    module, inputs = nn.Linear(32, 32), torch.zeros(1, 32)
    blueprint = inspect(module, inputs, train=train)
    add_latency(blueprint, module, "here")
    assert "run alone" in blueprint.latency.how and "netwright calibrate" in blueprint.latency.how
    assert blueprint.latency.value > 0 and blueprint.latency.error is None


@pytest.mark.slow
def test_published_times_of_two_gpus():
    """Rooflines against timm's own benchmarks: what `devices.CHECKED` promises."""
    errors: dict[tuple[str, bool], list[float]] = {}
    for row in csv.DictReader((Path(__file__).parent / "gpu_times.csv").open()):
        with torch.device("meta"):
            module = timm().create_model(row["model"])
            images = torch.zeros(int(row["batch"]), 3, int(row["img_size"]), int(row["img_size"]))
        train = row["mode"] == "train"
        blueprint = inspect(module, images, train=train, optimizer="momentum", dtype=torch.float16)
        estimate(blueprint, device(row["device"]))
        assert blueprint.latency.error == CHECKED[row["device"], train]
        errors.setdefault((row["device"], train), []).append(abs(blueprint.latency.value / float(row["step_ms"]) - 1))
    assert {use: len(found) for use, found in errors.items()} == {("rtx4090", False): 30, ("rtx3090", True): 28}
    for use, found in errors.items():
        assert median(found) <= CHECKED[use] + 0.005
        assert max(found) <= 0.5


@pytest.mark.gpu
def test_a_gpu_that_is_here_is_measured():
    module, images = NETWORKS["resnet18"]()
    blueprint = inspect(module, images)
    add_latency(blueprint, module, "cuda")
    assert "measured" in blueprint.latency.how and blueprint.latency.value > 0


def test_the_json():
    module, inputs = NETWORKS["lstm"]()
    blueprint = inspect(module, inputs)
    assert blueprint.to_json()["latency"] is None
    add_latency(blueprint, module, "h100")
    data = json.loads(json.dumps(blueprint.to_json()))
    assert data["latency"]["unit"] == "ms" and data["rows"][0]["latency_ms"] > 0
    assert {one["kind"] for one in data["operators"]} <= set(KINDS)


def test_with_the_fused_path_of_a_transformer():
    """PyTorch runs an encoder layer as one operator in eval mode: so does the benchmark."""
    module, inputs = NETWORKS["encoder"]()
    names = {str(call.operator) for call in logged(module, inputs, train=False).calls.values()}
    assert names == {"aten._transformer_encoder_layer_fwd.default"}
    with as_used(module, train=False):
        module(inputs)
