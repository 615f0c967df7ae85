"""How long the picture's layout takes in JavaScript, fully open: `make bench`. Needs node; asked is below 100 ms."""

import json
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.references

from tests.references import torchvision

from netwright.inspect import inspect
from netwright.report import render_viewer
from netwright.report.viewer_tree import network

NETWORKS = ("resnet50", "swin_t", "googlenet", "densenet121")
TIMED = """
const { readTree, layout } = require(process.argv[1]);
const tree = readTree(JSON.parse(require("fs").readFileSync(0, "utf8")));
const open = new Set([0, ...tree.nodes.filter((node) => node.kids.length).map((node) => node.id)]);
const times = [0, 1, 2, 3, 4].map(() => {
  const began = performance.now();
  layout(tree, open);
  return performance.now() - began;
});
console.log(Math.min(...times));
"""


def main() -> None:
    node = shutil.which("node")
    if node is None:
        print("the picture's layout: not measured, node is not installed")
        return
    print(f"{'':12} {'page, KB':>9} {'layout, ms (best of 5)':>24}")
    for name in NETWORKS:
        with torch.device("meta"):
            module = torchvision().models.get_model(name, weights=None)
        blueprint = inspect(module, torch.empty(1, 3, 224, 224, device="meta")).to_json()
        page = len(render_viewer(blueprint).encode()) / 1000
        script = str(files("netwright.report").joinpath("viewer.js"))
        asked = json.dumps(network(blueprint))
        done = subprocess.run([node, "-e", TIMED, script], input=asked, capture_output=True, text=True, check=True)
        print(f"{name:12} {page:9.1f} {float(done.stdout):24.1f}", flush=True)


if __name__ == "__main__":
    main()
