"""How long a forward or a training step takes on a device: measured where the device is here, else estimated.

Here the whole network is run; one that does not fit this memory is added up from its operators, each run alone.
"""

import re
from collections.abc import Callable
from math import ceil
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint
from netwright.inspect.calibration import load
from netwright.inspect.capture import loss_of, training
from netwright.inspect.devices import device
from netwright.inspect.figure import Figure
from netwright.inspect.measure import evaluating, measure_latency
from netwright.inspect.real import made_real
from netwright.inspect.replay import operator_times
from netwright.inspect.roofline import estimate
from netwright.inspect.tensors import Inputs, tensors_in

HERE = ("here", "cpu")
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adamw": lambda parameters: torch.optim.AdamW(parameters, 1e-3),
    "adam": lambda parameters: torch.optim.Adam(parameters, 1e-3),
    "momentum": lambda parameters: torch.optim.SGD(parameters, 1e-3, momentum=0.9),
    "sgd": lambda parameters: torch.optim.SGD(parameters, 1e-3),
}


def add_latency(
    blueprint: Blueprint,
    module: nn.Module,
    name: str,
    *,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    threads: int | None = None,
) -> None:
    """Fill `blueprint.latency` and its rows' for the device of this name ("here", or one of `devices.DEVICES`).

    For a measurement what is on meta is filled with random numbers, in a copy of the module and in the blueprint's
    inputs. InputError where there is no such device.
    """
    inputs = blueprint.example
    local = present(name)
    if local is None:
        return estimate(blueprint, device(name))
    kind = local.type
    if kind == "cpu" and 1.2 * blueprint.peak_memory > free_memory():
        blueprint.latency = _by_operators(module, inputs, blueprint.train, optimizer, dtype, threads)
        blueprint.notes.append("the network does not fit this machine's memory: its operators were run one by one")
        return
    if blueprint.train and optimizer not in OPTIMIZERS:
        fix = f"measure one of PyTorch's: {', '.join(OPTIMIZERS)}"
        raise InputError(f"PyTorch has no {optimizer!r} whose step could be measured", where="optimizer", fix=fix)
    real, args, kwargs = made_real(module, inputs, local, dtype)
    if blueprint.train:
        blueprint.latency = _measured_step(real, args, kwargs, optimizer, threads)
    elif kind == "cpu":
        found = measure_latency(real, kwargs or args, threads=threads, max_seconds=5)
        blueprint.latency = Figure(found.median_ms, "ms", found.how)
        _measure_rows(blueprint, real, args, kwargs, found.median_ms)
    else:
        with evaluating(real):
            blueprint.latency = _timed(lambda: real(*args, **kwargs), local, "a forward")


def present(name: str) -> torch.device | None:
    """The device of this name where it is in this machine."""
    if name.lower() in HERE:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        return None
    if name.lower() in ("cuda", "gpu"):
        return torch.device("cuda")
    return torch.device("cuda") if is_model(device(name).name, torch.cuda.get_device_name()) else None


def is_model(name: str, gpu: str) -> bool:
    """Whether a GPU as its driver calls it ("NVIDIA A100-SXM4-80GB") is the device of this name: an A100 is no A10."""
    model = name.partition("-")[0]
    said = gpu.lower().replace("rtx ", "rtx")
    return any(char.isdigit() for char in model) and model in re.split(r"[^a-z0-9]+", said)


def training_hours(step: Figure, samples: int, batch: int, epochs: float, devices: int = 1) -> Figure:
    """Hours for `epochs` over `samples`, from the milliseconds of a step with `batch` samples on each of `devices`.

    Loading data and gathering gradients between devices are taken to hide behind the arithmetic.
    """
    for name, value in (("samples", samples), ("batch", batch), ("epochs", epochs), ("devices", devices)):
        if value <= 0:
            raise InputError(f"{name} is {value}", where=f"--{name}", fix="give a number above 0")
    steps = ceil(samples * epochs / (batch * devices))
    how = f"{steps:,} steps of {step.value:,.3g} ms, {step.how}; loading and communication not counted"
    return Figure(steps * step.value / 3.6e6, "h", how, step.error)


def _by_operators(
    module: nn.Module, inputs: Inputs, train: bool, optimizer: str, dtype: torch.dtype | None, threads: int | None
) -> Figure:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        known = load(torch.get_num_threads())
        times = operator_times(module, inputs, train, dtype)
    finally:
        torch.set_num_threads(before)
    said = f"{times.distinct} distinct operators of {times.calls} run alone on this machine, {known.threads} threads"
    without = f", without {', '.join(times.missed)}" if times.missed else ""
    step = f"; the step of {optimizer} not included" if train else ""
    fitted = "" if known.error is not None else "; not calibrated: run netwright calibrate"
    milliseconds = 1000 * known.of_alone(times.seconds, times.calls)
    # The calibration was tried on forwards whose operators all ran: of others its error says nothing.
    error = None if train or times.missed else known.error
    return Figure(milliseconds, "ms", f"estimated ({said}{without}{step}{fitted})", error)


def _measure_rows(blueprint: Blueprint, module: nn.Module, args: tuple, kwargs: dict[str, Any], whole: float) -> None:
    """Milliseconds of every call of a module, by hooks; scaled so that the network's is the one measured without."""
    rows = {row.id: row for row in blueprint.rows if row.kind == "module"}
    times: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    starts: list[tuple[str, float]] = []

    def enter(path: str, cls: str) -> Callable[..., None]:
        def hook(*_: Any) -> None:
            key = path or cls
            counts[key] = counts.get(key, 0) + 1
            starts.append((key if counts[key] == 1 else f"{key}:{counts[key]}", perf_counter()))

        return hook

    def leave(*_: Any) -> None:
        end = perf_counter()
        key, start = starts.pop()
        times.setdefault(key, []).append(end - start)

    handles = []
    for path, part in module.named_modules():
        handles.append(part.register_forward_pre_hook(enter(path, type(part).__name__)))
        handles.append(part.register_forward_hook(leave))
    try:
        with evaluating(module):
            for _ in range(5):
                counts.clear()
                module(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    root = median(times[blueprint.rows[0].id])
    for key, found in times.items():
        if key in rows:
            rows[key].latency_ms = whole * median(found) / root


def _measured_step(module: nn.Module, args: tuple, kwargs: dict, optimizer: str, threads: int | None) -> Figure:
    stepper = OPTIMIZERS[optimizer]([p for p in module.parameters() if p.requires_grad])

    def step() -> None:
        loss_of(module(*args, **kwargs)).backward()
        stepper.step()
        stepper.zero_grad(set_to_none=True)

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        with training(module):
            where = next(iter(tensors_in([*module.parameters(), args, kwargs]))).device
            return _timed(step, where, f"a step with {optimizer}")
    finally:
        torch.set_num_threads(before)


def _timed(run: Callable[[], Any], where: torch.device, what: str, seconds: float = 5.0) -> Figure:
    """Median of the runs within `seconds`, at least three, after two to warm up."""

    def wait() -> None:
        if where.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(2):
        run()
    wait()
    times: list[float] = []
    start = perf_counter()
    while len(times) < 3 or (perf_counter() - start < seconds and len(times) < 50):
        begin = perf_counter()
        run()
        wait()
        times.append(perf_counter() - begin)
    threads = f"{torch.get_num_threads()} threads" if where.type == "cpu" else torch.cuda.get_device_name()
    how = f"measured on this machine ({threads}, {what}, median of {len(times)})"
    return Figure(1000 * median(times), "ms", how)


def free_memory() -> int:
    """Bytes of this machine's memory that can be had; where it does not say, all that there could be."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 1 << 62
