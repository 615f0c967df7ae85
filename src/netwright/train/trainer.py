"""One training: the loop, what it watches, and how it goes on after a kill."""

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from netwright.design import Recipe
from netwright.train import checkpoint
from netwright.train.augment import AUGMENTATIONS, token_dropout
from netwright.train.augment_boxes import WITH_BOXES
from netwright.train.augment_masks import WITH_MASKS
from netwright.train.average import WeightAverage
from netwright.train.backbone import Backbone
from netwright.train.batches import Batches
from netwright.train.boxes import detection_loss, judge_boxes
from netwright.train.layout import layout_for
from netwright.train.masks import judge_masks
from netwright.train.objective import Objective
from netwright.train.optimizer import adamw
from netwright.train.schedule import Schedule

WITH_TARGETS = {**WITH_MASKS, **WITH_BOXES}  # augmentations that move what is true, too
LOSS_LIMIT = 4.0  # a smoothed loss this many times the best one, and above the first, has diverged
RETRIES = 4  # smaller rates tried after a divergence before giving up
EVALUATIONS = 30  # times that a run looks at the validation part, unless the recipe says otherwise
CHECKPOINT_SECONDS = 5.0


class Trainer:
    """Trains one module by one recipe; everything that decides the result is in its state.

    The batch of a step, and the random numbers of that step, are functions of (seed, step): a run that was killed
    and resumed from its last checkpoint ends with the same bits as one that never was, in mid-epoch too. (The
    number of threads must be the same: it changes the order of sums.)

    `train` and `validation` map the argument names of `forward` to arrays with one row a sample, and hold the
    encoded targets under "target".
    """

    def __init__(
        self,
        module: nn.Module,
        recipe: Recipe,
        objective: Objective,
        train: dict[str, Tensor],
        validation: dict[str, Tensor],
    ):
        self.recipe, self.objective, self.loss = recipe, objective, objective.loss(recipe)
        self.train, self.validation = train, validation
        self.is_image = "x" in train
        self.module = module
        self.layout = layout_for(module, torch.get_num_threads())
        if self.is_image:
            self.module.to(memory_format=self.layout)  # type: ignore[call-overload]
        self.parameters = list(self.module.parameters())
        self.optimizer = adamw(self.module, recipe.lr, recipe.weight_decay, recipe.betas, recipe.first_layer_lr)
        self.backbone = Backbone(self.module) if recipe.probe else None
        self.average = WeightAverage(self.module, recipe.ema_decay) if recipe.ema_decay else None
        self.batches = Batches(len(train["target"]), recipe.batch_size, recipe.seed)
        steps = recipe.steps
        self.schedule = Schedule(steps, min(int(recipe.warmup_fraction * steps), 2000), recipe.final_lr_fraction)
        self.eval_every = recipe.eval_every or max(1, steps // EVALUATIONS)

        self.step = 0
        self.seconds = 0.0  # of training so far, over all sessions
        self.rate_scale = 1.0  # made smaller after each divergence
        self.window = {"loss": 0.0, "gradient": 0.0, "steps": 0}  # since the last evaluation
        self.smoothed: float | None = None
        self.first_loss: float | None = None
        self.lowest_loss: float | None = None
        self.history: list[dict] = []
        self.events: list[dict] = []
        self.best: dict | None = None
        self.stale = 0  # evaluations since the best one
        self.good = self._snapshot()

    # The loop ------------------------------------------------------------------------------------------------

    def run(
        self,
        until: int | None = None,
        seconds: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        report: Callable[[dict], None] = lambda event: None,
        save_to: Path | None = None,
        longest: int | None = None,
    ) -> str:
        """Train up to step `until` (default: the end); why it ended, in a word.

        `seconds` is the training time that this run may have taken by then, over all its sessions. The length of
        the schedule then follows the machine's speed: shorter when it is slower than planned, up to `longest`
        steps when it is faster. A run without it never looks at the clock.

        Returns "finished", "paused" (at `until`), "patience", "stopped" (asked to) or "failed" (diverged again and
        again).
        """
        began = saved = time.monotonic()
        before, start = self.seconds, self.step
        while True:
            self.seconds = before + time.monotonic() - began
            if self.step >= self.schedule.steps:
                reason = "finished"
                break
            if until is not None and self.step >= until:
                reason = "paused"
                break
            if seconds is not None:
                if until is not None and self.seconds > seconds:
                    reason = "paused"
                    break
                if until is None and self.step - start >= 5:
                    pace = (self.seconds - before) / (self.step - start)
                    self._keep_time(seconds - self.seconds, pace, longest)
            if stop():
                reason = "stopped"
                break
            if self.recipe.patience and self.stale >= self.recipe.patience:
                reason = "patience"
                break
            if not self._step():
                self._undo(report)
                if len(self.events) > RETRIES:
                    reason = "failed"
                    break
                continue
            if self.step % self.eval_every == 0 or self.step >= self.schedule.steps:
                self._evaluate()
                report({"step": self.step, "steps": self.schedule.steps, **self.history[-1]})
            if save_to and time.monotonic() - saved > CHECKPOINT_SECONDS:
                checkpoint.save(self.state_dict(), save_to)
                saved = time.monotonic()
        if reason in ("finished", "paused") and not (self.history and self.history[-1]["step"] == self.step):
            self._evaluate()
            report({"step": self.step, "steps": self.schedule.steps, **self.history[-1]})
        self.seconds = before + time.monotonic() - began
        state = self.state_dict() if save_to else {}
        if self.best is None and reason != "failed":
            # Stopped before the first evaluation: what there is is usable, but a resumed run must not know of it.
            self._evaluate()
            state["provisional"] = self.best
        if save_to:
            checkpoint.save(state, save_to)
        return reason

    def _step(self) -> bool:
        """One step of gradient descent; False if the loss or the gradients blew up."""
        step, recipe = self.step, self.recipe
        # The CPU's generator itself: torch.manual_seed would queue a call for every absent accelerator, each time.
        torch.default_generator.manual_seed(recipe.seed * 1_000_003 + step)
        factor = self.schedule.factor(step) * self.rate_scale
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.lr * factor * group["scale"]
        self._set_mode()
        inputs, targets = self._batch(self.batches[step])
        with self._precision():
            loss = self._loss(inputs, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters, recipe.clip_norm or float("inf"), foreach=True)
        value, gradient = float(loss.detach()), float(norm)
        if not (np.isfinite(value) and np.isfinite(gradient)) or self._has_diverged(value):
            return False
        # The step before an evaluation is weighed: how far do the weights move, relative to their size?
        weigh = (step + 1) % self.eval_every == 0
        weights = [p.detach().clone() for p in self.parameters] if weigh else []
        self.optimizer.step()
        if weights:
            self.window["update"] = _update_ratio(weights, self.parameters)
        if self.average:
            self.average.update(step)
        self.step += 1
        self.window["loss"] += value
        self.window["gradient"] += gradient
        self.window["steps"] += 1
        return True

    def _set_mode(self) -> None:
        """Training mode; while only the classifier learns, the rest stands still, its batch statistics too."""
        if not self.module.training:
            self.module.train()
        if self.backbone:
            self.backbone.hold(self.schedule.progress(self.step) < self.recipe.probe)

    def _batch(self, rows: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """The rows' inputs, finished and augmented, and their targets."""
        raw = {name: values[rows] for name, values in self.train.items() if name != "target"}
        inputs, targets = self.objective.batch(raw), self.train["target"][rows]
        image = self.objective.image
        for item in self.recipe.augment:
            name, options = next(iter(item.items())) if isinstance(item, dict) else (item, {})
            if name == "token_dropout":
                inputs["tokens"] = token_dropout(inputs["tokens"], **options)
            elif name in WITH_TARGETS:
                inputs[image], targets = WITH_TARGETS[name](inputs[image], targets, **options)
            else:
                inputs[image] = AUGMENTATIONS[name](inputs[image], **options)
        if self.is_image:
            inputs[image] = inputs[image].contiguous(memory_format=self.layout)
        return inputs, targets

    def _loss(self, inputs: dict[str, Tensor], targets: Tensor) -> Tensor:
        """The task's loss; with mixup, of two samples blended. Source: Zhang et al. 2017, arXiv:1710.09412."""
        if self.objective.task.is_detection:
            return detection_loss(self.module, inputs["images"], targets)
        alpha = self.recipe.mixup
        if not alpha:
            return self.loss(self.module(**inputs), targets)
        share = float(np.random.default_rng(self.recipe.seed * 1_000_003 + self.step).beta(alpha, alpha))
        other = torch.randperm(len(targets))
        blended = {
            name: share * v + (1 - share) * v[other] if v.is_floating_point() else v for name, v in inputs.items()
        }
        outputs = self.module(**blended)
        return share * self.loss(outputs, targets) + (1 - share) * self.loss(outputs, targets[other])

    def _precision(self):
        return torch.autocast("cpu", torch.bfloat16) if self.recipe.precision == "bf16" else nullcontext()

    # Time ----------------------------------------------------------------------------------------------------

    def _keep_time(self, left: float, pace: float, longest: int | None) -> None:
        """Let the schedule end with the time: `left` seconds at `pace` seconds a step.

        Small differences are left alone, so that a steady machine keeps to its plan.
        """
        needed = pace * (self.schedule.steps - self.step)
        affordable = self.step + max(0, int(left / pace))
        if needed > 1.05 * left:
            self.schedule.stretch(self.step, affordable)
        elif needed < 0.8 * left and longest and self.schedule.steps < longest:
            self.schedule.stretch(self.step, min(affordable, longest))

    # What it watches -----------------------------------------------------------------------------------------

    def _has_diverged(self, loss: float) -> bool:
        self.smoothed = loss if self.smoothed is None else 0.9 * self.smoothed + 0.1 * loss
        if self.first_loss is None:
            self.first_loss = loss
        self.lowest_loss = min(self.smoothed, self.lowest_loss if self.lowest_loss is not None else self.smoothed)
        return self.smoothed > LOSS_LIMIT * max(self.lowest_loss, 0.1) and self.smoothed > 1.5 * self.first_loss

    def _undo(self, report: Callable[[dict], None]) -> None:
        """Back to the last good state, with a smaller rate, and say so."""
        at = self.step
        self._restore(self.good)
        self.rate_scale *= 0.3
        rate = self.recipe.lr * self.rate_scale
        text = f"diverged at step {at}: back to step {self.step}, peak learning rate now {rate:.2g}"
        self.events.append({"step": at, "back_to": self.step, "lr": rate, "text": text})
        report({"event": text, "step": self.step, "steps": self.schedule.steps})

    def _evaluate(self) -> None:
        """Loss and score on the validation part, by the averaged weights where there are some; keep the best."""
        network = self.average.module if self.average else self.module
        loss, score = self._judge(network)
        steps = max(1, self.window["steps"])
        self.history.append(
            {
                "step": self.step,
                "epoch": self.step / self.batches.per_epoch,
                "lr": self.recipe.lr * self.schedule.factor(max(0, self.step - 1)) * self.rate_scale,
                "train_loss": self.window["loss"] / steps,
                "validation_loss": loss,
                "score": score,
                "gradient_norm": self.window["gradient"] / steps,
                "update_ratio": self.window.get("update"),
            }
        )
        self.window = {"loss": 0.0, "gradient": 0.0, "steps": 0}
        # On equal scores, as small validation parts have them, the smaller loss decides.
        key = [score if self.objective.greater_is_better else -score, -loss]
        if np.isfinite(loss) and (self.best is None or key > self.best["key"]):
            weights = {name: value.clone() for name, value in network.state_dict().items()}
            self.best = {"step": self.step, "score": score, "loss": loss, "key": key, "weights": weights}
            self.stale = 0
        else:
            self.stale += 1
        self.good = self._snapshot()

    def _judge(self, network: nn.Module) -> tuple[float, float]:
        """Loss and score on the validation part."""
        if self.objective.task.is_segmentation:
            return judge_masks(network, self.objective, self.loss, self.validation)
        if self.objective.task.is_detection:
            return judge_boxes(network, self.objective, self.validation)
        outputs = self.outputs(network, self.validation)
        loss = float(self.loss(torch.from_numpy(outputs), self.validation["target"]))
        return loss, self.objective.score(outputs, self.validation["target"])

    def outputs(self, network: nn.Module, arrays: dict[str, Tensor], batch_size: int = 512) -> np.ndarray:
        """What the network says of every row, (N, K), in evaluation mode."""
        return predict(network, self.objective.batch, arrays, batch_size, self.is_image)

    # State ---------------------------------------------------------------------------------------------------

    def _snapshot(self) -> dict:
        """All that the next step depends on."""
        return copy.deepcopy(
            {
                "step": self.step,
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.module.state_dict() if self.average else None,
                "watch": [self.smoothed, self.first_loss, self.lowest_loss],
                "window": self.window,
            }
        )

    def _restore(self, snapshot: dict) -> None:
        snapshot = copy.deepcopy(snapshot)
        self.step = snapshot["step"]
        self.module.load_state_dict(snapshot["module"])
        self.optimizer.load_state_dict(snapshot["optimizer"])
        if self.average:
            self.average.module.load_state_dict(snapshot["average"])
        self.smoothed, self.first_loss, self.lowest_loss = snapshot["watch"]
        self.window = snapshot["window"]

    def state_dict(self) -> dict:
        return {
            "now": self._snapshot(),
            "good": self.good,
            "best": self.best,
            "schedule": self.schedule.state_dict(),
            "eval_every": self.eval_every,
            "rate_scale": self.rate_scale,
            "history": list(self.history),
            "events": list(self.events),
            "stale": self.stale,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: dict) -> None:
        self._restore(state["now"])
        self.good, self.best = state["good"], state["best"]
        self.schedule.load_state_dict(state["schedule"])
        self.eval_every, self.rate_scale = state["eval_every"], state["rate_scale"]
        self.history, self.events = state["history"], state["events"]
        self.stale, self.seconds = state["stale"], state["seconds"]


@torch.no_grad()
def predict(
    network: nn.Module,
    batch: Callable[[dict], dict],
    arrays: dict[str, Tensor],
    batch_size: int = 512,
    channels_last: bool = False,
) -> np.ndarray:
    """Outputs (N, K) of every row of `arrays`, in evaluation mode."""
    network.eval()
    names = [name for name in arrays if name != "target"]
    rows = len(arrays[names[0]])
    parts = []
    for start in range(0, rows, batch_size):
        inputs = batch({name: arrays[name][start : start + batch_size] for name in names})
        if channels_last:
            inputs["x"] = inputs["x"].contiguous(memory_format=torch.channels_last)
        parts.append(network(**inputs).float())
    return torch.cat(parts).numpy()


def _update_ratio(before: Sequence[Tensor], after: Sequence[Tensor]) -> float:
    """‖Δθ‖ / ‖θ‖ of a step; about 10⁻³ is healthy (rule T16)."""
    moved = sum(float((a.detach() - b).square().sum()) for a, b in zip(after, before, strict=True))
    size = sum(float(b.square().sum()) for b in before)
    return (moved / max(size, 1e-30)) ** 0.5
