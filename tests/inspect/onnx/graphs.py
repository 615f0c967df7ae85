"""Small ONNX models, written node by node."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, UINT8, INT8, INT32, INT64 = (getattr(TensorProto, n) for n in ("FLOAT", "UINT8", "INT8", "INT32", "INT64"))


def stored(name: str, *shape: int, kind: type = np.float32) -> TensorProto:
    """A weight: no two numbers alike, as far as the type has as many."""
    return numpy_helper.from_array(np.arange(np.prod(shape, dtype=int)).astype(kind).reshape(shape), name)


def whole(name: str, *numbers: int) -> TensorProto:
    return numpy_helper.from_array(np.array(numbers, dtype=np.int64), name)


def graph(nodes, inputs, outputs, constants=()):
    infos = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    results = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    return helper.make_graph(nodes, "g", infos, results, list(constants))


def written(folder: Path, *parts, opset: int = 21, functions=(), domains=("com.microsoft",)) -> Path:
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph(*parts), opset_imports=opsets, functions=list(functions))
    onnx.save(model, str(folder / "net.onnx"))
    return folder / "net.onnx"
