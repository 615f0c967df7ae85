"""Prove an ejected network against the original: in a fresh interpreter, without netwright."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from netwright.export import fresh
from netwright.export.errors import EjectError
from netwright.train.backbone import trained_before
from netwright.train.layout import layout_for
from netwright.train.optimizer import layer_pattern

SEED = 20_240_229
TIMEOUT = 600.0


def reference_of(factory: Callable[[], nn.Module], inputs: Mapping[str, Tensor]) -> dict[str, Any]:
    """What the original network is and does: its seeded start, and outputs and gradients on these inputs."""
    with torch.random.fork_rng(devices=[]):
        for noise in (0.1, 0.01, 0.0):  # some networks can't bear much
            torch.manual_seed(SEED)
            network = factory()
            state = {name: value.clone() for name, value in network.state_dict().items()}
            seen = fresh.observe(network, inputs, SEED, noise)
            if seen["trained"].isfinite().all() and seen["evaluated"].isfinite().all():
                break
    return {
        "seed": SEED,
        "noise": noise,
        "threads": torch.get_num_threads(),
        "held": trained_before(network),
        "layer_pattern": layer_pattern(network),
        "channels_last": layout_for(network, threads=2) == torch.channels_last,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "state": state,
        "inputs": dict(inputs),
        **seen,
    }


def run_fresh(folder: Path, reference: Mapping[str, Any] | None = None, predict: Sequence[str] = ()) -> str:
    """Compare `folder`'s model.py with the reference and run its predict.py; what that printed.

    EjectError names the first difference, or gives the end of the traceback.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = ""
        if reference is not None:
            path = str(Path(scratch) / "reference.pt")
            torch.save(dict(reference), path)
        command = [sys.executable, "-I", "-B", fresh.__file__, str(folder.resolve()), path, *predict]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=TIMEOUT, cwd=scratch)
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-6:])
        raise EjectError(f"the ejected files do not run by themselves:\n{tail}")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    if answer["problem"]:
        raise EjectError(f"the ejected network is not the original: {answer['problem']}")
    return answer["printed"]


def example_inputs(modality: str, contract: Mapping[str, Any], rows: int = 3) -> dict[str, Tensor]:
    """Random inputs of a modality, fit for what the constructor was given."""
    generator = torch.Generator().manual_seed(SEED)
    if modality in ("image", "vision", "segmentation", "detection", "pretraining"):
        side, name = int(contract.get("image_size", 64)), "images" if modality == "detection" else "x"
        return {name: torch.randn(rows, int(contract.get("in_channels", 3)), side, side, generator=generator)}
    if modality == "text":
        length = min(12, int(contract.get("max_length", 256)))
        tokens = torch.randint(1, int(contract["vocab_size"]), (rows, length), generator=generator)
        lengths = torch.tensor([length, max(1, length // 2), 1])[:rows, None]
        return {"tokens": tokens.masked_fill(torch.arange(length) >= lengths, 0)}
    sizes = contract.get("cardinalities", ())
    columns = [torch.randint(0, int(size), (rows,), generator=generator) for size in sizes]
    return {
        "x_num": torch.randn(rows, int(contract["num_features"]), generator=generator),
        "x_cat": torch.stack(columns, 1) if columns else torch.zeros(rows, 0, dtype=torch.int64),
    }
