"""Figure: a number that says how it was got."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """value in `unit` ("" for a plain count, "bytes", "ms", "h"); `how`: "counted", "measured on this machine (…)",
    "estimated (…)", "bound"; `error`: the relative error to be expected of an estimate, 0.06 for 6 %."""

    value: float
    unit: str
    how: str
    error: float | None = None
