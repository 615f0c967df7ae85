"""The rules as a page: `docs/rules.md` is made from the tables, never written by hand."""

from netwright.advise.rules import GROUPS, Rule

HEAD = """# Rules

Every recommendation carries the ids of the rules that made it. This page is made from the tables in
`src/netwright/advise/rules/`: adding a rule is adding a row there.

Trust: **V** checked in the authors' code or reproduced · **A** an abstract or summary was read · **R** recalled
from the paper. A recommendation is marked *extrapolated* when the data lie outside the range in which the rule
was observed.
"""


def rules_markdown() -> str:
    """All rules by topic, as Markdown tables."""
    parts = [HEAD]
    for title, table in GROUPS.items():
        parts.append(f"\n## {title}\n\n| id | claim | speaks when | observed at | source | trust |\n")
        parts.append("|---|---|---|---|---|---|\n")
        parts += [_row(rule) for rule in table]
    return "".join(parts)


def _row(rule: Rule) -> str:
    claim = rule.claim
    if rule.prefer:
        claim += f" ({', '.join(f'{family} {points:+g}' for family, points in rule.prefer.items())})"
    if rule.reject:
        claim += f" (leaves out {', '.join(rule.reject)})"
    cells = (rule.id, claim, _conditions(rule.when) or "always", _conditions(rule.fitted) or "–", rule.source)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} | {rule.confidence} |\n"


def _conditions(conditions: object) -> str:
    """Conditions on one line: `rows < 1000, side 28..32`."""
    assert hasattr(conditions, "items")
    words = []
    for name, value in conditions.items():
        value = " or ".join(map(str, value)) if isinstance(value, tuple) else value
        text = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        words.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(words)
