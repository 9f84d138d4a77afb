"""The instructions of a Dockerfile, with here-documents and the place of every character.

A parser of our own, since those for Python lose columns and take here-documents for instructions.
Source: Dockerfile reference; BuildKit's parser of Dockerfiles, which this follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.text import Fragment, SourceText, Span
from mlenv.records import dataclass, replace

_DIRECTIVE = re.compile(r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(\S[^\r\n]*)")
_COMMENT = re.compile(r"[ \t\r\f\v]*#")
_NAME = re.compile(r"\S+")
_FLAG = re.compile(r"--[a-z][\w-]*(?:=\S*)?(?=\s|$)")
_WITH_HEREDOCS = ("RUN", "COPY", "ADD")
_HEREDOC = re.compile(r"[0-9]*<<(-?)(?:\"([^\"<\n]+)\"|'([^'<\n]+)'|([^\s\"'<]+))")
_WORD = re.compile(r"(?:[^\s\"'\\]|\\.|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\"'\\])+", re.DOTALL)


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """One instruction.

    Attributes:
        name: In upper case.
        span: All of it, here-documents included.
        name_span: Its name as written.
        flags: Its flags (``--platform=…``, ``--mount=…``), in order.
        arguments: What follows name and flags on its logical line.
        script: The arguments with the here-documents behind them, as a shell reads them.
        escape: The character that escapes another one in this file.
        line: Its first line, counted from 1.
        last_line: Its last line.
    """

    name: str
    span: Span
    name_span: Span
    flags: tuple[Fragment, ...]
    arguments: Fragment
    script: Fragment
    escape: str
    line: int
    last_line: int


def instructions(text: SourceText) -> tuple[Instruction, ...]:
    """Return the instructions of a Dockerfile in order; never fails.

    Args:
        text: The file.
    """
    return tuple(_Reader(text).run())


def instructions_of(instruction: Instruction) -> Instruction | None:
    """Return the instruction behind ``ONBUILD``; None where there is none."""
    return _split(instruction.arguments, instruction) if instruction.arguments.text else None


class _Reader:
    """Goes through the lines of a file once."""

    def __init__(self, text: SourceText) -> None:
        self.source = text
        self.text = text.text
        self.at = 0
        self.escape = "\\"

    def run(self) -> Iterator[Instruction]:
        self._directives()
        while self.at < len(self.text):
            start, end = self._line()
            line = self.text[start:end]
            if line.isspace() or not line or _COMMENT.match(line):
                continue
            logical = self._logical(start, end)
            if logical.text.strip():
                yield self._instruction(logical)

    def _directives(self) -> None:
        """Read the parser directives, which stand above everything else."""
        seen: set[str] = set()
        while self.at < len(self.text):
            before = self.at
            start, end = self._line()
            match = _DIRECTIVE.match(self.text[start:end].strip())
            if match is None or match[1].lower() in seen:
                self.at = before
                return
            seen.add(match[1].lower())
            if match[1].lower() == "escape" and match[2].strip() in ("\\", "`"):
                self.escape = match[2].strip()

    def _line(self) -> tuple[int, int]:
        """Return where the next line begins and ends, and move behind it."""
        start = self.at
        end = self.text.find("\n", start)
        self.at = len(self.text) if end < 0 else end + 1
        end = len(self.text) if end < 0 else end
        return start, end - (end > start and self.text[end - 1] == "\r")

    def _logical(self, start: int, end: int) -> Fragment:
        """Join a line with those that continue it.

        A comment line between them is left out, and so is an empty one, as BuildKit does.
        """
        blanks = len(self.text[start:end]) - len(self.text[start:end].lstrip())
        first = start = start + blanks
        parts: list[str] = []
        pieces: list[tuple[int, int]] = []
        length, last = 0, end
        while True:
            line = self.text[start:end]
            is_skipped = bool(parts) and (not line.strip() or _COMMENT.match(line) is not None)
            goes_on = True
            if not is_skipped:
                kept = self._without_continuation(line)
                goes_on = kept is not None
                kept = line if kept is None else kept
                if kept:
                    pieces.append((length, start))
                parts.append(kept)
                length += len(kept)
                last = end
            if not goes_on or self.at >= len(self.text):
                break
            start, end = self._line()
        whole = self.source.span(first, last)
        return Fragment("".join(parts), whole, tuple(pieces))

    def _without_continuation(self, line: str) -> str | None:
        """Return a line without the character that continues it; None where none does."""
        stripped = line.rstrip(" \t")
        if not stripped.endswith(self.escape) or stripped.endswith(self.escape * 2):
            return None
        return stripped[:-1]

    def _instruction(self, logical: Fragment) -> Instruction:
        empty = Instruction(
            "", logical.whole, logical.whole, (), logical, logical, self.escape, 0, 0
        )
        found = _split(logical, empty)
        name, arguments = found.name, found.arguments
        line_end = self.at
        body_end = self._behind_heredocs(name, arguments)
        span = logical.whole
        script = arguments
        if body_end > line_end:
            span = self.source.span(span.start, body_end)
            script = self._with_body(arguments, line_end, body_end)
        return replace(
            found,
            span=span,
            script=script,
            line=span.line,
            last_line=self.source.position(max(span.end - 1, span.start))[0],
        )

    def _with_body(self, arguments: Fragment, start: int, end: int) -> Fragment:
        """Join the arguments with the here-documents behind their line."""
        text, length = arguments.text, len(arguments.text)
        newline = start - 1
        return Fragment(
            text + self.text[newline:end],
            self.source.span(arguments.whole.start, end),
            (*arguments.pieces, (length, newline)),
        )

    def _behind_heredocs(self, name: str, arguments: Fragment) -> int:
        """Move behind the here-documents of an instruction; return where the last one ends."""
        text = arguments.text
        if name == "ONBUILD":
            inner = _NAME.match(text)
            name = inner.group().upper() if inner else ""
        end = self.at
        if "<<" not in text or name not in _WITH_HEREDOCS or text.lstrip().startswith("["):
            return end
        for word in _WORD.finditer(text):
            match = _HEREDOC.fullmatch(word.group())
            if match is not None:
                terminator = match[2] or match[3] or match[4]
                end = self._behind_heredoc(terminator, is_indented=bool(match[1]))
        return end

    def _behind_heredoc(self, terminator: str, *, is_indented: bool) -> int:
        while self.at < len(self.text):
            start, end = self._line()
            line = self.text[start:end]
            if (line.lstrip("\t") if is_indented else line) == terminator:
                return end
        return len(self.text)


def _split(logical: Fragment, outer: Instruction) -> Instruction:
    """Split a logical line into name, flags and arguments."""
    match = _NAME.match(logical.text)
    end = match.end() if match else 0
    at = _after_blanks(logical.text, end)
    flags: list[Fragment] = []
    flag = _FLAG.match(logical.text, at)
    while flag is not None:
        flags.append(logical.part(flag.start(), flag.end()))
        at = _after_blanks(logical.text, flag.end())
        flag = _FLAG.match(logical.text, at)
    arguments = logical.part(at, len(logical.text))
    script = arguments
    if outer.script is not outer.arguments:  # here-documents stand behind it
        behind = len(outer.arguments.text) - len(arguments.text)
        script = outer.script.part(behind, len(outer.script.text))
    return replace(
        outer,
        name=logical.text[:end].upper(),
        name_span=logical.part(0, end).whole,
        flags=tuple(flags),
        arguments=arguments,
        script=script,
    )


def _after_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
