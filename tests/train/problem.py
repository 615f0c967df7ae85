"""A small real problem for the tests of training: scikit-learn's digits and iris, encoded."""

import json
from functools import cache

from netwright.design import Recipe
from netwright.train import arrays
from netwright.train.job import Job
from netwright.train.objective import Objective
from netwright.workbench.prepare import Prepared, prepare
from netwright.workbench.request import Request

RECIPE = {
    "lr": 3e-3,
    "batch_size": 32,
    "steps": 40,
    "ema_decay": 0.9,
    "label_smoothing": 0.1,
    "eval_every": 10,
}
MLP = {"mlp": {"dim": 16, "depth": 2, "dropout": 0.2}}
CNN = {"resnet": {"dim": 8, "depths": [1, 1], "stem": "smallstem", "dropout": 0.1}}


@cache
def prepared(name: str) -> Prepared:
    return prepare(name, Request(name))


def job(folder, name: str = "iris", model: dict | None = None, **changes) -> Job:
    """A job in a run's folder that is set up for the data set."""
    data = prepared(name)
    recipe = Recipe(**{**RECIPE, **changes.pop("recipe", {})})
    if not (folder / "objective.json").exists():
        arrays.save(folder / "arrays", {part: data.parts[part] for part in ("train", "validation")})
        (folder / "objective.json").write_text(json.dumps(Objective(data.task, data.fitted).to_json()))
    model = model or (CNN if data.dataset.modality == "image" else MLP)
    return Job(changes.pop("run", "a"), str(folder), model, data.contract, recipe.to_data(), **changes)
