"""The data sets that come with scikit-learn, by name."""

from typing import Any

import numpy as np
import pandas as pd

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")


def read_bundled(name: str) -> pd.DataFrame | tuple[np.ndarray, np.ndarray]:
    """A table with its `target` column; for digits, images (N, 8, 8) of grey 0 … 16 and their numbers."""
    from sklearn import datasets  # only here: scikit-learn takes a while to import

    loaded: Any = getattr(datasets, f"load_{name}")(as_frame=name != "digits")
    if name == "digits":
        return loaded.images.astype(np.uint8), loaded.target
    frame = loaded.frame
    if name != "diabetes":
        frame["target"] = np.asarray(loaded.target_names)[frame["target"]]
    return frame
