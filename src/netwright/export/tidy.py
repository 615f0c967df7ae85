"""Take out what no longer does anything: methods, attributes and locals that nothing reads, empty modules."""

import ast

from torch import nn

from netwright.export.dead import FUNCTIONS, Attribute, Local, Writes, is_pure, is_self, remove
from netwright.export.rewrite import Rewriter, drop_statements

ENTRIES = {"forward", "losses", "raw"}  # methods that others call: of any network, and of detectors


def tidy(texts: dict[str, str], instances: dict[str, list[nn.Module]]) -> dict[str, str]:
    """One round over the definitions (by token); `instances` are each class's modules in the network."""
    outside = _read_from_outside(texts)
    new = {}
    for token, text in texts.items():
        modules = instances.get(token, [])
        text = _without_methods(text, outside)
        if modules:
            text = _without_attributes(text, outside, modules)
            text = _without_identities(text, outside, modules)
        text = _without_locals(text)
        new[token] = _Bare(text, set()).result()
    return new


def _read_from_outside(texts: dict[str, str]) -> set[str]:
    """Attributes that code reads from something else than `self`; and all words in strings, for getattr."""
    found: set[str] = set()
    for text in texts.values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and not is_self(node.value):
                found.add(node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in tree.body if isinstance(node, ast.ClassDef)]


def _without_methods(text: str, outside: set[str]) -> str:
    """Drop methods that nothing calls; those that torch or training calls stay, except what is only printed."""
    doomed: list[ast.stmt] = []
    for cls in _classes(ast.parse(text)):
        read = outside | {n.attr for n in ast.walk(cls) if isinstance(n, ast.Attribute) and is_self(n.value)}
        for item in cls.body:
            if isinstance(item, FUNCTIONS) and item.name not in read:
                special = item.name.startswith("__") or hasattr(nn.Module, item.name) or item.name in ENTRIES
                if item.name == "extra_repr" or not special:
                    doomed.append(item)
    return drop_statements(text, doomed)


def _without_attributes(text: str, outside: set[str], modules: list[nn.Module]) -> str:
    """Drop what is done for attributes that nothing reads and that hold no module, parameter or buffer."""
    for cls in _classes(ast.parse(text)):
        written = {n.attr for n in ast.walk(cls) if isinstance(n, ast.Attribute) and is_self(n.value)}
        for name in sorted(written - outside):
            if not any(name in m._modules or name in m._parameters or name in m._buffers for m in modules):
                text = remove(text, [Writes(_classes(ast.parse(text))[0], Attribute, name)])
    return text


def _without_locals(text: str) -> str:
    """Drop what is done in functions for names that nothing reads."""
    while True:
        before = text
        number = sum(isinstance(node, FUNCTIONS) for node in ast.walk(ast.parse(text)))
        for place in range(number):
            written = {n.id for n in ast.walk(_function(text, place)) if isinstance(n, ast.Name)}
            arguments = {n.arg for n in ast.walk(_function(text, place)) if isinstance(n, ast.arg)}
            for name in sorted(written - arguments):
                text = remove(text, [Writes(_function(text, place), Local, name)])
        if text == before:
            return text


def _function(text: str, place: int) -> ast.AST:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTIONS)][place]


def _assignment(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AnnAssign):
        return statement.target, statement.value
    return None, None


def _without_identities(text: str, outside: set[str], modules: list[nn.Module]) -> str:
    """Drop `self.name = nn.Identity()` and write `self.name(x)` as x."""
    tree = ast.parse(text)
    doomed: list[ast.stmt] = []
    gone: set[str] = set()
    for cls in _classes(tree):
        constructor = next((m for m in cls.body if isinstance(m, FUNCTIONS) and m.name == "__init__"), None)
        for statement in constructor.body if constructor else []:
            target, value = _assignment(statement)
            if not (isinstance(target, ast.Attribute) and is_self(target.value) and value is not None):
                continue
            name = target.attr
            if not (_is_identity(value) and name not in outside and _only_called(cls, name)):
                continue
            if all(type(getattr(module, name, None)) is nn.Identity for module in modules):
                doomed.append(statement)
                gone.add(name)
    if doomed:
        text = drop_statements(text, doomed)
    return _Bare(text, gone).result()


def _is_identity(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return False
    return value.func.attr == "Identity" and all(is_pure(item) for item in value.args) and not value.keywords


def _only_called(cls: ast.ClassDef, name: str) -> bool:
    """Set once, and all other mentions are `self.name(one argument)`."""
    mentions = [n for n in ast.walk(cls) if isinstance(n, ast.Attribute) and n.attr == name]
    calls = [n for n in ast.walk(cls) if isinstance(n, ast.Call) and n.func in mentions]
    return len(mentions) == len(calls) + 1 and all(len(c.args) == 1 and not c.keywords for c in calls)


class _Bare(Rewriter):
    """`self.name(x)` → x for the names that are gone, and `nn.Identity(dim)` → `nn.Identity()`."""

    def __init__(self, text: str, gone: set[str]):
        super().__init__(text)
        self.gone = gone
        # An expression that stands alone between brackets and commas, or in a statement, needs none itself.
        self.safe: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                self.safe.update(map(id, node.args))
            elif isinstance(node, (ast.Assign, ast.Return, ast.keyword, ast.Expr)):
                self.safe.add(id(node.value))

    def rewrite_Call(self, node: ast.Call) -> str | None:
        if _is_identity(node) and node.args:
            return self.text(node.func) + "()"
        function = node.func
        if isinstance(function, ast.Attribute) and is_self(function.value) and function.attr in self.gone:
            inner = node.args[0]
            if id(node) in self.safe:
                self.safe.add(id(inner))
            text = self.render(inner)
            plain = isinstance(inner, (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant))
            return text if plain or id(node) in self.safe else f"({text})"
        return None
