"""What was probably meant by a line that is no requirement, from slips that people really make."""

from __future__ import annotations

import re

_NUMBER = r"[0-9][\w.*!]*"
_SLIPS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), reason, advice)
    for pattern, reason, advice in (
        (
            rf"=\s*(?P<version>{_NUMBER}(?:\+[\w.]+)?)(?:=\S*)?",
            "a single = is conda's syntax",
            "write {name}=={version}",
        ),
        (
            r"(?:[^;]*[^<>=!~])?(?:<=|>=|<|>|~=)\s*[0-9.]+\.\*.*",
            "a wildcard goes with == and != only",
            "drop the .*",
        ),
        (
            rf"(?P<kept>(?:[<>=!~]=|[<>])\s*{_NUMBER})(?<=\.)",
            "the version ends with a dot",
            "drop the last dot",
        ),
        (
            rf"\s*[<>=!~]=\s*{_NUMBER}\s*\[[^\]]*\]",
            "the extras stand behind the version",
            "put them behind the name: {name}[extra]==1.0",
        ),
        (
            r".*(?:<=|>=|<|>|~=)\s*[0-9][^,;]*\+.*",
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
            rf"[^;]*,\s*{_NUMBER}\s*",
            "a bound has no operator",
            "put an operator before each version",
        ),
        (
            r"\s*==\s*[0-9][\w.]*(?:ubuntu|build|debian|dfsg)\S*",
            "a version of Debian or Ubuntu, which indexes do not have",
            "remove the line: the package belongs to the operating system",
        ),
        (
            r"\s*(?:>==|<==|=>|=<|===?>|<>)\s*(?P<version>[0-9].*)",
            "there is no such operator",
            "use one of ==, >=, <=, ~=, != , > and <",
        ),
        (r"[^\"]*\"|[^']*'", "there is a stray quote", "remove it"),
        (
            r".*;.*\bin\s*[(\[].*",
            "a marker cannot hold a tuple or list",
            "compare with == and join the comparisons with or",
        ),
        (
            r"\+(?P<url>(?:https?|git|ssh)://\S+)",
            "a name and a URL are run together",
            "write {name} @ git+{url}",
        ),
        (r"[^\w\s\[\](;@<>=!~,.'\"-].*", "there is a character here that no name can hold", ""),
    )
)
_WHOLE_LINES = (
    (
        re.compile(r"(?P<name>[A-Za-z][\w.]*?)-(?P<version>\d+(?:\.\d+)+[\w.]*(?:\+[\w.]+)?)"),
        "there is a hyphen where == belongs",
        "write {name}=={version}",
    ),
    (
        re.compile(r"(?:python\S*\s+-m\s+)?(?:pip\d?|conda|mamba|uv|poetry|apt|apt-get)\s+\w.*"),
        "this is a command, not a requirement",
        "keep what it installs and drop the command",
    ),
    (
        re.compile(r"([\"']).*\1"),
        "the whole line stands in quotes",
        "remove the quotes: they belong in a shell",
    ),
)


def diagnose(name: str, rest: str) -> tuple[str, str]:
    """Return why a text is no requirement and what to write instead; empty where it is not plain.

    Args:
        name: The distribution's name that it begins with; empty where it begins with none.
        rest: What follows the name.
    """
    for pattern, reason, advice in _WHOLE_LINES:
        match = pattern.fullmatch(name + rest)
        if match:
            return reason, _filled(advice, match.groupdict())
    for pattern, reason, advice in _SLIPS if name else ():
        match = pattern.fullmatch(rest.rstrip())
        if match:
            return reason, _filled(advice, {"name": name, **match.groupdict()})
    return "", ""


def _filled(advice: str, parts: dict[str, str | None]) -> str:
    for key, value in parts.items():
        advice = advice.replace(f"{{{key}}}", value or "")
    return advice
