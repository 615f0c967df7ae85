"""Find what is written and never read: attributes of a class, locals of a function."""

import ast
from collections.abc import Iterator

from netwright.export.rewrite import Rewriter, drop_statements

PURE = {"abs", "bool", "dict", "enumerate", "float", "int", "len", "list", "max", "min", "range", "reversed"}
PURE |= {"round", "set", "sorted", "str", "sum", "tuple", "zip"}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def is_pure(value: ast.AST) -> bool:
    """Whether leaving an expression out changes nothing else."""
    for node in ast.walk(value):
        if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)):
            return False
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in PURE):
            return False
    return True


class Writes:
    """All mentions of one variable in a piece of code, as far as they only write it.

    `dead`: nothing reads the variable but its own new values, and nothing else would be lost with it.
    """

    def __init__(self, scope: ast.AST, is_it: "type[Local] | type[Attribute]", name: str):
        mentions = [node for node in ast.walk(scope) if is_it.matches(node, name)]
        self.whole: list[ast.stmt] = []
        self.elements: list[tuple[ast.Assign, int]] = []
        values: list[ast.AST] = []
        seen: set[int] = set()
        for statement in _statements(scope):
            for target, value, index in _targets(statement):
                if not is_it.matches(target, name):
                    continue
                seen.add(id(target))
                values.append(value)
                if index is None:
                    self.whole.append(statement)
                else:
                    assert isinstance(statement, ast.Assign)
                    self.elements.append((statement, index))
        inside = {id(node) for value in values for node in ast.walk(value)}
        others = [node for node in mentions if id(node) not in seen and id(node) not in inside]
        self.dead = bool(seen) and not others and all(map(is_pure, values))


class Local:
    @staticmethod
    def matches(node: ast.AST, name: str) -> bool:
        return isinstance(node, ast.Name) and node.id == name


class Attribute:
    @staticmethod
    def matches(node: ast.AST, name: str) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == name and is_self(node.value)


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    for node in ast.walk(scope):
        if isinstance(node, ast.stmt):
            yield node


def _targets(statement: ast.stmt) -> Iterator[tuple[ast.AST, ast.AST, int | None]]:
    """What a statement writes: the variable, the value, and its place where it is one of several."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Tuple):
            even = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            if even and not any(isinstance(item, ast.Starred) for item in ast.iter_child_nodes(value)):
                yield from zip(target.elts, value.elts, range(len(target.elts)), strict=True)  # type: ignore[attr-defined]
        else:
            yield (target.value if isinstance(target, ast.Subscript) else target), value, None
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield statement.target, statement.value, None
    elif isinstance(statement, ast.AugAssign):
        target = statement.target
        yield (target.value if isinstance(target, ast.Subscript) else target), statement.value, None
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "extend") and len(call.args) == 1:
            yield call.func.value, call.args[0], None


def remove(text: str, writes: list[Writes]) -> str:
    """The text without the dead ones."""
    dead = [item for item in writes if item.dead]
    if not dead:
        return text
    elements: dict[int, set[int]] = {}
    doomed = [statement for item in dead for statement in item.whole]
    for item in dead:
        for statement, index in item.elements:
            elements.setdefault(id(statement), set()).add(index)
            if len(elements[id(statement)]) == len(statement.targets[0].elts):  # type: ignore[attr-defined]
                doomed.append(statement)
    places = {(s.lineno, s.col_offset): elements[id(s)] for item in dead for s, _ in item.elements}
    spots = {(statement.lineno, statement.col_offset) for statement in doomed}
    tree = ast.parse(text)
    targets = [node for node in _statements(tree) if (node.lineno, node.col_offset) in spots]
    shorter = _Shorter(text, places)
    gone = emptied(tree, targets)
    if gone is None:
        return text
    new = shorter.result()  # keeps the number of lines of each statement that stays
    return drop_statements(new, _same_places(ast.parse(new), gone)) if gone else new


def emptied(tree: ast.AST, doomed: list[ast.stmt]) -> list[ast.stmt] | None:
    """What to drop, a loop or branch whole if all of it goes; None if another block would be left empty."""
    gone = set(map(id, doomed))
    everything = list(_statements(tree))
    while True:
        before = len(gone)
        for node in everything:
            blocks = [getattr(node, name, None) or [] for name in ("body", "orelse", "finalbody", "handlers")]
            if id(node) in gone or not blocks[0] or not all(id(item) in gone for item in blocks[0]):
                continue
            header = getattr(node, "iter", None) or getattr(node, "test", None)
            rest = [item for block in blocks[1:] for item in block]
            if not isinstance(node, (ast.For, ast.If)) or rest or not is_pure(header or ast.Pass()):
                return None
            gone.add(id(node))
        if len(gone) == before:
            return [node for node in everything if id(node) in gone]


def _same_places(tree: ast.AST, statements: list[ast.stmt]) -> list[ast.stmt]:
    spots = {(statement.lineno, statement.col_offset) for statement in statements}
    return [node for node in _statements(tree) if (node.lineno, node.col_offset) in spots]


class _Shorter(Rewriter):
    """`a, b = x, y` without some of its parts."""

    def __init__(self, text: str, places: dict[tuple[int, int], set[int]]):
        super().__init__(text)
        self.places = places

    def rewrite_Assign(self, node: ast.Assign) -> str | None:
        gone = self.places.get((node.lineno, node.col_offset))
        target, value = node.targets[0], node.value
        if gone is None or not isinstance(target, ast.Tuple) or not isinstance(value, ast.Tuple):
            return None
        if len(gone) == len(target.elts):
            return None
        kept = [index for index in range(len(target.elts)) if index not in gone]
        left = ", ".join(self.text(target.elts[index]) for index in kept)
        right = ", ".join(self.text(value.elts[index]) for index in kept)
        return f"{left} = {right}" + "\n" * ((node.end_lineno or node.lineno) - node.lineno)
