"""The small parts: metrics in a few lines, templates, edits of source, imports."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from netwright.export.dead import Attribute, Local, Writes, remove
from netwright.export.layout import compose, import_block
from netwright.export.rewrite import Rewriter, drop_statements
from netwright.export.symbols import Symbol, Symbols
from netwright.export.template import render
from netwright.export.templates import average_precision, metrics
from netwright.tasks import METRICS

NAMES = ["accuracy", "balanced_accuracy", "f1_macro", "auc_binary", "auc_multiclass", "log_loss"]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(6, 60),
    classes=st.integers(2, 5),
    rounded=st.booleans(),
    name=st.sampled_from(NAMES),
)
def test_metrics_of_classes(seed: int, rows: int, classes: int, rounded: bool, name: str) -> None:
    """As scikit-learn and our own have them, ties and absent classes included."""
    random = np.random.default_rng(seed)
    classes = 2 if name == "auc_binary" else max(classes, 3) if name == "auc_multiclass" else classes
    truth = np.concatenate([random.permutation(classes)[:2], random.integers(0, classes, rows - 2)])
    scores = random.dirichlet(np.ones(classes), rows)
    if rounded:
        scores = np.round(scores, 1) + 1e-3
        scores /= scores.sum(1, keepdims=True)
    found = getattr(metrics, name)(truth, scores)
    ours = METRICS[name.partition("_")[0] if name.startswith("auc") else name]
    assert found == pytest.approx(ours(truth, scores), abs=1e-12)
    predicted = scores.argmax(1)
    theirs = {
        "accuracy": lambda: sk.accuracy_score(truth, predicted),
        "balanced_accuracy": lambda: np.mean([np.mean(predicted[truth == c] == c) for c in np.unique(truth)]),
        "f1_macro": lambda: sk.f1_score(truth, predicted, average="macro"),
        "auc_binary": lambda: sk.roc_auc_score(truth, scores[:, 1]),
        "auc_multiclass": lambda: np.mean([sk.roc_auc_score(truth == c, scores[:, c]) for c in np.unique(truth)]),
        "log_loss": lambda: sk.log_loss(truth, scores, labels=range(classes)),
    }
    assert found == pytest.approx(theirs[name](), abs=1e-9)


@pytest.mark.parametrize(("name", "theirs"), [("rmse", "root_mean_squared_error"), ("mae", "mean_absolute_error")])
def test_metrics_of_numbers(name: str, theirs: str) -> None:
    random = np.random.default_rng(0)
    truth, predicted = random.normal(50, 3, 40), random.normal(50, 3, 40)
    assert getattr(metrics, name)(truth, predicted) == pytest.approx(getattr(sk, theirs)(truth, predicted))
    assert metrics.r2(truth, predicted) == pytest.approx(sk.r2_score(truth, predicted))


def test_every_metric_is_there() -> None:
    for name in METRICS:
        assert hasattr(metrics, name) or hasattr(average_precision, name) or name == "auc"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("a", "first\nA one\n    x = 1\n    y = 2\nend\n"), ("b", "first\nB\nend\n"), ("c", "first\nend\n")],
)
def test_template(kind: str, wanted: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    text = """first
#: if kind == "a"
A {{word}}
    {{lines}}
    #: if not word
never {{nothing}}
    #: end
#: elif kind == "b"
B
    #: if kind == "a"
never
    #: else
    {{empty}}
    #: end
#: elif nothing
never
#: else
    #: if nothing
never
    #: end
#: end
end
"""
    (tmp_path / "t.in").write_text(text)
    monkeypatch.setattr("netwright.export.template.files", lambda package: tmp_path)
    values = {"kind": kind, "word": "one", "lines": "x = 1\ny = 2", "empty": "", "nothing": False}
    assert render("t.in", values) == wanted


def test_template_that_is_not_ended(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "t.in").write_text("#: if True\n")
    monkeypatch.setattr("netwright.export.template.files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=r"t.in: an `if` is not ended"):
        render("t.in", {})


def test_rewriter_keeps_all_the_rest() -> None:
    source = '''@keep  # ∑
def f(a,  b="⌈", *c, d: "é" = 1, **e):
    """Doc ⊙."""
    x = [ old(y)  for y in c ]  # γ old
    return f"{x} ∑", (old), {**e, 'k': old}
'''

    class Rename(Rewriter):
        def rewrite_Name(self, node: ast.Name) -> str | None:
            return "brand_new" if node.id == "old" else None

    assert Rewriter(source).result() == source
    assert Rename(source).result() == source.replace("old(y)", "brand_new(y)").replace("(old)", "(brand_new)").replace(
        "'k': old", "'k': brand_new"
    )


def test_statements_go_with_their_comments() -> None:
    source = """def f():
    # about a
    a = 1
    # about b and c
    b = 2
    c = 3
    return c
"""
    body = ast.parse(source).body[0].body
    wanted = """def f():
    # about b and c
    c = 3
    return c
"""
    assert drop_statements(source, [body[0], body[1]]) == wanted


def test_dead_locals_and_attributes() -> None:
    source = """class A:
    def __init__(self, n):
        self.sizes = []
        self.kept, self.gone = n, n + 1
        a, b, c = 1, 2, 3
        for i in range(n):
            self.sizes.append(i * b)
        while a < 9:
            a, b = a + 1, b * 2
        self.total = a + c
"""
    for name in ("sizes", "gone"):
        source = remove(source, [Writes(ast.parse(source).body[0], Attribute, name)])
    for name in ("a", "b", "c"):
        source = remove(source, [Writes(ast.parse(source).body[0].body[0], Local, name)])
    assert (
        source
        == """class A:
    def __init__(self, n):
        self.kept = n
        a, c = 1, 3
        while a < 9:
            a = a + 1
        self.total = a + c
"""
    )


@pytest.mark.parametrize("value", ["f(x)", "self.read", "(yield)", "[g() for _ in y]"])
def test_what_may_do_something_stays(value: str) -> None:
    source = f"def f(self, x, y):\n    a = {value}\n    return self.read\n"
    kept = remove(source, [Writes(ast.parse(source).body[0], Local, "a")])
    assert (kept == source) is (value != "self.read")


def test_imports_are_sorted() -> None:
    names = {
        "F": Symbol("torch.nn.functional", "", "F"),
        "math": Symbol("math", "", "math"),
        "nn": Symbol("torch", "nn", "nn"),
        "Tensor": Symbol("torch", "Tensor", "Tensor"),
        "PI": Symbol("math", "pi", "PI"),
        "partial": Symbol("functools", "partial", "partial"),
    }
    assert import_block(names) == (
        "import math\nfrom functools import partial\nfrom math import pi as PI\n\n"
        "import torch.nn.functional as F\nfrom torch import Tensor, nn\n"
    )


def test_without_ruff_the_source_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.export.layout.find_ruff", lambda: None)
    symbols = Symbols()
    linear = symbols.token(Symbol("torch.nn", "Linear", "Linear"))
    source = compose("Doc.", [], f"def build():\n    return {linear}(1, 2)", symbols)
    assert source == '"""Doc."""\n\nfrom torch.nn import Linear\n\n\ndef build():\n    return Linear(1, 2)\n'
