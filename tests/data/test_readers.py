"""Readers: the same data through every format, and what is said about how it was read."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from netwright.data import BUNDLED, Dataset, load, profile
from netwright.errors import InputError
from tests.data.bad_inputs import good, images


@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.parquet", "data.jsonl", "data.json", "data.csv.gz"])
def test_every_format_gives_the_same_table(name: str, tmp_path: Path) -> None:
    path, frame = tmp_path / name, good()
    if ".csv" in name:
        frame.to_csv(path, index=False)
    elif name == "data.tsv":
        frame.to_csv(path, index=False, sep="\t")
    elif name == "data.parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=name == "data.jsonl")
    dataset = load(path, target="label")
    expected = load(frame, target="label")
    pd.testing.assert_frame_equal(dataset.inputs, expected.inputs, check_dtype=False)
    assert dataset.target.tolist() == frame.label.tolist()
    assert dataset.name == "data" and dataset.modality == "table" and len(dataset) == 60


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found_and_said(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    good().assign(note="a, b; c | d").to_csv(path, index=False, sep=separator, quoting=1)
    dataset = load(path, target="label")
    assert list(dataset.inputs) == ["age", "income", "city", "price", "note"]
    assert dataset.reading["separator"] == separator
    assert bool(dataset.notes) == (separator != ",")


def test_decimal_comma(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    good().to_csv(path, index=False, sep=";", decimal=",")
    dataset = load(path, target="label")
    assert dataset.inputs["income"].tolist() == good()["income"].tolist()
    assert dataset.reading["decimal"] == "," and any("decimal mark" in note for note in dataset.notes)


def test_quoted_newlines_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = "".join(f'"line {i}\nof ""two"", words",{i % 2}\n\n' for i in range(12))
    path.write_bytes(b"\xef\xbb\xbf" + f"review , label\n{rows}".encode())
    dataset = load(path, target="label", text="review")
    assert dataset.modality == "text" and len(dataset) == 12
    assert dataset.inputs["review"][0] == 'line 0\nof "two", words'


def test_the_text_na_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    pd.DataFrame({"word": ["NA", "null", "", "yes"] * 5, "y": [0, 1] * 10, "z": ["NA", "b"] * 10}).to_csv(path)
    dataset = load(path, target="y", text="word")
    assert dataset.inputs["word"].tolist()[:4] == ["NA", "null", "", "yes"]
    assert dataset.extra is not None and dataset.extra["z"].isna().sum() == 10
    assert any("not used" in note for note in dataset.notes)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled(name: str) -> None:
    dataset = load(name)
    rows = {"breast_cancer": 569, "diabetes": 442, "digits": 1797, "iris": 150, "wine": 178}
    assert len(dataset) == rows[name] and dataset.name == name
    if name == "digits":
        assert dataset.inputs.shape == (1797, 8, 8) and dataset.inputs.max() == 16
        assert dataset.inputs.dtype == np.uint8


def test_a_path_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    images(tmp_path / "digits", {"one": 6, "two": 6})
    dataset = load("digits")
    assert len(dataset) == 12 and any("scikit-learn" in note for note in dataset.notes)


def test_another_target_of_a_bundled_set() -> None:
    dataset = load("iris", target="petal width (cm)")
    assert dataset.target_name == "petal width (cm)" and "target" in dataset.inputs


@pytest.mark.parametrize("keys", [("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target")])
def test_npz_names(keys: tuple[str, str], tmp_path: Path) -> None:
    x, y = np.arange(40 * 36, dtype=np.uint8).reshape(40, 6, 6), np.arange(40) % 4
    named: dict = {**dict(zip(keys, (x, y), strict=True)), "site": np.arange(40) % 5}
    np.savez(tmp_path / "a.npz", **named)
    dataset = load(tmp_path / "a.npz")
    assert dataset.modality == "image" and (dataset.inputs == x).all() and dataset.target.tolist() == y.tolist()
    assert dataset.column("site").tolist() == (np.arange(40) % 5).tolist()


def test_npz_with_a_test_part(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).random((40, 3, 8, 8)), np.arange(40) % 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=np.eye(2)[y], x_test=x[:9], y_test=np.eye(2)[y[:9]])
    dataset = load(tmp_path / "a.npz")
    assert dataset.inputs.shape == (40, 8, 8, 3), "channels go last"
    assert dataset.test is not None and len(dataset.test) == 9
    assert dataset.target.tolist() == y.tolist() and any("one-hot" in note for note in dataset.notes)


def test_npy_and_pairs(tmp_path: Path) -> None:
    x, y = np.random.default_rng(0).random((40, 5)), np.arange(40) % 2
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    for dataset in (load(tmp_path / "x.npy", target="y.npy"), load((x, y))):
        assert dataset.modality == "table" and list(dataset.inputs) == ["x0", "x1", "x2", "x3", "x4"]
    texts = load(([f"word {i}" for i in range(12)], ["a", "b"] * 6))
    assert texts.modality == "text" and texts.inputs["text"][3] == "word 3"
    frame = load((good().drop(columns="label"), good().label))
    assert frame.target_name == "label" and "label" not in frame.inputs


def test_folder(tmp_path: Path) -> None:
    photos = images(tmp_path / "photos", {"cat": 7, "dog": 5})
    (photos / ".DS_Store").touch()
    (photos / "__MACOSX").mkdir()
    (photos / "cat" / "notes.txt").write_text("words")
    (photos / "cat" / ".hidden.png").write_bytes(b"no image")
    (photos / "dog" / "more").mkdir()
    Image.new("RGB", (30, 10)).save(photos / "dog" / "more" / "deep.PNG")
    Image.new("RGB", (30, 10)).save(photos / "loose.png")
    dataset = load(photos)
    assert dataset.target.value_counts().to_dict() == {"cat": 7, "dog": 6}
    assert any("2 files are hidden or no images" in note for note in dataset.notes)
    assert any("no class and are not used" in note for note in dataset.notes)
    assert dataset.files is not None and dataset.files.iloc[-1][["height", "width"]].tolist() == [10, 30]


def test_folder_with_parts(tmp_path: Path) -> None:
    for part, count in (("train", 8), ("val", 3), ("test", 4)):
        images(tmp_path / "photos" / part, {"cat": count, "dog": count})
    dataset = load(tmp_path / "photos")
    assert len(dataset) == 22 and dataset.test is not None and len(dataset.test) == 8
    assert any("validation part is drawn" in note for note in dataset.notes)


def test_kinds_of_images(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("a", "b"):
        (photos / name).mkdir(parents=True)
        for i in range(5):
            Image.new("L", (9, 9)).save(photos / name / f"{i}.png")
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(photos / "a" / "deep.png")
    assert profile(load(photos)).image == {
        "height": 9,
        "width": 9,
        "channels": 1,
        "same_size": True,
        "sizes": [[9, 9, 11]],
        "modes": {"L": 10, "I;16": 1},
        "range": [0.0, 255.0],
    }
    turned = Image.new("RGB", (12, 6))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(photos / "b" / "turned.jpg", exif=exif)
    Image.new("CMYK", (8, 8)).save(photos / "b" / "print.jpg")
    dataset = load(photos)
    assert dataset.files is not None
    sizes = dict(zip((Path(p).name for p in dataset.inputs), dataset.files["height"], strict=True))
    assert sizes["turned.jpg"] == 12, "a quarter turn exchanges height and width"
    found = profile(dataset).image
    assert found is not None and found["channels"] == 3 and not found["same_size"]


def test_roles_of_columns() -> None:
    frame = good().assign(site=[f"s{i % 6}" for i in range(60)], day=pd.date_range("2024-01-01", periods=60))
    dataset = load(frame, target="label", group="site", time_column="day", drop=["city"])
    assert list(dataset.inputs) == ["age", "income", "price", "day"]
    assert dataset.column("site")[7] == "s1" and any("city" in note for note in dataset.notes)
    with pytest.raises(InputError, match="did you mean 'income'"):
        dataset.column("incme")


def test_own_test_part() -> None:
    frame = good()
    dataset = load(frame, target="label", test=frame.iloc[::-1].assign(extra=1))
    assert dataset.test is not None and list(dataset.test.inputs) == list(dataset.inputs)
    assert any("extra" in note for note in dataset.notes)


def test_types_of_columns(tmp_path: Path) -> None:
    from datetime import date, timedelta
    from decimal import Decimal

    frame = pd.DataFrame(
        {
            "decimal": pd.Series([Decimal(i) / 4 for i in range(20)], dtype=object),
            "date": pd.Series([date(2024, 1, 1) + timedelta(days=i * i) for i in range(20)], dtype=object),
            "delta": pd.to_timedelta(range(20), unit="h"),
            "nullable": pd.array([None, *range(19)], dtype="Int64"),
            "flag": pd.array([None, True, False, True] * 5, dtype="boolean"),
            "level": pd.Categorical([1, 2, 1, 3] * 5),
            "y": [0, 1] * 10,
        }
    )
    kinds = {column.name: column.kind for column in profile(load(frame, target="y")).columns}
    assert kinds == {
        "decimal": "numeric",
        "date": "date",
        "delta": "numeric",
        "nullable": "numeric",
        "flag": "boolean",
        "level": "categorical",
    }


def test_take_and_fingerprints(tmp_path: Path) -> None:
    for dataset in (load("digits"), load("iris"), load(images(tmp_path, {"a": 6, "b": 6}))):
        rows = np.array([3, 1, 1])
        part = dataset.take(rows)
        assert isinstance(part, Dataset) and len(part) == 3
        prints = part.fingerprints()
        assert prints[1] == prints[2] and (prints == dataset.fingerprints()[rows]).all()


def test_gzip_text_is_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(json.dumps({"a": i, "label": "xy"[i % 2]}) for i in range(12)))
    assert len(load(path, target="label")) == 12
    packed = tmp_path / "data.tsv.gz"
    packed.write_bytes(gzip.compress(good().to_csv(index=False, sep="\t").encode()))
    assert list(load(packed, target="label").inputs) == ["age", "income", "city", "price"]
