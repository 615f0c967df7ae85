"""The main verb: from data and limits to a trained network in source, with the evidence."""

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from netwright.advise import propose_within
from netwright.advise.transfer import transfer
from netwright.design import Brief, Budget, Data, Design, Recipe, Spec
from netwright.design import Task as TaskSection
from netwright.errors import InputError
from netwright.train import arrays, checkpoint, start
from netwright.train.halving import Competition, Entrant
from netwright.train.objective import Objective
from netwright.train.pool import Pool
from netwright.train.signals import Interrupt
from netwright.workbench import places
from netwright.workbench.baselines import baselines_of
from netwright.workbench.hand_over import Evidence, hand_over
from netwright.workbench.narrator import Narrator, Silent
from netwright.workbench.prepare import Prepared, prepare
from netwright.workbench.pretrained import Pretrained, adaptations
from netwright.workbench.pretrained import find as pretrained_weights
from netwright.workbench.request import DEFAULT_TIME, Request
from netwright.workbench.result import Result

IN_MEMORY = "data in memory"
BESIDE_PRETRAINED = 2
"""Candidates that begin at random, for comparison, where published weights are given."""


def design(
    source: Any,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    narrator: Narrator | None = None,
    **options: Any,
) -> Result:
    """Design a network for a data set: look, propose, size, train, compare, report, hand over.

    source: a path, the name of one of scikit-learn's sets, a DataFrame, or (inputs, labels) ·
    options: `target`, `text`, `task`, `metric`; the hard limits `params`, `flops`, `latency`, `memory`, `size`,
    `time` ("200k", "5ms", "100MB", "2min"); `group`, `time_column`, `test`, `test_fraction`, `drop`, `image_size`;
    `prefer`, `exclude` (families); `pretrained` (a file, folder or hub id of published weights, or "auto");
    `steps`, `workers`, `seed` · out: the result's folder ·
    resume: go on with an interrupted run.

    Raises InputError where the data or options can't be used, BudgetError where no family fits the limits.
    """
    narrator = narrator or Silent()
    request = make_request(source, options)
    budget = Budget.parse(
        where="--",
        params=request.params,
        flops=request.flops,
        latency=request.latency,
        memory=request.memory,
        size=request.size,
        time=request.time or DEFAULT_TIME,
    )
    if request.steps is not None and request.steps < 1:
        raise InputError(f"{request.steps} steps can't be trained", where="--steps", fix="give a whole number above 0")
    if request.workers is not None and request.workers < 1:
        raise InputError(f"{request.workers} workers can't train", where="--workers", fix="give a whole number above 0")

    with Interrupt() as interrupt:
        narrator.stage("Looking at the data")
        pretrained = published(request, narrator)
        prepared = prepare(source, request, pretrained)
        tell_data(prepared, narrator)

        result = places.result_folder(prepared.dataset.name, Path(out) if out else None, resume)
        work = places.work_folder(result)
        if resume:
            check_resumable(work, result, request)
            proposals = Proposals.load(work / "candidates.json")
        else:
            if work.exists():
                raise InputError(
                    "an interrupted run is kept there",
                    where=str(work),
                    fix="go on with it by --resume, or remove the folder",
                )
            narrator.stage("Choosing and sizing candidates")
            proposals = choose(prepared, request, budget, pretrained)
            places.check_writable(result)
            set_up(work, prepared, request, proposals, pretrained)
        for candidate in proposals.candidates:
            narrator.say(f"{candidate['name']:28} {candidate['cost']['params']['value']:>10,.0f} parameters")

        cores = available_cores()
        workers = request.workers or max(1, min(cores, 4))
        with Pool(workers, max(1, cores // workers), work / "workers.log") as pool:
            narrator.stage("Baselines")
            baselines = baselines_of(prepared, request.seed)
            for line in baselines.lines():
                narrator.say(line)
            narrator.stage(f"Training ({budget.time_s:.0f} s)" if request.steps is None else "Training")
            competition = Competition(
                work,
                [
                    Entrant(c["name"], c["model"], c["inputs"], Recipe.from_data(c["recipe"]))
                    for c in proposals.candidates
                ],
                budget.time_s if request.steps is None else None,
                prepared.task.metric.greater_is_better,
                workers,
                max(1, cores // workers),
                narrator.say,
                narrator.progress,
                interrupt,
            )
            plan = competition.run(pool)
        if plan["best"] is None:
            raise KeyboardInterrupt
        if interrupt():
            narrator.warn("interrupted: handing over the best network so far")

        narrator.stage("Comparing, reporting, handing over")
        name, _, seed = plan["best"].rpartition(".seed")
        chosen = next(c for c in proposals.candidates if c["name"] == name)
        evidence = Evidence(
            prepared=prepared,
            request=request,
            budget=budget,
            proposals=asdict(proposals),
            plan=plan,
            chosen=chosen,
            weights=checkpoint.best_weights(work / "checkpoints" / f"{plan['best']}.pt"),
            pretrained=start.kept(work) if chosen["recipe"]["weights"] else None,
            design=write_design(prepared, request, budget, chosen, plan, int(seed)),
            baselines=baselines,
            interrupted=plan["interrupted"],
        )
        report = hand_over(evidence, work / "result")
        places.put(work / "result", result)
    if not plan["interrupted"]:
        shutil.rmtree(work)
    code = 128 + interrupt.signal if interrupt.signal else 0
    return Result(result, report, plan["interrupted"], code)


# Before the training ------------------------------------------------------------------------------------------


@dataclass
class Proposals:
    """The sized candidates, the rejected families and the rules for all, as plain data."""

    candidates: list[dict[str, Any]]
    rejected: list[dict[str, Any]]
    notes: list[dict[str, Any]]

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Proposals":
        return cls(**json.loads(path.read_text()))


def make_request(source: Any, options: dict[str, Any]) -> Request:
    """The options as a Request; an unknown one is an error."""
    known = {name for name in Request.__dataclass_fields__ if name != "source"}
    for name in options:
        if name not in known:
            raise InputError(
                f"there is no option {name!r}", where="design", fix=f"choose of {', '.join(sorted(known))}"
            )
    given = {name: value for name, value in options.items() if value is not None}
    for name in ("drop", "prefer", "exclude"):
        if isinstance(given.get(name), str):
            given[name] = [given[name]]
    if "test" in given:
        given["test"] = str(given["test"]) if isinstance(given["test"], str | Path) else given["test"]
    return Request(str(source) if isinstance(source, str | Path) else IN_MEMORY, **given)


def tell_data(prepared: Prepared, narrator: Narrator) -> None:
    found, parts = prepared.profile, prepared.split
    narrator.say(f"{prepared.dataset.name}: {found.rows:,} rows, {found.modality}, {found.task} ({found.task_reason})")
    sizes = f"{len(parts.train):,} to train, {len(parts.validation):,} to validate, {len(parts.test):,} to test"
    narrator.say(f"{sizes} ({parts.how}); metric {prepared.task.metric_name}")
    for warning in [*found.warnings, *parts.warnings]:
        narrator.warn(f"{warning.where}: {warning.message}" if warning.where else warning.message)
    for note in [*found.notes, *prepared.fitted.get("notes", [])]:
        narrator.say(note)


def published(request: Request, narrator: Narrator) -> Pretrained | None:
    """The weights that were asked for, and what they are."""
    if request.pretrained is None:
        return None
    found = pretrained_weights(request.pretrained, narrator.say)
    if found is None:
        narrator.warn("no published weights are at hand, here or on the hub: every network begins at random")
    else:
        narrator.say(f"{found.source}: the weights of {found.preset}, trained at {found.input.size} pixels")
    return found


def choose(prepared: Prepared, request: Request, budget: Budget, pretrained: Pretrained | None = None) -> Proposals:
    """Candidates by the rules, each sized to the limits, with its recipe; those with published weights first."""
    brief = Brief(
        task=prepared.task.kind,
        target=prepared.dataset.target_name,
        text=request.text,
        metric=prepared.task.metric_name,
        budget=budget,
        prefer=tuple(request.prefer),
        exclude=tuple(request.exclude),
        seed=request.seed,
    )
    fitted = propose_within(prepared.profile, brief, prepared.contract)
    found, rejected = fitted.candidates, fitted.rejected
    if pretrained is not None:
        given, left_out = transfer(pretrained.spec, pretrained.source, prepared.profile, brief, prepared.contract)
        found, rejected = [*given, *found[:BESIDE_PRETRAINED]], [*left_out, *rejected]
    candidates = []
    for candidate, sized in found:
        recipe = candidate.recipe if request.steps is None else replace(candidate.recipe, steps=request.steps)
        candidates.append(
            {
                "name": candidate.name,
                "family": candidate.family,
                "model": candidate.spec.to_data(),
                "inputs": sized.contract,
                "recipe": recipe.to_data(),
                "reasons": candidate.reasons,
                "recipe_reasons": candidate.recipe_reasons,
                "cost": {name: asdict(figure) for name, figure in {**candidate.default_cost, **sized.cost}.items()},
            }
        )
    return Proposals(candidates, rejected, fitted.notes)


def set_up(
    work: Path, prepared: Prepared, request: Request, proposals: Proposals, pretrained: Pretrained | None = None
) -> None:
    """The run's folder: what the workers read, and what a resumed run needs."""
    draft = work.with_name(f".{work.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    arrays.save(draft / "arrays", {part: prepared.parts[part] for part in ("train", "validation")})
    objective = Objective(prepared.task, prepared.fitted)
    (draft / "objective.json").write_text(json.dumps(objective.to_json()))
    if pretrained is not None:
        given = next((c for c in proposals.candidates if c["recipe"]["weights"]), None)
        spec = Spec.from_data(given["model"]) if given else None
        weights, loaded = pretrained.weights_for(prepared.contract, spec)
        start.keep(weights, draft / start.PRETRAINED)
        proposals.notes += [{"rule": "T26", "text": f"{what}."} for what in adaptations(loaded)]
    proposals.save(draft / "candidates.json")
    request.save(draft / "request.json")
    draft.rename(work)


def check_resumable(work: Path, result: Path, request: Request) -> None:
    if not work.exists():
        what = "the run has finished" if (result / places.MARK).exists() else "there is no interrupted run"
        raise InputError(f"{what}: nothing to go on with", where=str(result), fix="leave --resume out for a new run")
    request.check_same(work / "request.json")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write_design(
    prepared: Prepared,
    request: Request,
    budget: Budget,
    chosen: dict[str, Any],
    plan: dict[str, Any],
    seed: int,
) -> Design:
    """The design file of the chosen candidate: enough to train it again."""
    run = plan["runs"][plan["best"]]
    recipe = Recipe.from_data(chosen["recipe"])
    recipe = replace(
        recipe,
        steps=max(1, run["steps"]),
        precision=plan["precision"][chosen["name"]],
        seed=recipe.seed + 1000 * seed,
        eval_every=max(1, run["steps"] // plan["looks"][chosen["name"]]),
    )
    dataset, found = prepared.dataset, prepared.profile
    source = request.source
    if source != IN_MEMORY and Path(source).exists():
        source = str(Path(source).resolve())
    return Design(
        name=dataset.name,
        task=TaskSection(
            kind=prepared.task.kind,
            target=dataset.target_name,
            metric=prepared.task.metric_name,
            classes=list(prepared.task.classes) or None,
        ),
        data=Data(
            source=source,
            modality=dataset.modality,
            text=request.text,
            group=request.group,
            time_column=request.time_column,
            test=str(Path(request.test).resolve()) if isinstance(request.test, str) else None,
            test_fraction=request.test_fraction,
            rows=found.rows,
            seed=request.seed,
        ),
        inputs=chosen["inputs"],
        model=Spec.from_data(chosen["model"]),
        recipe=recipe,
        budget=budget,
        reasons=[*chosen["reasons"]],
    )
