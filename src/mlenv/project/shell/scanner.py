"""One word of a shell script at a time: quotes, escapes and expansions.

Source: POSIX.1-2024, "Shell Command Language"; bash's manual, "Shell Parameter Expansion".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mlenv.model.text import Fragment, Span
from mlenv.project.shell.variables import Variables
from mlenv.records import dataclass

_PLAIN = re.compile(r"[^\s'\"\\$`;&|()<>{}]+|[{}]")
_PLAIN_IN_RECIPE = re.compile(r"[^\s'\"\\$`{}]+|[{}]")
_PLAIN_IN_BRACES = re.compile(r"[^'\"\\$`}]+")
_PLAIN_IN_QUOTES = re.compile(r"[^\"\\$`]+")
_CONTINUATION = re.compile(r"\\[ \t]*(?:\r\n|\n|\r|\Z)")
_POWERSHELL_CONTINUATION = re.compile(r"`[ \t]*(?:\r\n|\n|\r|\Z)")
_TEMPLATE = re.compile(r"\$?\{\{[^{}\n]{0,300}\}\}")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|[0-9@*#?$!-])", re.ASCII)
_OPENING = re.compile(r"\$\{(!|#)?([A-Za-z_]\w*|[0-9@*#?$!-])?", re.ASCII)
_OPERATOR = re.compile(r":?[-+=?]|//?|%%?|##?|[:^,@]")
_ARITHMETIC = re.compile(r"\$\(\([^()\n]{0,200}\)\)")
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """One word of a command.

    Attributes:
        text: Its value: quotes removed, known variables replaced; what is not known stays as it
            was written.
        start: Where it begins in the script, quotes included.
        end: Where it ends there.
        fragment: The value and the way back to the file.
        head: The characters at its beginning that stand in the file as they are.
        complete: Whether every variable in it is known.
        quoted: Whether any of it stands in quotes.
    """

    text: str
    start: int
    end: int
    fragment: Fragment
    head: Fragment
    complete: bool = True
    quoted: bool = False

    def tail(self, at: int) -> Word:
        """Return the word without its first characters, as for the value of an option."""
        part = self.fragment.part(at, len(self.text))
        cut = min(at, len(self.head.text))
        head = self.head.part(cut, len(self.head.text))
        if not part.pieces and self.head.pieces and cut == at:
            start = head.whole.start if head.text else self.head.whole.end
            whole = Span(part.whole.source, start, max(start, part.whole.end))
            part = Fragment.decoded(part.text, whole)
        return Word(self.text[at:], self.start, self.end, part, head, self.complete, self.quoted)


class _Draft:
    """A word in the making."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.runs: list[tuple[int, int, int]] = []
        self.length = 0
        self.complete = True
        self.quoted = False
        self.has_substitutes = False
        self.splits = False
        self.blanks_in_quotes = False

    def literal(self, text: str, start: int) -> None:
        """Add characters that stand in the script as they are."""
        if self.runs and self.runs[-1][2] == start:
            begin, place, _ = self.runs[-1]
            self.runs[-1] = (begin, place, start + len(text))
        elif text:
            self.runs.append((self.length, start, start + len(text)))
        self._append(text)

    def substitute(self, text: str, *, known: bool, quoted: bool) -> None:
        """Add the value of an expansion, or its text where the value is not known."""
        self.has_substitutes = True
        self.complete = self.complete and known
        if known and not quoted and any(map(str.isspace, text)):
            self.splits = True
        self._append(text)

    def _append(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


class Scanner:
    """Reads words of a script, from a position that it moves on.

    Attributes:
        script: The script.
        at: The position.
        variables: What is known of variables.
    """

    def __init__(
        self,
        script: Fragment,
        at: int,
        variables: Variables,
        nested: Callable[[int, int], int] | None = None,
        quoted_script: Callable[[Fragment], None] | None = None,
        *,
        escape: str = "\\",
    ) -> None:
        """Begin at a position.

        Args:
            script: The script.
            at: Where to begin.
            variables: What is known of variables.
            nested: Reads the commands of ``$(…)`` from behind its bracket, at a depth of nesting;
                returns where it ends. None where commands are not substituted, as in the
                instructions of a Dockerfile.
            quoted_script: Takes the commands of a substitution in backquotes; None likewise.
            escape: The character that escapes another one.
        """
        self.script = script
        self.text = script.text
        self.at = at
        self.variables = variables
        self._nested = nested
        self._quoted_script = quoted_script
        self._escape = escape
        self._plain = _PLAIN if nested is not None else _PLAIN_IN_RECIPE
        self._no_backquote_from = len(self.text) + 1

    def words(self) -> list[Word]:
        """Read one word; an expansion may make it none or several."""
        start = self.at
        draft = _Draft()
        self._plain_word(draft)
        if self.at == start:  # a character that begins nothing
            self.at += 1
        return self._finished(draft, start)

    def _finished(self, draft: _Draft, start: int) -> list[Word]:
        value = "".join(draft.parts)
        if not value and not draft.quoted:
            return []
        raw = self.script.part(start, self.at)
        runs = draft.runs
        head = raw.part(0, 0)
        if runs and runs[0][0] == 0:
            head = self.script.part(runs[0][1], runs[0][2])
        if draft.splits:
            parts = value.split() if not draft.blanks_in_quotes else []
            return [
                Word(part, start, self.at, Fragment.decoded(part, raw.whole), raw.part(0, 0))
                for part in parts
            ]
        if draft.has_substitutes or not runs:
            fragment = Fragment.decoded(value, self._without_quotes(start))
        elif len(runs) == 1:
            fragment = self.script.part(runs[0][1], runs[0][2])
        else:
            fragment = self._joined(value, runs)
        word = Word(value, start, self.at, fragment, head, draft.complete, draft.quoted)
        return [word]

    def _without_quotes(self, start: int) -> Span:
        end = self.at
        quote = self.text[start]
        if quote in "'\"" and end - start > 2 and self.text.find(quote, start + 1) == end - 1:
            return self.script.span(start + 1, end - 1)
        return self.script.span(start, end)

    def _joined(self, value: str, runs: list[tuple[int, int, int]]) -> Fragment:
        pieces: list[tuple[int, int]] = []
        for at, start, end in runs:
            part = self.script.part(start, end)
            pieces.extend((at + inner, place) for inner, place in part.pieces)
        whole = self.script.span(runs[0][1], runs[-1][2])
        return Fragment(value, whole, tuple(pieces))

    def _plain_word(self, draft: _Draft) -> None:
        text = self.text
        while self.at < len(text):
            template = _TEMPLATE.match(text, self.at) if text[self.at] in "{$" else None
            if template is not None:
                draft.substitute(template.group(), known=False, quoted=True)
                self.at = template.end()
            elif not self._part(draft, self._plain, 0):
                return

    def _part(self, draft: _Draft, plain: re.Pattern[str], depth: int) -> bool:
        """Read what comes next of a word; False where nothing of it does."""
        character = self.text[self.at]
        if character == "'":
            self._single_quotes(draft)
        elif character == '"':
            self._double_quotes(draft, depth)
        elif character == self._escape:
            self._escaped(draft)
        elif character == "$":
            self._dollar(draft, depth, quoted=False)
        elif character in "`\\":
            self._backquotes(draft, self._quoted_script)
        else:
            match = plain.match(self.text, self.at)
            if match is None:
                return False
            draft.literal(match.group(), self.at)
            self.at = match.end()
        return True

    def _single_quotes(self, draft: _Draft) -> None:
        end = self.text.find("'", self.at + 1)
        draft.quoted = True
        if end < 0:
            end = len(self.text)
            draft.complete = False
        inner = self.text[self.at + 1 : end]
        draft.blanks_in_quotes = draft.blanks_in_quotes or any(map(str.isspace, inner))
        draft.literal(inner, self.at + 1)
        self.at = min(end + 1, len(self.text))

    def _double_quotes(self, draft: _Draft, depth: int) -> None:
        text = self.text
        draft.quoted = True
        self.at += 1
        while self.at < len(text) and text[self.at] != '"':
            character = text[self.at]
            if character == self._escape:
                self._escape_in_quotes(draft)
            elif character == "$":
                template = _TEMPLATE.match(text, self.at)
                if template is not None:
                    draft.substitute(template.group(), known=False, quoted=True)
                    self.at = template.end()
                else:
                    self._dollar(draft, depth, quoted=True)
            elif character in "`\\":
                self._backquotes(draft, self._quoted_script)
            else:
                match = _PLAIN_IN_QUOTES.match(text, self.at)
                assert match is not None
                if any(map(str.isspace, match.group())):
                    draft.blanks_in_quotes = True
                draft.literal(match.group(), self.at)
                self.at = match.end()
        draft.complete = draft.complete and self.at < len(text)
        self.at = min(self.at + 1, len(text))

    def _escaped(self, draft: _Draft) -> None:
        continuation = _CONTINUATION.match(self.text, self.at)
        if continuation is not None:
            self.at = continuation.end()
            return
        draft.literal(self.text[self.at + 1 : self.at + 2], self.at + 1)
        self.at += 2

    def _escape_in_quotes(self, draft: _Draft) -> None:
        continuation = _CONTINUATION.match(self.text, self.at)
        if continuation is not None:
            self.at = continuation.end()
            return
        escapes = self.text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", self._escape)
        start = self.at + 1 if escapes else self.at
        self.at = min(self.at + 2, len(self.text))
        draft.literal(self.text[start : self.at], start)

    def _backquotes(self, draft: _Draft, give: Callable[[Fragment], None] | None) -> None:
        if give is None or self.text[self.at] != "`":
            draft.literal(self.text[self.at], self.at)
            self.at += 1
            return
        continuation = _POWERSHELL_CONTINUATION.match(self.text, self.at)
        if continuation is not None and not draft.parts:
            self.at = continuation.end()
            return
        start = self.at
        end = -1 if start >= self._no_backquote_from else self.text.find("`", start + 1)
        if end < 0:
            self._no_backquote_from = min(start, self._no_backquote_from)
            draft.literal("`", start)
            self.at += 1
            return
        give(self.script.part(start + 1, end))
        self.at = end + 1
        draft.substitute(self.text[start : self.at], known=False, quoted=True)

    def _dollar(self, draft: _Draft, depth: int, *, quoted: bool) -> None:
        text, start = self.text, self.at
        simple = _VARIABLE.match(text, start)
        following = text[start + 1 : start + 2]
        if simple is not None:
            self.at = simple.end()
            value = self.variables.value(simple[1] or simple[2] or "")
            shown = simple.group() if value is None else value
            draft.substitute(shown, known=value is not None, quoted=quoted)
        elif following == "{" and depth < _MAX_DEPTH:
            value = self._braces(depth)
            shown = text[start : self.at] if value is None else value
            draft.substitute(shown, known=value is not None, quoted=quoted)
        elif following == "(" and depth < _MAX_DEPTH and self._nested is not None:
            arithmetic = _ARITHMETIC.match(text, start)
            self.at = arithmetic.end() if arithmetic else self._nested(start + 2, depth + 1)
            draft.substitute(text[start : self.at], known=False, quoted=True)
        elif following in ("'", '"') and following and not quoted:
            self.at += 1  # $'…' and $"…": what follows is quoted
        else:
            draft.literal("$", start)
            self.at += 1

    def _braces(self, depth: int) -> str | None:
        """Read ``${…}`` and return its value; None where that is not known."""
        opening = _OPENING.match(self.text, self.at)
        assert opening is not None
        self.at = opening.end()
        operator = _OPERATOR.match(self.text, self.at)
        if operator is not None:
            self.at = operator.end()
        inner = _Draft()
        while self.at < len(self.text) and self.text[self.at] != "}":
            if not self._part(inner, _PLAIN_IN_BRACES, depth + 1):
                break
        closed = self.at < len(self.text)
        self.at = min(self.at + 1, len(self.text))
        if not closed or opening[1] or not opening[2]:
            return None
        argument = "".join(inner.parts) if inner.complete else None
        return self._parameter(opening[2], operator.group() if operator else "", argument)

    def _parameter(self, name: str, operator: str, argument: str | None) -> str | None:
        value = self.variables.value(name)
        if operator in (":-", "-", ":=", "="):
            if not self.variables.is_named(name) or (value == "" and ":" in operator):
                return argument
            return value
        if operator in (":+", "+"):
            if value is None:
                return None if self.variables.is_named(name) else ""
            return argument if value or ":" not in operator else ""
        if operator in ("", ":?", "?"):
            return value
        if operator in ("/", "//") and value is not None and argument is not None:
            old, _, new = argument.partition("/")
            if old and not re.search(r"[*?\[\\]", old):
                return value.replace(old, new, -1 if operator == "//" else 1)
        return None
