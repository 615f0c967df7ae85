"""The main job end to end, on real data, small: design → folder → predict, train, resume."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file
from sklearn.datasets import load_iris

import netwright as nw
from netwright.report import json_schema

FILES = {
    "model.py", "preprocess.py", "preprocessing.json", "predict.py", "train.py", "weights.safetensors",
    "requirements.txt", "design.yaml", "report.html", "report.md", "report.json", "README.md", "data",
}  # fmt: skip


@pytest.fixture(scope="module")
def iris(tmp_path_factory):
    """A finished design for iris, by steps: quick and repeatable."""
    out = tmp_path_factory.mktemp("iris") / "result"
    return nw.design("iris", steps=40, out=out)


def text_table(path: Path, rows: int = 120) -> Path:
    rng = np.random.default_rng(0)
    good, bad = ["good", "great", "fine", "lovely"], ["bad", "poor", "awful", "sad"]
    filler = ["the", "film", "was", "and", "plot", "actors", "a", "bit"]
    lines = []
    for row in range(rows):
        words = [*rng.choice(filler, 6), *rng.choice(good if row % 2 else bad, 2)]
        lines.append({"review": " ".join(rng.permutation(words)), "label": "pos" if row % 2 else "neg"})
    pd.DataFrame(lines).to_csv(path, index=False)
    return path


def test_the_folder_and_the_report_are_complete(iris):
    assert {path.name for path in iris.folder.iterdir()} == FILES
    assert not iris.folder.with_name("result.run").exists()
    content = json.loads((iris.folder / "report.json").read_text())
    Draft202012Validator(json_schema()).validate(content)
    verdict = content["verdict"]
    assert verdict["outcome"] in ("wins", "ties", "loses") and verdict["metric"] == "accuracy"
    assert set(verdict["baselines"]) == {"majority", "linear", "trees"}
    low, high = verdict["network"]["interval"]
    assert low <= verdict["network"]["score"] <= high
    assert len(content["decision"]["candidates"]) >= 3
    assert len({c["family"] for c in content["decision"]["candidates"]}) >= 2
    assert content["baselines"]["seeds"][0]["scores"] and len(content["baselines"]["seeds"][0]["scores"]) >= 3
    assert "<script src" not in (iris.folder / "report.html").read_text()
    assert verdict["sentence"] in (iris.folder / "report.md").read_text().replace("\\", "")


def test_the_result_is_the_network_of_the_folder(iris):
    assert iris.model.training is False
    weights = load_file(iris.folder / "weights.safetensors")
    assert all(torch.equal(value, weights[name]) for name, value in iris.model.state_dict().items())
    assert "verdict" in iris.report and iris.verdict["sentence"] in repr(iris)
    assert "<div" in iris._repr_html_()


def test_predict_gives_what_predict_py_gives(iris, tmp_path):
    frame = load_iris(as_frame=True).frame.drop(columns="target").head(12)
    ours = iris.predict(frame)
    new = tmp_path / "new.csv"
    frame.to_csv(new, index=False)
    command = [sys.executable, "predict.py", str(new), "--out", str(tmp_path / "out.csv")]
    subprocess.run(command, cwd=iris.folder, check=True, capture_output=True)
    theirs = pd.read_csv(tmp_path / "out.csv")
    assert list(ours["prediction"].astype(str)) == list(theirs["prediction"].astype(str))
    np.testing.assert_allclose(ours.iloc[:, 1:].to_numpy(), theirs.iloc[:, 1:].to_numpy(), atol=1e-6)
    by_path = nw.predict(iris.folder, str(new)).table
    np.testing.assert_allclose(by_path.iloc[:, 1:].to_numpy(), ours.iloc[:, 1:].to_numpy(), atol=1e-7)


def test_predict_py_reaches_the_score_of_the_report(iris, tmp_path):
    command = [sys.executable, "predict.py", "--out", str(tmp_path / "out.csv")]
    done = subprocess.run(command, cwd=iris.folder, check=True, capture_output=True, text=True)
    metric, score = done.stdout.split("\n")[-2].split()[:2]
    assert metric == "accuracy"
    assert float(score) == pytest.approx(iris.verdict["network"]["score"], abs=1e-6)


def test_by_steps_a_design_is_repeatable(iris, tmp_path):
    again = nw.design("iris", steps=40, out=tmp_path / "again")
    for name, value in iris.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name
    assert again.verdict["network"] == iris.verdict["network"]


def test_train_repeats_the_design_from_its_file(iris, tmp_path):
    first = nw.train(iris.folder / "design.yaml", threads=1, out=tmp_path / "a")
    second = nw.train(iris.folder / "design.yaml", threads=1, out=tmp_path / "b")
    weights = load_file(iris.folder / "weights.safetensors")
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
        assert value.shape == weights[name].shape
    assert first.verdict["metric"] == "accuracy"


@pytest.mark.parametrize("kind", ["table", "text", "image", "frame", "regression"])
def test_every_modality(kind, tmp_path):
    options = {"steps": 6, "out": tmp_path / "out"}
    if kind == "table":
        frame = load_iris(as_frame=True).frame
        frame["colour"] = np.where(frame["sepal length (cm)"] > 5.8, "red", "blue")
        frame.loc[::7, "petal width (cm)"] = np.nan
        frame.to_csv(tmp_path / "flowers.csv", index=False)
        result = nw.design(tmp_path / "flowers.csv", target="target", task="multiclass", **options)
    elif kind == "frame":
        result = nw.design(load_iris(as_frame=True).frame, target="target", task="multiclass", **options)
    elif kind == "text":
        result = nw.design(text_table(tmp_path / "reviews.csv"), text="review", target="label", **options)
    elif kind == "regression":
        result = nw.design("diabetes", **options)
    else:
        from PIL import Image

        rng = np.random.default_rng(0)
        for name, level in (("dark", 60), ("light", 180)):
            (tmp_path / "photos" / name).mkdir(parents=True)
            for number in range(20):
                pixels = rng.integers(level - 50, level + 50, (24, 24, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
        result = nw.design(tmp_path / "photos", **options)
    assert {path.name for path in result.folder.iterdir()} == FILES
    Draft202012Validator(json_schema()).validate(json.loads((result.folder / "report.json").read_text()))
    done = subprocess.run(
        [sys.executable, "predict.py", "--out", str(tmp_path / "p.csv")],
        cwd=result.folder, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert float(done.stdout.split("\n")[-2].split()[1]) == pytest.approx(result.verdict["network"]["score"], rel=1e-6)


def test_limits_hold_in_the_report(tmp_path):
    result = nw.design("iris", params="2k", size="12kB", steps=4, out=tmp_path / "small")
    bars = {bar["name"]: bar for bar in result.verdict["budget"]}
    assert bars["params"]["used"] <= 2000 and bars["params"]["met"]
    assert (result.folder / "weights.safetensors").stat().st_size <= 12_000


def test_a_limit_missed_at_the_last_measurement_is_said(iris):
    assert iris.missed == []
    bars = [{"name": "latency_ms", "used": 3.0, "allowed": 2.0, "met": False}, {"name": "time_s", "met": False}]
    assert nw.Result(iris.folder, {"verdict": {"budget": bars}}).missed == ["latency_ms"]


def start(command, cwd):
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not list(path.parent.glob(path.name)):
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_design_leaves_a_usable_result_and_goes_on(tmp_path, number):
    command = [sys.executable, "-m", "netwright", "design", "iris", "--time", "60s", "--out", "out/iris"]
    running = start(command, tmp_path)
    wait_for(tmp_path / "out" / "iris.run" / "checkpoints" / "*.pt")
    os.kill(running.pid, number)
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 128 + number, errors
    folder = tmp_path / "out" / "iris"
    assert {path.name for path in folder.iterdir()} == FILES
    report = json.loads((folder / "report.json").read_text())
    assert report["verdict"]["status"] == "interrupted" and report["verdict"]["split"].startswith("validation")
    assert (tmp_path / "out" / "iris.run").exists()
    plan = json.loads((tmp_path / "out" / "iris.run" / "plan.json").read_text())
    plan["final_seconds"], plan["final_set"], plan["seconds"] = 1.0, True, 10.0
    (tmp_path / "out" / "iris.run" / "plan.json").write_text(json.dumps(plan))
    done = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "report.json").read_text())["verdict"]["status"] == "complete"
    assert not (tmp_path / "out" / "iris.run").exists()


def test_a_killed_training_resumed_ends_with_the_same_bits(tmp_path, iris):
    """SIGKILL, no chance to say goodbye: twice, each right after a checkpoint, then to the end."""
    base = [sys.executable, "-m", "netwright", "train", str(iris.folder / "design.yaml"), "--steps", "10000"]
    base += ["--threads", "1", "--format", "quiet"]
    subprocess.run([*base, "--out", "whole"], cwd=tmp_path, check=True)
    killed = [*base, "--out", "killed"]
    saved = tmp_path / "killed.run" / "checkpoints" / "iris.seed0.pt"
    ends = []
    for attempt in range(2):
        before = saved.stat().st_mtime_ns if saved.exists() else 0
        running = start(killed + (["--resume"] if attempt else []), tmp_path)
        while running.poll() is None and not (saved.exists() and saved.stat().st_mtime_ns != before):
            time.sleep(0.05)
        running.kill()
        running.communicate()
        ends.append(running.returncode)
        if running.returncode == 0:  # it was faster than its next checkpoint
            break
    assert -signal.SIGKILL in ends
    if ends[-1] != 0:
        subprocess.run([*killed, "--resume"], cwd=tmp_path, check=True)
    a, b = load_file(tmp_path / "whole" / "weights.safetensors"), load_file(tmp_path / "killed" / "weights.safetensors")
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
