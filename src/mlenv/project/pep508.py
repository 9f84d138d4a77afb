"""One PEP 508 requirement, with the spans of its parts.

The grammar is read here by one pass of one regular expression, which keeps offsets and is fast;
what it refuses goes to ``packaging`` for judgement, so that nothing is called unreadable that
installers accept. Source: PEP 508, PEP 440, PEP 685.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.model.requirement import MAIN, PYPI, REQUIREMENT, Requirement, canonical_name
from mlenv.model.text import Fragment
from mlenv.records import dataclass
from mlenv.versions.version_set import VersionSet, pep440, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.marker import Marker

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
    # blanks belong to what follows them: two optional runs of them side by side take quadratic time
    r"(?:\s*\[(?P<extras>[^\]]*)\])?"
    r"(?:\s*@\s*(?P<url>\S+)(?P<after_url>\s[^;]*|(?=$))?"
    r"|\s*\((?P<bracketed>[^)]*)\)|\s*(?P<specifier>[<>=!~][^;]*))?"
    r"(?:\s*;(?P<marker>.*))?",
    re.DOTALL,
)
_EXTRA = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_COMMAND = re.compile(r"(?:python\S*\s+-m\s+)?(?:pip\d?|conda|mamba|uv|poetry|apt|apt-get)\s+\w")


@dataclass(frozen=True, slots=True, eq=False)
class Refusal:
    """Why a text is no requirement.

    Attributes:
        reason: In a few words.
        help: What was probably meant; empty where that is not plain.
        name: The distribution that it seems to be about; empty where that is not plain.
        requirement: What can be said of it all the same: the name, with an unknown version.
    """

    reason: str
    help: str = ""
    name: str = ""
    requirement: Requirement | None = None


@lru_cache(maxsize=8192)
def _read_versions(text: str) -> VersionSet | None:
    return pep440(text)


def read_requirement(
    fragment: Fragment, *, group: str = MAIN, kind: str = REQUIREMENT
) -> Requirement | Refusal:
    """Read one requirement.

    Args:
        fragment: Its text, without comments and options.
        group: The group that it belongs to.
        kind: Whether it requires, constrains or overrides.

    Returns:
        The requirement, or why it is none.
    """
    fragment = fragment.stripped()
    match = _REQUIREMENT.fullmatch(fragment.text)
    found = _from_match(fragment, match, group, kind) if match else None
    return found if found is not None else _second_opinion(fragment, group, kind)


def _from_match(
    fragment: Fragment, match: re.Match[str], group: str, kind: str
) -> Requirement | None:
    part = "bracketed" if match["bracketed"] is not None else "specifier"
    specifier = (match[part] or "").strip()
    versions = _read_versions(specifier)
    extras = _extras(match["extras"])
    if versions is None or extras is None or not _url_ends_well(match):
        return None
    if specifier.endswith(",") or specifier.startswith(","):
        return None
    marker = None if match["marker"] is None else read_marker(match["marker"])
    if isinstance(marker, Refusal):
        return None
    start = match.start(part) + len(match[part] or "") - len((match[part] or "").lstrip())
    return Requirement(
        canonical_name(match["name"]),
        match["name"],
        PYPI,
        fragment.whole,
        fragment.span(match.start("name"), match.end("name")) if fragment.pieces else None,
        fragment.span(start, start + len(specifier)) if specifier and fragment.pieces else None,
        versions,
        extras,
        marker,
        match["url"] or "",
        group=group,
        kind=kind,
    )


def _url_ends_well(match: re.Match[str]) -> bool:
    """A marker after a URL needs a blank before its semicolon, else it belongs to the URL."""
    if match["url"] is None:
        return True
    return not (match["after_url"] or "").strip() and (
        match["marker"] is None or bool(match["after_url"])
    )


def _extras(text: str | None) -> tuple[str, ...] | None:
    if text is None or not text.strip():
        return ()
    names = [name.strip() for name in text.split(",")]
    if not all(_EXTRA.fullmatch(name) for name in names):
        return None
    return tuple(sorted({canonical_name(name) for name in names}))


def _second_opinion(fragment: Fragment, group: str, kind: str) -> Requirement | Refusal:
    slip = _slip(fragment)
    if slip is not None:  # plainly wrong: packaging, which takes long to import, need not be asked
        return _refusal(fragment, *slip, group, kind)
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Reference

    try:
        reference = Reference(fragment.text)
        # packaging reads versions only here, where it puts them in order
        specifier, marker = str(reference.specifier), str(reference.marker or "")
    except InvalidRequirement as error:
        return _refusal(fragment, _first_line(error), "", group, kind)
    except ValueError as error:  # digit strings too long for an integer
        return _refusal(fragment, _first_line(error), "", group, kind)
    except RecursionError:  # packaging reads brackets by recursion, without a limit
        return _refusal(fragment, "brackets nest too deeply", "", group, kind)
    start = fragment.text.find(reference.name)
    named = bool(fragment.pieces) and start >= 0
    return Requirement(
        canonical_name(reference.name),
        reference.name,
        PYPI,
        fragment.whole,
        fragment.span(start, start + len(reference.name)) if named else None,
        None,
        pep440(specifier) or unknown(specifier),
        tuple(sorted(canonical_name(extra) for extra in reference.extras)),
        _readable(marker),
        reference.url or "",
        group=group,
        kind=kind,
    )


def read_marker(text: str) -> Marker | Refusal:
    """Read a marker, without the semicolon before it."""
    from mlenv.model.marker import MarkerError, parse_marker

    try:
        return parse_marker(text.strip())
    except MarkerError as error:
        return Refusal(str(error))


def _readable(text: str) -> Marker | None:
    marker = read_marker(text) if text else None
    return None if isinstance(marker, Refusal) else marker


def _name(text: str) -> str:
    head = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)
    return (head.group().rstrip("._-") or head.group()) if head else ""


def _slip(fragment: Fragment) -> tuple[str, str] | None:
    from mlenv.project.diagnosis import diagnose

    name = _name(fragment.text)
    return diagnose(name, fragment.text[len(name) :])


def _first_line(error: Exception) -> str:
    said = str(error).partition("\n")[0].strip().rstrip(":")
    return said[:1].lower() + said[1:]


def _refusal(fragment: Fragment, reason: str, advice: str, group: str, kind: str) -> Refusal:
    name = _name(fragment.text)
    if not name or _COMMAND.match(fragment.text):
        return Refusal(reason, advice)
    outline = Requirement(
        canonical_name(name),
        name,
        PYPI,
        fragment.whole,
        fragment.span(0, len(name)) if fragment.pieces else None,
        versions=unknown(fragment.text[len(name) :].strip()),
        group=group,
        kind=kind,
    )
    return Refusal(reason, advice, canonical_name(name), outline)
