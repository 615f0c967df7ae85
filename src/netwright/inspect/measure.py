"""Latency and memory of a forward, measured on this machine's CPU."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._autograd import _disable_profiler_legacy, _enable_profiler_legacy
from torch._C._profiler import ProfilerConfig, ProfilerState, _ExperimentalConfig

from netwright.errors import InputError
from netwright.inspect.quantised import packed_weights
from netwright.inspect.tensors import Inputs, as_call, tensors_in


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward."""

    median_ms: float
    p90_ms: float
    runs: int
    threads: int

    @property
    def how(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"measured on this machine ({threads}, median of {self.runs})"


@dataclass(frozen=True)
class Memory:
    """Bytes held at the peak of one forward: weights (parameters and buffers), inputs, and the most that was
    allocated at once during the forward: live activations and the kernels' workspace."""

    weights_bytes: int
    inputs_bytes: int
    activations_bytes: int

    @property
    def peak_bytes(self) -> int:
        return self.weights_bytes + self.inputs_bytes + self.activations_bytes

    @property
    def how(self) -> str:
        return "measured on this machine (the allocator's events of one forward)"


def measure_latency(
    module: nn.Module,
    inputs: Inputs,
    runs: int = 50,
    warmup: int = 5,
    threads: int | None = None,
    max_seconds: float | None = None,
) -> Latency:
    """Median and 90th percentile over `runs` forwards in eval mode without gradients, after `warmup` ones.

    `threads`: PyTorch's intra-operator threads, as they are when None. `max_seconds` ends a slow network's
    runs early, after at least five; the result says how many there were.
    """
    args, kwargs = _on_cpu(module, inputs)
    before = torch.get_num_threads()
    collecting = gc.isenabled()
    times: list[float] = []
    try:
        torch.set_num_threads(threads or before)
        with evaluating(module):
            for _ in range(warmup):
                module(*args, **kwargs)
            gc.disable()
            start = perf_counter()
            for run in range(runs):
                if max_seconds is not None and run >= 5 and perf_counter() - start > max_seconds:
                    break
                begin = perf_counter()
                module(*args, **kwargs)
                times.append(1000 * (perf_counter() - begin))
        return Latency(median(times), _p90(times), len(times), torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
        if collecting:
            gc.enable()


def measure_memory(module: nn.Module, inputs: Inputs) -> Memory:
    """Peak inference memory, from the allocator's own events in one real forward (after one to warm up).

    Following live tensors instead misses what kernels allocate inside: convolutions' workspace, and three
    quarters of an LSTM's.
    """
    args, kwargs = _on_cpu(module, inputs)

    def forward() -> None:
        module(*args, **kwargs)

    with evaluating(module):
        forward()
        events = allocator_events(forward)
    live = peak = 0
    for size in events:
        live += size
        peak = max(peak, live)
    return Memory(weights_bytes(module), _bytes((args, kwargs)), peak)


def allocator_events(run: Callable[[], Any]) -> list[int]:
    """Sizes of what the CPU allocator gave (+) and took back (−) while `run` ran, in order.

    By autograd's own profiler, without Kineto, which prints a line of its own at each start on some machines;
    torch.profiler sees the same events.
    """
    config = ProfilerConfig(ProfilerState.CPU, False, True, False, False, False, _ExperimentalConfig())
    _enable_profiler_legacy(config)
    try:
        run()
    finally:
        events = _disable_profiler_legacy()
    return [event.cpu_memory_usage() for thread in events for event in thread if event.kind() == "memory_alloc"]


def weights_bytes(module: nn.Module) -> int:
    """Bytes of parameters, buffers and packed weights, tied ones once: what the file and the loaded network hold."""
    packed = [tensor for _, weights in packed_weights(module) for tensor in weights]
    return _bytes([*module.parameters(), *module.buffers(), *packed])


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Eval mode without gradients; the training flags come back after."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part in training:
            part.training = True


def _bytes(value: Any) -> int:
    """Of the tensors inside, the same tensor once."""
    held: dict[int, Tensor] = {id(tensor): tensor for tensor in tensors_in(value)}
    return sum(tensor.numel() * tensor.element_size() for tensor in held.values())


def _p90(times: list[float]) -> float:
    return quantiles(times, n=10, method="inclusive")[-1] if len(times) > 1 else times[0]


def _on_cpu(module: nn.Module, inputs: Inputs) -> tuple[tuple, dict[str, Any]]:
    args, kwargs = as_call(inputs)
    for tensor in tensors_in([*module.parameters(), *module.buffers(), *args, *kwargs.values()]):
        if tensor.device.type != "cpu":
            raise InputError(
                f"a measurement needs the network and its inputs on the CPU, not on {tensor.device}",
                where=type(module).__name__,
                fix="move both with .to('cpu'), or .to_empty(device='cpu') from the meta device",
            )
    return args, kwargs
