"""Train a design from its file, exactly as its recipe says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from netwright.design import Design, Spec
from netwright.errors import InputError
from netwright.train import arrays, checkpoint, start
from netwright.train.job import Job
from netwright.train.job import run as run_job
from netwright.train.objective import Objective
from netwright.train.signals import Interrupt
from netwright.workbench import places
from netwright.workbench.baselines import baselines_of
from netwright.workbench.design import available_cores, tell_data
from netwright.workbench.hand_over import Evidence, hand_over
from netwright.workbench.narrator import Narrator, Silent
from netwright.workbench.prepare import Prepared, prepare
from netwright.workbench.pretrained import Pretrained, recognise
from netwright.workbench.request import Request
from netwright.workbench.result import Result


def train(
    file: str | Path,
    *,
    data: Any = None,
    steps: int | None = None,
    seed: int | None = None,
    threads: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    narrator: Narrator | None = None,
) -> Result:
    """Train the design in `file` on the data that it names, or on `data`; the result's folder as `design` writes it.

    The length is the recipe's steps, never the clock, so the same file, data, seed and number of threads give the
    same weights, bit for bit, however often the run was killed and resumed.

    Raises InputError where the file or the data can't be used.
    """
    narrator = narrator or Silent()
    for name, value in (("steps", steps), ("threads", threads)):
        if value is not None and value < 1:
            raise InputError(f"{value} {name} can't train", where=f"--{name}", fix="give a whole number above 0")
    design = Design.load(file)
    if steps is not None:
        design.recipe = replace(design.recipe, steps=steps, eval_every=None)
    if seed is not None:
        design.recipe = replace(design.recipe, seed=seed)
    threads = threads or available_cores()

    with Interrupt() as interrupt:
        narrator.stage("Looking at the data")
        request = request_of(design, data)
        pretrained = recognise(design.recipe.weights) if design.recipe.weights else None
        prepared = prepare(data if data is not None else design.data.source, request, pretrained)
        tell_data(prepared, narrator)
        check_contract(design, prepared, file)
        result = places.result_folder(f"{design.name}-trained", Path(out) if out else None, resume)
        work = places.work_folder(result)
        asked = {"design": design.to_data(), "threads": threads, "data": request.source}
        set_up(work, result, asked, prepared, resume, pretrained)

        narrator.stage(f"Training ({design.recipe.steps:,} steps)")
        name = f"{design.name}.seed0"
        job = Job(name, str(work), design.model.to_data(), design.inputs, design.recipe.to_data())
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            run = run_job(job, interrupt, lambda event: narrator.progress(design.name, event))
        finally:
            torch.set_num_threads(before)
        if run["score"] is None:
            if interrupt():
                raise KeyboardInterrupt
            raise InputError("the training diverged again and again", where=str(file), fix="lower recipe.lr")
        narrator.stage("Baselines")
        baselines = baselines_of(prepared, request.seed)
        for line in baselines.lines():
            narrator.say(line)
        stopped = run["reason"] == "stopped"
        if stopped:
            narrator.warn("interrupted: handing over the best network so far")
        narrator.stage("Comparing, reporting, handing over")
        evidence = Evidence(
            prepared=prepared,
            request=request,
            budget=design.budget,
            proposals={"candidates": [], "rejected": [], "notes": []},
            plan={
                "rungs": [],
                "runs": {name: {**run, "stage": "final"}},
                "best": name,
                "winner": design.name,
                "workers": 1,
                "wall_seconds": run["seconds"],
            },
            chosen={
                "name": design.name,
                "family": design.model.name.partition(":")[0],
                "inputs": design.inputs,
                "reasons": design.reasons,
                "recipe_reasons": {},
            },
            weights=checkpoint.best_weights(job.checkpoint),
            design=design,
            baselines=baselines,
            interrupted=stopped,
            pretrained=start.kept(work) if pretrained else None,
        )
        report = hand_over(evidence, work / "result")
        places.put(work / "result", result)
    if not stopped:
        shutil.rmtree(work)
    return Result(result, report, stopped, 128 + interrupt.signal if interrupt.signal else 0)


def request_of(design: Design, data: Any) -> Request:
    """The same reading and splitting as when the design was made."""
    source = data if data is not None else design.data.source
    if source is None:
        raise InputError("the design names no data", where="data.source", fix="give --data, or add it to the file")
    return Request(
        source=str(source) if isinstance(source, str | Path) else "data in memory",
        target=design.task.target if design.data.modality in ("table", "text") else None,
        text=design.data.text,
        task=design.task.kind,
        metric=design.task.metric,
        group=design.data.group,
        time_column=design.data.time_column,
        test=design.data.test,
        test_fraction=design.data.test_fraction,
        image_size=design.inputs.get("image_size"),
        steps=design.recipe.steps,
        seed=design.data.seed,
    )


def check_contract(design: Design, prepared: Prepared, file: str | Path) -> None:
    """The data must still be what the network was designed for."""
    for name, value in design.inputs.items():
        found = prepared.contract.get(name)
        if found != value:
            raise InputError(
                f"the design was made for {name} = {value}, these data give {found}",
                where=f"{file}: inputs.{name}",
                fix="give the data that it was made for, or design anew",
            )


def set_up(
    work: Path,
    result: Path,
    asked: dict[str, Any],
    prepared: Prepared,
    resume: bool,
    pretrained: Pretrained | None,
) -> None:
    """The run's folder, new or as it was left."""
    begun = work / "train.json"
    if resume:
        if not begun.exists():
            raise InputError("there is no interrupted training", where=str(result), fix="leave --resume out")
        if json.loads(begun.read_text()) != json.loads(json.dumps(asked)):
            raise InputError(
                "the training was begun with another design, data or number of threads",
                where=str(work),
                fix="use the same, or another --out for a new training",
            )
        return
    if work.exists():
        fix = "go on with it by --resume, or remove the folder"
        raise InputError("an interrupted run is kept there", where=str(work), fix=fix)
    places.check_writable(result)
    draft = work.with_name(f".{work.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    arrays.save(draft / "arrays", {part: prepared.parts[part] for part in ("train", "validation")})
    objective = Objective(prepared.task, prepared.fitted)
    (draft / "objective.json").write_text(json.dumps(objective.to_json()))
    if pretrained is not None:
        weights, _ = pretrained.weights_for(prepared.contract, Spec.from_data(asked["design"]["model"]))
        start.keep(weights, draft / start.PRETRAINED)
    (draft / "train.json").write_text(json.dumps(asked))
    draft.rename(work)
