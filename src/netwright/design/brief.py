"""Brief and Budget: what the person wants, and the hard limits."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from netwright.design.errors import DesignError, at, show, unknown_name
from netwright.design.quantity import exact, human, parse
from netwright.design.section import check_fields

# of tasks.metrics.METRICS
METRIC_NAMES = (
    *("accuracy", "balanced_accuracy", "f1_macro", "auc", "log_loss", "rmse", "mae", "r2"),
    *("miou", "dice", "foreground_iou", "pixel_accuracy"),
    *("ap50", "ap75", "map50_95"),
)

# name on the command line and in a file → the field, and what it is counted in
LIMITS: dict[str, tuple[str, str]] = {
    "params": ("params", "count"),
    "flops": ("flops", "count"),
    "latency": ("latency_ms", "milliseconds"),
    "memory": ("memory_bytes", "bytes"),
    "size": ("size_bytes", "bytes"),
    "time": ("time_s", "seconds"),
}


@dataclass(frozen=True)
class Budget:
    """Hard limits of a network; None is no limit.

    params: parameters · flops: floating-point operations of one forward at batch 1 · latency_ms: of one
    forward at batch 1 · memory_bytes: peak memory of one forward · size_bytes: the weights on disk ·
    time_s: of training all candidates.
    """

    params: int | None = None
    flops: int | None = None
    latency_ms: float | None = None
    memory_bytes: int | None = None
    size_bytes: int | None = None
    time_s: float | None = None

    def __post_init__(self) -> None:
        for name, (field, kind) in LIMITS.items():
            value = getattr(self, field)
            number = int if kind in ("count", "bytes") else int | float
            right = isinstance(value, number) and not isinstance(value, bool) and 0 < value <= 10**18
            if value is not None and not right:
                allowed = f"a {'whole ' if number is int else ''}number above 0, or Budget.parse({name}=…)"
                raise DesignError(f"{show(value)} is no limit", where=f"budget.{field}", value=value, allowed=allowed)

    @classmethod
    def parse(cls, *, where: str = "budget", **limits: Any) -> "Budget":
        """From what people write: parse(params="200k", flops="1G", latency="5ms", memory="100MB", size="1MB",

        time="2min"). None is no limit. `where` is the start of the path in errors; `--` for the command line.
        """
        out: dict[str, Any] = {}
        for name, text in limits.items():
            if name not in LIMITS:
                raise unknown_name(name, LIMITS, what="limit", where=where)
            field, kind = LIMITS[name]
            if text is not None:
                out[field] = parse(text, kind, f"--{name}" if where == "--" else at(where, name))
        return cls(**out)

    @classmethod
    def from_data(cls, data: Any, where: str = "budget") -> "Budget":
        """From YAML's mapping, `{params: 200k, latency: 5ms}`."""
        if data is None:
            return cls()
        if not isinstance(data, Mapping):
            raise DesignError(f"{show(data)} is no budget", where=where, allowed="{params: 200k, latency: 5ms}")
        for name in data:
            if name not in LIMITS:
                raise unknown_name(name, LIMITS, what="limit", where=where)
        return cls.parse(where=where, **data)

    def to_data(self) -> dict[str, str | int]:
        """YAML's mapping of the limits that are set; `from_data` gives the same budget back."""
        found = {name: (getattr(self, field), kind) for name, (field, kind) in LIMITS.items()}
        return {name: exact(value, kind) for name, (value, kind) in found.items() if value is not None}

    def __bool__(self) -> bool:
        return any(v is not None for v in dataclasses.astuple(self))

    def __str__(self) -> str:
        found = {name: (getattr(self, field), kind) for name, (field, kind) in LIMITS.items()}
        parts = [f"{name} ≤ {human(v, kind)}" for name, (v, kind) in found.items() if v is not None]
        return ", ".join(parts) or "no limit"


@dataclass(frozen=True)
class Brief:
    """What the person wants; None is "choose for me"."""

    task: Literal["binary", "multiclass", "regression", "segmentation", "detection"] | None = None
    target: str | None = None
    text: str | None = None
    metric: str | None = None
    budget: Budget = Budget()
    device: str = "cpu"
    prefer: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, "brief")
        check_metric(self.metric, "brief.metric")
        if not isinstance(self.budget, Budget):
            raise DesignError(f"{show(self.budget)} is no Budget", where="brief.budget", fix="Budget.parse(…)")
        if not re.fullmatch(r"cpu|mps|cuda(:\d{1,3})?", self.device):
            allowed = "cpu, cuda, cuda:0, mps"
            raise DesignError(
                f"{show(self.device)} is no device", where="brief.device", value=self.device, allowed=allowed
            )
        both = sorted(set(self.prefer) & set(self.exclude))
        if both:
            raise DesignError(f"{both[0]} is both preferred and excluded", where="brief.exclude")


def check_metric(name: str | None, where: str) -> None:
    """An unknown metric is an error, with the nearest right name."""
    if name is not None and name not in METRIC_NAMES:
        raise unknown_name(name, METRIC_NAMES, what="metric", where=where)
