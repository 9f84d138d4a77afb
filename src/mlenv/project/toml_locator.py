"""Where the keys and values of a TOML text stand: one walk, statement by statement.

The inside of an array or inline table is only looked at when somebody asks for a place in it.
Source: the TOML 1.0 specification.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""

_MAX_DEPTH = 100
"""Nesting beyond this is refused; the specification asks for no more, and older builds of tomli
end the process where it is very deep."""

_BASIC = r'"(?!"")[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_LITERAL = r"'(?!'')[^'\n]*'"
_LONG_BASIC = r'"""[^"\\]*(?:(?:\\(?s:.)|"{1,2}(?!"))[^"\\]*)*"{3,5}'
_LONG_LITERAL = r"'''[^']*(?:'{1,2}(?!')[^']*)*'{3,5}"
_STRING = f"{_BASIC}|{_LITERAL}|{_LONG_BASIC}|{_LONG_LITERAL}"

_STATEMENT = re.compile(
    r"[ \t\r\n]*(?:(?P<comment>#[^\n]*)"
    r"|\[(?P<array>\[?)[ \t]*(?:(?P<header>[A-Za-z0-9_.-]+)\])?"
    r"|(?P<key>[A-Za-z0-9_-]+)[ \t]*=[ \t]*"
    r"|(?P<other_key>(?=[A-Za-z0-9_\"'-])))"
)
_PART = re.compile(
    r"[ \t]*(?:(?P<bare>[A-Za-z0-9_-]+)"
    r'|"(?P<basic>[^"\\\n]*(?:\\.[^"\\\n]*)*)"'
    r"|'(?P<literal>[^'\n]*)')[ \t]*(?P<dot>\.?)"
)
_EQUALS = re.compile(r"=[ \t]*")
_VALUE = re.compile(rf"(?P<open>[\[{{])|{_STRING}|[^\s,\]}}#\"'\[{{]+(?: \d[^\s,\]}}#]*)?")
# Repetition is bounded because each round of it costs the regular expression engine memory
_WITHIN = re.compile(rf"(?:[^\[\]{{}}\"'#]+|{_STRING}|#[^\n]*){{0,64}}(?P<bracket>[\[\]{{}}]?)")
_GAP = re.compile(r"[\s,]*(?:#[^\n]*[\s,]*){0,64}")
_QUOTES = ('"', "'")
_Part = tuple[str, int, int]
"""A key or a part of a dotted one, and where it starts and ends."""


class Node:
    """Where one value stands.

    Attributes:
        start: Offset of its first character; of its header for a table that has one.
        end: Offset after its last character.
        key_start: Offset of its key, without quotes; -1 where it has none.
        key_end: Offset after its key.
        children: What it holds; None for scalars and for what nobody has looked into yet.
    """

    __slots__ = ("children", "end", "key_end", "key_start", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.key_start = self.key_end = -1
        self.children: dict[str | int, Node] | None = None


def _table(start: int, key: _Part) -> Node:
    node = Node(start, key[2])
    node.key_start, node.key_end = key[1:]
    node.children = {}
    return node


class TooDeepError(ValueError):
    """Tables or lists nest too deeply, at an offset."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class _LostError(ValueError):
    """The text is no TOML; tomli will say why."""


class Locator:
    """Notes where things stand in a text; what tomli refuses may come out wrong, and no worse."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.root = Node(0, len(text))
        self.root.children = {}

    def run(self) -> None:
        """Walk through all statements; stops early where the text is no TOML.

        Raises:
            TooDeepError: Something nests too deeply.
        """
        try:
            self._statements()
        except _LostError:
            return

    def find(self, path: Path) -> Node:
        """Return the node at a path, or the nearest one above it that has a place."""
        node = self.root
        for key in path:
            if node.children is None:
                self._expand(node)
            child = (node.children or {}).get(key)
            if child is None:
                return node
            node = child
        return node

    def content(self, path: Path) -> tuple[int, int]:
        """Return where a string's content stands, without the quotes."""
        node = self.find(path)
        text, start, end = self.text, node.start, node.end
        quote = text[start : start + 1]
        if quote not in _QUOTES:
            return start, end
        if not text.startswith(quote * 3, start) or end - start < 6:
            return start + 1, end - 1
        start += 3
        if text.startswith("\r\n", start):
            start += 2
        elif text.startswith("\n", start):
            start += 1
        return start, end - 3

    def _statements(self) -> None:
        text, at, table = self.text, 0, self.root
        match_statement = _STATEMENT.match
        match = match_statement(text, at)
        while match is not None:
            kind = match.lastgroup
            at = match.end()
            if kind == "key":
                name = match["key"]
                node = self._value(at)
                node.key_start = start = match.start("key")
                node.key_end = start + len(name)
                self._put(table, name, node)
                at = table.end = node.end
            elif kind == "other_key":
                at = table.end = self._entry(table, at)
            elif kind != "comment":
                table, at = self._header(match)
            match = match_statement(text, at)

    def _header(self, match: re.Match[str]) -> tuple[Node, int]:
        start, at = match.end("array"), match.end()
        bare = match["header"]
        if bare is None:
            parts, at = self._key(start)
        elif "." in bare:
            parts, _ = self._key(match.start("header"))
        else:
            parts = [(bare, match.start("header"), match.end("header"))]
        parent = self._descend(self.root, parts[:-1])
        start = match.start("array") - 1
        table = _table(start, parts[-1])
        held = self._held(parent, parts[-1])
        if match["array"]:
            self._put(held, len(held.children or ()), table)
        else:
            # a table's sub-tables may come before it
            table.children = held.children
            self._put(parent, parts[-1][0], table)
        return table, at + len(match["array"]) + (bare is None)

    def _held(self, parent: Node, part: _Part) -> Node:
        if parent.children is None:
            raise _LostError
        held = parent.children.get(part[0])
        if held is None:
            held = parent.children[part[0]] = _table(part[1], part)
        return held

    def _descend(self, node: Node, parts: list[_Part]) -> Node:
        for part in parts:
            node = self._held(node, part)
            if node.children and 0 in node.children:  # an array of tables: its last one
                last = node.children.get(len(node.children) - 1)
                if last is None:  # it is a table as well, which is no TOML
                    raise _LostError
                node = last
        return node

    def _put(self, table: Node, key: str | int, node: Node) -> None:
        if table.children is None:
            raise _LostError
        table.children[key] = node

    def _entry(self, table: Node, at: int) -> int:
        """Note one ``key = value`` and return where it ends."""
        parts, at = self._key(at)
        equals = _EQUALS.match(self.text, at)
        if equals is None:
            raise _LostError
        node = self._value(equals.end())
        name, node.key_start, node.key_end = parts[-1]
        for part in parts[:-1]:
            table = self._descend(table, [part])
            table.end = node.end
        self._put(table, name, node)
        return node.end

    def _key(self, at: int) -> tuple[list[_Part], int]:
        """Return the parts of a key, each without its quotes, and where the key ends."""
        parts: list[_Part] = []
        while True:
            match = _PART.match(self.text, at)
            if match is None:
                raise _LostError
            dot = match["dot"]
            kind = "bare" if match["bare"] else "basic" if match["basic"] is not None else "literal"
            name = match[kind]
            if kind == "basic" and "\\" in name:
                name = _unescaped(name)
            parts.append((name, match.start(kind), match.end(kind)))
            at = match.end()
            if not dot:
                return parts, at
            if len(parts) > _MAX_DEPTH:
                raise TooDeepError(at)

    def _value(self, at: int) -> Node:
        match = _VALUE.match(self.text, at)
        if match is None:
            raise _LostError
        return Node(at, match.end() if match["open"] is None else self._closing(at))

    def _closing(self, at: int) -> int:
        """Return where the bracket that opens here has been closed."""
        depth = 0
        while True:
            match = _WITHIN.match(self.text, at)
            if match is None or match.end() == at:
                raise _LostError
            at = match.end()
            bracket = match["bracket"]
            if bracket in ("[", "{"):
                depth += 1
                if depth > _MAX_DEPTH:
                    raise TooDeepError(at - 1)
            elif bracket:
                depth -= 1
                if depth < 1:
                    return at

    def _expand(self, node: Node) -> None:
        """Look at the inside of an array or inline table."""
        node.children = {}
        if self.text[node.start : node.start + 1] not in ("[", "{"):
            return
        try:
            self._inside(node, node.children)
        except (_LostError, TooDeepError):
            return

    def _inside(self, node: Node, children: dict[str | int, Node]) -> None:
        in_array = self.text[node.start] == "["
        at = self._gap(node.start + 1)
        while self.text[at : at + 1] not in ("]", "}", ""):
            if in_array:
                child = children[len(children)] = self._value(at)
                at = child.end
            else:
                at = self._entry(node, at)
            at = self._gap(at)

    def _gap(self, at: int) -> int:
        while True:
            match = _GAP.match(self.text, at)
            if match is None or match.end() == at:
                return at
            at = match.end()


def _unescaped(raw: str) -> str:
    import tomli

    try:
        return next(iter(tomli.loads(f'"{raw}"=0')))
    except ValueError:
        raise _LostError from None
