"""data: from files, arrays and frames to a checked Dataset, its Profile, honest splits, fitted preprocessing.

    dataset = load("houses.csv", target="price")
    found = profile(dataset)
    parts = split(dataset, found, seed=0)
    fitted = fit_preprocessing(dataset, parts.train, found)     # plain JSON, from training rows only
    arrays = preprocessing(fitted).load(dataset.inputs)         # what the network is fed

The `apply_*.py` files need no netwright: one of them is handed over with each network.
"""

from netwright.data.apply_detection import DetectionPreprocessing
from netwright.data.apply_image import ImagePreprocessing
from netwright.data.apply_segmentation import SegmentationPreprocessing
from netwright.data.apply_table import TablePreprocessing
from netwright.data.apply_text import TextPreprocessing
from netwright.data.columns import Column
from netwright.data.dataset import Dataset
from netwright.data.fitting import Preprocessing, fit_preprocessing, preprocessing
from netwright.data.loading import load
from netwright.data.profiles import Profile, profile
from netwright.data.readers.bundled import BUNDLED
from netwright.data.splits import Split, split
from netwright.data.typed import typed_features
from netwright.data.warnings import DataWarning

__all__ = [
    "BUNDLED",
    "Column",
    "DataWarning",
    "Dataset",
    "DetectionPreprocessing",
    "ImagePreprocessing",
    "Preprocessing",
    "Profile",
    "SegmentationPreprocessing",
    "Split",
    "TablePreprocessing",
    "TextPreprocessing",
    "fit_preprocessing",
    "load",
    "preprocessing",
    "profile",
    "split",
    "typed_features",
]
