"""Each reference loads in an interpreter of its own, whatever another test has imported before."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["torchvision", "timm", "pytorchcv", "transformers", "diffusers", "torch_geometric"])
def test_loads_first(name):
    command = [sys.executable, "-c", f"from tests import references; references.{name}()"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
