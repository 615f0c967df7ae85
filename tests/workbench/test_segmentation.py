"""Segmentation end to end, small: a folder of images and masks → a folder that predicts masks by itself."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator
from PIL import Image
from typer.testing import CliRunner

import netwright as nw
from netwright.cli.main import app
from netwright.report import json_schema
from tests.data import boxed, scenes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return scenes.write(tmp_path_factory.mktemp("data") / "shapes", count=20, size=(24, 32))


@pytest.fixture(scope="module")
def result(shapes, tmp_path_factory):
    return nw.design(shapes, steps=4, workers=2, out=tmp_path_factory.mktemp("out") / "result")


def test_the_report_has_classes_overlays_and_baselines(result):
    content = json.loads((result.folder / "report.json").read_text())
    Draft202012Validator(json_schema()).validate(content)
    assert content["brief"]["task"] == "segmentation" and content["verdict"]["metric"] == "miou"
    assert set(content["verdict"]["baselines"]) == {"majority", "linear", "trees"}
    found = content["validation"]["segmentation"]
    assert [row["label"] for row in found["classes"]] == ["background", "disc", "square"]
    assert all(len(shown["images"]) == 3 for shown in found["overlays"]) and found["overlays"]
    page = (result.folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 3 * len(found["overlays"]) and "predicted" in page
    assert "mIoU" in (result.folder / "report.md").read_text()


def test_predict_py_writes_masks_and_reaches_the_score_of_the_report(result, tmp_path):
    command = [sys.executable, "predict.py", "--out", str(tmp_path / "masks")]
    done = subprocess.run(command, cwd=result.folder, check=True, capture_output=True, text=True)
    metric, score = done.stdout.split("\n")[-2].split()[:2]
    assert metric == "miou"
    assert float(score) == pytest.approx(result.verdict["network"]["score"], abs=1e-4)
    written = sorted((tmp_path / "masks").iterdir())
    assert [path.name for path in written] == sorted(p.name for p in (result.folder / "data/test/images").iterdir())
    ours = nw.predict(result.folder, result.folder / "data" / "test")
    assert ours.score == pytest.approx(result.verdict["network"]["score"], abs=1e-4)
    for path in written:
        mask = Image.open(path)
        assert mask.mode == "P" and mask.size == (32, 24)
        assert (np.asarray(mask) == np.asarray(ours.masks[path.name])).mean() > 0.999


def test_train_py_trains_again_by_itself(result, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "train.py", "--steps", "2", "--out", str(tmp_path / "weights.safetensors")]
    done = subprocess.run(command, cwd=result.folder, env=environment, check=True, capture_output=True, text=True)
    assert "miou" in done.stdout and (tmp_path / "weights.safetensors").exists()
    source = (result.folder / "train.py").read_text() + (result.folder / "predict.py").read_text()
    assert "netwright" not in source and "sklearn" not in source


def test_the_command_line_predicts(result, shapes, tmp_path):
    out = tmp_path / "masks"
    done = CliRunner().invoke(app, ["predict", str(result.folder), str(shapes), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "miou" in done.stderr and len(list(out.iterdir())) == 20
    alone = CliRunner().invoke(app, ["predict", str(result.folder), str(shapes / "images" / "000.png")])
    assert alone.exit_code == 0 and alone.stdout.startswith("file,share(background)")


def test_train_repeats_the_design_from_its_file(result, tmp_path):
    first = nw.train(result.folder / "design.yaml", steps=2, threads=1, out=tmp_path / "a")
    second = nw.train(result.folder / "design.yaml", steps=2, threads=1, out=tmp_path / "b")
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
    assert first.verdict["metric"] == "miou"


@pytest.mark.slow
def test_what_colours_tell_is_learned(tmp_path):
    data = scenes.write(tmp_path / "shapes", count=80, size=(48, 48))
    result = nw.design(data, time="60s", out=tmp_path / "result")
    assert result.verdict["network"]["score"] > 0.9


@pytest.mark.slow
def test_outlines_of_coco_are_learned_as_masks(tmp_path):
    """Masks drawn for the run are handed over as files; the ejected network and a second training read them again."""
    coco = boxed.outline(boxed.write_coco(tmp_path / "shapes", count=20, size=(24, 32)))
    made = nw.design(coco, task="segmentation", steps=3, workers=1, out=tmp_path / "a")
    assert made.verdict["metric"] == "miou" and (made.folder / "data" / "test" / "masks").is_dir()
    done = subprocess.run(
        [sys.executable, "predict.py", "--out", str(tmp_path / "masks")],
        cwd=made.folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0 and "miou" in done.stdout + done.stderr, done.stderr[-2000:]
    again = nw.train(made.folder / "design.yaml", steps=2, threads=1, out=tmp_path / "b")
    assert again.verdict["metric"] == "miou"
