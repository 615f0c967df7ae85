"""Recipes: within range, label-safe, each choice with its rule."""

import pytest

from netwright.advise import recipe_for, rule
from netwright.advise.defaults import ANCHORS, families_of
from netwright.advise.recipe import augmentation, recipe_of
from netwright.advise.recipe_tables import OPTIMISER, REGULARISE, row_of
from netwright.design import Brief, Spec, registry
from netwright.train.augment import AUGMENTATIONS
from netwright.train.augment_masks import WITH_MASKS

from . import samples


def facts(modality="image", rows=5000, **more):
    base = {"modality": modality, "rows": rows, "task": "multiclass", "classes": 10, "device": "cpu"}
    pictures = modality in ("image", "segmentation", "detection")
    image = {"side": 28, "height": 28, "width": 28, "colour": False} if pictures else {}
    return {**base, **image, **more}


@pytest.mark.parametrize("family", ANCHORS)
def test_every_family_has_a_recipe_with_reasons(family):
    modality = next(m for m in ("image", "table", "text", "segmentation", "detection") if family in families_of(m))
    recipe, reasons = recipe_of(family, 100_000, facts(modality))
    assert 0 < recipe.lr < 0.01 and 0 < recipe.weight_decay <= 0.2 and recipe.clip_norm == 1.0
    assert 0.9 <= recipe.ema_decay <= 0.999 and recipe.precision == "fp32"
    for field, why in reasons.items():
        assert hasattr(recipe, field)
        assert rule(why["rule"]) and "{" not in why["text"] and "unknown" not in why["text"]


def test_tables_cover_every_family_and_name_real_arguments():
    assert set(OPTIMISER) == set(REGULARISE) == set(ANCHORS) <= set(registry().families)
    for family, table in REGULARISE.items():
        settable = registry().families[family].settable
        assert all(set(args) <= set(settable) for _, args in table)
        assert table[-1][0] == float("inf")


@pytest.mark.parametrize("side", [1, 8, 28, 64, 224])
def test_grey_images_are_never_mirrored(side):
    augment, why = augmentation(facts(side=side, height=side, width=side))
    assert why == "T14" and augment and "flip" not in str(augment)


def test_colour_photographs_are_mirrored_and_that_is_said_to_be_an_assumption():
    recipe, reasons = recipe_of("resnet", 1_000_000, facts(side=128, height=128, width=128, colour=True))
    assert "flip" in recipe.augment
    assert reasons["augment"]["rule"] == "T14b" and "Assumed" in reasons["augment"]["text"]


def test_tiny_colour_images_are_not_mirrored():
    augment, why = augmentation(facts(side=16, colour=True))
    assert why == "T14c" and "flip" not in str(augment)


def test_masks_move_with_their_images_and_only_colour_images_are_mirrored():
    for colour, rule_id in ((True, "G5"), (False, "G5b")):
        augment, why = augmentation(facts("segmentation", colour=colour))
        names = [item if isinstance(item, str) else next(iter(item)) for item in augment]
        assert why == rule_id and ("flip_masks" in names) is colour and "affine_masks" in names
        assert all(name in WITH_MASKS or name in ("colour", "brightness") for name in names)
    recipe, reasons = recipe_of("unet", 100_000, facts("segmentation", task="segmentation", classes=3, colour=True))
    assert recipe.label_smoothing == 0.0 and recipe.mixup == 0.0 and reasons["augment"]["rule"] == "G5"


def test_augmentations_exist():
    for side in (8, 28, 64, 224):
        for colour in (True, False):
            for item in augmentation(facts(side=side, colour=colour))[0]:
                assert (item if isinstance(item, str) else next(iter(item))) in AUGMENTATIONS


def test_regression_has_no_label_smoothing_and_no_mixup():
    recipe, reasons = recipe_of("resnet", 100_000, facts(rows=50_000, side=64, task="regression"))
    assert recipe.label_smoothing == 0.0 and recipe.mixup == 0.0
    assert "label_smoothing" not in reasons and "mixup" not in reasons


def test_log_loss_is_not_blurred_by_label_smoothing():
    assert recipe_of("mlp", 1000, facts("table"), metric="log_loss")[0].label_smoothing == 0.0
    assert recipe_of("mlp", 1000, facts("table"))[0].label_smoothing == 0.1


@pytest.mark.parametrize("modality", ["image", "table", "text"])
def test_batches_grow_with_the_rows_and_are_never_larger_than_the_data_call_for(modality):
    family = families_of(modality)[0]
    sizes = [recipe_of(family, 1000, facts(modality, rows=rows))[0].batch_size for rows in (50, 2000, 10**5, 10**7)]
    assert sizes == sorted(sizes) and sizes[0] == 16 and sizes[-1] >= 128


def test_fewer_rows_mean_more_weight_decay_up_to_a_bound():
    decays = [recipe_of("mlp", 1000, facts("table", rows=rows))[0].weight_decay for rows in (10, 1000, 10**5, 10**7)]
    assert decays == sorted(decays, reverse=True)
    assert decays[0] == pytest.approx(3 * OPTIMISER["mlp"]["weight_decay"])
    assert decays[-1] == OPTIMISER["mlp"]["weight_decay"]


def test_larger_networks_take_smaller_rates():
    rates = [recipe_of("vit", params, facts())[0].lr for params in (10**5, 10**7, 10**8)]
    assert rates == sorted(rates, reverse=True) and len(set(rates)) == 3


def test_warm_up_is_at_most_a_tenth():
    for rows in (50, 5000, 10**6):
        recipe = recipe_of("mlp", 1000, facts("table", rows=rows))[0]
        assert recipe.warmup_fraction <= 0.1 and recipe.warmup_fraction * recipe.steps <= 2001


def test_recipe_for_takes_profile_and_brief():
    profile, contract = samples.DIGITS
    spec = Spec("resnet", {"dim": 16, "depths": [1, 1], "stem": "smallstem", "block": "basicblock"})
    recipe, reasons = recipe_for("resnet", spec, profile, Brief(seed=7), contract)
    assert recipe.seed == 7 and recipe.label_smoothing == 0.1
    assert "1,797 rows" in reasons["batch_size"]["text"]
    assert "19,706 parameters" in reasons["lr"]["text"]


def test_the_first_row_whose_bound_is_not_exceeded_holds():
    table = [(10, "a"), (20, "b"), (float("inf"), "c")]
    assert [row_of(table, v) for v in (5, 10, 11, 20, 21)] == ["a", "a", "b", "b", "c"]


def test_images_seen_few_times_are_not_turned_or_moved():
    """T11b, by the passes that the time allows; mirrored ones are as natural as the others."""
    few = rule("T11b").value["passes"] - 1
    for colour, kept in ((False, []), (True, ["flip"])):
        facts = {"modality": "image", "colour": colour, "side": 32}
        assert augmentation(facts, few) == (kept, "T11b")
        often, why = augmentation(facts, few + 1)
        assert len(often) > len(kept) and why != "T11b"
