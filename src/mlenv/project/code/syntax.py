"""Which names a syntax tree uses, whatever they are called there, and what stands guard over them.

Source: the Python Language Reference, "Naming and binding" and "The import statement".
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from mlenv.model.usage import Use
from mlenv.project.code.bindings import UNKNOWN, arguments_of, bindings, dotted_parts
from mlenv.project.code.guards import catches, ends, is_check, suppresses
from mlenv.project.code.parsing import Script
from mlenv.records import dataclass

_LONGEST = 20
"""Parts of a dotted name that are looked at."""
_MOST_TARGETS = 100
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one file uses.

    Attributes:
        uses: The places, in order.
        provided: The names that it sets itself, such as ``np.float_ = np.float64``.
    """

    uses: tuple[Use, ...] = ()
    provided: frozenset[str] = frozenset()


def find_uses(script: Script, names: Collection[str], modules: Collection[str]) -> Found | None:
    """Return where a file uses names; None where it nests too deeply to be followed.

    Args:
        script: The file.
        names: See :meth:`mlenv.model.usage.Code.uses`.
        modules: The top-level modules that they begin with.
    """
    visitor = _Visitor(script, names, modules)
    try:
        visitor.run()
    except RecursionError:
        return None
    uses = sorted(visitor.found.values(), key=lambda use: use.span.order)
    return Found(tuple(uses), frozenset(visitor.provided))


class _Visitor:
    """Goes through a syntax tree with what each name stands for."""

    def __init__(self, script: Script, names: Collection[str], modules: Collection[str]) -> None:
        self.found: dict[tuple[str, int, bool], Use] = {}
        self.provided: set[str] = set()
        self._script = script
        self._names = names
        self._modules = modules
        self._scopes: list[dict[str, str]] = []
        self._guards = 0
        self._annotations_run = True

    def run(self) -> None:
        body = self._script.body
        self._annotations_run = not any(
            isinstance(one, ast.ImportFrom)
            and one.module == "__future__"
            and any(alias.name == "annotations" for alias in one.names)
            for one in body
        )
        self._within(bindings(body, self._modules), body)

    def _within(self, scope: dict[str, str], body: Sequence[ast.AST]) -> None:
        self._scopes.append(scope)
        self._block(body)
        self._scopes.pop()

    def _block(self, body: Sequence[ast.AST]) -> None:
        """Visit statements; what follows one that leaves after a check is guarded by it."""
        guards = self._guards
        for node in body:
            self._visit(node)
            is_way_out = isinstance(node, ast.If) and (ends(node.body) or ends(node.orelse))
            if (is_way_out or isinstance(node, ast.Assert)) and is_check(node.test):  # type: ignore[attr-defined]
                self._guards += 1
        self._guards = guards

    def _visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._use(alias.name, alias)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, (*_FUNCTIONS, ast.Lambda)):
            self._function(node)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        elif isinstance(node, ast.ClassDef):
            self._all(*node.decorator_list, *node.bases, *node.keywords)
            self._within(bindings(node.body, self._modules), node.body)
        elif isinstance(node, ast.AnnAssign):
            self._annotated(node)
        else:
            self._compound(node)

    def _compound(self, node: ast.AST) -> None:
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            self._try(node)  # type: ignore[arg-type]
        elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
            self._guarded([node.test], is_guard=is_check(node.test))
            body = node.body if isinstance(node.body, list) else [node.body]
            orelse = node.orelse if isinstance(node.orelse, list) else [node.orelse]
            self._guarded(body, orelse, is_guard=is_check(node.test))
        elif isinstance(node, (ast.BoolOp, ast.Assert)):
            whole = node if isinstance(node, ast.BoolOp) else node.test
            self._guarded([*ast.iter_child_nodes(node)], is_guard=is_check(whole))
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._all(*node.items)
            self._guarded(node.body, is_guard=any(suppresses(one) for one in node.items))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            self._all(node.target, node.iter)
            self._block(node.body)
            self._block(node.orelse)
        else:
            self._all(*ast.iter_child_nodes(node))

    def _all(self, *nodes: ast.AST | None) -> None:
        for node in nodes:
            if node is not None:
                self._visit(node)

    def _guarded(self, *blocks: Sequence[ast.AST], is_guard: bool) -> None:
        self._guards += is_guard
        for block in blocks:
            self._block(block)
        self._guards -= is_guard

    def _try(self, node: ast.Try) -> None:
        is_guard = any(catches(handler) for handler in node.handlers)
        handlers = [one for handler in node.handlers for one in handler.body]
        self._all(*(handler.type for handler in node.handlers))
        self._guarded(node.body, handlers, node.orelse, is_guard=is_guard)
        self._block(node.finalbody)

    def _import_from(self, node: ast.ImportFrom) -> None:
        if node.level or not node.module:
            return
        for alias in node.names:
            self._use(node.module if alias.name == "*" else f"{node.module}.{alias.name}", alias)

    def _attribute(self, node: ast.Attribute) -> None:
        parts = dotted_parts(node)
        if not parts:
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                inner = inner.value
            self._visit(inner)
            return
        name = self._resolved(parts)
        if name and isinstance(node.ctx, ast.Store):
            self.provided.add(name)
        elif name:
            self._use(name, node)

    def _call(self, node: ast.Call) -> None:
        name = self._resolved(dotted_parts(node.func))
        if name:
            for keyword in node.keywords:
                if keyword.arg:
                    self._use(f"{name}:{keyword.arg}", keyword, length=len(keyword.arg.encode()))
        elif isinstance(node.func, ast.Name) and node.func.id == "setattr" and len(node.args) > 1:
            owner, key = self._resolved(dotted_parts(node.args[0])), node.args[1]
            if owner and isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.provided.add(f"{owner}.{key.value}")
        self._all(*ast.iter_child_nodes(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        given = node.args
        self._all(*given.defaults, *given.kw_defaults)
        scope = dict.fromkeys(arguments_of(given), UNKNOWN)
        if isinstance(node, ast.Lambda):
            self._within(scope, [node.body])
            return
        self._all(*node.decorator_list)
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        annotations = [one.annotation for one in every if one is not None]
        stated = [one for one in (*annotations, node.returns) if one is not None]
        self._guarded(stated, is_guard=not self._annotations_run)
        self._within({**bindings(node.body, self._modules), **scope}, node.body)

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        targets = [
            name.id
            for one in node.generators
            for name in islice(ast.walk(one.target), _MOST_TARGETS)
            if isinstance(name, ast.Name)
        ]
        self._within(dict.fromkeys(targets, UNKNOWN), [*ast.iter_child_nodes(node)])

    def _annotated(self, node: ast.AnnAssign) -> None:
        # in a function it is never evaluated
        runs = self._annotations_run and len(self._scopes) == 1
        self._guarded([node.annotation], is_guard=not runs)
        self._all(node.target, node.value)

    def _resolved(self, parts: Sequence[str]) -> str:
        """Return what a dotted name stands for, from the top-level module on; empty if unknown."""
        if not parts:
            return ""
        for scope in reversed(self._scopes):
            if parts[0] in scope:
                found = scope[parts[0]]
                return ".".join((found, *parts[1:])) if found else ""
        return ""

    def _use(self, name: str, node: ast.AST, *, length: int | None = None) -> None:
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        if length is not None:
            last, end = line, column + length
        is_guarded = self._guards > 0
        for asked in self._asked(name):
            if (asked, line, is_guarded) not in self.found:  # one line may be the whole file
                span = self._script.span((line, column, last, end))
                self.found[asked, line, is_guarded] = Use(asked, span, is_guarded)

    def _asked(self, name: str) -> Iterator[str]:
        """Yield the names that were asked for and that one begins with."""
        if ":" in name:
            yield from (name,) if name in self._names else ()
            return
        parts = name.split(".")[:_LONGEST]
        if parts[0] in self._modules:
            whole = (".".join(parts[:count]) for count in range(1, len(parts) + 1))
            yield from (one for one in whole if one in self._names)
