"""conda-lock.yml to the model."""

from __future__ import annotations

import re

from mlenv.model.requirement import CONDA, PYPI, LockedPackage, canonical_name
from mlenv.project.locks.common import entry_problem, gather, lock_source, single_platform
from mlenv.project.locks.conda_artifact import conda_artifact
from mlenv.project.locks.yaml_items import read_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Problem, Source
    from mlenv.model.text import SourceText
    from mlenv.project.locks.yaml_scan import Item


def read(text: SourceText) -> Source:
    """Return what a conda-lock.yml records: one package for each platform that it is locked for.

    The origin of a conda package is its channel, that of a pip package its location.

    Source: conda-lock's ``lockfile.v1.models``.
    """
    items, problems = read_items(text, "package")
    locked, nameless = gather(locked_item(text, item) for item in items)
    return lock_source(
        text,
        "conda-lock",
        locked,
        problems + nameless,
        generated_by="conda-lock",
        platform=single_platform(locked),
        compiled_from=_sources(text.text),
    )


def _sources(text: str) -> tuple[str, ...]:
    """Return ``metadata.sources``: the files that the lock was made from, relative to it."""
    metadata = re.search(r"^metadata:[ \t]*\r?\n((?:[ \t#-].*(?:\n|$)|\r?\n)*)", text, re.MULTILINE)
    if metadata is None:
        return ()
    names = re.search(
        r"^[ \t]+sources:[ \t]*\r?\n((?:[ \t]*- .*(?:\n|$))+)", metadata[1], re.MULTILINE
    )
    lines = names[1].splitlines() if names else []
    return tuple(line.strip().removeprefix("- ").strip(" \"'") for line in lines)


def locked_item(text: SourceText, item: Item) -> LockedPackage | Problem:
    """Return the package of one item of conda-lock's list, which pixi's first formats share."""
    name = item.values.get("name")
    if name is None or not name.text:
        line = text.position(item.start)[0]
        return entry_problem(text.line_span(line), "a package without a name")
    url = item.text("url")
    is_conda = item.text("manager") != "pip"
    artifact = conda_artifact(url) if is_conda else None
    return LockedPackage(
        name.text.lower() if is_conda else canonical_name(name.text),
        name.text,
        item.text("version"),
        text.span(name.start, name.end),
        CONDA if is_conda else PYPI,
        origin=artifact.channel if artifact else url,
        platform=item.text("platform"),
        hashed=item.hashed,
    )
