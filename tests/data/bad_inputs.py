"""Bad inputs: what a person may give, as command-line arguments, and what the message must say.

`make(folder)` writes the files that it needs and returns the source and its options
(--target, --text, --group, --time-column, --test, --task, --drop).
"""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image


@dataclass
class BadInput:
    """One bad input; `expect` are parts of the message: what, where, what to do."""

    id: str
    make: Callable[[Path], list[str]]
    expect: tuple[str, ...]


BAD_INPUTS: list[BadInput] = []


def bad(*expect: str) -> Callable:
    """Register a maker under its function's name."""

    def register(make: Callable[[Path], list[str]]) -> Callable[[Path], list[str]]:
        BAD_INPUTS.append(BadInput(make.__name__.replace("_", "-"), make, expect))
        return make

    return register


# A good table, from which the bad ones differ in one thing.


def good(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "income": rng.normal(3000, 700, rows).round(1),
            "city": rng.choice(["Bern", "Graz", "Lyon"], rows),
            "price": rng.normal(100, 20, rows).round(2),
            "label": np.tile(["no", "yes"], rows // 2 + 1)[:rows],
        }
    )


def table(folder: Path, frame: pd.DataFrame, *options: str, name: str = "data.csv") -> list[str]:
    frame.to_csv(folder / name, index=False)
    return [str(folder / name), *options]


def text_file(folder: Path, content: str | bytes, *options: str, name: str = "data.csv") -> list[str]:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [str(path), *(options or ("--target", "label"))]


def arrays(folder: Path, *options: str, **contents: Any) -> list[str]:
    np.savez(folder / "data.npz", **contents)
    return [str(folder / "data.npz"), *options]


def images(folder: Path, counts: dict[str, int]) -> Path:
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(rng.integers(0, 255, (20, 24, 3), dtype=np.uint8)).save(folder / name / f"{i}.png")
    return folder


def jpeg(side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)).save(
        buffer, format="JPEG"
    )
    return buffer.getvalue()


# Files


@bad("there is no such file", "nowhere.csv")
def missing_file(folder: Path) -> list[str]:
    return [str(folder / "nowhere.csv"), "--target", "label"]


@bad("there is no such file", "did you mean 'houses.csv'")
def misspelt_file(folder: Path) -> list[str]:
    table(folder, good(), name="houses.csv")
    return [str(folder / "house.csv"), "--target", "price"]


@bad("did you mean 'digits'", "breast_cancer")
def misspelt_name(folder: Path) -> list[str]:
    return ["digit"]


@bad(".xlsx", "save the sheet as CSV")
def spreadsheet(folder: Path) -> list[str]:
    return text_file(folder, b"PK\x03\x04", name="data.xlsx")


@bad("a pickle can run code", "Parquet")
def pickle_file(folder: Path) -> list[str]:
    good().to_pickle(folder / "data.pkl")
    return [str(folder / "data.pkl"), "--target", "label"]


@bad("no suffix", "CSV, TSV, Parquet")
def no_suffix(folder: Path) -> list[str]:
    return text_file(folder, "a,label\n1,2\n", name="data")


@bad("the file is empty")
def empty_file(folder: Path) -> list[str]:
    return text_file(folder, "")


@bad("the file is empty")
def blank_lines(folder: Path) -> list[str]:
    return text_file(folder, "\n\n  \n")


@bad("column names (age, label) but no rows")
def header_only(folder: Path) -> list[str]:
    return text_file(folder, "age,label\n")


@bad("looks like data, not like column names", "5.1")
def no_header(folder: Path) -> list[str]:
    return text_file(folder, "5.1,3.5,1\n4.9,3.0,0\n" * 20)


@bad("line 3", "byte 0xe9", "not UTF-8", "iconv")
def latin_1(folder: Path) -> list[str]:
    return text_file(folder, "name,label\nAnna,yes\nRen\xe9,no\n".encode("latin-1"))


@bad("UTF-16", "iconv")
def utf_16(folder: Path) -> list[str]:
    return text_file(folder, good().to_csv(index=False).encode("utf-16"))


@bad("zero byte", "binary")
def binary_file(folder: Path) -> list[str]:
    return text_file(folder, b"a,label\n1,\0\0\0\n")


@bad("can't be read", "gzip")
def damaged_gzip(folder: Path) -> list[str]:
    content = gzip.compress(good().to_csv(index=False).encode())
    return text_file(folder, content[: len(content) // 2].replace(b"\x1f\x8b", b"xx"), name="data.csv.gz")


@bad("line 4: 4 fields where the header has 3", "double quotes")
def ragged_more(folder: Path) -> list[str]:
    return text_file(folder, "a,b,label\n1,2,x\n3,4,y\n5,6,7,x\n" + "1,2,x\n" * 20)


@bad("line 3: 2 fields where the header has 3", "2 lines")
def ragged_fewer(folder: Path) -> list[str]:
    return text_file(folder, "a,b,label\n1,2,x\n3,4\n5,6\n" + "1,2,x\n" * 40)


@bad("line 5", "quotation mark")
def open_quote(folder: Path) -> list[str]:
    return text_file(folder, "a,b,label\n" + "1,2,x\n" * 3 + '3,"open,y\n' + "1,2,x\n" * 20)


@bad("'age' occurs more than once", "columns 1, 3")
def duplicated_columns(folder: Path) -> list[str]:
    return text_file(folder, "age,b,age,label\n" + "1,2,3,x\n4,5,6,y\n" * 10)


@bad("'age' occurs more than once")
def duplicated_but_for_spaces(folder: Path) -> list[str]:
    return text_file(folder, "age, age,label\n" + "1,2,x\n4,5,y\n" * 10)


@bad("3 rows of data", "at least 10")
def three_rows(folder: Path) -> list[str]:
    return table(folder, good(3), "--target", "label")


@bad("9 rows of data", "at least 10")
def nine_rows(folder: Path) -> list[str]:
    return table(folder, good(9), "--target", "price")


# Targets


@bad("no target is given", "age, income, city, price, label", "--target")
def no_target(folder: Path) -> list[str]:
    return table(folder, good())


@bad("no column 'prise'", "did you mean 'price'", "age, income")
def unknown_target(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "prise")


@bad("only one class", "'yes'", "target 'label'")
def one_class(folder: Path) -> list[str]:
    return table(folder, good().assign(label="yes"), "--target", "label")


@bad("all 60 rows have the same value", "target 'price'")
def constant_number(folder: Path) -> list[str]:
    return table(folder, good().assign(price=5), "--target", "price")


@bad("2 of 60 values are missing", "rows 1 and 4", "delete these rows")
def target_missing(folder: Path) -> list[str]:
    frame = good()
    frame.loc[[0, 3], "price"] = np.nan
    return table(folder, frame, "--target", "price")


@bad("every value is missing", "target 'price'")
def target_all_missing(folder: Path) -> list[str]:
    return table(folder, good().assign(price=np.nan), "--target", "price")


@bad("infinite", "column 'price'", "row 6")
def target_infinite(folder: Path) -> list[str]:
    frame = good()
    frame.loc[5, "price"] = np.inf
    return table(folder, frame, "--target", "price")


@bad("60 classes in 60 rows", "target 'name'")
def target_is_a_name(folder: Path) -> list[str]:
    return table(folder, good().assign(name=[f"n{i}" for i in range(60)]), "--target", "name")


@bad("plain numbers (12.5, not $12.50)")
def target_with_currency(folder: Path) -> list[str]:
    return table(folder, good().assign(price=[f"${i}.50" for i in range(60)]), "--target", "price")


@bad("120,000 classes", "choose a target whose values repeat")
def million_level_target(folder: Path) -> list[str]:
    frame = pd.DataFrame({"x": np.arange(120_000) % 7, "label": [f"c{i}" for i in range(120_000)]})
    return table(folder, frame, "--target", "label")


@bad("it holds dates", "days since")
def target_of_dates(folder: Path) -> list[str]:
    good().assign(day=pd.date_range("2024-01-01", periods=60)).to_parquet(folder / "data.parquet")
    return [str(folder / "data.parquet"), "--target", "day"]


@bad("regression needs numbers", "'no'")
def regression_of_words(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--task", "regression")


@bad("3 classes", "can't be binary", "--task multiclass")
def binary_of_three(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "city", "--task", "binary")


@bad("'label' is given both as", "--group", "--target")
def group_is_the_target(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--group", "label")


@bad("'label' is given both as", "--text", "--target")
def text_is_the_target(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--text", "label")


# Columns


@bad("infinite values in rows 3 and 8", "column 'income'", "replace them")
def infinite_values(folder: Path) -> list[str]:
    frame = good()
    frame.loc[[2, 7], "income"] = [np.inf, -np.inf]
    return table(folder, frame, "--target", "label")


@bad("infinite values in row 2", "column 'age'")
def overflowing_number(folder: Path) -> list[str]:
    return text_file(folder, "age,label\n1,x\n1e999,y\n" + "3,x\n4,y\n" * 10)


@bad("none of the columns can be used", "a: every value is missing")
def all_missing_columns(folder: Path) -> list[str]:
    frame = good().assign(a=np.nan, b=np.nan)[["a", "b", "label"]]
    return table(folder, frame, "--target", "label")


@bad("none of the columns can be used", "user_id", "it counts the rows")
def only_an_identifier(folder: Path) -> list[str]:
    return table(folder, good().assign(user_id=range(60))[["user_id", "label"]], "--target", "label")


@bad("none of the columns can be used", "every row holds 1")
def only_a_constant(folder: Path) -> list[str]:
    return table(folder, good().assign(one=1)[["one", "label"]], "--target", "label")


@bad("none of the columns can be used", "--text review")
def only_text(folder: Path) -> list[str]:
    frame = good().assign(review=[f"a long story about the thing number {i}" for i in range(60)])
    return table(folder, frame[["review", "label"]], "--target", "label")


@bad("110,000 different categories", "column 'user'", "--drop user", "coarser")
def million_level_category(folder: Path) -> list[str]:
    users = [f"u{i % 110_000}" for i in range(220_000)]
    return table(folder, pd.DataFrame({"user": users, "label": np.arange(220_000) // 7 % 2}), "--target", "label")


@bad("no columns besides the target")
def only_the_target(folder: Path) -> list[str]:
    return table(folder, good()[["label"]], "--target", "label")


@bad("no column 'incom' (--drop)", "did you mean 'income'")
def unknown_dropped(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--drop", "incom")


@bad("no columns besides the target")
def everything_dropped(folder: Path) -> list[str]:
    return table(folder, good()[["age", "label"]], "--target", "label", "--drop", "age")


# Text


@bad("no column 'revue' (--text)", "choose one of the columns")
def unknown_text(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--text", "revue")


@bad("'income' holds float64 values, not text")
def text_of_numbers(folder: Path) -> list[str]:
    return _parquet(folder, good(), "--target", "label", "--text", "income")


@bad("every text in the training rows is empty", "column 'review'")
def empty_texts(folder: Path) -> list[str]:
    return table(folder, good().assign(review=" "), "--target", "label", "--text", "review")


# Groups and time


@bad("no column 'patient' (--group)")
def unknown_group(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--group", "patient")


@bad("1 rows have no group", "row 5", "column 'site'")
def group_missing(folder: Path) -> list[str]:
    frame = good().assign(site=[f"s{i % 7}" for i in range(60)])
    frame.loc[4, "site"] = None
    return table(folder, frame, "--target", "label", "--group", "site")


@bad("it holds 1 group", "column 'site'", "finer --group")
def one_group(folder: Path) -> list[str]:
    return table(folder, good().assign(site="a"), "--target", "label", "--group", "site")


@bad("3 groups can't be divided", "finer --group")
def groups_nest_in_classes(folder: Path) -> list[str]:
    frame = good().assign(label=lambda f: f.city)
    return table(folder, frame.assign(site=frame.city), "--target", "label", "--group", "site")


@bad("no column 'day' (--time-column)")
def unknown_time(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--time-column", "day")


@bad("neither dates nor numbers", "column 'city'")
def time_of_words(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--time-column", "city")


@bad("1 rows have no time", "row 3", "column 'day'")
def time_missing(folder: Path) -> list[str]:
    frame = good().assign(day=[f"2024-01-{i % 28 + 1:02}" for i in range(60)])
    frame.loc[2, "day"] = None
    return table(folder, frame, "--target", "label", "--time-column", "day")


@bad("only 1 different times", "--time-column day")
def one_time(folder: Path) -> list[str]:
    return table(folder, good().assign(day="2024-01-01"), "--target", "label", "--time-column", "day")


@bad("the classes late", "only in the latest rows")
def class_only_later(folder: Path) -> list[str]:
    frame = good().assign(year=range(60))
    frame.loc[58:, "label"] = "late"
    return table(folder, frame, "--target", "label", "--time-column", "year")


@bad("by group or by time, not by both")
def group_and_time(folder: Path) -> list[str]:
    frame = good().assign(year=range(60), site=[f"s{i % 7}" for i in range(60)])
    return table(folder, frame, "--target", "label", "--group", "site", "--time-column", "year")


# A test part of one's own


@bad("there is no such file", "test.csv")
def missing_test(folder: Path) -> list[str]:
    return table(folder, good(), "--target", "label", "--test", str(folder / "test.csv"))


def with_test(folder: Path, test: pd.DataFrame, target: str = "label") -> list[str]:
    test.to_csv(folder / "test.csv", index=False)
    return table(folder, good(), "--target", target, "--test", str(folder / "test.csv"))


@bad("the test part lacks the columns income", "test.csv")
def test_lacks_a_column(folder: Path) -> list[str]:
    return with_test(folder, good().drop(columns="income"))


@bad("no column 'label' (--target)", "test.csv")
def test_lacks_the_target(folder: Path) -> list[str]:
    return with_test(folder, good().drop(columns="label"))


@bad("classes that the data lack: maybe", "test.csv", "no, yes")
def test_has_another_class(folder: Path) -> list[str]:
    return with_test(folder, good().assign(label="maybe"))


@bad("no rows", "test.csv")
def test_without_rows(folder: Path) -> list[str]:
    return with_test(folder, good().iloc[:0])


@bad("1 row of data", "test.csv", "at least 2")
def test_of_one_row(folder: Path) -> list[str]:
    return with_test(folder, good(1))


@bad("column 'age' holds numbers in the data but 'old' here", "row 1", "test.csv")
def test_with_words_for_numbers(folder: Path) -> list[str]:
    return with_test(folder, good().assign(age="old"))


@bad("values are missing", "test.csv", "target 'price'")
def test_target_missing(folder: Path) -> list[str]:
    return with_test(folder, good().assign(price=[None, *range(59)]), "price")


@bad("the test part is of another kind (table)")
def test_of_another_kind(folder: Path) -> list[str]:
    table(folder, good().rename(columns={"label": "target"}), name="test.csv")
    return ["digits", "--test", str(folder / "test.csv")]


# JSON lines and Parquet


@bad("this is not JSON", "line 2, column 9")
def broken_json(folder: Path) -> list[str]:
    return text_file(folder, '{"a": 1, "label": "x"}\n{"a": 1,\n', name="data.jsonl")


@bad("there is a list, not an object", "line 2")
def json_of_lists(folder: Path) -> list[str]:
    return text_file(folder, '{"a": 1, "label": "x"}\n[1, "y"]\n', name="data.jsonl")


@bad("'a' occurs more than once in one object", "line 1")
def json_name_twice(folder: Path) -> list[str]:
    return text_file(folder, '{"a": 1, "a": 2, "label": "x"}\n', name="data.jsonl")


@bad("row 1 holds a list", "column 'tags'", "--drop")
def json_nested(folder: Path) -> list[str]:
    lines = [json.dumps({"tags": ["a", "b"], "label": "xy"[i % 2]}) for i in range(20)]
    return text_file(folder, "\n".join(lines), name="data.jsonl")


@bad("infinite values in row 3", "column 'a'")
def json_infinity(folder: Path) -> list[str]:
    lines = ['{"a": %s, "label": "%s"}' % ("Infinity" if i == 2 else i, "xy"[i % 2]) for i in range(20)]  # noqa: UP031
    return text_file(folder, "\n".join(lines), name="data.jsonl")


def _parquet(folder: Path, frame: pd.DataFrame, *options: str) -> list[str]:
    frame.to_parquet(folder / "data.parquet")
    return [str(folder / "data.parquet"), *options]


@bad("not a readable Parquet file", "cut off")
def truncated_parquet(folder: Path) -> list[str]:
    arguments = _parquet(folder, good(), "--target", "label")
    path = Path(arguments[0])
    path.write_bytes(path.read_bytes()[:200])
    return arguments


@bad("row 1 holds a", "column 'path'", "flatten")
def nested_parquet(folder: Path) -> list[str]:
    return _parquet(folder, good().assign(path=[[1, 2]] * 60), "--target", "label")


# Arrays

X = np.random.default_rng(0).normal(size=(40, 6, 6)).astype(np.float32)
Y = np.arange(40) % 2


@bad("not a readable NumPy file", "cut off")
def truncated_arrays(folder: Path) -> list[str]:
    arguments = arrays(folder, x=X, y=Y)
    path = Path(arguments[0])
    path.write_bytes(path.read_bytes()[:400])
    return arguments


@bad("ragged or object arrays", "every row has the same shape")
def ragged_arrays(folder: Path) -> list[str]:
    ragged = np.array([np.zeros(i % 3 + 1) for i in range(40)], dtype=object)
    return arrays(folder, x=ragged, y=Y)


@bad("no array of labels", "x and y")
def arrays_without_labels(folder: Path) -> list[str]:
    return arrays(folder, x=X)


@bad("no array of inputs", "a, b")
def arrays_of_unknown_names(folder: Path) -> list[str]:
    return arrays(folder, a=X, b=Y)


@bad("no array 'lables'", "did you mean 'labels'")
def unknown_label_array(folder: Path) -> list[str]:
    return arrays(folder, "--target", "lables", x=X, labels=Y)


@bad("40 inputs but 39 labels")
def labels_of_another_length(folder: Path) -> list[str]:
    return arrays(folder, x=X, y=Y[1:])


@bad("labels of shape (40, 2)", "one label for each row")
def labels_of_two_columns(folder: Path) -> list[str]:
    return arrays(folder, x=X, y=np.ones((40, 2)))


@bad("inputs of shape (40,)", "(N, H, W)")
def flat_inputs(folder: Path) -> list[str]:
    return arrays(folder, x=np.arange(40.0), y=Y)


@bad("inputs of shape (40, 2, 3, 4, 5)")
def five_axes(folder: Path) -> list[str]:
    return arrays(folder, x=np.zeros((40, 2, 3, 4, 5)), y=Y)


@bad("1 images hold NaN or infinite values", "index 7")
def images_with_nan(folder: Path) -> list[str]:
    x = X.copy()
    x[7, 0, 0] = np.nan
    return arrays(folder, x=x, y=Y)


@bad("infinite values in row 8", "column 'x2'")
def table_array_with_infinity(folder: Path) -> list[str]:
    x = X[:, 0].copy()
    x[7, 2] = np.inf
    return arrays(folder, x=x, y=Y)


@bad("test array 'x_test' without its counterpart")
def test_array_without_labels(folder: Path) -> list[str]:
    return arrays(folder, x_train=X, y_train=Y, x_test=X)


@bad("the test images have the shape (5, 5)")
def test_arrays_of_another_size(folder: Path) -> list[str]:
    return arrays(folder, x_train=X, y_train=Y, x_test=X[:, :5, :5], y_test=Y)


@bad("NPY file holds inputs only", "--target labels.npy")
def npy_without_labels(folder: Path) -> list[str]:
    np.save(folder / "x.npy", X)
    return [str(folder / "x.npy")]


@bad("no file of labels 'y.npy'")
def npy_with_missing_labels(folder: Path) -> list[str]:
    np.save(folder / "x.npy", X)
    return [str(folder / "x.npy"), "--target", "y.npy"]


@bad("4 rows of data", "at least 10")
def few_arrays(folder: Path) -> list[str]:
    return arrays(folder, x=X[:4], y=Y[:4])


# Folders of images


@bad("the folder is empty", "sub-folder with the class's name")
def empty_folder(folder: Path) -> list[str]:
    (folder / "photos").mkdir()
    return [str(folder / "photos")]


@bad("12 images but no class folders", "photos/cat/1.jpg")
def no_class_folders(folder: Path) -> list[str]:
    return [str(images(folder / "all", {"photos": 12}) / "photos")]


@bad("there are no images", "data.csv")
def folder_of_tables(folder: Path) -> list[str]:
    (folder / "tables").mkdir()
    table(folder / "tables", good())
    return [str(folder / "tables")]


@bad("no images in the class folder dog", "every folder is a class")
def class_without_images(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 12, "dog": 0, "hen": 12}))]


@bad("no images in any of its folders")
def folders_without_images(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 0, "dog": 0}))]


@bad("only one class, 'cat'")
def folder_of_one_class(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 12}))]


@bad("only one class, 'inner'", "its folders are the classes")
def folder_in_folder(folder: Path) -> list[str]:
    images(folder / "photos" / "inner", {"cat": 8, "dog": 8})
    return [str(folder / "photos")]


@bad("1 of 25 images can't be read", "cut.jpg", "truncated", "replace or delete")
def truncated_image(folder: Path) -> list[str]:
    photos = images(folder / "photos", {"cat": 12, "dog": 12})
    (photos / "cat" / "cut.jpg").write_bytes(jpeg()[:1500])
    return [str(photos)]


@bad("1 of 25 images can't be read", "page.png: this is not an image")
def page_named_image(folder: Path) -> list[str]:
    photos = images(folder / "photos", {"cat": 12, "dog": 12})
    (photos / "dog" / "page.png").write_text("<html>404</html>")
    return [str(photos)]


@bad("empty.png: the file is empty")
def empty_image(folder: Path) -> list[str]:
    photos = images(folder / "photos", {"cat": 12, "dog": 12})
    (photos / "dog" / "empty.png").touch()
    return [str(photos)]


@bad("dot.png: it has only 1 × 1 pixels")
def image_of_one_pixel(folder: Path) -> list[str]:
    photos = images(folder / "photos", {"cat": 12, "dog": 12})
    Image.new("L", (1, 1)).save(photos / "dog" / "dot.png")
    return [str(photos)]


@bad("float.tif", "floating-point numbers")
def image_of_floats(folder: Path) -> list[str]:
    photos = images(folder / "photos", {"cat": 12, "dog": 12})
    Image.fromarray(np.zeros((9, 9), dtype=np.float32)).save(photos / "dog" / "float.tif")
    return [str(photos)]


@bad("6 rows of data", "at least 10")
def few_images(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 3, "dog": 3}))]


@bad("no target column", "leave --target out")
def target_for_a_folder(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 12, "dog": 12})), "--target", "cat"]


@bad("--group names a column, but images have no columns")
def group_for_a_folder(folder: Path) -> list[str]:
    return [str(images(folder / "photos", {"cat": 12, "dog": 12})), "--group", "cat"]


@bad("classes that the data lack: cow")
def test_folder_with_another_class(folder: Path) -> list[str]:
    images(folder / "photos" / "train", {"cat": 12, "dog": 12})
    images(folder / "photos" / "test", {"cat": 3, "cow": 3})
    return [str(folder / "photos")]


@bad("a test part of their own", "leave out --test")
def test_given_twice(folder: Path) -> list[str]:
    images(folder / "photos" / "train", {"cat": 12, "dog": 12})
    images(folder / "photos" / "test", {"cat": 3, "dog": 3})
    return [str(folder / "photos"), "--test", str(folder / "photos" / "test")]
