"""Sizing to hard limits: the largest rung of a family's ladder whose counted and measured values all hold.

Counted limits (parameters, FLOPs, bytes of the weights) are bisected on the meta device, which costs
milliseconds. Then memory and latency are measured on this machine, on as few rungs as bisection needs. What
is handed back was measured after the fact: latency as the median of 50 runs at batch 1, aimed at 0.9 of the
limit, as clocks are noisy. Where a limit on time or memory would leave a stunted network, a coarser look at
the input is tried (rule S3.7).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from netwright.advise.defaults import largest
from netwright.advise.errors import BudgetError
from netwright.advise.networks import count, example, macs_of, network, weights_of
from netwright.advise.scales import coarse_levels, ladder
from netwright.design import Budget, Spec
from netwright.inspect import Figure, measure_latency, measure_memory

RUNS = 50
QUICK_RUNS = 15
LATENCY_AIM = 0.9
"""Share of a latency limit that quick measurements aim at."""
KEPT = 0.5
"""A coarser look is tried when less than this share of the start's parameters would be left."""

FIELDS = {
    "params": "params",
    "flops": "flops",
    "size": "size_bytes",
    "memory": "memory_bytes",
    "latency": "latency_ms",
}
COUNTED = ("params", "size", "flops")
MEASURED = ("memory", "latency")
UNITS = {"params": "", "flops": "", "size": "bytes", "memory": "bytes", "latency": "ms"}


@dataclass(frozen=True)
class Sized:
    """A network within the limits: its Spec, its cost, what was tried on the way, and value / limit of each.

    `contract` differs from the one asked for only where smaller images were allowed and needed.
    """

    spec: Spec
    cost: dict[str, Figure]
    tried: list[dict[str, Any]]
    margins: dict[str, float]
    contract: dict[str, Any]


def fit_to_budget(
    family: str,
    contract: Mapping[str, Any],
    budget: Budget,
    start: Spec,
    *,
    scale: str | None = None,
    overlay: Mapping[str, Any] | None = None,
    image_sizes: Iterable[int] = (),
) -> Sized:
    """The largest network of the family within the limits, no larger than `start`; BudgetError if there is
    none.

    `start` is the default for the data. `overlay` are its arguments that are no size and stay (default: all
    that the ladder does not set); `scale` names the ladder if it is not the family's own. `image_sizes` are
    smaller resolutions that the preprocessing may give, tried in their order when nothing fits at the
    contract's.
    """
    search = _Search(family, scale or family, dict(contract), limits_of(budget), start, overlay)
    at_start = search.if_within(start, dict(contract))
    if at_start is not None:
        return at_start
    contracts = [dict(contract), *({**contract, "image_size": size} for size in image_sizes)]
    for args in search.overlays():
        for given in contracts:
            found = search.best_of_looks(args, given)
            if found is not None:
                return found
    values = search.smallest
    raise BudgetError(limit_words(search.limits), {family: values}, [f"{family}: {words(values)}"])


def merged(errors: Iterable[BudgetError]) -> BudgetError:
    """One error with the least values of every family."""
    errors = list(errors)
    smallest: dict[str, dict[str, float]] = {}
    for error in errors:
        for family, values in error.smallest.items():
            known = smallest.setdefault(family, dict(values))
            for name, value in values.items():
                known[name] = min(value, known.get(name, value))
    lines = [f"{family}: {words(values)}" for family, values in smallest.items()]
    return BudgetError(errors[0].limits, smallest, lines)


class _Search:
    """One family's search: remembers what was tried and the least that was reached."""

    def __init__(
        self,
        family: str,
        scale: str,
        contract: dict[str, Any],
        limits: dict[str, float],
        start: Spec,
        overlay: Mapping[str, Any] | None,
    ):
        self.family, self.scale, self.contract = family, scale, contract
        self.limits, self.start = limits, start
        knobs = ladder(scale, contract)[0]
        rest = {name: value for name, value in start.args.items() if name not in knobs}
        self.overlay = dict(rest if overlay is None else overlay)
        self.tried: list[dict[str, Any]] = []
        self.smallest: dict[str, float] = {}
        self.start_params = weights_of(start, contract)[0]
        self.look = self._look_of_start()

    def _look_of_start(self) -> int:
        """How coarsely the start looks at its input."""
        for coarse in coarse_levels(self.scale, self.contract):
            for args in ladder(self.scale, self.contract, coarse):
                if all(self.start.args.get(name) == value for name, value in args.items() if name not in self.overlay):
                    return coarse
        return 0

    def overlays(self) -> list[dict[str, Any]]:
        """The start's arguments that are no size; then with numbers as they are, which is smaller."""
        own = self.overlay
        if self.family != "ft_transformer" and own.get("numeric", "raw") != "raw":
            return [own, {**own, "numeric": "raw"}]
        return [own]

    def if_within(self, spec: Spec, contract: dict[str, Any]) -> Sized | None:
        """The network as it is, if every limit holds; what is counted is looked at first."""
        if not self._holds(spec, contract):
            return None
        sized = self.sized(spec, contract)
        return sized if all(margin <= 1.0 for margin in sized.margins.values()) else None

    def best_of_looks(self, overlay: Mapping[str, Any], contract: dict[str, Any]) -> Sized | None:
        """At the start's look if that keeps half of its parameters, else at the look that keeps most.

        Finer looks than the start's, which the time did not allow, only where nothing else fits.
        """
        best: Sized | None = None
        levels = list(coarse_levels(self.scale, contract))
        for coarse in [level for level in levels if level >= self.look]:
            found = self.largest_at(overlay, contract, coarse)
            if found is None:
                continue
            if best is None or found.cost["params"].value > 1.2 * best.cost["params"].value:
                best = found
            if best.cost["params"].value >= KEPT * self.start_params or self._params_bind(best):
                break
        for coarse in [level for level in reversed(levels) if level < self.look]:
            best = best or self.largest_at(overlay, contract, coarse)
        return best

    def _params_bind(self, sized: Sized) -> bool:
        """Whether parameters or file size are what holds the network down: a coarser look would not help."""
        return any(sized.margins.get(name, 0.0) > 0.8 for name in ("params", "size"))

    def largest_at(self, overlay: Mapping[str, Any], contract: dict[str, Any], coarse: int) -> Sized | None:
        """The largest rung at one look at which every limit holds, measured at the end; None if none does."""
        rungs = ladder(self.scale, contract, coarse)
        specs = [Spec(self.family, {**args, **overlay}) for args in rungs]
        top = self._top(specs, contract)
        for name in COUNTED:  # truthful least values, whatever else fails
            if name in self.limits:
                self._note(name, self.counted(specs[0], contract, name))
        high = largest(top + 1, lambda i: self._holds(specs[i], contract))
        names = [name for name in MEASURED if name in self.limits]
        for name in names:
            if high >= 0:
                high = largest(high + 1, partial(self._quick, specs, contract, name))
        while high >= 0:
            sized = self.sized(specs[high], contract)
            for name in names:
                self._note(name, sized.cost[name].value)
            if all(margin <= 1.0 for margin in sized.margins.values()):
                return sized
            high -= 1
        for name in names:
            self._note(name, self.measured(specs[0], contract, name, RUNS))
        return None

    def _top(self, specs: list[Spec], contract: dict[str, Any]) -> int:
        """The largest rung with no more parameters than the start."""
        return max(0, largest(len(specs), lambda i: weights_of(specs[i], contract)[0] <= self.start_params))

    def _holds(self, spec: Spec, contract: dict[str, Any]) -> bool:
        """Whether the counted limits hold."""
        return all(self.counted(spec, contract, name) <= self.limits[name] for name in COUNTED if name in self.limits)

    def _quick(self, specs: list[Spec], contract: dict[str, Any], name: str, rung: int) -> bool:
        """Whether a measured limit seems to hold at a rung, with room for noise."""
        value = self.measured(specs[rung], contract, name, QUICK_RUNS)
        aim = LATENCY_AIM if name == "latency" else 1.0
        return value <= aim * self.limits[name]

    def counted(self, spec: Spec, contract: dict[str, Any], name: str) -> float:
        """One counted value; a forward is only counted where FLOPs are asked for."""
        weights = dict(zip(COUNTED, weights_of(spec, contract), strict=False))
        value = weights[name] if name in weights else 2 * macs_of(spec, contract)
        self.tried.append({"spec": str(spec), name: value})
        return value

    def measured(self, spec: Spec, contract: dict[str, Any], name: str, runs: int) -> float:
        module = network(spec, contract)
        inputs = example(contract, of=module)
        if name == "memory":
            value = float(measure_memory(module, inputs).peak_bytes)
        else:
            value = measure_latency(module, inputs, runs=runs, max_seconds=20.0).median_ms
        self.tried.append({"spec": str(spec), name: value})
        return value

    def sized(self, spec: Spec, contract: dict[str, Any]) -> Sized:
        return replace(sized(spec, contract, self.limits), tried=list(self.tried))

    def _note(self, name: str, value: float) -> None:
        """Remember the least value that a limited quantity reached."""
        self.smallest[name] = min(value, self.smallest.get(name, math.inf))


def sized(spec: Spec, contract: dict[str, Any], limits: Mapping[str, float]) -> Sized:
    """This network as it is: everything that is limited, counted and measured anew; counts always."""
    counts = count(spec, contract)
    values = {"params": counts.params, "size": counts.size_bytes, "flops": 2 * counts.macs}
    cost = {name: Figure(value, UNITS[name], "counted") for name, value in values.items()}
    if any(name in limits for name in MEASURED):
        module = network(spec, contract)
        inputs = example(contract, of=module)
        if "memory" in limits:
            memory = measure_memory(module, inputs)
            cost["memory"] = Figure(memory.peak_bytes, "bytes", memory.how)
        if "latency" in limits:
            latency = measure_latency(module, inputs, runs=RUNS)
            cost["latency"] = Figure(latency.median_ms, "ms", latency.how)
    margins = {name: cost[name].value / limit for name, limit in limits.items()}
    return Sized(spec, cost, [], margins, contract)


def limits_of(budget: Budget) -> dict[str, float]:
    """The hard limits that a size can meet, by name."""
    found = {name: getattr(budget, attribute) for name, attribute in FIELDS.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def words(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value_words(name, value)}" for name, value in values.items())


def limit_words(limits: Mapping[str, float]) -> str:
    return ", ".join(f"{name} ≤ {value_words(name, value)}" for name, value in limits.items())


def value_words(name: str, value: float) -> str:
    """A value with its unit: 199,842 · 1.2 MB · 4.71 ms."""
    if UNITS[name] == "ms":
        return f"{value:.3g} ms"
    if UNITS[name] == "bytes":
        return f"{value / 1e6:.3g} MB" if value >= 1e6 else f"{value / 1e3:.3g} kB"
    return f"{value:,.0f}"
