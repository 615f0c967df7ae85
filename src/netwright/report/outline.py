"""The report's sections in the order in which they are read; empty ones are left out and named."""

from collections.abc import Callable, Mapping
from typing import Any

from netwright.report import evidence, story
from netwright.report.document import Block, Bullets, Cell, Section
from netwright.report.schema import SECTIONS

TITLES = {
    "verdict": "Verdict",
    "brief": "The brief, as understood",
    "decision": "The decision",
    "diagram": "Diagram",
    "layers": "Layers",
    "cost": "Cost",
    "recipe": "Training recipe",
    "validation": "Validation",
    "baselines": "Baselines",
    "scaling": "Scaling plan",
    "deployment": "Deployment",
    "limits": "Limits",
    "provenance": "Provenance",
}
BUILDERS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], list[Block]]] = {
    "brief": story.brief,
    "decision": story.decision,
    "diagram": story.picture,
    "layers": story.layers,
    "cost": story.cost,
    "recipe": story.recipe,
    "validation": evidence.validation,
    "baselines": evidence.baselines,
    "scaling": evidence.scaling,
    "deployment": evidence.deployment,
    "limits": evidence.limits,
    "provenance": evidence.provenance,
}


def sections(report: Mapping[str, Any]) -> list[Section]:
    """Sections 2 to 13 that have something to say; what has not is named among the limits."""
    found: dict[str, list[Block]] = {}
    for key, builder in BUILDERS.items():
        found[key] = builder(report.get(key) or {}, report)
    empty = [TITLES[key].lower() for key, blocks in found.items() if not blocks and key != "limits"]
    if empty:
        found["limits"].append(Bullets([Cell(f"{name[0].upper()}{name[1:]}") for name in empty], "Not in this report"))
    return [
        Section(key, number, TITLES[key], tuple(found[key])) for number, key in enumerate(SECTIONS, 1) if found.get(key)
    ]
