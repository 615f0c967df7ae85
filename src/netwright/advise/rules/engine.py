"""A rule is a row of data; this is the small engine that reads rows.

A condition is a plain value and is tested on one named fact (see `advise/facts.py`):
`"image"` equals · `("gpu", "mps")` is one of · `True` / `False` · `"< 1000"`, `">= 64"` compares ·
`"1e3..1e5"` lies within, both ends included. A fact that is not known fulfils no condition.
"""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = Mapping[str, Any]

_COMPARE = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


@dataclass(frozen=True)
class Rule:
    """One piece of knowledge: what is claimed, when it speaks, who says so, and how far to trust it."""

    id: str
    claim: str
    source: str
    confidence: str
    """V: checked in the authors' code or reproduced; A: an abstract or summary was read; R: recalled."""
    when: Mapping[str, Any] = field(default_factory=dict)
    """Conditions on facts; all must hold for the rule to speak. Empty: always."""
    fitted: Mapping[str, Any] = field(default_factory=dict)
    """The range that the claim was observed in; outside of it the rule still speaks, marked extrapolated."""
    value: Mapping[str, Any] = field(default_factory=dict)
    """The numbers of the claim, read by the code that applies it."""
    prefer: Mapping[str, float] = field(default_factory=dict)
    """Points for (or, negative, against) families when the rule speaks."""
    reject: tuple[str, ...] = ()
    """Families that are not proposed when the rule speaks, unless the person asks for them."""
    because: str = ""
    """The claim on this data set: a template over the facts."""


def holds(condition: Any, fact: Any) -> bool:
    """Whether one condition holds for one fact."""
    if fact is None:
        return False
    if isinstance(condition, bool):
        return bool(fact) is condition
    if isinstance(condition, tuple | list | set | frozenset):
        return fact in condition
    if isinstance(condition, str):
        for sign, compare in _COMPARE.items():
            if condition.startswith(sign):
                return bool(compare(float(fact), float(condition[len(sign) :])))
        if ".." in condition:
            low, high = condition.split("..")
            return float(low) <= float(fact) <= float(high)
    return bool(fact == condition)


def applies(rule: Rule, facts: Facts) -> bool:
    """Whether the rule speaks for these facts."""
    return all(holds(condition, facts.get(name)) for name, condition in rule.when.items())


def applying(rules: Iterable[Rule], facts: Facts) -> list[Rule]:
    """The rules that speak for these facts, in the table's order."""
    return [rule for rule in rules if applies(rule, facts)]


def extrapolated(rule: Rule, facts: Facts) -> bool:
    """Whether the facts lie outside the range that the rule was observed in (an unknown fact does)."""
    return not all(holds(condition, facts.get(name)) for name, condition in rule.fitted.items())


def reason(rule: Rule, facts: Facts, text: str = "") -> dict[str, str]:
    """`{rule, text}`: the rule's sentence (or `text`) with these data's numbers, marked if extrapolated."""
    sentence = text or (rule.because or rule.claim).format_map(_Readable(facts))
    if extrapolated(rule, facts):
        span = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in rule.fitted.items())
        sentence += f" (extrapolated: the rule was observed at {span})"
    return {"rule": rule.id, "text": sentence}


def _plain(condition: Any) -> str:
    """A condition as a person reads it."""
    if isinstance(condition, str) and ".." in condition:
        return " to ".join(f"{float(end):,.10g}" for end in condition.split(".."))
    if isinstance(condition, tuple | list):
        return " or ".join(str(entry) for entry in condition)
    return str(condition)


class _Readable(dict):
    """Facts for a template: numbers with thousands separators, an unknown fact as a word."""

    def __missing__(self, key: str) -> str:
        return f"unknown {key.replace('_', ' ')}"

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        return _Number(value)


class _Number(float):
    """A float that prints as a person writes it: 1,797 and 0.25."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if spec else f"{float(self):,.0f}" if self == int(self) else f"{self:,.4g}"
