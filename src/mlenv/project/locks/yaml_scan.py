"""The line scanner for the YAML that lock writers emit, many times faster than a full parser.

A lock is a list of small mappings under one key, of which a few values matter. One regular
expression per value steps over what is nested below it; what it does not know makes the scan
irregular, and then a real parser has the word.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.project.yaml_nodes import NULLS
from mlenv.records import dataclass, field

# only ASCII is scanned, so blanks and control characters are one range that is quick to test
_PLAIN = (
    r"(?:[^\x00-\x20\x7f\-?:,\[\]{}#&*!|>'\"%@`]|-(?=[^\x00-\x20\x7f]))[^\x00-\x20\x7f:#]*"
    r"(?:(?::(?=[^\x00-\x20\x7f])|(?<=[^\x00-\x20])#| +(?=[^\x00-\x20#]))[^\x00-\x20\x7f:#]*)*"
)
_SCALAR = rf"(?:{_PLAIN}|'[^'\r\n]*(?:''[^'\r\n]*)*'|\"[^\"\\\r\n]*\")"
_VALUE = rf"(?:{_SCALAR}|\[\]|\{{\}})"
_KEY = r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*|'[^'\r\n:]*')"
_EOL = r" *\r?\n"
_NESTED = (
    rf"(?:(?:    {_KEY}:(?: {_VALUE})?{_EOL})+|(?:  - {_SCALAR}{_EOL})+|(?:    - {_SCALAR}{_EOL})+)"
)


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Compile on first use: a field of an item, a line at the top, and lines below another key."""
    item = re.compile(
        rf"(?P<dash>- )?(?(dash)|  )(?P<key>{_KEY}):"
        rf"(?: (?P<value>{_VALUE}){_EOL}|{_EOL}(?P<below>{_NESTED})?)"
    )
    top = re.compile(rf"(?P<key>{_KEY}):(?P<value> {_VALUE})?{_EOL}|---{_EOL}|(?:#[^\r\n]*)?{_EOL}")
    below = re.compile(
        rf"(?:(?: +|(?=- ))(?:(?:- )*{_KEY}:(?: {_VALUE})?|(?:- )+{_SCALAR}){_EOL})+"
    )
    return item, top, below


_DIGEST_BELOW = re.compile(r"^ +(?:md5|sha256): ['\"]?[0-9a-f]", re.MULTILINE)
DIGESTS = frozenset(("md5", "sha256"))
"""Keys that hold a digest of a package's file."""
_KEPT = DIGESTS | frozenset(
    ("name", "version", "manager", "platform", "url", "kind", "conda", "pypi", "path", "subdir")
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value and where it stands, without its quotes.

    Attributes:
        text: The value; empty for null.
        start: Offset of its first character.
        end: Offset after its last character.
    """

    text: str
    start: int
    end: int


@dataclass(slots=True)
class Item:
    """One mapping of the list.

    Attributes:
        start: Offset at which it begins.
        values: Those of its keys that locks need, where they hold a scalar.
        hashed: Whether it records a digest, by itself or under ``hash``.
    """

    start: int
    values: dict[str, Scalar] = field(default_factory=dict)
    hashed: bool = False

    def text(self, key: str) -> str:
        """Return the value of a key, or an empty string where it holds no scalar."""
        value = self.values.get(key)
        return value.text if value is not None else ""

    def put(self, key: str, value: Scalar) -> None:
        """Record the value of a key, if it is one that locks need; the last one counts."""
        if key in _KEPT:
            self.values[key] = value
            self.hashed = self.hashed or (key in DIGESTS and bool(value.text))


@dataclass(slots=True)
class Scan:
    """What a scan found.

    Attributes:
        items: The mappings of the list that was asked for.
        regular: Whether each line had a known form, so that a parser would find the same.
    """

    items: list[Item] = field(default_factory=list)
    regular: bool = True


def scan(text: str, section: str) -> Scan:
    """Return the mappings of a list.

    Args:
        text: The whole file.
        section: The key at the top that holds the list: ``package`` or ``packages``.

    Source: YAML 1.1, in the subset that conda-lock and pixi write.
    """
    item, top, below = _patterns()
    found = Scan(regular=text.isascii())
    text = text if text.endswith("\n") else text + "\n"
    inside, closed, seen, at = False, True, set[str](), 0
    while at < len(text):
        match = item.match(text, at) if inside else None
        if match is not None:
            _keep(text, match, found)
        elif match := top.match(text, at):
            key = match["key"]
            if key:
                inside, closed = key == section, bool(match["value"])
                if key in seen or (inside and match["value"]):
                    found.regular = False
                seen.add(key)
        elif inside or closed or not (match := below.match(text, at)):
            found.regular = False
            at = text.index("\n", at) + 1
            continue
        at = match.end()
    return found


def _keep(text: str, match: re.Match[str], found: Scan) -> None:
    if match["dash"]:
        found.items.append(Item(match.start("key")))
    elif not found.items:
        found.regular = False
        return
    item = found.items[-1]
    key = match["key"]
    start, end = match.span("value")
    if start >= 0:
        if key in _KEPT and text[start] not in "[{":
            item.put(key, scalar(text, start, end))
    elif key == "hash" and match["below"] and _DIGEST_BELOW.search(match["below"]):
        item.hashed = True


def scalar(text: str, start: int, end: int) -> Scalar:
    """Return the value of a scalar that stands on one line and has no escapes but ``''``."""
    first = text[start]
    if first == "'":
        return Scalar(text[start + 1 : end - 1].replace("''", "'"), start + 1, end - 1)
    if first == '"':
        return Scalar(text[start + 1 : end - 1], start + 1, end - 1)
    value = text[start:end]
    return Scalar("" if value in NULLS else value, start, end)
