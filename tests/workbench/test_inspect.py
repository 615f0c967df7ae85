"""`inspect` and `diff`: every way to name a network, the gate, and what is said of bad names."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import torch
from torch import nn

import netwright as nw
from netwright import workbench
from netwright.cli import main
from netwright.errors import InputError
from netwright.inspect.calibration import load
from netwright.workbench import inspect, largest_batch, over_budget, savings
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
    """The console script in this process: a new one would spend most of its time on imports."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(errors):
        patch.setattr(sys, "argv", ["netwright", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    run = subprocess.CompletedProcess(arguments, end.value.code or 0, out.getvalue(), errors.getvalue())
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


@pytest.fixture
def graph(tmp_path):
    """x (2, 4) × w (4, 8)."""
    from tests.inspect.onnx.graphs import FLOAT, helper, stored, written

    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return written(tmp_path, nodes, [("x", FLOAT, [2, 4])], ["y"], [stored("w", 4, 8)])


def test_an_onnx_file(graph):
    assert (inspect(graph).macs, inspect(str(graph)).params) == (64, 32)
    for inputs in ("4", torch.zeros(2, 4), {"x": torch.zeros(2, 4)}):
        assert inspect(graph, inputs).inputs == [[2, 4]]
    for options in ({"train": True}, {"dtype": "bf16"}, {"symbolic": True}):
        with pytest.raises(InputError, match="is a graph"):
            inspect(graph, **options)


BAD = {
    "no such name": ("resnet51", {}, "did you mean"),
    "no such design": ("nowhere.yaml", {}, "nowhere.yaml"),
    "no such file": ("nowhere.py:Net", {}, "no such file"),
    "no such ONNX file": ("nowhere.onnx", {}, "no such file"),
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


# Memory


def test_savings_of_a_name():
    present, *others = savings("resnet18", "3,32,32", batch=4, devices=2)
    assert present.peak_bytes == inspect("resnet18", "3,32,32", train=True, batch=4).peak_memory
    names = [row.name for row in others]
    assert "batch 2 instead of 4" in names
    assert "FSDP over 2 devices" in names
    half = savings("resnet18", "3,32,32", batch=4, dtype="bf16")[0]
    assert half.peak_bytes < 0.6 * present.peak_bytes


@pytest.mark.parametrize("inputs", [None, "3,64,64"])
def test_the_largest_batch_of_a_name(inputs):
    found = largest_batch("resnet18", "200MB", inputs)
    assert found.peak_bytes == inspect("resnet18", inputs, batch=found.batch).peak_memory
    assert found.peak_bytes <= 200_000_000 < inspect("resnet18", inputs, batch=found.batch + 1).peak_memory
    assert largest_batch("resnet18", 200_000_000, inputs) == found
    assert largest_batch("resnet18", "200MB", inputs, train=True).batch < found.batch


def test_a_design_of_many_samples():
    """Its one sample is copied, not expanded: a forward may fold the batch into another dimension."""
    example = sys.modules["netwright.workbench.inspect"].widened(torch.zeros(1, 4, 6), 5)
    assert example.view(20, 6).shape == (20, 6)


# The command line


def test_inspect_in_a_terminal():
    shown = netwright("inspect", "resnet18", "--depth", "1", "--train", "--batch", "2").stdout
    assert "11,689,512" in shown
    assert "peak memory" in shown
    assert "captured on fakes" in shown
    assert "MACs: multiply-accumulates" in shown


def test_symbols_in_a_terminal(net):
    shown = netwright("inspect", f"{net}:wide", "--input", "7,4", "--symbolic").stdout
    assert "B×N×16" in shown
    assert "64·B·N" in shown
    assert "7 here" in shown


def test_inspect_as_json():
    data = json.loads(netwright("inspect", "resnet18", "--format", "json").stdout)
    assert data["params"] == 11_689_512
    assert data["over_budget"] == []


def test_savings_and_the_largest_batch_in_a_terminal():
    shown = netwright("inspect", "resnet18", "--depth", "0", "--train", "--savings", "--devices", "4", "--fit", "1GB")
    for words in ("a training step", "checkpointing each of", "bf16 throughout", "FSDP over 4 devices", "estimated"):
        assert words in shown.stdout
    assert "largest batch in 1 GB: " in shown.stdout
    assert "KV cache" not in shown.stdout


def test_savings_and_the_largest_batch_as_json():
    options = ("--train", "--savings", "--fit", "1GB", "--format", "json", "--input", "3,64,64")
    data = json.loads(netwright("inspect", "resnet18", *options).stdout)
    assert data["savings"][0]["name"] == "as it is"
    assert data["savings"][0]["peak_bytes"] == data["memory"]["bytes"]
    assert data["fit"]["peak_bytes"] <= data["fit"]["memory_bytes"] == 10**9 < data["fit"]["next_bytes"]
    assert data["kv_cache_bytes_per_token"] is None


def test_a_step_of_an_optimizer_that_pytorch_has_not():
    assert inspect("resnet18", "3,32,32", batch=2, train=True, optimizer="adamw8bit", device="h100").latency.value > 0
    with pytest.raises(InputError, match="no 'adamw8bit' whose step"):
        inspect("resnet18", "3,32,32", batch=2, train=True, optimizer="adamw8bit", device="here")


def test_nothing_fits():
    run = netwright("inspect", "resnet18", "--depth", "0", "--fit", "20MB", code=1)
    assert "nothing fits 20 MB: the smallest batch takes" in run.stdout


def test_a_decoders_cache_in_a_terminal(tmp_path):
    from tests.references import transformers

    config = transformers().LlamaConfig(
        hidden_size=64, intermediate_size=64, num_attention_heads=8, num_key_value_heads=2, num_hidden_layers=3,
        vocab_size=99, architectures=["LlamaForCausalLM"],
    )  # fmt: skip
    config.save_pretrained(tmp_path)
    shown = netwright("inspect", f"transformers:{tmp_path}", "--dtype", "bf16").stdout
    assert "KV cache" in shown
    assert "192 bytes a token" in shown
    data = json.loads(netwright("inspect", f"transformers:{tmp_path}", "--format", "json").stdout)
    assert data["kv_cache_bytes_per_token"] == 2 * 3 * 2 * 8 * 4
    assert [layer["name"] for layer in data["kv_cache"]["layers"]] == [f"model.layers.{n}.self_attn" for n in range(3)]


def test_bad_memory_options():
    assert "add --train" in netwright("inspect", "resnet18", "--savings", code=2).stderr
    assert "no unit" in netwright("inspect", "resnet18", "--fit", "24", code=2).stderr
    assert "can't be read" in netwright("inspect", "resnet18", "--fit", "", code=2).stderr
    run = netwright("inspect", "resnet18", "--train", "--savings", "--devices", "0", code=2)
    assert "0 devices" in run.stderr


def test_pictures(tmp_path):
    page, drawing, chart = (tmp_path / "new" / name for name in ("net.html", "net.svg", "net.md"))
    files = ("--html", str(page), "--svg", str(drawing), "--mermaid", str(chart))
    netwright("inspect", "resnet18", "--format", "quiet", "--depth", "1", *files)
    text = page.read_text("utf-8")
    assert text.startswith("<!doctype html>") and "<title>resnet18</title>" in text
    assert "https://" not in text
    assert ElementTree.parse(drawing).getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert "stroke-dasharray" not in drawing.read_text("utf-8")  # nothing is open at depth 1
    assert chart.read_text("utf-8").startswith("```mermaid\nflowchart TB\n")


def test_the_gate_ends_with_1():
    run = netwright("inspect", "resnet18", "--budget", "params=5M", "--format", "quiet", code=1)
    assert "over budget: params" in run.stderr


def test_bad_input_ends_with_2():
    assert "did you mean" in netwright("inspect", "resnet51", code=2).stderr


def test_an_onnx_file_on_the_command_line(graph):
    assert "read from the ONNX file" in netwright("inspect", str(graph)).stdout
    assert "is a graph" in netwright("inspect", str(graph), "--train", code=2).stderr
    netwright("inspect", str(graph), "--budget", "params=10", "--format", "quiet", code=1)
    data = json.loads(netwright("diff", str(graph), str(graph), "--format", "json").stdout)
    assert data["totals"][1] == {"name": "MACs", "unit": "count", "left": 64, "right": 64, "ratio": 1.0}
    assert data["identical"]


def test_growth_and_field_in_a_terminal():
    shown = netwright("inspect", "text_transformer:tiny", "--depth", "0", "--growth", "length", "--field").stdout
    assert "∝ size" in shown
    assert "Attention takes more MACs than all else from 768 tokens on" in shown
    assert "counted on fakes" in shown
    assert "Attention  2       full" in shown
    assert "sees 512 of 512 tokens" in shown


def test_growth_and_field_as_json_fit_the_schema():
    schema = json.loads(netwright("inspect", "--schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    command = ("inspect", "resnet18", "--input", "3,64,64", "--train", "--growth", "depth", "--field")
    data = json.loads(netwright(*command, "--format", "json").stdout)
    jsonschema.Draft202012Validator(schema).validate(data)
    assert [row["size"] for row in data["growth"]["rows"]] == [8, 16, 32]
    assert data["field"]["last"]["size"] == [435, 435]
    assert data["field"]["effective"]["size"] <= 64


def test_a_configuration_is_made_deeper(tmp_path):
    from tests.references import transformers

    sizes = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64, "vocab_size": 50}
    config = transformers().LlamaConfig(num_hidden_layers=2, architectures=["LlamaForCausalLM"], **sizes)
    config.save_pretrained(tmp_path)
    command = ("inspect", f"transformers:{tmp_path}", "--growth", "depth", "--field", "--format", "json")
    data = json.loads(netwright(*command).stdout)
    assert [row["size"] for row in data["growth"]["rows"]] == [2, 4, 8]
    assert [(row["layers"], row["words"]) for row in data["field"]["attention"]] == [(2, "causal, all before")]
    assert ", masks aside: covers the input" in data["field"]["sentence"]


def test_a_bad_axis_ends_with_2():
    assert "there is no axis 'height'" in netwright("inspect", "resnet18", "--growth", "height", code=2).stderr


def test_diff():
    shown = netwright("diff", "resnet50", "resnet101").stdout
    assert "~   stages.2.1..5  ×5 → ×22" in shown
    data = json.loads(netwright("diff", "resnet18", "resnet34", "--format", "json").stdout)
    totals = data["totals"][0]
    assert (totals["name"], totals["left"], totals["right"]) == ("parameters", 11_689_512, 21_797_672)
    assert totals["ratio"] == 21_797_672 / 11_689_512
    assert {row["change"] for row in data["rows"]} == {"same", "changed"}
    assert not data["identical"]
    run = netwright("diff", "resnet18", "resnet34", "--budget", "params=20M,macs=+10%", "--depth", "0", code=1)
    assert "over budget: params" in run.stderr and "over budget: macs" in run.stderr
    assert "stages" not in run.stdout
    same = netwright("diff", "resnet18", "resnet18", "--budget", "params=+0,macs=+0,memory=+0,size=+0").stdout
    assert "identical" in same


# Latency


def test_latency_of_a_device_in_the_table():
    arguments = ("resnet18", "--train", "--batch", "64", "--device", "h100", "--samples", "1.28M", "--epochs", "90")
    data = json.loads(netwright("inspect", *arguments, "--format", "json").stdout)
    hours = 20_000 * 90 * data["latency"]["value"] / 3.6e6
    assert data["training_hours"]["value"] == pytest.approx(hours)
    assert "H100" in data["latency"]["how"] and "20,000" not in data["training_hours"]["how"]
    shown = netwright("inspect", "resnet18", "--batch", "256", "--dtype", "fp16", "--device", "rtx4090").stdout
    assert "latency" in shown and "±" in shown


def test_a_limit_of_latency():
    run = netwright("inspect", "resnet18", "--device", "t4", "--budget", "latency=0.1ms", "--format", "quiet", code=1)
    assert "over budget: latency" in run.stderr and "ms of 0.1 allowed" in run.stderr
    netwright("inspect", "resnet18", "--device", "t4", "--budget", "latency=1min", "--format", "quiet", code=2)
    netwright("inspect", "resnet18", "--device", "t4", "--budget", "latency=60s", "--format", "quiet")
    assert "--device" in netwright("inspect", "resnet18", "--budget", "latency=5ms", code=2).stderr


def test_bad_latency():
    assert "h200" in netwright("inspect", "resnet18", "--device", "h20", code=2).stderr
    assert "--train" in netwright("inspect", "resnet18", "--device", "t4", "--samples", "1M", code=2).stderr
    with pytest.raises(InputError, match="0 threads"):
        nw.inspect("resnet18", device="here", threads=0)


def test_the_devices_are_listed():
    rows = json.loads(netwright("list", "devices", "--format", "json").stdout)
    assert {row["name"] for row in rows} >= {"h100", "t4", "orin-nano", "raspberry-pi-5"}


def test_calibrate(monkeypatch, tmp_path):
    """On networks that take no time; `netwright calibrate` itself takes a minute or two."""
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    monkeypatch.setattr(
        sys.modules["netwright.workbench.calibrate"], "NETWORKS", ("resnet20", "cct2_3x2", "textcnn:kim", "mlp512x2")
    )
    found = workbench.calibrate(threads=1)
    assert found.networks == 4 and found.threads == 1 and found.error is not None
    assert load(1) == found
    with pytest.raises(InputError, match="threads"):
        workbench.calibrate(threads=0)


@pytest.mark.slow
def test_calibrate_as_a_command(monkeypatch, tmp_path):
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path))
    assert "left out in turn" in netwright("calibrate", "--threads", "1").stdout
    assert list(tmp_path.iterdir())
