"""What any nn.Module is and costs: the Blueprint (one pass), counts, and measurements on this machine."""

from netwright.inspect.attention import AttentionReach, attention_macs, attention_reach
from netwright.inspect.blueprint import CONVENTION, Blueprint, Edge, FoldedRow, PeakMemory, Row
from netwright.inspect.capture import inspect
from netwright.inspect.cost import Cost, Figure, cost, count_macs, count_params
from netwright.inspect.difference import differences
from netwright.inspect.growth import AXES, Grown, Growth, growth
from netwright.inspect.measure import Latency, Memory, measure_latency, measure_memory, weights_bytes
from netwright.inspect.receptive import (
    Field,
    NotFollowedError,
    Rung,
    effective_receptive_field,
    effective_size,
    receptive_field,
    resolution_ladder,
)
from netwright.inspect.resize import Resize, Resized, resizing
from netwright.inspect.schema import json_schema
from netwright.inspect.sight import Effective, Sight, Stage, sight

__all__ = [
    "AXES",
    "CONVENTION",
    "AttentionReach",
    "Blueprint",
    "Cost",
    "Edge",
    "Effective",
    "Field",
    "Figure",
    "FoldedRow",
    "Grown",
    "Growth",
    "Latency",
    "Memory",
    "NotFollowedError",
    "PeakMemory",
    "Resize",
    "Resized",
    "Row",
    "Rung",
    "Sight",
    "Stage",
    "attention_macs",
    "attention_reach",
    "cost",
    "count_macs",
    "count_params",
    "differences",
    "effective_receptive_field",
    "effective_size",
    "growth",
    "inspect",
    "json_schema",
    "measure_latency",
    "measure_memory",
    "receptive_field",
    "resizing",
    "resolution_ladder",
    "sight",
    "weights_bytes",
]
