"""Texts with marked spots: `{{expression}}`, and lines between `#: if`, `#: elif`, `#: else`, `#: end`;
`#: include NAME` is another template.

The conditions and expressions stand in files of this package; nothing of a person's is evaluated.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

SPOT = re.compile(r"\{\{(.+?)\}\}")
MARK = re.compile(r"\s*#: (if|elif|else|end|include)\b ?(.*)")


def render(name: str, values: Mapping[str, Any]) -> str:
    """The template of that name with these values. Conditions and spots are Python expressions of ours."""
    text = files("netwright.export.templates").joinpath(name).read_text(encoding="utf-8")
    rows: list[str] = []
    open_arms: list[list[bool]] = []  # for each open `if`: is this arm taken, has any been
    for line in text.splitlines():
        mark = MARK.fullmatch(line)
        if mark is None:
            if all(taken for taken, _ in open_arms):
                rows += _filled(line, values)
        elif mark[1] == "include":
            if all(taken for taken, _ in open_arms):
                rows += render(mark[2], values).splitlines()
        elif mark[1] == "if":
            holds = all(taken for taken, _ in open_arms) and bool(eval(mark[2], {}, dict(values)))
            open_arms.append([holds, holds])
        elif mark[1] == "end":
            open_arms.pop()
        else:
            arm = open_arms[-1]
            outside = all(taken for taken, _ in open_arms[:-1])
            arm[0] = outside and not arm[1] and (mark[1] == "else" or bool(eval(mark[2], {}, dict(values))))
            arm[1] = arm[0] or arm[1]
    if open_arms:
        raise ValueError(f"{name}: an `if` is not ended")
    return "\n".join(rows) + "\n"


def _filled(line: str, values: Mapping[str, Any]) -> list[str]:
    """A line with its spots filled; a spot alone on its line may have several lines, or none."""
    alone = SPOT.fullmatch(line.strip())
    if alone:
        indent = line[: len(line) - len(line.lstrip())]
        return [indent + row if row else row for row in str(eval(alone[1], {}, dict(values))).splitlines()]
    return [SPOT.sub(lambda spot: str(eval(spot[1], {}, dict(values))), line)]
