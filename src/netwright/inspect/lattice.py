"""Where the units of a feature map look in the input, along one axis."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, gcd, lcm

LONGEST = 4096  # units that a lattice spells out; beyond, its sizes are rounded to that of the first unit


@dataclass(frozen=True, slots=True)
class Lattice:
    """Where the units of a map look along one axis: unit i + n looks `shift` further than unit i, of the first n.

    Convolutions keep n = 1; upsampling and strides between units that look alike make longer ones.
    """

    first: tuple[Fraction, ...]
    last: tuple[Fraction, ...]
    shift: Fraction
    whole: bool = False

    @property
    def size(self) -> int:
        return ceil(max(last - first for first, last in zip(self.first, self.last, strict=True))) + 1

    @property
    def stride(self) -> Fraction:
        return self.shift / len(self.first)

    def sees(self, unit: int) -> tuple[Fraction, Fraction]:
        turn, phase = divmod(unit, len(self.first))
        return self.first[phase] + turn * self.shift, self.last[phase] + turn * self.shift

    def through(self, reach: Callable[[int], tuple[int, int]], every: int = 1, of: int = 1) -> "Lattice":
        """Of a map whose unit j reaches this one's reach(j)[0] to reach(j)[1], and unit j + `every` `of` further."""
        units = len(self.first)
        turns = units // gcd(units, of)
        long = every * turns > LONGEST
        seen = [
            (self.sees(low)[0], self.sees(high)[1]) for low, high in map(reach, range(1 if long else every * turns))
        ]
        shift = self.shift * turns * of / units / (every * turns if long else 1)
        return Lattice(tuple(low for low, _ in seen), tuple(high for _, high in seen), shift, self.whole)

    def joined(self, other: "Lattice") -> "Lattice":
        """The hull of both; of maps at different strides one widened to the other, for units of the one."""
        whole = self.whole or other.whole
        units = lcm(len(self.first), len(other.first))
        if self.stride != other.stride or units > LONGEST:
            # A map made from a pooled one has no stride of its own.
            mine, wider = (other, self) if self.whole and not other.whole else (self, other)
            more = max(0, wider.size - mine.size)
            first = tuple(pixel - more // 2 for pixel in mine.first)
            return Lattice(first, tuple(pixel + more - more // 2 for pixel in mine.last), mine.shift, whole)
        pairs = [(self.sees(unit), other.sees(unit)) for unit in range(units)]
        first = tuple(min(one[0], two[0]) for one, two in pairs)
        return Lattice(first, tuple(max(one[1], two[1]) for one, two in pairs), self.stride * units, whole)
