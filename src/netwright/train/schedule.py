"""The learning rate as a function of the step."""

import math


class Schedule:
    """Linear warm-up, then a half cosine down to `final` of the peak, over exactly the planned number of steps.

    A run that must fit a time limit may change its length on the way (`stretch`). The cosine then goes on from
    where it stands, so the rate never jumps; every plan is kept, so a resumed run follows the same curve.

    Source: Loshchilov & Hutter 2016, SGDR, arXiv:1608.03983; warm-up at most a tenth of the run (rule T8).
    """

    def __init__(self, steps: int, warmup: int = 0, final: float = 0.0):
        self.warmup, self.final = warmup, final
        # Each plan: from this step, where this much of the run was done, on to this last step.
        self.plans: list[tuple[int, float, int]] = [(0, 0.0, steps)]

    @property
    def steps(self) -> int:
        """The planned number of steps."""
        return self.plans[-1][2]

    def progress(self, step: int) -> float:
        """How much of the run is done at a step: 0 at the start, 1 at the end."""
        begin, done, end = next(plan for plan in reversed(self.plans) if plan[0] <= step)
        return 1.0 if step >= end else done + (1.0 - done) * (step - begin) / (end - begin)

    def factor(self, step: int) -> float:
        """What to multiply the peak rate with at a step (counted from 0)."""
        cosine = self.final + (1.0 - self.final) * 0.5 * (1.0 + math.cos(math.pi * self.progress(step)))
        return cosine * min(1.0, (step + 1) / self.warmup) if self.warmup else cosine

    def stretch(self, step: int, steps: int) -> None:
        """From `step` on, plan to end at `steps`."""
        self.plans.append((step, self.progress(step), max(step, steps)))

    def state_dict(self) -> dict:
        return {"warmup": self.warmup, "final": self.final, "plans": [list(plan) for plan in self.plans]}

    def load_state_dict(self, state: dict) -> None:
        self.warmup, self.final = state["warmup"], state["final"]
        self.plans = [(int(begin), float(done), int(end)) for begin, done, end in state["plans"]]
