"""The sections of a design that say what is learnt (Task), from what (Data) and why so (reasons)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from netwright.design.brief import check_metric
from netwright.design.errors import DesignError, at, show, unknown_name
from netwright.design.section import check_fields, read_section, section_data


@dataclass(frozen=True)
class Task:
    """What is predicted: the kind, target column, metric, and the classes in the order of the outputs."""

    kind: Literal["binary", "multiclass", "regression", "segmentation", "detection"] | None = None
    target: str | None = None
    metric: str | None = None
    classes: list[bool | int | float | str] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "task")
        check_metric(self.metric, "task.metric")

    @classmethod
    def from_data(cls, data: Any, where: str = "task") -> "Task":
        return read_section(cls, data, where)

    def to_data(self) -> dict[str, Any]:
        return section_data(self, leave_out_none=True)


@dataclass(frozen=True)
class Data:
    """Where the data are and how they were split: enough to make the same split again.

    source: a path or the name of a bundled set · text: the text column · group, time_column: the columns that
    the split keeps together or in order · test: the person's own test file · seed: the split's.
    """

    source: str | None = None
    modality: Literal["table", "image", "text", "segmentation", "detection"] | None = None
    text: str | None = None
    group: str | None = None
    time_column: str | None = None
    test: str | None = None
    test_fraction: float | None = None
    validation_fraction: float | None = None
    rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_fields(self, "data")

    @classmethod
    def from_data(cls, data: Any, where: str = "data") -> "Data":
        return read_section(cls, data, where)

    def to_data(self) -> dict[str, Any]:
        return section_data(self, leave_out_none=True)


REASON_KEYS = ("rule", "text", "source", "confidence")


def check_reasons(data: Any, where: str = "reasons") -> list[dict[str, Any]]:
    """A list of {rule: id, text: why}, with `source` and `confidence` where they are known."""
    if data is None:
        return []
    if not isinstance(data, list | tuple):
        raise DesignError(f"{show(data)} is not allowed", where=where, allowed="a list of {rule: …, text: …}")
    return [_check_reason(reason, at(where, i)) for i, reason in enumerate(data)]


def _check_reason(reason: Any, where: str) -> dict[str, Any]:
    if not isinstance(reason, Mapping):
        raise DesignError(f"{show(reason)} is not allowed", where=where, allowed="{rule: …, text: …}")
    for key, value in reason.items():
        if key not in REASON_KEYS:
            raise unknown_name(key, REASON_KEYS, what="key of a reason", where=where)
        if not isinstance(value, str) and not (key == "confidence" and isinstance(value, int | float)):
            raise DesignError(f"{show(value)} is not allowed", where=at(where, key), value=value, allowed="text")
    for key in ("rule", "text"):
        if key not in reason:
            raise DesignError(f"{key} is missing", where=where, allowed="{rule: …, text: …}")
    return dict(reason)
