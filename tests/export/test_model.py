"""Ejected networks: the same as the original in every bit, in source that reads as if written by hand."""

import subprocess
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from netwright.blocks.mixer.attention import Attention
from netwright.blocks.transformer import TransformerBlock
from netwright.design.library import registry
from netwright.export import EjectError, eject_model, eject_source, fresh
from netwright.export.layout import find_ruff
from netwright.export.verify import reference_of, run_fresh
from tests.export.networks import arguments, assert_same, example, load, small, swapped
from tests.export.toys import family as toys

FAMILIES = sorted(registry().families)


def lint(folder: Path) -> str:
    command = [str(find_ruff()), "check", "--isolated", "--select", "E,F,I,B,UP", "--line-length", "120"]
    command += ["--target-version", "py311", "--no-cache", "--output-format", "concise", "."]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_there_are_families() -> None:
    assert len(FAMILIES) >= 11


@pytest.mark.parametrize("family", FAMILIES)
def test_family(family: str, tmp_path: Path) -> None:
    resolved = small(family, {})
    source = eject_source(resolved.entry.cls, arguments(resolved))
    assert_same(source, lambda: resolved.entry.cls(**arguments(resolved)), example(resolved))
    (tmp_path / "model.py").write_text(source)
    assert lint(tmp_path) == ""
    assert "netwright" not in source and "PRESETS" not in source and "extra_repr" not in source
    assert max(map(len, source.splitlines())) <= 120


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_random_slots(family: str, seed: int) -> None:
    resolved, source = None, ""
    for attempt in range(seed * 100, seed * 100 + 40):  # what fits a slot by its kind may not fit the sizes
        try:
            resolved = small(family, swapped(family, attempt))
            seen = fresh.observe(resolved.entry.cls(**arguments(resolved)), example(resolved), 5)
            if seen["trained"].isfinite().all() and 0 < float(seen["evaluated"].std()) < float("inf"):
                break
        except (ValueError, RuntimeError):
            continue
    assert resolved is not None
    source = eject_source(resolved.entry.cls, arguments(resolved))
    assert_same(source, lambda: resolved.entry.cls(**arguments(resolved)), example(resolved))


@pytest.mark.parametrize("name", sorted(registry().presets))
def test_presets_on_the_meta_device(name: str) -> None:
    """All published sizes: the same names and shapes, without the memory."""
    from netwright.design import Spec
    from netwright.design.resolve import resolve

    inputs = {"num_features": 4} if registry().presets[name][0].modality == "tabular" else {}
    resolved = resolve(Spec(name, inputs), example_inputs=True)
    with torch.device("meta"):
        source = eject_source(resolved.entry.cls, arguments(resolved))
        ours, theirs = resolved.entry.cls(**arguments(resolved)), load(source).build()
    shapes = [(key, value.shape) for key, value in ours.state_dict().items()]
    assert shapes == [(key, value.shape) for key, value in theirs.state_dict().items()]


def test_slots_are_written_in_place() -> None:
    source = eject_source(TransformerBlock, {"dim": 12, "mixer": partial(Attention, num_heads=3)})
    assert "self.mixer = Attention(dim, num_heads=3)" in source
    assert "return TransformerBlock(dim=12)" in source
    assert "def __init__(self, dim: int, dropout: float = 0.0, drop_path: float = 0.0):" in source
    assert "self.drop_path(self.drop(self.mixer(self.norm1(x), mask)))" in source  # the empty scale is gone
    assert "Callable" not in source and "partial" not in source and "Identity" not in source


def test_only_what_is_used_is_there() -> None:
    """A table of numbers alone needs nothing for categories."""
    resolved = small("mlp", {}, {"cardinalities": []})
    source = eject_source(resolved.entry.cls, arguments(resolved))
    assert_same(source, lambda: resolved.entry.cls(**arguments(resolved)), example(resolved, {"cardinalities": []}))
    assert "class Categorical" not in source and "class TableVector" in source


def test_toy_reads_as_by_hand(tmp_path: Path) -> None:
    args = {"in_dim": 5, "cell": partial(toys.Cell, scale=nn.Identity)}
    source = eject_source(toys.Toy, args, header="A toy.")
    assert source == (Path(__file__).parent / "toys" / "expected.txt").read_text()
    assert_same(source, lambda: toys.Toy(**args), {"x": torch.randn(3, 5)})


def test_gate_that_is_there_stays_and_absent_norm_goes() -> None:
    args = {"in_dim": 5, "cell": partial(toys.Cell, gate=nn.Sigmoid, norm=None)}
    source = eject_source(toys.Toy, args)
    assert_same(source, lambda: toys.Toy(**args), {"x": torch.randn(3, 5)})
    assert "y = y * self.gate(y)" in source and "self.norm" not in source and " is not None" not in source


def test_without_the_formatter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.export.layout.find_ruff", lambda: None)
    for family in ("vit", "resnet", "tabm"):
        resolved = small(family, {})
        source = eject_source(resolved.entry.cls, arguments(resolved))
        assert_same(source, lambda made=resolved: made.entry.cls(**arguments(made)), example(resolved))
        assert max(map(len, source.splitlines())) <= 120


def test_slot_that_differs_between_instances_stays() -> None:
    source = eject_source(toys.Mixed)
    assert_same(source, toys.Mixed, {"x": torch.randn(3, 8)})
    assert "activation: Callable[..., nn.Module] = nn.GELU" in source
    assert "norm: Callable[..., nn.Module] | None = nn.LayerNorm" in source
    assert "Cell(dim, activation=nn.Tanh, norm=None)" in source


def test_size_that_comes_from_an_argument_stays_one() -> None:
    source = eject_source(toys.Sized)
    assert_same(source, toys.Sized, {"x": torch.randn(3, 8)})
    assert "Holder(dim, inner=partial(Cell, ratio=ratio))" in source
    torch.manual_seed(0)
    wider = load(source).Sized(ratio=5.0)
    assert wider.cell.inner.first.out_features == 40


def test_without_folding_slots_stay_parameters() -> None:
    args = {"dim": 12, "mixer": partial(Attention, num_heads=3)}
    source = eject_source(TransformerBlock, args, fold=False)
    assert_same(source, lambda: TransformerBlock(**args), {"x": torch.randn(2, 4, 12)})
    assert "mixer=partial(Attention, num_heads=3)" in source
    assert "mixer: Callable[..., nn.Module] = Attention" in source


@pytest.mark.parametrize(
    ("cls", "args", "message"),
    [
        (TransformerBlock, {"dim": 8, "norm": lambda dim: nn.LayerNorm(dim)}, "norm=.* can't be written down"),
        (nn.Linear, {"in_features": 2, "out_features": 2}, "Linear is not a class at the top of a file of ours"),
        (toys.Through, {}, "imports the module"),
    ],
)
def test_what_cannot_be_ejected_is_said(cls: type, args: dict, message: str) -> None:
    with pytest.raises(EjectError, match=message):
        eject_source(cls, args)


def test_building_leaves_the_random_numbers_and_classes_alone() -> None:
    constructor = vars(Attention)["__init__"]
    torch.manual_seed(0)
    state = torch.get_rng_state()
    eject_source(TransformerBlock, {"dim": 8})
    assert torch.equal(torch.get_rng_state(), state)
    assert vars(Attention)["__init__"] is constructor


def test_proved_in_a_fresh_interpreter() -> None:
    args = {"dim": 12, "mixer": partial(Attention, num_heads=3)}
    source = eject_model(TransformerBlock, args, inputs={"x": torch.randn(2, 4, 12)}, header="A block.")
    assert source.startswith('"""A block."""\n')
    assert source == eject_source(TransformerBlock, args, header="A block.")


@pytest.mark.parametrize(
    ("found", "put", "problem"),
    [
        ("self.norm2 = nn.LayerNorm(dim)", "self.norm2 = nn.LayerNorm(dim, eps=0.5)", "the outputs differ"),
        ("self.fc2 = ", "self.fc3 = self.fc2 = ", "names differ"),
        ("self.proj = nn.Linear(dim, dim)", "self.proj = nn.Linear(dim, dim, bias=False)", "names differ"),
        ("hidden = int(dim * mlp_ratio)", "torch.rand(1)\n        hidden = int(dim * mlp_ratio)", "other numbers"),
        ("return x\n", "return x.detach() + (x - x.detach()) * 2\n", "the gradient of"),
        ("import torch\n", "import netwright.blocks\nimport torch\n", "No module named 'netwright'"),
        ("import torch\n", "import sklearn\nimport torch\n", "No module named 'sklearn'"),
    ],
)
def test_differences_are_found(found: str, put: str, problem: str, tmp_path: Path) -> None:
    source = eject_source(TransformerBlock, {"dim": 12})
    source = source.replace("from torch import", "import torch\nfrom torch import", 1)
    assert found in source
    source = source.replace(found, put, 1)
    (tmp_path / "model.py").write_text(source)
    reference = reference_of(lambda: TransformerBlock(12), {"x": torch.randn(2, 4, 12)})
    with pytest.raises(EjectError, match=problem):
        run_fresh(tmp_path, reference)


def test_falls_back_on_slots_as_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should folding ever misread a network, it is handed over unfolded."""
    from netwright.export import model

    def misread(*args, fold: bool = True, **kwargs) -> str:
        source = eject_source(*args, fold=fold, **kwargs)
        return source.replace("nn.LayerNorm(dim)", "nn.BatchNorm1d(dim)") if fold else source

    monkeypatch.setattr(model, "eject_source", misread)
    source = eject_model(TransformerBlock, {"dim": 12}, inputs={"x": torch.randn(2, 4, 12)})
    assert "norm: Callable[..., nn.Module] = nn.LayerNorm" in source


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_family_in_a_fresh_interpreter(family: str) -> None:
    resolved = small(family, {})
    assert eject_model(resolved.entry.cls, arguments(resolved), inputs=example(resolved))
