"""Finds credentials in text: in URLs, in options, and tokens that their form gives away."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "****"

# strings: most audits meet no credentials, and what is compiled on import costs each of them
_USERINFO = (
    # up to the last @ of the authority; or, for a password with a slash in it, of the word, unless
    # what looks like a password is a port. Bounded there, as it would else be quadratic.
    r"://(?P<secret>[^\s/?#\"'<>]+(?=@)"
    r"|[^\s/?#@:\"'<>\[\]]{1,128}:(?!\d{1,5}(?:[/?#\s]|$)|\$\{)[^\s\"'<>]{1,256}(?=@))"
)
_BARE_USERINFO = (
    # what takes a host without a scheme
    r"(?i)(?:--proxy|trusted[-_]host)[\"' =:\[]{1,8}(?P<secret>[^\s/@\"']{1,256}(?=@))"
)
_PARAMETER = (
    r"(?i)[?&;][\w.-]{0,40}?(?:token|secret|passw|pwd|key|auth|sig|credential)[\w.-]{0,40}="
    r"(?P<secret>[^\s&#\"'<>;]+)"
)
_CONDA_TOKEN = (
    r"(?i)://(?:[^\s/\"']{0,200}conda[^\s/\"']{0,200}/t/(?P<named>[^\s/\"']+)"
    r"|[^\s/\"']{1,255}/t/(?P<secret>(?:[a-z]{2}-)?[0-9a-f]{8}-[0-9a-f-]{20,}))"
)
_KNOWN_TOKEN = (
    r"\b(?P<secret>gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|pypi-AgE[\w-]{16,}|AKIA[0-9A-Z]{16}|sk-(?=[\w-]{0,60}\d)[\w-]{24,})"
)
_TOKENS = ("gh", "glpat-", "hf_", "pypi-", "AKIA", "sk-")
"""One of them is in every text that holds a known token."""
_PLACEHOLDER = r"(?:\$\{\w+\}|\{\{[^{}]*\}\})+"


def secrets(text: str) -> list[tuple[int, int]]:
    """Return where credentials stand in a text: disjoint stretches in ascending order.

    Placeholders such as ``${TOKEN}`` are no credentials; nor is the user of an SSH address.
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_secrets(text)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    if "://" in text:
        yield from _in_urls(text)
    if "@" in text:
        for match in re.finditer(_BARE_USERINFO, text):
            yield from _in_userinfo(text, *match.span("secret"))
    if "=" in text:
        for match in re.finditer(_PARAMETER, text):
            if not re.fullmatch(_PLACEHOLDER, match["secret"]):
                yield match.span("secret")
    if any(sign in text for sign in _TOKENS):
        for match in re.finditer(_KNOWN_TOKEN, text):
            yield match.span("secret")


def _in_urls(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        for match in re.finditer(_USERINFO, text):
            yield from _in_userinfo(text, *match.span("secret"))
    if "/t/" in text.lower():
        for match in re.finditer(_CONDA_TOKEN, text):
            yield match.span("named" if match["named"] else "secret")


def _in_userinfo(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    user, _, password = text[start:end].partition(":")
    is_ssh = text[max(0, start - 6) : start].lower().endswith("ssh://")
    if not password:
        if not (is_ssh or user == "git" or re.fullmatch(_PLACEHOLDER, user)):
            yield start, end
    elif not re.fullmatch(_PLACEHOLDER, password):
        # a user name is masked with its password: services take tokens in either place
        yield (end - len(password) if re.fullmatch(_PLACEHOLDER, user) else start), end


def mask(text: str) -> str:
    """Return a text with its credentials replaced by ``****``."""
    parts = []
    at = 0
    for start, end in secrets(text):
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


CREDENTIAL = "credential"
PARAMETER = "parameter"
_FILLERS = ("x", "x-oauth-basic", "x-access-token")
"""What stands for a password where the user is a token."""
_SIGNS = ("@", "=", "/t/", *_TOKENS)
"""One of them is in every text that holds a credential."""


def exposed(url: str) -> str:
    """Return what a URL gives away to whoever reads it: stricter than :func:`secrets`.

    A user name alone, a word that stands for a password in an example and a variable in any
    notation are nothing.

    Returns:
        ``credential`` for a password or token, ``parameter`` for what only the name of a query
        parameter makes look like one, or an empty string.
    """
    if not any(sign in url for sign in _SIGNS):
        return ""
    found = [_weight(url, start, end) for start, end in secrets(url)]
    return CREDENTIAL if CREDENTIAL in found else PARAMETER if PARAMETER in found else ""


def _weight(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    if re.search(_KNOWN_TOKEN, piece):
        return CREDENTIAL
    before = text[start - 1 : start]
    if before == ":":  # the user is a variable, and is left out
        piece = text[:start].rpartition("/")[2] + piece
    user, colon, password = piece.partition(":")
    if not colon or password in _FILLERS:
        value, alone = user, True
    else:
        value, alone = password, False
    if not value or _stands_for_another(value.strip("\"'")):
        return ""
    if before == "=":
        return PARAMETER if _looks_random(value) else ""
    in_path = text[end : end + 1] != "@"
    return CREDENTIAL if in_path or not alone or _looks_random(value) else ""


def _looks_random(value: str) -> bool:
    return len(value) >= 16 and any(character.isdigit() for character in value)


def _stands_for_another(value: str) -> bool:
    """Whether a value is a variable of some notation, a mask, or a word for what belongs there."""
    if re.match(r"[$<{(\[]|%\(?[A-Za-z_]\w*\)?[%s]|\W*$|[xX]{3,}$|\.{3}", value):
        return True
    words = (
        r"[A-Za-z_-]*(?:token|passw|secret|pat|key|pwd|your|example|changeme|redacted)[A-Za-z_-]*"
    )
    return re.fullmatch(words, value[:100], re.IGNORECASE) is not None
