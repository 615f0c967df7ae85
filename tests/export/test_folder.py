"""Handed-over folders: they predict and train by themselves, and reach the score that was promised."""

import ast
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from netwright.data import Dataset, fit_preprocessing, load, preprocessing, profile, split
from netwright.design import Design, Recipe, Spec, Task
from netwright.export import EjectError, eject
from netwright.tasks import METRICS
from tests.export.test_model import lint

FILES = {
    "README.md",
    "model.py",
    "predict.py",
    "preprocess.py",
    "preprocessing.json",
    "requirements.txt",
    "train.py",
    "weights.safetensors",
}


class Made:
    """A design with random weights, its data, and what the network scores on the test part."""

    def __init__(self, source: Any, model: Any, recipe: dict[str, Any], metric: str, **options: Any):
        dataset = load(source, **options)
        found = profile(dataset)
        parts = split(dataset, found, seed=0)
        self.fitted = fit_preprocessing(dataset, parts.train, found)
        self.parts = {name: dataset.take(getattr(parts, name)) for name in ("train", "validation")}
        test = dataset.take(parts.test) if dataset.test is None else dataset.test
        self.parts["test"] = test
        apply = preprocessing(self.fitted)
        self.design = Design(
            model=Spec.from_data(model),
            name="toy",
            task=Task(kind=found.task, target=dataset.target_name, metric=metric),
            inputs=apply.contract,
            recipe=Recipe(**recipe),
        )
        torch.manual_seed(1)
        self.network = self.design.build().eval()
        for parameter in self.network.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        arrays = {name: torch.from_numpy(values) for name, values in apply.load(test.inputs).items()}
        with torch.no_grad():
            predicted, probabilities = apply.decode(self.network(**apply.batch(arrays)).numpy())
        if probabilities is None:
            self.score = METRICS[metric](test.target.to_numpy(float), predicted)
        else:
            self.score = METRICS[metric](apply.targets(test.target), probabilities)

    def eject(self, folder: Path, **changes: Any) -> str:
        given: dict[str, Any] = {**self.parts, "score": self.score, **changes}
        return eject(folder, self.design, self.network.state_dict(), self.fitted, **given)


def run(folder: Path, *command: str) -> str:
    """Run a script of the folder from elsewhere, without this environment's paths."""
    done = subprocess.run(
        [sys.executable, str(folder / command[0]), *command[1:]],
        capture_output=True,
        encoding="utf-8",
        cwd=folder.parent,
        env={"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imports(path: Path) -> set[str]:
    """What a file imports at its top."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {item.name.partition(".")[0] for item in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module).partition(".")[0])
    return found - sys.stdlib_module_names


def check(folder: Path, made: Made, packages: set[str], steps: int = 12) -> None:
    """What holds for every folder."""
    assert {path.name for path in folder.iterdir()} == FILES | {"data"}
    assert list(folder.parent.iterdir()) == [folder]
    assert lint(folder) == ""
    assert imports(folder / "model.py") == {"torch"}
    used = set().union(*(imports(folder / f"{name}.py") for name in ("predict", "train", "preprocess")))
    names = {"PIL": "pillow"}
    assert {names.get(name, name) for name in used - {"model", "preprocess", "predict"}} == packages
    asked = {row.partition(">=")[0] for row in (folder / "requirements.txt").read_text().splitlines()}
    assert asked == packages
    text = "".join(path.read_text() for path in folder.glob("*.*") if path.suffix != ".safetensors")
    assert "netwright" not in text and "#:" not in text and "{{" not in text

    metric, score = str(made.design.task.metric), made.score
    printed = run(folder, "predict.py", "--out", str(folder / "predictions.csv"))
    assert f"{metric} {score:.5f}"[: len(metric) + 7] in printed
    assert abs(float(printed.split(f"{metric} ")[1].split()[0]) - score) <= 1e-6 * max(1.0, abs(score))
    with (folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + len(made.parts["test"])
    if made.design.task.kind != "regression":
        assert len(rows[0]) == 1 + len(made.fitted["target"]["labels"])
        assert all(abs(sum(map(float, row[1:])) - 1) < 1e-9 for row in rows[1:])

    before = (folder / "weights.safetensors").read_bytes()
    printed = run(folder, "train.py", "--steps", str(steps))
    assert f"step {steps:6d}: loss" in printed and "nan" not in printed
    assert (folder / "weights.safetensors").read_bytes() != before


def test_images_in_arrays(tmp_path: Path) -> None:
    recipe = {
        "steps": 60,
        "lr": 5e-3,
        "batch_size": 64,
        "ema_decay": 0.9,
        "label_smoothing": 0.1,
        "mixup": 0.2,
        "augment": ["shift", {"affine": {"degrees": 5.0, "shift": 0.05}}],
        "patience": 5,
        "eval_every": 4,
    }
    model = {"resnet": {"dim": 8, "depths": [1, 1], "stem": "smallstem", "block": "basicblock"}}
    made = Made("digits", model, recipe, "accuracy")
    folder = tmp_path / "out"
    printed = made.eject(folder)
    assert printed.endswith(f"accuracy {made.score:.9f} on {len(made.parts['test'])} rows\n")
    check(folder, made, {"torch", "numpy", "pillow"}, steps=40)
    train = (folder / "train.py").read_text()
    for line in (
        "def shift(",
        'batch["x"] = affine(batch["x"], degrees=5.0, shift=0.05)',
        "MIXUP = 0.2",
        "PATIENCE = 5",
    ):
        assert line in train
    assert "huber" not in train and "repeat_interleave" not in train and "tokens" not in train
    # What train.py learned is more than chance.
    printed = run(folder, "predict.py", "--out", str(folder / "predictions.csv"))
    assert float(printed.split("accuracy ")[1].split()[0]) > 0.3


def table(rows: int = 240) -> pd.DataFrame:
    random = np.random.default_rng(0)
    size = random.normal(100, 20, rows).round(1)
    frame = pd.DataFrame(
        {
            "size": np.where(random.random(rows) < 0.1, np.nan, size),
            "code": [f"{n:03d}" for n in random.integers(0, 5, rows)],
            "town": np.where(
                random.random(rows) < 0.1, None, random.choice(["Köln", "Aix, Provence", 'a "b"', "NA"], rows)
            ),
            "new": random.random(rows) < 0.5,
            "built": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 999, rows), unit="D"),
        }
    )
    frame["price"] = (size * 3 + random.normal(0, 10, rows)).round(2)
    return frame


def test_table_of_mixed_columns(tmp_path: Path) -> None:
    made = Made(
        table(),
        {"mlp": {"dim": 16, "depth": 2, "dropout": 0.1}},
        {"steps": 40, "loss": "huber", "final_lr_fraction": 0.1, "clip_norm": None},
        "rmse",
        target="price",
    )
    folder = tmp_path / "out"
    made.eject(folder)
    check(folder, made, {"torch", "numpy", "pandas"})
    # The town "NA" must not come back as a missing one, which CSV can't promise.
    assert {path.suffix for path in (folder / "data").iterdir()} == {".jsonl"}
    assert "huber_loss" in (folder / "train.py").read_text() and "clip" not in (folder / "train.py").read_text()


def test_ensemble_on_a_csv_file(tmp_path: Path) -> None:
    frame = table().drop(columns=["code", "built"])
    target = 'the "kind" \\N'
    frame[target] = np.where(frame.pop("price") > 300, "dear", "cheap")
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / "houses.csv"
    frame.to_csv(source, index=False, sep=";")
    model = {"tabm": {"dim": 16, "depth": 1, "num_members": 4, "numeric_dim": 4}}
    made = Made(str(source), model, {"steps": 40, "precision": "bf16"}, "auc", target=target)
    folder = tmp_path / "out" / "houses"
    made.eject(folder)
    check(folder, made, {"torch", "numpy", "pandas"})
    assert {path.suffix for path in (folder / "data").iterdir()} == {".csv"}
    assert "Every member" in (folder / "train.py").read_text()
    # New data without the target: predictions, no score.
    frame.drop(columns=target).iloc[:7].to_csv(tmp_path / "new.csv", index=False, sep=";")
    printed = run(folder, "predict.py", str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv"))
    assert printed == f"7 predictions in {tmp_path / 'p.csv'}\n"
    assert pd.read_csv(tmp_path / "p.csv")["prediction"].isin(["dear", "cheap"]).all()


def test_text(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    good, bad = ["fine, warm", "great\nfun", "a joy"], ["dull", 'a "mess"', "cold; slow"]
    labels = random.integers(0, 2, 160)
    texts = [" ".join(random.choice(good if label else bad, random.integers(1, 6))) for label in labels]
    frame = pd.DataFrame({"review": [f"{text} {i}" for i, text in enumerate(texts)], "label": labels})
    model = {"textcnn": {"dim": 8, "maps": 4, "kernel_sizes": [2, 3]}}
    recipe = {"steps": 40, "augment": [{"token_dropout": {"p": 0.2}}], "ema_decay": 0.9}
    made = Made(frame, model, recipe, "log_loss", target="label", text="review")
    folder = tmp_path / "out"
    made.eject(folder)
    check(folder, made, {"torch", "numpy"})
    assert "score, -judged_loss" in (folder / "train.py").read_text()


def test_folder_of_images(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    source = tmp_path / "in"
    for label, shade in (("cat", 60), ("dog", 180)):
        (source / label).mkdir(parents=True)
        for number in range(24):
            side = 20 + number % 3
            pixels = random.normal(shade, 30, (side, side, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(source / label / f"{number}.png")
    model = {"convnext": {"dim": 8, "depths": [1, 1], "stem": {"patchstem": {"patch_size": 2}}}}
    recipe = {"steps": 20, "batch_size": 16, "augment": ["flip", "brightness", "erase"]}
    made = Made(str(source), model, recipe, "balanced_accuracy")
    folder = tmp_path / "out" / "pets"
    made.eject(folder)
    check(folder, made, {"torch", "numpy", "pillow"}, steps=8)
    assert {path.name for path in (folder / "data" / "test").iterdir()} == {"cat", "dog"}
    # One image of no known class.
    printed = run(folder, "predict.py", str(source / "cat" / "0.png"), "--out", str(tmp_path / "p.csv"))
    assert printed.startswith("1 predictions")


@pytest.fixture(scope="module")
def small() -> Made:
    return Made("iris", {"mlp": {"dim": 4, "depth": 1}}, {"steps": 9}, "f1_macro", target="target")


def test_nothing_is_half_written(small: Made, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.raises(EjectError, match=r"predict.py reaches .* on the test part, the original"):
        small.eject(folder, score=small.score + 1e-3)
    assert list(tmp_path.iterdir()) == []

    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    weights = {**small.network.state_dict()}
    weights["head.bias"] = torch.zeros(7)
    with pytest.raises(EjectError, match=r"do not run by themselves:[\s\S]*head\.bias"):
        eject(folder, small.design, weights, small.fitted, **small.parts)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]

    small.eject(folder)
    assert {path.name for path in folder.iterdir()} == FILES | {"data"}


def test_without_data(small: Made, tmp_path: Path) -> None:
    """Only the network: the scripts then ask for files."""
    folder = tmp_path / "out"
    nothing: dict[str, Dataset | None] = {"train": None, "validation": None, "test": None}
    assert small.eject(folder, **nothing) == ""
    assert {path.name for path in folder.iterdir()} == FILES
    assert lint(folder) == ""
    small.parts["test"].inputs.to_csv(tmp_path / "new.csv", index=False)
    printed = run(folder, "predict.py", str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv"))
    assert printed.startswith(f"{len(small.parts['test'])} predictions")
    assert json.loads((folder / "preprocessing.json").read_text()) == small.fitted


def test_large_parts_are_left_out(small: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from netwright.export import data_files

    monkeypatch.setattr(data_files, "LIMIT", 2000)
    small.eject(tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "data").iterdir()] == ["test.csv"]
    assert "python train.py TRAIN VALIDATION" in (tmp_path / "out" / "README.md").read_text()
