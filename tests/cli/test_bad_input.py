"""Every bad input, through the command line: exit code 2, what, where and what to do, no traceback, nothing written."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from netwright.cli.main import app
from tests.data.bad_inputs import BAD_INPUTS

OPTIONS = [
    ("params-word", ["--params", "many"], ("--params",)),
    ("params-negative", ["--params", "-5"], ("--params",)),
    ("latency-without-unit", ["--latency", "5"], ("--latency", "ms")),
    ("memory-in-seconds", ["--memory", "5s"], ("--memory",)),
    ("time-zero", ["--time", "0s"], ("--time",)),
    ("metric-unknown", ["--metric", "acuracy"], ("accuracy",)),
    ("metric-of-another-task", ["--metric", "rmse"], ("rmse",)),
    ("task-unknown", ["--task", "guessing"], ("--task", "regression")),
    ("test-fraction", ["--test-fraction", "1.5"], ("test",)),
    ("family-unknown", ["--prefer", "resnett"], ("resnet",)),
    ("family-excluded-unknown", ["--exclude", "foo"], ("foo",)),
    ("steps-zero", ["--steps", "0"], ("--steps",)),
    ("workers-zero", ["--workers", "0"], ("--workers",)),
    ("image-size", ["--image-size", "-3"], ("image",)),
    ("resume-nothing", ["--resume"], ("--resume",)),
]


def design(*arguments: str):
    return CliRunner().invoke(app, ["design", *arguments])


def check(result, expected, out):
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    message = " ".join(result.output.split())
    for part in expected:
        assert part.lower() in message.lower(), message
    assert "Traceback" not in result.output
    assert not list(out.parent.glob(f"*{out.name}*")), "something was written"


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=lambda bad: bad.id)
def test_bad_data(bad, tmp_path):
    (tmp_path / "in").mkdir()
    out = tmp_path / "out" / "result"
    result = design(*map(str, bad.make(tmp_path / "in")), "--out", str(out))
    check(result, bad.expect, out)
    assert not out.parent.exists()


@pytest.mark.parametrize(("options", "expected"), [pytest.param(o, e, id=i) for i, o, e in OPTIONS])
def test_bad_options(options, expected, tmp_path):
    out = tmp_path / "out" / "result"
    check(design("digits", *options, "--out", str(out)), expected, out)


def test_there_are_many():
    assert len(BAD_INPUTS) + len(OPTIONS) >= 60


def test_out_that_is_a_file_or_holds_something_else_is_left_alone(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    result = design("iris", "--out", str(file))
    assert result.exit_code == 2 and "this is a file" in result.output
    result = design("iris", "--out", str(tmp_path))
    assert result.exit_code == 2 and "not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"] and file.read_text() == "mine"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["train", "nowhere.yaml"], "no such file"),
        (["predict", ".", "new.csv"], "no result"),
        (["show", "resnet51"], "resnet5"),
        (["list", "familys"], "families"),
    ],
)
def test_other_commands(command, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2 and expected in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_a_limit_that_cannot_be_met_is_exit_code_1_with_what_can_be_reached(tmp_path):
    result = design("iris", "--params", "3", "--out", str(tmp_path / "out" / "iris"))
    assert result.exit_code == 1, result.output
    assert "no network fits" in result.output and "mlp" in result.output
    assert not (tmp_path / "out").exists()


def test_in_a_process_of_its_own(tmp_path):
    command = [sys.executable, "-m", "netwright", "design", "nowhere.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "nowhere.csv" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
