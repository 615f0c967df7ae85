"""What was asked of `design`, as plain data, so that a run can be taken up again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from netwright.errors import InputError

DEFAULT_TIME = "2min"


@dataclass
class Request:
    """The arguments of `netwright.design`, as a person writes them.

    `source` is a path, the name of a bundled set, or a word for data given in memory. Limits are texts with
    units ("200k", "5ms", "100MB", "2min").
    """

    source: str
    target: str | None = None
    text: str | None = None
    task: str | None = None
    metric: str | None = None
    params: str | None = None
    flops: str | None = None
    latency: str | None = None
    memory: str | None = None
    size: str | None = None
    time: str | None = None
    group: str | None = None
    time_column: str | None = None
    test: str | None = None
    test_fraction: float | None = None
    drop: list[str] = field(default_factory=list)
    image_size: int | None = None
    pretrained: str | None = None
    prefer: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    steps: int | None = None
    workers: int | None = None
    seed: int = 0

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1))

    def check_same(self, path: Path) -> None:
        """A run is taken up with the arguments that it was begun with."""
        begun: dict[str, Any] = json.loads(path.read_text())
        now = asdict(self)
        changed = [
            f"{name} (then {begun.get(name)!r}, now {now[name]!r})" for name in now if begun.get(name) != now[name]
        ]
        if changed:
            raise InputError(
                f"the run was begun with other arguments: {', '.join(changed)}",
                where=str(path.parent.parent),
                fix="use the same arguments, or another --out for a new run",
            )
