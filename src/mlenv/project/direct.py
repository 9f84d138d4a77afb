"""References that name no index: URLs, repositories, archives and local paths.

Source: pip's documentation, "VCS Support" and "Local project installs"; PEP 427 for wheel names.
"""

from __future__ import annotations

import re

from mlenv.model.requirement import PYPI, Requirement, canonical_name
from mlenv.model.text import Fragment
from mlenv.project.pep508 import Refusal, read_marker, read_requirement
from mlenv.records import replace
from mlenv.versions.version_set import ANY, VersionSet, pep440

_SCHEMES = (
    r"(?:(?:git|hg|svn|bzr)(?:\+(?:https?|ssh|git|file|static-http|lp|svn|s?ftp))?"
    r"|https?|file|ftp)"
)
_URL = rf"(?i){_SCHEMES}:(?://|(?=[^/\s]))"
_SCP = r"(?:git\+)(?:ssh://)?[\w.-]+@[\w.-]+:"
_ARCHIVE = r"(?i)\.(?:whl|zip|tar\.(?:gz|bz2|xz|lzma|Z)|tgz|tbz|txz|tlz|tar)$"
_WHEEL = r"(?P<name>[A-Za-z0-9][\w.]*?)-(?P<version>[^-]+)(?:-\d[^-]*)?-[^-]+-[^-]+-[^-]+\.whl$"
_SDIST = r"(?P<name>[A-Za-z0-9][\w.-]*?)-(?P<version>\d[^-]*?)\.(?:tar\.\w+|zip|tgz)$"
_EGG = r"[#&]egg=(?P<name>[A-Za-z0-9][\w.-]*)(?:\[(?P<extras>[^\]]*)\])?"
_EXTRAS_AT_END = r"\[(?P<extras>[A-Za-z0-9._, -]*)\]$"
_NAMED = r"[A-Za-z0-9][\w.-]*(?:\s*\[[^\]]*\])?\s*@"


def is_url(text: str) -> bool:
    """Whether a line begins with a URL that installers fetch from."""
    if ":" not in text:
        return False
    return re.match(_URL, text) is not None or re.match(_SCP, text) is not None


def is_path(text: str) -> bool:
    """Whether a line is a path on the disk, judged without looking at it.

    pip decides by asking the disk; an auditor has only the text: a leading dot, a separator in
    the first word, or the name of an archive.
    """
    first = text.partition(";")[0].strip()
    if re.match(_NAMED, first) or not first:
        return False
    if first.startswith((".", "/", "~", "\\")) or re.match(r"[A-Za-z]:[\\/]", first):
        return True
    if "/" in first or "\\" in first:
        return re.fullmatch(r"[\w.~-]+(?:[\\/][\w.~ -]*)+(?:\[[^\]]*\])?", first) is not None
    return re.search(_ARCHIVE, first) is not None


def read_direct(fragment: Fragment, group: str, kind: str) -> Requirement | Refusal:
    """Read a URL, a path or ``name @ URL``.

    Args:
        fragment: The text, perhaps with a marker after a semicolon.
        group: The group that it belongs to.
        kind: Whether it requires, constrains or overrides.
    """
    fragment = fragment.stripped()
    if not is_url(fragment.text) and not is_path(fragment.text):
        return read_requirement(fragment, group=group, kind=kind)
    # A URL may hold semicolons: its marker needs a blank before
    body_text, semicolon, marker_text = fragment.text.partition(
        " ;" if is_url(fragment.text) else ";"
    )
    if is_url(fragment.text) and not semicolon:
        body_text, semicolon, marker_text = fragment.text.partition("; ")
    marker = read_marker(marker_text) if semicolon else None
    if isinstance(marker, Refusal):
        return marker
    body = fragment.part(0, len(body_text.rstrip()))
    if re.search(r"\s", body.text) and is_url(body.text):
        return Refusal("a blank inside a URL")
    found = _url(body) if is_url(body.text) else _path(body)
    if _is_nameless_wheel(found):
        return Refusal("a wheel whose file name states no valid version")
    return replace(found, span=fragment.whole, marker=marker, group=group, kind=kind)


def _url(body: Fragment) -> Requirement:
    location = _unquoted(body.text.partition("#")[0].rstrip("/"))
    name, versions = _of_file_name(location.rpartition("/")[2])
    egg = re.search(_EGG, body.text)
    name_span = None
    extras: tuple[str, ...] = ()
    if egg is not None:
        name = egg["name"]
        name_span = body.span(egg.start("name"), egg.end("name")) if body.pieces else None
        extras = _extras(egg["extras"])
    return Requirement(
        canonical_name(name),
        name,
        PYPI,
        body.whole,
        name_span,
        versions=versions,
        extras=extras,
        url=body.text,
    )


def _unquoted(location: str) -> str:
    if "%" not in location:
        return location
    from urllib.parse import unquote

    return unquote(location)


def _path(body: Fragment) -> Requirement:
    text = body.text
    extras = re.search(_EXTRAS_AT_END, text)
    path = text[: extras.start()].rstrip() if extras else text
    name, versions = _of_file_name(re.split(r"[\\/]", path)[-1])
    return Requirement(
        canonical_name(name),
        name,
        PYPI,
        body.whole,
        versions=versions,
        extras=_extras(extras["extras"]) if extras else (),
        path=path,
    )


def _is_nameless_wheel(found: Requirement) -> bool:
    location = (found.url or found.path).partition("#")[0].lower()
    return location.endswith(".whl") and found.versions.is_any and "${" not in location


def _of_file_name(file_name: str) -> tuple[str, VersionSet]:
    match = re.match(_WHEEL, file_name) or re.match(_SDIST, file_name)
    if match is None:
        return "", ANY
    return match["name"], pep440(f"=={match['version']}") or ANY


def _extras(text: str | None) -> tuple[str, ...]:
    names = (text or "").split(",")
    return tuple(sorted({canonical_name(name.strip()) for name in names if name.strip()}))
