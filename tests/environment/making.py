"""Makes environments for tests: of a table as in a rule's cases, or as files on a disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from mlenv.environment.page import Page
from mlenv.model.binary import (
    Binaries,
    Binary,
    Kernels,
    MissingLibrary,
    MissingSymbols,
    NotFoundVersion,
    NumpyUse,
    Runtime,
)
from mlenv.model.environment import (
    CondaChange,
    CondaPackage,
    Distribution,
    Environment,
    Interpreter,
    Noted,
    Oddity,
    Origin,
    TorchTruth,
)
from mlenv.model.installed_files import Altered, Overlap
from mlenv.model.requirement import canonical_name

_T = TypeVar("_T")
SITE = "lib/python3.11/site-packages"


class MadeFiles:
    """What the records of a made environment tell."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._overlaps = tuple(_made(Overlap, one) for one in table.get("overlaps", ()))
        self._altered = tuple(_made(Altered, one) for one in table.get("altered", ()))
        self._modules: dict[str, str] = dict(table.get("modules", {}))

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        return self._overlaps

    @property
    def altered(self) -> tuple[Altered, ...]:
        return self._altered

    def modules(self) -> Mapping[str, str]:
        return self._modules


def environment_of(table: Mapping[str, Any]) -> Environment:
    """Return the environment that a table describes.

    Every key is optional: ``name``, ``manager``, ``made_by``, ``python`` (a version, or a table of
    an interpreter's attributes), ``packages`` (versions by name), ``distributions`` and ``conda``
    (tables of their attributes, without places), ``oddities``, ``torch`` (tables by name),
    ``overlaps``, ``altered``, ``modules``, ``binaries`` (a table of ``files``, ``missing``,
    ``symbols``, ``not_found``, ``runtimes``, ``provided``), ``is_project``, ``prefix``,
    ``hidden``, ``sites``, ``conda_changes``.
    """
    name = table.get("name", ".venv")
    page = Page(name)
    python = table.get("python", "3.11.7")
    stated = {"version": python} if isinstance(python, str) else python
    interpreter = Interpreter(
        **{
            "system": "linux",
            "machine": "x86_64",
            "libc": "glibc",
            "libc_version": "2.36",
            **stated,
        }
    )
    page.add(f"{name}: Python {interpreter.version}")
    listed = [
        *({"name": key, "version": version} for key, version in table.get("packages", {}).items()),
        *table.get("distributions", ()),
    ]
    distributions = [_distribution(page, one) for one in listed]
    hidden = tuple(_distribution(page, one) for one in table.get("hidden", ()))
    conda = [_conda(page, one) for one in table.get("conda", ())]
    oddities = tuple(
        _made(Oddity, {"path": "", **one}, span=page.add(one.get("path", one["kind"])))
        for one in table.get("oddities", ())
    )
    truths = {key: _made(TorchTruth, one) for key, one in table.get("torch", {}).items()}
    binaries = table.get("binaries")
    return Environment(
        table.get("prefix", ""),
        name,
        page.close(),
        table.get("manager", "venv"),
        interpreter,
        table.get("made_by", "uv"),
        tuple(table.get("sites", (SITE,))),
        distributions={one.name: one for one in distributions},
        hidden=hidden,
        conda={one.name: one for one in conda},
        oddities=oddities,
        torch=truths,
        files=MadeFiles(table),
        binaries=None if binaries is None else _binaries(binaries),
        is_project=table.get("is_project", True),
        conda_changes=tuple(_made(CondaChange, one) for one in table.get("conda_changes", ())),
    )


_NOTED = ("installer", "requested", "tags", "installed_at")


def _distribution(page: Page, table: Mapping[str, Any]) -> Distribution:
    written = table["name"]
    version = table.get("version", "1.0")
    apart = ("name", "origin", *_NOTED)
    given = {
        "location": f"{SITE}/{written}-{version}.dist-info",
        "site": SITE,
        "written": written,
        **{key: value for key, value in table.items() if key not in apart},
    }
    noted = {key: table[key] for key in _NOTED if key in table}
    origin = _made(Origin, table["origin"]) if "origin" in table else None
    return _made(
        Distribution,
        {**given, "version": version},
        name=canonical_name(written),
        span=page.add(f"{written} {version}"),
        marks=_made(Noted, noted, origin=origin),
    )


def _conda(page: Page, table: Mapping[str, Any]) -> CondaPackage:
    given = {"build": "0", "channel": "conda-forge", "depends": (), "files": (), **table}
    span = page.add(f"{table['name']} {table['version']} (conda)")
    return _made(CondaPackage, given, span=span)


def _binaries(table: Mapping[str, Any]) -> Binaries:
    return Binaries(
        tuple(_binary(one) for one in table.get("files", ())),
        tuple(_made(MissingLibrary, one) for one in table.get("missing", ())),
        tuple(_made(MissingSymbols, one) for one in table.get("symbols", ())),
        tuple(_made(NotFoundVersion, one) for one in table.get("not_found", ())),
        tuple(_made(Runtime, one) for one in table.get("runtimes", ())),
        frozenset(table.get("provided", ())),
    )


def _binary(table: Mapping[str, Any]) -> Binary:
    given = {"owner": "", "format": "elf", "machine": "x86_64", "size": 4096, **table}
    given.pop("numpy", None), given.pop("kernels", None)
    numpy = {"old": False, "new": True, "minimum": "", "kind": "c-api", **table.get("numpy", {})}
    kernels = table.get("kernels")
    return _made(
        Binary,
        given,
        numpy=NumpyUse(**numpy) if "numpy" in table else None,
        kernels=None
        if kernels is None
        else Kernels(
            tuple(kernels.get("cubins", {}).items()),
            tuple(kernels.get("ptx", {}).items()),
            kernels.get("containers", 1),
        ),
    )


def _made(kind: Callable[..., _T], table: Mapping[str, Any], **more: Any) -> _T:
    given = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return kind(**{**given, **more})


def write_environment(
    prefix: Path,
    distributions: Iterable[Mapping[str, Any]] = (),
    *,
    python: str = "3.11.7",
    config: str | None = None,
    site: str = "",
) -> Path:
    """Write a virtual environment without an interpreter, and return its folder of packages.

    Args:
        prefix: Its folder.
        distributions: Tables of ``name``, ``version``, ``requires``, ``requires_python``,
            ``extras``, ``tags`` (of its wheel; none for no WHEEL), ``installer``, ``files``
            (contents by path relative to the folder of packages) and ``metadata`` (the whole text
            in place of all that).
        python: The version of its Python.
        config: The text of ``pyvenv.cfg``.
        site: The folder of packages relative to the prefix, where it is not the usual one.
    """
    minor = ".".join(python.split(".")[:2])
    folder = prefix / (site or f"lib/python{minor}/site-packages")
    folder.mkdir(parents=True, exist_ok=True)
    text = f"home = /usr/bin\nversion = {python}\n" if config is None else config
    (prefix / "pyvenv.cfg").write_text(text, "utf-8")
    for one in distributions:
        write_distribution(folder, one)
    return folder


def write_distribution(folder: Path, table: Mapping[str, Any]) -> Path:
    """Write one distribution into a folder of packages, and return its metadata's folder."""
    name, version = table["name"], table.get("version", "1.0")
    home = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    home.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if "requires_python" in table:
        lines.append(f"Requires-Python: {table['requires_python']}")
    lines += [f"Provides-Extra: {extra}" for extra in table.get("extras", ())]
    lines += [f"Requires-Dist: {line}" for line in table.get("requires", ())]
    text = "\n".join(lines) + f"\n\n{name} does things.\n"
    (home / "METADATA").write_text(table.get("metadata", text), "utf-8")
    if table.get("tags", ("py3-none-any",)):
        tags = "".join(f"Tag: {tag}\n" for tag in table.get("tags", ("py3-none-any",)))
        (home / "WHEEL").write_text(f"Wheel-Version: 1.0\n{tags}", "utf-8")
    if "installer" in table:
        (home / "INSTALLER").write_text(f"{table['installer']}\n", "utf-8")
    record = [*_record(folder, table.get("files", {})), f"{home.name}/RECORD,,"]
    (home / "RECORD").write_text("\n".join(record) + "\n", "utf-8")
    return home


def _record(folder: Path, files: Mapping[str, str]) -> Iterable[str]:
    from base64 import urlsafe_b64encode
    from hashlib import sha256

    for path, content in files.items():
        data = content.encode("utf-8")
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        digest = urlsafe_b64encode(sha256(data).digest()).decode().rstrip("=")
        yield f"{path},sha256={digest},{len(data)}"
