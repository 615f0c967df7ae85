"""What `netwright design` reaches in a given time, beside the best baseline: `make bench`.

    python benchmarks/scores.py [--time 2min] [--seeds 0 1 2] [--only digits mnist …]

Every run is a run of the command line in a process of its own. The ejected folder is then run alone, with
netwright out of reach, on the test part that it was handed over with, and must give the same metric to 1e-6.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import datasets

# name: (source, options, metric, what is asked of the mean over the seeds)
SETS = {
    "digits": ("digits", [], "accuracy", "≥ 0.990"),
    "mnist": (datasets.mnist, [], "accuracy", "≥ 0.975"),
    "breast_cancer": ("breast_cancer", [], "auc", "≥ 0.99"),
    "diabetes": ("diabetes", [], "rmse", "≤ ridge + 2 %, or ridge recommended"),
    "diamonds": (datasets.diamonds, ["--target", "price", "--test-fraction", "0.25"], "rmse", "≤ 545"),
    "reuters": (
        datasets.reuters,
        ["--text", "Text", "--target", "Category"],
        "accuracy",
        "≥ TF-IDF, or that recommended",
    ),
}

ALONE = """
import runpy, sys
class Wall:
    def find_spec(self, name, path=None, target=None):
        allowed = {allowed!r}
        if name.split(".")[0] in ("netwright", "sklearn", "safetensors", "scipy", "ruamel", "rich", "typer") or (
            name in ("pandas", "PIL") and name not in allowed
        ):
            raise ImportError(name + " is out of reach")
sys.meta_path.insert(0, Wall())
sys.argv = ["predict.py", *{arguments!r}]
runpy.run_path("predict.py", run_name="__main__")
"""


def run(name: str, limit: str, seed: int, folder: Path) -> dict:
    """One design by the command line, and its ejected folder alone."""
    source, options, _, _ = SETS[name]
    source = source() if callable(source) else source
    if isinstance(source, tuple):
        source, test = source
        options = [*options, "--test", str(test)]
    out = folder / f"{name}-{seed}"
    command = [sys.executable, "-m", "netwright", "design", str(source), *options]
    command += ["--time", limit, "--seed", str(seed), "--out", str(out), "--format", "quiet"]
    began = time.monotonic()
    subprocess.run(command, check=True)
    seconds = time.monotonic() - began
    verdict = json.loads((out / "report.json").read_text())["verdict"]
    best = verdict["best_baseline"]
    alone = predict_alone(out)
    return {
        "score": verdict["network"]["score"],
        "baseline": verdict["baselines"][best]["score"],
        "best": best,
        "outcome": verdict["outcome"],
        "recommendation": verdict["recommendation"],
        "seconds": seconds,
        "alone": abs(alone - verdict["network"]["score"]) / max(1.0, abs(alone)),
    }


def predict_alone(out: Path) -> float:
    """The metric that the ejected folder prints for its own test part."""
    requirements = (out / "requirements.txt").read_text()
    allowed = [module for module, name in (("pandas", "pandas"), ("PIL", "pillow")) if name in requirements]
    code = ALONE.format(allowed=allowed, arguments=["--out", os.devnull])
    done = subprocess.run([sys.executable, "-c", code], cwd=out, check=True, capture_output=True, text=True)
    return float(re.search(r"^\S+ (\S+) on \d+ rows", done.stdout + done.stderr, re.M).group(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--time", default="2min")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    line = "{:14} {:9} {:>10} {:>8}   {:>10} {:24} {:22} {:>7} {:>9}  {}"
    print(
        line.format(
            "data",
            "metric",
            "network",
            "spread",
            "baseline",
            "best baseline",
            "outcomes",
            "wall s",
            "alone",
            "asked",
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            runs = [run(name, arguments.time, seed, Path(folder)) for seed in arguments.seeds]
            scores = [r["score"] for r in runs]
            print(
                line.format(
                    name,
                    SETS[name][2],
                    f"{statistics.mean(scores):.5g}",
                    f"{max(scores) - min(scores):.3g}",
                    f"{statistics.mean(r['baseline'] for r in runs):.5g}",
                    "/".join(sorted({r["best"] for r in runs})),
                    " ".join(f"{r['outcome']}→{r['recommendation']}" for r in runs),
                    f"{statistics.mean(r['seconds'] for r in runs):.0f}",
                    f"{max(r['alone'] for r in runs):.0e}",
                    SETS[name][3],
                ),
                flush=True,
            )
            print("  scores " + " ".join(f"{score:.5g}" for score in scores), flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"largest process: {peak:.2f} GiB")


if __name__ == "__main__":
    main()
