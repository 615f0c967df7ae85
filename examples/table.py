"""A table in a file → a network under a limit, its verdict, and predictions for new rows.

python examples/table.py
"""

import pandas as pd
from sklearn.datasets import load_breast_cancer

import netwright as nw

# scikit-learn's breast_cancer as a CSV, as you may have one: 30 measured columns, and what the tumour was.
data = load_breast_cancer(as_frame=True)
table = data.frame.assign(target=data.target_names[data.target])
table.to_csv("tumours.csv", index=False)

# `steps` instead of `time`: the same result every time, and soon. For a real answer give it minutes.
result = nw.design("tumours.csv", target="target", params="50k", steps=60, out="out/tumours")
print(result)

verdict = result.verdict
print("network  ", verdict["network"]["score"], verdict["network"]["interval"])
for name, baseline in verdict["baselines"].items():
    print(f"{name:9}", baseline["score"], baseline["interval"])

new = pd.read_csv("tumours.csv", nrows=3).drop(columns="target")
print(result.predict(new))
