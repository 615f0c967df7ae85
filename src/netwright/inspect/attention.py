"""Attention: what it costs, and how far each layer of it lets a token look.

The cost is counted on fakes. The reach is asked of the gradients of a real forward: what a mask hides has a gradient of
exactly zero. Without a real forward it is what the calls say: causal by a flag, masked, or full.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from netwright.errors import InputError
from netwright.inspect.capture import MacCounter, as_used, inference
from netwright.inspect.fakes import Fake, faked, mapped, run
from netwright.inspect.macs import macs_of, name_of
from netwright.inspect.tensors import Inputs, as_call, tensors_in

BY_GRADIENT = "by gradient: positions that reach the first, the middle and the last one of a real forward"
BY_FLAGS = "as the attention was called: what a mask hides was not looked at"


@dataclass(frozen=True, slots=True)
class AttentionReach:
    """How far the tokens of some layers look, in tokens. None where that is not known."""

    cls: str
    layers: int  # that are alike
    first: str  # path of the first of them
    last: str
    length: int  # of the sequence that was tried
    before: int | None  # the farthest token behind that reaches one
    after: int | None  # the farthest ahead; 0: causal
    causal: bool | None
    window: int | None  # tokens in the window, its own included; None: no window, or it is longer than the sequence
    how: str

    @property
    def words(self) -> str:
        if self.causal is None:
            return "full, unless masked"
        if self.window is not None:
            return f"{'causal ' if self.causal else ''}window of {self.window}"
        return "causal, all before" if self.causal else "full"

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "words": self.words}


def attention_macs(module: nn.Module, inputs: Inputs) -> int | None:
    """MACs of fused attention and of matrix products between two activations, wherever in a module they are called.

    None where the module does not run on fakes.
    """
    args, kwargs = as_call(inputs)
    try:
        with faked(module) as (mode, fake), mode, inference(module), _Mixing(module) as counter:
            module(*fake(args), **fake(kwargs))
    except Exception:  # `inspect` has said what: here it only leaves the crossing open
        return None
    return counter.macs


def attention_reach(module: nn.Module, inputs: Inputs, real: bool = True) -> list[AttentionReach]:
    """Of each layer that reads one token by another, those that reach as far as one.

    inputs: a sequence, (B, L) tokens or (B, L, D) · real: run it, with weights and inputs that are no fakes, in eval
    mode; else only what the calls say. InputError where the forward fails.
    """
    args, kwargs = as_call(inputs)
    first = next(iter(tensors_in((args, kwargs))), None)
    if first is None or first.dim() < 2:
        raise InputError("attention's reach needs a sequence", where=type(module).__name__, fix="give (B, L)")
    found = _Mixing(module)
    seen: dict[nn.Module, AttentionReach | None] = {}
    try:
        with _as_run(module, real) as made, inference(module), found, found.hooked():
            module(*made(args), **made(kwargs))
        if real and found.callers:
            seen = _by_gradient(module, found.callers, args, kwargs, first.shape[1])
    except Exception as error:
        what = f"the forward failed: {type(error).__name__}: {error}"
        raise InputError(what, where=type(module).__name__, fix="give inputs that the forward takes") from error
    paths = {part: path for path, part in module.named_modules()}
    rows: dict[AttentionReach, AttentionReach] = {}  # by all but the place
    for part, said in found.callers.items():
        if real and part not in seen:  # it pools: what comes out is no sequence
            continue
        row = seen.get(part) or _flagged(said, first.shape[1])
        row = replace(row, cls=type(part).__name__)
        path, alike = paths[part], rows.get(row)
        layers, start = (alike.layers + 1, alike.first) if alike else (1, path)
        rows[row] = replace(row, layers=layers, first=start, last=path)
    return list(rows.values())


@contextmanager
def _as_run(module: nn.Module, real: bool) -> Iterator[Fake]:
    """What makes inputs those that it is run with: themselves, or fakes."""
    if real:
        yield lambda inputs: inputs
    else:
        with faked(module) as (mode, fake), mode:
            yield fake


def _flagged(said: str, length: int) -> AttentionReach:
    causal = {"causal": True, "full": False}.get(said)
    far = None if causal is None else length - 1
    return AttentionReach("", 1, "", "", length, far, 0 if causal else far, causal, None, BY_FLAGS)


def _measured(length: int, before: int, after: int) -> AttentionReach:
    narrow = before < length - 1 and after < length - 1
    window = before + after + 1 if narrow else None
    return AttentionReach("", 1, "", "", length, before, after, after == 0 and length > 1, window, BY_GRADIENT)


def _by_gradient(
    module: nn.Module, callers: dict[nn.Module, str], args: tuple, kwargs: dict[str, Any], length: int
) -> dict[nn.Module, AttentionReach | None]:
    """How far before and after a token those lie that change what the module gives at its place.

    None where no gradient comes through (a projection that begins as zeros); left out where no sequence comes out.
    """
    found: dict[nn.Module, AttentionReach | None] = {}
    given: dict[nn.Module, list[Tensor]] = {}

    def enter(part: nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        made: dict[int, Tensor] = {}

        def leaf(tensor: Tensor) -> Tensor:
            if not tensor.is_floating_point() or tensor.dim() < 3:
                return tensor
            return made.setdefault(id(tensor), tensor.detach().requires_grad_())

        changed = mapped(args, leaf), {name: mapped(value, leaf) for name, value in kwargs.items()}
        given[part] = list(made.values())
        return changed

    def leave(part: nn.Module, args: tuple, out: Any) -> None:
        made = next((one for one in tensors_in(out) if one.requires_grad), None)
        if made is None or not given[part]:
            return
        first = given[part][0]
        # Behind a stem that shortens the sequence there are other tokens than the input's.
        own = length if _place(first, length) is not None else first.shape[1]
        place = _place(made, own)
        if place is None:
            return
        tensors = [tensor for tensor in given[part] if _place(tensor, own) is not None]
        spans = []
        for at in (0, own // 2, own - 1):
            wanted = made.select(place, at).sum()
            gradients = torch.autograd.grad(wanted, tensors, retain_graph=True, allow_unused=True)
            for tensor, gradient in zip(tensors, gradients, strict=True):
                if gradient is not None:
                    others = [dim for dim in range(gradient.dim()) if dim != _place(tensor, own)]
                    reached = gradient.abs().nan_to_num().sum(others).nonzero().flatten().tolist()
                    spans += [(at - reached[0], reached[-1] - at)] if reached else []
        before, after = (max([0, *side]) for side in zip(*spans, strict=True)) if spans else (0, 0)
        found[part] = _measured(own, before, after) if spans else None

    with ExitStack() as hooks, as_used(module, train=False), torch.enable_grad():
        for part in callers:
            hooks.callback(part.register_forward_pre_hook(enter, with_kwargs=True).remove)
            hooks.callback(part.register_forward_hook(leave).remove)
        module(*args, **kwargs)
    return found


def _place(tensor: Tensor, length: int) -> int | None:
    """The dimension of the tokens: (B, L, D), (B, H, L, d) or (L, B, D)."""
    usual = (1, 2, 0) if tensor.dim() == 3 else (2, 1, 0) if tensor.dim() == 4 else (1, 0)
    return next((dim for dim in usual if dim < tensor.dim() and tensor.shape[dim] == length), None)


class _Mixing(MacCounter):
    """Counts what reads one place by another, and who calls it: neither operand is, or is a view of, a weight."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.weights = {id(tensor.untyped_storage()) for tensor in module.parameters()}
        self.stack: list[nn.Module] = []
        self.callers: dict[nn.Module, str] = {}  # module → "causal", "masked" or "full"

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """While it lasts, the calls under way are known."""

        def enter(part: nn.Module, args: tuple) -> None:
            self.stack.append(part)

        def leave(part: nn.Module, args: tuple, out: Any) -> None:
            self.stack.pop()

        with ExitStack() as hooks:
            for part in self.module.modules():
                hooks.callback(part.register_forward_pre_hook(enter).remove)
                hooks.callback(part.register_forward_hook(leave).remove)
            yield

    def see(self, func: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        out = run(func, args, kwargs)
        name = name_of(func)
        fused = "scaled_dot_product" in name
        if name in ("bmm", "baddbmm") or fused:
            operands = args[1:3] if name == "baddbmm" else args[:2]
            if not any(id(operand.untyped_storage()) in self.weights for operand in operands):
                self.macs += macs_of(func, args, kwargs, out)
                if self.stack:
                    self.callers.setdefault(self.stack[-1], _said(func, args, kwargs) if fused else "masked")
        return out


def _said(func: Any, args: tuple, kwargs: dict[str, Any]) -> str:
    named = {one.name: value for one, value in zip(func._schema.arguments, args, strict=False)} | kwargs
    if named.get("is_causal"):
        return "causal"
    return "full" if named.get("attn_mask", named.get("attn_bias")) is None else "masked"
