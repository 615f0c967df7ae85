"""Latency and memory are measured, and say how."""

import json
import time

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.profiler import ProfilerActivity, profile

from netwright.errors import InputError
from netwright.inspect import cost, measure_latency, measure_memory, weights_bytes


class SelfAttention(nn.Module):
    def __init__(self, dim: int = 64, num_heads: int = 4):
        super().__init__()
        self.num_heads = num_heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


NETWORKS = {
    "convolutions": (
        nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 7, stride=2, padding=3), nn.ReLU(),
            nn.Conv2d(64, 64, 3, groups=64), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
        ),
        (8, 3, 32, 32),
    ),
    "lstm": (nn.LSTM(32, 64, num_layers=2, bidirectional=True, batch_first=True), (16, 100, 32)),
    "attention": (nn.Sequential(*[SelfAttention() for _ in range(3)]), (8, 128, 64)),
}  # fmt: skip


def profiler_peak(module: nn.Module, x: torch.Tensor) -> int:
    """The most bytes allocated at once in a forward, from torch.profiler's allocation events."""
    with torch.no_grad():
        module(x)
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
            module(x)
    events = []

    def walk(event):
        if event.name == "[memory]":
            events.append((event.start_time_ns, event.extra_fields.alloc_size))
        for child in event.children:
            walk(child)

    for root in profiler.profiler.kineto_results.experimental_event_tree():
        walk(root)
    live = peak = 0
    for _, size in sorted(events, key=lambda event: event[0]):
        live += size
        peak = max(peak, live)
    return peak


@pytest.mark.parametrize("name", NETWORKS)
def test_memory_is_what_the_profiler_sees(name):
    module, shape = NETWORKS[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    memory = measure_memory(module.eval(), x)
    assert memory.activations_bytes == pytest.approx(profiler_peak(module, x), rel=0.05)
    assert memory.activations_bytes > 0
    assert memory.inputs_bytes == x.numel() * 4
    assert memory.peak_bytes == weights_bytes(module) + memory.inputs_bytes + memory.activations_bytes


def test_memory_of_a_known_network():
    """A Linear allocates its output and nothing else; two at once live at most."""
    module = nn.Sequential(*[nn.Linear(256, 256, bias=False) for _ in range(4)])
    memory = measure_memory(module, torch.zeros(16, 256))
    assert memory.weights_bytes == 4 * 4 * 256 * 256
    assert memory.activations_bytes == 2 * 4 * 16 * 256


def test_memory_is_quick():
    module, shape = NETWORKS["convolutions"]
    measure_memory(module, torch.zeros(shape))
    start = time.perf_counter()
    measure_memory(module, torch.zeros(shape))
    assert time.perf_counter() - start < 0.3


class Sleeper(nn.Module):
    """2 ms, and every fifth call 20 ms."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        assert not self.training
        assert not torch.is_grad_enabled()
        time.sleep(0.02 if self.calls % 5 == 0 else 0.002)
        return x


def test_latency_is_the_median():
    module = Sleeper()
    latency = measure_latency(module, torch.zeros(1), runs=20, warmup=3)
    assert module.calls == 23
    assert 2 <= latency.median_ms < 10
    assert latency.p90_ms >= 20
    assert module.training


def test_latency_threads_come_back():
    before = torch.get_num_threads()
    latency = measure_latency(nn.Linear(4, 4), torch.zeros(1, 4), runs=7, threads=1)
    assert (latency.runs, latency.threads) == (7, 1)
    assert latency.how == "measured on this machine (1 thread, median of 7)"
    assert torch.get_num_threads() == before


def test_latency_of_a_slow_network_ends_early():
    latency = measure_latency(Sleeper(), torch.zeros(1), runs=1000, warmup=0, max_seconds=0.05)
    assert 5 <= latency.runs < 100


@pytest.mark.parametrize("measure", [measure_latency, measure_memory])
def test_the_meta_device_can_not_be_measured(measure):
    with torch.device("meta"), pytest.raises(InputError, match="on meta"):
        measure(nn.Linear(4, 4), torch.zeros(1, 4))


def test_every_number_says_how_it_was_got():
    module = nn.Sequential(nn.Linear(8, 4), nn.BatchNorm1d(4))
    figures = cost(module, torch.zeros(2, 8), runs=9, threads=1)
    assert (figures.params.value, figures.macs.value, figures.flops.value) == (36 + 8, 64, 128)
    assert figures.params.how == "counted"
    assert figures.size.value == 4 * (44 + 8) + 8  # running mean and variance, and an int64 counter
    assert figures.latency.how == "measured on this machine (1 thread, median of 9)"
    assert figures.memory.value > figures.size.value
    data = json.loads(json.dumps(figures.to_json()))
    assert data["latency"]["unit"] == "ms"
    assert all(set(figure) == {"value", "unit", "how"} for figure in data.values())
