"""MACs of each operator are its closed form; what has none, or no known shape, is listed as not counted."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from netwright.inspect import inspect_onnx
from tests.inspect.onnx.graphs import FLOAT, INT8, INT32, INT64, UINT8, graph, stored, whole, written

B, L, S, D, H, E = 2, 5, 7, 12, 4, 3  # batch, queries, keys, width, heads, width of one
ONE = numpy_helper.from_array(np.array(0.5, np.float32), "one")
ZEROS = [numpy_helper.from_array(np.zeros((), kind), n) for n, kind in (("zero", np.uint8), ("zero8", np.int8))]
WEIGHT8 = stored("w8", 6, 4, 3, 3, kind=np.int8)
MS = {"domain": "com.microsoft"}


def quantised(op: str, weight: str, *more: str, **attributes):
    names = ["x", "one", "zero", weight, "one", "zero8", "one", "zero", *more]
    return helper.make_node(op, names, ["y"], **attributes)


CASES = {
    "grouped convolution": (
        [helper.make_node("Conv", ["x", "w"], ["y"], group=2, pads=[1, 1, 1, 1], strides=[2, 2])],
        [("x", FLOAT, [B, 4, 9, 9])],
        [stored("w", 6, 2, 3, 3)],
        B * 6 * 5 * 5 * 2 * 9,
        6 * 2 * 9,
    ),
    "transposed convolution": (
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], group=2, strides=[2, 2])],
        [("x", FLOAT, [B, 4, 9, 9])],
        [stored("w", 4, 3, 2, 2)],
        B * 4 * 81 * 3 * 4,
        4 * 3 * 4,
    ),
    "gemm": (
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transA=1, transB=1)],
        [("x", FLOAT, [D, B])],
        [stored("w", 8, D), stored("b", 8)],
        B * D * 8,
        8 * D + 8,
    ),
    "broadcast matmul": (
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", FLOAT, [B, 1, L, D])],
        [stored("w", 3, D, 8)],
        B * 3 * L * D * 8,
        3 * D * 8,
    ),
    "matrix times vector": (
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        [("x", FLOAT, [B, L, D])],
        [stored("w", D)],
        B * L * D,
        D,
    ),
    "einsum": (
        [helper.make_node("Einsum", ["x", "w"], ["y"], equation="...ld, hde -> ...hle")],
        [("x", FLOAT, [B, L, D])],
        [stored("w", H, D, E)],
        B * H * L * D * E,
        H * D * E,
    ),
    "einsum of three": (
        [helper.make_node("Einsum", ["x", "w", "v"], ["y"], equation="bld,de,ef->blf")],
        [("x", FLOAT, [B, L, D])],
        [stored("w", D, 8), stored("v", 8, 6)],
        B * L * D * 8 + B * L * 8 * 6,
        D * 8 + 8 * 6,
    ),
    "lstm": (
        [helper.make_node("LSTM", ["x", "w", "r", "b", "", "h"], ["y"], hidden_size=D, direction="bidirectional")],
        [("x", FLOAT, [L, B, 8])],
        [stored("w", 2, 4 * D, 8), stored("r", 2, 4 * D, D), stored("b", 2, 8 * D), stored("h", 2, B, D)],
        L * B * 2 * 4 * D * (8 + D),
        2 * 4 * D * (8 + D + 2),
    ),
    "gru": (
        [helper.make_node("GRU", ["x", "w", "r"], ["y"], hidden_size=D)],
        [("x", FLOAT, [L, B, 8])],
        [stored("w", 1, 3 * D, 8), stored("r", 1, 3 * D, D)],
        L * B * 3 * D * (8 + D),
        3 * D * (8 + D),
    ),
    "quantised convolution": (
        [quantised("QLinearConv", "w8", "b", pads=[1, 1, 1, 1])],
        [("x", UINT8, [B, 4, 9, 9])],
        [WEIGHT8, ONE, *ZEROS, stored("b", 6, kind=np.int32)],
        B * 6 * 81 * 4 * 9,
        6 * 4 * 9 + 6,
    ),
    "quantised matmul": (
        [quantised("QLinearMatMul", "w")],
        [("x", UINT8, [B, L, D])],
        [stored("w", D, 8, kind=np.int8), ONE, *ZEROS],
        B * L * D * 8,
        D * 8,
    ),
    "integer convolution": (
        [helper.make_node("ConvInteger", ["x", "w8"], ["y"])],
        [("x", UINT8, [B, 4, 9, 9])],
        [WEIGHT8],
        B * 6 * 49 * 4 * 9,
        6 * 4 * 9,
    ),
    "integer matmul": (
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        [("x", UINT8, [B, L, D])],
        [stored("w", D, 8, kind=np.int8)],
        B * L * D * 8,
        D * 8,
    ),
    "a dequantised weight": (
        [
            helper.make_node("DequantizeLinear", ["w8", "s", "z"], ["w"], axis=0),
            helper.make_node("Conv", ["x", "w"], ["y"]),
        ],
        [("x", FLOAT, [B, 4, 9, 9])],
        [WEIGHT8, stored("s", 6), stored("z", 6, kind=np.int8)],
        B * 6 * 49 * 4 * 9,
        6 * 4 * 9,
    ),
    "four bits": (
        [helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], K=32, N=8, bits=4, block_size=16, **MS)],
        [("x", FLOAT, [B, L, 32])],
        [stored("w", 8, 2, 8, kind=np.uint8), stored("s", 16)],
        B * L * 32 * 8,
        32 * 8,
    ),
    "fused matmul": (
        [helper.make_node("FusedMatMul", ["x", "w"], ["y"], transB=1, **MS)],
        [("x", FLOAT, [B, L, D])],
        [stored("w", 8, D)],
        B * L * D * 8,
        D * 8,
    ),
    "projected attention": (
        [helper.make_node("Attention", ["x", "w", "b"], ["y"], num_heads=H, **MS)],
        [("x", FLOAT, [B, L, D])],
        [stored("w", D, 3 * D), stored("b", 3 * D)],
        B * L * D * 3 * D + B * L * L * 2 * D,
        3 * D * (D + 1),
    ),
    "multi-head attention": (
        [helper.make_node("MultiHeadAttention", ["x", "k", "k"], ["y"], num_heads=H, **MS)],
        [("x", FLOAT, [B, L, D]), ("k", FLOAT, [B, S, D])],
        [],
        B * L * S * 2 * D,
        0,
    ),
    "grouped-query attention": (
        [
            helper.make_node(
                "GroupQueryAttention",
                ["x", "k", "k", "past", "past"],
                ["y", "pk", "pv"],
                num_heads=H,
                kv_num_heads=2,
                **MS,
            )
        ],
        [("x", FLOAT, [B, L, H * E]), ("k", FLOAT, [B, L, 2 * E]), ("past", FLOAT, [B, 2, S, E])],
        [],
        B * H * L * (S + L) * 2 * E,
        0,
    ),
    "a real fourier transform": (
        [helper.make_node("DFT", ["x", "", "axis"], ["y"], onesided=1)],
        [("x", FLOAT, [B, 16, 1])],
        [whole("axis_of_one", 1), numpy_helper.from_array(np.array(1), "axis")],
        2.5 * B * 16 * 4 / 2,
        0,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_closed_forms(case, tmp_path):
    nodes, inputs, constants, macs, params = CASES[case]
    found = inspect_onnx(written(tmp_path, nodes, inputs, ["y"], constants))
    assert (found.macs, found.params, found.not_counted) == (macs, params, [])
    assert -1 not in found.outputs[0]


@pytest.mark.parametrize("flat", [False, True])
def test_attention_of_the_standard(flat, tmp_path):
    """With grouped heads and a past; heads apart, or in one axis."""
    q, kv = ([B, L, H * E], [B, S, 2 * E]) if flat else ([B, H, L, E], [B, 2, S, E])
    heads = {"q_num_heads": H, "kv_num_heads": 2} if flat else {}
    node = helper.make_node("Attention", ["q", "k", "k", "", "past", "past"], ["y", "pk", "pv"], **heads)
    inputs = [("q", FLOAT, q), ("k", FLOAT, kv), ("past", FLOAT, [B, 2, 6, E])]
    found = inspect_onnx(written(tmp_path, [node], inputs, ["y"], opset=23))
    assert (found.macs, found.outputs) == (B * H * L * (S + 6) * 2 * E, [q])


def test_packed_weights_take_their_real_bytes(tmp_path):
    """Four bits a number: in bytes of two, and in a type of their own."""
    nodes, inputs, constants, _, _ = CASES["four bits"]
    assert inspect_onnx(written(tmp_path, nodes, inputs, ["y"], constants)).weights_bytes == 32 * 8 // 2 + 4 * 16
    four = helper.make_tensor("w4", TensorProto.INT4, [D, 8], [1] * D * 8)
    nodes = [
        helper.make_node("DequantizeLinear", ["w4", "one"], ["w"]),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    found = inspect_onnx(written(tmp_path, nodes, [("x", FLOAT, [B, D])], ["y"], [four, ONE]))
    assert (found.params, found.weights_bytes) == (D * 8, D * 8 // 2 + 4)


def test_what_is_not_counted(tmp_path):
    nodes = [
        helper.make_node("Det", ["x"], ["d"]),
        helper.make_node("Mystery", ["x"], ["m"], domain="com.example"),
        helper.make_node("NonZero", ["x"], ["n"]),
        helper.make_node("Cast", ["n"], ["f"], to=FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["y"]),  # as many columns as there are numbers above zero
    ]
    path = written(tmp_path, nodes, [("x", FLOAT, [B, 3, 3])], ["y"], [stored("w", 4, 5)], domains=("com.example",))
    found = inspect_onnx(path)
    assert [(miss["op"], miss["calls"]) for miss in found.not_counted] == [
        ("Det", 1),
        ("com.example::Mystery", 1),
        ("MatMul", 1),
    ]
    assert found.macs == 0


# Arithmetic on shapes, control flow, functions


def test_shapes_are_worked_out(tmp_path):
    """(B, L, D) → (B·L, D) by the sizes that the graph itself reads."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "first"], ["b"]),
        helper.make_node("Gather", ["s", "second"], ["l"]),
        helper.make_node("Mul", ["b", "l"], ["n"]),
        helper.make_node("Mod", ["n", "many"], ["same"]),
        helper.make_node("Concat", ["same", "d"], ["new"], axis=0),
        helper.make_node("Reshape", ["x", "new"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w"], ["y"]),
    ]
    constants = [whole("first", 0), whole("second", 1), whole("many", 1000), whole("d", D), stored("w", D, 8)]
    found = inspect_onnx(written(tmp_path, nodes, [("x", FLOAT, ["n", "m", D])], ["y"], constants), [(B, L, D)])
    assert (found.macs, found.outputs, found.params) == (B * L * D * 8, [[B * L, 8]], D * 8)
    assert [row.cls for row in found.rows[1:]] == ["Reshape", "Gemm"]


def product(width: int, name: str):
    return graph([helper.make_node("MatMul", ["x", name], [f"{name}_y"])], [], [f"{name}_y"], [stored(name, D, width)])


def test_the_costlier_branch(tmp_path):
    node = helper.make_node("If", ["c"], ["y"], then_branch=product(4, "small"), else_branch=product(8, "large"))
    inputs = [("c", TensorProto.BOOL, []), ("x", FLOAT, [B, D])]
    found = inspect_onnx(written(tmp_path, [node], inputs, ["y"]))
    assert (found.macs, found.outputs) == (B * D * 8, [[B, 8]])
    assert "costlier" in found.notes[0]
    true = numpy_helper.from_array(np.array(True), "c")
    found = inspect_onnx(written(tmp_path, [node], inputs[1:], ["y"], [true]))
    assert (found.macs, found.outputs) == (B * D * 4, [[B, 4]])


def loop(turns):
    nodes = [helper.make_node("MatMul", ["h", "w"], ["next"]), helper.make_node("Identity", ["go"], ["on"])]
    body = graph(
        [*nodes, helper.make_node("Identity", ["next"], ["each"])],
        [("i", INT64, []), ("go", TensorProto.BOOL, []), ("h", FLOAT, [B, D])],
        ["on", "next", "each"],
    )
    body.output[0].type.tensor_type.elem_type = TensorProto.BOOL
    return [helper.make_node("Loop", [turns, "", "x"], ["y", "all"], body=body)], [("x", FLOAT, [B, D])]


def test_a_loop_counts_its_turns(tmp_path):
    nodes, inputs = loop("turns")
    turns = numpy_helper.from_array(np.array(6), "turns")
    found = inspect_onnx(written(tmp_path, nodes, inputs, ["y", "all"], [turns, stored("w", D, D)]))
    assert (found.macs, found.params) == (6 * B * D * D, D * D)
    assert found.outputs == [[B, D], [6, B, D]]
    given = [*inputs, ("turns", INT64, [])]
    found = inspect_onnx(written(tmp_path, nodes, given, ["y", "all"], [stored("w", D, D)]))
    assert found.macs == B * D * D
    assert "one turn" in found.notes[0]


def test_a_scan_counts_its_length(tmp_path):
    body = graph(
        [
            helper.make_node("Add", ["h", "slice"], ["sum"]),
            helper.make_node("MatMul", ["sum", "w"], ["next"]),
            helper.make_node("Identity", ["next"], ["each"]),
        ],
        [("h", FLOAT, [B, D]), ("slice", FLOAT, [B, D])],
        ["next", "each"],
    )
    node = helper.make_node("Scan", ["x", "seq"], ["y", "all"], body=body, num_scan_inputs=1)
    inputs = [("x", FLOAT, [B, D]), ("seq", FLOAT, [L, B, D])]
    found = inspect_onnx(written(tmp_path, [node], inputs, ["y", "all"], [stored("w", D, D)]))
    assert (found.macs, found.outputs) == (L * B * D * D, [[B, D], [L, B, D]])


def test_functions_are_taken_apart(tmp_path):
    nodes = [helper.make_node("MatMul", ["a", "b"], ["m"]), helper.make_node("Relu", ["m"], ["r"])]
    function = helper.make_function("own", "Layer", ["a", "b"], ["r"], nodes, [helper.make_opsetid("", 21)])
    calls = [
        helper.make_node("Layer", ["x", "w"], ["h"], domain="own"),
        helper.make_node("Layer", ["h", "v"], ["y"], domain="own"),
    ]
    constants = [stored("w", D, 8), stored("v", 8, 4)]
    parts = (calls, [("x", FLOAT, [B, D])], ["y"], constants)
    found = inspect_onnx(written(tmp_path, *parts, functions=[function], domains=("own",)))
    assert (found.macs, found.params) == (B * (D * 8 + 8 * 4), D * 8 + 8 * 4)


# What is a parameter


def test_what_is_no_parameter(tmp_path):
    """Running statistics, sizes, scales, limits, masks, single numbers of the exporter's."""
    mask = numpy_helper.from_array(np.triu(np.full((L, L), -np.inf, np.float32), 1), "val_1")
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "val_2")
    constants = [stored(name, 4) for name in ("gain", "shift", "mean", "var")]
    nodes = [
        helper.make_node("BatchNormalization", ["x", "gain", "shift", "mean", "var"], ["a"]),
        helper.make_node("Resize", ["a", "", "val_2"], ["b"]),
        helper.make_node("Mul", ["b", "val_3"], ["c"]),
        helper.make_node("Mul", ["c", "blocks.0.alpha"], ["d"]),
        helper.make_node("Add", ["d", "val_1"], ["e"]),
        helper.make_node("Reshape", ["e", "sizes"], ["y"]),
    ]
    constants += [mask, scales, stored("val_3", 1), stored("blocks.0.alpha", 1), whole("sizes", 1, -1)]
    x = [("x", FLOAT, [1, 4, L, L])]
    nodes[1] = helper.make_node("Resize", ["a", "", "val_2"], ["b"], mode="nearest")
    nodes[4] = helper.make_node("Add", ["m", "val_1"], ["e"])
    nodes.insert(4, helper.make_node("Slice", ["d", "from", "to", "axes"], ["m"]))
    constants += [whole("from", 0, 0), whole("to", L, L), whole("axes", 2, 3)]
    found = inspect_onnx(written(tmp_path, nodes, x, ["y"], constants))
    assert found.params == 4 + 4 + 1
    assert found.outputs == [[1, 4 * L * L]]


def test_a_shared_weight_counts_once_and_at_its_first_reader(tmp_path):
    nodes = [
        helper.make_node("Identity", ["w"], ["again"]),
        helper.make_node("MatMul", ["x", "w"], ["h"], name="first"),
        helper.make_node("MatMul", ["h", "again"], ["y"], name="second"),
    ]
    found = inspect_onnx(written(tmp_path, nodes, [("x", FLOAT, [B, D])], ["y"], [stored("w", D, D)]))
    assert (found.params, found.tied) == (D * D, [["w", "again"]])
    assert {row.path: row.own_params for row in found.rows if row.own_params} == {"first": D * D}


def test_types_take_their_bytes(tmp_path):
    for kind, size in ((TensorProto.FLOAT16, 2), (TensorProto.DOUBLE, 8), (INT8, 1), (INT32, 4)):
        x = helper.make_node("Neg", ["x"], ["y"])
        assert inspect_onnx(written(tmp_path, [x], [("x", kind, [L, D])], ["y"])).activation_bytes == size * L * D
