"""What was learnt of this machine's CPU from networks measured on it: how operators alone add up to a network, how fast
each kind of operator is, and how well both predict a network that was left out."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from netwright.inspect.capture import inspect
from netwright.inspect.measure import measure_latency
from netwright.inspect.operators import KINDS, Operator
from netwright.inspect.replay import operator_times
from netwright.inspect.tensors import Inputs

# What the time of each kind grows with: as few terms as explain it, for there are few networks to fit them on.
TERMS = (
    ("convolution", "macs"),
    ("grouped convolution", "macs"),
    ("matrix product", "macs"),
    ("matrix product", "bytes"),
    ("attention", "macs"),
    ("recurrent", "macs"),
    ("normalisation", "bytes"),
    ("memory", "bytes"),
)
# Until this machine is calibrated: as seen on one x86 core with AVX-512, single precision.
USUAL_SCALE, USUAL_OVERHEAD = 1.05, 11e-6


@dataclass(frozen=True)
class Sample:
    """One measured network: seconds of a forward, of its operators alone and how many, and its work."""

    name: str
    seconds: float
    alone: float
    calls: int
    work: list[Operator] = field(default_factory=list)


@dataclass(frozen=True)
class Rate:
    """Seconds of one kind of operator: for each MAC, each byte, each call."""

    mac: float
    byte: float
    call: float

    def seconds(self, operator: Operator) -> float:
        return operator.calls * (operator.macs * self.mac + operator.bytes * self.byte + self.call)


@dataclass(frozen=True)
class Calibration:
    """Predicts a network's seconds from its operators' alone (`scale`, `overhead` a call), or from its work (`rates`).

    The errors are the median of those of the networks, each left out in turn; None where it was not calibrated.
    """

    machine: str
    threads: int
    scale: float = USUAL_SCALE
    overhead: float = USUAL_OVERHEAD
    error: float | None = None
    rates: dict[str, Rate] = field(default_factory=dict)
    rates_error: float | None = None
    networks: int = 0
    torch: str = ""

    def of_alone(self, alone: float, calls: int) -> float:
        return self.scale * alone + self.overhead * calls

    def of_work(self, work: Sequence[Operator]) -> float:
        return sum(self.rates[operator.kind].seconds(operator) for operator in work)


def sample(name: str, module: nn.Module, inputs: Inputs, known: dict | None = None) -> Sample:
    """A network measured for a calibration: whole, by its operators, and whole again, for the machine drifts."""
    before = measure_latency(module, inputs, runs=100, max_seconds=1.5)
    alone = operator_times(module, inputs, known=known)
    after = measure_latency(module, inputs, runs=100, max_seconds=1.5)
    work = [operator for operator in inspect(module, inputs).operators if operator.phase == "forward"]
    seconds = (before.median_ms + after.median_ms) / 2000
    return Sample(name, seconds, alone.seconds, alone.calls, work)


def calibrated(samples: Sequence[Sample], threads: int) -> Calibration:
    """Fitted on all samples, its errors by leaving each out in turn."""
    alone, work = _alone_columns(samples), _work_columns(samples)
    seconds = np.array([sample.seconds for sample in samples])
    scale, overhead = fit(alone, seconds)
    rates = fit(work, seconds)
    return Calibration(
        machine=machine(),
        threads=threads,
        scale=float(scale),
        overhead=float(overhead),
        error=_typical(left_out_errors(alone, seconds)),
        rates=_rates(rates),
        rates_error=_typical(left_out_errors(work, seconds)),
        networks=len(samples),
        torch=torch.__version__,
    )


def errors_of(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Relative errors by network, each left out in turn, of both methods."""
    seconds = np.array([sample.seconds for sample in samples])
    columns = {"operators": _alone_columns(samples), "roofline": _work_columns(samples)}
    return {method: left_out_errors(found, seconds) for method, found in columns.items()}


def fit(columns: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Coefficients ≥ 0 with the least sum of absolute relative errors: one disturbed measurement moves them little.

    A linear program: minimise Σ e with −e ≤ columns · c / seconds − 1 ≤ e.
    """
    from scipy.optimize import linprog

    unit = np.abs(columns).max(axis=0) + 1e-300  # columns of seconds stand beside columns of calls
    relative = columns / unit / seconds[:, None]
    rows, width = relative.shape
    slack = -np.eye(rows)
    found = linprog(
        np.r_[np.zeros(width), np.ones(rows)],
        A_ub=np.block([[relative, slack], [-relative, slack]]),
        b_ub=np.r_[np.ones(rows), -np.ones(rows)],
        bounds=(0, None),
    )
    return found.x[:width] / unit


def left_out_errors(columns: np.ndarray, seconds: np.ndarray) -> list[float]:
    """Relative error of each row, predicted by the others."""
    errors = []
    for row in range(len(seconds)):
        others = np.arange(len(seconds)) != row
        errors.append(float(columns[row] @ fit(columns[others], seconds[others]) / seconds[row] - 1))
    return errors


def _typical(errors: Sequence[float]) -> float:
    return median(abs(error) for error in errors)


def _alone_columns(samples: Sequence[Sample]) -> np.ndarray:
    return np.array([[sample.alone, sample.calls] for sample in samples])


def _work_columns(samples: Sequence[Sample]) -> np.ndarray:
    rows = []
    for sample in samples:
        row = [sum(getattr(one, what) * one.calls for one in sample.work if one.kind == kind) for kind, what in TERMS]
        rows.append([*row, sum(one.calls for one in sample.work)])
    return np.array(rows, dtype=float)


def _rates(found: np.ndarray) -> dict[str, Rate]:
    """From the coefficients in the order of TERMS, the calls' last."""
    by = {term: float(seconds) for term, seconds in zip(TERMS, found[:-1], strict=True)}
    return {kind: Rate(by.get((kind, "macs"), 0.0), by.get((kind, "bytes"), 0.0), float(found[-1])) for kind in KINDS}


def machine() -> str:
    """The CPU's name, and what tells two of one name apart."""
    name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}"


def folder() -> Path:
    """Where calibrations are kept: $NETWRIGHT_CACHE, $XDG_CACHE_HOME/netwright or ~/.cache/netwright."""
    own, shared = os.environ.get("NETWRIGHT_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own) if own else (Path(shared) if shared else Path.home() / ".cache") / "netwright"


def load(threads: int) -> Calibration:
    """Of this machine at this number of threads; the usual figures, with no error, where it was never calibrated."""
    path = folder() / f"calibration-{threads}.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        found = Calibration(**{**data, "rates": {kind: Rate(**rate) for kind, rate in data["rates"].items()}})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Calibration(machine(), threads)
    return found if found.machine == machine() else Calibration(machine(), threads)


def save(calibration: Calibration) -> Path:
    """Written in one move, so that a second one beside it reads the old or the new."""
    path = folder() / f"calibration-{calibration.threads}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(calibration), indent=1))
    part.replace(path)
    return path
