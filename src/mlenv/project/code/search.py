"""The search of many files for names: each as bytes first, so that few of them are parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from mlenv.model.usage import Use
from mlenv.paths import folders_above
from mlenv.project.code.notebooks import read_notebook
from mlenv.project.code.parsing import Script, read_module
from mlenv.project.code.syntax import Found, find_uses
from mlenv.project.files import Tree, Unreadable
from mlenv.records import replace

_MEBIBYTE = 1 << 20
MOST_FILES = 5000
MOST_BYTES = 32 * _MEBIBYTE
MOST_PARSED = 2 * _MEBIBYTE
"""Limits of one search: what is opened, what is read, and what is parsed."""
LARGEST = _MEBIBYTE // 4
LARGEST_NOTEBOOK = 16 * _MEBIBYTE
"""Files: few people write a larger one, whose tree takes hundreds of its size; pictures make a
notebook large."""
_MOST_ALIASES = 8
_MOST_USES = 20
"""Of one name: more are not shown anywhere."""
_BLANKS = bytes(
    code if code >= 128 or chr(code).isalnum() or chr(code) == "_" else 32 for code in range(256)
)


class Wanted:
    """The names that are looked for, sorted for quick tests.

    Attributes:
        names: All of them.
        modules: The top-level modules that they begin with.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self.modules = frozenset(re.split("[.:]", name)[0] for name in self.names)
        self._roots = [module.encode() for module in sorted(self.modules)]
        self._by_last: dict[bytes, list[str]] = {}
        for name in sorted(self.names):
            last = re.split("[.:]", name)[-1]
            self._by_last.setdefault(last.encode(), []).append(name)

    def within(self, data: bytes) -> frozenset[str]:
        """Return the names that a file may use, by its words; it may use none of them after all."""
        if not any(root in data for root in self._roots):
            return frozenset()
        words = frozenset(data.translate(_BLANKS).split())
        peek = _Peek(data)
        return frozenset(
            name
            for last in words & self._by_last.keys()
            for name in self._by_last[last]
            if words.issuperset(_words(name)) and peek.may_use(name)
        )


def _words(name: str) -> list[bytes]:
    return [part.encode() for part in re.split("[.:]", name)]


class _Peek:
    """Looks at what stands behind the names of a module, since ``int`` is a word of every file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._members: dict[str, frozenset[bytes] | None] = {}
        self._imported: dict[str, bool] = {}

    def may_use(self, name: str) -> bool:
        """Return whether a file may use a name all of whose words it holds."""
        module, dot, member = name.partition(".")
        if not dot or not member.isidentifier() or b"setattr" in self._data:
            return True
        members = self._members_of(module)
        return members is None or member.encode() in members or self._imports_from(module)

    def _members_of(self, module: str) -> frozenset[bytes] | None:
        """Return what stands behind the names of a module; None where these are too many."""
        if module not in self._members:
            root = re.escape(module.encode())
            called = {module.encode(), *re.findall(root + rb"\s+as\s+(\w+)", self._data)}
            self._members[module] = None
            if len(called) <= _MOST_ALIASES:
                self._members[module] = frozenset(
                    member
                    for one in called
                    for member in re.findall(re.escape(one) + rb"\.(\w+)", self._data)
                )
        return self._members[module]

    def _imports_from(self, module: str) -> bool:
        if module not in self._imported:
            pattern = rb"from[ \t]+" + re.escape(module.encode()) + rb"[ \t]+import"
            self._imported[module] = re.search(pattern, self._data) is not None
        return self._imported[module]


class Search:
    """One search through the files of a project.

    Attributes:
        passed_over: How many files were too large, or are no Python 3, or were one too many.

    Args:
        tree: Reads the files.
        paths: The files, relative to the root.
        leaves_out: Whether a file does not count; asked of those that hold the words wanted.
    """

    def __init__(self, tree: Tree, paths: Sequence[str], leaves_out: Callable[[str], bool]) -> None:
        self.passed_over = 0
        self._leaves_out = leaves_out
        self._tree = tree
        self._paths = paths
        self._known = frozenset(paths)
        self._read = 0
        self._parsed = 0
        self._provided: set[str] = set()

    def run(self, names: Iterable[str]) -> Mapping[str, tuple[Use, ...]]:
        """Return the uses of each name; an empty tuple for those that are not used."""
        wanted = Wanted(names)
        uses: dict[str, list[Use]] = {name: [] for name in wanted.names}
        self.passed_over += max(0, len(self._paths) - MOST_FILES)
        for path in self._paths[:MOST_FILES]:
            found = self._in_file(path, wanted)
            if found is None:
                self.passed_over += 1
                continue
            self._provided.update(found.provided)
            for use in found.uses:
                alike = [one for one in uses[use.name] if one.guarded == use.guarded]
                if len(alike) < _MOST_USES:
                    uses[use.name].append(use)
        return {
            name: tuple(
                replace(use, guarded=True) if name in self._provided else use for use in places
            )
            for name, places in uses.items()
        }

    def _in_file(self, path: str, wanted: Wanted) -> Found | None:
        """Return what a file uses; None where it is passed over."""
        is_notebook = path.endswith(".ipynb")
        left = MOST_BYTES - self._read
        data = self._tree.read_bytes(path, limit=LARGEST_NOTEBOOK if is_notebook else LARGEST)
        if isinstance(data, Unreadable) or len(data) > left:
            return None
        self._read += len(data)
        # behind these escapes of JSON a word begins
        plain = data.replace(b"\\n", b" ").replace(b"\\t", b" ") if is_notebook else data
        names = wanted.within(plain)
        if not names or self._leaves_out(path):
            return Found()
        own = frozenset(module for module in wanted.modules if self._is_own(module, path))
        modules = wanted.modules - own
        names = frozenset(name for name in names if re.split("[.:]", name)[0] in modules)
        if not names:
            return Found()
        read: Callable[..., Script | None] = read_notebook if is_notebook else read_module
        script = read(path, data, MOST_PARSED - self._parsed)
        if script is None:
            return None
        self._parsed += script.size
        return find_uses(script, names, modules)

    def _is_own(self, module: str, path: str) -> bool:
        """Whether a file that imports a module gets the project's own of that name."""
        for folder in folders_above(path):
            for home in (folder, f"{folder}/src" if folder else "src"):
                base = f"{home}/{module}" if home else module
                if f"{base}.py" in self._known or f"{base}/__init__.py" in self._known:
                    return True
        return False
