"""Expressions of a setup.py, evaluated so far as that needs nothing to be run."""

from __future__ import annotations

import ast
import posixpath
import re

from mlenv.model.text import Fragment
from mlenv.project.manifests.setup_conditions import dotted, sides
from mlenv.project.manifests.setup_strings import formatted, joined, percent
from mlenv.project.manifests.setup_values import (
    MAX_ITEMS,
    NOTHING,
    File,
    Function,
    Item,
    Items,
    Places,
    Table,
    Text,
    Unknown,
    Value,
    members,
    merged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span

_MAX_DEPTH = 30
_MAX_COST = 1_000_000
_OPENERS = frozenset(("open", "io.open", "codecs.open"))
_SAME = frozenset(
    (
        *(
            "list",
            "tuple",
            "set",
            "sorted",
            "reversed",
            "str",
            "iter",
            "copy.copy",
            "copy.deepcopy",
        ),
        *("Path", "pathlib.Path", "PurePath", "os.fspath", "os.path.abspath", "os.path.realpath"),
        *("os.path.normpath", "os.path.expanduser", "path.abspath", "abspath", "realpath"),
        *("pkg_resources.parse_requirements", "dict.fromkeys"),
    )
)
"""Calls that give their first argument back, for what matters here."""
_SAME_METHODS = frozenset(
    ("strip", "rstrip", "lstrip", "copy", "resolve", "absolute", "as_posix", "expanduser", "decode")
)
_FILE_METHODS = frozenset(("read", "readlines", "read_text", "open", "read_bytes"))
_LINES = frozenset(("splitlines", "split", "readlines"))
_JOINS = frozenset(("os.path.join", "path.join", "osp.join", "join"))
_FOLDER = frozenset(("os.path.dirname", "path.dirname", "osp.dirname", "dirname"))
_NAME = re.compile(r"[^!=<>~ \[;]+")
_LISTS = frozenset(("list", "tuple"))
_TYPES = _LISTS | {"str"}
_LIST_FILES = (".txt", ".in", ".pip")
_MAX_PATH = 500

Env = dict[str, Value]


class TooMuchError(Exception):
    """The file takes more steps to follow than a setup.py has reason to."""


class Evaluator:
    """Evaluates expressions; what runs statements completes it with calls of local functions."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.depth = 0
        self.cost = 0
        self.guessing = 0
        self.opened: list[File] = []

    def charge(self, cost: int = 1) -> None:
        """Count steps.

        Raises:
            TooMuchError: There are too many.
        """
        self.cost += cost
        if self.cost > _MAX_COST:
            raise TooMuchError

    def call_function(self, function: Function, node: ast.Call, env: Env) -> Value:
        """Return what a function of the file gives back."""
        raise NotImplementedError

    def value(self, node: ast.expr, env: Env) -> Value:
        """Return what an expression stands for."""
        self.charge()
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            return self._name(node, env)
        if self.depth >= _MAX_DEPTH:
            return Unknown(self.span(node))
        self.depth += 1
        try:
            read = getattr(self, f"_{type(node).__name__.lower()}", None)
            found: Value = read(node, env) if read is not None else Unknown(self.span(node))
        finally:
            self.depth -= 1
        return found

    def span(self, node: ast.expr) -> Span:
        """Return where an expression stands."""
        return self.places.span(node)

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            return self.places.text(node, node.value)
        return NOTHING if node.value is None else Unknown(self.span(node))

    def _name(self, node: ast.Name, env: Env) -> Value:
        if node.id == "__file__":
            return Text(Fragment.decoded("./setup.py", self.span(node)))
        return env.get(node.id) or Unknown(self.span(node))

    def _list(self, node: ast.List | ast.Tuple | ast.Set, env: Env) -> Value:
        found: list[Item] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                found.extend(members(self.value(element.value, env)))
            else:
                found.append(Item(self.value(element, env)))
        return self.items(found)

    _tuple = _set = _list

    def items(self, found: list[Item]) -> Items:
        """Return a list, whose length is counted against what a file may cost."""
        self.charge(len(found) // 64)
        if len(found) > MAX_ITEMS:
            raise TooMuchError
        return Items(tuple(found))

    def _dict(self, node: ast.Dict, env: Env) -> Value:
        values: dict[str, Value] = {}
        rest: list[Unknown] = []
        for key, value in zip(node.keys, node.values, strict=True):
            found = self.value(value, env)
            name = self.value(key, env) if key is not None else None
            if isinstance(name, Text):
                values[name.value] = found
            elif name is None and isinstance(found, Table):
                values.update(found.values)
                rest.extend(found.rest)
            else:
                rest.append(Unknown(self.span(value)))
        return Table(values, tuple(rest))

    def _binop(self, node: ast.BinOp, env: Env) -> Value:
        if isinstance(node.op, ast.Add):
            return self._sum(node, env)
        left, right = self.value(node.left, env), self.value(node.right, env)
        if isinstance(node.op, ast.Div) and isinstance(left, Text) and isinstance(right, Text):
            return self._path([left, right], node)
        if isinstance(node.op, ast.Mod) and isinstance(left, Text):
            given = [item.value for item in members(right)]
            return percent(left, given, self.span(node))
        return Unknown(self.span(node))

    def _sum(self, node: ast.BinOp, env: Env) -> Value:
        operands: list[ast.expr] = []
        rest: ast.expr = node
        while isinstance(rest, ast.BinOp) and isinstance(rest.op, ast.Add):
            operands.append(rest.right)
            rest = rest.left
        values = [self.value(one, env) for one in (rest, *reversed(operands))]
        if any(isinstance(value, Items) for value in values):
            return self.items([item for value in values for item in members(value)])
        files = [value for value in values if isinstance(value, File)]
        if files:
            return self.items([Item(value) for value in values])
        return joined(values, self.span(node))

    def _path(self, parts: list[Value], node: ast.expr) -> Value:
        texts = [part.value for part in parts if isinstance(part, Text)]
        if len(texts) < len(parts) or not texts or sum(map(len, texts)) > _MAX_PATH:
            return Unknown(self.span(node))
        return Text(Fragment.decoded(posixpath.join(*texts), self.span(node)))

    def _joinedstr(self, node: ast.JoinedStr, env: Env) -> Value:
        parts: list[Value] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                plain = part.conversion == -1 and part.format_spec is None
                value = self.value(part.value, env) if plain else None
                parts.append(value or Unknown(self.span(node)))
            elif isinstance(part, ast.Constant):
                parts.append(Text(Fragment.decoded(str(part.value), self.span(node))))
        return joined(parts, self.span(node))

    def holds(self, test: ast.expr, env: Env) -> bool | None:
        """Return whether a question on the type of a value is answered yes; None where untold."""
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            answer = self.holds(test.operand, env)
            return None if answer is None else not answer
        if not isinstance(test, ast.Call) or dotted(test.func) != "isinstance":
            return None
        if len(test.args) != 2:
            return None
        value, asked = self.value(test.args[0], env), test.args[1]
        types = asked.elts if isinstance(asked, ast.Tuple) else [asked]
        names = {dotted(one) for one in types}
        if not isinstance(value, Text | Items) or not names <= _TYPES:
            return None
        return bool(names & (_LISTS if isinstance(value, Items) else {"str"}))

    def _ifexp(self, node: ast.IfExp, env: Env) -> Value:
        answer = self.holds(node.test, env)
        if answer is not None:
            return self.value(node.body if answer else node.orelse, env)
        one, other = self.value(node.body, env), self.value(node.orelse, env)
        if isinstance(one, Text) and isinstance(other, Text):
            return one if one.value == other.value else Unknown(self.span(node))
        return merged(one, other, sides(node.test))

    def _subscript(self, node: ast.Subscript, env: Env) -> Value:
        base = self.value(node.value, env)
        if isinstance(node.slice, ast.Slice):
            return base if isinstance(base, File) else Unknown(self.span(node))
        key = self.value(node.slice, env)
        if isinstance(base, Table) and isinstance(key, Text):
            return base.values.get(key.value) or Unknown(self.span(node))
        return Unknown(self.span(node))

    def _attribute(self, node: ast.Attribute, env: Env) -> Value:
        base = self.value(node.value, env)
        if isinstance(base, Text) and node.attr == "parent":
            return self._folder(base, node)
        return Unknown(self.span(node))

    def _folder(self, base: Text, node: ast.expr) -> Value:
        return Text(Fragment.decoded(posixpath.dirname(base.value) or ".", self.span(node)))

    def _listcomp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, env: Env) -> Value:
        first = node.generators[0]
        source = self.value(first.iter, env)
        if isinstance(source, File):
            return source
        plain = (
            len(node.generators) == 1
            and not first.ifs
            and isinstance(first.target, ast.Name)
            and isinstance(source, Items)
        )
        if not plain or not isinstance(source, Items) or not isinstance(first.target, ast.Name):
            return Unknown(self.span(node))
        found = []
        for item in source.items:
            inner = {**env, first.target.id: item.value}
            self.charge(1 + len(env) // 8)
            found.append(Item(self.value(node.elt, inner), item.marker, item.is_unsure))
        return self.items(found)

    _generatorexp = _setcomp = _listcomp

    def _dictcomp(self, node: ast.DictComp, env: Env) -> Value:
        """Read a table of requirements by their names, made of a list of them by a pattern.

        Source: the setup.py of transformers, whose form many projects share.
        """
        source = node.generators[0].iter
        if isinstance(source, ast.GeneratorExp | ast.ListComp):
            source = source.generators[0].iter
        listed = self.value(source, env)
        texts = [item.value for item in members(listed) if isinstance(item.value, Text)]
        if len(node.generators) > 1 or not isinstance(listed, Items):
            return Unknown(self.span(node))
        if len(texts) < len(listed.items) or "findall(" not in self.span(node).text:
            return Unknown(self.span(node))
        names = [(_NAME.match(text.value), text) for text in texts]
        return Table({name.group(): text for name, text in names if name is not None})

    def _call(self, node: ast.Call, env: Env) -> Value:
        name = dotted(node.func)
        function = env.get(name)
        if isinstance(function, Function):
            return self.call_function(function, node, env)
        if isinstance(node.func, ast.Attribute):
            found = self._method(node, node.func, env)
            if found is not None:
                return found
        given = [self.value(one, env) for one in node.args if not isinstance(one, ast.Starred)]
        return self._known_call(name, given, node, env) or Unknown(self.span(node))

    def _known_call(self, name: str, given: list[Value], node: ast.Call, env: Env) -> Value | None:
        first = given[0] if given else None
        if name in _OPENERS:
            return self.file(first)
        if name in _JOINS:
            return self._path(given, node)
        if name in _FOLDER and isinstance(first, Text):
            return self._folder(first, node)
        if name in ("os.getcwd", "Path.cwd", "pathlib.Path.cwd"):
            return Text(Fragment.decoded(".", self.span(node)))
        if name == "dict":
            return self._dict_call(first, node, env)
        if name in ("filter", "map"):
            return given[1] if len(given) > 1 and isinstance(given[1], File) else None
        if name in _SAME:
            return first if given else NOTHING
        return next((self._read_by(one) for one in given if self._is_list_file(one)), None) or next(
            (one for one in given if isinstance(one, File)), None
        )

    @staticmethod
    def _is_list_file(value: Value) -> bool:
        return isinstance(value, Text) and value.value.endswith(_LIST_FILES)

    def _read_by(self, value: Value) -> Value:
        """Return what a function from elsewhere makes of a list of requirements: its content."""
        return self.file(value, anywhere=True) or value

    def file(self, path: Value | None, *, anywhere: bool = False) -> File | None:
        """Return the content of the file at a path; None where the path is not known."""
        if isinstance(path, File):
            return path
        if not isinstance(path, Text) or not 0 < len(path.value) < _MAX_PATH or "\n" in path.value:
            return None
        target = path.value.removeprefix("./")
        found = File(target, path.fragment.whole, anywhere or self.guessing > 0)
        self.opened.append(found)
        return found

    def _dict_call(self, first: Value | None, node: ast.Call, env: Env) -> Value:
        table = first if isinstance(first, Table) else Table({})
        values = dict(table.values)
        rest = list(table.rest)
        for keyword in node.keywords:
            found = self.value(keyword.value, env)
            if keyword.arg is not None:
                values[keyword.arg] = found
            elif isinstance(found, Table):
                values.update(found.values)
            else:
                rest.append(Unknown(self.span(keyword.value)))
        return Table(values, tuple(rest))

    def _method(self, node: ast.Call, function: ast.Attribute, env: Env) -> Value | None:
        base, name = self.value(function.value, env), function.attr
        if isinstance(base, File):
            return base
        if isinstance(base, Table) and name == "get" and node.args:
            key = self.value(node.args[0], env)
            return base.values.get(key.value) if isinstance(key, Text) else None
        if name in _SAME_METHODS and not isinstance(base, Unknown):
            return base
        if not isinstance(base, Text):
            return None
        if name in _FILE_METHODS:
            return self.file(base)
        if name in _LINES:
            return self._split(base, node, env)
        if name == "joinpath":
            return self._path([base, *(self.value(one, env) for one in node.args)], node)
        if name == "format":
            named = {one.arg: self.value(one.value, env) for one in node.keywords if one.arg}
            return formatted(
                base, [self.value(one, env) for one in node.args], named, self.span(node)
            )
        return None

    def _split(self, base: Text, node: ast.Call, env: Env) -> Value:
        separator = self.value(node.args[0], env) if node.args else None
        by = separator.value if isinstance(separator, Text) else ""
        lines = isinstance(node.func, ast.Attribute) and node.func.attr == "splitlines"
        pattern = re.escape(by) if by else r"\n" if lines else r"\s+"
        found: list[Item] = []
        begin = 0
        for match in re.finditer(pattern, base.value):
            found.append(Item(Text(base.fragment.part(begin, match.start()))))
            begin = match.end()
        found.append(Item(Text(base.fragment.part(begin, len(base.value)))))
        return self.items(found)
