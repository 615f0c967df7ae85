"""Images in arrays → a small network, and its source in a folder of its own.

python examples/images.py
"""

import subprocess
import sys

from sklearn.datasets import load_digits

import netwright as nw

digits = load_digits()  # 1,797 scans of 8 × 8 pixels
result = nw.design((digits.images, digits.target), params="20k", latency="5ms", steps=60, out="out/scans")
print(result)

# What each candidate cost, and how that is known.
for limit in result.verdict["budget"]:
    print(f"{limit['name']:12} {limit['used']:>12,.4g}  {limit['how']}")

# The folder works without netwright: predict.py needs PyTorch, NumPy and Pillow, and reaches the same score.
subprocess.run([sys.executable, "predict.py"], cwd=result.folder, check=True)
print((result.folder / "model.py").read_text(encoding="utf-8")[:600])
