"""Each family's size when no limit is set: from the rows (an anchor that grows by rule S2.1) and the time
(R1).

Speeds are estimates, measured on one AVX-512 thread with torch 2.13: GMAC/s of a training step (three times
the forward's multiply-adds) and milliseconds of overhead a step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from netwright.advise.detectors import arguments_for_objects
from netwright.advise.facts import TRAIN_SHARE, epochs_for, facts_of
from netwright.advise.networks import macs_of, weights_of
from netwright.advise.recipe import batch_size, regularisation
from netwright.advise.rules import rule
from netwright.advise.scales import SCALES, coarse_levels, ladder
from netwright.data.profiles import Profile
from netwright.design import Brief, Spec


@dataclass(frozen=True)
class Anchor:
    """`params` (vocabulary and wide inputs aside) at 50,000 rows, within bounds; and how fast the family
    trains.
    """

    params: float
    least: float
    most: float
    speed: float
    overhead_ms: float


ANCHOR_ROWS = 5e4
DEFAULT_LOOKS = 2
"""A default is never coarser than this many looks at the input; only hard limits go further."""

ANCHORS: dict[str, Anchor] = {
    "resnet": Anchor(1.0e6, 2e4, 2.6e7, 35, 3.0),
    "convnext": Anchor(1.2e6, 3e4, 3.0e7, 18, 4.0),
    "mobilenetv3": Anchor(1.5e6, 1e5, 5.5e6, 9, 15.0),
    "cct": Anchor(8.0e5, 3e4, 2.2e7, 22, 4.0),
    "vit": Anchor(3.0e6, 5e4, 8.7e7, 28, 4.0),
    "unet": Anchor(3.1e7, 1e4, 1.2e8, 40, 8.0),
    "fpn": Anchor(2.6e7, 1e4, 1.2e8, 38, 10.0),
    "segformer": Anchor(1.4e7, 2e4, 6.5e7, 20, 10.0),
    "deeplabv3plus": Anchor(2.7e7, 1e4, 1.2e8, 32, 10.0),
    "mlp": Anchor(2.0e5, 1e3, 4.0e6, 30, 0.7),
    "tabular_resnet": Anchor(3.0e5, 2e3, 4.0e6, 25, 1.5),
    "ft_transformer": Anchor(3.0e5, 3e3, 7.0e6, 13, 5.0),
    "tabm": Anchor(2.0e5, 2e3, 2.0e6, 22, 3.0),
    "retinanet": Anchor(1.6e7, 3e4, 4.0e7, 12, 40.0),
    "yolox": Anchor(1.6e7, 2e4, 6.0e7, 10, 50.0),
    "faster_rcnn": Anchor(2.0e7, 5e4, 4.5e7, 8, 150.0),
    "detr": Anchor(2.0e7, 5e4, 4.5e7, 10, 40.0),
    "textcnn": Anchor(3.0e5, 3e3, 1.0e6, 28, 3.0),
    "bilstm": Anchor(4.0e5, 4e3, 4.0e6, 20, 5.0),
    "text_transformer": Anchor(2.0e5, 6e3, 4.0e7, 24, 5.0),
}


@dataclass(frozen=True)
class Chosen:
    """A default size: its arguments, the parameters aimed at, and what the time allowed."""

    args: dict[str, Any]
    target: float
    passes: float
    bound_by_time: bool
    coarse: int


def target_params(family: str, facts: Mapping[str, Any]) -> float:
    """Parameters that the rows call for: anchor · (rows / 50,000)^exponent (S2.1), below 1,000 rows fewer
    (S0.5).
    """
    anchor, rows = ANCHORS[family], facts["rows"]
    exponent = rule("S2.1").value["exponent"][facts["modality"]]
    few = min(1.0, rows / rule("S0.5").value["rows"]) ** rule("S0.5").value["exponent"]
    return min(anchor.most, max(anchor.least, few * anchor.params * (rows / ANCHOR_ROWS) ** exponent))


def affordable_macs(family: str, facts: Mapping[str, Any], passes: float, batch: int) -> float:
    """Multiply-adds of a sample with which `passes` over the rows fit a candidate's share of the time."""
    if facts["device"] != "cpu":
        return float("inf")
    anchor = ANCHORS[family]
    seconds = rule("R1").value["share"] * facts["time_s"] / (TRAIN_SHARE * facts["rows"] * passes)
    return max(0.0, seconds - 1e-3 * anchor.overhead_ms / batch) * anchor.speed * 1e9 / 3


def seconds_a_pass(family: str, facts: Mapping[str, Any], macs: float, batch: int) -> float:
    """Estimated training seconds of one pass over the rows on one CPU thread."""
    anchor = ANCHORS[family]
    return TRAIN_SHARE * facts["rows"] * (3 * macs / (anchor.speed * 1e9) + 1e-3 * anchor.overhead_ms / batch)


def affordable_passes(family: str, facts: Mapping[str, Any], macs: float, batch: int) -> float:
    """Passes over the rows in a candidate's share of the time."""
    if facts["device"] != "cpu":
        return float("inf")
    return rule("R1").value["share"] * facts["time_s"] / seconds_a_pass(family, facts, macs, batch)


def choose_size(
    family: str,
    overlay: Mapping[str, Any],
    contract: Mapping[str, Any],
    facts: Mapping[str, Any],
    batch: int,
    scale: str | None = None,
) -> Chosen:
    """The largest rung within the parameters aimed at that the time allows; a coarser look before a stunted
    net.
    """
    scale = scale or family
    target = target_params(family, facts)
    value = rule("R1").value
    between = value["least_passes"], value["most_passes"]
    least = epochs_for(facts["rows"], value["least_samples"].get(facts["modality"], 0), *between)
    passes = epochs_for(facts["rows"], value["samples"], *between)
    counted = _Counter(family, overlay, contract)
    while True:
        affordable = affordable_macs(family, facts, passes, batch)
        looks = []
        for coarse in coarse_levels(scale, contract)[:DEFAULT_LOOKS]:
            rungs = ladder(scale, contract, coarse)
            by_rows, by_time = _rungs(rungs, counted, 1.15 * target, affordable)
            looks.append(Chosen(rungs[by_time], target, passes, by_time < by_rows, coarse))
            if counted.body(looks[-1].args) >= 0.5 * target:
                break
        most = max(counted.body(look.args) for look in looks)
        # Of looks that leave networks of like size, the one that is cheaper sees the data more often.
        alike = [look for look in looks if counted.body(look.args) >= 0.8 * most]
        best = min(alike, key=lambda look: counted.macs(look.args))
        if counted.body(best.args) >= 0.25 * target or passes <= least:
            return best
        passes = max(least, passes / 2)


def _rungs(rungs: list[dict[str, Any]], counted: "_Counter", params: float, macs: float) -> tuple[int, int]:
    """The largest rung by the rows, and, no larger, by the time; the first where nothing fits."""
    by_rows = max(0, largest(len(rungs), lambda i: counted.body(rungs[i]) <= params))
    return by_rows, max(0, largest(by_rows + 1, lambda i: counted.macs(rungs[i]) <= macs))


def default_spec(family: str, profile: Profile, contract: Mapping[str, Any], brief: Brief | None = None) -> Spec:
    """The family's plain form at its default size for these data."""
    facts = facts_of(profile, brief or Brief(), contract)
    overlay = {**regularisation(family, facts), **arguments_for_objects(family, facts)}
    return Spec(family, {**choose_size(family, overlay, contract, facts, batch_size(facts)).args, **overlay})


def largest(count: int, fits: Callable[[int], bool]) -> int:
    """The largest i < count with fits(i), by bisection on a monotone ladder; −1 if none, 0 if there are none
    left.
    """
    low, high = -1, max(1, count)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


class _Counter:
    """Counts of a family with a rung's arguments: `body` (parameters of its own) and `macs`."""

    def __init__(self, family: str, overlay: Mapping[str, Any], contract: Mapping[str, Any]):
        self.family, self.overlay, self.contract = family, overlay, contract
        self.small = _body_contract(contract)

    def body(self, args: Mapping[str, Any]) -> int:
        """Parameters without the vocabulary and with at most 16 columns."""
        return weights_of(Spec(self.family, {**args, **self.overlay}), self.small)[0]

    def macs(self, args: Mapping[str, Any]) -> int:
        """Multiply-adds of a sample."""
        return macs_of(Spec(self.family, {**args, **self.overlay}), self.contract)


def _body_contract(contract: Mapping[str, Any]) -> dict[str, Any]:
    """The contract with a vocabulary of two words, or at most 16 columns: what is left is the network's own
    size.
    """
    small = dict(contract)
    if "vocab_size" in small:
        small["vocab_size"] = 2
    elif small.get("num_features"):
        small |= {"num_features": min(16, small["num_features"]), "cardinalities": []}
    elif "num_features" in small:
        small["cardinalities"] = [min(9, levels) for levels in small["cardinalities"]][:16]
    return small


def families_of(modality: str) -> tuple[str, ...]:
    """The families with an anchor for a modality, in the table's order."""
    return tuple(family for family in ANCHORS if SCALES[family].modality == modality)
