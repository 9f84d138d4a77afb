"""Where the project lies that paths belong to, so that a result does not depend on the paths."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mlenv.errors import UsageError
from mlenv.paths import folders_above
from mlenv.project import classify
from mlenv.project.discover import ignore_file, is_ignored
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.gitignore import IgnoreFile

STDIN = "-"


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """The folder that reported paths are relative to, and the project around it.

    Attributes:
        root: What paths are relative to: the one folder given, as given; else ``top``.
        top: The whole project: the git repository, else the folder of the configuration.
        prefix: What leads from ``top`` to ``root``, with a slash at its end; empty where they
            are the same.
        home: What leads from ``top`` to the folder that the configuration's patterns are relative
            to, in the same form.
        named: The files and folders given, relative to ``top``; empty for itself.
    """

    root: str
    top: str
    prefix: str
    home: str
    named: tuple[str, ...]

    @property
    def shown_root(self) -> str:
        """The root as reports have it."""
        return self.root.replace(os.sep, "/").rstrip("/") or "/"

    def is_record(self, path: str) -> bool:
        """Whether nobody installs from a file below the root; of what is named, somebody does."""
        whole = self.prefix + path
        for name in self.named:
            below = f"{name}/" if name else ""
            if whole == name:
                return False
            if whole.startswith(below) and classify.is_record(below):
                return classify.is_record(whole[len(below) :])
        return classify.is_record(whole)

    def folders(self) -> list[str]:
        """Return the folders around what is named, which are not walked themselves."""
        found: dict[str, None] = {}
        for name in self.named:
            is_file = not os.path.isdir(os.path.join(self.top, name))
            found.update(dict.fromkeys(folders_above(name)))
            if not is_file and not name:
                return []
        return sorted(found)

    def ignores(self, folder: str) -> tuple[IgnoreFile, ...]:
        """Return the .gitignore files from the top down to a folder, itself included."""
        return tuple(_ignores(self.top, folder))


def find_place(paths: tuple[str, ...], stdin: str = "", config: str = "") -> Place:
    """Return where paths lie.

    Args:
        paths: The files and folders given; ``-`` is left out.
        stdin: The name of the file that is handed in; empty for none.
        config: The configuration file; empty for none.

    Raises:
        UsageError: The paths lie on several drives.
    """
    folders = [path for path in paths if path != STDIN and os.path.isdir(path)]
    files = [path for path in paths if path != STDIN and path not in folders]
    files += [stdin] if stdin else []
    named = [os.path.abspath(path) for path in (*folders, *files)]
    common = _common(
        [*map(os.path.abspath, folders), *(os.path.dirname(f) for f in named[len(folders) :])]
    )
    single = len(folders) == 1 and common == named[0] and len(paths) <= 1 + bool(stdin)
    if single:
        # links count where a folder lies, not where they point from
        named = [os.path.realpath(folders[0]) + name[len(common) :] for name in named]
        common = named[0]
    home = os.path.dirname(os.path.abspath(config)) if config else ""
    top = _repository(common) or (home if home and _is_below(common, home) else common)
    if single and _is_ignored(top, common):
        top = common  # what the repository around a folder ignores is no part of it
    root = folders[0] if single else top
    prefix = _below(common, top) if single else ""
    known = _below(home, top) if home and _is_below(home, top) else prefix
    inside = all(_is_below(name, os.path.join(top, known)) for name in named)
    relative = tuple(_below(name, top).rstrip("/") for name in named)
    return Place(root, top, prefix, known if inside else prefix, relative)


def _common(folders: list[str]) -> str:
    try:
        return os.path.commonpath(folders) if folders else os.path.abspath(os.curdir)
    except ValueError:
        raise UsageError("paths on several drives have no folder in common") from None


def _repository(folder: str) -> str:
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent
    return folder


def _is_below(path: str, folder: str) -> bool:
    folder = folder.rstrip(os.sep)
    return path == folder or path.startswith(folder + os.sep)


def _below(path: str, folder: str) -> str:
    relative = path[len(folder.rstrip(os.sep)) + 1 :].replace(os.sep, "/")
    return f"{relative}/" if relative else ""


def _ignores(top: str, folder: str) -> Iterator[IgnoreFile]:
    yield from ignore_file(top, "")
    names = folder.split("/") if folder else []
    for count in range(len(names)):
        yield from ignore_file(top, "/".join(names[: count + 1]))


def _is_ignored(top: str, folder: str) -> bool:
    whole = _below(folder, top).rstrip("/")
    names = whole.split("/") if whole else []
    for count in range(len(names)):
        inner = tuple(_ignores(top, "/".join(names[:count])))
        if is_ignored("/".join(names[: count + 1]), True, inner):
            return True
    return False
