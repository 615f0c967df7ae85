"""What any nn.Module is and costs: the Blueprint (one pass), counts, and measurements on this machine."""

from netwright.inspect.blueprint import CONVENTION, Blueprint, Edge, FoldedRow, PeakMemory, Row
from netwright.inspect.calibration import Calibration
from netwright.inspect.capture import inspect
from netwright.inspect.cost import Cost, cost, count_macs, count_params
from netwright.inspect.devices import DEVICES, Device
from netwright.inspect.difference import differences
from netwright.inspect.figure import Figure
from netwright.inspect.fit import Fit, largest_batch
from netwright.inspect.growth import Growth, growth
from netwright.inspect.kv_cache import CacheLayer, KvCache, cache_of_config
from netwright.inspect.latency import add_latency, training_hours
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
from netwright.inspect.roofline import by_calibration
from netwright.inspect.savings import Saving, savings
from netwright.inspect.size import Polynomial, Size, Step
from netwright.inspect.symbolic import Symbols, symbolic

__all__ = [
    "CONVENTION",
    "DEVICES",
    "Blueprint",
    "CacheLayer",
    "Calibration",
    "Cost",
    "Device",
    "Edge",
    "Field",
    "Figure",
    "Fit",
    "FoldedRow",
    "Growth",
    "KvCache",
    "Latency",
    "Memory",
    "PeakMemory",
    "Polynomial",
    "Row",
    "Rung",
    "Saving",
    "Size",
    "Step",
    "Symbols",
    "add_latency",
    "by_calibration",
    "cache_of_config",
    "cost",
    "count_macs",
    "count_params",
    "differences",
    "effective_receptive_field",
    "effective_size",
    "growth",
    "inspect",
    "inspect_onnx",
    "largest_batch",
    "measure_latency",
    "measure_memory",
    "receptive_field",
    "resolution_ladder",
    "savings",
    "symbolic",
    "training_hours",
    "weights_bytes",
]
