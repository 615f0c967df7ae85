"""The capture: one pass over any nn.Module under a recorder gives its Blueprint.

In order, and `Blueprint.how` says which: on fakes, where nothing is computed or allocated; by a real run on the CPU,
for what depends on values (a loop over detections, experts chosen by `nonzero`); where that is too much or fails, on
fakes with hints for the values, an upper bound; or the part that the fakes saw.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from traceback import walk_tb
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint
from netwright.inspect.causal import is_triangular
from netwright.inspect.fakes import NoFakeError, faked
from netwright.inspect.guess import guesses
from netwright.inspect.higher_order import plain_flex_attention
from netwright.inspect.hints import Hints
from netwright.inspect.macs import macs_of
from netwright.inspect.measure import evaluating, weights_bytes
from netwright.inspect.memory import check_optimizer
from netwright.inspect.operator_mode import OperatorMode
from netwright.inspect.real import real_copy, real_values
from netwright.inspect.recorder import Recorder
from netwright.inspect.tensors import Inputs, as_call, tensors_in

ON_FAKES = "captured on fakes: shapes and types only, nothing computed or allocated"
BY_A_RUN = "captured by a real run on the CPU"
BOUND = "upper bound: captured on fakes, with hints for what depends on values"
PARTIAL = "partial: only what ran before the forward stopped"
_SHORT = {ON_FAKES: "on fakes", BY_A_RUN: "by a run", BOUND: "with hints"}
MOST_REAL_BYTES = 4 << 30  # a network with more weights is not run for real where the fakes fail


def inspect(
    module: nn.Module,
    inputs: Inputs | None = None,
    *,
    train: bool = False,
    optimizer: str = "adamw",
    dtype: torch.dtype | None = None,
    batch: int = 1,
) -> Blueprint:
    """The Blueprint of a module: its calls, shapes, parameters, MACs, memory and edges.

    inputs: a tensor, a tuple of arguments, or a dict of keywords; guessed where not given, as `Blueprint.notes` says ·
    train: in training mode, with a backward from the loss among the outputs, or else from their mean square, and the
    state of `optimizer` ("adamw", "adam", "momentum", "sgd") · dtype: as if weights and floating inputs had this type ·
    batch: of guessed inputs.

    The module may be on the CPU, an accelerator or meta, and is left as it was. InputError where the forward fails,
    naming the innermost module that the exception came through.
    """
    if train:
        check_optimizer(optimizer)
    kind = optimizer if train else None
    if inputs is not None:
        return _inspect(module, inputs, kind, dtype)
    first: InputError | None = None
    part: Blueprint | None = None
    for hasty in (True, False):
        for guess in guesses(module, batch):
            try:
                blueprint = _inspect(module, guess.inputs, kind, dtype, hasty)
            except InputError as error:
                first = first or error
                continue
            blueprint.notes.insert(0, f"inputs guessed from {guess.source}")
            if blueprint.how != PARTIAL:
                return blueprint
            part = part or blueprint
    if part is not None:
        return part
    raise InputError(
        "the inputs could not be guessed" + (f"; with the likeliest, {first}" if first else ""),
        where=type(module).__name__,
        fix="give a tensor, a tuple of arguments or a dict of keywords",
    )


@dataclass
class _Pass:
    """One try: what was seen, and the error that ended it."""

    how: str
    blueprint: Blueprint | None
    error: Exception | None = None
    where: str = ""  # the module that the error came from
    assumed: list[str] = field(default_factory=list)  # by the hints

    @property
    def stop(self) -> str:
        assert self.error is not None
        where = f" in {self.where}" if self.where else ""
        return f"{where}: {type(self.error).__name__}: {_first_line(self.error)}"


def _inspect(
    module: nn.Module, inputs: Inputs, optimizer: str | None, dtype: torch.dtype | None, hasty: bool = False
) -> Blueprint:
    """`hasty`: no run where the fakes stopped at nothing that a run would do better."""
    args, kwargs = as_call(inputs)
    failed: list[_Pass] = []
    for seen in _tries(module, args, kwargs, optimizer, dtype, hasty):
        if seen.error is None:
            notes = [f"not {_SHORT[one.how]}{one.stop}" for one in failed if one.how is not seen.how] + seen.assumed
            break
        failed.append(seen)
    else:
        real = next((one for one in failed if one.how is BY_A_RUN), None)
        seen = max(failed, key=lambda one: len(one.blueprint.rows) if one.blueprint else 0)
        if hasty or real is not None or seen.blueprint is None:
            raise _forward_failed(module, real or seen) from (real or seen).error
        seen.how, notes = PARTIAL, [f"stopped{seen.stop}"]
    assert seen.blueprint is not None
    blueprint = seen.blueprint
    blueprint.device, blueprint.how, blueprint.notes = _device_of(module, (args, kwargs)), seen.how, notes
    blueprint.example = inputs
    return blueprint


def _tries(
    module: nn.Module,
    args: tuple,
    kwargs: dict[str, Any],
    optimizer: str | None,
    dtype: torch.dtype | None,
    hasty: bool,
) -> Iterator[_Pass]:
    """On fakes; with the values of the inputs, where they are all that was missing; by a run; with hints."""
    plain = _on_fakes(module, args, kwargs, optimizer, dtype)
    yield plain
    if hasty and not _lacks_values(plain.error):
        return
    longest = _longest((args, kwargs))
    known = _on_fakes(module, args, kwargs, optimizer, dtype, Hints(longest, truth=None))
    if known.error is None:
        yield replace(known, how=ON_FAKES)
    if weights_bytes(module) <= MOST_REAL_BYTES:
        yield _record(BY_A_RUN, *_to_run(module, args, kwargs, optimizer, dtype), optimizer)
    hints = Hints(longest, truth=True)
    yield _on_fakes(module, args, kwargs, optimizer, dtype, hints)
    if hints.read_conditions:  # one of them led to an exception
        yield _on_fakes(module, args, kwargs, optimizer, dtype, Hints(longest, truth=False))


def _on_fakes(
    module: nn.Module,
    args: tuple,
    kwargs: dict[str, Any],
    optimizer: str | None,
    dtype: torch.dtype | None,
    hints: Hints | None = None,
) -> _Pass:
    how, buffers = BOUND if hints else ON_FAKES, [*module.buffers()]
    masks = [tensor for tensor in [*buffers, *tensors_in((args, kwargs))] if is_triangular(tensor)]
    try:
        with faked(module, dtype) as (mode, fake), mode:
            inputs = fake(args), fake(kwargs)
            if hints:
                hints.remember((inputs, [*module.buffers()]), (args, kwargs, buffers))
            seen = _record(how, module, *inputs, optimizer, hints, fake(masks))
    except NoFakeError as error:
        return _Pass(how, None, error)
    return replace(seen, assumed=hints.notes()) if hints else seen


def _record(
    how: str,
    module: nn.Module,
    args: tuple,
    kwargs: dict[str, Any],
    optimizer: str | None,
    hints: Hints | None = None,
    masks: Sequence[Tensor] = (),
) -> _Pass:
    """One forward, and a backward where there is an optimizer, under a recorder."""
    recorder = Recorder(module, hints, masks)
    out, failed = None, None
    with as_used(module, train=optimizer is not None), recorder.hooked(), recorder:
        recorder.feed((args, kwargs))
        try:
            out = module(*args, **kwargs)
            recorder.finish(out)
            if optimizer is not None:
                recorder.backward(loss_of(out))
        except Exception as error:
            failed = error
    where = _innermost(failed, recorder.paths) if failed else ""
    return _Pass(how, recorder.blueprint((args, kwargs), out, optimizer) if recorder.rows else None, failed, where)


def loss_of(out: Any) -> Tensor:
    """The loss that the outputs hold, or the mean of their squares: it reads every number of every output."""
    loss = getattr(out, "loss", None)
    if isinstance(loss, Tensor) and loss.requires_grad:
        return loss
    parts = [tensor for tensor in tensors_in(out) if tensor.requires_grad and tensor.is_floating_point()]
    if not parts:
        raise InputError("no output depends on a trainable parameter", fix="inspect it without training")
    return torch.stack([part.square().mean() for part in parts]).sum()


@contextmanager
def as_used(module: nn.Module, train: bool) -> Iterator[None]:
    """In training mode with gradients, or in eval mode without; without the fused transformer path, whose operators
    hide the layers. All undone after."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        run = training(module) if train else evaluating(module)
        with run, plain_flex_attention(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


@contextmanager
def training(module: nn.Module) -> Iterator[None]:
    """Training mode with gradients; the flags come back after."""
    resting = [part for part in module.modules() if not part.training]
    module.train()
    try:
        with torch.enable_grad():
            yield
    finally:
        for part in resting:
            part.training = False


def inference(module: nn.Module) -> Any:
    """Eval mode, no gradients, no fused transformer path; undone after."""
    return as_used(module, train=False)


class MacCounter(OperatorMode):
    """Only the sum: the light half of the capture."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        out = func(*args, **kwargs)
        self.macs += macs_of(func, args, kwargs, out)
        return out


def _to_run(
    module: nn.Module, args: tuple, kwargs: dict[str, Any], optimizer: str | None, dtype: torch.dtype | None
) -> tuple[nn.Module, tuple, dict[str, Any]]:
    """Module and inputs on the CPU: the module itself, or a copy where a run would change it or it is elsewhere."""
    cpu = torch.device("cpu")
    elsewhere = any(tensor.device.type != "cpu" for tensor in [*module.parameters(), *module.buffers()])
    if optimizer is not None or dtype is not None or elsewhere:
        module = real_copy(module, cpu, dtype)
    return module, *real_values((args, kwargs), cpu, dtype)


def _lacks_values(error: BaseException | None) -> bool:
    """It came from what fakes don't have: values, a kernel, memory that NumPy could read."""
    while error is not None:
        from_fakes = type(error).__module__.startswith("torch._subclasses")
        if from_fakes or isinstance(error, NoFakeError | NotImplementedError) or "numpy" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _forward_failed(module: nn.Module, seen: _Pass) -> InputError:
    return InputError(
        f"the forward failed: {type(seen.error).__name__}: {seen.error}",
        where=seen.where or type(module).__name__,
        fix="give inputs of the shapes, types and device that the module's forward takes",
    )


def _innermost(error: BaseException, paths: dict[nn.Module, str]) -> str:
    """Path of the innermost module that the exception came through."""
    found = ""
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module):
            found = paths.get(owner) or found
    return found


def _device_of(module: nn.Module, inputs: Any) -> str:
    first = next(iter([*module.parameters(), *tensors_in(inputs)]), None)
    return str(first.device) if first is not None else "cpu"


def _longest(inputs: Any) -> int:
    return max((size for tensor in tensors_in(inputs) for size in tensor.shape), default=1)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0][:200]
