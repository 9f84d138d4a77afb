"""When the files of a locked package were uploaded, for the few questions that need it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.requirement import LockedPackage, canonical_name
from mlenv.model.source import Source
from mlenv.records import dataclass

_HEADERS = {"uv-lock": "\n[[package]]", "pylock": "\n[[packages]]"}
_DAY = r"upload[-_]time = [\"']?(\d{4}-\d\d-\d\d)"
_EXTENSION = r"-(?:cp\d+m?|abi3|pp\w+)-[A-Za-z0-9_.]+\.whl"
_DEPENDENCIES = r"(?m)^dependencies = \[(?:\n(?:[ \t].*\n)*\]|.*)"
_NAME = r"\bname = [\"']([^\"']+)"


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """What a lock says of the files of a package.

    Attributes:
        package: The package.
        day: The day of its last upload, as ``YYYY-MM-DD``.
        compiled: Whether a wheel of it holds extensions of CPython, by its ABI tag.
        requires: The canonical names of what it depends on; None where the lock is silent.
    """

    package: LockedPackage
    day: str
    compiled: bool
    requires: frozenset[str] | None


def uploads(source: Source) -> Iterator[Upload]:
    """Yield what a lock says of its packages' files, for those whose upload it dates.

    Args:
        source: A lock; nothing is yielded for formats that date no upload.

    Source: uv's ``Lock`` (``upload-time`` since revision 2); PEP 751, ``packages.wheels``.
    """
    header = _HEADERS.get(source.kind)
    if header is None:
        return
    text = source.text.text
    for package in source.locked:
        end = text.find(header, package.span.start)
        found = _upload(package, text[package.span.start : end if end >= 0 else len(text)])
        if found is not None:
            yield found


def _upload(package: LockedPackage, stretch: str) -> Upload | None:
    days: list[str] = re.findall(_DAY, stretch)
    if ".whl" not in stretch or not days:
        return None
    asked = re.search(_DEPENDENCIES, stretch)
    return Upload(
        package,
        max(days),
        re.search(_EXTENSION, stretch) is not None,
        frozenset(map(canonical_name, re.findall(_NAME, asked[0]))) if asked else None,
    )
