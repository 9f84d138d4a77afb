"""What a project asks of mlenv: ``[tool.mlenv]`` in pyproject.toml, mlenv.toml or .mlenv.toml."""

from __future__ import annotations

import os
import re

from mlenv.errors import ConfigError
from mlenv.paths import folders_above
from mlenv.records import dataclass, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any

FAIL_ON = ("error", "warning", "note", "never")
LEVELS = ("error", "warning", "note", "off")

_OWN_FILES = ("mlenv.toml", ".mlenv.toml")
_SHARED_FILE = "pyproject.toml"
_TABLE = rb"(?m)^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*[\"']?mlenv\b"
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The rules that a configuration may speak of.

    Attributes:
        codes: Every rule's code.
        topics: Every topic.
    """

    codes: frozenset[str]
    topics: frozenset[str]

    def knows(self, selector: str) -> bool:
        """Return whether a selector names something: a code, the start of one, or a topic."""
        return selector in self.topics or (
            bool(selector) and any(code.startswith(selector) for code in self.codes)
        )

    def check(self, selectors: Collection[str], where: str) -> None:
        """Refuse selectors that name nothing.

        Raises:
            ConfigError: One of them is no code, no start of a code and no topic.
        """
        for selector in selectors:
            if not self.knows(selector):
                hint = suggestion(selector, (*self.codes, *self.topics))
                raise ConfigError(f"{where}: unknown rule or topic {selector!r}{hint}")


@dataclass(frozen=True, slots=True)
class IgnoreEntry:
    """One ``[[tool.mlenv.ignore]]``, for files that can hold no comments.

    Attributes:
        rule: A code, the start of one, or a topic.
        package: Canonical or written name; empty for every package.
        file: A pattern of paths; empty for every file.
        reason: Why.
        until: The last day that it holds, as ``YYYY-MM-DD``; empty for ever.
    """

    rule: str
    package: str = ""
    file: str = ""
    reason: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration and the command line ask for together.

    Selectors are codes, starts of codes, or topics. Patterns are those of .gitignore.

    Attributes:
        profile: Empty where it is to be detected.
        select: What to report; empty for everything.
        ignore: What not to report.
        ignore_entries: What not to report of one package or file, with reasons.
        fail_on: ``error``, ``warning``, ``note`` or ``never``.
        exclude: Patterns of paths to leave out, relative to the file's folder.
        target: The machines that it is meant for, where the command line names none: names of
            ``targets``, files, or what describes one itself.
        targets: Pairs of a name and what describes that machine, as the file has it.
        severity: Pairs of a selector and ``error``, ``warning``, ``note`` or ``off``.
        per_file_ignores: Pairs of a pattern of paths and the selectors ignored there.
        allow_empty: Whether finding nothing to audit is no failure.
        path: The file that it was read from; empty where there is none.
        extra_facts: Files of a team's own facts, relative to the file's folder.
        also_exclude: The command line's patterns, relative to the audited root.
        added: What leads from the project's top to the audited root.
        taken: What leads from the project's top to the file's folder.
    """

    profile: str = ""
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ignore_entries: tuple[IgnoreEntry, ...] = ()
    fail_on: str = "error"
    exclude: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    targets: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    severity: tuple[tuple[str, str], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    allow_empty: bool = False
    path: str = ""
    extra_facts: tuple[str, ...] = ()
    also_exclude: tuple[str, ...] = ()
    added: str = ""
    taken: str = ""

    def with_options(
        self,
        *,
        profile: str = "",
        select: tuple[str, ...] = (),
        ignore: tuple[str, ...] = (),
        fail_on: str = "",
        exclude: tuple[str, ...] = (),
        allow_empty: bool = False,
    ) -> Config:
        """Return the configuration with a command line's options over it.

        ``profile``, ``select`` and ``fail_on`` take the file's place where they are given;
        ``ignore`` and ``exclude`` add to it.
        """
        return replace(
            self,
            profile=profile or self.profile,
            select=select or self.select,
            ignore=self.ignore + ignore,
            fail_on=fail_on or self.fail_on,
            also_exclude=self.also_exclude + exclude,
            allow_empty=allow_empty or self.allow_empty,
        )

    def reports(self, code: str, topic: str) -> bool:
        """Return whether findings of a rule are wanted at all."""
        wanted = not self.select or any(covers(one, code, topic) for one in self.select)
        return wanted and not any(covers(one, code, topic) for one in self.ignore)

    def level(self, code: str, topic: str) -> str:
        """Return the severity set for a rule, or ``off``; empty where none is.

        The longest selector that covers the rule decides, and any code goes before its topic.
        """
        fitting = [pair for pair in self.severity if covers(pair[0], code, topic)]
        if not fitting:
            return ""
        return max(fitting, key=lambda pair: (pair[0] != topic, len(pair[0])))[1]

    def local(self, path: str) -> str:
        """Return a path as the file's patterns see it: relative to the file's own folder."""
        return (self.added + path).removeprefix(self.taken)

    def ignored_in(self, path: str) -> tuple[str, ...]:
        """Return the selectors that are ignored in a file, by its path relative to the root."""
        return tuple(
            selector
            for pattern, selectors in self.per_file_ignores
            if matches_path(pattern, self.local(path))
            for selector in selectors
        )


def covers(selector: str, code: str, topic: str) -> bool:
    """Return whether a selector speaks of a rule: by topic, code, or the start of its code."""
    return selector == topic or code.startswith(selector)


def matches_path(pattern: str, path: str) -> bool:
    """Return whether a pattern in the form of .gitignore covers a file or a folder above it."""
    from mlenv.project.gitignore import compile_pattern

    compiled = compile_pattern(pattern)
    if compiled is None:
        return False
    if not compiled.folders_only and compiled.matches(path):
        return True
    return any(folder and compiled.matches(folder) for folder in folders_above(path))


def suggestion(word: str, known: Collection[str]) -> str:
    """Return ``; did you mean 'x'?`` for a near miss in whatever case, else nothing."""
    from difflib import get_close_matches  # only on the way to an error

    spelt = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), sorted(spelt), n=1)
    return f"; did you mean {spelt[near[0]]!r}?" if near else ""


def load_config(
    start: str,
    explicit: str = "",
    *,
    use_config: bool = True,
    vocabulary: Callable[[], Vocabulary],
) -> Config:
    """Read the configuration that applies to a folder.

    Args:
        start: The audited folder or file; the nearest configuration at or above it is taken, no
            further up than the repository or the file system goes.
        explicit: A file that the caller names instead; empty for none.
        use_config: Whether to read any file at all.
        vocabulary: Returns the rules and topics that it may speak of; asked only where there is
            a file, since a command that needs no rules should not load them.

    Returns:
        The configuration; all defaults where there is no file.

    Raises:
        ConfigError: The file is missing, is no TOML, or says something that mlenv does not know.
    """
    if not use_config:
        return Config()
    path, table = find_table(start, explicit)
    if not path:
        return Config()
    from mlenv.config_table import read_table  # most projects have no table

    return read_table(table, path, vocabulary())


def find_table(start: str, explicit: str = "") -> tuple[str, Mapping[str, Any]]:
    """Return the configuration's file and what it says, unchecked; empty where there is none.

    Args:
        start: The audited folder or file.
        explicit: A file that the caller names instead; empty for none.

    Raises:
        ConfigError: The file is missing or is no TOML.
    """
    return _explicit(explicit) if explicit else _nearest(start)


def _explicit(path: str) -> tuple[str, Mapping[str, Any]]:
    if not os.path.isfile(path):
        raise ConfigError(f"there is no configuration file {path!r}")
    table = _read(path)
    if table is None:
        raise ConfigError(f"{path}: it has no [tool.mlenv]")
    return path, table


def _nearest(start: str) -> tuple[str, Mapping[str, Any]]:
    folder = os.path.abspath(start)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    while True:
        for name in (*_OWN_FILES, _SHARED_FILE):
            path = os.path.join(folder, name)
            # a pipe or a device in the way would be waited for
            table = _read(path) if os.path.isfile(path) and not _leads_out(path) else None
            if table is not None:
                return _shown(path), table
        parent = os.path.dirname(folder)
        if parent == folder or os.path.exists(os.path.join(folder, ".git")):
            return "", {}
        folder = parent


def _leads_out(path: str) -> bool:
    """Whether a file is a link to somewhere outside its repository, or its folder without one.

    A pyproject.toml that is one is left alone: the audit itself says that it is not read.

    Raises:
        ConfigError: It is one, and holds nothing but configuration.
    """
    if not os.path.islink(path):
        return False
    top = folder = os.path.dirname(path)
    while not os.path.exists(os.path.join(top, ".git")):
        above = os.path.dirname(top)
        if above == top:
            top = folder
            break
        top = above
    target, top = os.path.realpath(path), os.path.realpath(top)
    if target.startswith(top.rstrip(os.sep) + os.sep):
        return False
    if os.path.basename(path) == _SHARED_FILE:
        return True
    raise ConfigError(f"{_shown(path)}: it is a link that leads out of the project")


def _shown(path: str) -> str:
    """Return a path as seen from the working folder where it lies below it."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith(os.pardir) else relative


def _read(path: str) -> Mapping[str, Any] | None:
    """Return the table that speaks to mlenv; None where a pyproject.toml has none."""
    is_shared = os.path.basename(path) == _SHARED_FILE
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        if is_shared:
            return None
        raise ConfigError(f"{path}: it cannot be read: {error.strerror}") from error
    # without the word there is no table, and TOML need not be parsed
    if is_shared and (b"mlenv" not in content or len(content) > _MAX_BYTES):
        return None
    return _parse(path, content, is_shared=is_shared)


def _parse(path: str, content: bytes, *, is_shared: bool) -> Mapping[str, Any] | None:
    import tomli  # most projects have no table

    try:
        document: Mapping[str, Any] = tomli.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:
        # a pyproject.toml that is broken elsewhere is a finding of the audit, not of this
        if is_shared and not re.search(_TABLE, content):
            return None
        raise ConfigError(f"{_shown(path)}: it is no TOML: {error}") from error
    if not is_shared:
        return document
    tool = document.get("tool")
    table = tool.get("mlenv") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{_shown(path)}: 'tool.mlenv' must be a table")
    return table
