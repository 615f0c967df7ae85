"""Names of a network's source files: what each one stands for, and its text.

Every global name becomes a token of its own (`G0007_Attention`), so that pieces of several files can be mixed
without clashes. The last step gives the tokens readable names again.
"""

import ast
import builtins
import importlib
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_origin

import torch
import torch.nn.functional as F
from torch import nn

from netwright.export.errors import EjectError
from netwright.export.record import as_partial, is_foreign
from netwright.export.rewrite import Rewriter, is_comment, lines

TOKEN = re.compile(r"\bG\d{4}_\w+")


@dataclass(frozen=True)
class Symbol:
    """A global name: an import from torch or the standard library, or a definition in a file of ours.

    An import of a name has both `module` and `name`; of a module, no `name`; the file calls it `alias`.
    A definition has `path`.
    """

    module: str
    name: str
    alias: str
    path: str = ""

    @property
    def is_import(self) -> bool:
        return not self.path


NN = Symbol("torch", "nn", "nn")
FUNCTIONAL = Symbol("torch.nn.functional", "", "F")
PARTIAL = Symbol("functools", "partial", "partial")
CALLABLE = Symbol("collections.abc", "Callable", "Callable")


class Symbols:
    """The table of tokens, and the files they come from."""

    def __init__(self) -> None:
        self.tokens: dict[Symbol, str] = {}
        self.symbols: dict[str, Symbol] = {}
        self.files: dict[str, _File] = {}
        self.texts: dict[Symbol, str] = {}

    def token(self, symbol: Symbol) -> str:
        if symbol not in self.tokens:
            token = f"G{len(self.tokens):04d}_{symbol.alias}"
            self.tokens[symbol], self.symbols[token] = token, symbol
        return self.tokens[symbol]

    def spell(self, symbol: Symbol) -> str:
        """The expression for a symbol; what torch.nn holds is spelt `nn.…`, as by hand."""
        if symbol.is_import and symbol.name:
            if symbol.module == "torch.nn":
                return f"{self.token(NN)}.{symbol.name}"
            if symbol.module == "torch.nn.functional":
                return f"{self.token(FUNCTIONAL)}.{symbol.name}"
        return self.token(symbol)

    def file(self, module: str) -> "_File":
        if module not in self.files:
            self.files[module] = _File(module)
        return self.files[module]

    def resolve(self, module: str, name: str) -> Symbol | None:
        """What a global name of a module stands for; None for a builtin."""
        file = self.file(module)
        if name in file.imports:
            source, member = file.imports[name]
            if is_foreign(source):
                if (source, member) == ("torch.nn", "functional"):
                    source, member = "torch.nn.functional", ""
                return Symbol(source, member, name)
            if not member or isinstance(getattr(sys.modules.get(source), member, None), ModuleType):
                raise EjectError(f"{module} imports the module {source}: import the names that it uses")
            return self.resolve(source, member)
        if name in file.statements:
            return Symbol(module, name, name, file.path)
        if hasattr(builtins, name):
            return None
        raise EjectError(f"{module} has no name {name!r} at its top")

    def of_object(self, value: Any) -> Symbol | None:
        """The symbol of a class or function, if it can be referred to from outside."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if not isinstance(module, str) or not isinstance(name, str) or "." in name or "<" in name:
            return None
        for place, source in ((nn, "torch.nn"), (torch, "torch"), (F, "torch.nn.functional")):
            if getattr(place, name, None) is value:
                return Symbol(source, name, name)
        if getattr(sys.modules.get(module), name, None) is not value:
            return None
        return Symbol(module, name, name) if is_foreign(module) else self.resolve(module, name)

    def live(self, symbol: Symbol) -> Any:
        """The object that a symbol stands for now."""
        module = importlib.import_module(symbol.module)
        return getattr(module, symbol.name) if symbol.name else module

    def text(self, symbol: Symbol) -> str:
        """A definition's source, each global name in it replaced by its token."""
        if symbol not in self.texts:
            self.texts[symbol] = _Tokens(self.file(symbol.module).text(symbol.name), symbol, self).result()
        return self.texts[symbol]

    def is_slot_alias(self, token: str) -> bool:
        symbol = self.symbols[token]
        return not symbol.is_import and get_origin(self.live(symbol)) is Annotated

    # values of constructor arguments

    def express(self, value: Any) -> str | None:
        """A constructor argument as an expression of tokens, or None where no expression gives it."""
        if value is None or isinstance(value, (bool, int, str)):
            return repr(value)
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, torch.dtype):
            return f"{self.token(Symbol('torch', '', 'torch'))}.{str(value).removeprefix('torch.')}"
        if isinstance(value, (list, tuple)):
            items = [self.express(item) for item in value]
            if None in items:
                return None
            inner = ", ".join(str(item) for item in items)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if len(items) == 1 else f"({inner})"
        if isinstance(value, dict):
            pairs = [(self.express(key), self.express(item)) for key, item in value.items()]
            if any(None in pair for pair in pairs):
                return None
            return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
        if callable(value) and not isinstance(value, nn.Module):
            return self._express_callable(value)
        return None

    def _express_callable(self, value: Any) -> str | None:
        function, args, kwargs = as_partial(value)
        symbol = self.of_object(function)
        if symbol is None:
            return None
        name = self.spell(symbol)
        texts = [self.express(item) for item in (*args, *kwargs.values())]
        if None in texts:
            return None
        if not texts:
            return name
        parts = [str(text) for text in texts[: len(args)]]
        parts += [f"{key}={text}" for key, text in zip(kwargs, texts[len(args) :], strict=True)]
        return f"{self.token(PARTIAL)}({', '.join([name, *parts])})"


class _File:
    """One module's source: its imports and the statements that define its other global names."""

    def __init__(self, module: str):
        try:
            loaded = importlib.import_module(module)
            self.path = inspect.getsourcefile(loaded) or ""
            self.source = Path(self.path).read_text(encoding="utf-8")
        except (ImportError, TypeError, OSError) as error:
            raise EjectError(f"the source of {module} can't be read: {error}") from error
        self.lines = lines(self.source)
        self.imports: dict[str, tuple[str, str]] = {}
        self.statements: dict[str, ast.stmt] = {}
        package = module if Path(self.path).name == "__init__.py" else module.rpartition(".")[0]
        for statement in ast.parse(self.source).body:
            self._enter(statement, statement, package)

    def _enter(self, statement: ast.stmt, whole: ast.stmt, package: str) -> None:
        if isinstance(statement, ast.Import):
            for item in statement.names:
                self.imports[item.asname or item.name.partition(".")[0]] = (
                    item.name if item.asname else item.name.partition(".")[0],
                    "",
                )
        elif isinstance(statement, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - statement.level + 1]
            source = ".".join([*(parents if statement.level else []), *filter(None, [statement.module])])
            for item in statement.names:
                self.imports[item.asname or item.name] = (source, item.name)
        elif isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            self.statements[statement.name] = whole
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    self.statements[target.id] = whole

    def text(self, name: str) -> str:
        """The statement's lines, with the comments right above it."""
        statement = self.statements[name]
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))]) - 1
        while first > 0 and is_comment(self.lines[first - 1]):
            first -= 1
        return "".join(self.lines[first : statement.end_lineno])


class _Tokens(Rewriter):
    """Replace every global name of a definition by its token."""

    def __init__(self, text: str, symbol: Symbol, symbols: Symbols):
        super().__init__(text)
        self.symbol, self.symbols = symbol, symbols
        self.local: list[set[str]] = []

    def rewrite_Name(self, node: ast.Name) -> str | None:
        if not self.local and isinstance(node.ctx, ast.Store):  # the constant that is defined here
            return self.symbols.token(self.symbol)
        return self._spell(node.id)

    def _spell(self, name: str) -> str | None:
        if any(name in scope for scope in self.local):
            return None
        symbol = self.symbols.resolve(self.symbol.module, name)
        return self.symbols.spell(symbol) if symbol else None

    def rewrite_FunctionDef(self, node: ast.FunctionDef) -> str:
        self.local.append(bound_names(node))
        text = self._children(node, *self.span(node))
        self.local.pop()
        return self._renamed(text, "def ", node.name) if not self.local and node.name == self.symbol.name else text

    def rewrite_ClassDef(self, node: ast.ClassDef) -> str:
        if self.local:
            raise EjectError(f"{self.symbol.module}.{self.symbol.name} defines a class inside a function")
        members = [item for item in node.body if isinstance(item, (ast.Assign, ast.AnnAssign))]
        self.local.append(set().union(*(bound_names(item) for item in members)))
        text = self._children(node, *self.span(node))
        self.local.pop()
        return self._renamed(text, "class ", node.name)

    def _renamed(self, text: str, keyword: str, name: str) -> str:
        return re.sub(rf"\b{keyword}\s*{name}\b", keyword + self.symbols.token(self.symbol), text, count=1)

    def rewrite_Lambda(self, node: ast.Lambda) -> str:
        self.local.append(bound_names(node))
        text = self._children(node, *self.span(node))
        self.local.pop()
        return text

    def _comprehension(self, node: ast.expr) -> str:
        self.local.append(bound_names(node))
        text = self._children(node, *self.span(node))
        self.local.pop()
        return text

    rewrite_ListComp = rewrite_SetComp = rewrite_DictComp = rewrite_GeneratorExp = _comprehension

    def rewrite_JoinedStr(self, node: ast.JoinedStr) -> str:
        """Names within the braces, by their spelling: the places in the tree can't be trusted here."""
        parts = re.split(r"(\{[^{}]*\})", self.text(node))
        for name in sorted({child.id for child in ast.walk(node) if isinstance(child, ast.Name)}):
            spelt = self._spell(name)
            if spelt:
                parts[1::2] = [re.sub(rf"\b{name}\b", spelt, part) for part in parts[1::2]]
        return "".join(parts)


def _float(value: float) -> str:
    if value != value or abs(value) == float("inf"):
        return f"float({str(value)!r})"
    return re.sub(r"e([+-]?)0+(?=\d)", r"e\1", repr(value))  # 1e-6, not 1e-06


def bound_names(node: ast.AST) -> set[str]:
    """The names that a function, lambda or comprehension binds itself."""
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.arg):
            found.add(child.arg)
        elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            found.add(child.id)
        elif isinstance(child, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler) and child is not node:
            found.add(child.name or "")
        elif isinstance(child, (ast.Import, ast.ImportFrom)):
            found.update(item.asname or item.name.partition(".")[0] for item in child.names)
    return found
