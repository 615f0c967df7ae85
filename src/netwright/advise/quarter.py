"""The promise of sizing, checked: a quarter of a family's default size in parameters, memory and latency is
met.

The check measures the default, asks for a quarter, and measures what came back anew, apart from the search.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netwright.advise.defaults import ANCHORS, default_spec
from netwright.advise.errors import BudgetError
from netwright.advise.networks import count, example, network
from netwright.advise.scales import SCALES
from netwright.advise.sizing import RUNS, fit_to_budget
from netwright.data.profiles import Profile
from netwright.design import Brief, Budget, Spec
from netwright.inspect import measure_latency, measure_memory

TOLERANCE = {"params": 1.05, "memory": 1.05, "latency": 1.15}
LIMITS = tuple(TOLERANCE)

REFERENCE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "image": (
        {"rows": 1_200_000, "image": {"height": 224, "width": 224, "channels": 3}},
        {"in_channels": 3, "image_size": 224, "num_classes": 10},
    ),
    "table": (
        {"rows": 20_000_000},
        {"num_features": 100, "cardinalities": [12, 30], "num_classes": 10},
    ),
    "text": (
        {"rows": 5_000_000, "text": {"lengths": {"p50": 200, "p95": 512}}},
        {"vocab_size": 10_000, "max_length": 512, "num_classes": 10},
    ),
    "segmentation": (
        {"rows": 100_000, "image": {"height": 128, "width": 128, "channels": 3}},
        {"in_channels": 3, "image_size": 128, "num_classes": 10},
    ),
    "detection": (
        {"rows": 100_000, "image": {"height": 128, "width": 128, "channels": 3}},
        {"in_channels": 3, "image_size": 128, "num_classes": 10},
    ),
}
"""For each modality a profile and contract so large that a default spends its time computing. A small
network's latency is the fixed cost of its calls instead, and can't be quartered by making it narrower:
there fit_to_budget says how far down it goes.
"""
SMALLER = (160, 128, 96)
"""Resolutions that an image family may fall back to (S3.1)."""
UNHURRIED = Budget(time_s=1e9)


@dataclass(frozen=True)
class Quarter:
    """One limit of one family: the default's value, the limit, and what was measured after the fact."""

    family: str
    limit: str
    default: float
    asked: float
    got: float
    met: bool
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def quarter(
    family: str,
    limits: tuple[str, ...] = LIMITS,
    profile: Profile | None = None,
    contract: Mapping[str, Any] | None = None,
) -> list[Quarter]:
    """Ask for a quarter of the family's default in each limit, and measure what comes back."""
    modality = SCALES[family].modality
    given, reference = REFERENCE[modality]
    profile = profile or _profile(modality, given)
    contract = dict(contract or reference)
    start = default_spec(family, profile, contract, Brief(budget=UNHURRIED))
    found = []
    for limit in limits:
        default = value_of(limit, start, contract)
        asked = default / 4
        try:
            sized = fit_to_budget(
                family, contract, _budget(limit, asked), start, image_sizes=SMALLER if modality == "image" else ()
            )
        except BudgetError as error:
            least = error.smallest[family][limit]
            found.append(Quarter(family, limit, default, asked, least, False, str(error)))
            continue
        got = value_of(limit, sized.spec, sized.contract)
        found.append(Quarter(family, limit, default, asked, got, got <= TOLERANCE[limit] * asked))
    return found


def quarters(families: tuple[str, ...] = tuple(ANCHORS)) -> list[Quarter]:
    """The check for every family."""
    return [result for family in families for result in quarter(family)]


def value_of(limit: str, spec: Spec, contract: Mapping[str, Any]) -> float:
    """Parameters counted, or peak bytes or median milliseconds measured on this machine at batch 1."""
    if limit == "params":
        return count(spec, contract).params
    module = network(spec, contract)
    inputs = example(contract, of=module)
    if limit == "memory":
        return measure_memory(module, inputs).peak_bytes
    return measure_latency(module, inputs, runs=RUNS).median_ms


def _budget(limit: str, value: float) -> Budget:
    if limit == "params":
        return Budget(params=int(value))
    return Budget(memory_bytes=int(value)) if limit == "memory" else Budget(latency_ms=value)


def _profile(modality: str, given: Mapping[str, Any]) -> Profile:
    target: dict[str, Any] = {"labels": list(range(10)), "counts": [given["rows"] // 10] * 10, "imbalance": 1.0}
    if modality == "detection":
        sizes = {"p5": 0.1, "p25": 0.2, "p50": 0.3, "p75": 0.4, "p95": 0.6}
        target |= {"sizes": sizes, "objects": {"mean": 3.0, "p50": 3, "max": 8}}
    return Profile(modality, "multiclass", "ten classes", target=target, **given)
