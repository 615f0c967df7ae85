"""Eject a network: its source in one file that needs torch alone and reads as if written by hand.

The rule is *fold structure, keep sizes*: what fills a slot is written in place; widths, depths and rates stay
arguments.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from netwright.export.branches import fold_branches
from netwright.export.errors import EjectError
from netwright.export.layout import compose
from netwright.export.record import Call, as_partial, record
from netwright.export.slots import fold_slots, plan
from netwright.export.symbols import TOKEN, Symbol, Symbols
from netwright.export.tidy import tidy
from netwright.export.verify import reference_of, run_fresh


def eject_source(
    factory: Callable[..., nn.Module],
    args: Mapping[str, Any] | None = None,
    *,
    header: str = "",
    factory_name: str = "build",
    fold: bool = True,
) -> str:
    """Write the network that `factory(**args)` makes as one file of source.

    `factory` is a class, or a partial of one; slots in `args` are classes or partials. With `fold` off, slots
    stay parameters: longer, but with fewer assumptions about the code.
    """
    cls, first, given = as_partial(factory)
    given = {**given, **(args or {})}
    if not isinstance(cls, type) or first:
        raise EjectError("a class and its arguments by name are needed, so that they can be written down")
    with torch.random.fork_rng(devices=[]):
        _, calls = record(lambda: cls(**given))
    symbols = Symbols()
    root = _root(cls, given, symbols)
    texts, call = _fold(root, calls, symbols, fold)
    order = _in_order(symbols.token(_symbol(cls, symbols)), texts)
    name = symbols.token(_symbol(cls, symbols))
    tail = f"def {factory_name}() -> {name}:\n" + f'    """The network of this design."""\n    return {call}\n'
    return compose(header or f"{cls.__name__}.", [(t, texts[t]) for t in order], tail, symbols)


def _symbol(cls: type, symbols: Symbols) -> Symbol:
    symbol = symbols.of_object(cls)
    if symbol is None or symbol.is_import:
        raise EjectError(f"{cls.__module__}.{cls.__qualname__} is not a class at the top of a file of ours")
    return symbol


def _root(cls: type, given: Mapping[str, Any], symbols: Symbols) -> str:
    parts = []
    for key, value in given.items():
        text = symbols.express(value)
        if text is None:
            raise EjectError(f"the argument {key}={value!r} of {cls.__name__} can't be written down as source")
        parts.append(f"{key}={text}")
    return f"{symbols.token(_symbol(cls, symbols))}({', '.join(parts)})"


def _fold(root: str, calls: list[Call], symbols: Symbols, fold: bool) -> tuple[dict[str, str], str]:
    """The definitions that the root expression needs, folded and tidied, by token."""
    instances: dict[str, list[nn.Module]] = {}
    for call in calls:
        symbol = symbols.of_object(call.cls)
        if symbol is not None:
            instances.setdefault(symbols.token(symbol), []).append(call.module)
    whole = _closure([root], {}, symbols)
    unmade = {token for token in whole if _is_module(symbols, token)} - set(instances)
    for ignored in (unmade, set[str]()):
        made = plan(calls, symbols, fold)
        made.unmade = ignored
        texts, entry = fold_slots(made, whole, root)
        while True:
            before = texts
            if fold:
                texts = {token: fold_branches(text, symbols, unmade) for token, text in texts.items()}
            texts = _closure([entry], texts, symbols)
            texts = tidy(texts, instances)
            if texts == before:
                break
        if not ignored & set(texts):
            break  # the classes that were left out of account are gone indeed
    return texts, entry


def _is_module(symbols: Symbols, token: str) -> bool:
    live = symbols.live(symbols.symbols[token])
    return isinstance(live, type) and issubclass(live, nn.Module)


def _closure(roots: list[str], texts: dict[str, str], symbols: Symbols) -> dict[str, str]:
    """The definitions reachable from some expressions; ones not seen yet are read from their files."""
    found: dict[str, str] = {}
    waiting = [token for root in roots for token in TOKEN.findall(root)]
    while waiting:
        token = waiting.pop()
        if token in found or symbols.symbols[token].is_import:
            continue
        found[token] = texts[token] if token in texts else symbols.text(symbols.symbols[token])
        waiting += TOKEN.findall(found[token])
    return found


def _in_order(root: str, texts: dict[str, str]) -> list[str]:
    """Each definition after those that it uses, in the order in which they are first named."""
    order: list[str] = []
    seen: set[str] = set()

    def visit(token: str) -> None:
        if token in seen or token not in texts:
            return
        seen.add(token)
        for other in TOKEN.findall(texts[token]):
            visit(other)
        order.append(token)

    visit(root)
    order += [token for token in texts if token not in seen]
    return order


def eject_model(
    factory: Callable[..., nn.Module],
    args: Mapping[str, Any] | None = None,
    *,
    inputs: Mapping[str, Tensor],
    header: str = "",
) -> str:
    """The network's source, proved in a fresh interpreter on these inputs (names and values of forward).

    Should a network be written in a way that folding misreads, its slots stay parameters.
    """
    cls, _, first = as_partial(factory)
    given = {**first, **(args or {})}
    reference = reference_of(lambda: cls(**given), inputs)
    for fold in (True, False):
        try:
            source = eject_source(cls, given, header=header, fold=fold)
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "model.py").write_text(source, encoding="utf-8")
                run_fresh(Path(folder), reference)
            return source
        except EjectError:
            if not fold:
                raise
    raise AssertionError
