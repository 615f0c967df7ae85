"""From a file, a folder or a hub id to named tensors. Nothing in a file is ever run."""

import importlib
import json
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from netwright.errors import InputError
from netwright.weights.input import Input

PICKLES = (".pth", ".pt", ".bin")
# What a folder is searched for, the first that is there.
NAMES = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
CONFIGS = ("config.json", "preprocessor_config.json")
# Under what a checkpoint of a training keeps its tensors, the running average first.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model", "module")


def load(source: str | Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU.

    `source` is a file (.safetensors, or a PyTorch file .pth, .pt, .bin that holds tensors alone), a folder with
    such a file, in parts too, or the id of a model on the Hugging Face hub, `owner/name`.
    """
    path = find(source)
    if path.name.endswith(".index.json"):
        parts = sorted(set(json.loads(path.read_text())["weight_map"].values()))
        state: dict[str, Tensor] = {}
        for part in parts:
            state |= _tensors(_beside(source, path, part))
        return state
    return _tensors(path)


def input_of(source: str | Path) -> Input | None:
    """How images become the input of the weights, where the folder or hub says it in a configuration; else None."""
    weights = find(source)
    for name in CONFIGS:
        try:
            path = _beside(source, weights, name)
        except InputError:  # not in the cache, and no internet
            continue
        if path.is_file():
            config = json.loads(path.read_text())
            if "pretrained_cfg" in config or "image_mean" in config:
                return Input.from_config(config)
    return None


def find(source: str | Path) -> Path:
    """The file of the weights; one on the hub is downloaded into its cache."""
    path = Path(source)
    if path.is_dir():
        return _in_folder(path)
    if path.exists():
        return path
    if path.suffix in (".safetensors", *PICKLES):
        raise InputError("no such file", where=str(source))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
        offline = None
        for name in NAMES:  # without the internet, one of them may be in the cache
            try:
                found = _from_hub(str(source), name)
            except InputError as error:
                offline = error
                continue
            if found is not None:
                return found
        if offline is not None:
            raise offline
        raise InputError(f"it holds none of {', '.join(NAMES)}", where=str(source), fix="give the file itself")
    fix = "give a .safetensors, .pth, .pt or .bin file, a folder with one, or a hub id as owner/name"
    raise InputError("no such file or folder, and no hub id", where=str(source), fix=fix)


def _in_folder(folder: Path) -> Path:
    for name in NAMES:
        if (folder / name).is_file():
            return folder / name
    for kinds in ((".safetensors",), PICKLES):
        found = sorted(path for path in folder.iterdir() if path.suffix in kinds)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found[:5])
            raise InputError(f"several files of weights: {names}", where=str(folder), fix="give the file itself")
    raise InputError("no .safetensors, .pth, .pt or .bin file in it", where=str(folder))


def _beside(source: str | Path, path: Path, name: str) -> Path:
    """A file beside the weights, whether it is there or not; from the hub, if that is where they came from."""
    if Path(source).exists():
        return path.parent / name
    return _from_hub(str(source), name) or path.parent / name


def _from_hub(repository: str, name: str) -> Path | None:
    """The file in the hub's local cache, downloaded if needed; None where the repository has none of that name."""
    try:
        hub = importlib.import_module("huggingface_hub")
        errors = importlib.import_module("huggingface_hub.errors")
    except ImportError as error:
        fix = "pip install huggingface_hub, or give a file that you have"
        raise InputError(f"{repository} would come from the hub", fix=fix) from error
    try:
        return Path(hub.hf_hub_download(repository, name))
    except errors.LocalEntryNotFoundError as error:
        fix = "connect to the internet, or give a file that you have"
        raise InputError("neither the hub nor its cache here can be read", where=repository, fix=fix) from error
    except errors.EntryNotFoundError:
        return None
    except errors.RepositoryNotFoundError as error:
        fix = "check the name; a private one needs `hf auth login`"
        raise InputError("no such model on the hub, and no such file here", where=repository, fix=fix) from error
    except (OSError, errors.HfHubHTTPError) as error:
        fix = "connect to the internet, or give a file that you have"
        raise InputError(f"the hub can't be reached: {error}", where=repository, fix=fix) from error


def _tensors(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError("no such file", where=str(path))
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise InputError(f"this is no safetensors file: {error}", where=str(path)) from error
    if path.suffix not in PICKLES:
        fix = "give a .safetensors, .pth, .pt or .bin file"
        raise InputError(f"files that end in {path.suffix!r} are not read", where=str(path), fix=fix)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        fix = "save its state_dict() and load that: whatever else a file holds could run code"
        raise InputError("the file holds more than tensors, or is broken", where=str(path), fix=fix) from error
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise InputError(f"this is no file of PyTorch: {error}", where=str(path)) from error
    return _unwrapped(found, path)


def _unwrapped(found: Any, path: Path) -> dict[str, Tensor]:
    """The state dict out of a checkpoint of training, without the prefix that parallel training leaves."""
    for name in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
            break
    if not isinstance(found, Mapping) or not found or not all(isinstance(x, Tensor) for x in found.values()):
        raise InputError("no state dict (names with tensors) in the file", where=str(path))
    if all(key.startswith("module.") for key in found):
        return {key.removeprefix("module."): value for key, value in found.items()}
    return dict(found)
