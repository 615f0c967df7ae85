"""Change source text by its syntax tree, so that comments, names and layout of all the rest stay."""

import ast
from collections.abc import Iterator


class Rewriter:
    """Render a piece of source, replacing what the `rewrite_<Node>` methods of a subclass return text for.

    A method gets the node and returns its new text, or None to leave the node and go on into its children;
    `self.render(child)` gives a child's new text. Positions in the tree count bytes, so the text is kept so.
    """

    def __init__(self, text: str):
        self.data = text.encode()
        self.tree = ast.parse(text)
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def result(self) -> str:
        return self._children(self.tree, 0, len(self.data))

    def span(self, node: ast.AST) -> tuple[int, int]:
        start = self.starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self.starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        decorators = getattr(node, "decorator_list", None)
        if decorators:  # the tree puts them before the node's own span
            start = self.data.rindex(b"@", 0, self.span(decorators[0])[0])
        return start, end

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def render(self, node: ast.AST) -> str:
        method = getattr(self, f"rewrite_{type(node).__name__}", None)
        new = method(node) if method else None
        return new if new is not None else self._children(node, *self.span(node))

    def _children(self, node: ast.AST, start: int, end: int) -> str:
        pieces, at = [], start
        for child in self._placed(node):
            a, b = self.span(child)
            pieces.append(self.data[at:a].decode())
            pieces.append(self.render(child))
            at = b
        pieces.append(self.data[at:end].decode())
        return "".join(pieces)

    def _placed(self, node: ast.AST) -> list[ast.AST]:
        """The nearest descendants that have a place in the text, in its order."""
        if isinstance(node, ast.JoinedStr):
            return []  # before Python 3.12 the places inside an f-string are wrong
        found: list[ast.AST] = []
        for child in ast.iter_child_nodes(node):
            found += [child] if hasattr(child, "lineno") else self._placed(child)
        return sorted(found, key=self.span)

    # whole statements

    def lines_of(self, statement: ast.stmt) -> tuple[int, int]:
        """First and one past the last line (from 0) of a statement with its decorators."""
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        return first - 1, statement.end_lineno or statement.lineno


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def indent_of(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def drop_statements(text: str, doomed: list[ast.stmt]) -> str:
    """Take statements out by whole lines; a comment above goes with one unless it heads what follows, too."""
    source = lines(text)
    gone: set[int] = set()
    for statement in doomed:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))]) - 1
        last = statement.end_lineno or statement.lineno
        gone.update(range(first, last))
    for start in sorted(gone):
        if start - 1 in gone:
            continue
        stop = start
        while stop in gone:
            stop += 1
        following = source[stop] if stop < len(source) else "\n"
        heads_more = following.strip() and not is_comment(following)
        heads_more = heads_more and indent_of(following) == indent_of(source[start])
        above = start - 1
        while not heads_more and above >= 0 and is_comment(source[above]):
            gone.add(above)
            above -= 1
    return "".join(line for number, line in enumerate(source) if number not in gone)


def names(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
