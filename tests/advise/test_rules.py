"""The tables of rules: well-formed, sourced, and applied as they say."""

import re

import pytest

from netwright.advise import RULES, facts_of, rule, rules_markdown
from netwright.advise.defaults import ANCHORS
from netwright.advise.rules import GROUPS, Rule, applies, applying, extrapolated, holds, reason
from netwright.advise.variants import VARIANTS
from netwright.design import Brief, registry

from . import samples

KNOWN = {
    *facts_of(samples.DIGITS[0], Brief(), samples.DIGITS[1]),
    *facts_of(samples.DIAMONDS[0], Brief(), samples.DIAMONDS[1]),
    *facts_of(samples.REVIEWS[0], Brief(), samples.REVIEWS[1]),
    *facts_of(samples.SHAPES[0], Brief(), samples.SHAPES[1]),
    *facts_of(samples.STREETS[0], Brief(), samples.STREETS[1]),
    "params_counted",
    "training_flops",
    "dim",
}


def test_ids_are_unique():
    ids = [r.id for r in RULES]
    assert len(ids) == len(set(ids))


def test_the_ids_of_the_sizing_rules_are_kept():
    ids = {r.id for r in RULES}
    wanted = {f"S0.{i}" for i in range(1, 6)} | {f"S1.{i}" for i in range(1, 13)} | {f"S2.{i}" for i in range(1, 7)}
    wanted |= {f"S3.{i}" for i in range(1, 12)} | {f"S4.{i}" for i in range(1, 9)} | {f"S5.{i}" for i in range(1, 8)}
    wanted |= {f"T{i}" for i in range(1, 19)} | {f"N{i}" for i in range(1, 5)}
    assert wanted <= ids


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_every_rule_is_complete(one: Rule):
    assert len(one.claim) > 20 and one.claim.endswith(".")
    assert len(one.source) > 3
    assert one.confidence in ("V", "A", "R")
    assert one.because == "" or one.because.endswith(".")


@pytest.mark.parametrize("one", RULES, ids=lambda r: r.id)
def test_every_rule_names_facts_and_families_that_exist(one: Rule):
    assert set(one.when) | set(one.fitted) <= KNOWN
    assert {*one.prefer, *one.reject} <= set(registry().families)


def test_arxiv_numbers_have_their_form():
    for one in RULES:
        for number in re.findall(r"arXiv:(\S+?)(?=[,\s]|$)", one.source):
            assert re.fullmatch(r"\d{4}\.\d{4,5}", number), (one.id, number)


def test_variants_cite_rules_and_fit_their_families():
    for variant in VARIANTS:
        assert rule(variant.rule)
        entry = registry().families[variant.family]
        assert set(variant.args) <= set(entry.settable)
    assert {variant.family for variant in VARIANTS} == set(ANCHORS) <= set(registry().families)


@pytest.mark.parametrize(
    ("condition", "fact", "expected"),
    [
        ("image", "image", True),
        ("image", "text", False),
        (("a", "b"), "b", True),
        (("a", "b"), "c", False),
        ("< 1000", 999, True),
        ("< 1000", 1000, False),
        (">= 64", 64, True),
        ("> 64", 64, False),
        ("<= 64", 65, False),
        ("1e3..1e5", 1000, True),
        ("1e3..1e5", 100_001, False),
        (True, 1, True),
        (False, True, False),
        (0, 0, True),
        ("< 5", None, False),
        (False, None, False),
    ],
)
def test_conditions(condition, fact, expected):
    assert holds(condition, fact) is expected


def test_a_rule_speaks_only_when_all_its_conditions_hold():
    one = Rule("X", "Claims something.", "nowhere", "R", when={"modality": "image", "rows": "< 10"})
    assert applies(one, {"modality": "image", "rows": 9})
    assert not applies(one, {"modality": "image", "rows": 10})
    assert not applies(one, {"modality": "image"})
    assert applying([one], {"modality": "image", "rows": 9, "more": 1}) == [one]


def test_reasons_carry_the_numbers_and_say_when_they_are_extrapolated():
    one = Rule(
        "X", "Claims something.", "nowhere", "R", fitted={"rows": "1e4..1e6"}, because="{rows} rows, share {share}."
    )
    inside = reason(one, {"rows": 20_000, "share": 0.125})
    outside = reason(one, {"rows": 300, "share": 2})
    assert inside == {"rule": "X", "text": "20,000 rows, share 0.125."}
    assert outside["text"] == "300 rows, share 2. (extrapolated: the rule was observed at rows 10,000 to 1,000,000)"
    assert not extrapolated(one, {"rows": 1e4})
    assert extrapolated(one, {})


def test_the_rules_page_lists_every_rule_once():
    page = rules_markdown()
    for one in RULES:
        assert page.count(f"\n| {one.id} | ") == 1
    for title in GROUPS:
        assert f"\n## {title}\n" in page
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith("| ")}
    assert widths == {7}
