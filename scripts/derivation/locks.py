"""What ``poetry.lock`` recorded of the metadata of wheels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tomli
from packaging.utils import canonicalize_name

from mlenv.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What is known of one release from outside the records.

    Attributes:
        name: Canonical name.
        version: As text.
        requires: Its requirements as Requires-Dist has them.
        python: Requires-Python; empty where it is not known.
        files: The names of its files, so far as they are known.
        is_whole: Whether the requirements are all that it has.
        source: Where this was read.
    """

    name: str
    version: str
    requires: tuple[str, ...]
    python: str
    files: tuple[str, ...]
    is_whole: bool
    source: str


def lock_records(text: str, source: str) -> Iterator[Recorded]:
    """Yield what a poetry.lock recorded of releases on PyPI; nothing where it cannot be read.

    Source: Poetry, ``poetry.packages.locker`` (the lock's own format).
    """
    try:
        lock = tomli.loads(text)
    except tomli.TOMLDecodeError:
        return
    old_files = lock.get("metadata", {}).get("files", {})
    for package in lock.get("package", ()):
        if "source" in package or "version" not in package:
            continue
        name = package["name"]
        entries = package.get("files") or old_files.get(name, ())
        python = package.get("python-versions", "")
        yield Recorded(
            name=canonicalize_name(name),
            version=package["version"],
            requires=tuple(_requirements(package.get("dependencies", {}))),
            python="" if python == "*" or "^" in python else python,
            files=tuple(entry["file"] for entry in entries if "+" not in entry["file"]),
            is_whole=False,
            source=source,
        )


def _requirements(dependencies: Mapping[str, Any]) -> Iterator[str]:
    for name, value in dependencies.items():
        for one in value if isinstance(value, list) else [value]:
            entry = {"version": one} if isinstance(one, str) else one
            versions = _pep440(entry.get("version", ""))
            if versions is None or (
                entry.get("optional") and "extra" not in entry.get("markers", "")
            ):
                continue
            extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
            marker = f" ; {entry['markers']}" if entry.get("markers") else ""
            yield f"{name}{extras}{versions}{marker}"


def _pep440(text: str) -> str | None:
    """Return Poetry's constraint as PEP 440 has it; None where that takes more than one list."""
    text = re.sub(r",?<([^,|\s]+)\s*\|\|\s*>\1(?=[,\s]|$)", r",!=\1", text).lstrip(",")
    if "||" in text or text.startswith("^") or re.match(r"~[^=]", text):
        return None
    if text == "*":
        return ""
    return f"=={text}" if text[:1].isdigit() else text
