"""The picture of ten networks: how large its page is, and how long its layout takes fully open, in JavaScript and in
Python: `make bench`. Asked of the page are 150 KB and 100 ms. The JavaScript part needs node.
"""

import json
import shutil
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.picture

from tests.picture.networks import NETWORKS, blueprint

from netwright.picture import page, tree
from netwright.picture.layout import layout
from netwright.picture.nodes import read_tree

SCRIPTS = ("nodes.js", "layout.js")
TIMED = """
const tree = readTree(JSON.parse(require("fs").readFileSync(0, "utf8")));
const open = new Set([0, ...tree.nodes.filter((node) => node.kids.length).map((node) => node.id)]);
const times = [0, 1, 2, 3, 4].map(() => {
  const began = performance.now();
  layout(tree, open);
  return performance.now() - began;
});
console.log(JSON.stringify([times[0], Math.min(...times)]));
"""


def main() -> None:
    node = shutil.which("node")
    script = "".join(files("netwright.picture").joinpath(name).read_text("utf-8") for name in SCRIPTS) + TIMED
    print(f"{'':12} {'page, KB':>9} {'nodes':>6}   layout, ms: {'first':>7} {'best of 5':>10} {'in Python':>10}")
    for name in NETWORKS:
        source = blueprint(name)
        size, data = len(page(source).encode()) / 1000, tree(source)
        nodes = read_tree(data)
        began = time.perf_counter()
        layout(nodes, {0, *(one.id for one in nodes.all if one.kids)})
        python = 1000 * (time.perf_counter() - began)
        first, best = "–", "–"
        if node:
            asked = json.dumps(data)
            done = subprocess.run([node, "-e", script], input=asked, capture_output=True, text=True, check=True)
            first, best = (f"{value:.1f}" for value in json.loads(done.stdout))
        print(f"{name:12} {size:9.1f} {len(nodes.all):6} {'':14} {first:>7} {best:>10} {python:10.1f}", flush=True)


if __name__ == "__main__":
    main()
