"""Texts → which library does a function's description come from?

python examples/texts.py
"""

import inspect
from collections.abc import Iterator

import numpy
import pandas
import torch

import netwright as nw

SPACES = {
    "numpy": (numpy, numpy.ndarray, numpy.linalg, numpy.random),
    "pandas": (pandas, pandas.DataFrame, pandas.Series, pandas.Index),
    "torch": (torch.nn, torch.nn.functional, torch.linalg),
}


def descriptions(places: tuple) -> Iterator[str]:
    """The first paragraph that says something, of everything that can be called there."""
    for place in places:
        for thing in vars(place).values():
            text = inspect.getdoc(thing) if callable(thing) else None
            if text:
                yield " ".join(max(text.split("\n\n")[:2], key=len).split())


rows = {text: library for library, places in SPACES.items() for text in descriptions(places)}
functions = pandas.DataFrame({"description": rows.keys(), "library": rows.values()})
print(functions.library.value_counts().to_dict())

result = nw.design(functions, text="description", target="library", params="100k", steps=60, out="out/functions")
print(result)
print(result.predict(["Applies a linear transformation to the incoming data.", "Return the mean of each column."]))
