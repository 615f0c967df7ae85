"""What any nn.Module is and costs: the Blueprint (one pass), counts, and measurements on this machine."""

from netwright.inspect.blueprint import CONVENTION, Blueprint, Edge, FoldedRow, PeakMemory, Row
from netwright.inspect.calibration import Calibration
from netwright.inspect.capture import inspect
from netwright.inspect.cost import Cost, cost, count_macs, count_params
from netwright.inspect.devices import DEVICES, Device
from netwright.inspect.difference import differences
from netwright.inspect.figure import Figure
from netwright.inspect.growth import Growth, growth
from netwright.inspect.latency import add_latency, training_hours
from netwright.inspect.measure import Latency, Memory, measure_latency, measure_memory, weights_bytes
from netwright.inspect.receptive import (
    Field,
    Rung,
    effective_receptive_field,
    effective_size,
    receptive_field,
    resolution_ladder,
)
from netwright.inspect.roofline import by_calibration

__all__ = [
    "CONVENTION",
    "DEVICES",
    "Blueprint",
    "Calibration",
    "Cost",
    "Device",
    "Edge",
    "Field",
    "Figure",
    "FoldedRow",
    "Growth",
    "Latency",
    "Memory",
    "PeakMemory",
    "Row",
    "Rung",
    "add_latency",
    "by_calibration",
    "cost",
    "count_macs",
    "count_params",
    "differences",
    "effective_receptive_field",
    "effective_size",
    "growth",
    "inspect",
    "measure_latency",
    "measure_memory",
    "receptive_field",
    "resolution_ladder",
    "training_hours",
    "weights_bytes",
]
