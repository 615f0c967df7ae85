"""Fold the slots: what every instance of a class got in a slot is written in the class itself."""

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from netwright.export.record import Call
from netwright.export.rewrite import Rewriter, names
from netwright.export.symbols import CALLABLE, NN, PARTIAL, TOKEN, Symbol, Symbols

LINE = 120


class _Unfoldable(Exception):
    """A slot of a class that a call fills with something only known when it runs: a `local` of its code."""

    def __init__(self, cls: str, parameters: Sequence[str], owner: str = "", local: Sequence[str] = ()):
        super().__init__(cls)
        self.cls, self.parameters, self.owner, self.local = cls, parameters, owner, local


@dataclass
class Plan:
    """For each class or helper function (by token): its parameters in order, the folded ones with their
    expression, and the defaults of slots that stay, `changed` where no instance has the old one.

    `unmade` are classes that the network has none of: what their code calls is no obstacle, as it will go.
    """

    symbols: Symbols
    parameters: dict[str, list[str]] = field(default_factory=dict)
    folded: dict[str, dict[str, str]] = field(default_factory=dict)
    defaults: dict[str, dict[str, str]] = field(default_factory=dict)
    changed: dict[str, set[str]] = field(default_factory=dict)
    unmade: set[str] = field(default_factory=set)

    def keep(self, cls: str, parameter: str) -> None:
        self.folded[cls].pop(parameter, None)


def plan(calls: list[Call], symbols: Symbols, fold: bool = True) -> Plan:
    """Which slots have one value on all instances of their class."""
    made = Plan(symbols)
    by_class: dict[type[nn.Module], list[Call]] = {}
    for call in calls:
        by_class.setdefault(call.cls, []).append(call)
    classes = {cls: symbol for cls in by_class if (symbol := symbols.of_object(cls)) is not None}
    there = {symbols.token(symbol) for symbol in classes.values()}

    def is_there(token: str) -> bool:
        return symbols.symbols[token].is_import or token in there

    for cls, symbol in classes.items():
        group = by_class[cls]
        token = symbols.token(symbol)
        signature = inspect.signature(cls)
        made.parameters[token] = list(signature.parameters)
        made.folded[token], made.defaults[token], made.changed[token] = {}, {}, set()
        for name, parameter in signature.parameters.items():
            values = [call.args[name] for call in group if name in call.args]
            if not _is_slot(parameter, values):
                continue
            texts = {symbols.express(value) for value in values}
            if fold and len(texts) == 1 and None not in texts and not _rebound(symbol, name, symbols):
                made.folded[token][name] = str(next(iter(texts)))
            if parameter.default is inspect.Parameter.empty or None in texts:
                continue
            default = symbols.express(parameter.default)
            if default in texts:
                made.defaults[token][name] = str(default)
            elif fold and not all(is_there(used) for used in TOKEN.findall(str(default))):
                # A class of ours that only the default names would be kept for nothing.
                made.defaults[token][name] = str(min(texts, key=lambda text: (len(str(text)), text)))
                made.changed[token].add(name)
    return made


def _is_slot(parameter: inspect.Parameter, values: list[Any]) -> bool:
    def has_callable(value: Any) -> bool:
        if isinstance(value, (list, tuple)):
            return any(map(has_callable, value))
        return callable(value) and not isinstance(value, nn.Module)

    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return False
    return any(map(has_callable, values)) or "Callable" in str(parameter.annotation)


def _rebound(symbol: Symbol, name: str, symbols: Symbols) -> bool:
    """Whether the constructor assigns to the parameter, or names it in an f-string."""
    tree = ast.parse(symbols.text(symbol))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            for child in ast.walk(node):
                if isinstance(child, ast.Name) and child.id == name and not isinstance(child.ctx, ast.Load):
                    return True
                if isinstance(child, ast.JoinedStr) and name in names(child):
                    return True
    return False


def fold_slots(made: Plan, definitions: dict[str, str], root: str) -> tuple[dict[str, str], str]:
    """Rewrite every definition, and the call that makes the network, with the folded slots in place."""
    while True:
        try:
            texts = {token: Slots(text, made, token).result() for token, text in definitions.items()}
            return texts, Slots(root, made, "").result()
        except _Unfoldable as obstacle:
            if not _fold_function(made, definitions, obstacle):
                for parameter in obstacle.parameters:
                    made.keep(obstacle.cls, parameter)


def _fold_function(made: Plan, definitions: dict[str, str], obstacle: _Unfoldable) -> bool:
    """Fold a helper function's parameters where all its calls give them the same class."""
    tree = ast.parse(definitions.get(obstacle.owner, ""))
    if obstacle.owner in made.parameters or not tree.body or not isinstance(tree.body[0], ast.FunctionDef):
        return False
    function = tree.body[0]
    definitions = {token: text for token, text in definitions.items() if token not in made.unmade}
    mentions = sum(text.count(obstacle.owner) for text in definitions.values())
    parameters = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
    if function.args.vararg or function.args.kwarg or not set(obstacle.local) <= set(parameters):
        return False
    calls = [
        call
        for token, text in definitions.items()
        for call in _Calls(text, made, token, obstacle.owner, parameters).found()
    ]
    if len(calls) != mentions - 1:  # one mention is the definition's own
        return False
    folded = {}
    for name in obstacle.local:
        texts = {call.get(name) for call in calls}
        if len(texts) != 1 or None in texts:
            return False
        folded[name] = str(texts.pop())
    made.parameters[obstacle.owner], made.folded[obstacle.owner] = parameters, folded
    return True


class Slots(Rewriter):
    def __init__(self, text: str, made: Plan, owner: str):
        super().__init__(text)
        self.plan, self.owner = made, owner
        self.partial = made.symbols.token(PARTIAL)
        self.here: dict[str, str] = {}  # folded parameters of the constructor that we are in

    def rewrite_FunctionDef(self, node: ast.FunctionDef) -> str | None:
        folded = self.plan.folded.get(self.owner, {})
        changed = self.plan.changed.get(self.owner, set())
        if not self._takes_slots(node) or not (folded or changed):
            return None
        self.here = {name: Slots(text, self.plan, "").result() for name, text in folded.items()}
        start, end = self.span(node)
        opening, closing = self._signature(node)
        body = self.data[closing:end].decode()
        at, pieces = closing, []
        for child in node.body:
            a, b = self.span(child)
            pieces += [self.data[at:a].decode(), self.render(child)]
            at = b
        body = "".join([*pieces, self.data[at:end].decode()])
        self.here = {}
        return self.data[start:opening].decode() + self._parameters(node, folded, changed) + body

    def _takes_slots(self, node: ast.FunctionDef) -> bool:
        """Whether this is the constructor of the definition, or the definition itself."""
        return node.name == "__init__" or node in self.tree.body

    def _signature(self, node: ast.FunctionDef) -> tuple[int, int]:
        """Where the brackets of a signature open, and one past where they close."""
        opening = self.data.index(b"(", self.starts[node.lineno - 1] + node.col_offset)
        stop = self.span(node.body[0])[0]
        last = max([self.span(item)[1] for item in self._arguments(node)], default=opening)
        closing = last
        while self.data[closing : closing + 1] != b")":
            if self.data[closing : closing + 1] == b"#":
                closing = self.data.index(b"\n", closing)
            closing += 1
            assert closing < stop
        return opening, closing + 1

    def _arguments(self, node: ast.FunctionDef) -> list[ast.AST]:
        arguments = node.args
        return [child for child in ast.walk(arguments) if hasattr(child, "lineno")]

    def _parameters(self, node: ast.FunctionDef, folded: dict[str, str], changed: set[str]) -> str:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        values: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
        values += arguments.defaults
        parts: list[tuple[str, str]] = []  # text, comment

        def add(argument: ast.arg, value: ast.expr | None, stars: str = "") -> None:
            if argument.arg in folded:
                return
            text = stars + self.render(argument)
            if value is not None:
                shown = self.render(value)
                if argument.arg in changed:
                    shown = Slots(self.plan.defaults[self.owner][argument.arg], self.plan, "").result()
                text += (" = " if argument.annotation else "=") + shown
            last = value if value is not None else argument
            line = self.data.splitlines()[(last.end_lineno or 1) - 1][last.end_col_offset :].decode()
            comment = line.lstrip(", ")
            comment = comment if comment.startswith("#") else ""
            if value is not None and f" = {self.partial}(" in text:
                comment = comment or "# noqa: B008"  # a partial is never changed, so sharing it is safe
            parts.append((text, comment))

        for number, (argument, value) in enumerate(zip(positional, values, strict=True), 1):
            add(argument, value)
            if number == len(arguments.posonlyargs):
                parts.append(("/", ""))
        if arguments.vararg:
            add(arguments.vararg, None, "*")
        elif arguments.kwonlyargs:
            parts.append(("*", ""))
        for argument, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            add(argument, value)
        if parts and parts[-1][0] == "*":
            parts.pop()
        if arguments.kwarg:
            add(arguments.kwarg, None, "**")
        row = f"({', '.join(text for text, _ in parts)})"
        width = node.col_offset + len(f"def {node.name}:") + len(TOKEN.sub(lambda token: token[0][6:], row))
        if width <= LINE and not any(comment for _, comment in parts):
            return row
        indent = " " * (node.col_offset + 4)
        rows = [f"{indent}{text},{'  ' + comment if comment else ''}\n" for text, comment in parts]
        return "(\n" + "".join(rows) + " " * node.col_offset + ")"

    def rewrite_Name(self, node: ast.Name) -> str | None:
        if node.id in self.here:
            return self.here[node.id]
        if TOKEN.fullmatch(node.id) and self.plan.symbols.is_slot_alias(node.id):
            symbols = self.plan.symbols
            return f"{symbols.token(CALLABLE)}[..., {symbols.token(NN)}.Module]"
        return None

    def rewrite_Call(self, node: ast.Call) -> str | None:
        wraps = isinstance(node.func, ast.Name) and node.func.id == self.partial and bool(node.args)
        callee = node.args[0] if wraps else node.func
        args = node.args[1:] if wraps else node.args
        slot = self.here.get(callee.id, "") if isinstance(callee, ast.Name) else ""
        target, positional, keywords = self._parts(slot) if slot else (self.render(callee), [], {})
        folded = self.plan.folded.get(target, {})
        if not slot and not folded and target not in self.plan.defaults:
            return None
        parameters = self.plan.parameters.get(target, [])
        places = parameters[len(positional) :]
        texts = positional[:]
        for number, argument in enumerate(args):
            if isinstance(argument, ast.Starred):
                if folded and self.owner not in self.plan.unmade:
                    raise _Unfoldable(target, list(folded))
                texts.append(self.render(argument))
                continue
            name = places[number] if number < len(places) else ""
            if name in folded:
                self._check(target, name, argument)
            else:
                texts.append(self.render(argument))
        for keyword in node.keywords:
            if keyword.arg is None:
                if folded and self.owner not in self.plan.unmade:
                    raise _Unfoldable(target, list(folded))
                keywords[f"**{len(keywords)}"] = self.render(keyword.value)
            elif keyword.arg in folded:
                self._check(target, keyword.arg, keyword.value)
            else:
                keywords[keyword.arg] = self.render(keyword.value)
        if not wraps:
            keywords = {key: text for key, text in keywords.items() if not self._is_default(target, key, text)}
        if not slot and len(texts) == len(args) and len(keywords) == len(node.keywords):
            return None  # nothing goes: keep the layout
        texts += [f"**{text}" if key.startswith("**") else f"{key}={text}" for key, text in keywords.items()]
        if wraps:
            return f"{self.partial}({', '.join([target, *texts])})" if texts else target
        return f"{target}({', '.join(texts)})"

    def _is_default(self, cls: str, parameter: str, text: str) -> bool:
        default = self.plan.defaults.get(cls, {}).get(parameter)
        return default is not None and Slots(default, self.plan, "").result() == text

    def _parts(self, slot: str) -> tuple[str, list[str], dict[str, str]]:
        """A slot's expression as the class that it makes, and the arguments that it already gives."""
        value = ast.parse(slot, mode="eval").body
        if isinstance(value, ast.Call) and ast.unparse(value.func) == self.partial:
            source = Rewriter(slot)
            tail = value.args[1:]
            return (
                source.text(value.args[0]),
                [source.text(item) for item in tail],
                {str(item.arg): source.text(item.value) for item in value.keywords},
            )
        return slot, [], {}

    def _check(self, cls: str, parameter: str, value: ast.expr) -> None:
        """An argument may go only if nothing in it is decided by the code around it."""
        local = self._local(value)
        if local and self.owner not in self.plan.unmade:
            raise _Unfoldable(cls, [parameter], self.owner, local)

    def _local(self, value: ast.expr) -> list[str]:
        return [name for name in names(value) if not TOKEN.fullmatch(name) and name not in self.here]


class _Calls(Slots):
    """Collect the arguments of all calls of one function that are classes or other constants, as text."""

    def __init__(self, text: str, made: Plan, owner: str, function: str, parameters: list[str]):
        super().__init__(text, made, owner)
        self.function, self.names = function, parameters
        self.calls: list[dict[str, str]] = []

    def found(self) -> list[dict[str, str]]:
        self.result()
        return self.calls

    def rewrite_Call(self, node: ast.Call) -> str | None:
        if isinstance(node.func, ast.Name) and node.func.id == self.function:
            pairs = list(zip(self.names, node.args, strict=False))
            pairs += [(keyword.arg or "", keyword.value) for keyword in node.keywords]
            self.calls.append({name: self.render(value) for name, value in pairs if not self._local(value)})
        return super().rewrite_Call(node)

    def _check(self, cls: str, parameter: str, value: ast.expr) -> None:
        """Nothing is an obstacle while looking."""
