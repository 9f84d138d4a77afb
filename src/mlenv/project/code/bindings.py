"""What the names of one scope stand for, so far as its imports tell."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

UNKNOWN = ""
"""What a name stands for that is set by anything but one import."""
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_INNER = (*_SCOPES, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bindings(body: Sequence[ast.AST], modules: Collection[str]) -> dict[str, str]:
    """Return what each name that some statements bind stands for.

    Args:
        body: The statements of a module, class or function.
        modules: The top-level modules that matter; what comes from others is unknown.

    Returns:
        Dotted names from the top-level module on; :data:`UNKNOWN` where a name is bound in several
        ways, or otherwise than by an import. ``np = None`` where an import failed does not count.
    """
    found: dict[str, str] = {}
    for name, meaning in _bound(body):
        known = meaning if meaning.partition(".")[0] in modules else UNKNOWN
        found[name] = known if found.get(name, known) == known else UNKNOWN
    return found


def _bound(body: Sequence[ast.AST]) -> Iterator[tuple[str, str]]:
    pending = [*reversed(body)]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from _imported(node)
        elif isinstance(node, _INNER):
            if isinstance(node, _SCOPES):
                yield node.name, UNKNOWN
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                yield node.id, UNKNOWN
        else:
            if isinstance(node, ast.ExceptHandler) and node.name:
                yield node.name, UNKNOWN
            pending.extend(_parts(node))


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
        return
    for alias in node.names:
        home = node.module if not node.level else None
        yield alias.asname or alias.name, f"{home}.{alias.name}" if home else UNKNOWN


def _parts(node: ast.AST) -> list[ast.AST]:
    """Return what a node consists of, without the names that it sets to None."""
    if isinstance(node, ast.Assign) and _is_none(node.value):
        return [one for one in node.targets if not isinstance(one, ast.Name)]
    return [*ast.iter_child_nodes(node)]


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def arguments_of(given: ast.arguments) -> list[str]:
    """Return the names of a function's parameters."""
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return [one.arg for one in every if one is not None]


def dotted_parts(node: ast.AST) -> list[str]:
    """Return the parts of a name such as ``np.linalg.norm``; none of any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return []
    return [node.id, *reversed(parts)]
