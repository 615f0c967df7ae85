"""Real weights on real images: what MobileNetV2 learned on ImageNet helps to tell emoji apart."""

from pathlib import Path

import pytest
from benchmarks import datasets, emoji

import netwright as nw
from netwright.design import Data, Task

SIZE = 96


@pytest.mark.slow
def test_frozen_features_beat_the_same_network_from_scratch(tmp_path, monkeypatch):
    """On photos with one emoji each, of five groups; the emoji of the test part are others."""
    monkeypatch.syspath_prepend(str(Path(emoji.__file__).parent))  # the benchmarks import each other by name
    folder = emoji.dataset("classes", train=600, test=200)
    weights = str(datasets.weights("mobilenetv2"))
    common = {"batch_size": 32, "steps": 100, "warmup_fraction": 0.1, "label_smoothing": 0.05, "augment": ["flip"]}
    recipes = {
        "probe": {**common, "lr": 3e-3, "weights": weights, "probe": 1.0},
        "scratch": {**common, "lr": 3e-3, "weight_decay": 0.05},
    }
    scores = {}
    for name, recipe in recipes.items():
        design = nw.Design(
            name=name,
            task=Task(kind="multiclass", target="class", metric="accuracy"),
            data=Data(source=str(folder), modality="image"),
            inputs={"in_channels": 3, "image_size": SIZE, "num_classes": len(emoji.CLASSES)},
            model=nw.Spec("mobilenetv2:x1_0"),
            recipe=nw.Recipe.from_data(recipe),
        )
        design.save(tmp_path / f"{name}.yaml")
        made = nw.train(tmp_path / f"{name}.yaml", out=tmp_path / name, threads=1)
        scores[name] = made.verdict["network"]["score"]
        print(name, scores[name])
    assert scores["probe"] > scores["scratch"] + 0.05, scores
