"""The classes of masks: which value of a pixel stands for which."""

from dataclasses import dataclass

import numpy as np

from netwright.data.apply_segmentation import IGNORE


@dataclass(frozen=True)
class Classes:
    """Names in the order of the class codes, and the value that each has in the files; `named`: by the person."""

    labels: list[str]
    values: list[int]
    named: bool = False

    @property
    def background(self) -> bool:
        """Whether the first class is what is none of the others: what foreground IoU leaves out."""
        return self.values[0] == 0

    def counts(self, values: np.ndarray) -> np.ndarray:
        """Pixels of each value (N, 256) → pixels of each class (N, K)."""
        return values[:, self.values]

    @property
    def ignores(self) -> bool:
        """Whether 255 marks pixels that have no class."""
        return IGNORE not in self.values
