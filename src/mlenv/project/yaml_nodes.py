"""YAML as a tree of nodes that know where they stand, bounded in size and never failing.

The tree is built from the parser's events rather than by its composer: events cost half as much,
need no recursion, and leave the limits to us. libyaml counts positions in characters, as
:class:`~mlenv.model.text.SourceText` does.
"""

from __future__ import annotations

import re

from mlenv.model.source import UNREADABLE_FILE, Problem
from mlenv.model.text import Fragment, SourceText, Span
from mlenv.project.conflicts import without_conflicts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_TYPED = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?"
    r"|true|false|yes|no|on|off|True|False|Yes|No|On|Off|TRUE|FALSE|YES|NO|ON|OFF"
)
_MAX_DEPTH = 100
_MAX_DIRECTIVES = 100
_MAX_NODES = 1_000_000
_MAX_COPIES = 50_000
"""How many nodes aliases may add when each is replaced by what it stands for."""


# Plain classes: five dataclasses would take longer to create than most files take to read.


class Node:
    """A value and where it stands.

    Attributes:
        span: All of it, with its anchor and tag.
        size: How many nodes it holds, itself included and aliases expanded.
    """

    __slots__ = ("size", "span")

    def __init__(self, span: Span) -> None:
        self.span = span
        self.size = 1


class Scalar(Node):
    """A single value.

    Attributes:
        value: What it says.
        style: ``'``, ``"``, ``|``, ``>`` or empty for a plain one.
    """

    __slots__ = ("style", "value")

    def __init__(self, span: Span, value: str, style: str) -> None:
        super().__init__(span)
        self.value = value
        self.style = style

    @property
    def is_null(self) -> bool:
        """Whether it is written so that YAML reads nothing."""
        return not self.style and self.value in NULLS

    @property
    def is_text(self) -> bool:
        """Whether YAML reads a string: no number, truth value or nothing."""
        return bool(self.style) or not (self.is_null or _TYPED.fullmatch(self.value))

    @property
    def fragment(self) -> Fragment:
        """The value with the way back to its characters, so far as they stand in the file."""
        text, start, end = self.span.source.text, self.span.start, self.span.end
        if self.style == "|":
            return _block(self.value, self.span)
        quotes = 1 if self.style in ("'", '"') else 0
        begin = end - quotes - len(self.value)
        exact = begin >= start + quotes and text.startswith(self.value, begin)
        if not exact or (quotes and text[begin - 1] != self.style):
            return Fragment.decoded(self.value, self.span)
        return Fragment.of(self.span.source, begin, begin + len(self.value))


class Sequence(Node):
    """A list.

    Attributes:
        items: Its values.
    """

    __slots__ = ("items",)

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.items: list[Node] = []


class Mapping(Node):
    """Pairs of key and value, in the order of the file, keys that occur twice included.

    Attributes:
        pairs: The pairs.
    """

    __slots__ = ("pairs",)

    def __init__(self, span: Span) -> None:
        super().__init__(span)
        self.pairs: list[tuple[Node, Node]] = []

    def entries(self) -> Iterator[tuple[str, Scalar, Node]]:
        """Yield key, the key's node and value of each pair whose key is a scalar."""
        for key, value in self.pairs:
            if isinstance(key, Scalar):
                yield key.value, key, value

    def get(self, name: str) -> Node | None:
        """Return the value of a key, the last one as YAML has it, or None."""
        found = None
        for key, _, value in self.entries():
            if key == name:
                found = value
        return found


class Document:
    """What a file holds.

    Attributes:
        root: The tree of its first document, so far as it could be read; None where nothing could.
        problems: Why it could not be read whole.
    """

    __slots__ = ("problems", "root")

    def __init__(self, root: Node | None, problems: tuple[Problem, ...]) -> None:
        self.root = root
        self.problems = problems

    @property
    def mapping(self) -> Mapping | None:
        """The root where it is a mapping, as in nearly every format."""
        return self.root if isinstance(self.root, Mapping) else None


def read_yaml(source: SourceText, text: str | None = None) -> Document:
    """Read a YAML file; never fails.

    Markers of a merge conflict are reported and blanked, and both sides are read.

    Args:
        source: The file.
        text: What to parse in its place, of the same length: its text with parts blanked.

    Source: YAML 1.1, as PyYAML and libyaml read it.
    """
    text, problems = without_conflicts(source, text)
    builder = _Builder(source)
    error = _run(builder, text)
    if error is not None:
        problems.append(error)
    return Document(builder.root, tuple(problems))


class _TooMuchError(ValueError):
    """The document passes a limit; the message says which."""


def _run(builder: _Builder, text: str) -> Problem | None:
    """Feed the parser's events to the builder; return what stopped it."""
    import yaml  # here, since it costs more than all other imports and few projects need it

    source = builder.source
    if text.count("%TAG") > _MAX_DIRECTIVES:  # libyaml compares each with all before it
        return _problem(source, text.index("%TAG"), "holds too many directives")
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    bare = text.removeprefix("\ufeff")
    builder.shift = len(text) - len(bare)
    at = 0
    try:
        loader = loader_class(bare)
        try:
            while loader.check_event():
                event = loader.get_event()
                at = event.end_mark.index
                builder.add(event)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        found = _syntax_problem(source, text, error, builder.shift)
    except yaml.reader.ReaderError as error:
        found = _character_problem(source, str(error.reason))
    except UnicodeEncodeError:
        found = _character_problem(source, "half of a surrogate pair is no character")
    except _TooMuchError as error:
        builder.open.clear()
        found = _problem(source, at + builder.shift, str(error))
    else:
        return None
    builder.close(at)
    return found


def _problem(source: SourceText, offset: int, detail: str, advice: str = "") -> Problem:
    line = source.position(min(max(offset, 0), len(source.text)))[0]
    return Problem(UNREADABLE_FILE, source.line_span(line), detail, help=advice)


def _syntax_problem(source: SourceText, text: str, error: Any, shift: int) -> Problem:
    mark = error.problem_mark or error.context_mark
    offset = (mark.index if mark is not None else 0) + shift
    detail = ", ".join(str(part) for part in (error.context, error.problem) if part)
    if text[offset : offset + 1] == "\t":
        return _problem(
            source,
            offset,
            "YAML is not indented with tabs",
            "replace the tab by blanks",
        )
    return _problem(source, offset, detail)


_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Not compiled ahead: that takes as long as all else in this file, for a rare error."""


def _character_problem(source: SourceText, reason: str) -> Problem:
    found = re.search(_UNPRINTABLE, source.text)
    return _problem(source, found.start() if found else 0, reason)


class _Builder:
    """Puts the tree together from events, with a stack of what is open."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.root: Node | None = None
        self.shift = 0
        self.documents = 0
        self.count = 0
        self.open: list[tuple[Sequence | Mapping, str | None]] = []
        self.keys: list[Node | None] = []
        self.anchors: dict[str, Node] = {}

    def add(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._value(self._scalar(event), event.anchor)
        elif kind in ("SequenceStartEvent", "MappingStartEvent"):
            self._start(event, Sequence if kind[0] == "S" else Mapping)
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            self._end(event.end_mark.index + self.shift)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise _TooMuchError("a second document, of which nothing is read")

    def _span(self, event: Any) -> Span:
        return Span(
            self.source, event.start_mark.index + self.shift, event.end_mark.index + self.shift
        )

    def _scalar(self, event: Any) -> Scalar:
        return Scalar(self._span(event), event.value, event.style or "")

    def _start(self, event: Any, kind: type[Sequence | Mapping]) -> None:
        if len(self.open) >= _MAX_DEPTH:
            raise _TooMuchError(f"nests deeper than {_MAX_DEPTH} levels")
        node = kind(self._span(event))
        if event.anchor:
            self.anchors.pop(event.anchor, None)
        self.open.append((node, event.anchor))
        self.keys.append(None)

    def _end(self, offset: int) -> None:
        node, anchor = self.open.pop()
        self.keys.pop()
        node.span = Span(self.source, node.span.start, max(offset, node.span.start))
        self._value(node, anchor)

    def close(self, at: int) -> None:
        """Keep what was read before an error: end all that is open."""
        while self.open:
            self._end(at + self.shift)

    def _alias(self, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            raise _TooMuchError(f"*{event.anchor} stands for nothing that was read before it")
        self._value(target, None)

    def _value(self, node: Node, anchor: str | None) -> None:
        self.count += 1
        if self.count > _MAX_NODES:
            raise _TooMuchError("holds too many values")
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.root = node
            return
        parent = self.open[-1][0]
        parent.size += node.size
        if parent.size > self.count + _MAX_COPIES:
            raise _TooMuchError("aliases expand to too many values")
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            self.keys[-1] = node
        else:
            parent.pairs.append((key, node))
            self.keys[-1] = None


def _block(value: str, span: Span) -> Fragment:
    """Return the fragment for a literal block, whose lines stand in the file behind blanks."""
    source = span.source
    pieces = []
    at = 0
    place = source.text.find("\n", span.start, span.end) + 1
    for line in value.splitlines(keepends=True):
        text = line.rstrip("\n")
        end = source.text.find("\n", place, span.end)
        end = span.end if end < 0 else end
        start = source.text.find(text, place, end) if text else place
        if not place or start < 0:
            return Fragment.decoded(value, span)
        pieces.append((at, start))
        at += len(line)
        place = end + 1
    return Fragment(value, span, tuple(pieces))
