"""Where an environment keeps things: its folders of packages, by the layouts of each system.

Source: Python, "sysconfig: installation paths"; Debian Python Policy; conda's documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from mlenv.environment.disk import names_in, read_text
from mlenv.model.environment import CONDA, SYSTEM, VENV
from mlenv.records import dataclass, field, replace

_LIBRARY = r"(python|pypy)(\d+\.\d+)(t?)"
_INNER = ("opt/conda", "opt/venv", "venv", "app/.venv", "usr/local", "usr")
"""Where a tree that holds a whole system has its packages, the likeliest first."""
_SITES = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The folders of an environment.

    Attributes:
        prefix: Its folder.
        manager: ``venv``, ``conda`` or ``system``.
        sites: Folders of packages, whole paths, in the order in which imports look.
        python: Major and minor, such as ``3.11``; empty where no folder tells.
        implementation: ``cpython`` or ``pypy``.
        free_threaded: Whether the folder is one of a build without the global lock.
        windows: Whether it is laid out as on Windows.
        others: Further folders of packages, for Pythons that are not the environment's.
        config: The lines of ``pyvenv.cfg``, by key in lower case.
        root: The folder that stands for ``/``; empty where that is this machine's own.
    """

    prefix: str
    manager: str
    sites: tuple[str, ...]
    python: str = ""
    implementation: str = "cpython"
    free_threaded: bool = False
    windows: bool = False
    others: tuple[str, ...] = ()
    config: dict[str, str] = field(default_factory=dict)
    root: str = ""


def find_layout(path: str) -> Layout | None:
    """Return how an environment is laid out; None where a path is none.

    Args:
        path: A prefix, its interpreter, its folder of packages, or a tree that holds a system.
    """
    if os.path.isfile(path) and re.match(r"(?i)(python|pypy)", os.path.basename(path)):
        folder = os.path.dirname(os.path.abspath(path))
        named = os.path.basename(folder).lower()
        path = os.path.dirname(folder) if named in ("bin", "scripts") else folder
    if not os.path.isdir(path):
        return None
    found = _at(path)
    # in a whole system /lib is mostly a link to /usr/lib
    if found is not None and not (
        found.manager == SYSTEM and os.path.isdir(os.path.join(path, "usr", "lib"))
    ):
        return found
    if os.path.basename(os.path.abspath(path)) in _SITES or _has_metadata(path):
        return Layout(path, SYSTEM, (path,))
    layouts = (_at(os.path.join(path, *inner.split("/"))) for inner in _INNER)
    there = [layout for layout in layouts if layout is not None]
    whole = [layout for layout in there if not _is_debians(layout)]
    root = path if os.path.realpath(path) != os.path.realpath(os.sep) else ""
    return next((replace(layout, root=root) for layout in (*whole, *there)), found)


def _is_debians(layout: Layout) -> bool:
    """Whether a prefix holds nothing but what pip installed for the Python of Debian in /usr."""
    is_local = os.path.basename(layout.prefix) == "local"
    return is_local and all(os.path.basename(site) == "dist-packages" for site in layout.sites)


def _at(prefix: str) -> Layout | None:
    config = read_config(os.path.join(prefix, "pyvenv.cfg"))
    is_conda = os.path.isdir(os.path.join(prefix, "conda-meta"))
    manager = VENV if config is not None else CONDA if is_conda else SYSTEM
    libraries = list(_libraries(prefix))
    wanted = _stated(prefix, config or {}, is_conda=is_conda)
    chosen = next((one for one in libraries if one[1] == wanted), None)
    chosen = chosen or (libraries[0] if libraries else None)
    if chosen is None:
        windows = os.path.join(prefix, "Lib", "site-packages")
        if os.path.isdir(windows):
            return Layout(prefix, manager, (windows,), wanted, windows=True, config=config or {})
        if manager == SYSTEM:
            return None
        return Layout(prefix, manager, (), wanted, config=config or {})
    implementation, python, is_free, folders = chosen
    return Layout(
        prefix,
        manager,
        folders,
        python,
        implementation,
        is_free,
        others=tuple(folder for one in libraries if one is not chosen for folder in one[3]),
        config=config or {},
    )


def _libraries(prefix: str) -> Iterator[tuple[str, str, bool, tuple[str, ...]]]:
    """Yield the Pythons that a prefix has folders of packages for, the newest first."""
    found: dict[tuple[int, int, str, bool], list[str]] = {}
    for library in ("lib", "lib64"):
        home = os.path.join(prefix, library)
        # lib64 is a link to lib in most virtual environments
        if library == "lib64" and os.path.islink(home):
            continue
        for name in names_in(home):
            match = re.fullmatch(_LIBRARY, name)
            if match is None:
                continue
            folders = [os.path.join(home, name, site) for site in _SITES]
            there = [folder for folder in folders if os.path.isdir(folder)]
            if there:
                major, _, minor = match[2].partition(".")
                implementation = "pypy" if match[1] == "pypy" else "cpython"
                key = (int(major), int(minor), implementation, bool(match[3]))
                found.setdefault(key, []).extend(there)
    debian = os.path.join(prefix, "lib", "python3", "dist-packages")
    has_debian = os.path.isdir(debian)
    if has_debian and not found:
        for name in names_in(os.path.join(prefix, "lib")):
            match = re.fullmatch(_LIBRARY, name)
            if match is not None:
                major, _, minor = match[2].partition(".")
                found[int(major), int(minor), "cpython", False] = []
    for (major, minor, implementation, is_free), folders in sorted(found.items(), reverse=True):
        python = f"{major}.{minor}"
        more = [debian] if has_debian and major == 3 else []
        local = _local(prefix, python, _SITES[has_debian])
        yield implementation, python, is_free, (*local, *folders, *more)


def _local(prefix: str, python: str, site: str) -> Iterator[str]:
    """Yield where pip puts packages for a system's own Python, which goes before the system's."""
    if os.path.basename(os.path.abspath(prefix)) == "usr":
        folders = (
            os.path.join(prefix, "local", library, f"python{python}", site)
            for library in ("lib", "lib64")
        )
        yield from filter(os.path.isdir, folders)


def _stated(prefix: str, config: dict[str, str], *, is_conda: bool) -> str:
    """Return the minor that an environment says it has; empty where it does not."""
    version = config.get("version_info") or config.get("version", "")
    match = re.match(r"\d+\.\d+", version)
    if match is None and is_conda:
        names = names_in(os.path.join(prefix, "conda-meta"))
        found = (re.match(r"python-(\d+\.\d+)[\d.]*-", name) for name in names)
        match = next((one for one in found if one), None)
        return match[1] if match else ""
    if match is None:
        for name in ("python3", "python"):
            link = os.path.join(prefix, "bin", name)
            if os.path.islink(link):
                match = re.search(r"(\d+\.\d+)$", os.readlink(link))
                if match:
                    return match[1]
    return match[0] if match else ""


def read_config(path: str) -> dict[str, str] | None:
    """Return the lines of a ``pyvenv.cfg`` by key; None where there is none. Source: PEP 405."""
    if not os.path.isfile(path):
        return None
    parts = (line.partition("=") for line in read_text(path).splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in parts if equals}


def _has_metadata(folder: str) -> bool:
    return any(name.endswith((".dist-info", ".egg-info")) for name in names_in(folder))


def made_by(layout: Layout) -> str:
    """Return what made an environment; empty where nothing tells."""
    config = layout.config
    if "uv" in config:
        return "uv"
    if "virtualenv" in config:
        return "virtualenv"
    if layout.manager == VENV:
        return "venv"
    if layout.manager == CONDA:
        pixi = f"{os.sep}.pixi{os.sep}"
        return "pixi" if pixi in os.path.abspath(layout.prefix) + os.sep else "conda"
    return ""
