"""Folders of images and masks: what is read, split, scaled and brought back, and what is refused."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from netwright.data import SegmentationPreprocessing, fit_preprocessing, load, preprocessing, profile, split
from netwright.data.apply_segmentation import palette
from netwright.errors import InputError

from . import scenes


@pytest.fixture
def folder(tmp_path):
    return scenes.write(tmp_path / "shapes")


def fitted_on(dataset, **options):
    found = profile(dataset)
    parts = split(dataset, found, seed=0)
    return fit_preprocessing(dataset, parts.train, found, **options), parts, found


def put(folder, number, pixels, mode=None):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8), mode).save(folder / "masks" / f"{number:03}.png")


def test_pairs_classes_and_pixels_are_read(folder):
    dataset = load(folder)
    found = profile(dataset)
    assert dataset.modality == found.task == "segmentation" and len(dataset) == 24
    assert found.target["labels"] == ["background", "disc", "square"]
    masks = np.stack([np.asarray(Image.open(path)) for path in dataset.target])
    assert found.target["counts"] == np.bincount(masks.ravel()).tolist()
    assert found.target["images"] == [int((masks == code).any((1, 2)).sum()) for code in range(3)]
    assert found.image["same_size"] and found.image["channels"] == 3


def test_each_part_shows_every_class_in_proportion(folder):
    dataset = load(folder)
    _, parts, _ = fitted_on(dataset)
    rows = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(rows) == list(range(24)) and "rarest class" in parts.how
    for part in (parts.train, parts.validation, parts.test):
        assert (dataset.pixels[part].sum(axis=0) > 0).all()


def test_without_names_the_values_are_the_classes(folder):
    (folder / "classes.txt").unlink()
    assert profile(load(folder)).target["labels"] == ["0", "1", "2"]
    for path in (folder / "masks").iterdir():
        pixels = np.asarray(Image.open(path))
        Image.fromarray((pixels * 40).astype(np.uint8)).save(path)
    dataset = load(folder)
    assert dataset.classes.values == [0, 40, 80]
    apply = preprocessing(fitted_on(dataset)[0])
    assert set(np.unique(apply.targets(dataset.target))) == {0, 1, 2}


@pytest.mark.parametrize(
    "content",
    ['["background", "disc", "square"]', '{"0": "background", "1": "disc", "2": "square"}',
     '{"background": 0, "disc": 1, "square": 2}'],
)  # fmt: skip
def test_names_come_in_json_too(folder, content):
    (folder / "classes.txt").unlink()
    (folder / "classes.json").write_text(content)
    assert load(folder).classes.labels == ["background", "disc", "square"]


def test_black_and_white_masks_are_background_and_foreground(folder):
    (folder / "classes.txt").unlink()
    for path in (folder / "masks").iterdir():
        Image.fromarray(np.where(np.asarray(Image.open(path)) > 0, 255, 0).astype(np.uint8)).save(path)
    dataset = load(folder)
    assert dataset.classes.labels == ["background", "foreground"] and not dataset.classes.ignores
    apply = preprocessing(fitted_on(dataset)[0])
    codes = apply.truth(dataset.target[0])
    assert set(np.unique(codes)) == {0, 1}
    assert set(np.unique(np.asarray(apply.picture(codes)))) == {0, 255}


def test_255_has_no_class(folder):
    put(folder, 0, np.full((32, 32), 255))
    pixels = np.asarray(Image.open(folder / "masks" / "001.png")).copy()
    pixels[:4] = 255
    put(folder, 1, pixels)
    dataset = load(folder)
    assert dataset.pixels[0].sum() == 0 and dataset.pixels[1].sum() == 28 * 32
    assert (preprocessing(fitted_on(dataset)[0]).truth(dataset.target[1])[:4] == 255).all()


def test_palette_masks_and_equal_channels_are_read_by_their_numbers(folder):
    before = load(folder).pixels
    for number, path in enumerate(sorted((folder / "masks").iterdir())):
        pixels = np.asarray(Image.open(path))
        if number % 2:
            image = Image.fromarray(pixels, "P")
            image.putpalette(palette())
        else:
            image = Image.fromarray(np.stack([pixels] * 3, -1))
        image.save(path)
    np.testing.assert_array_equal(load(folder).pixels, before)


def test_parts_of_the_persons_own(tmp_path):
    for seed, part in enumerate(("train", "val", "test")):
        scenes.write(tmp_path / "data" / part, count=12, seed=seed, names=False)
    (tmp_path / "data" / "classes.txt").write_text("background\ndisc\nsquare\n")
    dataset = load(tmp_path / "data")
    assert len(dataset) == 24 and len(dataset.test) == 12 and dataset.test.classes == dataset.classes
    other = tmp_path / "other"
    for kind in ("images", "masks"):
        for part in ("train", "val", "test"):
            shutil.copytree(tmp_path / "data" / part / kind, other / kind / part)
    shutil.copy(tmp_path / "data" / "classes.txt", other)
    again = load(other)
    np.testing.assert_array_equal(again.pixels, dataset.pixels)
    np.testing.assert_array_equal(again.test.pixels, dataset.test.pixels)
    own = load(tmp_path / "data" / "train", test=tmp_path / "data" / "test")
    assert len(own.test) == 12 and own.classes.values == [0, 1, 2]


@pytest.mark.parametrize("size", [(30, 52), (61, 33), (32, 32)])
def test_masks_come_back_at_the_images_own_size(tmp_path, size):
    dataset = load(scenes.write(tmp_path / "shapes", count=12, size=size))
    apply = preprocessing(fitted_on(dataset, image_size=48)[0])
    assert isinstance(apply, SegmentationPreprocessing)
    x, codes = apply.load(dataset.inputs)["x"], apply.targets(dataset.target)
    assert x.shape == (12, 3, 48, 48) and codes.shape == (12, 48, 48)
    inner = codes[0] != 255
    height, width = round(48 * size[0] / max(size)), round(48 * size[1] / max(size))
    assert inner[:height, :width].all() and inner.sum() == height * width
    truth = apply.truth(dataset.target[0])
    scores = np.eye(3, dtype=np.float32)[np.minimum(codes[0], 2)].transpose(2, 0, 1)
    for back in (apply.restore(scores, size), apply.restore(codes[0], size)):
        assert back.shape == truth.shape == size
        assert (back == truth).mean() > 0.95


def test_preprocessing_survives_json_and_leaves_out_nothing(folder):
    dataset = load(folder)
    fitted, parts, _ = fitted_on(dataset)
    again = preprocessing(json.loads(json.dumps(fitted)))
    batch = again.batch(again.load([dataset.inputs[row] for row in parts.train]))["x"]
    np.testing.assert_allclose(batch.mean((0, 2, 3)), 0, atol=0.02)
    np.testing.assert_allclose(batch.std((0, 2, 3)), 1, atol=0.02)
    assert again.contract == {"in_channels": 3, "image_size": 32, "num_classes": 3}
    assert again.masks_of(again.read(folder)) == list(dataset.target)
    assert again.masks_of([str(folder / "images" / "nowhere.png")]) is None


def test_names_of_masks_tell_images_apart(folder):
    apply = preprocessing(fitted_on(load(folder))[0])
    assert apply.names_of(["a/1.jpg", "b/1.png"]) == ["a/1.png", "b/1.png"]
    assert apply.names_of(["a/1.jpg", "a/1.png"]) == ["1.jpg.png", "1.png.png"]
    assert apply.names_of(["a/1.jpg"]) == ["1.png"]


# What is refused ------------------------------------------------------------------------------------------------


def no_mask(folder):
    (folder / "masks" / "003.png").unlink()
    return "have no mask: 003.png", "add a PNG"


def jpeg_masks(folder):
    (folder / "masks" / "003.png").rename(folder / "masks" / "003.jpg")
    return "have no mask", "JPEG changes their values"


def other_size(folder):
    put(folder, 5, np.zeros((32, 30)))
    return "005.png: 30 × 32 pixels, its image has 32 × 32", "as large as its image"


def empty_file(folder):
    (folder / "masks" / "004.png").write_bytes(b"")
    return "004.png: the file is empty", "replace or delete"


def no_image(folder):
    (folder / "masks" / "004.png").write_text("no picture")
    return "004.png: this is not an image", "replace or delete"


def damaged(folder):
    whole = (folder / "masks" / "004.png").read_bytes()
    (folder / "masks" / "004.png").write_bytes(whole[:60])
    return "004.png", "replace or delete"


def coloured(folder):
    put(folder, 2, np.random.default_rng(0).integers(0, 255, (32, 32, 3)))
    return "002.png: it is coloured", "class numbers"


def beyond_the_list(folder):
    put(folder, 7, np.full((32, 32), 9))
    return "007.png has pixels of value 9, but the list has 3 classes", "classes.txt"


def one_class(folder):
    for path in (folder / "masks").iterdir():
        Image.new("L", (32, 32), 0).save(path)
    return "only the class 0", "number of its class"


def no_class(folder):
    for path in (folder / "masks").iterdir():
        Image.new("L", (32, 32), 255).save(path)
    return "no class", "number of its class"


def bad_names(folder):
    (folder / "classes.txt").write_text("sky\n\nsea\n")
    return "a class has no name", "one name a line"


def same_names(folder):
    (folder / "classes.txt").write_text("sky\nsea\nsky\n")
    return "two classes have the same name", "one name a line"


def bad_json(folder):
    (folder / "classes.txt").unlink()
    (folder / "classes.json").write_text("{")
    return "it can't be read", "list of names"


def no_images(folder):
    shutil.rmtree(folder / "images")
    (folder / "images").mkdir()
    return "there are no images", "images/"


def few(folder):
    for kind in ("images", "masks"):
        for path in sorted((folder / kind).iterdir())[6:]:
            path.unlink()
    return "6 rows of data", "add data"


def twice(folder):
    shutil.copy(folder / "images" / "001.png", folder / "images" / "001.jpg")
    return "have the same name", "name of its own"


BAD = [no_mask, jpeg_masks, other_size, empty_file, no_image, damaged, coloured, beyond_the_list, one_class, no_class,
       bad_names, same_names, bad_json, no_images, few, twice]  # fmt: skip


@pytest.mark.parametrize("spoil", BAD, ids=lambda one: one.__name__)
def test_what_is_wrong_is_said_with_file_and_fix(folder, spoil):
    problem, fix = spoil(folder)
    with pytest.raises(InputError) as caught:
        load(folder)
    said = str(caught.value)
    assert problem in said and fix in said and str(folder) in said


def test_options_that_masks_have_no_use_for(folder):
    with pytest.raises(InputError, match="no target column"):
        load(folder, target="class")
    with pytest.raises(InputError, match="no columns"):
        load(folder, group="person")
    with pytest.raises(InputError, match="images with masks are a task of segmentation, not multiclass"):
        profile(load(folder), task="multiclass")
    with pytest.raises(InputError, match="needs a mask for each image"):
        profile(load("iris"), task="segmentation")
    with pytest.raises(InputError, match="no images and masks"):
        load(folder, test=folder / "images")


def test_pascal_vocs_lists_say_which_images_have_masks(folder):
    """Of VOC's images few have masks; those of each part are in ImageSets/Segmentation."""
    shutil.move(folder / "images", folder / "JPEGImages")
    shutil.move(folder / "masks", folder / "SegmentationClass")
    lists = folder / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for name, rows in (("train", range(12)), ("val", range(12, 16)), ("test", range(16, 20))):
        (lists / f"{name}.txt").write_text("".join(f"{row:03}\n" for row in rows))
    (folder / "SegmentationClass" / "023.png").unlink()
    dataset = load(folder)
    assert len(dataset) == 16 and len(dataset.test) == 4
    chosen = [f"{row:03}" for row in range(0, 20, 2)]
    (lists / "trainval.txt").write_text("\n".join(chosen))
    assert [path[-7:-4] for path in load(folder).inputs] == chosen
    (lists / "trainval.txt").write_text("000\n023\n")
    with pytest.raises(InputError, match="1 of 2 images have no mask: 023"):
        load(folder)
    (lists / "trainval.txt").write_text("000\nlost\n")
    with pytest.raises(InputError, match="1 of 2 images of the lists are not there: lost"):
        load(folder)
