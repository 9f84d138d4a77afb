"""What the reader of one installing command needs to know, and the parts it makes of words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator

from mlenv.model.image import InstallCommand
from mlenv.model.requirement import (
    CONDA,
    ENV,
    PYPI,
    REQUIREMENT,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.model.source import UNREADABLE_LINE, Include, Index, Problem
from mlenv.model.text import Span
from mlenv.project.direct import is_path, is_url, read_direct
from mlenv.project.matchspec import read_match_spec
from mlenv.project.pep508 import Refusal, read_requirement
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.words import Command, Redirection
from mlenv.records import dataclass, field, replace
from mlenv.versions.version_set import unknown

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PARTIAL = rf"({_NAME})(\[[A-Za-z0-9._, -]*\])?\s*(?:[<>=!~]=|[<>=])"
_PARTIAL_SPEC = rf"(?:[\w./-]+::)?({_NAME})\s*[<>=!~]"
_PLACEHOLDER = r"[<>{}$%*?|`]"
_REDIRECTED_NAME = rf"{_NAME}(?:\[[^\]]*\])?(?:[<>=!~].*)?"
_VERSION = r"v?\d+(?:\.\d+)*(?:\.\*)?(?:(?:a|b|rc|\.?post|\.?dev)\d+)?,?"
_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.\w+|tgz)(?:\[[^\]]*\])?$", re.IGNORECASE)

_MAX_INDEXES = 20
_MAX_ENVIRONMENTS = 50

Locate = Callable[[str], str]


@dataclass(slots=True)
class InstallContext:
    """The surroundings of one command.

    Attributes:
        command: The command.
        group: The group that its requirements join.
        folder: The working folder; None where it cannot be told.
        locate: Maps a path in the container to one in the repository, an empty one for what does
            not come from there; None where paths are those of the repository.
        written: Paths that something before has written or changed.
        ambient: Indexes that something before has set, by the variable that holds them.
        environments: conda's environments by name, each with the group of what goes into it.
        problems: What an installer refuses.
    """

    command: Command
    group: str
    folder: str | None
    locate: Locate | None
    written: set[str]
    ambient: dict[str, list[Index]]
    environments: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def span(self) -> Span:
        """The whole command."""
        return self.command.span

    def install(self, tool: str, action: str) -> InstallCommand:
        """Return the command as the model has it, with nothing yet of what it installs."""
        return InstallCommand(tool, action, self.span, self.group, redirections=self._versions())

    def enter_environment(self, name: str) -> None:
        """Take what follows to be for an environment that this command makes.

        The first one of a stage shares its group with what pip installs there; a further one has
        nothing to do with it.
        """
        own = group_key(ENV, name) if self.environments else self.group
        if len(self.environments) < _MAX_ENVIRONMENTS:
            self.environments.setdefault(name, own)
        self.group = self.environments.get(name, own)

    def requirement(self, word: Word) -> Requirement | None:
        """Read a word as a requirement of PEP 508 or a reference to a file on the network.

        Returns:
            The requirement; None for a folder, a pattern of files, or what only the shell knows.
        """
        text = word.text
        if not word.complete:
            return self._partial(word)
        if not text or (is_path(text) and not _is_named_archive(text)):
            return None
        if is_path(text) or is_url(text):
            found = read_direct(word.fragment, self.group, REQUIREMENT)
            return None if isinstance(found, Refusal) else self._mended(found, word)
        return self._kept(read_requirement(word.fragment, group=self.group), word)

    def match_spec(self, word: Word) -> Requirement | None:
        """Read a word as one of conda's match specifications."""
        if not word.complete:
            match = re.match(_PARTIAL_SPEC, word.head.text)
            if match is None:
                return None
            rest = word.text[match.end(1) :]
            at = word.head.part(match.start(1), match.end(1)).whole
            whole, name = word.fragment.whole, match[1].lower()
            return Requirement(
                name, match[1], CONDA, whole, at, versions=unknown(rest), group=self.group
            )
        if "/" in word.text and "::" not in word.text and "://" not in word.text:
            return None
        return self._kept(read_match_spec(word.fragment, group=self.group), word)

    def _kept(self, found: Requirement | Refusal, word: Word) -> Requirement | None:
        if isinstance(found, Requirement):
            return self._mended(found, word)
        if found.requirement is None or re.search(_PLACEHOLDER, word.text):
            return None
        if word.fragment.pieces:  # a value that is filled in may be another one when it is run
            self.problems.append(
                Problem(UNREADABLE_LINE, word.fragment.whole, found.reason, found.name, found.help)
            )
        return self._mended(found.requirement, word)

    def _mended(self, found: Requirement, word: Word) -> Requirement:
        """Give a requirement the place of its name where that can be told."""
        at = found.name_span
        if at is not None and at.text != found.written:
            return replace(found, name_span=None, specifier_span=None)
        if at is None and found.written and word.head.text.startswith(found.written):
            at = word.head.part(0, len(found.written)).whole
            return replace(found, name_span=at if at.text == found.written else None)
        return found

    def _partial(self, word: Word) -> Requirement | None:
        """Return a requirement whose name is known and whose version the shell fills in."""
        match = re.match(_PARTIAL, word.head.text)
        if match is None or is_url(word.text):
            return None
        extras = (name.strip() for name in (match[2] or "[]")[1:-1].split(","))
        at = word.head.part(0, len(match[1])).whole
        return Requirement(
            canonical_name(match[1]),
            match[1],
            PYPI,
            word.fragment.whole,
            at if at.text == match[1] else None,
            versions=unknown(word.text[match.end(2) if match[2] else match.end(1) :]),
            extras=tuple(sorted(canonical_name(name) for name in extras if name)),
            group=self.group,
        )

    def include(self, word: Word, *, constraint: bool = False) -> Iterator[Include]:
        """Yield the file that a word names, unless it is none of the repository."""
        if "://" in word.text and word.complete:
            yield Include(word.text, word.fragment.whole, constraint, self.group, anywhere=True)
            return
        path = self.path(word)
        if path and not path.startswith("/dev/"):
            yield Include(path, word.fragment.whole, constraint, self.group, anywhere=True)

    def path(self, word: Word) -> str:
        """Return a word as a path of the repository; empty where it is none."""
        inner = joined(self.folder, word) if word.text != "-" else None
        return "" if inner is None or inner in self.written else self._located(inner)

    def project(self, word: Word, *, editable: bool = False) -> str:
        """Return the local project that a word names, with its extras; empty where it is none.

        Args:
            word: The word.
            editable: Whether it stands behind ``-e``, where every name is that of a folder.
        """
        text, bracket, extras = word.text.partition("[")
        if is_url(text) or "@" in text or _ARCHIVE.search(text):
            return ""
        if not editable and not is_path(text):
            return ""
        inner = joined(self.folder, replace(word, text=text))
        if inner is None:
            return ""
        behind = "" if "$" in extras else bracket + extras
        if self.locate is None:
            return text + behind if "$" not in inner else ""
        found = self._located(inner) or self._folder_of_files(inner)
        return found + behind if found else ""

    def _located(self, inner: str) -> str:
        if self.locate is not None:
            found = self.locate(inner)
            return "" if "$" in found else found
        return "" if "$" in inner else inner

    def _folder_of_files(self, inner: str) -> str:
        """Return the folder of a project whose files were copied one by one."""
        for name in _PROJECT_FILES:
            found = self._located(posixpath.join(inner, name))
            if found:
                return posixpath.dirname(found) or "."
        return ""

    def _versions(self) -> tuple[Span, ...]:
        """Return the redirections that were meant as versions, each from its name on."""
        found: list[Span] = []
        words = self.command.words
        at, last_end = 0, -1
        for one in self.command.redirections:
            if one.target is None or one.operator not in (">", "<"):
                continue
            while at < len(words) and words[at].end <= one.start:
                at += 1
            goes_on = bool(found) and one.start == last_end
            if not at or not _is_version(one, glued=one.glued or goes_on):
                continue
            name = words[at - 1]
            if not re.fullmatch(_REDIRECTED_NAME, name.text):
                continue
            last_end = one.target.end
            start = found.pop().start if goes_on else name.fragment.whole.start
            end = max(one.target.fragment.whole.end, start)
            found.append(Span(self.span.source, start, end))
        return tuple(found)


def _is_version(one: Redirection, *, glued: bool) -> bool:
    """Return whether a redirection's target is a version rather than a file."""
    assert one.target is not None
    if re.match(r"=+\s*v?\d", one.target.text):
        return True
    return glued and re.fullmatch(_VERSION, one.target.text) is not None


def indexes(kind: str, word: Word) -> Iterator[Index]:
    """Yield the indexes that a word names; see :func:`indexes_in`."""
    return indexes_in(kind, word.text, word.fragment.whole)


def indexes_in(kind: str, text: str, span: Span) -> Iterator[Index]:
    """Yield the indexes that a text names, several of them with blanks between.

    Args:
        kind: As in :class:`Index`.
        text: URLs or hosts; ``name=URL`` as uv takes it.
        span: Where it stands.
    """
    # the expression of a workflow may hold blanks
    for url in re.findall(r"(?:\$\{\{[^{}]{0,200}\}\}|\S)+", text)[:_MAX_INDEXES]:
        name, equals, rest = url.partition("=")
        if not equals or not re.fullmatch(r"[\w-]+", name):
            name, rest = "", url
        yield Index(kind, rest, span, name)


def joined(folder: str | None, word: Word) -> str | None:
    """Return a path seen from the root or the folder of the file; None where it is not known.

    A variable that nobody sets stays in the path: two paths that begin with it are still
    compared rightly.

    Args:
        folder: The working folder.
        word: The path.
    """
    path = re.sub(r"\$\{(\w+)\}", r"$\1", word.text)
    if re.search(r"[*?`{}()<>]|\$(?![A-Za-z_])", path) or not path:
        return None
    if path.startswith(("/", "$")):
        return posixpath.normpath(path)
    if folder is None or path.startswith("~"):
        return None
    return posixpath.normpath(posixpath.join(folder, path))


def _is_named_archive(text: str) -> bool:
    return _ARCHIVE.search(text) is not None and "*" not in text and "?" not in text
