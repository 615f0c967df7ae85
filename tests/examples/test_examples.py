"""The examples run as they stand, each in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
# What each must have printed, and made.
SAYS = {
    "blocks": ("torch.Size([1, 10])", None),
    "table": ("trees", "out/tumours/model.py"),
    "images": ("accuracy", "out/scans/report.html"),
    "texts": ("prediction", "out/functions/predict.py"),
}
QUICK = {"blocks", "table"}


def test_every_example_is_tested():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in SAYS])
def test_it_runs(name, tmp_path):
    command = [sys.executable, str(EXAMPLES / f"{name}.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    said, made = SAYS[name]
    assert said in done.stdout
    assert made is None or (tmp_path / made).exists()
