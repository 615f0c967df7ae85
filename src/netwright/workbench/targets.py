"""What a person calls a network on the command line → the module, on the meta device where it can be made there.

    design.yaml · resnet50, vit:base · timm:NAME · torchvision:NAME · transformers:FOLDER ·
    mynet.py:Net · package.module:attribute · model.pt2 · model.onnx (of which there is a Blueprint and no module)

A Python file, a package and a transformers class are run; everything else is read as data.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from netwright.advise.networks import example
from netwright.design import Design, Entry, Spec, build
from netwright.design.library import registry
from netwright.errors import InputError

SUFFIXES = (".yaml", ".yml")
KNOWN = "a design.yaml, a name of `netwright list presets`, timm:NAME, torchvision:NAME, transformers:FOLDER, "
KNOWN += "file.py:Class, package.module:attribute, a model.pt2 or a model.onnx"


@dataclass
class Target:
    """A module by its name; `inputs` are known where the target says them, and `notes` what was done to get it.

    `make` makes it anew, with memory and its own random weights; a family's or design's takes other arguments too:
    `arguments` are those that it was made with, defaults included.
    """

    name: str
    module: nn.Module
    inputs: Any = None
    notes: list[str] = field(default_factory=list)
    make: Callable[..., nn.Module] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


def find(name: str | Path) -> Target:
    """The network of this name; InputError says what names there are."""
    name = str(name)
    scheme, _, rest = name.partition(":")
    if Path(name).suffix in SUFFIXES:
        return _design(name)
    if is_onnx(name):
        raise InputError("an ONNX file is read as data: there is no module", where=name, fix="use inspect or diff")
    if Path(name).suffix == ".pt2":
        return _exported(name)
    if scheme in LIBRARIES and rest:
        return LIBRARIES[scheme](name, rest)
    if scheme.endswith(".py"):
        return _of_file(name, Path(scheme), rest)
    if rest and "." in scheme:
        return _of_package(name, scheme, rest)
    return _family(name)


def is_onnx(name: str | Path) -> bool:
    return Path(name).suffix == ".onnx"


def _design(name: str) -> Target:
    design = Design.load(name)
    inputs = example(design.inputs, device="meta") if design.inputs else None
    arguments = _arguments(*registry().family(design.model.name), design.model.args)
    return Target(design.name, on_meta(design.build), inputs, make=design.build, arguments=arguments)


def _family(name: str) -> Target:
    try:
        entry, preset = registry().family(name, "target")
    except InputError as error:
        if Path(name).exists():
            raise InputError("is no network that can be inspected", where=name, fix=f"give {KNOWN}") from error
        raise InputError(str(error), fix=f"or give {KNOWN}") from error
    contract = {n: p.default for n, p in entry.parameters.items() if n in _DATA and not p.required}
    contract |= dict(entry.presets[preset].get("inputs", {})) if preset is not None else {}
    known = {key: value for key, value in contract.items() if value is not None}
    inputs = example(known, device="meta") if _enough(known) else None
    make = partial(build, name)
    return Target(name, on_meta(make), inputs, make=make, arguments=_arguments(entry, preset, {}))


def _arguments(entry: Entry, preset: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """All that a family's constructor is called with, as plain data: its defaults, the preset's, and those given."""
    defaults = {name: p.default for name, p in entry.settable.items() if not p.required}
    stored = entry.presets[preset].get("args", {}) if preset is not None else {}
    return Spec(entry.name, {**defaults, **stored, **given}).args


_DATA = ("in_channels", "image_size", "num_features", "cardinalities", "vocab_size", "max_length")


def _enough(contract: Mapping[str, Any]) -> bool:
    return bool({"in_channels", "vocab_size", "num_features"} & set(contract))


def _timm(name: str, model: str) -> Target:
    torchvision()  # which timm imports
    return _made(name, lambda: _library("timm").create_model(model, pretrained=False))


def _made(name: str, make: Callable[[], nn.Module], notes: Sequence[str] = ()) -> Target:
    return Target(name, on_meta(make, name), notes=list(notes), make=make)


def _torchvision(name: str, model: str) -> Target:
    models = torchvision().models
    if model not in models.list_models():
        near = [other for other in models.list_models() if model.lower() in other]
        raise InputError(
            f"torchvision has no {model!r}", where=name, fix=f"one of {', '.join(near[:5] or ['resnet50', '…'])}"
        )
    options = {"weights": None}
    if model in models.list_models(module=models.detection) + models.list_models(module=models.segmentation):
        options["weights_backbone"] = None
    return _made(name, lambda: models.get_model(model, **options))


def _transformers(name: str, folder: str) -> Target:
    """From the folder's config.json; the class is the library's own, never code from the folder."""
    path = Path(folder)
    if not (path / "config.json").is_file():
        raise InputError("there is no config.json", where=folder, fix="give a folder as save_pretrained writes it")
    if importlib.util.find_spec("torchvision"):
        torchvision()  # which transformers imports where it is there
    library = _library("transformers")
    config = library.AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    named = (getattr(config, "architectures", None) or [None])[0]
    cls = getattr(library, named, None) if named else None
    return _made(name, lambda: cls(config) if cls else library.AutoModel.from_config(config))


LIBRARIES: dict[str, Callable[[str, str], Target]] = {
    "timm": _timm,
    "torchvision": _torchvision,
    "transformers": _transformers,
}


def _exported(name: str) -> Target:
    if not Path(name).is_file():
        raise InputError("there is no such file", where=name)
    try:
        program = torch.export.load(name)
    except Exception as error:
        raise InputError(f"is no exported program: {error}", where=name, fix="make it with torch.export.save") from None
    args, kwargs = program.example_inputs or ((), {})
    module = program.module()
    for switch in ("train", "eval"):  # a program was exported in one mode, and refuses to be asked for another
        setattr(module, switch, lambda mode=True: module)
    return Target(Path(name).stem, module, kwargs or args or None)


def _of_file(name: str, path: Path, attribute: str) -> Target:
    if not path.is_file():
        raise InputError("there is no such file", where=str(path))
    if not attribute:
        raise InputError("which of its classes or functions?", where=name, fix=f"{name}:Net")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"running it failed: {type(error).__name__}: {error}", where=str(path)) from error
    finally:
        sys.path.pop(0)
    return _made_by(module, attribute, name, f"{path} was run to make the network")


def _of_package(name: str, package: str, attribute: str) -> Target:
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        raise InputError(f"can't be imported: {error}", where=package) from error
    return _made_by(module, attribute, name, f"{package} was imported to make the network")


def _made_by(module: ModuleType, attribute: str, name: str, note: str) -> Target:
    """The module itself, or what the class or function gives when it is called with its defaults."""
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            nets = [n for n, v in vars(module).items() if isinstance(v, type) and issubclass(v, nn.Module)]
            raise InputError(f"there is no {part!r}", where=name, fix=f"one of {', '.join(nets)}" if nets else "")
        found = getattr(found, part)
    if isinstance(found, nn.Module):
        return Target(name, found, notes=[note])
    made = _made(name, found, [note]) if callable(found) else None
    if made is None or not isinstance(made.module, nn.Module):
        raise InputError(f"is no nn.Module but {type(made.module if made else found).__name__}", where=name)
    return made


def on_meta(make: Callable[[], Any], name: str = "") -> nn.Module:
    """Made without memory; constructors that read values are called again on the CPU."""
    try:
        with torch.device("meta"):
            return make()
    except InputError:
        raise
    except Exception:
        try:
            return make()
        except Exception as error:
            fix = "a class is called without arguments: give a function that makes it"
            raise InputError(f"could not be made: {type(error).__name__}: {error}", where=name, fix=fix) from error


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(f"{name} can't be imported: {error}", where=f"{name}:…", fix=f"pip install {name}") from error


def torchvision() -> Any:
    """torchvision; beside another build of torch than its own its two C++ operators are declared, and boxes suppressed
    by plain torch."""
    spec = importlib.util.find_spec("torchvision")
    if spec is not None and spec.origin and "torchvision" not in sys.modules:
        try:
            torch.ops.load_library(str(Path(spec.origin).parent / "_C.so"))
        except OSError:
            declared = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
            declared.impl("nms", suppressed, "CPU")
            _DECLARED.append(declared)
            _library("torchvision.ops.boxes")._assert_has_ops = lambda: None
    return _library("torchvision")


_DECLARED: list[torch.library.Library] = []  # a library's declarations go with the object


def suppressed(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Non-maximum suppression: which of the boxes (N, 4) stay, the best first. One goes where it shares more than
    the threshold of its union with a better one that stays."""
    order = scores.argsort(descending=True, stable=True)
    low, high = boxes[order].split(2, dim=1)
    area = (high - low).prod(1)
    kept, left = [], torch.arange(len(order))
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        shared = (torch.minimum(high[best], high[left]) - torch.maximum(low[best], low[left])).clamp(min=0).prod(1)
        left = left[shared <= iou_threshold * (area[best] + area[left] - shared)]
    return order[torch.stack(kept)] if kept else order
