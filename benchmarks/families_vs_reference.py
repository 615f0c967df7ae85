"""Each architecture beside its independent implementation, in one run: `make bench`.

    python benchmarks/families_vs_reference.py [--rounds 7] [--batch 2] [PRESET …]

Eager, fp32, one thread, the preset's image size (224 where it has none), the same weights in both. Each round times
both, in turn, by the processor's clock, which does not run while other processes have the core; a short run is
repeated. A cell is ours ÷ theirs, each the least over the rounds, since what disturbs a run only adds to it. Memory is
the peak of the allocator's events in a forward and backward.
"""

import argparse
import gc
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.families

from tests.families.oracles import ORACLES
from tests.families.sweep import pair

from netwright.design import registry
from netwright.inspect.measure import allocator_events

LIMIT = 1.05
UNEVEN = {
    "mae:base": "the reference gives the loss of each image only when it is asked image by image",
    "faster_rcnn:resnet50_fpn": "the reference takes torchvision's RoIAlign in Python",
    "mask_rcnn:resnet50_fpn": "the same",
    "lenet1998:original": "the reference is a naive form, made to be read",
}
"""Compared for their values, not for their time."""
SHORTEST = 0.05  # seconds of one measurement: a shorter run is repeated, since one of a millisecond is mostly noise


def forward(module: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        module(x)


def step(module: nn.Module, x: Tensor) -> None:
    module.zero_grad(set_to_none=True)
    module(x).square().mean().backward()


def ratio(run: Callable[[nn.Module, Tensor], None], first: nn.Module, second: nn.Module, x: Tensor, rounds: int):
    """First's time ÷ second's, each the least over the rounds."""

    def seconds(module: nn.Module, times: int) -> float:
        began = time.process_time()
        for _ in range(times):
            run(module, x)
        return time.process_time() - began

    for module in (first, second):
        run(module, x)
    times = math.ceil(SHORTEST / seconds(second, 1))
    least = dict.fromkeys((first, second), math.inf)
    gc.disable()
    for turn in range(rounds):
        for module in (first, second) if turn % 2 else (second, first):
            least[module] = min(least[module], seconds(module, times))
    gc.enable()
    return least[first] / least[second]


def peak(module: nn.Module, x: Tensor) -> int:
    """The most bytes allocated at once in a forward and backward."""
    step(module, x)
    module.zero_grad(set_to_none=True)
    held = most = 0
    for size in allocator_events(lambda: step(module, x)):
        held += size
        most = max(most, held)
    return most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    columns: dict[str, list[float]] = {"forward": [], "forward + backward": [], "memory": []}
    print(f"{'preset':30} {'reference':34} {'forward':>8} {'+ backward':>11} {'memory':>8}")
    for name in args.presets or [n for n in registry().presets if n in ORACLES and n not in UNEVEN]:
        torch.manual_seed(0)
        oracle = ORACLES[name]
        first, second, _ = pair(name, oracle)
        x = torch.randn(args.batch, oracle.channels, *(oracle.size if "image_size" in oracle.args else oracle.native))
        row = (
            ratio(forward, first.eval(), second.eval(), x, args.rounds),
            ratio(step, first.train(), second.train(), x, args.rounds),
            peak(first, x) / peak(second, x),
        )
        for values, value in zip(columns.values(), row, strict=True):
            values.append(value)
        over = "  over" if max(row) > LIMIT else ""
        print(f"{name:30} {oracle.name[:34]:34} {row[0]:8.3f} {row[1]:11.3f} {row[2]:8.3f}{over}", flush=True)
        del first, second
    means = [statistics.geometric_mean(values) for values in columns.values()]
    print(f"{'geometric mean':65} {means[0]:8.3f} {means[1]:11.3f} {means[2]:8.3f}")


if __name__ == "__main__":
    main()
