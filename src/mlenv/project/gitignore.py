"""Which paths git ignores, by the patterns of .gitignore files. Source: gitignore(5)."""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """One line of a .gitignore file.

    Attributes:
        regex: Matches a path relative to the file's folder.
        negated: Whether it takes a path back in.
        folders_only: Whether it speaks of folders only.
    """

    regex: re.Pattern[str]
    negated: bool
    folders_only: bool


@dataclass(frozen=True, slots=True, eq=False)
class IgnoreFile:
    """The patterns of one .gitignore.

    Attributes:
        folder: The folder that it lies in, relative to the root; empty for the root.
        patterns: In the order of the file: the last one that matches decides.
    """

    folder: str
    patterns: tuple[Pattern, ...]

    def verdict(self, path: str, *, is_folder: bool) -> bool | None:
        """Return whether a path below the folder is ignored; None where no pattern matches."""
        relative = path[len(self.folder) + 1 :] if self.folder else path
        for pattern in reversed(self.patterns):
            if (is_folder or not pattern.folders_only) and pattern.regex.fullmatch(relative):
                return not pattern.negated
        return None


def read_ignore_file(folder: str, text: str) -> IgnoreFile:
    """Return the patterns of a .gitignore.

    Args:
        folder: The folder that it lies in, relative to the root.
        text: Its text.
    """
    patterns = (compile_pattern(line) for line in text.splitlines())
    return IgnoreFile(folder, tuple(pattern for pattern in patterns if pattern))


@lru_cache(maxsize=512)
def compile_pattern(line: str) -> Pattern | None:
    """Return the pattern that a line states; None for comments and blank lines."""
    line = _without_trailing_blanks(line)
    if not line or line.startswith("#"):
        return None
    negated = line.startswith("!")
    line = line[1:] if negated else line
    folders_only = line.endswith("/")
    line = line.rstrip("/") if folders_only else line
    if not line:
        return None
    anchored = "/" in line
    line = line.removeprefix("/")
    try:
        regex = re.compile(("" if anchored else "(?:.*/)?") + _translate(line), re.DOTALL)
    except re.error:
        return None
    return Pattern(regex, negated, folders_only)


def _without_trailing_blanks(line: str) -> str:
    stripped = line.rstrip(" \t\r")
    kept_blank = stripped.endswith("\\") and len(stripped) < len(line)
    return stripped + " " if kept_blank else stripped


def _translate(glob: str) -> str:
    found = []
    at = 0
    while at < len(glob):
        if glob.startswith("**/", at) and (at == 0 or glob[at - 1] == "/"):
            found.append("(?:.*/)?")
            at += 3
        elif glob.startswith("/**", at) and at + 3 == len(glob):
            found.append("/.*")
            at += 3
        else:
            piece, at = _translate_one(glob, at)
            found.append(piece)
    return "".join(found)


def _translate_one(glob: str, at: int) -> tuple[str, int]:
    character = glob[at]
    if character == "*":
        while glob.startswith("*", at):  # several stars in a row mean one
            at += 1
        return "[^/]*", at
    if character == "?":
        return "[^/]", at + 1
    if character == "[":
        end = glob.find("]", at + (3 if glob[at + 1 : at + 2] in ("!", "^") else 2))
        if end > 0:
            body = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            return f"[{'^' + body[1:] if body[0] in '!^' else body}]", end + 1
    if character == "\\" and at + 1 < len(glob):
        return re.escape(glob[at + 1]), at + 2
    return re.escape(character), at + 1
