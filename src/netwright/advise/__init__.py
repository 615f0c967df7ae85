"""advise: which networks fit the data and the limits, at which size, trained how, and why.

Knowledge is data (`rules`, `variants`, `defaults`, `scales`, `recipe_tables`); small engines apply it:
`propose` makes candidates, `fit_to_budget` sizes one of them to hard limits, `propose_within` does both,
`recipe_for` says how to train it.
"""

from netwright.advise.candidates import Candidate, Proposal, propose
from netwright.advise.defaults import default_spec
from netwright.advise.errors import BudgetError
from netwright.advise.facts import facts_of
from netwright.advise.recipe import recipe_for
from netwright.advise.rules import RULES, Rule, rule
from netwright.advise.rules_doc import rules_markdown
from netwright.advise.sizing import Sized, fit_to_budget
from netwright.advise.within import Fitted, propose_within

__all__ = [
    "RULES",
    "BudgetError",
    "Candidate",
    "Fitted",
    "Proposal",
    "Rule",
    "Sized",
    "default_spec",
    "facts_of",
    "fit_to_budget",
    "propose",
    "propose_within",
    "recipe_for",
    "rule",
    "rules_markdown",
]
