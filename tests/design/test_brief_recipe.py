"""Brief, Budget, Recipe, Task and Data: plain data that is right or an error."""

import dataclasses
import subprocess
import sys

import pytest

from netwright.design import Brief, Budget, Data, DesignError, Recipe, Task
from netwright.errors import InputError


def test_a_budget_as_people_write_it():
    budget = Budget.parse(params="200k", flops="1G", latency="5ms", memory="100MB", size="1MB", time="2min")
    assert budget == Budget(200_000, 10**9, 5.0, 100_000_000, 1_000_000, 120.0)
    assert Budget.from_data(budget.to_data()) == budget
    assert budget.to_data()["params"] == "200k"
    assert str(budget).startswith("params ≤ 200k, flops ≤ 1G, latency ≤ 5 ms")


def test_no_limit():
    assert not Budget() and not Budget.parse(params=None) and Budget.parse(params=1)
    assert Budget().to_data() == {} and Budget.from_data(None) == Budget() and str(Budget()) == "no limit"


@pytest.mark.parametrize(
    ("limits", "path", "says"),
    [
        ({"param": "1k"}, "budget", "did you mean params"),
        ({"params": "lots"}, "budget.params", "200k, 1.5M"),
        ({"latency": "5"}, "budget.latency", "has no unit"),
        ({"time": "-2min"}, "budget.time", "2min"),
    ],
)
def test_wrong_budgets(limits, path, says):
    with pytest.raises(DesignError, match=says) as caught:
        Budget.from_data(limits)
    assert caught.value.path == path
    assert isinstance(caught.value, InputError)


def test_the_command_line_s_names_in_errors():
    with pytest.raises(DesignError) as caught:
        Budget.parse(where="--", latency="5")
    assert str(caught.value).startswith("--latency: ")


@pytest.mark.parametrize(
    "fields", [{"params": 0}, {"params": 1.5}, {"params": True}, {"latency_ms": -1.0}, {"time_s": "2min"}]
)
def test_budget_fields_are_numbers(fields):
    with pytest.raises(DesignError, match="is no limit"):
        Budget(**fields)
    assert Budget(latency_ms=2).latency_ms == 2
    with pytest.raises(DesignError, match="is no budget"):
        Budget.from_data("200k")


def test_a_brief():
    brief = Brief(target="price", metric="rmse", budget=Budget.parse(params="1k"), prefer=["mlp"])
    assert brief.prefer == ("mlp",) and brief.device == "cpu"
    assert dataclasses.replace(brief, device="cuda:1").device == "cuda:1"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"metric": "acuracy"}, "did you mean accuracy"),
        ({"task": "regresion"}, "did you mean regression"),
        ({"device": "tpu"}, "cpu, cuda"),
        ({"device": 3}, "brief.device"),
        ({"budget": {"params": 3}}, "is no Budget"),
        ({"prefer": "mlp"}, "brief.prefer"),
        ({"prefer": ["mlp"], "exclude": ["mlp"]}, "both preferred and excluded"),
        ({"target": 3}, "brief.target"),
        ({"seed": -1}, "brief.seed"),
    ],
)
def test_wrong_briefs(fields, says):
    with pytest.raises(DesignError, match=says):
        Brief(**fields)


def test_a_recipe_goes_through_data_unchanged():
    recipe = Recipe(lr=3e-4, betas=[0.9, 0.95], augment=["flip", {"crop": {"pad": 4}}, {"mix": {}}])
    assert recipe.betas == (0.9, 0.95) and recipe.augment == ["flip", {"crop": {"pad": 4}}, "mix"]
    assert Recipe.from_data(recipe.to_data()) == recipe
    assert Recipe.from_data(None) == Recipe() == Recipe.from_data({})
    assert set(recipe.to_data()) == {f.name for f in dataclasses.fields(Recipe)}


@pytest.mark.parametrize(
    ("fields", "path", "says"),
    [
        ({"lr": 0}, "recipe.lr", "0 < x ≤ 100"),
        ({"lr": "1e-3x"}, "recipe.lr", "a number"),
        ({"learning_rate": 1}, "recipe", "is no key of recipe"),
        ({"weight_deca": 1}, "recipe", "did you mean weight_decay"),
        ({"optimizer": "adam"}, "recipe.optimizer", "did you mean adamw"),
        ({"betas": [0.9]}, "recipe.betas", "has 1 items"),
        ({"betas": [0.9, 1.0]}, "recipe.betas[1]", "out of range"),
        ({"batch_size": 1.5}, "recipe.batch_size", "a whole number"),
        ({"steps": True}, "recipe.steps", "true is not allowed"),
        ({"ema_decay": 1}, "recipe.ema_decay", "0 ≤ x < 1"),
        ({"precision": "fp16"}, "recipe.precision", "fp32, bf16"),
        ({"augment": "flip"}, "recipe.augment", "a list"),
        ({"augment": [{"a": 1}]}, "recipe.augment[0]", "names no block"),
        ({"patience": 0}, "recipe.patience", "1 ≤ x"),
        ({"clip_norm": 0.0}, "recipe.clip_norm", "0 < x"),
        ([], "recipe", "is not allowed"),
    ],
)
def test_wrong_recipes(fields, path, says):
    with pytest.raises(DesignError) as caught:
        Recipe.from_data(fields)
    assert says in str(caught.value) and caught.value.path == path


def test_task_and_data():
    task = Task("multiclass", "y", "accuracy", ["a", 2, 12345678901, True, 0.5])
    assert Task.from_data(task.to_data()) == task and Task().to_data() == {}
    data = Data("x.csv", "table", group="id", test_fraction=0.25)
    assert Data.from_data(data.to_data()) == data and Data().to_data() == {"seed": 0}
    for wrong in (
        {"metric": "x"},
        {"classes": [None]},
        {"kind": "ranking"},
        {"target": 1},
        {"knd": "binary"},
    ):
        with pytest.raises(DesignError):
            Task.from_data(wrong)
    for wrong in ({"test_fraction": 1}, {"seed": None}, {"modality": "video"}, {"sources": "x"}, "digits"):
        with pytest.raises(DesignError):
            Data.from_data(wrong)


def test_brief_budget_and_recipe_come_without_torch():
    code = (
        "import sys; from netwright.design import Brief, Budget, Recipe, Task, DesignError; "
        "Brief(budget=Budget.parse(params='1k')); Recipe(augment=['flip']); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_of_the_room():
    import netwright.design

    with pytest.raises(AttributeError, match="no Nothing"):
        netwright.design.Nothing  # noqa: B018
    for name in netwright.design.__all__:
        assert getattr(netwright.design, name) is not None
