"""Which networks to try: families scored by the rules, each in its best variants, at a size for data and
time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netwright.advise.defaults import Chosen, affordable_passes, choose_size, families_of, seconds_a_pass
from netwright.advise.detectors import arguments_for_objects
from netwright.advise.facts import facts_of, rounded
from netwright.advise.networks import count
from netwright.advise.recipe import batch_size, recipe_of, regularisation
from netwright.advise.rules import RULES, Rule, applying, reason, rule
from netwright.advise.scales import SCALES
from netwright.advise.variants import Variant, variants_of
from netwright.data.profiles import Profile
from netwright.design import Brief, Recipe, Spec, registry
from netwright.errors import InputError
from netwright.inspect import Figure

PREFERRED = 100.0
SECOND_VARIANT = 0.75
"""Points that a family's second variant loses, so that another family of like merit goes first."""
PER_FAMILY = 2
KINDS = {
    "vision": "images",
    "tabular": "tables",
    "text": "texts",
    "segmentation": "images with masks",
    "detection": "images with boxes",
}
"""What families of a folder are for, in words."""


@dataclass(frozen=True)
class Candidate:
    """A network worth training: its Spec and Recipe, why, and what it costs (counted, not measured)."""

    name: str
    family: str
    spec: Spec
    recipe: Recipe
    reasons: list[dict[str, str]]
    default_cost: dict[str, Figure]
    points: float
    scale: str
    """The ladder that its size is taken from."""
    overlay: dict[str, Any]
    """The arguments that are no size: what the variant puts into slots, dropout."""
    recipe_reasons: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """Candidates, most promising first; families left out, each with rule and reason; rules for all."""

    candidates: list[Candidate]
    rejected: list[dict[str, str]]
    notes: list[dict[str, str]]
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Entry:
    family: str
    variant: Variant
    points: float


def propose(profile: Profile, brief: Brief, contract: Mapping[str, Any], most: int | None = None) -> Proposal:
    """Candidates for these data: at least three of at least two families, unless the brief excludes them."""
    facts = facts_of(profile, brief, contract)
    speaking = applying(RULES, facts)
    families = families_of(profile.modality)
    preferred = _named(brief.prefer, families, profile.modality, "brief.prefer")
    excluded = _named(brief.exclude, families, profile.modality, "brief.exclude")
    rejected: list[dict[str, str]] = []
    ranked: list[_Entry] = []
    for family in families:
        if family in excluded:
            rejected.append({"family": family, "rule": "brief", "reason": "You excluded it."})
            continue
        objection = next((r for r in speaking if family in r.reject), None)
        if objection and family not in preferred:
            rejected.append({"family": family, "rule": objection.id, "reason": reason(objection, facts)["text"]})
            continue
        ranked += _entries(family, speaking, facts, PREFERRED if family in preferred else 0.0)
    if not ranked:
        raise InputError(
            f"no family is left for a {profile.modality}: {', '.join(r['family'] for r in rejected)}",
            where="brief.exclude",
            fix="exclude fewer families, or prefer one that the rules left out",
        )
    ranked.sort(key=lambda entry: -entry.points)
    places = most or _places(facts["time_s"])
    while True:
        chosen = _choose(ranked, places)
        candidates = [_candidate(entry, speaking, facts, contract, brief) for entry in chosen]
        twin = _twin(candidates)
        if twin is None:
            break
        ranked.remove(chosen[twin])  # at these sizes two variants are one network
    taken = {entry.family for entry in chosen}
    for family in dict.fromkeys(entry.family for entry in ranked if entry.family not in taken):
        rejected.append(_not_reached(family, ranked, chosen, facts))
    shared = ("S0.1", "S0.3", "S0.4", "S0.5", "B2", "L1", "S5.6", "N3", "T15", "T18", "T25", "G3", "G6", "D7")
    notes = [reason(r, facts) for r in speaking if r.id in shared]
    return Proposal(candidates, rejected, notes, facts)


def _named(names: Sequence[str], families: Sequence[str], modality: str, where: str) -> set[str]:
    """Families as the person named them, in the registry's spelling."""
    found = set()
    for name in names:
        entry, _ = registry().family(name, where)
        if entry.name not in families and where == "brief.prefer":
            kind = KINDS.get(entry.modality or "", "other data")
            raise InputError(
                f"{entry.name} is a family for {kind}, and these data are a {modality}",
                where=where,
                fix=f"choose among {', '.join(families)}",
            )
        found.add(entry.name)
    return found


def _entries(family: str, speaking: list[Rule], facts: Mapping[str, Any], extra: float) -> list[_Entry]:
    """The family's variants with their points, the best first; later ones lose some."""
    base = extra + sum(r.prefer.get(family, 0.0) for r in speaking)
    variants = sorted(variants_of(family, facts), key=lambda v: -v.points)
    return [
        _Entry(family, variant, base + variant.points - SECOND_VARIANT * place)
        for place, variant in enumerate(variants)
    ]


def _places(seconds: float) -> int:
    """How many candidates the time is enough for: halving gives each at least a share of it (N4)."""
    return 3 if seconds < 60 else 4 if seconds < 600 else 5 if seconds < 3600 else 6


def _choose(ranked: list[_Entry], places: int) -> list[_Entry]:
    """The best entries, at most two of a family, at least two families where there are two."""
    chosen: list[_Entry] = []
    for entry in ranked:
        if len(chosen) < places and sum(c.family == entry.family for c in chosen) < PER_FAMILY:
            chosen.append(entry)
    if len({entry.family for entry in chosen}) < 2:
        other = next((entry for entry in ranked if entry.family != chosen[0].family), None)
        if other is not None:
            chosen = [*chosen[: max(1, places - 1)], other]
    # With one family alone, its further variants fill the places.
    chosen += [entry for entry in ranked if entry not in chosen][: max(0, min(3, places) - len(chosen))]
    return sorted(chosen, key=lambda entry: -entry.points)


def _twin(candidates: list[Candidate]) -> int | None:
    """The place of a candidate that is the same network as an earlier one."""
    for place, candidate in enumerate(candidates):
        if any(candidate.spec == other.spec for other in candidates[:place]):
            return place
    return None


def _not_reached(family: str, ranked: list[_Entry], chosen: list[_Entry], facts: Mapping[str, Any]) -> dict[str, str]:
    points = max(entry.points for entry in ranked if entry.family == family)
    last = min(chosen, key=lambda entry: entry.points)
    text = (
        f"{points:.4g} points by the rules, where the last of the {len(chosen)} candidates that "
        f"{facts['time_s']:.4g} s are shared among has {last.points:.4g} ({last.family}); "
        f"`--prefer {family}` tries it."
    )
    return {"family": family, "rule": "N4", "reason": text}


def _candidate(
    entry: _Entry, speaking: list[Rule], facts: dict[str, Any], contract: Mapping[str, Any], brief: Brief
) -> Candidate:
    """The entry at its default size, with its recipe and all reasons."""
    family, variant = entry.family, entry.variant
    overlay = {**variant.args, **regularisation(family, facts), **arguments_for_objects(family, facts)}
    batch = batch_size(facts)
    scale = variant.scale or family
    size = choose_size(family, overlay, contract, facts, batch, scale)
    spec = Spec(family, {**size.args, **overlay})
    counts = count(spec, contract)
    passes = affordable_passes(family, facts, counts.macs, batch)
    recipe, recipe_reasons = recipe_of(
        family, counts.params, facts, passes=passes, metric=brief.metric, seed=brief.seed
    )
    cost = {
        "params": Figure(counts.params, "", "counted"),
        "macs": Figure(counts.macs, "", "counted"),
        "flops": Figure(2 * counts.macs, "", "counted"),
        "size": Figure(counts.size_bytes, "bytes", "counted"),
        "seconds_a_pass": Figure(
            seconds_a_pass(family, facts, counts.macs, batch),
            "s",
            "estimated (family's speed on one reference thread, within a factor of 2)",
        ),
    }
    reasons = [reason(r, facts) for r in speaking if r.prefer.get(family, 0.0) > 0]
    reasons.append({"rule": variant.rule, "text": variant.because.format_map(facts)})
    reasons += _size_reasons(scale, size, counts.params, facts)
    reasons += [reason(r, {**facts, **overlay}) for r in speaking if r.id == "T23" and "dropout" in overlay]
    reasons += [r for r in recipe_reasons.values() if r not in reasons]
    name = f"{family}-{variant.name}" if variant.name else family
    return Candidate(name, family, spec, recipe, reasons, cost, round(entry.points, 2), scale, overlay, recipe_reasons)


def _size_reasons(scale: str, size: Chosen, params: int, facts: dict[str, Any]) -> list[dict[str, str]]:
    """Why this large: the rows' anchor, the time, the rules of the shape."""
    exponent = rule("S2.1").value["exponent"][facts["modality"]]
    known = {
        **facts,
        "target_params": rounded(size.target),
        "exponent": exponent,
        "passes": round(size.passes),
    }
    found = [reason(rule("S2.1"), known)]
    if size.bound_by_time:
        found.append(reason(rule("R1"), known))
        found[-1]["text"] = (
            f"{found[-1]['text']} That leaves {params:,} parameters, fewer than the rows would call for."
        )
    found += [reason(rule(id), {**known, "params_counted": params}) for id in SCALES[scale].rules if rule(id).because]
    return found
