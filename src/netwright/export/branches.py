"""Fold the branches that the folded slots have decided, and those to modules that the network hasn't got."""

import ast

from netwright.export.rewrite import Rewriter, drop_statements, indent_of, is_comment, lines
from netwright.export.symbols import TOKEN, Symbols


def fold_branches(text: str, symbols: Symbols, unmade: set[str]) -> str:
    """Fold conditions on classes and None, until nothing changes; sizes, flags and inputs are left alone.

    An arm that calls a class that was never called while building (`unmade`, by token) was never taken.
    """
    while True:
        new = _Branches(text, symbols, unmade).result()
        new = drop_statements(new, list(_empty(ast.parse(new))))
        if new == text:
            return text
        text = new


def _empty(tree: ast.AST) -> list[ast.stmt]:
    """`pass` beside other statements: what is left of a branch that is never taken."""
    found: list[ast.stmt] = []
    for node in ast.walk(tree):
        for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(block, list) and len(block) > 1:
                found += [statement for statement in block if isinstance(statement, ast.Pass)]
    return found


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Branches(Rewriter):
    def __init__(self, text: str, symbols: Symbols, unmade: set[str]):
        super().__init__(text)
        self.symbols, self.unmade = symbols, unmade
        self.none = _attributes(self.tree)

    def known(self, test: ast.expr) -> bool | None:
        """What a condition is, if the text alone decides it."""
        if isinstance(test, ast.Constant):
            return bool(test.value)
        if self._is_class(test):
            return True
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inside = self.known(test.operand)
            return None if inside is None else not inside
        if isinstance(test, ast.BoolOp):
            parts = [self.known(part) for part in test.values]
            decisive = isinstance(test.op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            same = self._same(test.left, test.comparators[0])
            if same is not None and isinstance(test.ops[0], (ast.Is, ast.Eq)):
                return same
            if same is not None and isinstance(test.ops[0], (ast.IsNot, ast.NotEq)):
                return not same
        return None

    def _same(self, left: ast.expr, right: ast.expr) -> bool | None:
        if isinstance(left, ast.Attribute) and _is_self(left.value) and _is_none(right):
            return self.none.get(left.attr)
        if _is_none(left) and _is_none(right):
            return True
        if {_is_none(left), _is_none(right)} == {True, False}:
            other = right if _is_none(left) else left
            return False if self._is_class(other) or isinstance(other, ast.Constant) else None
        if self._is_class(left) and self._is_class(right):
            return ast.dump(left) == ast.dump(right)
        return None

    def _is_class(self, node: ast.expr) -> bool:
        """A class or function by its token, `nn.Something`, or a partial of one."""
        if isinstance(node, ast.Name):
            return bool(TOKEN.fullmatch(node.id)) and callable(self.symbols.live(self.symbols.symbols[node.id]))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return bool(TOKEN.fullmatch(node.value.id)) and node.attr[0].isupper()
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and bool(TOKEN.fullmatch(node.func.id))
            and node.func.id.endswith("_partial")
        )

    def _never(self, code: ast.expr | list[ast.stmt]) -> bool:
        """Whether running the code would make a class that was never made."""
        waiting: list[ast.AST] = list(code) if isinstance(code, list) else [code]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.unmade:
                return True
            if isinstance(node, (ast.IfExp, ast.If)):
                waiting.append(node.test)
            elif isinstance(node, ast.BoolOp):
                waiting.append(node.values[0])
            elif not isinstance(node, (ast.Lambda, ast.FunctionDef, ast.For, ast.While, ast.Try, *COMPREHENSIONS)):
                waiting += ast.iter_child_nodes(node)
        return False

    def rewrite_IfExp(self, node: ast.IfExp) -> str | None:
        taken = self.known(node.test)
        if taken is None and self._never(node.body):
            taken = False
        elif taken is None and self._never(node.orelse):
            taken = True
        if taken is None:
            return None
        return self.render(node.body if taken else node.orelse)

    def rewrite_BoolOp(self, node: ast.BoolOp) -> str | None:
        """`None or value`, `Class or value`; with `and` the other way round."""
        first, ends = self.known(node.values[0]), isinstance(node.op, ast.Or)
        if first is None:
            return None
        if first is ends or len(node.values) == 1:
            return self.render(node.values[0])
        word = " or " if ends else " and "
        return word.join(self.render(value) for value in node.values[1:])

    def rewrite_If(self, node: ast.If) -> str | None:
        arms: list[tuple[ast.expr | None, list[ast.stmt], int]] = []  # condition, body, where its header starts
        at: ast.If = node
        while True:
            arms.append((at.test, at.body, at.lineno))
            if len(at.orelse) == 1 and isinstance(at.orelse[0], ast.If) and self._is_elif(at.orelse[0]):
                at = at.orelse[0]
                continue
            if at.orelse:
                arms.append((None, at.orelse, at.body[-1].end_lineno or 0))
            break
        kept: list[tuple[ast.expr | None, list[ast.stmt], int]] = []
        for test, body, line in arms:
            taken = True if test is None else self.known(test)
            if taken is False or self._never(body):
                continue
            if test is not None and taken is None and len(arms) == 2 and self._never(arms[1][1]):
                taken = True  # the other arm is never taken
            kept.append((None if taken else test, body, line))
            if taken:
                break
        if len(kept) == len(arms) and all(k[0] is a[0] for k, a in zip(kept, arms, strict=True)):
            return None
        if not kept:
            return "pass"
        end = self.span(node)[1]
        if kept[0][0] is None:
            return self._arm(kept[0][1], node.col_offset, end).strip()
        rows = []
        for number, (test, body, _) in enumerate(kept):
            header = "else:" if test is None else ("if " if number == 0 else "elif ") + self.render(test) + ":"
            rows.append(" " * node.col_offset + header + "\n" + self._arm(body, node.col_offset + 4, end))
        return "".join(rows).strip()

    def _is_elif(self, node: ast.If) -> bool:
        return self.text(node).startswith("elif")

    def _arm(self, body: list[ast.stmt], column: int, end: int) -> str:
        """A block's lines, with the comments above it, moved to a column."""
        source = lines(self.data[:end].decode())
        first, last = self.lines_of(body[0])[0], body[-1].end_lineno or 0
        while is_comment(source[first - 1]):
            first -= 1
        shift = indent_of(source[first]) - column
        rows = [row[shift:] if row[:shift].isspace() or not shift else row for row in source[first:last]]
        text = "".join(rows)
        return text if text.endswith("\n") else text + "\n"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _attributes(tree: ast.Module) -> dict[str, bool]:
    """Attributes that the constructor sets once and for all to None (True) or to a module (False)."""
    found: dict[str, bool] = {}
    for cls in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        written: dict[str, int] = {}
        for node in ast.walk(cls):
            if isinstance(node, ast.Attribute) and _is_self(node.value) and isinstance(node.ctx, ast.Store):
                written[node.attr] = written.get(node.attr, 0) + 1
        for method in cls.body:
            if not (isinstance(method, ast.FunctionDef) and method.name == "__init__"):
                continue
            for statement in method.body:
                if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
                    continue
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                target, value = targets[0], statement.value
                if not isinstance(target, ast.Attribute) or not _is_self(target.value):
                    continue
                if written[target.attr] == 1 and _is_none(value):
                    found[target.attr] = True
                elif written[target.attr] == 1 and isinstance(value, ast.Call) and _makes_module(value.func):
                    found[target.attr] = False
    return found


def _makes_module(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute):
        name = function.value.id if isinstance(function.value, ast.Name) else ""
        return bool(TOKEN.fullmatch(name)) and name.endswith("_nn") and function.attr[0].isupper()
    name = function.id if isinstance(function, ast.Name) else ""
    return bool(TOKEN.fullmatch(name)) and name[6].isupper()
