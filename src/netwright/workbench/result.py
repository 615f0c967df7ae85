"""What `design` and `train` give back."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from netwright.design import Design
from netwright.errors import InputError


@dataclass
class Result:
    """A finished (or interrupted) run: the network, the report, and the folder with everything.

    model: the trained network, in evaluation mode · report: the report's JSON as a dict ·
    folder: model.py, weights.safetensors, predict.py, train.py, report.html, design.yaml …
    """

    folder: Path
    report: dict[str, Any] = field(repr=False)
    interrupted: bool = False
    exit_code: int = 0

    @cached_property
    def design(self) -> Design:
        return Design.load(self.folder / "design.yaml")

    @cached_property
    def model(self) -> nn.Module:
        return load_network(self.folder, self.design)

    @property
    def verdict(self) -> dict[str, Any]:
        return self.report["verdict"]

    @property
    def missed(self) -> list[str]:
        """The hard limits that the finished network does not hold, as measured last; training time is none."""
        bars = self.verdict.get("budget", [])
        return [bar["name"] for bar in bars if bar.get("met") is False and bar["name"] != "time_s"]

    def predict(self, source: Any) -> Any:
        """Predictions for new data, as a DataFrame."""
        from netwright.workbench.predict import predict

        return predict(self.folder, source).table

    def _repr_html_(self) -> str:
        from netwright.report import repr_html

        return repr_html(self.report)

    def __repr__(self) -> str:
        return f"{self.verdict['sentence']}\n{self.folder}"


def load_network(folder: Path, design: Design) -> nn.Module:
    """The design's network with the folder's weights."""
    from safetensors.torch import load_file

    path = folder / "weights.safetensors"
    if not path.exists():
        raise InputError("there are no weights", where=str(path), fix="give a folder that `netwright design` wrote")
    network = design.build()
    network.load_state_dict(load_file(path))
    return network.eval()


def read_report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))
