"""A training killed at 20 random points and resumed ends with the same weights, bit for bit: `make bench`.

    python benchmarks/resume.py [--kills 20] [--seed 0]

Every session is a process of its own of `netwright train`; half of the kills are SIGKILL, which leaves no time to
say goodbye, half SIGTERM. The reference is one session that is never killed.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from netwright.design import Data, Design, Recipe, Spec, Task

RECIPE = Recipe(
    lr=3e-3,
    weight_decay=0.05,
    batch_size=64,
    steps=9000,
    label_smoothing=0.1,
    ema_decay=0.99,
    augment=[{"affine": {"degrees": 8.0}}],
)
DESIGN = Design(
    name="digits",
    task=Task(kind="multiclass", target="target", metric="accuracy"),
    data=Data(source="digits", modality="image"),
    inputs={"in_channels": 1, "image_size": 8, "num_classes": 10},
    model=Spec("resnet", {"dim": 16, "depths": [1, 1], "stem": "smallstem", "block": "basicblock", "dropout": 0.1}),
    recipe=RECIPE,
)


def session(folder: Path, out: str, resume: bool) -> subprocess.Popen:
    command = [sys.executable, "-m", "netwright", "train", "design.yaml", "--threads", "1", "--format", "quiet"]
    command += ["--out", out] + (["--resume"] if resume else [])
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_until(condition, process: subprocess.Popen, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        DESIGN.save(folder / "design.yaml")
        whole = session(folder, "whole", resume=False)
        checkpoint = folder / "killed.run" / "checkpoints" / "digits.seed0.pt"
        kills: list[str] = []
        finished = False
        while not finished:
            running = session(folder, "killed", resume=(folder / "killed.run").exists())
            if len(kills) < arguments.kills:
                before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
                # From the first checkpoint of this session on, so that every session gets somewhere.
                changed = lambda before=before: checkpoint.exists() and checkpoint.stat().st_mtime_ns != before  # noqa: E731
                hard = len(kills) % 2 == 0
                if hard:
                    wait_until(changed, running)
                else:
                    wait_until(lambda: False, running, 6.0)
                time.sleep(draw.uniform(0.0, 3.0))
                if running.poll() is None:
                    running.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
                    kills.append("KILL" if hard else "TERM")
            _, errors = running.communicate()
            if running.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM):
                sys.exit(f"a session ended with {running.returncode}:\n{errors}")
            finished = running.returncode == 0
        if whole.wait() != 0:
            sys.exit(f"the reference failed:\n{whole.communicate()[1]}")
        a, b = (load_file(folder / out / "weights.safetensors") for out in ("whole", "killed"))
        same = a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)
        print(f"{len(kills)} kills ({kills.count('KILL')} SIGKILL, {kills.count('TERM')} SIGTERM): "
              f"{len(a)} tensors {'equal bit for bit' if same else 'DIFFER'}")  # fmt: skip
        sys.exit(0 if same and len(kills) == arguments.kills else 1)


if __name__ == "__main__":
    main()
