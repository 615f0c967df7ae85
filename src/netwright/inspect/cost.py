"""Cost: what a network takes, each number with how it was got."""

from dataclasses import asdict, dataclass
from typing import Any

from torch import nn

from netwright.inspect.capture import MacCounter, inference
from netwright.inspect.figure import Figure
from netwright.inspect.measure import measure_latency, measure_memory, weights_bytes
from netwright.inspect.tensors import Inputs, as_call

COUNTED = "counted"


@dataclass(frozen=True)
class Cost:
    params: Figure
    macs: Figure
    flops: Figure
    size: Figure  # of the weights as stored
    memory: Figure  # peak of a forward
    latency: Figure

    def to_json(self) -> dict[str, Any]:
        """Each figure as a dict; `error` only where there is one."""
        return {
            name: {key: value for key, value in figure.items() if key != "error" or value is not None}
            for name, figure in asdict(self).items()
        }


def cost(module: nn.Module, inputs: Inputs, runs: int = 50, threads: int | None = None) -> Cost:
    """The cost of a forward with these inputs (their batch size included), on this machine."""
    latency = measure_latency(module, inputs, runs=runs, threads=threads)
    memory = measure_memory(module, inputs)
    macs = count_macs(module, inputs)
    return Cost(
        params=Figure(count_params(module), "", COUNTED),
        macs=Figure(macs, "", COUNTED),
        flops=Figure(2 * macs, "", COUNTED),
        size=Figure(weights_bytes(module), "bytes", COUNTED),
        memory=Figure(memory.peak_bytes, "bytes", memory.how),
        latency=Figure(latency.median_ms, "ms", latency.how),
    )


def count_params(module: nn.Module, trainable_only: bool = False) -> int:
    """Numbers in the parameters, tied ones once."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad or not trainable_only)


def count_macs(module: nn.Module, inputs: Inputs) -> int:
    """Multiply-accumulates of a forward; on the meta device nothing is computed."""
    args, kwargs = as_call(inputs)
    counter = MacCounter()
    with inference(module), counter:
        module(*args, **kwargs)
    return counter.macs
