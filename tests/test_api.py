"""The Python API is a contract: its names, whatever was imported before them, and how light it is to import."""

import subprocess
import sys

import pytest

import netwright as nw

NAMES = {
    "Brief", "Budget", "BudgetError", "Design", "InputError", "Recipe", "Result", "Spec", "__version__",
    "blocks", "build", "design", "families", "inspect", "predict", "presets", "train",
}  # fmt: skip


def test_the_names_are_these():
    assert set(nw.__all__) == NAMES
    for name in NAMES:
        assert getattr(nw, name) is not None
    with pytest.raises(AttributeError, match="netwright has no typo"):
        _ = nw.typo


def test_a_room_with_a_verbs_name_is_both():
    import netwright.blocks
    import netwright.design
    import netwright.families

    assert {row["name"] for row in nw.families()} >= {"vit", "resnet", "mlp"}
    assert any(row["name"] == "attention" for row in nw.blocks())
    assert netwright.design.Spec is nw.Spec
    with pytest.raises(nw.InputError, match="no such file"):
        nw.design("nowhere.csv")


def test_build_takes_names_presets_and_slots():
    module = nw.build("vit:tiny", num_classes=10, depth=1, mixer={"attention": {"num_heads": 6}})
    assert module.blocks[0].mixer.num_heads == 6
    assert sum(p.numel() for p in nw.build("resnet18").parameters()) == 11_689_512


@pytest.mark.parametrize(
    "code", ["import netwright", "import netwright.cli", "from netwright import Budget, InputError"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(code):
    heavy = "{'torch', 'pandas', 'sklearn', 'numpy', 'scipy', 'PIL'}"
    check = f"import sys; {code}; assert not {heavy} & set(sys.modules), {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
