"""What any nn.Module is and costs: the Blueprint (one pass), counts, and measurements on this machine."""

from netwright.inspect.blueprint import CONVENTION, Blueprint, Edge, FoldedRow, PeakMemory, Row
from netwright.inspect.capture import inspect
from netwright.inspect.cost import Cost, Figure, cost, count_macs, count_params
from netwright.inspect.difference import differences
from netwright.inspect.measure import Latency, Memory, measure_latency, measure_memory, weights_bytes

__all__ = [
    "CONVENTION",
    "Blueprint",
    "Cost",
    "Edge",
    "Figure",
    "FoldedRow",
    "Latency",
    "Memory",
    "PeakMemory",
    "Row",
    "cost",
    "count_macs",
    "count_params",
    "differences",
    "inspect",
    "measure_latency",
    "measure_memory",
    "weights_bytes",
]
