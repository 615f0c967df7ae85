"""Which memory is alive when: every storage from the operator that made it to its last reader."""

import weakref
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Moment:
    """Bytes alive at once, by category, and where that was."""

    bytes: int = 0
    by: dict[str, int] = field(default_factory=dict)
    row: int | None = None
    phase: str = "forward"


class Liveness:
    """Storages made while it watches. One that outlives its last tensor is freed by autograd, and seen to be."""

    def __init__(self) -> None:
        self.live: dict[int, tuple[int, str, int | None]] = {}  # id → (bytes, category, row that made it)
        self.bytes = 0
        self.by: Counter[str] = Counter()
        self.peak = Moment()
        self.beside: dict[int, int] = {}  # bytes of gradients → the most of all else at once while there are so many
        self._watches: dict[int, weakref.ref] = {}
        self._last: int | None = None

    def add(self, storage: torch.UntypedStorage, category: str, row: int | None, phase: str) -> None:
        key = id(storage)
        if key in self.live:
            return
        size = storage.nbytes()
        self.live[key] = size, category, row
        self._last = key
        self._watches[key] = weakref.ref(storage, lambda _: self._gone(key))
        self.bytes += size
        self.by[category] += size
        self._note(self.bytes)
        if self.bytes > self.peak.bytes:
            self.peak = Moment(self.bytes, dict(self.by), row, phase)

    def _note(self, size: int) -> None:
        gradients = self.by["gradients"]
        self.beside[gradients] = max(self.beside.get(gradients, 0), size - gradients)

    def pass_by(self, size: int, phase: str) -> None:
        """Memory that the last operator had beside its results, and has given back."""
        if size:
            self._note(self.bytes + size)
        if size and self.bytes + size > self.peak.bytes:
            row = self.live[self._last][2] if self._last in self.live else None
            self.peak = Moment(self.bytes + size, {**self.by, "workspace": size}, row, phase)

    def move(self, storage: torch.UntypedStorage, category: str) -> None:
        """It turns out to be something else, a parameter's gradient."""
        if id(storage) in self.live:
            size, before, row = self.live[id(storage)]
            self.by[before] -= size
            self.by[category] += size
            self.live[id(storage)] = size, category, row

    def by_row(self, category: str) -> Counter[Any]:
        """Bytes alive now, by the row that made them."""
        found: Counter[Any] = Counter()
        for size, kind, row in self.live.values():
            if kind == category:
                found[row] += size
        return found

    def _gone(self, key: int) -> None:
        size, category, _ = self.live.pop(key)
        del self._watches[key]
        self.bytes -= size
        self.by[category] -= size
