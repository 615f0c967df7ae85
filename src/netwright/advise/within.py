"""Candidates within the limits: propose, size each to the limits, and fill the places of those that don't
fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netwright.advise.candidates import Candidate, Proposal, propose
from netwright.advise.defaults import affordable_passes
from netwright.advise.errors import BudgetError
from netwright.advise.recipe import recipe_of
from netwright.advise.sizing import Sized, fit_to_budget, limits_of, merged, value_words, words
from netwright.data.profiles import Profile
from netwright.design import Brief, Budget
from netwright.errors import InputError

ENOUGH = 3
"""Candidates that should fit; while fewer do, the next families are tried."""


@dataclass(frozen=True)
class Fitted:
    """The candidates that fit the limits, each with its sizing, and what was left out, with numbers."""

    candidates: list[tuple[Candidate, Sized]]
    rejected: list[dict[str, str]]
    notes: list[dict[str, str]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def propose_within(profile: Profile, brief: Brief, contract: Mapping[str, Any]) -> Fitted:
    """`propose`, then every candidate sized to the brief's limits, with the recipe of its new size.

    A family that can't be made to fit is rejected with the least that it reaches, and the next one takes its
    place. BudgetError with the smallest values of every family that was tried if none fits.
    """
    failures: dict[str, BudgetError] = {}
    sizes: dict[str, Sized | BudgetError] = {}
    best: Fitted | None = None
    while True:
        try:
            proposal = propose(profile, _without(brief, failures), contract)
        except InputError:
            if best is None and failures:
                raise merged(failures.values()) from None
            if best is None:
                raise
            return _with_failures(best, failures)
        before = len(failures)
        found = _fit(proposal, brief, contract, sizes, failures)
        if found.candidates and (best is None or len(found.candidates) > len(best.candidates)):
            best = found
        if len(found.candidates) >= min(ENOUGH, len(proposal.candidates)) or len(failures) == before:
            return _with_failures(best or found, failures)


def _fit(
    proposal: Proposal,
    brief: Brief,
    contract: Mapping[str, Any],
    sizes: dict[str, Sized | BudgetError],
    failures: dict[str, BudgetError],
) -> Fitted:
    """Every candidate of a proposal at a size within the limits; failures are noted by family."""
    fitted: list[tuple[Candidate, Sized]] = []
    rejected = list(proposal.rejected)
    for candidate in proposal.candidates:
        key = str(candidate.spec)
        if key not in sizes:
            sizes[key] = _size(candidate, brief.budget, contract)
        sized = sizes[key]
        if isinstance(sized, BudgetError):
            known = failures.get(candidate.family)
            failures[candidate.family] = merged([known, sized]) if known else sized
            continue
        twin = next((other for other, known_size in fitted if known_size.spec == sized.spec), None)
        if twin is not None:
            text = f"Within the limits it is the same network as {twin.name}."
            rejected.append({"family": candidate.name, "rule": "S0.1", "reason": text})
            continue
        params = int(sized.cost["params"].value)
        facts, macs = proposal.facts, sized.cost["flops"].value / 2
        passes = affordable_passes(candidate.family, facts, macs, candidate.recipe.batch_size)
        recipe, reasons = recipe_of(
            candidate.family, params, facts, passes=passes, metric=brief.metric, seed=brief.seed
        )
        changed = replace(
            candidate,
            spec=sized.spec,
            recipe=recipe,
            reasons=[*candidate.reasons, *_reasons(candidate, sized, brief.budget)],
            recipe_reasons=reasons,
        )
        fitted.append((changed, sized))
    for family in {candidate.family for candidate, _ in fitted}:
        failures.pop(family, None)  # a sibling variant fits
    return Fitted(fitted, rejected, proposal.notes, proposal.facts)


def _size(candidate: Candidate, budget: Budget, contract: Mapping[str, Any]) -> Sized | BudgetError:
    try:
        return fit_to_budget(
            candidate.family, contract, budget, candidate.spec, scale=candidate.scale, overlay=candidate.overlay
        )
    except BudgetError as error:
        return error


def _without(brief: Brief, failures: Mapping[str, BudgetError]) -> Brief:
    """The brief without the families that do not fit."""
    if not failures:
        return brief
    prefer = tuple(name for name in brief.prefer if name not in failures)
    return replace(brief, prefer=prefer, exclude=(*brief.exclude, *failures))


def _with_failures(fitted: Fitted, failures: Mapping[str, BudgetError]) -> Fitted:
    """The families that do not fit, each with the least that it reaches in place of "excluded"."""
    if not fitted.candidates:
        raise merged(failures.values())
    kept = [entry for entry in fitted.rejected if entry["family"] not in failures]
    for family, error in failures.items():
        text = f"It can't be made to fit {error.limits}; the least it reaches: {words(error.smallest[family])}."
        kept.append({"family": family, "rule": "S0.1", "reason": text})
    return replace(fitted, rejected=kept)


def _reasons(candidate: Candidate, sized: Sized, budget: Budget) -> list[dict[str, str]]:
    """One sentence on what the limits did to the size."""
    before, after = candidate.default_cost["params"].value, sized.cost["params"].value
    tightest = max(sized.margins, key=lambda name: sized.margins[name], default=None)
    if tightest is None:
        return []
    held = (
        f"{value_words(tightest, sized.cost[tightest].value)} of {value_words(tightest, limits_of(budget)[tightest])}"
    )
    if after < before:
        text = f"Made smaller for your limits, from {before:,.0f} to {after:,.0f} parameters: {tightest} {held}."
    else:
        text = f"Your limits hold at the default size: {tightest} {held}."
    return [{"rule": "S0.1", "text": text}]
