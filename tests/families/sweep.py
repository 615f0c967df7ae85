"""What each architecture of the registry was seen to do, one row each.

    python -m tests.families.sweep [PRESET …]       # writes docs/reference/architectures.json

With names, only their rows are made anew.
"""

import json
import sys
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from netwright.design import Spec, build, registry
from netwright.design.resolve import as_argument, resolve
from netwright.export import eject_model
from tests.families.oracles import ORACLES, Oracle
from tests.parity import Keys, assert_same, copy_by_map, copy_by_order, count, randomise

RECORD = Path(__file__).parents[2] / "docs" / "reference" / "architectures.json"
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Row:
    """One preset. The differences are relative, the worse of eval and train; the rest is what was tried."""

    preset: str
    family: str
    params: int
    source: str
    reference: str
    outputs: float
    gradients: float
    gradients_in: str
    sizes: list[str]
    channels: list[int]
    tried: list[str]


def examine(name: str) -> Row:
    """Everything that an architecture promises, checked on this preset; AssertionError where it breaks one."""
    family, preset = registry().presets[name]
    published, oracle = family.presets[preset], ORACLES[name]
    with torch.device("meta"):
        params = count(build(name, **published.get("inputs", {})))
    assert params == published["params"], f"{name}: {params} parameters, published {published['params']}"
    outputs, gradients = _compare(name, oracle)
    sizes = _odd_sizes(name, oracle)
    channels = _other_channels(name, oracle)
    tried = [_bf16(name, oracle), _meta(name, oracle), *_compiled(name, oracle), _ejected(name, oracle)]
    precision = "fp64" if oracle.exact else "fp32"
    found = outputs, gradients, precision, sizes, channels, tried
    return Row(name, family.name, params, published["source"], oracle.name, *found)


def ours(name: str, oracle: Oracle, **args: Any) -> nn.Module:
    family, preset = registry().presets[name]
    given = {**family.presets[preset].get("inputs", {}), **oracle.args, **args}
    network = build(name, **given)
    if oracle.wrap is not None:
        return oracle.wrap(network)
    return Raw(network) if hasattr(network, "raw") else network


class Raw(nn.Module):
    """A detector's raw outputs side by side, (B, everything)."""

    def __init__(self, detector: nn.Module):
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([y.flatten(1) for y in self.detector.raw(x)], 1)


def images(oracle: Oracle, batch: int = 2, size: tuple[int, int] | None = None, channels: int | None = None) -> Tensor:
    shape = (batch, channels or oracle.channels, *(size or oracle.size))
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def pair(name: str, oracle: Oracle) -> tuple[nn.Module, nn.Module, dict[str, Keys]]:
    """Ours and theirs with the same random weights."""
    theirs, module = randomise(oracle.make()), ours(name, oracle)
    if oracle.mapping is None:
        return module, theirs, copy_by_order(module, theirs, images(oracle))
    return module, theirs, copy_by_map(module, theirs, oracle.mapping(module, theirs))


def _compare(name: str, oracle: Oracle) -> tuple[float, float]:
    """The worst relative difference of outputs, and of gradients, over eval and train.

    Where the gradients are compared in double precision, fp32 is held to the outputs in eval mode.
    """
    module, theirs, mapping = pair(name, oracle)
    x = images(oracle)
    output = 0.0
    if oracle.exact:
        with torch.no_grad():
            expected = theirs.eval()(x)
            output = float((module.eval()(x) - expected).abs().max() / expected.abs().max())
        assert output <= TOLERANCE, (name, output)
        module, theirs, x = module.double(), theirs.double(), x.double()
    worst = [assert_same(module, theirs, x, mapping, train=train, tolerance=TOLERANCE) for train in (False, True)]
    return max(output, *(w["output"] for w in worst)), max(w["gradient"] for w in worst)


def _odd_sizes(name: str, oracle: Oracle) -> list[str]:
    """Images of odd sides, and gradients for every parameter."""
    height, width = (side + 1 - side % 2 for side in oracle.size)
    sizes = [(height, width + 6), (height + 10, width)]
    if oracle.fixed:
        sizes = [(height, height)]
    for size in sizes:
        module = ours(name, oracle, **({"image_size": size[0]} if oracle.fixed else {})).train()
        y = module(images(oracle, size=size))
        assert y.isfinite().all(), (name, size)
        y.square().mean().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters()), (name, size)
    return [f"{height}×{width}" for height, width in sizes]


def _other_channels(name: str, oracle: Oracle) -> list[int]:
    channels = [n for n in (1, 3, 5) if n != oracle.channels]
    for n in channels:
        y = ours(name, oracle, in_channels=n).eval()(images(oracle, 1, channels=n))
        assert y.isfinite().all(), (name, n)
    return channels


def _bf16(name: str, oracle: Oracle) -> str:
    module, x = randomise(ours(name, oracle)).eval(), images(oracle)
    with torch.no_grad():
        y = module.to(torch.bfloat16)(x.to(torch.bfloat16))
    assert y.dtype == torch.bfloat16 and y.isfinite().all(), name
    return "bf16"


def _meta(name: str, oracle: Oracle) -> str:
    with torch.device("meta"):
        module = ours(name, oracle)
        assert module(images(oracle).to("meta")).is_meta
    assert all(t.is_meta for t in (*module.parameters(), *module.buffers())), name
    return "meta"


def _compiled(name: str, oracle: Oracle) -> list[str]:
    """torch.compile without a graph break, and torch.export with a batch of any size."""
    module = randomise(ours(name, oracle)).eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = images(oracle)
        scale = float(module(x).abs().max())
        whole = torch.compile(module, backend="eager", fullgraph=True)
        torch.testing.assert_close(whole(x), module(x), rtol=1e-4, atol=1e-5 * scale)
        torch.compiler.reset()
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.export.export(module, (x,), dynamic_shapes=({0: batch},)).module()
        more = images(oracle, 3)
        torch.testing.assert_close(program(more), module(more), rtol=1e-4, atol=1e-5 * scale)
    return ["compile", "export"]


def _ejected(name: str, oracle: Oracle) -> str:
    """Source that needs torch alone, in a fresh interpreter: the same start, outputs and gradients."""
    family, preset = registry().presets[name]
    given = {**family.presets[preset].get("inputs", {}), **oracle.args}
    resolved = resolve(Spec(name, given))
    args = {key: as_argument(value) for key, value in resolved.args.items()}
    eject_model(family.cls, args, inputs={"images" if family.modality == "detection" else "x": images(oracle)})
    return "eject"


def read() -> dict[str, dict[str, Any]]:
    """The recorded rows, by preset."""
    return {row["preset"]: row for row in json.loads(RECORD.read_text(encoding="utf-8"))} if RECORD.exists() else {}


def main(names: list[str]) -> int:
    """Examine these presets, or all that have an oracle; how many failed."""
    rows, failed = read(), 0
    for name in names or ORACLES:
        try:
            row = examine(name)
        except Exception as error:  # one that fails must not lose the others
            print(f"{name:32} {type(error).__name__}: {error}", flush=True)
            failed += 1
            continue
        rows[name] = asdict(row)
        print(f"{name:32} outputs {row.outputs:.1e}, gradients {row.gradients:.1e}", flush=True)
        kept = [rows[n] for n in registry().presets if n in rows and n in ORACLES]
        RECORD.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
