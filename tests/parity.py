"""Two implementations are the same: same weights in, same outputs, gradients and batch-norm statistics out.

    ours, theirs = ResNet(), randomise(torchvision().models.resnet18(), seed=0)
    mapping = copy_by_order(ours, theirs, x)          # or copy_by_map, with a table or a function of keys
    assert_same(ours, theirs, x, mapping, train=True)

A mapping is {our key: their key}, where a tuple of their keys means these tensors one after the other along
the first axis (a fused qkv of ours beside three matrices of theirs).
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

Keys = str | tuple[str, ...]
Inputs = Tensor | tuple[Tensor | None, ...]
M = TypeVar("M", bound=nn.Module)


def count(module: nn.Module) -> int:
    """Parameters, those shared counted once."""
    return sum(p.numel() for p in module.parameters())


def tensors(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and batch-norm statistics, which are all that two implementations have to share."""
    buffers = {k: b for k, b in module.named_buffers() if k.endswith(("running_mean", "running_var"))}
    return dict(module.named_parameters()) | buffers


def randomise(module: M, seed: int = 0) -> M:
    """Every parameter and batch-norm statistic becomes random, so that no initial zero hides a difference.

    Matrices keep the variance of what goes through them; scales and variances lie in 0.5 … 1.5; shifts,
    tokens and positions are small.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in tensors(module).items():
            leaf = name.rpartition(".")[2]
            vector = tensor.numel() == max(tensor.shape, default=1)
            if vector and leaf in ("running_var", "weight", "gamma", "layer_scale"):
                value = torch.rand(tensor.shape, generator=generator) + 0.5
            elif vector or "weight" not in leaf:
                value = torch.randn(tensor.shape, generator=generator) * 0.2
            else:
                value = torch.randn(tensor.shape, generator=generator) * (len(tensor) / tensor.numel()) ** 0.5
            tensor.copy_(value)
    return module


def copy_by_map(
    ours: nn.Module, theirs: nn.Module, mapping: Mapping[str, Keys] | Callable[[str], Keys]
) -> dict[str, Keys]:
    """Give ours the weights of theirs: every tensor of both is used exactly once, axes of length 1 aside."""
    target, source = tensors(ours), tensors(theirs)
    pairs = {key: mapping(key) for key in target} if callable(mapping) else dict(mapping)
    used = [name for keys in pairs.values() for name in _names(keys)]
    assert pairs.keys() == target.keys(), f"not in both map and module: {pairs.keys() ^ target.keys()}"
    assert set(used) == set(source), f"not in both map and reference: {set(used) ^ set(source)}"
    assert len(used) == len(set(used)), "a tensor of the reference is used twice"
    with torch.no_grad():
        for key, keys in pairs.items():
            value = _join(source, keys)
            assert _squeezed(value) == _squeezed(target[key]), f"{key} {target[key].shape}, {keys} {value.shape}"
            target[key].copy_(value.view_as(target[key]))
    return pairs


def copy_by_order(ours: nn.Module, theirs: nn.Module, inputs: Inputs) -> dict[str, Keys]:
    """Give ours the weights of theirs, paired in the order in which modules are called on `inputs`."""
    first, second = _called(ours, inputs), _called(theirs, inputs)
    assert len(first) == len(second), f"{len(first)} tensors of ours are called, {len(second)} of theirs"
    return copy_by_map(ours, theirs, dict(zip(first, second, strict=True)))


def assert_same(
    ours: nn.Module,
    theirs: nn.Module,
    inputs: Inputs,
    mapping: Mapping[str, Keys],
    *,
    train: bool = False,
    tolerance: float = 1e-5,
) -> dict[str, float]:
    """Outputs, gradients of all parameters and floating inputs, and in training the statistics, agree.

    The differences are relative to the largest entry of each tensor. A gradient that is zero in exact
    arithmetic (a bias before a norm, a key's bias in attention) is all rounding: below a thousandth of the
    network's largest gradient, the difference is relative to that thousandth. Returns the worst of each kind.
    """
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    output, gradients = _run(ours, inputs, train)
    expected, expected_gradients = _run(theirs, inputs, train)
    assert output.shape == expected.shape
    assert expected.std() > 0, "a constant output proves nothing"
    worst = {"output": _difference(output, expected)}

    reference = {key: _join(expected_gradients, keys) for key, keys in mapping.items() if key in gradients}
    reference |= {name: g for name, g in expected_gradients.items() if name.startswith("input ")}
    assert reference.keys() == gradients.keys()
    floor = 1e-3 * max(float(g.abs().max()) for g in reference.values())
    differences = {key: _difference(g.view_as(reference[key]), reference[key], floor) for key, g in gradients.items()}
    name, worst["gradient"] = max(differences.items(), key=lambda item: item[1])

    if train:
        have, want = tensors(ours), tensors(theirs)
        statistics = [key for key in mapping if key not in gradients]
        worst["statistics"] = max((_difference(have[k], _join(want, mapping[k])) for k in statistics), default=0.0)
    assert worst["output"] <= tolerance, worst
    assert worst["gradient"] <= tolerance, (name, worst)
    assert worst.get("statistics", 0.0) <= tolerance, worst
    return worst


def _run(module: nn.Module, inputs: tuple[Tensor | None, ...], train: bool) -> tuple[Tensor, dict[str, Tensor]]:
    """The output, and the gradients of its product with a fixed random tensor."""
    module.train(train)
    module.zero_grad()
    leaves = [x.clone().requires_grad_(x.is_floating_point()) if x is not None else None for x in inputs]
    output = module(*leaves)
    weight = torch.randn(output.shape, generator=torch.Generator().manual_seed(1)).to(output)
    (output * weight).sum().backward()
    gradients = {f"input {i}": x.grad for i, x in enumerate(leaves) if x is not None and x.grad is not None}
    assert len(gradients) == sum(x is not None and x.is_floating_point() for x in leaves)
    for name, p in module.named_parameters():
        assert p.grad is not None, f"{name} has no gradient"
        gradients[name] = p.grad
    return output.detach(), gradients


def _difference(a: Tensor, b: Tensor, floor: float = 0.0) -> float:
    assert a.isfinite().all() and b.isfinite().all()
    return float((a - b).abs().max() / max(float(b.abs().max()), floor, 1e-30))


def _called(module: nn.Module, inputs: Inputs) -> list[str]:
    """Keys of the tensors that each module itself owns, in the order in which the modules are first done."""
    owned, order = tensors(module), dict[str, None]()

    def note(prefix: str) -> Callable[..., None]:
        own = [k for k in owned if k.rpartition(".")[0] == prefix]
        return lambda *_: order.update(dict.fromkeys(own))

    hooks = [m.register_forward_hook(note(prefix)) for prefix, m in module.named_modules()]
    training = module.training
    with torch.no_grad():
        module.eval()(*(inputs if isinstance(inputs, tuple) else (inputs,)))
    module.train(training)
    for hook in hooks:
        hook.remove()
    return list(order)


def _names(keys: Keys) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else keys


def _join(values: Mapping[str, Tensor], keys: Keys) -> Tensor:
    return torch.cat([values[k] for k in _names(keys)]) if isinstance(keys, tuple) else values[keys]


def _squeezed(tensor: Tensor) -> list[int]:
    return [n for n in tensor.shape if n != 1]
