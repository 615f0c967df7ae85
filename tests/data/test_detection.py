"""Folders of images with boxes: what is read, split, scaled and brought back, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright.data import DetectionPreprocessing, fit_preprocessing, load, preprocessing, profile, split
from netwright.data.readers.box_folders import is_box_folder
from netwright.errors import InputError

from . import boxed, scenes


@pytest.fixture
def folder(tmp_path):
    return boxed.write_coco(tmp_path / "shapes")


def fitted_on(dataset, **options):
    found = profile(dataset)
    parts = split(dataset, found, seed=0)
    return fit_preprocessing(dataset, parts.train, found, **options), parts, found


def change(folder, edit):
    file = next(folder.rglob("*.json"))
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def test_both_formats_are_read_alike_and_profiled(folder, tmp_path):
    coco, voc = load(folder), load(boxed.write_voc(tmp_path / "voc"))
    assert coco.modality == voc.modality == "detection" and len(coco) == len(voc) == 24
    assert list(coco.target) == list(voc.target) and coco.classes.labels == voc.classes.labels == boxed.LABELS
    drawn = [boxes for _, boxes in boxed.scenes(24, (32, 32), 0)]
    found = profile(coco)
    assert found.task == "detection" and found.image["same_size"]
    assert found.target["labels"] == boxed.LABELS
    assert found.target["counts"] == [
        sum(label == one for boxes in drawn for label, _ in boxes) for one in boxed.LABELS
    ]
    assert found.target["images"] == [
        sum(any(label == b[0] for b in boxes) for boxes in drawn) for label in boxed.LABELS
    ]
    sides = [(x2 - x1) / 32 for boxes in drawn for _, (x1, _, x2, _) in boxes]
    assert found.target["sizes"]["p50"] == pytest.approx(np.median(sides))
    assert found.target["objects"]["mean"] == pytest.approx(len(sides) / 24)


def test_each_part_shows_every_class(folder):
    dataset = load(folder)
    _, parts, _ = fitted_on(dataset)
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(rows) == list(range(24)) and "rarest class" in parts.how
    for part in (parts.train, parts.validation, parts.test):
        assert (dataset.boxes[part].sum(axis=0) > 0).all()


def test_parts_of_the_persons_own(tmp_path):
    whole = tmp_path / "whole"
    for seed, name in enumerate(("train", "val", "test")):
        boxed.write_coco(whole, count=12, seed=seed, name=name)
    dataset = load(whole)
    assert len(dataset) == 24 and len(dataset.test) == 12 and any("test part" in note for note in dataset.notes)
    apart = tmp_path / "apart"  # each part with its JSON beside its images
    for name in ("train", "val", "test"):
        shutil.copytree(whole / name, apart / name)
        shutil.copy(whole / "annotations" / f"instances_{name}.json", apart / name / "_annotations.coco.json")
    again = load(apart)
    assert list(again.target) == list(dataset.target) and list(again.test.target) == list(dataset.test.target)
    own = load(boxed.write_coco(tmp_path / "a", seed=7), test=boxed.write_voc(tmp_path / "b", count=12, seed=8))
    assert len(own.test) == 12 and own.test.classes == own.classes


def test_lists_are_the_parts_of_a_voc_folder(tmp_path):
    folder = boxed.write_voc(tmp_path / "voc")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, numbers in (("train", range(12)), ("val", range(12, 18)), ("test", range(18, 24))):
        (lists / f"{name}.txt").write_text("\n".join(f"{number:03}" for number in numbers))
    dataset = load(folder)
    assert len(dataset) == 18 and len(dataset.test) == 6
    assert Path(dataset.test.inputs[0]).name == "018.png"


def test_masks_stay_the_default_where_there_are_boxes_too(folder, tmp_path):
    both = scenes.write(tmp_path / "both")
    shutil.copy(folder / "instances.json", both)
    dataset = load(both)
    assert dataset.modality == "segmentation" and any("--task detection" in note for note in dataset.notes)
    assert load(both, task="detection").modality == "detection"
    with pytest.raises(InputError, match="no images with boxes"):
        load(scenes.write(tmp_path / "masks"), task="detection")
    with pytest.raises(InputError, match="task of detection, not multiclass"):
        profile(load(folder), task="multiclass")


def test_crowds_and_difficult_objects_are_kept_apart(folder):
    change(folder, lambda c: c["annotations"][0].update(iscrowd=1))
    dataset = load(folder)
    assert sum(sum(one["ignored"]) for one in dataset.target) == 1
    assert dataset.boxes.sum() == sum(len(one["boxes"]) for one in dataset.target) - 1
    assert any("1 crowds" in note for note in dataset.notes)
    apply = preprocessing(fitted_on(dataset)[0])
    assert apply.targets(dataset.target)[..., 5].sum() == 1


def test_classes_without_a_box_are_left_out(folder):
    change(folder, lambda c: c["categories"].insert(0, {"id": 99, "name": "owl"}))
    dataset = load(folder)
    assert dataset.classes.labels == boxed.LABELS and any("left out: owl" in note for note in dataset.notes)


@pytest.mark.parametrize("size", [(30, 52), (61, 33), (32, 32)])
def test_boxes_come_back_in_the_images_own_pixels(tmp_path, size):
    dataset = load(boxed.write_coco(tmp_path / "shapes", count=12, size=size))
    apply = preprocessing(fitted_on(dataset, image_size=48)[0])
    assert isinstance(apply, DetectionPreprocessing)
    x, targets = apply.load(dataset.inputs)["x"], apply.targets(dataset.target)
    assert x.shape == (12, 3, 48, 48) and targets.shape[::2] == (12, 6) and targets[..., :4].max() <= 48
    for one, rows in zip(dataset.target, targets, strict=True):
        there = rows[rows[:, 4] >= 0]
        found = {"boxes": there[:, :4], "scores": np.ones(len(there)), "labels": there[:, 4]}
        back = apply.restore(found, one["size"])
        np.testing.assert_allclose(back["boxes"], np.array(one["boxes"]), atol=1e-4)
        assert back["labels"].tolist() == one["labels"]
    beside = {"boxes": np.array([[46.0, 46, 48, 48]]), "scores": np.ones(1), "labels": np.zeros(1)}
    assert len(apply.restore(beside, size)["boxes"]) == (size[0] == size[1])


def test_preprocessing_survives_json_and_writes_cocos_results(folder):
    dataset = load(folder)
    fitted, parts, _ = fitted_on(dataset)
    again = preprocessing(json.loads(json.dumps(fitted)))
    batch = again.batch(again.load([dataset.inputs[row] for row in parts.train]))["images"]
    np.testing.assert_allclose(batch.mean((0, 2, 3)), 0, atol=0.02)
    np.testing.assert_allclose(batch.std((0, 2, 3)), 1, atol=0.02)
    assert again.contract == {"in_channels": 3, "image_size": 32, "num_classes": 2}
    found = {"boxes": np.array([[1.0, 2, 11, 22]]), "scores": np.array([0.5]), "labels": np.array([1])}
    assert again.results(["a.png"], [found]) == [
        {"image_id": "a.png", "category_id": 2, "category": "square", "bbox": [1, 2, 10, 20], "score": 0.5}
    ]
    assert again.annotated(folder) is None and again.read(folder) == dataset.inputs


def test_small_objects_ask_for_larger_images(tmp_path):
    folder = boxed.write_coco(tmp_path / "shapes", count=12, size=(300, 400))
    assert fitted_on(load(folder))[0]["image_size"] == 128

    def shrink(content):
        for thing in content["annotations"]:
            thing["bbox"][2:] = [20, 20]

    change(folder, shrink)
    assert fitted_on(load(folder))[0]["image_size"] == 256
    with pytest.raises(InputError, match="16 pixels a side"):
        fitted_on(load(folder), image_size=16)


# What is refused ------------------------------------------------------------------------------------------------


def outside(folder):
    change(folder, lambda c: c["annotations"][0].update(bbox=[20, 20, 30, 5]))
    return "lies outside the 32 × 32 pixels", "boxes are in pixels"


def empty(folder):
    change(folder, lambda c: c["annotations"][0].update(bbox=[2, 2, 0, 5]))
    return "has no area", "upper left"


def unknown_class(folder):
    change(folder, lambda c: c["annotations"][0].update(category_id=77))
    return "there is no category 77", "they are 1 (disc)"


def no_boxes(folder):
    change(folder, lambda c: c["annotations"].clear())
    return "no image has a box", "annotate"


def other_size(folder):
    Image.new("RGB", (30, 32)).save(folder / "images" / "003.png")
    return "003.png has 30 × 32 pixels, its annotation says 32 × 32", "correct the size"


def no_image(folder):
    (folder / "images" / "004.png").unlink()
    return "there is no image 004.png", "put it into"


def damaged(folder):
    (folder / "images" / "004.png").write_bytes(b"no picture")
    return "004.png: this is not an image", "replace or delete"


def twice(folder):
    change(folder, lambda c: c["images"].append({**c["images"][0], "id": 99}))
    return "000.png is annotated twice", "one entry for each image"


def few(folder):
    change(
        folder,
        lambda c: c.update(images=c["images"][:6], annotations=[a for a in c["annotations"] if a["image_id"] < 6]),
    )
    return "6 rows of data", "add data"


@pytest.mark.parametrize("spoil", [outside, empty, unknown_class, no_boxes, other_size, no_image, damaged, twice, few])
def test_what_is_wrong_is_said_with_what_to_do(folder, spoil):
    what, fix = spoil(folder)
    with pytest.raises(InputError) as caught:
        load(folder)
    assert what in str(caught.value) and fix in str(caught.value)


def test_a_test_part_must_have_the_classes_of_the_data(folder, tmp_path):
    other = boxed.write_coco(tmp_path / "other", count=12, seed=1)
    change(other, lambda c: c["categories"][0].update(name="owl"))
    with pytest.raises(InputError, match="'owl' is no class of the data"):
        load(folder, test=other)
    with pytest.raises(InputError, match="boxes are the target"):
        load(folder, target="boxes")


def test_other_folders_are_none_with_boxes(tmp_path):
    (tmp_path / "classes.json").write_text('["a", "b"]')
    (tmp_path / "images").mkdir()
    assert not is_box_folder(tmp_path) and not is_box_folder(tmp_path / "nowhere")
