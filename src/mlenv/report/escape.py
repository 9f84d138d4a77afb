"""Makes text from a manifest fit to show: no control character and no credential gets through.

Credentials are masked first and characters escaped second, since an escaped URL is no URL any
more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "****"

_USERINFO = re.compile(
    # up to the last @ of the authority; or, for a password with a slash in it, of the word, unless
    # what looks like a password is a port. Bounded there, as it would else be quadratic.
    r"://(?P<secret>[^\s/?#\"'<>]+(?=@)"
    r"|[^\s/?#@:\"'<>\[\]]{1,128}:(?!\d{1,5}(?:[/?#\s]|$)|\$\{)[^\s\"'<>]{1,256}(?=@))"
)
_PROXY_USERINFO = re.compile(r"--proxy[ =](?P<secret>[^\s/@]{1,256}(?=@))")
_PARAMETER = re.compile(
    r"[?&;][\w.-]{0,40}?(?:token|secret|passw|pwd|key|auth|sig|credential)[\w.-]{0,40}="
    r"(?P<secret>[^\s&#\"'<>;]+)",
    re.IGNORECASE,
)
_CONDA_TOKEN = re.compile(
    r"://(?:[^\s/\"']{0,200}conda[^\s/\"']{0,200}/t/(?P<named>[^\s/\"']+)"
    r"|[^\s/\"']{1,255}/t/(?P<secret>(?:[a-z]{2}-)?[0-9a-f]{8}-[0-9a-f-]{20,}))",
    re.IGNORECASE,
)
_KNOWN_TOKEN = re.compile(
    r"\b(?P<secret>gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|pypi-AgE[\w-]{16,}|AKIA[0-9A-Z]{16})"
)
_PLACEHOLDER = re.compile(r"(?:\$\{\w+\}|\{\{[^{}]*\}\})+")
_RUNNER_COMMAND = re.compile(r"##\w{0,20}\[")
"""What CI runners take for a command anywhere in a line (``##[group]``, ``##vso[…]``)."""


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
        for match in _USERINFO.finditer(text):
            yield from _in_userinfo(text, *match.span("secret"))
        for match in _CONDA_TOKEN.finditer(text):
            yield match.span("named" if match["named"] else "secret")
    if "--proxy" in text:
        for match in _PROXY_USERINFO.finditer(text):
            yield from _in_userinfo(text, *match.span("secret"))
    if "=" in text:
        for match in _PARAMETER.finditer(text):
            if not _PLACEHOLDER.fullmatch(match["secret"]):
                yield match.span("secret")
    for match in _KNOWN_TOKEN.finditer(text):
        yield match.span("secret")


def _in_userinfo(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    user, _, password = text[start:end].partition(":")
    is_ssh = text[max(0, start - 6) : start].lower().endswith("ssh://")
    if not password:
        if not (is_ssh or user == "git" or _PLACEHOLDER.fullmatch(user)):
            yield start, end
    elif not _PLACEHOLDER.fullmatch(password):
        # a user name is masked with its password: services take tokens in either place
        yield (end - len(password) if _PLACEHOLDER.fullmatch(user) else start), end


def mask(text: str) -> str:
    """Return a text with its credentials replaced by ``****``."""
    parts = []
    at = 0
    for start, end in secrets(text):
        parts += [text[at:start], MASK]
        at = end
    return "".join([*parts, text[at:]])


def command_brackets(text: str) -> frozenset[int]:
    """Return the offsets of brackets that would make a CI runner take a text for a command."""
    if "##" not in text:
        return frozenset()
    return frozenset(match.end() - 1 for match in _RUNNER_COMMAND.finditer(text))


def escaped(character: str) -> str:
    r"""Return one character as a visible escape such as ``\x1b`` or ``\u202e``."""
    if character == "[":
        return "\\x5b"
    return character.encode("unicode_escape").decode("ascii")


def visible(text: str) -> str:
    """Return a text in which every character can be seen, and none acts on a terminal.

    Controls, direction marks, invisible and unassigned characters, odd blanks, line separators
    and lone surrogates become visible escapes: all that ``str.isprintable`` denies.
    """
    brackets = command_brackets(text)
    if not brackets and text.isprintable():
        return text
    return "".join(
        escaped(character) if at in brackets or not character.isprintable() else character
        for at, character in enumerate(text)
    )


def clean(text: str) -> str:
    """Return a text without credentials and without anything that acts on a terminal."""
    return visible(mask(text))
