"""Which modules an import surely runs, told from the syntax of the package's own files.

A compiled file that does not load breaks what imports it. Whether ``import package`` does depends
on its code: an import in a function or under ``try`` may never matter. Counted is only what runs
whatever happens.
"""

from __future__ import annotations

import ast
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence

from mlenv.environment.disk import read_bytes
from mlenv.project.code.parsing import parse

_MOST_MODULES = 2_000
_MOST_FILES = 20_000
_LARGEST = 1 << 20
_MOST_READ = 1 << 28
_MOST_PARSED = 1 << 26
"""In bytes, of all packages together; torch has 40 MB of code, of which a twentieth is parsed."""
_CATCHING = frozenset(("ImportError", "ModuleNotFoundError", "OSError", "Exception"))
_NEVER = re.compile(r"TYPE_CHECKING|__\w+_SETUP__")
"""Flags that are true for type checkers and while a package is built, and never in a run."""
_DEEPEST = 30


class Reach:
    """What the import of a package runs; each is followed once, and no further than is asked.

    Args:
        sites: The folders of packages, as whole paths.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self._sites = tuple(sites)
        self._run: dict[str, set[str]] = {}
        self._following: dict[str, Iterator[str]] = {}
        self._meant: dict[str, frozenset[str]] = {}
        self._may_read = _MOST_READ
        self._may_parse = _MOST_PARSED

    def runs(self, package: str, module: str) -> bool:
        """Whether importing a package surely imports a module (``torch`` and ``torch._C``)."""
        if package not in self._run:
            # most of what does not load is imported by nobody for sure, which is soon told
            if not any(module in self._meant_by(one) for one in self._mentioning(package, module)):
                return False
            self._run[package], self._following[package] = set(), self._follow(package)
        run = self._run[package]
        while module not in run:
            following = next(self._following[package], None)
            if following is None:
                return False
            run.add(following)
        return True

    def _mentioning(self, package: str, module: str) -> Iterator[str]:
        """Yield the modules of a package whose text has the last part of a module's name."""
        leaf = module.rpartition(".")[2].encode()
        inner = package.split(".")
        for site in self._sites:
            top = os.path.join(site, *inner)
            left = _MOST_FILES
            for folder, folders, names in os.walk(top):
                folders.sort()
                left -= len(names)
                parts = [*inner, *os.path.relpath(folder, top).split(os.sep)]
                for name in sorted(names) if left > 0 else ():
                    if name.endswith(".py") and self._may_read > 0:
                        data = read_bytes(os.path.join(folder, name), _LARGEST) or b""
                        self._may_read -= len(data)
                        if leaf in data:
                            stem = name.removesuffix(".py")
                            last = [] if stem == "__init__" else [stem]
                            yield ".".join([one for one in parts if one != "."] + last)

    def _follow(self, package: str) -> Iterator[str]:
        """Yield every module that is surely imported, those of other packages by name only."""
        waiting, seen = deque([package]), {package}
        while waiting:
            module = waiting.popleft()
            yield module
            for name in sorted(self._meant_by(module) - seen) if len(seen) < _MOST_MODULES else ():
                seen.add(name)
                # other packages are followed when they are asked about themselves
                if name.startswith(f"{package}."):
                    waiting.append(name)
                else:
                    yield name

    def _meant_by(self, module: str) -> frozenset[str]:
        """Return what a module surely imports; nothing where it is no Python 3."""
        if module in self._meant:
            return self._meant[module]
        source, is_package = self._source(module)
        self._may_parse -= len(source)
        body = parse(source.decode("utf-8", "replace")) if self._may_parse > 0 else None
        found = _Code(module, is_package).sure(body, 0) if body is not None else ()
        self._meant[module] = frozenset(found)
        return self._meant[module]

    def _source(self, module: str) -> tuple[bytes, bool]:
        """Return a module's text, and whether it is a package; nothing for what has none."""
        inner = os.path.join(*module.split("."))
        for site in self._sites:
            for path, is_package in (
                (os.path.join(site, inner, "__init__.py"), True),
                (os.path.join(site, f"{inner}.py"), False),
            ):
                data = read_bytes(path, _LARGEST)
                if data is not None:
                    return data, is_package
        return b"", False


class _Code:
    """The code of one module, whose name relative imports count from."""

    def __init__(self, module: str, is_package: bool) -> None:
        parents = module.split(".")
        self._parents = parents if is_package else parents[:-1]

    def sure(self, body: Sequence[ast.stmt], depth: int) -> set[str]:
        """Return the modules whose import runs whatever happens."""
        found: set[str] = set()
        for statement in body if depth <= _DEEPEST else ():
            if isinstance(statement, ast.Raise):
                break
            found.update(self._of(statement, depth))
        return found

    def _of(self, statement: ast.stmt, depth: int) -> Iterator[str]:
        if isinstance(statement, ast.Import):
            for one in statement.names:
                yield from _with_parents(one.name)
        elif isinstance(statement, ast.ImportFrom):
            yield from self._taken(statement)
        elif isinstance(statement, ast.If):
            yield from self._of_branches(statement, depth)
        elif isinstance(statement, ast.Try):
            if all(map(_raises, statement.handlers)):
                yield from self.sure(statement.body, depth + 1)
            yield from self.sure(statement.finalbody, depth + 1)
        elif isinstance(statement, ast.With) and not _suppresses(statement):
            yield from self.sure(statement.body, depth + 1)

    def _taken(self, statement: ast.ImportFrom) -> Iterator[str]:
        """Yield a module, and the names that are taken from it, which may be modules too."""
        base = statement.module or ""
        if statement.level:
            kept = len(self._parents) - statement.level + 1
            if kept < 1:
                return
            base = ".".join([*self._parents[:kept], *([base] if base else [])])
        yield from _with_parents(base)
        yield from (f"{base}.{one.name}" for one in statement.names)

    def _of_branches(self, statement: ast.If, depth: int) -> set[str]:
        """Return what runs in either branch; what is for type checkers or builds never does."""
        test, body, other = statement.test, statement.body, statement.orelse
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, body, other = test.operand, other, body
        if _NEVER.fullmatch(_name_of(test)):
            return self.sure(other, depth + 1)
        return self.sure(body, depth + 1) & self.sure(other, depth + 1)


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:size]) for size in range(1, len(parts) + 1))


def _raises(handler: ast.ExceptHandler) -> bool:
    """Whether a handler lets a failed import fail: it catches something else, or raises."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    named = {_name_of(one) for one in kinds if one is not None}
    if handler.type is not None and named and not named & _CATCHING:
        return True
    last = handler.body[-1]
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        return _name_of(last.value.func).startswith("raise")
    return isinstance(last, ast.Raise)


def _suppresses(statement: ast.With) -> bool:
    calls = (one.context_expr for one in statement.items)
    return any(isinstance(one, ast.Call) and _name_of(one.func) == "suppress" for one in calls)


def _name_of(node: ast.expr | None) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
