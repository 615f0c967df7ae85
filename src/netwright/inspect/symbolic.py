"""Which sizes in a network follow the batch, the length or the resolution, and how: read off captures at other sizes.

The forward runs on fakes at sizes near and far from those given, one symbol at a time, and every size that it shows is
explained by m·⌊(k·s + a)/r⌋ + c. Where several such explanations are left, the next size tried is the one on which they
differ most. What depends on two symbols or more is a product, or a sum of products, of what it is in each. An
expression is claimed only where it also holds at sizes that it was not made from, all symbols changed at once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import gcd, lcm, prod
from typing import Any

import numpy as np
from torch import nn

from netwright.inspect.blueprint import Blueprint
from netwright.inspect.probe import Key, Probe, Sizes, edges_of, places
from netwright.inspect.size import Polynomial, Size, Step, fitted
from netwright.inspect.tensors import Inputs

FAR = (2880, 448, 64, 32, 16, 8, 4, 2, 1)  # how far the second size is from the first; many numbers divide 2880
SOMEWHERE = (0.37, 0.83)  # of the way there: sizes to check at, beside near ones
GAPS = (1, 2, 4, 7, 8, 14, 16, 20, 32, 64, 112, 224)  # between the sizes that a network takes
NEAR = 700  # sizes on which explanations are compared
MOST_TRIES = 10  # captures that tell explanations of one symbol apart
LONGEST, MOST_MULTIPLE = 160, 2  # r up to the one, or m up to the other
INNER = (1, 2, 3, 4)  # k: sizes that were enlarged before they were rounded
HOW = "read off captures on fakes at other sizes, and checked at sizes beside those"

Shape = list[int | str]


@dataclass
class Symbols:
    """The sizes of a Blueprint in symbols: B for the batch, N for the length, T, H and W for frames, height and width.

    `inputs` and `outputs` go with `Blueprint.rows`, `edges` with its edges: shapes in which a size is a number, or an
    expression in words; `exact` has the expressions by the same words, to be evaluated at other sizes.
    """

    sizes: Sizes  # of the capture
    steps: Sizes  # symbol → the sizes that the network takes are so far apart
    fixed: dict[str, str]  # symbol → why the network takes no other size
    inputs: list[list[Shape]] = field(default_factory=list)
    outputs: list[list[Shape]] = field(default_factory=list)
    edges: list[Shape] = field(default_factory=list)
    exact: dict[str, Size] = field(default_factory=dict)
    unclear: int = 0  # sizes that follow a symbol in no form that is known here, and stay numbers
    macs: Polynomial | None = None  # for sizes `macs_steps` apart; None where no polynomial holds
    macs_steps: Sizes = field(default_factory=dict)
    how: str = HOW

    def to_json(self) -> dict[str, Any]:
        terms = self.macs.terms if self.macs else {}
        return {
            "sizes": self.sizes,
            "steps": self.steps,
            "fixed": self.fixed,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "edges": self.edges,
            "unclear": self.unclear,
            "macs": str(self.macs) if self.macs else None,
            "macs_terms": [
                {
                    "coefficient": str(by),
                    "powers": dict(zip(self.macs.symbols if self.macs else (), powers, strict=True)),
                }
                for powers, by in terms.items()
            ],
            "macs_steps": self.macs_steps,
            "how": self.how,
        }


def symbolic(module: nn.Module, blueprint: Blueprint, inputs: Inputs) -> Symbols | None:
    """The symbols of a Blueprint that was captured with these inputs; None where it does not run on fakes."""
    probe = Probe(module, inputs)
    if not probe.symbols or isinstance(probe.at({}), str):
        return None
    explored: dict[str, _Explored] = {}
    fixed: dict[str, str] = {}
    for symbol in probe.symbols:
        along = _explore(probe, symbol)
        if not isinstance(along, str):
            explored[symbol] = along
        elif symbol not in probe.vague:
            fixed[symbol] = along
    sizes = {symbol: size for symbol, size in probe.sizes.items() if symbol in explored or symbol in fixed}
    steps = {symbol: one.gap for symbol, one in explored.items()}
    found = Symbols(sizes, steps, fixed)
    told = _checked(probe, explored, _joined(probe, explored))

    def words(key: Key, shape: Iterable[int]) -> Shape:
        return [str(told[*key, d]) if (*key, d) in told else size for d, size in enumerate(shape)]

    found.exact = {str(size): size for size in told.values()}
    moving = {key for one in explored.values() for key in one.moving}
    found.unclear = sum(1 for row in blueprint.rows for key in places(row) if key in moving and key not in told)
    for row in blueprint.rows:
        for side, into in (("inputs", found.inputs), ("outputs", found.outputs)):
            into.append([words((row.id, side, n), shape) for n, shape in enumerate(getattr(row, side))])
    found.edges = [words(key, shape) for key, shape in edges_of(blueprint)]
    _polynomial(probe, explored, told.values(), found)
    return found


# One symbol


@dataclass
class _Explored:
    """What was found along one symbol."""

    symbol: str
    far: int  # the second size
    gap: int  # between sizes that go
    steps: dict[Key, Step]  # of each place that follows the symbol; those without an explanation have none
    moving: set[Key]  # all places that follow it


def _explore(probe: Probe, symbol: str) -> _Explored | str:
    """Along one symbol, the others as given; why not, where no other size goes."""
    here = probe.sizes[symbol]
    base = probe.at({})
    assert not isinstance(base, str)

    def at(size: int) -> dict[Key, int] | str:
        return probe.at({symbol: size}) if size > 0 else "no size"

    reach = FAR if symbol != "B" else (4, 2, 1)
    others = [here + way for way in reach] + [here - way for way in reach]
    far = next((size for size in others if not isinstance(at(size), str)), None)
    if far is None:
        return str(at(here + 1))
    way = 1 if far > here else -1
    gaps = [gap for gap in GAPS if gap < abs(far - here) and (far - here) % gap == 0]
    gap = next((gap for gap in gaps if not isinstance(at(here + way * gap), str)), abs(far - here))
    grid = np.array([here + way * gap * n for n in range(NEAR) if n * gap <= abs(far - here)])
    seen = {size: found for size in (here, here + way * gap, far) if not isinstance(found := at(size), str)}
    keys = [key for key in base if all(key in found for found in seen.values())]
    refused: set[int] = set()
    while True:
        groups: dict[tuple[int, ...], list[Key]] = {}
        for key in keys:
            groups.setdefault(tuple(found[key] for found in seen.values()), []).append(key)
        open_ = {values: _explanations(list(seen), values, far) for values in groups if len(set(values)) > 1}
        telling = _most_telling(open_.values(), grid, {*seen, *refused})
        if telling is None or len(seen) + len(refused) > MOST_TRIES + 3:
            break
        found = at(telling)
        if isinstance(found, str):
            refused.add(telling)
        else:
            seen[telling] = found
            keys = [key for key in keys if key in found]
    steps: dict[Key, Step] = {}
    for values, left in open_.items():
        step = _simplest(symbol, left, grid, here, gap)
        if step is not None:
            steps |= dict.fromkeys(groups[values], step)
    moving = {key for values in open_ for key in groups[values]} | (base.keys() - set(keys))
    return _Explored(symbol, far, gap, steps, moving)


def _explanations(sizes: list[int], values: tuple[int, ...], far: int) -> np.ndarray:
    """Rows (m, a, r, c, k) that give these values at these sizes, of which the first is that of the capture."""
    rise, run = values[sizes.index(far)] - values[0], far - sizes[0]
    found = []
    for k, r in product(INNER, range(1, abs(run) + 1)):
        m, rest = divmod(rise * r, run * k)
        long = r > LONGEST and (abs(m) > MOST_MULTIPLE or k > 1)
        if rest or not m or (k * run) % r or gcd(k, r) > 1 or (k > 1 and r == 1) or long:
            continue
        a = np.arange(r)
        c = values[0] - m * ((k * sizes[0] + a) // r)
        found.append(np.stack([np.full(r, m), a, np.full(r, r), c, np.full(r, k)], 1))
    rows = np.concatenate(found) if found else np.empty((0, 5), dtype=int)
    return rows[(_predicted(rows, np.array(sizes)) == np.array(values)).all(1)]


def _predicted(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    m, a, r, c, k = (rows[:, n, None] for n in range(5))
    return m * ((k * sizes + a) // r) + c


def _most_telling(left: Iterable[np.ndarray], grid: np.ndarray, used: set[int]) -> int | None:
    """The size on which the explanations differ most; None where all agree."""
    score = np.zeros(len(grid))
    for rows in left:
        if len(rows) > 1:
            predicted = _predicted(rows, grid)
            share = (predicted == predicted[0]).mean(0)
            score += share * (1 - share)
    score[np.isin(grid, list(used))] = 0
    return int(grid[score.argmax()]) if score.any() else None


def _simplest(symbol: str, rows: np.ndarray, grid: np.ndarray, here: int, gap: int) -> Step | None:
    """The explanation with the smallest numbers, where all agree on every size that goes."""
    if not len(rows):
        return None
    predicted = _predicted(rows, grid)
    if (predicted != predicted[0]).any():
        return None

    steps = []
    for m, a, r, c, k in rows.tolist():
        steps.append(Step(symbol, m, a, r, c, k, exact=k * gap % r == 0 and (k * here + a) % r == 0))
    return min(steps, key=lambda step: (step.r, step.k, not step.exact, abs(step.c), step.a))


# Several symbols


def _joined(probe: Probe, explored: Mapping[str, _Explored]) -> dict[Key, Size]:
    """An expression of each place that follows a symbol, as far as one fits every corner between two sizes of each."""
    base = probe.at({})
    assert not isinstance(base, str)
    corners: dict[tuple[str, ...], dict[Key, int]] = {}
    for chosen in product((False, True), repeat=len(explored)):
        moved = [one for one, far in zip(explored.values(), chosen, strict=True) if far]
        found = probe.at({one.symbol: one.far for one in moved})
        if not isinstance(found, str):
            corners[tuple(one.symbol for one in moved)] = found
    sizes: dict[Key, Size] = {}
    for key, value in base.items():
        follows = [one for one in explored.values() if key in one.moving]
        if not follows or any(key not in one.steps for one in follows):
            continue
        steps = [one.steps[key] for one in follows]
        names = [step.symbol for step in steps]
        subsets = [
            tuple(n for n, on in zip(names, bits, strict=True) if on) for bits in product((0, 1), repeat=len(names))
        ]
        if any(key not in corners.get(subset, {}) for subset in subsets):
            continue
        values = {subset: corners[subset][key] for subset in subsets}
        if len(steps) == 1:
            sizes[key] = Size(((1, (steps[0],)),))
        else:
            made = _as_product(steps, value, values, probe.sizes, explored) or _as_sum(
                steps, values, probe.sizes, explored
            )
            if made is not None:
                sizes[key] = made
    return sizes


Corners = dict[tuple[str, ...], int]


def _as_product(
    steps: list[Step], value: int, corners: Corners, sizes: Sizes, explored: Mapping[str, _Explored]
) -> Size | None:
    parts = [step.over(abs(step.content)) for step in steps]
    by = Fraction(value, prod(part.at(sizes[part.symbol]) for part in parts) or 1)
    made = Size(((by.numerator, tuple(parts)),))
    moved = ({**sizes, **{name: explored[name].far for name in subset}} for subset in corners)
    good = all(made.at(there) == found for there, found in zip(moved, corners.values(), strict=True))
    return made if by.denominator == 1 and good else None


def _as_sum(steps: list[Step], corners: Corners, sizes: Sizes, explored: Mapping[str, _Explored]) -> Size | None:
    """Affine in each step by itself: its coefficients follow from the corners."""
    plain = [replace(step, m=1, c=0) for step in steps]
    terms: dict[tuple[Step, ...], Fraction] = {}
    for subset, value in corners.items():
        made: dict[tuple[Step, ...], Fraction] = {(): Fraction(value)}
        for step in plain:
            low, high = step.at(sizes[step.symbol]), step.at(explored[step.symbol].far)
            own, other = (high, low) if step.symbol in subset else (low, high)
            scale = Fraction(1, own - other)  # (step − other) / (own − other): 1 here, 0 at the other end
            made = {(*k, step): by * scale for k, by in made.items()} | {
                k: -by * other * scale for k, by in made.items()
            }
        for factors, by in made.items():
            terms[factors] = terms.get(factors, Fraction(0)) + by
    if any(by.denominator != 1 for by in terms.values()):
        return None
    ordered = sorted(((factors, by) for factors, by in terms.items() if by), key=lambda term: -len(term[0]))
    return Size(tuple((by.numerator, factors) for factors, by in ordered))


def _checked(probe: Probe, explored: Mapping[str, _Explored], made: dict[Key, Size]) -> dict[Key, Size]:
    """Those that hold at sizes that nothing was made from, all symbols changed; none where no such sizes go.

    What shrinks again and again has one period, which was seen. What was enlarged in between may be rounded twice, to
    a form that fits by chance: then every remainder of small periods is tried.
    """
    simple = all(abs(step.m) == step.k == 1 for one in explored.values() for step in one.steps.values())
    whole = all(one.moving == one.steps.keys() for one in explored.values())
    tried = 0
    for turns in (*range(1, 5 if simple and whole else 13), *SOMEWHERE):
        there = {symbol: _beside(one, probe.sizes[symbol], turns) for symbol, one in explored.items()}
        found = probe.at(there)
        if not isinstance(found, str):
            tried += 1
            made = {key: size for key, size in made.items() if found.get(key) == size.at(there)}
    return made if tried else {}


def _beside(one: _Explored, here: int, turns: float) -> int:
    """So many gaps away, or that share of the way to the far size."""
    most = abs(one.far - here) // one.gap
    away = round(turns * most) if turns < 1 else (int(turns) - 1) % most + 1
    return here + (1 if one.far > here else -1) * max(1, away) * one.gap


# MACs


def _polynomial(probe: Probe, explored: Mapping[str, _Explored], sizes: Iterable[Size], into: Symbols) -> None:
    """MACs as a polynomial, square at most in each symbol but the batch, for sizes at which nothing is rounded."""
    symbols = tuple(explored)
    if not symbols or len(symbols) > 3 or into.unclear:  # whose periods are not known
        return
    steps = {symbol: one.gap for symbol, one in explored.items()}
    for size in sizes:
        for step in size.steps:
            steps[step.symbol] = lcm(steps[step.symbol], step.r)

    def there(turns: Iterable[int]) -> Sizes:
        made = {}
        for symbol, n in zip(symbols, turns, strict=True):
            here, one = probe.sizes[symbol], explored[symbol]
            made[symbol] = here + (1 if one.far > here else -1) * n * steps[symbol]
        return made

    def macs(turns: Iterable[int]) -> int | None:
        at = there(turns)
        return None if min(at.values()) < 1 or isinstance(probe.at(at), str) else probe.macs[probe.key(at)]

    grid = {}
    for turns in product(*(range(2 if symbol == "B" else 3) for symbol in symbols)):
        found = macs(turns)
        if found is None:
            return
        grid[tuple(there(turns).values())] = found
    made = fitted(grid, symbols)
    beside = [3 if symbol == "B" else 4 for symbol in symbols]
    expected = macs(beside)
    if expected is not None and made.at(there(beside)) == expected:
        into.macs, into.macs_steps = made, steps
