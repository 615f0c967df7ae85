"""Which rows make the batch of a step: a pure function of the seed and the step.

Nothing has to be remembered between batches, so a run can be taken up in mid-epoch and sees exactly the rows
that it would have seen.
"""

import torch
from torch import Tensor


class Batches:
    """Every row once an epoch, in an order drawn from (seed, epoch); the last short batch is kept if it is not tiny.

    A batch of one row would break batch normalisation, so a remainder of less than a quarter of a batch is left
    out: the rows differ from epoch to epoch.
    """

    def __init__(self, rows: int, batch_size: int, seed: int):
        self.rows, self.batch_size, self.seed = rows, min(batch_size, rows), seed
        full, rest = divmod(rows, self.batch_size)
        self.per_epoch = full + (rest >= max(2, self.batch_size // 4))
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def epoch(self, step: int) -> int:
        return step // self.per_epoch

    def __getitem__(self, step: int) -> Tensor:
        """Row numbers of a step's batch, (batch,)."""
        epoch, position = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch, self._order = epoch, torch.randperm(self.rows, generator=generator)
        return self._order[position * self.batch_size : (position + 1) * self.batch_size]
