"""The rules of splitting, on plain arrays: each returns the rows for training, validation and test.

`sizes` are the wanted numbers of rows of the three parts, which sum to all rows; the test's may be 0.
"""

import numpy as np

from netwright.errors import InputError

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


def by_class(strata: np.ndarray, sizes: tuple[int, int, int], rng: np.random.Generator) -> Parts:
    """At random, each stratum in proportion; at least one row of each stays in training."""
    rows = [rng.permutation(np.flatnonzero(strata == s)) for s in range(strata.max() + 1)]
    test, rest = _draw(rows, sizes[2], rng)
    validation, train = _draw(rest, sizes[1], rng)
    return np.concatenate(train), np.concatenate(validation), np.concatenate(test)


def by_group(
    groups: np.ndarray, strata: np.ndarray, sizes: tuple[int, int, int], rng: np.random.Generator, name: str
) -> Parts:
    """Whole groups, the largest first, each to the part that it brings nearest to its share of the strata."""
    count = groups.max() + 1
    table = np.zeros((count, strata.max() + 1))
    np.add.at(table, (groups, strata), 1)
    total = table.sum(axis=0)
    goal = np.array(sizes)[:, None] / len(groups) * total  # (parts, strata)
    parts = np.full(count, -1)
    have = np.zeros_like(goal)
    shuffled = rng.permutation(count)
    order = shuffled[np.argsort(-table[shuffled].sum(axis=1), kind="stable")]
    alone = np.count_nonzero(table, axis=0) == 1
    only = table[:, alone].sum(axis=1) > 0  # has a class of its own: to be learned
    for group in np.concatenate([order[only[order]], order[~only[order]]]):
        if only[group]:
            part = 0
        else:
            lack = goal - have  # the gain in squared distance to the goal, relative to each stratum's size
            gain = ((2 * lack * table[group] - table[group] ** 2) / total).sum(axis=1) / np.maximum(sizes, 1e-9)
            gain[np.array(sizes) == 0] = -np.inf
            part = int(gain.argmax())
        parts[group] = part
        have[part] += table[group]
    for stratum in np.flatnonzero(have[0] == 0):  # every class in training: move its smallest group there
        candidates = np.flatnonzero(table[:, stratum])
        parts[candidates[table[candidates].sum(axis=1).argmin()]] = 0
    chosen = parts[groups]
    found = tuple(np.flatnonzero(chosen == part) for part in range(3))
    if any(size and not len(rows) for size, rows in zip(sizes, found, strict=True)):
        raise InputError(
            f"its {count} groups can't be divided into parts that leave every class in training",
            where=f"--group {name}",
            fix="choose a finer --group, or leave it out",
        )
    return found[0], found[1], found[2]


def by_time(time: np.ndarray, sizes: tuple[int, int, int], name: str) -> Parts:
    """The latest rows for the test, those before for validation; rows of the same time stay together."""
    ordered = np.sort(time)
    rows = len(time)
    starts = []
    for start in (rows - sizes[2], rows - sizes[2] - sizes[1]):
        moment = ordered[min(start, rows - 1)]
        if start < rows and (ordered < moment).sum() < start / 2:  # a huge tie: cut after it
            later = ordered[ordered > moment]
            moment = later[0] if len(later) else np.inf
        starts.append(moment if start < rows else np.inf)
    test, validation = time >= starts[0], (time >= starts[1]) & (time < starts[0])
    train = time < starts[1]
    if not train.any() or not validation.any() or (sizes[2] and not test.any()):
        raise InputError(
            f"it has only {len(np.unique(time))} different times, too few to cut the rows into parts",
            where=f"--time-column {name}",
            fix="choose a finer time column, or leave it out",
        )
    return np.flatnonzero(train), np.flatnonzero(validation), np.flatnonzero(test)


def _draw(rows: list[np.ndarray], size: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """`size` rows, from each stratum its share (largest remainders), one row of each left; and the rest."""
    lengths = np.array([len(r) for r in rows])
    shares = size * lengths / max(lengths.sum(), 1)
    counts = np.floor(shares).astype(int)
    remainders = shares - counts + 1e-9 * rng.random(len(rows))  # ties are broken by the seed
    for stratum in np.argsort(-remainders)[: size - counts.sum()]:
        counts[stratum] += 1
    counts = np.minimum(counts, np.maximum(lengths - 1, 0))
    drawn = [r[:count] for r, count in zip(rows, counts, strict=True)]
    return drawn, [r[count:] for r, count in zip(rows, counts, strict=True)]
