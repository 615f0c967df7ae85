"""What any nn.Module is and costs: the Blueprint (one pass), counts, and measurements on this machine."""

from netwright.inspect.blueprint import CONVENTION, Blueprint, Edge, FoldedRow, PeakMemory, Row
from netwright.inspect.capture import inspect
from netwright.inspect.cost import Cost, Figure, cost, count_macs, count_params
from netwright.inspect.difference import differences
from netwright.inspect.growth import Growth, growth
from netwright.inspect.measure import Latency, Memory, measure_latency, measure_memory, weights_bytes
from netwright.inspect.onnx import inspect_onnx
from netwright.inspect.receptive import (
    Field,
    Rung,
    effective_receptive_field,
    effective_size,
    receptive_field,
    resolution_ladder,
)
from netwright.inspect.size import Polynomial, Size, Step
from netwright.inspect.symbolic import Symbols, symbolic

__all__ = [
    "CONVENTION",
    "Blueprint",
    "Cost",
    "Edge",
    "Field",
    "Figure",
    "FoldedRow",
    "Growth",
    "Latency",
    "Memory",
    "PeakMemory",
    "Polynomial",
    "Row",
    "Rung",
    "Size",
    "Step",
    "Symbols",
    "cost",
    "count_macs",
    "count_params",
    "differences",
    "effective_receptive_field",
    "effective_size",
    "growth",
    "inspect",
    "inspect_onnx",
    "measure_latency",
    "measure_memory",
    "receptive_field",
    "resolution_ladder",
    "symbolic",
    "weights_bytes",
]
