"""Candidates compete for the training time by successive halving, then the winner trains with several seeds."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from netwright.design import Recipe
from netwright.train.job import Job
from netwright.train.pool import Pool
from netwright.train.trainer import EVALUATIONS

EXPLORATION = 0.3  # share of the time in which the candidates compete
SEEDS = 3  # at least so many runs of the winner
ROUND_OVERHEAD = 0.5  # seconds that a round takes beside its training: setting up, the last evaluation, saving
STARVED = 0.5  # of its useful length that a training gets: below, the final has fewer seeds
BF16_GAIN = 1.3  # bf16 must be so many times faster to be used


@dataclass
class Entrant:
    """A candidate of the competition: `recipe.steps` is the longest training that still makes sense for it."""

    name: str
    model: str | dict
    inputs: dict
    recipe: Recipe


@dataclass
class Competition:
    """Runs in `folder`, which holds the arrays and the objective; everything decided is kept in `plan.json`.

    The lengths of all trainings are planned once, in steps, from the speed measured at the start, and written
    down before the first of them begins. With `seconds=None` they are the recipes' own and the clock is never
    looked at. Taken up again after an interruption it follows the same plan, and each training goes on from its
    checkpoint.

    Source: Jamieson & Talwalkar 2016, arXiv:1502.07943; rule N4.
    """

    folder: Path
    entrants: list[Entrant]
    seconds: float | None
    greater_is_better: bool
    workers: int
    threads: int
    say: Callable[[str], None] = lambda text: None
    on_progress: Callable[[str, dict], None] = lambda name, event: None
    stop: Callable[[], bool] = lambda: False

    def run(self, pool: Pool) -> dict:
        """The plan with all results: `winner`, `runs` by name, `rungs`, `interrupted`."""
        self.began, self.spent = time.monotonic(), 0.0
        self.pool = pool
        path = self.folder / "plan.json"
        if path.exists():
            self.plan = json.loads(path.read_text())
            self.spent = self.plan.get("wall_seconds", 0.0)
        else:
            self.plan = self._make_plan()
        if self.stop():
            return self._close(interrupted=True)
        alive = [entrant for entrant in self.entrants if self.plan["lengths"].get(entrant.name)]
        for number, rung in enumerate(self.plan["rungs"]):
            jobs = [self._job(e, 0, share=rung["share"]) for e in alive]
            if not self._train(jobs, f"rung {number + 1}"):
                return self._close(interrupted=True)
            ranking = sorted(alive, key=lambda e: self._key(self._name(e, 0)), reverse=True)
            ranking = [e for e in ranking if self._score(self._name(e, 0)) is not None]
            if not ranking:
                raise RuntimeError(f"every candidate failed to train; see {self.folder / 'workers.log'}")
            alive = ranking[: rung["keep"]]
            rung["ranking"] = [[e.name, self._score(self._name(e, 0))] for e in ranking]
            dropped = [e.name for e in ranking[rung["keep"] :]]
            if dropped:
                self.say(f"rung {number + 1}: {', '.join(e.name for e in alive)} ahead; {', '.join(dropped)} dropped")
        winner = alive[0]
        self.plan["winner"] = winner.name
        if self.seconds is not None and not self.plan.get("final_set"):
            # What the rungs really took decides what each round of the final has.
            rounds = math.ceil(self.plan["seeds"] / self.workers)
            self.plan["final_seconds"] = max(1.0, (self.seconds - self._elapsed()) / rounds - ROUND_OVERHEAD)
            self.plan["final_set"] = True
        self._save()
        jobs = [self._job(winner, seed) for seed in range(self.plan["seeds"])]
        if not self._train(jobs, "final"):
            return self._close(interrupted=True)
        return self._close(interrupted=False)

    # The plan ------------------------------------------------------------------------------------------------

    def _make_plan(self) -> dict:
        """Measure every candidate, then share out the time that is left."""
        count = len(self.entrants)
        plan: dict = {"runs": {}, "rungs": [], "seconds": self.seconds, "workers": self.workers}
        survivors = count
        while survivors > 1:
            keep = max(1, math.ceil(survivors / 3)) if survivors > 2 else 1
            plan["rungs"].append({"runs": survivors, "keep": keep})
            survivors = keep
        for number, rung in enumerate(plan["rungs"]):
            rung["share"] = 0.3 * (number + 1) / len(plan["rungs"])
        plan["seeds"] = math.ceil(SEEDS / self.workers) * self.workers if self.workers <= SEEDS + 1 else SEEDS
        if self.seconds is None:
            plan["pace"], plan["final_seconds"] = {}, None
            plan["lengths"] = {e.name: e.recipe.steps for e in self.entrants}
            plan["looks"] = {e.name: EVALUATIONS for e in self.entrants}
            plan["precision"] = {e.name: e.recipe.precision for e in self.entrants}
        else:
            self._share_out(plan, self.seconds)
        self.plan = plan
        self._save()
        return plan

    def _share_out(self, plan: dict, seconds: float) -> None:
        """Lengths in steps from the speed of each candidate here, and how many seeds the final has."""
        jobs = [Job(e.name, str(self.folder), e.model, e.inputs, e.recipe.to_data()) for e in self.entrants]
        plan["pace"] = self.pool.run("measure", jobs, stop=self.stop)
        measured = []
        for e in self.entrants:
            if "fp32" in plan["pace"].get(e.name, {}):
                measured.append(e)
            else:
                self.say(f"{e.name}: dropped, {plan['pace'].get(e.name, {}).get('error', 'not measured')}")
        left = seconds - self._elapsed()
        self._set_lengths(plan, measured, left)
        if measured and self.workers > 1:
            shares = sorted(plan["lengths"][e.name] / e.recipe.steps for e in measured)
            if shares[len(shares) // 2] < STARVED:
                # Too little time for what most candidates need: one round of longer runs instead of two.
                plan["seeds"] = self.workers
                self._set_lengths(plan, measured, left)

    def _set_lengths(self, plan: dict, measured: list[Entrant], left: float) -> None:
        """What each full training may take, and so its steps, when `left` seconds are shared out."""
        # In units of one full training: what the rungs and the final take, one after another on the workers.
        units = float(math.ceil(plan["seeds"] / self.workers))
        done = 0.0
        for rung in plan["rungs"]:
            units += math.ceil(rung["runs"] / self.workers) * (rung["share"] - done)
            done = rung["share"]
        each = max(0.5, left / units - ROUND_OVERHEAD)
        plan["final_seconds"] = each
        plan["lengths"], plan["looks"], plan["precision"] = {}, {}, {}
        for e in measured:
            pace = plan["pace"][e.name]
            fast = pace["fp32"] / pace["bf16"] >= BF16_GAIN
            step = pace["bf16"] if fast else pace["fp32"]
            # Looking at the validation part takes at most a fifth of the time.
            looks = int(min(EVALUATIONS, max(3, 0.2 * each / pace["evaluation"])))
            affordable = int((each - looks * pace["evaluation"]) / step)
            plan["lengths"][e.name] = max(1, min(e.recipe.steps, affordable))
            plan["looks"][e.name] = looks
            plan["precision"][e.name] = "bf16" if fast else "fp32"

    def _job(self, entrant: Entrant, seed: int, share: float | None = None) -> Job:
        length = self.plan["lengths"][entrant.name]
        recipe = replace(
            entrant.recipe,
            steps=length,
            precision=self.plan["precision"][entrant.name],
            eval_every=entrant.recipe.eval_every or max(1, length // self.plan["looks"][entrant.name]),
            seed=entrant.recipe.seed + 1000 * seed,
        )
        seconds = self.plan["final_seconds"]
        return Job(
            self._name(entrant, seed),
            str(self.folder),
            entrant.model,
            entrant.inputs,
            recipe.to_data(),
            until=max(1, round(length * share)) if share else None,
            seconds=seconds * share if seconds and share else seconds,
            longest=entrant.recipe.steps,
        )

    @staticmethod
    def _name(entrant: Entrant, seed: int) -> str:
        return f"{entrant.name}.seed{seed}"

    # Training ------------------------------------------------------------------------------------------------

    def _train(self, jobs: list[Job], stage: str) -> bool:
        """Do those jobs of a stage that are not yet done; False if it was interrupted."""
        done = self.plan["runs"]
        todo = [job for job in jobs if done.get(job.name, {}).get("stage") != stage]
        results = self.pool.run("train", todo, self.on_progress, self.stop)
        for name, result in results.items():
            if result.get("error"):
                self.say(f"{name}: failed, {result['error']}")
            finished = result["reason"] != "stopped"
            done[name] = {**result, "stage": stage if finished else done.get(name, {}).get("stage")}
        self._save()
        return not self.stop() and all(done.get(job.name, {}).get("stage") == stage for job in jobs)

    def _score(self, name: str) -> float | None:
        return self.plan["runs"].get(name, {}).get("score")

    def _key(self, name: str) -> tuple[float, float]:
        """Higher is better; on equal scores, as small validation parts have them, the smaller loss."""
        score = self._score(name)
        if score is None:
            return -math.inf, -math.inf
        return score if self.greater_is_better else -score, -self.plan["runs"][name]["loss"]

    def _close(self, interrupted: bool) -> dict:
        """Name the best run so far, of the winner if there is one."""
        runs = self.plan["runs"]
        names = [name for name, result in runs.items() if result.get("score") is not None]
        winner = self.plan.get("winner")
        finals = [name for name in names if winner and name.startswith(f"{winner}.seed")]
        best = max(sorted(finals or names), key=self._key, default=None)
        self.plan |= {"best": best, "interrupted": interrupted}
        self._save()
        return self.plan

    def _elapsed(self) -> float:
        """Seconds since the competition began, over all its sessions."""
        return self.spent + time.monotonic() - self.began

    def _save(self) -> None:
        self.plan["wall_seconds"] = self._elapsed()
        draft = self.folder / "plan.draft"
        draft.write_text(json.dumps(self.plan))
        draft.replace(self.folder / "plan.json")
