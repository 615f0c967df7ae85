"""`inspect` and `diff`: every way to name a network, the gate, and what is said of bad names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import netwright as nw
from netwright.errors import InputError
from netwright.workbench import inspect, over_budget
from netwright.workbench.targets import suppressed

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.linear = nn.Linear(4, width)

    def forward(self, x):
        return self.linear(x)

def wide():
    return Net(16)

NUMBER = 3
"""
DESIGN = """netwright: 1
inputs: {num_features: 4, num_classes: 3}
model:
  mlp: {dim: 64, depth: 2}
"""


def netwright(*arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "netwright", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == code, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    return run


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "mynet.py"
    path.write_text(NET)
    return path


# Names


def test_boxes_are_suppressed_by_better_ones():
    """Against the definition, box by box; the second of two equals goes."""
    corners = torch.rand(60, 2, generator=torch.Generator().manual_seed(0)) * 8
    boxes = torch.cat([corners, corners + 4], dim=1)
    boxes[1] = boxes[0]
    scores = torch.linspace(1, 0, 60).roll(7)

    def overlap(one: list[float], other: list[float]) -> float:
        sides = [min(one[2 + axis], other[2 + axis]) - max(one[axis], other[axis]) for axis in (0, 1)]
        shared = max(sides[0], 0) * max(sides[1], 0)
        return shared / (2 * 16 - shared)

    kept: list[int] = []
    for number in scores.argsort(descending=True).tolist():
        if all(overlap(boxes[number].tolist(), boxes[better].tolist()) <= 0.5 for better in kept):
            kept.append(number)
    assert suppressed(boxes, scores, 0.5).tolist() == kept
    assert 1 < len(kept) < 59
    assert suppressed(boxes[:0], scores[:0], 0.5).tolist() == []


def test_a_family_and_a_preset():
    assert inspect("resnet50").macs == 4_089_184_256
    assert inspect("vit:base").params == 86_567_656
    assert inspect("text_transformer:tiny").inputs == [[1, 512]]


def test_a_design(tmp_path):
    path = tmp_path / "design.yaml"
    path.write_text(DESIGN)
    assert inspect(path).params == sum(p.numel() for p in nw.build(str(path)).parameters())
    assert inspect(str(path), batch=8).inputs[0] == [8, 4]


def test_a_class_and_a_function_of_a_file(net):
    blueprint = inspect(f"{net}:Net")
    assert (blueprint.params, blueprint.inputs) == (40, [[1, 4]])
    assert "was run" in blueprint.notes[0]
    assert inspect(f"{net}:wide", "3,4", batch=2).macs == 2 * 3 * 4 * 16


def test_a_package():
    assert inspect("torch.nn:ReLU", "5").outputs == [[1, 5]]


def test_libraries():
    assert inspect("torchvision:resnet18").params == 11_689_512
    assert inspect("timm:resnet18").macs == inspect("torchvision:resnet18").macs


def test_a_folder_of_transformers(tmp_path):
    from tests.references import transformers

    config = transformers().BertConfig(num_hidden_layers=2, architectures=["BertForSequenceClassification"])
    config.save_pretrained(tmp_path)
    blueprint = inspect(f"transformers:{tmp_path}")
    assert blueprint.cls == "BertForSequenceClassification"
    assert blueprint.rows[0].outputs == [[1, 2]]


def test_an_exported_program(tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(torch.export.export(nn.Sequential(nn.Linear(4, 8), nn.ReLU()), (torch.zeros(2, 4),)), path)
    blueprint = inspect(path)
    assert (blueprint.params, blueprint.macs) == (40, 2 * 32)


def test_a_module_and_what_python_calls_it():
    blueprint = nw.inspect(nn.Linear(4, 2), torch.zeros(3, 4), train=True)
    assert (blueprint.macs, blueprint.backward_macs) == (24, 24)
    assert nw.inspect(nn.Linear(4, 2), "4").inputs == [[1, 4]]


BAD = {
    "no such name": ("resnet51", {}, "did you mean"),
    "no such design": ("nowhere.yaml", {}, "nowhere.yaml"),
    "no such file": ("nowhere.py:Net", {}, "no such file"),
    "no such program": ("nowhere.pt2", {}, "no such file"),
    "no such package": ("nowhere.nothing:Net", {}, "nowhere"),
    "no such model of torchvision": ("torchvision:resnet51", {}, "resnet"),
    "no such model of timm": ("timm:resnet51", {}, "resnet51"),
    "no such folder": ("transformers:nowhere", {}, "config.json"),
    "no shape": ("resnet18", {"inputs": "3,a"}, "'3,a' is no shape"),
    "no positive shape": ("resnet18", {"inputs": "3,-1,2"}, "is no shape"),
    "a wrong shape": ("resnet18", {"inputs": "4,32,32"}, "forward failed"),
    "no batch": ("resnet18", {"batch": 0}, "batch of 0"),
    "no type": ("resnet18", {"dtype": "fp12"}, "bf16"),
    "no optimizer": ("resnet18", {"train": True, "optimizer": "sdg"}, "^optimizer: the state of 'sdg' is unknown"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    target, options, words = BAD[case]
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        inspect(target, **options)


def test_bad_files(net, tmp_path):
    with pytest.raises(InputError, match="one of Net"):
        inspect(f"{net}:Nut")
    with pytest.raises(InputError, match=r"is no nn\.Module but int"):
        inspect(f"{net}:NUMBER")
    with pytest.raises(InputError, match="which of its classes"):
        inspect(f"{net}:")
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0")
    with pytest.raises(InputError, match="ZeroDivisionError"):
        inspect(f"{broken}:Net")
    (tmp_path / "broken.pt2").write_bytes(b"no program")
    with pytest.raises(InputError, match="no exported program"):
        inspect(tmp_path / "broken.pt2")


# The gate


def test_over_budget():
    blueprint = inspect("resnet18")
    assert over_budget(blueprint, "params=12M,flops=4G,size=50MB,memory=100MB") == []
    (words,) = over_budget(blueprint, "params=5M, flops=4G")
    assert words.startswith("params: 11,689,512 of 5,000,000")
    for budget in ("params", "latency=5ms", "parms=5M", "params=5Q"):
        with pytest.raises(InputError):
            over_budget(blueprint, budget)


# The command line


def test_inspect_in_a_terminal():
    shown = netwright("inspect", "resnet18", "--depth", "1", "--train", "--batch", "2").stdout
    assert "11,689,512" in shown
    assert "peak memory" in shown
    assert "captured on fakes" in shown
    assert "MACs: multiply-accumulates" in shown


def test_inspect_as_json():
    data = json.loads(netwright("inspect", "resnet18", "--format", "json").stdout)
    assert data["params"] == 11_689_512
    assert data["over_budget"] == []


def test_a_page(tmp_path):
    page = tmp_path / "new" / "net.html"
    netwright("inspect", "resnet18", "--format", "quiet", "--html", str(page))
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "https://" not in text


def test_the_gate_ends_with_1():
    run = netwright("inspect", "resnet18", "--budget", "params=5M", "--format", "quiet", code=1)
    assert "over budget: params" in run.stderr


def test_bad_input_ends_with_2():
    assert "did you mean" in netwright("inspect", "resnet51", code=2).stderr


def test_diff():
    shown = netwright("diff", "resnet18", "resnet34").stdout
    assert "BasicBlock" in shown or "Conv2d" in shown
    data = json.loads(netwright("diff", "resnet18", "resnet34", "--format", "json").stdout)
    assert data["totals"][0] == {"name": "parameters", "unit": "count", "left": 11_689_512, "right": 21_797_672}
    netwright("diff", "resnet18", "resnet34", "--budget", "params=20M", code=1)
    assert "same classes" in netwright("diff", "resnet18", "resnet18").stdout
