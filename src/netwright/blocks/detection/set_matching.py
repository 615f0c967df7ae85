"""Sets matched one to one, so that the total cost is as low as it can be."""

import importlib
import math

from torch import Tensor

__all__ = ["assign"]


def assign(cost: Tensor) -> tuple[list[int], list[int]]:
    """The rows, and the column of each, whose costs have the least sum; each row and column once at most.

    What is not finite is chosen last. SciPy does it where it is installed: it is faster.

    Shapes: (N, M) → lists of length min(N, M), rows in order.
    Source: Kuhn 1955, The Hungarian method; as shortest paths: Jonker & Volgenant 1987.
    """
    table = cost.detach().double().cpu()
    finite = table[table.isfinite()].abs()
    most = 1 + (1 + 2 * max(table.shape)) * (float(finite.max()) if len(finite) else 0.0)
    rows = table.nan_to_num(math.inf, math.inf, math.inf).clamp(max=most).tolist()
    if not rows or not rows[0]:
        return [], []
    try:
        chosen = importlib.import_module("scipy.optimize").linear_sum_assignment(rows)
        return chosen[0].tolist(), chosen[1].tolist()
    except ImportError:
        return shortest_paths(rows)


def shortest_paths(cost: list[list[float]]) -> tuple[list[int], list[int]]:
    """`assign` in plain Python: rows come in one after the other, each by the cheapest chain of exchanges."""
    if len(cost) > len(cost[0]):
        columns, rows = shortest_paths([list(column) for column in zip(*cost, strict=True)])
        pairs = sorted(zip(rows, columns, strict=True))
        return [row for row, _ in pairs], [column for _, column in pairs]
    width = len(cost[0])
    price_of_row, price = [0.0] * len(cost), [0.0] * width
    owner = [-1] * width  # the row of each column
    for new in range(len(cost)):
        distance, before, done = [math.inf] * width, [-1] * width, [False] * width
        row, column, travelled = new, -1, 0.0
        reached = [(new, 0.0)]
        while True:
            for j in range(width):
                if not done[j]:
                    through = travelled + cost[row][j] - price_of_row[row] - price[j]
                    if through < distance[j]:
                        distance[j], before[j] = through, column
            column = min((j for j in range(width) if not done[j]), key=distance.__getitem__)
            travelled, done[column] = distance[column], True
            if owner[column] < 0:
                break
            row = owner[column]
            reached.append((row, travelled))
        for r, start in reached:
            price_of_row[r] += travelled - start
        for j in range(width):
            if done[j]:
                price[j] += distance[j] - travelled
        while column >= 0:  # everyone on the path takes the next column
            last = before[column]
            owner[column] = owner[last] if last >= 0 else new
            column = last
    pairs = sorted((row, j) for j, row in enumerate(owner) if row >= 0)
    return [row for row, _ in pairs], [j for _, j in pairs]
