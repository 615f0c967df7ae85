"""Checkpoints in all their forms; what is none, or would run code, is refused with a word."""

import importlib
import json
import os
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from netwright.errors import InputError
from netwright.weights import Input, class_names, input_of, load

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == STATE.keys() and all(torch.equal(found[key], STATE[key]) for key in STATE)


@pytest.mark.parametrize("suffix", ["pth", "pt", "bin"])
def test_files_of_torch(suffix, tmp_path):
    path = tmp_path / f"x.{suffix}"
    torch.save(STATE, path)
    assert same(load(path)) and same(load(str(path))) and same(load(tmp_path))


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict", "state_dict_ema"])
def test_checkpoints_of_a_training(wrapper, tmp_path):
    path = tmp_path / "x.pth"
    other = {"state_dict": {"old": torch.ones(1)}} if wrapper == "state_dict_ema" else {}
    torch.save(other | {"epoch": 3, wrapper: {f"module.{key}": x for key, x in STATE.items()}}, path)
    assert same(load(path))


def test_safetensors_and_folders(tmp_path):
    save_file(STATE, tmp_path / "other.safetensors")
    assert same(load(tmp_path / "other.safetensors")) and same(load(tmp_path))
    save_file(STATE, tmp_path / "model.safetensors")
    torch.save({}, tmp_path / "x.pth")
    assert same(load(tmp_path))  # the usual name goes first


def test_several_parts(tmp_path):
    save_file({"a.weight": STATE["a.weight"]}, tmp_path / "model-1.safetensors")
    save_file({"a.bias": STATE["a.bias"]}, tmp_path / "model-2.safetensors")
    index = {"weight_map": {"a.weight": "model-1.safetensors", "a.bias": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert same(load(tmp_path))
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(InputError, match=r"model-2\.safetensors: no such file"):
        load(tmp_path)


class Danger:
    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_nothing_is_run(tmp_path):
    torch.save({"a": Danger(tmp_path / "made")}, tmp_path / "x.pth")
    with pytest.raises(InputError, match="holds more than tensors"):
        load(tmp_path / "x.pth")
    assert not (tmp_path / "made").exists()


def test_what_is_no_checkpoint(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(b"hello")
    (tmp_path / "x.pth").write_bytes(b"hello")
    (tmp_path / "x.h5").write_bytes(b"hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "two").mkdir()
    torch.save({"epoch": 3}, tmp_path / "two" / "a.pth")
    torch.save([1, 2], tmp_path / "two" / "b.pth")
    for name, problem in {
        "x.safetensors": "no safetensors file",
        "x.pth": "or is broken|no file of PyTorch",
        "x.h5": r"end in '\.h5' are not read",
        "empty": r"no \.safetensors",
        "two": r"several files of weights: a\.pth, b\.pth",
        "two/a.pth": "no state dict",
        "two/b.pth": "no state dict",
        "gone.pth": "no such file",
        "gone/": "no such file or folder, and no hub id",
    }.items():
        with pytest.raises(InputError, match=problem):
            load(tmp_path / name)


class Hub(types.ModuleType):
    """huggingface_hub with one model, offline or not."""

    class HfHubHTTPError(Exception): ...

    class EntryNotFoundError(HfHubHTTPError): ...

    class LocalEntryNotFoundError(EntryNotFoundError): ...

    class RepositoryNotFoundError(HfHubHTTPError): ...

    def __init__(self, folder: Path):
        super().__init__("huggingface_hub")
        self.folder, self.offline, self.cached = folder, False, set()

    def hf_hub_download(self, repository: str, name: str) -> str:
        if self.offline and name not in self.cached:
            raise self.LocalEntryNotFoundError
        if repository != "some/one":
            raise self.RepositoryNotFoundError
        if not (self.folder / name).exists():
            raise self.EntryNotFoundError
        return str(self.folder / name)


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Hub:
    made = Hub(tmp_path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", made)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", made)
    return made


def test_the_hub(hub, tmp_path):
    with pytest.raises(InputError, match=r"holds none of model\.safetensors"):
        load("some/one")
    torch.save(STATE, tmp_path / "pytorch_model.bin")
    assert same(load("some/one"))
    assert input_of("some/one") is None
    config = {"pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, 240, 240], "crop_pct": 0.9}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert input_of("some/one") == Input((0.5,) * 3, (0.5,) * 3, 240, 0.9)
    with pytest.raises(InputError, match="no such model on the hub"):
        load("some/two")
    hub.offline = True  # what is in the cache is found in any order
    with pytest.raises(InputError, match="neither the hub nor its cache"):
        load("some/one")
    hub.cached.add("pytorch_model.bin")
    assert same(load("some/one")) and input_of("some/one") is None


def test_the_hubs_errors_have_these_names():
    errors = importlib.import_module("huggingface_hub.errors")
    for name in ("EntryNotFoundError", "LocalEntryNotFoundError", "RepositoryNotFoundError", "HfHubHTTPError"):
        assert issubclass(getattr(errors, name), Exception)


def test_without_the_hubs_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match="pip install huggingface_hub"):
        load("some/one")


def test_inputs_of_transformers(tmp_path):
    torch.save(STATE, tmp_path / "x.pth")
    assert input_of(tmp_path) is None
    (tmp_path / "config.json").write_text("{}")
    for config, size, crop in [
        ({"size": {"height": 384, "width": 384}}, 384, 1.0),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, 224, 0.875),
        ({"size": 256, "crop_size": {"height": 224, "width": 224}, "do_center_crop": True}, 224, 0.875),
    ]:
        config |= {"image_mean": [0.1, 0.2, 0.3], "image_std": [1, 1, 1], "resample": 3}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
        assert input_of(tmp_path) == Input((0.1, 0.2, 0.3), (1, 1, 1), size, crop, "bicubic")


def test_class_names():
    names = class_names()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[285], names[967], names[-1]) == ("tench", "Egyptian cat", "espresso", "toilet tissue")
