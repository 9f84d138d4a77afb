"""A target's file: what a machine is and what is installed there, as TOML or JSON.

Both keep the same keys; every one is optional, and one that mlenv does not know is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from mlenv.errors import ConfigError, UsageError
from mlenv.machine.build import make_target, target_text
from mlenv.machine.keys import MACHINE_KEYS, Path, known, machine_fields, strings
from mlenv.model.requirement import canonical_name
from mlenv.model.target import Installed, Target
from mlenv.model.text import SourceText, Span
from mlenv.project.decode import decode
from mlenv.project.toml_spans import TomlError, read_toml
from mlenv.records import dataclass
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


MOST_BYTES = 1 << 20
_ENVIRONMENT_KEYS = (
    *("complete", "manager", "packages", "conda_packages", "torch", "blas", "origins"),
)
_TABLES = {
    "machine": MACHINE_KEYS,
    "environment": _ENVIRONMENT_KEYS,
    "torch": ("cuda", "arch_list"),
}
_MANAGERS = ("venv", "conda", "system")
ORIGIN = r"editable|local|url|(?:git|hg|svn|bzr)(?: [0-9A-Za-z]{1,40})?"
"""How a package that is from no index was installed, in a snapshot's words."""
_LONGEST = 200
_DEEPEST = 3
"""How many keys lead to a value that has a place of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """What a file says, and where.

    Attributes:
        values: The values.
        place: Returns where the value at a path stands; the whole where that cannot be told.
        entry: The same from the beginning of its key.
    """

    values: Mapping[str, Any]
    place: Callable[[Path], Span]
    entry: Callable[[Path], Span]


def read_snapshot(path: str, shown: str = "", name: str = "") -> Target:
    """Return the target that a file describes.

    Args:
        path: The file.
        shown: How messages call the file; empty for the path itself.
        name: The target's; empty for that of the file.

    Raises:
        ConfigError: It cannot be read, is neither TOML nor JSON, or says what it may not.
    """
    shown = shown or path
    return parse_snapshot(decode("", _bytes(path, shown)).text, shown, name or shown)


def parse_snapshot(text: str, shown: str, name: str) -> Target:
    """Return the target that a text describes.

    Args:
        text: TOML or JSON.
        shown: How messages call the file that it is from.
        name: The target's.

    Raises:
        ConfigError: It is neither TOML nor JSON, or says what it may not.
    """
    source = target_text(name, text, shown)
    is_json = shown.lower().endswith(".json") or text.lstrip()[:1] == "{"
    document = _json(source, shown) if is_json else _toml(source, shown)

    def refuse(at: Path, why: str) -> UsageError:
        return ConfigError(f"{shown}: {_dotted(at)!r} {why}")

    tables = _table(document.values, (), ("machine", "environment"), refuse, shown)
    machine = _table(tables.get("machine"), ("machine",), MACHINE_KEYS, refuse, shown)
    fields = machine_fields(machine, ("machine",), refuse)
    spans = {key: document.place(("machine", key)) for key in fields}
    installed = None
    if tables.get("environment") is not None:
        installed = _installed(tables["environment"], document, refuse, shown)
    return make_target(name, _whole(source), fields, spans, installed)


def _bytes(path: str, shown: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{shown}: it cannot be read: {cause}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{shown}: it is larger than {MOST_BYTES >> 20} MiB")
    return content


def _toml(source: SourceText, shown: str) -> Document:
    document = read_toml(source)
    if isinstance(document, TomlError):
        line, column = source.position(min(document.offset, len(source.text)))
        raise ConfigError(f"{shown}:{line}:{column}: it is no TOML: {document.message}")
    return Document(document.values, document.span, document.entry_span)


def _json(source: SourceText, shown: str) -> Document:
    import json

    from mlenv.project.json_nodes import read_json

    try:
        values = json.loads(source.text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{shown}: it is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{shown}: it must be a table with 'machine' and 'environment'")
    places = dict(_places(read_json(source).root, ()))
    whole = _whole(source)

    def place(at: Path) -> Span:
        return places[at][1] if at in places else whole

    def entry(at: Path) -> Span:
        key, value = places.get(at, (whole, whole))
        return Span(source, key.start, value.end)

    return Document(values, place, entry)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a table of what is stated, each key once: null is how JSON says that it is not."""
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ValueError(f"{key[:_LONGEST]!r} stands twice")
        table[key] = value
    return {key: value for key, value in table.items() if value is not None}


def _places(node: Any, at: Path) -> Iterator[tuple[Path, tuple[Span, Span]]]:
    """Yield for each path within a tree of nodes where its key and its value stand."""
    from mlenv.project.yaml_nodes import Mapping as Table

    if isinstance(node, Table) and len(at) < _DEEPEST:
        for name, key, value in node.entries():
            yield (*at, name), (key.span, value.span)
            yield from _places(value, (*at, name))


def _whole(source: SourceText) -> Span:
    """Return the first line that says something, which stands for all of it."""
    said = re.search(r"(?m)^[^\S\n]*[^\s#]", source.text)
    return source.line_span(source.position(said.end() - 1)[0]) if said else source.span(0, 0)


def _dotted(at: Path) -> str:
    return ".".join(str(part)[:_LONGEST] for part in at)


def _table(
    value: object,
    at: Path,
    keys: tuple[str, ...],
    refuse: Callable[[Path, str], UsageError],
    shown: str,
) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(at, "must be a table")
    for key in value:
        if key not in keys:
            home = next((name for name, its in _TABLES.items() if key in its), "")
            if home and not at:
                raise ConfigError(f"{shown}: {key!r} belongs in [{home}]")
            known(key, keys, f"{shown}: {_dotted(at)}" if at else shown)
    return value


def _installed(
    value: object, document: Document, refuse: Callable[[Path, str], UsageError], shown: str
) -> Installed:
    home: Path = ("environment",)
    table = _table(value, home, _ENVIRONMENT_KEYS, refuse, shown)
    complete = table.get("complete", False)
    if not isinstance(complete, bool):
        raise refuse((*home, "complete"), "must be true or false")
    manager = table.get("manager", "")
    if "manager" in table and manager not in _MANAGERS:
        raise refuse((*home, "manager"), f"must be one of {', '.join(_MANAGERS)}")
    torch = _table(table.get("torch"), (*home, "torch"), _TABLES["torch"], refuse, shown)
    packages, spans = _packages(table.get("packages"), document, refuse)
    return Installed(
        packages,
        _conda_packages(table.get("conda_packages"), refuse),
        complete,
        manager,
        _torch_cuda(torch.get("cuda"), (*home, "torch", "cuda"), refuse),
        strings(torch.get("arch_list", []), (*home, "torch", "arch_list"), refuse),
        _blas(table.get("blas", ""), (*home, "blas"), refuse),
        _origins(table.get("origins"), refuse),
        spans,
    )


def _blas(value: object, at: Path, refuse: Callable[[Path, str], UsageError]) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise refuse(at, 'must be a string such as "openblas 0.3.29"')
    return value.strip()


def _origins(value: object, refuse: Callable[[Path, str], UsageError]) -> dict[str, str]:
    at: Path = ("environment", "origins")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(at, "must be a table of names and how they were installed")
    for name, origin in value.items():
        if not isinstance(origin, str) or re.fullmatch(ORIGIN, origin) is None:
            raise refuse((*at, name), "must be editable, local, url, or git with a commit")
    return {canonical_name(name): origin for name, origin in value.items()}


def _packages(
    value: object, document: Document, refuse: Callable[[Path, str], UsageError]
) -> tuple[dict[str, str], dict[str, Span]]:
    at: Path = ("environment", "packages")
    packages: dict[str, str] = {}
    spans: dict[str, Span] = {}
    for written, version in _versions(value, at, refuse).items():
        name = canonical_name(written)
        if parse_version(version) is None:
            raise refuse((*at, written), 'must be a version such as "2.1.0+cu118"')
        if packages.setdefault(name, version) != version:
            raise refuse((*at, written), f"stands twice, as {name} with another version")
        spans[name] = document.entry((*at, written))
    return packages, spans


def _conda_packages(value: object, refuse: Callable[[Path, str], UsageError]) -> dict[str, str]:
    versions = _versions(value, ("environment", "conda_packages"), refuse)
    return {name.strip().lower(): version for name, version in versions.items()}


def _versions(value: object, at: Path, refuse: Callable[[Path, str], UsageError]) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refuse(at, "must be a table of names and versions")
    for name, version in value.items():
        text = version if isinstance(version, str) else ""
        if not 0 < len(text.split()) < 2 or len(text) > _LONGEST or len(name) > _LONGEST:
            raise refuse((*at, name), "must be a version in quotes")
    return {name: version.strip() for name, version in value.items()}


def _torch_cuda(value: object, at: Path, refuse: Callable[[Path, str], UsageError]) -> str:
    """Return the CUDA of the installed torch; ``none`` for a build without one."""
    if value is None:
        return ""
    if isinstance(value, str) and value.strip().lower() in ("none", "cpu"):
        return "none"
    fields = machine_fields({"image_cuda": value}, at[:-1], lambda _at, why: refuse(at, why))
    return str(fields["image_cuda"])
