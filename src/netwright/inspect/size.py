"""Sizes as expressions in the sizes of the input: N+1, ⌈H/32⌉, B·⌊(N−1)/2⌋; and counts as polynomials in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd, prod


@dataclass(frozen=True, slots=True)
class Step:
    """m·⌊(k·s + a)/r⌋ + c. Convolutions, pooling and patches, one after the other, all come to this form.

    `exact`: k·s + a is a multiple of r at every size that the network takes, so that nothing is rounded.
    """

    symbol: str
    m: int = 1
    a: int = 0
    r: int = 1
    c: int = 0
    k: int = 1
    exact: bool = False

    def at(self, size: int) -> int:
        return self.m * ((self.k * size + self.a) // self.r) + self.c

    @property
    def content(self) -> int:
        """The greatest number that divides it always."""
        return gcd(self.m, self.c)

    def over(self, number: int) -> "Step":
        return replace(self, m=self.m // number, c=self.c // number)

    def __str__(self) -> str:
        a, c = (self.a + self.r * self.c // self.m, 0) if self.r > 1 and self.c % self.m == 0 else (self.a, self.c)
        size = self.symbol if self.k == 1 else f"{self.k}{self.symbol}"
        inner = size + _signed(a)
        if self.r == 1:
            words = size
        elif self.exact:
            words = f"({inner})/{self.r}" if a else f"{inner}/{self.r}"
        elif a == self.r - 1:
            words = f"⌈{size}/{self.r}⌉"
        else:
            words = f"⌊({inner})/{self.r}⌋" if a else f"⌊{inner}/{self.r}⌋"
        return (words if self.m == 1 else f"{self.m}·{words}" if self.r > 1 else f"{self.m}{words}") + _signed(c)


@dataclass(frozen=True, slots=True)
class Size:
    """A sum of products of steps, each with a whole coefficient."""

    terms: tuple[tuple[int, tuple[Step, ...]], ...]

    def at(self, sizes: Mapping[str, int]) -> int:
        return sum(by * prod(step.at(sizes[step.symbol]) for step in steps) for by, steps in self.terms)

    @property
    def steps(self) -> list[Step]:
        return [step for _, steps in self.terms for step in steps]

    def __str__(self) -> str:
        words = ""
        for by, steps in self.terms:
            parts = [f"({step})" if step.c and (len(steps) > 1 or by != 1) else str(step) for step in steps]
            parts = [str(abs(by)), *parts] if abs(by) != 1 or not parts else parts
            words += ("−" if by < 0 else "+" if words else "") + "·".join(parts)
        return words


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Σ coefficient · Π symbol^power; `powers` in the order of `symbols`."""

    symbols: tuple[str, ...]
    terms: dict[tuple[int, ...], Fraction]

    def at(self, sizes: Mapping[str, int]) -> Fraction:
        values = [sizes[symbol] for symbol in self.symbols]
        return sum(
            (by * prod(value**power for value, power in zip(values, powers, strict=True)))
            for powers, by in self.terms.items()
        ) + Fraction(0)

    def __str__(self) -> str:
        """Exact up to 10,000, then with three digits; what all terms share stands before them."""
        if not self.terms:
            return "0"
        shared = tuple(min(powers) for powers in zip(*self.terms, strict=True))
        inner = ""
        for powers, by in sorted(self.terms.items(), key=lambda term: -sum(term[0])):
            rest = self._monomial(tuple(p - s for p, s in zip(powers, shared, strict=True)))
            number = _rounded(abs(by))
            words = rest if number == "1" and rest else "·".join(part for part in (number, rest) if part)
            inner += (" − " if by < 0 else " + ") + words if inner else ("−" if by < 0 else "") + words
        before = self._monomial(shared)
        if not before:
            return inner
        return f"{before}·({inner})" if len(self.terms) > 1 else f"{inner}·{before}" if inner != "1" else before

    def _monomial(self, powers: tuple[int, ...]) -> str:
        signs = {1: "", 2: "²", 3: "³"}
        pairs = zip(self.symbols, powers, strict=True)
        return "·".join(symbol + signs.get(power, f"^{power}") for symbol, power in pairs if power)


def fitted(grid: Mapping[tuple[int, ...], int], symbols: tuple[str, ...]) -> Polynomial:
    """The polynomial through a full grid of sizes, of one power less in each symbol than it has sizes."""
    axes = [sorted({point[place] for point in grid}) for place in range(len(symbols))]
    terms: dict[tuple[int, ...], Fraction] = {}
    for point, value in grid.items():
        product: dict[tuple[int, ...], Fraction] = {(): Fraction(value)}
        for own, axis in zip(point, axes, strict=True):
            basis = _lagrange(own, axis)
            product = {(*powers, n): by * basis[n] for powers, by in product.items() for n in range(len(axis))}
        for powers, by in product.items():
            terms[powers] = terms.get(powers, Fraction(0)) + by
    return Polynomial(symbols, {powers: by for powers, by in terms.items() if by})


def _lagrange(own: int, axis: list[int]) -> list[Fraction]:
    """Coefficients of the polynomial that is 1 at `own` and 0 at the others."""
    made = [Fraction(1)]
    for other in axis:
        if other != own:
            scale = Fraction(1, own - other)
            made = [
                scale * ((made[n - 1] if n else 0) - other * (made[n] if n < len(made) else 0))
                for n in range(len(made) + 1)
            ]
    return made


def _signed(number: int) -> str:
    return f"+{number}" if number > 0 else f"−{-number}" if number else ""


def _rounded(number: Fraction) -> str:
    if number < 10_000:
        return str(number)
    scales = ((10**12, " T"), (10**9, " G"), (10**6, " M"), (10**3, " k"))
    scale, unit = next(pair for pair in scales if number >= pair[0])
    value = float(number / scale)
    return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}{unit}"
