"""What ``mlenv init`` would write into a folder, decided before anything is written."""

from __future__ import annotations

import os
import stat

from mlenv.errors import UsageError
from mlenv.init import templates
from mlenv.init.edits import edited, has_hook, with_hook, with_table
from mlenv.init.origin import remotes
from mlenv.project.decode import decode
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlenv.init.origin import Origin
    from mlenv.model.text import SourceText

CONFIG, SHARED = "mlenv.toml", "pyproject.toml"
HOOKS = ".pre-commit-config.yaml"
WORKFLOWS = ".github/workflows"
WORKFLOW = f"{WORKFLOWS}/mlenv.yml"
GITLAB = ".gitlab-ci.yml"
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One file, and what is to become of it.

    Attributes:
        path: Relative to the folder, with ``/``.
        said: What is done or why nothing is, in a few words.
        before: Its bytes; None where there is no such file.
        after: What it is to hold; None where it stays as it is.
        advice: Lines to add by hand.
    """

    path: str
    said: str
    before: bytes | None = None
    after: bytes | None = None
    advice: tuple[str, ...] = ()


class Folder:
    """A folder that is written to, and nothing outside of it.

    Attributes:
        root: The folder, with links resolved.
    """

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)

    def has(self, path: str) -> bool:
        """Return whether something bears a name, a dangling link included."""
        return os.path.lexists(self._full(path))

    def refusal(self, path: str) -> str:
        """Return why a file may not be written; empty where it may."""
        full = self._full(path)
        if os.path.realpath(full) != full:
            return "a link leads there"
        if not os.path.lexists(full):
            return ""
        status = os.lstat(full)
        if not stat.S_ISREG(status.st_mode):
            return "it is not a regular file"
        return "it is too large" if status.st_size > _MAX_BYTES else ""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes; None where it is not there or may not be read."""
        if not self.has(path) or self.refusal(path):
            return None
        try:
            with open(self._full(path), "rb") as file:
                return file.read(_MAX_BYTES)
        except OSError as error:
            raise UsageError(f"{path}: it cannot be read: {error.strerror}") from error

    def names(self, path: str) -> list[str]:
        """Return what lies in a folder, sorted; nothing where a link leads there."""
        full = self._full(path)
        if os.path.realpath(full) != full or not os.path.isdir(full):
            return []
        return sorted(os.listdir(full))

    def write(self, path: str, data: bytes) -> None:
        """Write a file, with the folders that lead to it.

        Raises:
            UsageError: It cannot be written.
        """
        full = self._full(path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        try:
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(os.open(full, flags | getattr(os, "O_BINARY", 0), 0o666), "wb") as file:
                file.write(data)
        except OSError as error:
            raise UsageError(f"{path}: it cannot be written: {error.strerror}") from error

    def _full(self, path: str) -> str:
        return os.path.join(self.root, *path.split("/"))


def configuration(folder: Folder, profile: str, existing: str) -> Step:
    """Return what is to become of the configuration.

    Args:
        folder: Where.
        profile: What the project was taken for; empty where there was nothing to tell it by.
        existing: The configuration that applies already; empty where there is none.
    """
    if existing:
        return Step(existing, "is the configuration already")
    if folder.has(SHARED):
        table = ("tool", "mlenv")
        lines = templates.configuration(profile, ".".join(table))
        step = _edit(folder, SHARED, "[tool.mlenv]", lambda text: with_table(text, lines, table))
        if step.after is not None:
            return step
    return _new(folder, CONFIG, "the configuration", templates.configuration(profile, ""))


def hook(folder: Folder, origin: Origin, baseline: str) -> Step:
    """Return what is to become of pre-commit's configuration."""
    lines = templates.hook(origin, baseline)
    data = folder.read(HOOKS)
    if data is not None:
        if has_hook(decode(HOOKS, data)):
            return Step(HOOKS, "has the hook already")
        return _edit(folder, HOOKS, "the hook", lambda text: with_hook(text, lines), tuple(lines))
    first, *others = lines
    whole = ["repos:", f"  - {first}", *(f"    {line}" for line in others)]
    return _new(folder, HOOKS, "the hook for pre-commit", whole)


def pipelines(folder: Folder, origin: Origin, baseline: str) -> Iterator[Step]:
    """Yield what is to become of the CI of those services that the repository uses."""
    if folder.has(".github") or any("github" in url for url in remotes(folder.root)):
        yield _workflow(folder, origin, baseline)
    if folder.has(GITLAB):
        data = folder.read(GITLAB) or b""
        if b"mlenv" in data:
            yield Step(GITLAB, "speaks of mlenv already")
        else:
            job = tuple(templates.gitlab_job(origin, baseline))
            yield Step(GITLAB, "is yours to extend: add this job", advice=job)


def _workflow(folder: Folder, origin: Origin, baseline: str) -> Step:
    for name in folder.names(WORKFLOWS):
        path = f"{WORKFLOWS}/{name}"
        if path == WORKFLOW or b"mlenv audit" in (folder.read(path) or b""):
            return Step(path, "runs mlenv already")
    return _new(folder, WORKFLOW, "the CI step", templates.workflow(origin, baseline))


def _new(folder: Folder, path: str, what: str, lines: list[str]) -> Step:
    refusal = folder.refusal(path)
    if refusal or folder.has(path):
        return Step(path, f"is left alone: {refusal or 'it is there already'}")
    return Step(path, f"created, with {what}", None, "".join(f"{x}\n" for x in lines).encode())


def _edit(
    folder: Folder,
    path: str,
    what: str,
    edit: Callable[[SourceText], str | None],
    advice: tuple[str, ...] = (),
) -> Step:
    data = folder.read(path)
    after = edited(path, data, edit) if data is not None else None
    if after is not None:
        return Step(path, f"changed: {what} was added", data, after)
    why = folder.refusal(path) or "it cannot be extended safely; add this by hand"
    return Step(path, f"is left alone: {why}", advice=advice)
