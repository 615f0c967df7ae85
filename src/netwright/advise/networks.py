"""A Spec with the data's contract as a module, an example of its inputs, and what can be counted without
weights.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn

from netwright.design import Spec
from netwright.design.construct import make
from netwright.design.resolve import resolve_inputs
from netwright.inspect import count_macs, count_params

Contract = Mapping[str, Any]

KINDS = {torch.float32: "F32", torch.float64: "F64", torch.bfloat16: "BF16", torch.int64: "I64", torch.bool: "BOOL"}
"""safetensors' names of the kinds of numbers."""


@dataclass(frozen=True)
class Counts:
    """Counted on the meta device: no weights are made and nothing is computed."""

    params: int
    size_bytes: int
    macs: int


def network(spec: Spec, contract: Contract, device: str = "cpu") -> nn.Module:
    """The module of a Spec fed by data with this contract; on "meta" it has shapes but no weights."""
    with torch.device(device):
        return make(resolve_inputs(spec, contract))


def example(contract: Contract, batch: int = 1, device: str = "cpu", of: nn.Module | None = None) -> dict[str, Tensor]:
    """Inputs of the contract's shapes under the names of `forward`, values of no meaning.

    `of`: the network, where it may call its images otherwise than x, as detectors do.
    """
    if "vocab_size" in contract:
        length = int(contract.get("max_length", 256))
        return {"tokens": torch.ones(batch, length, dtype=torch.int64, device=device)}
    if "in_channels" in contract:
        side = int(contract.get("image_size", 224))
        name = "x" if of is None else next(iter(signature(of.forward).parameters))
        return {name: torch.zeros(batch, int(contract["in_channels"]), side, side, device=device)}
    columns = len(contract.get("cardinalities", ()))
    return {
        "x_num": torch.zeros(batch, int(contract["num_features"]), device=device),
        "x_cat": torch.zeros(batch, columns, dtype=torch.int64, device=device),
    }


def count(spec: Spec, contract: Contract) -> Counts:
    """Parameters, multiply-accumulates of one sample, and bytes of the weights file."""
    return Counts(*weights_of(spec, contract), macs_of(spec, contract))


def weights_of(spec: Spec, contract: Contract) -> tuple[int, int]:
    """Parameters, and bytes of the weights file."""
    return _weights(spec, json.dumps(contract))


def macs_of(spec: Spec, contract: Contract) -> int:
    """Multiply-accumulates of one sample."""
    return _macs(spec, json.dumps(contract))


def fixed(module: nn.Module) -> nn.Module:
    """A detector that stops before it chooses among boxes: what it computes depends on shapes alone, so that it can be
    counted and drawn. It shares the weights; other networks stay as they are.
    """
    raw = getattr(module, "raw", None)
    if raw is None:
        return module
    seen = copy.copy(module)
    seen.forward = raw
    return seen


@lru_cache(4096)
def _weights(spec: Spec, contract: str) -> tuple[int, int]:
    module = network(spec, json.loads(contract), "meta")
    return count_params(module), file_bytes(module)


@lru_cache(4096)
def _macs(spec: Spec, contract: str) -> int:
    given = json.loads(contract)
    module, device = network(spec, given, "meta").eval(), "meta"
    if any(isinstance(part, nn.RNNBase) for part in module.modules()):
        # Without a device an LSTM falls apart into its time steps; with one it is a single, faster operator.
        module, device = network(spec, given).eval(), "cpu"
    return count_macs(fixed(module), example(given, device=device, of=module))


def file_bytes(module: nn.Module) -> int:
    """Bytes of the module's state as a safetensors file: 8 for the length, a JSON header, the numbers.

    Widest numbers first, then by name; the header is padded to a multiple of 8. Format: huggingface/safetensors.
    """
    header: dict[str, Any] = {}
    end = 0
    state = module.state_dict()
    for name in sorted(state, key=lambda name: (-state[name].element_size(), name)):
        value = state[name]
        start, end = end, end + value.numel() * value.element_size()
        kind = KINDS[value.dtype]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [start, end]}
    text = len(json.dumps(header, separators=(",", ":")).encode())
    return 8 + (text + 7) // 8 * 8 + end
