"""One candidate's training as plain data: what a worker is asked to do, and what it answers."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from netwright.design import Recipe, Spec
from netwright.design.construct import make
from netwright.design.resolve import resolve_inputs
from netwright.train import arrays, checkpoint
from netwright.train.objective import Objective
from netwright.train.start import PRETRAINED, start_from
from netwright.train.trainer import Trainer

MEASURE_SECONDS = 0.6


@dataclass
class Job:
    """Train `model` by `recipe` on the run's arrays, up to step `until` and within `seconds` (of training in all).

    `folder` is the run's folder: it holds `arrays/`, `objective.json`, a checkpoint for each `name`, and where a
    recipe begins with published weights these, as `pretrained.safetensors`.
    """

    name: str
    folder: str
    model: str | dict
    inputs: dict
    recipe: dict
    until: int | None = None
    seconds: float | None = None
    longest: int | None = None

    @property
    def checkpoint(self) -> Path:
        return Path(self.folder) / "checkpoints" / f"{self.name}.pt"

    def to_json(self) -> dict:
        return asdict(self)


def trainer_of(job: Job) -> Trainer:
    """The job's trainer, as its last checkpoint left it if there is one."""
    folder = Path(job.folder)
    objective = Objective.from_json(json.loads((folder / "objective.json").read_text()))
    recipe = Recipe.from_data(job.recipe)
    torch.manual_seed(recipe.seed)
    module = make(resolve_inputs(Spec.from_data(job.model), job.inputs))
    if recipe.weights:
        start_from(folder / PRETRAINED, module)
    parts = [arrays.load(folder / "arrays", part) for part in ("train", "validation")]
    trainer = Trainer(module, recipe, objective, *parts)
    if job.checkpoint.exists():
        trainer.load_state_dict(checkpoint.load(job.checkpoint))
    return trainer


def run(job: Job, stop: Callable[[], bool], report: Callable[[dict], None]) -> dict:
    """Do the job; its result as plain data. The weights are in the checkpoint."""
    trainer = trainer_of(job)
    reason = trainer.run(job.until, job.seconds, stop, report, job.checkpoint, job.longest)
    best = trainer.best or {}
    return {
        "name": job.name,
        "reason": reason,
        "step": trainer.step,
        "steps": trainer.schedule.steps,
        "epochs": trainer.step / trainer.batches.per_epoch,
        "seconds": trainer.seconds,
        "score": best.get("score"),
        "loss": best.get("loss"),
        "best_step": best.get("step"),
        "history": trainer.history,
        "events": trainer.events,
    }


def measure(job: Job) -> dict:
    """Seconds that a step and an evaluation of this candidate take here, in fp32 and, where it is faster, bf16."""
    result: dict = {"name": job.name}
    recipes = {precision: {**job.recipe, "precision": precision} for precision in ("fp32", "bf16")}
    for precision, recipe in recipes.items():
        trainer = trainer_of(Job(f"{job.name}.measure", job.folder, job.model, job.inputs, recipe))
        for _ in range(2):
            trainer._step()
        began, first = time.perf_counter(), trainer.step
        while time.perf_counter() - began < MEASURE_SECONDS or trainer.step < first + 3:
            trainer._step()
        result[precision] = (time.perf_counter() - began) / (trainer.step - first)
        if precision == "fp32":
            began = time.perf_counter()
            trainer._evaluate()
            result["evaluation"] = time.perf_counter() - began
            result["rows"], result["per_epoch"] = trainer.batches.rows, trainer.batches.per_epoch
    return result
