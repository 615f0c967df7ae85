"""The errors that a person's input can cause: what is wrong, where, and what to do."""

from collections.abc import Mapping, Sequence


class InputError(ValueError):
    """Something that the person gave can't be used. The CLI prints it and exits with code 2."""

    def __init__(self, what: str, *, where: str = "", fix: str = ""):
        self.what, self.where, self.fix = what, where, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  → {self.fix}" if self.fix else text


class BudgetError(Exception):
    """No network fits the hard limits: the request was understood, and the answer is no (exit code 1).

    `smallest` says how far down each family gets, limit by limit; `lines` says it in words.
    """

    def __init__(self, limits: str, smallest: Mapping[str, Mapping[str, float]], lines: Sequence[str] = ()):
        self.limits = limits
        self.smallest = {family: dict(values) for family, values in smallest.items()}
        self.lines = list(lines)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"no network fits {self.limits}; the smallest values that can be reached are"
        return "\n".join([head, *(f"  {line}" for line in self.lines)])
