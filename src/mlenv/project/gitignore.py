"""Which paths git ignores, by the patterns of .gitignore files.

Patterns are matched name by name and without backtracking over stars, so that no pattern takes
more time than its length times that of the path. Source: gitignore(5), and git's wildmatch.c where
it is silent (brackets that are not closed, a backslash at the end). One thing is left out: git
takes ``a**/b`` for ``a`` and then ``**/b`` where nothing but plain text stands before the stars,
although its documentation calls these stars one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.records import dataclass

_ANY_FOLDERS = None
"""Stands for ``**``, which takes any number of names, none included."""
_NOTHING = "(?!)"
_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r" \t\n\v\f\r",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One line of a .gitignore file.

    Attributes:
        names: What matches each name of a path in turn; None for any number of names.
        negated: Whether it takes a path back in.
        folders_only: Whether it speaks of folders only.
    """

    names: tuple[re.Pattern[str] | None, ...]
    negated: bool
    folders_only: bool

    def matches(self, path: str) -> bool:
        """Return whether it speaks of a path, which is relative to the file's folder."""
        return _matches(self.names, _as_bytes(path).split("/"))


@dataclass(frozen=True, slots=True, eq=False)
class IgnoreFile:
    """The patterns of one .gitignore.

    Attributes:
        folder: The folder that it lies in, relative to the root; empty for the root.
        patterns: In the order of the file: the last one that matches decides.
        lines: The line of each pattern, counted from 0; lines end with LF.
    """

    folder: str
    patterns: tuple[Pattern, ...]
    lines: tuple[int, ...]

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """Return whether a path below the folder is ignored; None where no pattern matches."""
        at = self._deciding(path, is_folder)
        return None if at is None else not self.patterns[at].negated

    def deciding_line(self, path: str, *, is_folder: bool) -> int | None:
        """Return the line of the pattern behind the verdict, counted from 0; None for none."""
        at = self._deciding(path, is_folder)
        return None if at is None else self.lines[at]

    def _deciding(self, path: str, is_folder: bool) -> int | None:
        relative = path[len(self.folder) + 1 :] if self.folder else path
        for at in range(len(self.patterns) - 1, -1, -1):
            pattern = self.patterns[at]
            if (is_folder or not pattern.folders_only) and pattern.matches(relative):
                return at
        return None


def read_ignore_file(folder: str, text: str) -> IgnoreFile:
    """Return the patterns of a .gitignore.

    Args:
        folder: The folder that it lies in, relative to the root.
        text: Its text.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    compiled = [compile_pattern(line.removesuffix("\r")) for line in lines]
    patterns = {at: pattern for at, pattern in enumerate(compiled) if pattern}
    return IgnoreFile(folder, tuple(patterns.values()), tuple(patterns))


@lru_cache(maxsize=512)
def compile_pattern(line: str) -> Pattern | None:
    """Return the pattern that a line states; None for comments and blank lines."""
    if line.startswith("#"):
        return None
    line = _without_trailing_blanks(_as_bytes(line))
    negated = line.startswith("!")
    line = line[1:] if negated else line
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    if not line:
        return None
    anchored = "/" in line
    parts = _parts(line.removeprefix("/"))
    if not anchored:
        return Pattern((_ANY_FOLDERS, _name(parts[0])), negated, folders_only)
    names = [_ANY_FOLDERS if _is_any(part) else _name(part) for part in parts]
    return Pattern(tuple(names), negated, folders_only)


def _as_bytes(text: str) -> str:
    """Return a text with a character for each of its bytes, which is what git matches."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _matches(names: tuple[re.Pattern[str] | None, ...], path: list[str]) -> bool:
    """Match names one by one; of several ``**`` only the last ever has to take more."""
    at = name = 0
    resume = taken = -1
    while at < len(path):
        pattern = names[name] if name < len(names) else None
        if name < len(names) and pattern is None:
            if name == len(names) - 1:
                return True
            resume, taken = name, at
            name += 1
        elif pattern is not None and pattern.fullmatch(path[at]):
            at += 1
            name += 1
        elif resume >= 0:
            taken += 1
            at, name = taken, resume + 1
        else:
            return False
    return name == len(names)


def _without_trailing_blanks(line: str) -> str:
    bare = line.rstrip(" ")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if escapes % 2 and len(bare) < len(line) else bare


def _is_any(part: str) -> bool:
    return len(part) > 1 and not part.strip("*")


def _parts(glob: str) -> list[str]:
    """Return the parts of a pattern between its slashes; those in brackets separate nothing."""
    found = [""]
    at = 0
    while at < len(glob):
        end = at + 1
        if glob[at] == "\\":
            end = at + 2
        elif glob[at] == "[":
            end = _closing(glob, at) or end
        if glob[at:end] in ("/", "\\/"):
            found.append("")
        else:
            found[-1] += glob[at:end]
        at = end
    return found


def _closing(glob: str, at: int) -> int:
    """Return where a bracket expression ends that begins at an offset; 0 where it does not end."""
    at += 2 if glob[at + 1 : at + 2] in ("!", "^") else 1
    first = at
    while at < len(glob):
        if glob[at] == "]" and at > first:
            return at + 1
        if glob[at] == "\\":
            at += 2
        elif glob.startswith("[:", at) and (end := glob.find("]", at + 2)) > 0:
            at = end + 1 if glob[end - 1] == ":" and end > at + 2 else at + 1
        else:
            at += 1
    return 0


def _name(glob: str) -> re.Pattern[str]:
    """Return what matches one name.

    A stretch between two stars is looked for once, at its first place: a later one could match
    nothing more, since the star behind it takes whatever is left.
    """
    stretches = [""]
    at = 0
    while at < len(glob):
        if glob[at] == "*":
            at += 1
            if stretches[-1] or len(stretches) == 1:  # several stars in a row mean one
                stretches.append("")
            continue
        piece, at = _piece(glob, at)
        stretches[-1] += piece
    first, *rest = stretches
    if not rest:
        return _compiled(first)
    *middle, last = rest
    found = "".join(
        f"(?=(?P<s{number}>.*?{stretch}))(?P=s{number})" for number, stretch in enumerate(middle)
    )
    return _compiled(f"{first}{found}.*{last}")


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, RecursionError, OverflowError):  # longer than the engine takes
        return re.compile(_NOTHING)


def _piece(glob: str, at: int) -> tuple[str, int]:
    character = glob[at]
    if character == "?":
        return ".", at + 1
    if character == "\\":
        return (re.escape(glob[at + 1]), at + 2) if at + 1 < len(glob) else (_NOTHING, at + 1)
    if character != "[":
        return re.escape(character), at + 1
    end = _closing(glob, at)
    return (_bracket(glob[at + 1 : end - 1]), end) if end else (_NOTHING, len(glob))


def _bracket(body: str) -> str:
    """Return the set of characters that a bracket expression names."""
    negated = body[:1] in ("!", "^")
    items: list[str] = []
    at = int(negated)
    while at < len(body):
        end = body.find("]", at + 2) if body.startswith("[:", at) else 0
        if end > at + 2 and body[end - 1] == ":":
            if body[at + 2 : end - 1] not in _CLASSES:
                return _NOTHING
            items.append(_CLASSES[body[at + 2 : end - 1]])
            at = end + 1
            continue
        low, at = _literal(body, at)
        items.append(re.escape(low))  # of a range that runs backwards it is what remains
        if body[at : at + 1] == "-" and at + 1 < len(body):
            high, at = _literal(body, at + 1)
            if low <= high:
                items.append(f"{re.escape(low)}-{re.escape(high)}")
    if not items:
        return "." if negated else _NOTHING
    return f"[{'^' * negated}{''.join(items)}]"


def _literal(body: str, at: int) -> tuple[str, int]:
    if body[at] == "\\" and at + 1 < len(body):
        return body[at + 1], at + 2
    return body[at], at + 1
