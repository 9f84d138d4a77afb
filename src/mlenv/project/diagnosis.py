"""What was probably meant by a line that is no requirement, from slips that people really make."""

from __future__ import annotations

import re

_LONGEST = 400
"""Longer texts are no slips of a hand, and some patterns take quadratic time on them."""
_NUMBER = r"[0-9][\w.*!]*"
_LOCAL = r"\+[\w.]+"
_BOUNDS = r"[^;@\"']*"
_BEFORE = rf"(?:{_BOUNDS},)?\s*"
_AFTER = rf"\s*(?:,{_BOUNDS})?"
_SLIPS: tuple[tuple[str, str, str], ...] = (
    (
        rf"\s*=\s*(?P<version>{_NUMBER}(?:{_LOCAL})?)(?:=\S*)?",
        "a single = is conda's syntax",
        "write {name}=={version}",
    ),
    (
        rf"{_BEFORE}>=\s*[0-9.]+\.\*{_AFTER}",
        "a wildcard goes with == and != only",
        "drop the .*",
    ),
    (
        rf"{_BEFORE}(?:<|~=)\s*[0-9.]+\.\*{_AFTER}",
        "a wildcard goes with == and != only",
        "drop the .*",
    ),
    (
        rf"{_BEFORE}<=\s*(?P<head>(?:[0-9]+\.)*)(?P<last>[0-9]+)\.\*{_AFTER}",
        "a wildcard goes with == and != only",
        "write <{head}{next} in place of <={head}{last}.*",
    ),
    (
        rf"{_BEFORE}>\s*(?P<head>(?:[0-9]+\.)*)(?P<last>[0-9]+)\.\*{_AFTER}",
        "a wildcard goes with == and != only",
        "write >={head}{next} in place of >{head}{last}.*",
    ),
    (
        r"\s*~=\s*(?P<version>[0-9]+)",
        "~= needs a version of two numbers or more",
        "write {name}~={version}.0",
    ),
    (
        rf"\s*(?:[<>=!~]=|[<>])\s*{_NUMBER}(?<=\.)",
        "the version ends with a dot",
        "drop the last dot",
    ),
    (
        rf"\s*[<>=!~]=\s*{_NUMBER}\s*\[[^\]]*\]",
        "the extras stand behind the version",
        "put them behind the name: {name}[extra]==1.0",
    ),
    (
        rf"{_BEFORE}(?:<=|>=|<|>|~=)\s*{_NUMBER}{_LOCAL}{_AFTER}",
        "a local version (after the +) can be compared with == and != only",
        "drop the part from the + on, or use ==",
    ),
    (
        rf"\s*(?:[<>=!~]=|[<>])\s*{_NUMBER}\s*(?:[<>=!~]=|[<>])\s*{_NUMBER}",
        "there is no comma between the two bounds",
        "put a comma between them",
    ),
    (
        rf"\s+v?(?P<version>{_NUMBER})",
        "there is no operator between the name and the version",
        "write {name}=={version}",
    ),
    (
        rf"\s*[<>=!~]{_BOUNDS},\s*{_NUMBER}",
        "a bound has no operator",
        "put an operator before each version",
    ),
    (
        r"\s*==\s*[0-9][\w.]*(?:ubuntu|build|debian|dfsg)[\w.]*",
        "a version of Debian or Ubuntu, which indexes do not have",
        "remove the line: the package belongs to the operating system",
    ),
    (
        r"\s*(?:>==|<==|=>|=<|<>)\s*[0-9][\w.]*",
        "there is no such operator",
        "use one of ==, >=, <=, ~=, !=, > and <",
    ),
    (r"[^\"'@]*[\"']", "there is a stray quote", "remove it"),
    (
        r"[^;@]*;[^()]*\bin\s*[(\[][^)\]]*[)\]]",
        "a marker cannot hold a tuple or list",
        "compare with == and join the comparisons with or",
    ),
    (
        r"\+(?P<url>(?:https?|git|ssh)://\S+)",
        "a name and a URL are run together",
        "write {name} @ git+{url}",
    ),
    (
        r"\+\+.*",
        "a name cannot hold a +; compilers and C++ libraries are on no index",
        "install it with apt or conda and delete the line",
    ),
    (r"[^\w\s\[\](;@<>=!~,.'\"-].*", "there is a character here that no name can hold", ""),
)
_WHOLE_LINES = (
    (
        rf"(?P<name>[A-Za-z][\w.]*?)-(?P<version>\d+(?:\.\d+)+[\w.]*{_LOCAL})",
        "there is a hyphen where == belongs",
        "write {name}=={version}",
    ),
    (
        r"(?:python\S*\s+-m\s+)?(?:pip\d?|conda|mamba|uv|poetry|apt|apt-get)\s+[a-z]\w*\b.*",
        "this is a command, not a requirement",
        "keep what it installs and drop the command",
    ),
    (
        r"([\"']).*\1",
        "the whole line stands in quotes",
        "remove the quotes: they belong in a shell",
    ),
)


def diagnose(name: str, rest: str) -> tuple[str, str] | None:
    """Return why a text is no requirement and what to write instead; None where it is not plain.

    Only what PEP 508 surely refuses is diagnosed, so that no second judge need be asked.

    Args:
        name: The distribution's name that it begins with; empty where it begins with none.
        rest: What follows the name.
    """
    # "===" takes any text for a version
    if "===" in rest or len(name) + len(rest) > _LONGEST:
        return None
    for pattern, reason, advice in _WHOLE_LINES:
        match = re.fullmatch(pattern, name + rest)
        if match:
            return reason, _filled(advice, match.groupdict())
    bare = re.sub(r"^\s*\[[\w\s,.-]*\]", "", rest).rstrip()
    for pattern, reason, advice in _SLIPS if name else ():
        match = re.fullmatch(pattern, bare)
        if match:
            return reason, _filled(advice, {"name": name, **match.groupdict()})
    return None


def _filled(advice: str, parts: dict[str, str | None]) -> str:
    if parts.get("last"):
        parts = {**parts, "next": str(int(parts["last"] or 0) + 1)}
    for key, value in parts.items():
        advice = advice.replace(f"{{{key}}}", value or "")
    return advice
