"""A Blueprint draws itself."""

import html
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect


@pytest.fixture
def blueprint():
    return inspect(nn.Sequential(nn.Linear(4, 8), nn.Flatten(), nn.Linear(8, 2)), torch.zeros(1, 4))


def test_as_a_drawing(blueprint):
    drawn = blueprint.svg(title="a net")
    assert drawn.startswith("<svg ") and "<title>a net</title>" in drawn
    assert "67 %" in drawn  # 32 of 48 MACs, 40 of 58 parameters
    assert "69 %" in blueprint.svg(heat="params")
    assert " %" not in blueprint.svg(heat=None)
    with pytest.raises(InputError, match="latency_ms"):
        blueprint.svg(heat="time")


def test_as_a_page_and_in_a_notebook(blueprint):
    framed = blueprint._repr_html_()
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', framed)[1]) == blueprint.html()


def test_as_a_flowchart(blueprint):
    assert 'n2["0 Linear<br/>40 params · 32 MACs"]' in blueprint.mermaid()


def test_nothing_of_it_is_loaded_before_it_is_asked_for():
    code = "import sys, netwright.inspect; assert not [name for name in sys.modules if 'picture' in name]"
    subprocess.run([sys.executable, "-c", code], check=True)
