"""The verbs: each chains the rooms below, once, from top to bottom."""

from netwright.workbench.catalogue import listing, show
from netwright.workbench.design import design
from netwright.workbench.gate import over_limits
from netwright.workbench.inspect import draw, inspect, over_budget
from netwright.workbench.predict import Predictions, predict
from netwright.workbench.result import Result
from netwright.workbench.train import train

__all__ = [
    "Predictions",
    "Result",
    "design",
    "draw",
    "inspect",
    "listing",
    "over_budget",
    "over_limits",
    "predict",
    "show",
    "train",
]
