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
from mlenv.records import dataclass

_MOST_MODULES = 2_000
_MOST_FILES = 20_000
_LARGEST = 1 << 20
_CATCHING = frozenset(("ImportError", "ModuleNotFoundError", "OSError", "Exception"))
_NEVER = re.compile(r"TYPE_CHECKING|__\w+_SETUP__")
"""Flags that are true for type checkers and while a package is built, and never in a run."""
_DEEPEST = 30


@dataclass(frozen=True, slots=True)
class _Import:
    """One import: a module, and the name that is taken from it, which may be a module too."""

    module: str
    name: str
    level: int


class Reach:
    """What the import of a package runs; each package is followed once, when first asked about.

    Args:
        sites: The folders of packages, as whole paths.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self._sites = tuple(sites)
        self._run: dict[str, frozenset[str]] = {}

    def runs(self, package: str, module: str) -> bool:
        """Whether importing a package surely imports a module (``torch`` and ``torch._C``)."""
        if package not in self._run:
            # most of what does not load is imported by nobody for sure, which is soon told
            if not any(module in self._meant_by(one) for one in self._mentioning(package, module)):
                return False
            self._run[package] = frozenset(self._follow(package))
        return module in self._run[package]

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
                    if name.endswith(".py"):
                        data = read_bytes(os.path.join(folder, name), _LARGEST)
                        if data is not None and leaf in data:
                            stem = name.removesuffix(".py")
                            last = [] if stem == "__init__" else [stem]
                            yield ".".join([one for one in parts if one != "."] + last)

    def _meant_by(self, module: str) -> frozenset[str]:
        """Return what a module surely imports."""
        source, is_package = self._source(module)
        imports = _imports_of(source) if source is not None else ()
        return frozenset(name for one in imports for name in self._meant(one, module, is_package))

    def _follow(self, package: str) -> Iterator[str]:
        """Yield every module that is surely imported, those of other packages by name only."""
        waiting, seen = deque([package]), {package}
        while waiting:
            module = waiting.popleft()
            yield module
            for name in self._meant_by(module) - seen if len(seen) < _MOST_MODULES else ():
                seen.add(name)
                # other packages are followed when they are asked about themselves
                if name.startswith(f"{package}."):
                    waiting.append(name)
                else:
                    yield name

    def _meant(self, one: _Import, module: str, is_package: bool) -> Iterator[str]:
        base = one.module
        if one.level:
            parents = module.split(".")
            parents = parents[: len(parents) - one.level + (1 if is_package else 0)]
            if not parents:
                return
            base = ".".join([*parents, *([one.module] if one.module else [])])
        parts = base.split(".")
        for size in range(1, len(parts) + 1):
            yield ".".join(parts[:size])
        if one.name:
            yield f"{base}.{one.name}"

    def _source(self, module: str) -> tuple[bytes | None, bool]:
        """Return a module's text, and whether it is a package; None for what has none."""
        inner = os.path.join(*module.split("."))
        for site in self._sites:
            for path, is_package in (
                (os.path.join(site, inner, "__init__.py"), True),
                (os.path.join(site, f"{inner}.py"), False),
            ):
                data = read_bytes(path, _LARGEST)
                if data is not None:
                    return data, is_package
        return None, False


def _imports_of(source: bytes) -> set[_Import]:
    """Return the imports of a module that run whatever happens; none where it is no Python 3."""
    body = parse(source.decode("utf-8", "replace"))
    return _sure(body, 0) if body is not None else set()


def _sure(body: Sequence[ast.stmt], depth: int) -> set[_Import]:
    found: set[_Import] = set()
    if depth > _DEEPEST:
        return found
    for statement in body:
        if isinstance(statement, ast.Import):
            found.update(_Import(one.name, "", 0) for one in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            module, level = statement.module or "", statement.level
            found.update(_Import(module, one.name, level) for one in statement.names)
        elif isinstance(statement, ast.If):
            found |= _of_branches(statement, depth)
        elif isinstance(statement, ast.Try):
            if all(map(_raises, statement.handlers)):
                found |= _sure(statement.body, depth + 1)
            found |= _sure(statement.finalbody, depth + 1)
        elif isinstance(statement, ast.With) and not _suppresses(statement):
            found |= _sure(statement.body, depth + 1)
        elif isinstance(statement, ast.Raise):
            break
    return found


def _of_branches(statement: ast.If, depth: int) -> set[_Import]:
    """Return what runs in either branch; what is for type checkers or builds never does."""
    test, body, other = statement.test, statement.body, statement.orelse
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, body, other = test.operand, other, body
    if _NEVER.fullmatch(_name_of(test)):
        return _sure(other, depth + 1)
    return _sure(body, depth + 1) & _sure(other, depth + 1)


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
