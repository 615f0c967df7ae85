"""Knowledge as data: one table of rules a file. Adding a rule is adding a row; `docs/rules.md` is made from
them.
"""

from netwright.advise.rules.detection import DETECTION
from netwright.advise.rules.engine import Facts, Rule, applies, applying, extrapolated, holds, reason
from netwright.advise.rules.images import IMAGES
from netwright.advise.rules.order import ORDER
from netwright.advise.rules.other import OTHER
from netwright.advise.rules.scaling import SCALING
from netwright.advise.rules.search import SEARCH
from netwright.advise.rules.segmentation import SEGMENTATION
from netwright.advise.rules.tables import TABLES
from netwright.advise.rules.texts import TEXTS
from netwright.advise.rules.training import TRAINING
from netwright.advise.rules.transformers import TRANSFORMERS

GROUPS: dict[str, tuple[Rule, ...]] = {
    "Order of decisions": ORDER,
    "Compute, parameters and data": SCALING,
    "Images": IMAGES,
    "Segmentation": SEGMENTATION,
    "Detection": DETECTION,
    "Transformers": TRANSFORMERS,
    "Tables": TABLES,
    "Text": TEXTS,
    "Other families": OTHER,
    "Training": TRAINING,
    "Search": SEARCH,
}
"""The tables by title, in the order of the documentation."""

RULES: tuple[Rule, ...] = tuple(rule for table in GROUPS.values() for rule in table)

_BY_ID = {rule.id: rule for rule in RULES}


def rule(id: str) -> Rule:
    """The rule of that id; KeyError names the id."""
    return _BY_ID[id]


__all__ = [
    "GROUPS",
    "RULES",
    "Facts",
    "Rule",
    "applies",
    "applying",
    "extrapolated",
    "holds",
    "reason",
    "rule",
]
