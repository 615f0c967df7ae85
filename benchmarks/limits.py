"""A quarter of every family's default size, asked for as a hard limit and measured after the fact: `make bench`.

Parameters are counted, memory and latency measured on this machine (batch 1, latency the median of 50 forwards).
Met means within 5 % of the limit for parameters and memory, 15 % for latency.
"""

import sys

import torch

from netwright.advise.defaults import ANCHORS
from netwright.advise.quarter import quarter

UNITS = {"params": 1.0, "memory": 1e6, "latency": 1.0}


def main() -> None:
    torch.set_num_threads(1)  # two threads of a busy machine wait for each other
    line = "{:18} {:9} {:>14} {:>12} {:>12} {:>7}  {}"
    print(line.format("family", "limit", "default", "a quarter", "got", "ratio", "met"))
    missed = 0
    for family in ANCHORS:
        for result in quarter(family):
            unit = UNITS[result.limit]
            numbers = [f"{value / unit:,.4g}" for value in (result.default, result.asked, result.got)]
            met = "yes" if result.met else f"NO: {result.note}"
            print(line.format(family, result.limit, *numbers, f"{result.got / result.asked:.3f}", met), flush=True)
            missed += not result.met
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
