"""Channels last, but not where oneDNN writes beyond its workspace."""

import subprocess
import sys

import pytest
import torch

import netwright as nw
from netwright.train.layout import layout_for


@pytest.mark.parametrize(
    ("name", "args", "threads", "layout"),
    [
        ("resnet", {"dim": 12, "block": "basicblock"}, 2, torch.contiguous_format),
        ("resnet", {"dim": 12, "block": "basicblock"}, 1, torch.channels_last),
        ("resnet", {"dim": 16, "block": "basicblock"}, 2, torch.channels_last),
        ("mobilenetv2", {}, 2, torch.channels_last),
    ],
)
def test_the_layout(name, args, threads, layout):
    assert layout_for(nw.build(name, **args), threads) is layout


TRAINING = """
import torch
import netwright as nw
from netwright.train.layout import layout_for
torch.set_num_threads(2)
network = nw.build("resnet", dim=12, depths=[1, 1], block="basicblock", stem="smallstem")
layout = layout_for(network, 2)
network.to(memory_format=layout)
for _ in range(200):
    x = torch.randn(5, 3, 32, 32).contiguous(memory_format=layout)
    network(x).sum().backward()
"""


def test_a_narrow_residual_network_trains_by_two_threads():
    """In channels last the same training ends with a segmentation fault, or with an error of the allocator."""
    done = subprocess.run([sys.executable, "-c", TRAINING], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
