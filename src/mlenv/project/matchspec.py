"""One conda match specification, with the spans of its parts.

Source: conda's documentation, "Package match specifications"; CEP 26 for names; the order in which
conda takes a specification apart, which decides what is legal.
"""

from __future__ import annotations

import re

from mlenv.model.requirement import CONDA, MAIN, REQUIREMENT, Requirement, canonical_name
from mlenv.model.text import Fragment, Span
from mlenv.project.locks.conda_artifact import conda_artifact
from mlenv.project.pep508 import Refusal
from mlenv.versions.conda import CondaVersionError, conda_versions, parse_conda_versions
from mlenv.versions.version_set import ANY, VersionSet, unknown

_PACKAGES = (".conda", ".tar.bz2")
_PLAIN = re.compile(
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9._-]*)"
    r"(?:(?P<version>[<>=!~]{1,2}[0-9A-Za-z*][0-9A-Za-z.!+*_]*"
    r"(?:,[<>=!~]{1,2}[0-9A-Za-z][0-9A-Za-z.!+*_]*)*)(?:(?<!!)=(?P<build>[0-9A-Za-z_.*+!]+))?)?",
    re.ASCII,
)
"""What nearly all specifications look like, for speed; the steps below read it to the same end."""
_NAME = re.compile(r"[^ =<>!~]+")
_LEGAL_NAME = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9._*-]*", re.ASCII)
_SEEN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*", re.ASCII)
_BEFORE_BUILD = re.compile(r".*[-=,|<>~]", re.DOTALL)
"""Up to the last of the characters that a build string never holds."""
_OPERATOR_ENDS = frozenset("=!|,<>~")
_BLANKS = re.compile(r" +")
_FIELD = re.compile(
    r"(?:^|(?<=[, ]))([a-zA-Z0-9_-]+) *= *"
    r"(?:\[([^\[\]]*)\]|'([^']*)'|\"([^\"]*)\"|([^'\", \[\]]*))(?:[, ]|$)"
)
_GROUPED = re.compile(r"[<>=!~|,] *[0-9]|^ *[0-9]")
_SUBDIR = re.compile(r"(?:linux|osx|win|emscripten|wasi|freebsd|zos)-[a-z0-9_]+|noarch")
_DIGESTS = ("sha256", "md5")


def read_match_spec(
    fragment: Fragment, *, group: str = MAIN, kind: str = REQUIREMENT
) -> Requirement | Refusal:
    """Read one match specification.

    Args:
        fragment: Its text; what follows ``#`` is a comment.
        group: The group that it belongs to.
        kind: Whether it requires, constrains or overrides.

    Returns:
        The requirement, its name in lower case as conda compares names, or why conda refuses it.
        Extras that conda passes over (``requests[security]``) are kept as such.
    """
    plain = _PLAIN.fullmatch(fragment.text)
    found = _plain(fragment, plain, group, kind) if plain else None
    return found or _read_stepwise(fragment, group, kind)


def _plain(fragment: Fragment, match: re.Match[str], group: str, kind: str) -> Requirement | None:
    name, version, build = match.groups()
    try:
        versions = parse_conda_versions(version, exact=bool(build)) if version else ANY
    except CondaVersionError:
        return None
    if match.group().endswith(_PACKAGES):
        return None
    exact = bool(fragment.pieces)
    return Requirement(
        name.lower(),
        name,
        CONDA,
        fragment.whole,
        fragment.span(0, len(name)) if exact else None,
        fragment.span(*match.span("version")) if version and exact else None,
        versions,
        group=group,
        kind=kind,
        build=build or "",
    )


def _read_stepwise(fragment: Fragment, group: str, kind: str) -> Requirement | Refusal:
    body = _without_comment(fragment)
    if body.text.endswith(_PACKAGES):
        return _package_file(body, group, kind)
    if body.text.endswith("@"):  # a feature of old, which any package may track
        return Requirement("", body.text, CONDA, body.whole, group=group, kind=kind)
    fields, body = _fields(body)
    body = _without_remark(body)
    channel, spec = _channel(body)
    match = _NAME.match(spec.text)
    if match is None:
        return Refusal("no package name found")
    if "://" in body.text and "@" in spec.text:  # the last colon stands before a password
        return Refusal("a URL that names no package file")
    if not _LEGAL_NAME.fullmatch(match.group()):
        return _no_name(spec, match.group(), group, kind)
    rest = spec.part(match.end(), len(spec.text)).stripped()
    version, build = _version_and_build(rest)
    try:
        versions, version_at = _versions(version, build, fields)
    except CondaVersionError as error:
        return _bad_version(spec, match.group(), rest, str(error), group, kind)
    return Requirement(
        match.group().lower(),
        match.group(),
        CONDA,
        body.whole if not fields else fragment.stripped().whole,
        _exact(spec.part(*match.span())),
        _exact(version_at) if version_at is not None else None,
        versions,
        _extras(fields),
        url=_text(fields, "url"),
        group=group,
        kind=kind,
        channel=_bare_channel(_text(fields, "channel") or channel),
        build=_text(fields, "build") or _text(fields, "build_string") or build,
        hashes=tuple(f"{name}:{_text(fields, name)}" for name in _DIGESTS if name in fields),
    )


def _exact(fragment: Fragment) -> Span | None:
    """Return where a text stands, unless escapes or something cut out of it stand in between."""
    return fragment.whole if fragment.pieces and fragment.whole.text == fragment.text else None


def _without_comment(fragment: Fragment) -> Fragment:
    text = fragment.text
    end = text.find("#") if "#" in text else len(text)
    if " if " in text:  # a condition of a later format, which conda passes over
        end = min(end, text.index(" if "))
    return fragment.part(0, end).stripped() if end < len(text) else fragment.stripped()


def _without(fragment: Fragment, opening: str, closing: str) -> tuple[Fragment | None, Fragment]:
    """Return what stands in brackets, and the text without it and them."""
    text = fragment.text
    start = text.find(opening)
    end = text.rfind(closing)
    if start < 0 or end < start:
        return None, fragment
    inside = fragment.part(start + 1, end)
    if not text[end + 1 :].strip():
        return inside, fragment.part(0, start).stripped()
    rest = text[:start] + text[end + 1 :]
    if not start or not fragment.pieces:
        return inside, fragment.part(end + 1, len(text)) if not start else Fragment(
            rest, fragment.whole, ()
        )
    after = fragment.part(end + 1, len(text))
    pieces = (*fragment.part(0, start).pieces, (start, after.whole.start))
    return inside, Fragment(rest, fragment.whole, pieces)


def _without_remark(fragment: Fragment) -> Fragment:
    """Return a specification without the round brackets that solvers of old wrote behind it.

    conda drops whatever stands in round brackets; where that is a version, it was meant to group,
    as the other tools that read these files take it.
    """
    if "(" not in fragment.text:
        return fragment
    inside, rest = _without(fragment, "(", ")")
    return fragment if inside is None or _GROUPED.search(inside.text) else rest


def _fields(fragment: Fragment) -> tuple[dict[str, Fragment], Fragment]:
    """Return the key-value pairs in square brackets, and the text without them."""
    if "[" not in fragment.text:
        return {}, fragment
    inside, rest = _without(fragment, "[", "]")
    if inside is None:
        return {}, fragment
    found = {}
    for match in _FIELD.finditer(inside.text):
        group = match.lastindex or 5
        found[match[1]] = inside.part(*match.span(group))
    if not found and "=" not in inside.text:
        found["extras"] = inside
    return found, rest


def _text(fields: dict[str, Fragment], name: str) -> str:
    return fields[name].text.strip() if name in fields else ""


def _extras(fields: dict[str, Fragment]) -> tuple[str, ...]:
    names = _text(fields, "extras").split(",")
    return tuple(sorted({canonical_name(name.strip(" '\"")) for name in names if name.strip()}))


def _channel(fragment: Fragment) -> tuple[str, Fragment]:
    """Return the channel and the rest: ``channel:namespace:rest``, the middle mostly empty."""
    text = fragment.text
    colon = text.rfind(":")
    if colon < 0:
        return "", fragment
    second = text.rfind(":", 0, colon)
    channel = text[:second].strip() if second >= 0 else ""
    return channel, fragment.part(colon + 1, len(text)).stripped()


def _bare_channel(channel: str) -> str:
    """Return a channel without the platform that may follow it (``conda-forge/linux-64``)."""
    head, _, last = channel.rstrip("/").rpartition("/")
    return head if head and _SUBDIR.fullmatch(last) else channel


def _version_and_build(rest: Fragment) -> tuple[Fragment, str]:
    """Return the version and the build of ``1.2 build``, ``=1.2=build`` or ``>=1,<2 build``.

    The build is what follows the first blank or ``=`` after which no character stands that a build
    cannot hold, unless that separator belongs to an operator or a list.
    """
    text = rest.text
    head = _BEFORE_BUILD.match(text)
    last = head.end() - 1 if head else -1
    if last > 0 and text[last] == "=" and text[last - 1] not in _OPERATOR_ENDS:
        build = text[last + 1 :].strip()
        return (rest.part(0, last).stripped(), build) if build else (rest, "")
    for blank in _BLANKS.finditer(text, last + 1):
        if blank.start() and text[blank.start() - 1] not in _OPERATOR_ENDS:
            return rest.part(0, blank.start()), text[blank.end() :].strip()
    return rest, ""


def _versions(
    version: Fragment, build: str, fields: dict[str, Fragment]
) -> tuple[VersionSet, Fragment | None]:
    """Return the versions and where they are stated; square brackets win over what precedes."""
    if "version" in fields:
        stated = fields["version"].stripped()
        return parse_conda_versions(stated.text.replace(" ", "")), stated
    # a lone operator character after the name is passed over by conda
    if len(version.text) < 2 and version.text in ("", "=", "<", ">", "!", "~"):
        return ANY, None
    text = version.text.replace(" ", "")
    return parse_conda_versions(text, exact=bool(build)), version


def _package_file(body: Fragment, group: str, kind: str) -> Requirement | Refusal:
    artifact = conda_artifact(body.text)
    if artifact is None:
        return Refusal("the file name states no name, version and build")
    at = (artifact.offset, artifact.offset + len(artifact.name))
    is_url = "://" in body.text
    return Requirement(
        artifact.name.lower(),
        artifact.name,
        CONDA,
        body.whole,
        _exact(body.part(*at)),
        versions=conda_versions(artifact.version),
        url=body.text if is_url else "",
        path="" if is_url else body.text,
        group=group,
        kind=kind,
        channel=artifact.channel if is_url else "",
        build=body.text.rpartition("-")[2].removesuffix(".tar.bz2").removesuffix(".conda"),
    )


def _no_name(spec: Fragment, name: str, group: str, kind: str) -> Refusal:
    if name.startswith(("-", "//")):
        return Refusal("not a package name", "what is meant for pip goes under pip:")
    if name.startswith((".", "/")):
        return Refusal("not a package name", "a path to be installed by pip goes under pip:")
    seen = _SEEN_NAME.match(name)
    if seen is None:
        return Refusal("not a package name")
    outline = _outline(spec, seen.group(), spec.text[seen.end() :], group, kind)
    return Refusal(f"a package name cannot hold {name[seen.end()]!r}", "", outline.name, outline)


def _bad_version(
    spec: Fragment, name: str, rest: Fragment, error: str, group: str, kind: str
) -> Refusal:
    outline = _outline(spec, name, rest.text, group, kind)
    return Refusal(error, _what_was_meant(name, rest.text), name.lower(), outline)


def _outline(spec: Fragment, name: str, rest: str, group: str, kind: str) -> Requirement:
    """Return what can be said of a refused specification all the same."""
    return Requirement(
        name.lower(),
        name,
        CONDA,
        spec.whole,
        _exact(spec.part(0, len(name))),
        versions=unknown(rest.strip()),
        group=group,
        kind=kind,
    )


def _what_was_meant(name: str, rest: str) -> str:
    """Return the likely intent of a refused version, worded as an advice."""
    swapped = re.match(r"=([<>!~])(?!=)\s*(.*)", rest)
    if swapped:
        return f"write {name}{swapped[1]}={swapped[2]}"
    if rest.rstrip().endswith((",", "|")):
        return f"drop the last character: {name}{rest.rstrip().rstrip(',|').rstrip()}"
    bounds = re.fullmatch(r"([<>=!~]=?\s*[0-9][\w.*]*)\s*([<>!~]=?\s*[0-9][\w.*]*)", rest)
    if bounds:
        return f"put a comma between the two bounds: {name}{bounds[1]},{bounds[2]}"
    if re.fullmatch(r"[<>=!~]+", rest):
        return f"state a version after {rest}, or drop it"
    return ""
