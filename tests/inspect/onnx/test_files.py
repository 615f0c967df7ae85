"""Files that are none, inputs that don't fit, sizes that a file leaves open, names that exporters give."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import netwright.inspect.onnx as room
from netwright.errors import InputError
from netwright.inspect import inspect_onnx
from netwright.inspect.onnx.scopes import scope_of
from tests.inspect.onnx.graphs import FLOAT, INT64, stored, written

MATMUL = [helper.make_node("MatMul", ["x", "w"], ["y"])]


@pytest.fixture
def fixed(tmp_path):
    return written(tmp_path, MATMUL, [("x", FLOAT, [2, 4])], ["y"], [stored("w", 4, 8)])


def test_bad_files(tmp_path, fixed):
    whole = fixed.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.onnx").write_text("no model at all")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "folder.onnx").mkdir()
    for name, words in {
        "cut": "is no ONNX model, or only a part",
        "text": "is no ONNX model",
        "empty": "no graph in it",
        "folder": "is a folder",
        "nowhere": "no such file",
    }.items():
        with pytest.raises(InputError, match=words) as error:
            inspect_onnx(tmp_path / f"{name}.onnx")
        assert error.value.where.endswith(f"{name}.onnx")


def test_a_graph_that_reads_what_nobody_makes(tmp_path):
    path = written(tmp_path, [helper.make_node("Relu", ["nothing"], ["y"])], [("x", FLOAT, [2, 4])], ["y"])
    with pytest.raises(InputError, match="Relu reads 'nothing'"):
        inspect_onnx(path)


@pytest.mark.parametrize("seed", range(20))
def test_damaged_bytes_never_crash(seed, fixed):
    """A file whose bytes were changed is read as another network, or refused."""
    generator = np.random.default_rng(seed)
    data = bytearray(fixed.read_bytes())
    for place in generator.integers(0, len(data), 6):
        data[place] = generator.integers(0, 256)
    fixed.write_bytes(data)
    try:
        inspect_onnx(fixed)
    except InputError as error:
        assert error.where


def test_without_the_package(fixed, monkeypatch):
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install netwright\[onnx\]"):
        inspect_onnx(fixed)


def test_inputs_that_do_not_fit(fixed):
    for inputs, words in (
        ([(2, 5)], "x of 2×5 does not fit"),
        ([(2, 4)] * 2, "2 inputs for 1"),
        ({"z": (2, 4)}, "z of"),
    ):
        with pytest.raises(InputError, match=words) as error:
            inspect_onnx(fixed, inputs)
        assert "the file takes x 2×4" in error.value.fix
    with pytest.raises(InputError, match="fixes x at 2"):
        inspect_onnx(fixed, batch=3)
    assert inspect_onnx(fixed, [(-1, 4)], batch=1).inputs == [[2, 4]]


def test_open_sizes_are_guessed_and_said(tmp_path):
    inputs = [
        ("ids", INT64, ["batch", "sequence_length"]),
        ("mask", INT64, ["batch", "past_sequence_length + sequence_length"]),
        ("past", FLOAT, ["batch", 4, "past_sequence_length", 8]),
    ]
    path = written(tmp_path, [helper.make_node("Cast", ["ids"], ["y"], to=TensorProto.FLOAT)], inputs, ["y"])
    found = inspect_onnx(path, batch=2)
    assert found.inputs == [[2, 128], [2, 128], [2, 4, 0, 8]]
    assert "sequence_length = 128" in found.notes[0]
    assert inspect_onnx(path, [(3, 7)]).inputs == [[3, 7], [3, 7], [3, 4, 0, 8]]
    image = written(tmp_path, [helper.make_node("Relu", ["x"], ["y"])], [("x", FLOAT, [None, 3, "h", "w"])], ["y"])
    assert inspect_onnx(image).inputs == [[1, 3, 224, 224]]
    with pytest.raises(InputError, match="does not fit"):
        inspect_onnx(path, {"ids": (3, 7), "mask": (4, 7)})


def test_without_scopes_every_node_is_a_row(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="MatMul_0"),
        helper.make_node("Relu", ["h"], ["r"], name="Relu_1"),
        helper.make_node("Add", ["r", "h"], ["y"]),
    ]
    found = inspect_onnx(written(tmp_path, nodes, [("x", FLOAT, [2, 4])], ["y"], [stored("w", 4, 4)]))
    assert [row.id for row in found.rows[1:]] == ["MatMul_0", "Relu_1", "Add"]
    assert [(edge.source, edge.target) for edge in found.edges] == [
        ("input:0", "MatMul_0"),
        ("MatMul_0", "Relu_1"),
        ("Relu_1", "Add"),
        ("MatMul_0", "Add"),
        ("Add", "output"),
    ]


def named(name: str = "", **metadata: str) -> onnx.NodeProto:
    node = helper.make_node("Conv", ["x", "layer1.0.conv1.weight"], ["y"], name=name)
    for key, value in metadata.items():
        entry = node.metadata_props.add()
        entry.key, entry.value = key.replace("__", "."), value
    return node


def test_scopes_of_each_exporter():
    torchscript = scope_of(named("/layer1/layer1.0/downsample/downsample.0/Conv"))
    assert torchscript.paths == ("layer1", "layer1.0", "layer1.0.downsample", "layer1.0.downsample.0")
    said = {
        "pkg__torch__onnx__name_scopes": "['', 'layer1', 'layer1.0', 'layer1.0.bn1', 'conv2d']",
        "pkg__torch__onnx__class_hierarchy": "['a.Net', 'nn.Sequential', 'a.Block', 'nn.BatchNorm2d', 'aten.conv2d']",
    }
    dynamo = scope_of(named(**said))
    # The norm was folded into the convolution, whose weight says where it is.
    assert dynamo.paths == ("layer1", "layer1.0", "layer1.0.conv1")
    assert (dynamo.root, dynamo.classes) == ("Net", ("Sequential", "Block", "Conv"))
    older = scope_of(named(namespace=": a.Net/layer1: nn.Sequential/layer1.0: a.Block/conv2d: aten.conv2d.default"))
    assert (older.paths, older.root) == (("layer1", "layer1.0"), "Net")
    assert scope_of(named("Conv_0")) is None
    assert scope_of(named(**{**said, "pkg__torch__onnx__name_scopes": "__import__('os')"})) is None
