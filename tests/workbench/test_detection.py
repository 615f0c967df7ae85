"""Detection end to end, small: a folder of images with boxes → a folder that finds boxes by itself."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

import netwright as nw
from netwright.cli.main import app
from netwright.report import json_schema
from tests.data import boxed


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return boxed.write_coco(tmp_path_factory.mktemp("data") / "shapes", count=20, size=(48, 64))


@pytest.fixture(scope="module")
def result(shapes, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "result"
    return nw.design(shapes, steps=4, workers=2, exclude=["yolox", "faster_rcnn"], out=out)


@pytest.fixture(scope="module")
def eager(result, tmp_path_factory):
    """The result with a network that sees objects everywhere: four steps teach it to see none."""
    folder = tmp_path_factory.mktemp("eager") / "result"
    shutil.copytree(result.folder, folder)
    weights = load_file(folder / "weights.safetensors")
    weights["classes.out.bias"] += 4.0
    save_file(weights, folder / "weights.safetensors")
    return folder


def test_the_report_has_figures_classes_overlays_and_baselines(result):
    content = json.loads((result.folder / "report.json").read_text())
    Draft202012Validator(json_schema()).validate(content)
    assert content["brief"]["task"] == "detection" and content["verdict"]["metric"] == "ap50"
    assert set(content["verdict"]["baselines"]) == {"majority", "linear", "trees"}
    found = content["validation"]["detection"]
    assert found["figures"]["ap50"] == pytest.approx(content["verdict"]["network"]["score"])
    assert {"ap75", "map50_95", "recall", "small"} <= set(found["figures"])
    assert [row["label"] for row in found["classes"]] == boxed.LABELS
    assert len(found["overlays"]) == 4 and all(
        shown["true"] and shown["size"] == [64, 48] for shown in found["overlays"]
    )
    page = (result.folder / "report.html").read_text()
    assert page.count("data:image/png;base64,") >= 8 and "true boxes" in page and "mAP" in page
    assert "AP50" in (result.folder / "report.md").read_text()
    candidates = {row["family"] for row in content["decision"]["candidates"]}
    rejected = {row["family"] for row in content["decision"]["rejected"]}
    assert candidates == {"retinanet"} and rejected == {"detr", "yolox", "faster_rcnn"}


def test_predict_py_finds_the_boxes_that_we_find(result, eager, tmp_path):
    command = [sys.executable, "predict.py", "--out", str(tmp_path / "boxes.json")]
    done = subprocess.run(command, cwd=eager, check=True, capture_output=True, text=True)
    metric, score = done.stdout.split("\n")[-2].split()[:2]
    ours = nw.predict(eager, eager / "data" / "test")
    assert metric == "ap50" and ours.rows == 4 and float(score) == pytest.approx(ours.score, abs=1e-4)
    assert nw.predict(result.folder, eager / "data" / "test").score == pytest.approx(
        result.verdict["network"]["score"], abs=1e-4
    )
    ours.save(tmp_path / "ours.json")
    theirs, own = (json.loads((tmp_path / name).read_text()) for name in ("boxes.json", "ours.json"))
    assert len(theirs) == len(own) > 0
    for one, other in zip(theirs, own, strict=True):
        assert one["image_id"] == other["image_id"] and one["category_id"] == other["category_id"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)
        assert one["bbox"] == pytest.approx(other["bbox"], abs=0.02)


def test_train_py_trains_again_by_itself(result, tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "train.py", "--steps", "2", "--out", str(tmp_path / "weights.safetensors")]
    done = subprocess.run(command, cwd=result.folder, env=environment, check=True, capture_output=True, text=True)
    assert "ap50" in done.stdout and (tmp_path / "weights.safetensors").exists()
    source = (result.folder / "train.py").read_text() + (result.folder / "predict.py").read_text()
    assert "netwright" not in source and "sklearn" not in source


def test_the_command_line_predicts(eager, shapes, tmp_path):
    out = tmp_path / "boxes.csv"
    done = CliRunner().invoke(app, ["predict", str(eager), str(shapes), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "ap50" in done.stderr and "on 20 rows" in done.stderr
    with out.open() as file:
        rows = list(csv.DictReader(file))
    assert rows and set(rows[0]) == {"file", "label", "score", "x1", "y1", "x2", "y2"}
    assert all(0 <= float(r["x1"]) < float(r["x2"]) <= 64 and 0 <= float(r["y1"]) < float(r["y2"]) <= 48 for r in rows)
    alone = CliRunner().invoke(app, ["predict", str(eager), str(shapes / "images" / "000.png")])
    assert alone.exit_code == 0 and alone.stdout.startswith("file,label,score,x1") and "ap50" not in alone.stderr


@pytest.mark.slow
def test_train_repeats_the_design_from_its_file(result, tmp_path):
    first = nw.train(result.folder / "design.yaml", steps=2, threads=1, out=tmp_path / "a")
    second = nw.train(result.folder / "design.yaml", steps=2, threads=1, out=tmp_path / "b")
    for name, value in first.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])
    assert first.verdict["metric"] == "ap50"


@pytest.mark.slow
@pytest.mark.parametrize("family", ["yolox", "faster_rcnn", "detr"])
def test_every_detector_is_handed_over(family, shapes, tmp_path):
    others = [name for name in ("retinanet", "yolox", "faster_rcnn", "detr") if name != family]
    result = nw.design(shapes, steps=2, workers=2, prefer=[family], exclude=others, out=tmp_path / "result")
    assert result.report["decision"]["chosen"]["family"] == family


@pytest.mark.slow
def test_what_colours_tell_is_learned(tmp_path):
    data = boxed.write_coco(tmp_path / "shapes", count=120, size=(64, 64))
    result = nw.design(data, time="120s", out=tmp_path / "result")
    assert result.verdict["network"]["score"] > 0.8
