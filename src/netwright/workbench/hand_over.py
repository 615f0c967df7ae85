"""From a trained network to the folder that the person owns: scores, verdict, report, source."""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from netwright import report
from netwright.advise.networks import example, fixed
from netwright.compare import Verdict, judge
from netwright.design import Budget, Design
from netwright.export import eject
from netwright.inspect import Blueprint, Cost, cost, inspect
from netwright.train.objective import Objective
from netwright.train.trainer import predict
from netwright.workbench.baselines import Baselines
from netwright.workbench.boxes import found_by_network, judged_rows
from netwright.workbench.masks import matrices_of_network
from netwright.workbench.places import MARK
from netwright.workbench.prepare import Prepared
from netwright.workbench.request import Request


@dataclass
class Evidence:
    """All that a run has found out. Outputs, scores and costs are computed when they are first asked for."""

    prepared: Prepared
    request: Request
    budget: Budget
    proposals: dict[str, Any]
    plan: dict[str, Any]
    chosen: dict[str, Any]
    weights: dict[str, Tensor]
    design: Design
    baselines: Baselines | None
    interrupted: bool
    pretrained: dict[str, Tensor] | None = None

    @cached_property
    def network(self) -> nn.Module:
        network = self.design.build()
        network.load_state_dict(self.weights)
        return network.eval()

    @cached_property
    def objective(self) -> Objective:
        return Objective(self.prepared.task, self.prepared.fitted)

    @cached_property
    def part(self) -> str:
        """The part that the scores are of: an interrupted run keeps the test part untouched."""
        return "validation" if self.interrupted else "test"

    @cached_property
    def predictions(self) -> np.ndarray:
        """Probabilities (N, K), numbers (N,), matrices that count pixels (N, K, K), or judged images (N,), for the rows
        of that part."""
        if self.prepared.task.is_detection:
            return judged_rows(self.prepared.rows(self.part), self.found)
        if self.prepared.task.is_segmentation:
            return matrices_of_network(self.prepared, self.part, self.network, self.objective)
        arrays = {
            name: torch.from_numpy(values)
            for name, values in self.prepared.parts[self.part].items()
            if name != "target"
        }
        return self.objective.predictions(predict(self.network, self.objective.batch, arrays))

    @cached_property
    def found(self) -> list[dict[str, np.ndarray]]:
        """Of detection, the boxes in the images of that part, in their own pixels."""
        return found_by_network(self.prepared, self.part, self.network, self.objective)

    @cached_property
    def truth(self) -> np.ndarray:
        return self.objective.truth(self.prepared.parts[self.part]["target"])

    @cached_property
    def verdict(self) -> Verdict | None:
        """The network against the baselines; None where there are none."""
        if self.baselines is None:
            return None
        results = self.baselines.results
        if self.interrupted:  # compared on the validation part
            results = [replace(result, test_output=result.validation_output) for result in results]
        return judge(
            self.prepared.task,
            self.baselines.validation_truth,
            self.truth,
            self.predictions,
            results,
            seed=self.request.seed,
        )

    @cached_property
    def score(self) -> float:
        return self.prepared.task.score(self.truth, self.predictions)

    @cached_property
    def example(self) -> dict[str, Tensor]:
        return example(self.chosen["inputs"], of=self.network)

    @cached_property
    def blueprint(self) -> Blueprint:
        return inspect(fixed(self.network), self.example)

    @cached_property
    def cost(self) -> Cost:
        return cost(self.network, self.example)


def hand_over(evidence: Evidence, folder: Path) -> dict[str, Any]:
    """Write the whole folder; the report's JSON."""
    from netwright.workbench.dossier import dossier

    prepared = evidence.prepared
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eject(
            folder,
            evidence.design,
            evidence.weights,
            prepared.fitted,
            train=prepared.rows("train"),
            validation=prepared.rows("validation"),
            test=None if evidence.interrupted else prepared.rows("test"),
            score=None if evidence.interrupted else evidence.score,
            pretrained=evidence.pretrained,
        )
    evidence.design.save(folder / MARK)
    content = dossier(evidence, folder)
    report.write(content, folder)
    return content
