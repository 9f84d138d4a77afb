"""What else an interpreter puts on its path: ``.pth`` files, the user's packages, the base's.

Source: Python, "site: Site-specific configuration hook".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from mlenv.environment.disk import names_in, read_bytes
from mlenv.environment.interpreter import base_folder
from mlenv.environment.layout import Layout, find_layout
from mlenv.model.environment import VENV
from mlenv.records import dataclass

_MOST_BYTES = 1 << 18
_MOST_LINES = 2_000
_FRAMEWORK = "Python.framework"
"""In the path of an interpreter that macOS keeps as a framework."""


@dataclass(frozen=True, slots=True)
class Link:
    """A line of a ``.pth`` file that names a folder.

    Attributes:
        file: The file, whole.
        line: The line as it stands.
        folder: The folder that it names, whole.
        exists: Whether that is there.
        is_code: Whether the line is code instead, which looks like an editable installation's.

    Of a file that is no UTF-8 nothing is known but its name.
    """

    file: str
    line: str
    folder: str
    exists: bool
    is_code: bool = False


def links_of(site: str, names: Sequence[str]) -> Iterator[Link]:
    """Yield the folders that the ``.pth`` files of a folder of packages name.

    Lines that begin with ``import`` are code that an interpreter would run; they are passed over,
    but for those that look like an editable installation's.

    Args:
        site: The folder.
        names: The names in it.
    """
    for name in names:
        if not name.endswith(".pth") or name.startswith("."):
            continue
        path = os.path.join(site, name)
        data = read_bytes(path, _MOST_BYTES) or b""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield Link(path, "", "", exists=False)
            continue
        for line in text.splitlines()[:_MOST_LINES]:
            said = line.rstrip()
            if not said.strip() or said.startswith("#") or "\0" in said:
                continue
            if said.startswith(("import ", "import\t")):
                if "editable" in said or "editable" in name:
                    yield Link(path, said, "", exists=True, is_code=True)
                continue
            folder = os.path.normpath(os.path.join(site, said))
            yield Link(path, said, folder, os.path.exists(folder))


def base_sites(layout: Layout) -> tuple[str, ...]:
    """Return the base interpreter's folders of packages where an environment takes them too."""
    if layout.manager != VENV or not takes_base(layout):
        return ()
    home = base_folder(layout)
    if not os.path.isabs(home):
        return ()
    prefix = os.path.dirname(home) if os.path.basename(home) in ("bin", "Scripts") else home
    base = find_layout(prefix)
    return base.sites if base else ()


def takes_base(layout: Layout) -> bool:
    """Whether a virtual environment sees the base interpreter's packages. Source: PEP 405."""
    return layout.config.get("include-system-site-packages", "").lower() == "true"


def user_site(layout: Layout, variables: Mapping[str, str]) -> str:
    """Return the user's own folder of packages where the interpreter looks there; else nothing.

    Args:
        layout: The environment's.
        variables: Of the process.
    """
    if layout.root or variables.get("PYTHONNOUSERSITE"):
        return ""
    if layout.manager == VENV and not takes_base(layout):
        return ""
    folder = _users(layout, variables) if layout.python else ""
    return folder if folder not in layout.sites and os.path.isdir(folder) else ""


def _users(layout: Layout, variables: Mapping[str, str]) -> str:
    """Return where the user's own packages would lie; empty where nothing tells.

    Source: Python, "site: getuserbase", and the schemes of "sysconfig".
    """
    stated = variables.get("PYTHONUSERBASE", "")
    home = variables.get("HOME") or variables.get("USERPROFILE", "")
    if layout.windows:
        base = stated or os.path.join(variables.get("APPDATA", ""), "Python")
        inner = f"Python{layout.python.replace('.', '')}"
    elif _FRAMEWORK in (layout.prefix + base_folder(layout)):
        base = stated or os.path.join(home, "Library", "Python", layout.python)
        inner = os.path.join("lib", "python")
    else:
        base = stated or os.path.join(home, ".local")
        kind = "pypy" if layout.implementation == "pypy" else "python"
        inner = os.path.join("lib", f"{kind}{layout.python}{'t' if layout.free_threaded else ''}")
    return os.path.join(base, inner, "site-packages") if os.path.isabs(base) else ""


def python_path(variables: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders of ``PYTHONPATH`` that hold something, each with the names in it."""
    parts = variables.get("PYTHONPATH", "").split(os.pathsep)
    for part in dict.fromkeys(parts):
        names = names_in(part) if part else []
        if names:
            yield part, names
