"""pixi.lock to the model."""

from __future__ import annotations

from mlenv.model.requirement import CONDA, PYPI, LockedPackage, canonical_name
from mlenv.project.locks.common import entry_problem, gather, lock_source, single_platform
from mlenv.project.locks.conda_artifact import Artifact, conda_artifact, python_artifact
from mlenv.project.locks.conda_lock import locked_item
from mlenv.project.locks.yaml_items import read_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.source import Problem, Source
    from mlenv.model.text import SourceText, Span
    from mlenv.project.locks.yaml_scan import Item, Scalar


def read(text: SourceText) -> Source:
    """Return what a pixi.lock records in its list of packages.

    Up to format 3 the list is conda-lock's; then each entry says its ``kind``; since format 6 it
    begins with its location, from which a conda package's name, version and platform are taken.

    Source: rattler's ``rattler_lock`` crate, lock formats 1 to 6.
    """
    is_old = text.text.startswith("package:") or "\npackage:" in text.text
    items, problems = read_items(text, "package" if is_old else "packages")
    locked, nameless = gather(
        locked_item(text, item) if is_old else _package(text, item) for item in items
    )
    return lock_source(
        text,
        "pixi-lock",
        locked,
        problems + nameless,
        generated_by="pixi",
        platform=single_platform(locked),
    )


def _package(text: SourceText, item: Item) -> LockedPackage | Problem:
    is_conda = "conda" in item.values or item.text("kind") == "conda"
    location = _location(item, CONDA if is_conda else PYPI)
    read_artifact = conda_artifact if is_conda else python_artifact
    artifact = read_artifact(location.text) if location else None
    name, span = _name(text, item, location, artifact)
    if not name:
        return entry_problem(span, "a package without a name")
    origin = artifact.channel if artifact and is_conda else ""
    return LockedPackage(
        name.lower() if is_conda else canonical_name(name),
        name,
        item.text("version") or (artifact.version if artifact else ""),
        span,
        CONDA if is_conda else PYPI,
        origin=origin or (location.text if location else ""),
        platform=item.text("subdir") or (artifact.platform if artifact else ""),
        hashed=item.hashed,
    )


def _location(item: Item, kind: str) -> Scalar | None:
    for key in (kind, "url", "path"):
        if key in item.values:
            return item.values[key]
    return None


def _name(
    text: SourceText, item: Item, location: Scalar | None, artifact: Artifact | None
) -> tuple[str, Span]:
    """Return an entry's name and where it stands: at its key, or else in its location."""
    name = item.values.get("name")
    if name and name.text:
        return name.text, text.span(name.start, name.end)
    if artifact and location:
        start = location.start + artifact.offset
        return artifact.name, text.span(start, start + len(artifact.name))
    return "", text.line_span(text.position(item.start)[0])
