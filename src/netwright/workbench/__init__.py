"""The verbs: each chains the rooms below, once, from top to bottom."""

from netwright.workbench.calibrate import calibrate
from netwright.workbench.catalogue import listing, show
from netwright.workbench.design import design
from netwright.workbench.inspect import draw, hours, inspect, largest_batch, over_budget, savings
from netwright.workbench.predict import Predictions, predict
from netwright.workbench.result import Result
from netwright.workbench.train import train

__all__ = [
    "Predictions",
    "Result",
    "calibrate",
    "design",
    "draw",
    "hours",
    "inspect",
    "largest_batch",
    "listing",
    "over_budget",
    "predict",
    "savings",
    "show",
    "train",
]
