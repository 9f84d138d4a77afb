"""PEP 440 versions as keys that sort, with room for the cuts between them.

``packaging.version`` parses the same grammar; what it has no public name for is the point
"after every local build of 1.0" or "before any pre-release of 2", on which intervals of versions
are built. A :class:`Version` here carries a plain tuple that sorts, and cuts are tuples beside it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

Key: TypeAlias = "tuple[Any, ...]"

_INFINITY = float("inf")
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_PRE_NAMES = ("a", "b", "rc")
_DEV_ONLY, _FINAL = -1, 3

_VERSION = re.compile(
    r"v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>[0-9]*))?"
    r"(?P<post>-(?P<post_n1>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>[0-9]*))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>[0-9]*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?"
)
"""In lower case: a compiler of patterns takes twice as long where case is to be ignored."""
_PARTS = (
    "epoch", "release", "pre", "pre_n", "post", "post_n1", "post_n2", "dev", "dev_n", "local",
)  # fmt: skip
_MAX_DIGITS = 4000
"""Python refuses to turn longer digit strings into integers (CVE-2020-10735)."""


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """One version, ordered as PEP 440 says.

    Attributes:
        text: As it was written, blanks stripped.
        epoch: 0 where none is written.
        release: The dotted numbers as written.
        pre: Rank of the phase (0 alpha, 1 beta, 2 candidate) and its number, or None.
        post: The post-release number, or None.
        dev: The development number, or None.
        local: The parts after ``+``, lower-case; empty where there are none.
    """

    text: str
    epoch: int
    release: tuple[int, ...]
    pre: tuple[int, int] | None
    post: int | None
    dev: int | None
    local: tuple[str, ...]
    key: Key

    @property
    def is_prerelease(self) -> bool:
        """Whether installers pass over it unless asked: alpha, beta, candidate or dev."""
        return self.pre is not None or self.dev is not None

    @property
    def public(self) -> str:
        """The version without its local part, in normal form."""
        return normal_form(self, local=False)

    @property
    def minor_line(self) -> str:
        """Major and minor as they are written, such as ``3.10``; ``3`` where only that is."""
        return ".".join(map(str, self.release[:2]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.key == other.key

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return normal_form(self)


@lru_cache(maxsize=8192)
def parse_version(text: str) -> Version | None:
    """Return the version that ``text`` states, or None where PEP 440 does not know it.

    From memory where it was asked for before: an environment says the same few over and over.
    """
    text = text.strip()
    if len(text) > _MAX_DIGITS or not text.isascii():
        return None
    if text.replace(".", "").isdigit():
        return _plain(text)
    match = _VERSION.fullmatch(text.lower())
    if match is None:
        return None
    epoch, release, pre, pre_n, post_text, post_1, post_2, dev_text, dev_n, local = match.group(
        *_PARTS
    )
    return build(
        text,
        int(epoch or 0),
        tuple(map(int, release.split("."))),
        (_PRE[pre], int(pre_n or 0)) if pre else None,
        int(post_1 or post_2 or 0) if post_text else None,
        int(dev_n or 0) if dev_text else None,
        tuple(re.split(r"[-_.]", local)) if local else (),
    )


def _plain(text: str) -> Version | None:
    """Return the version that numbers and dots state, as nearly all do; the same as :func:`build`.

    Making it takes half as long as the pattern and its parts.
    """
    try:
        release = tuple(map(int, text.split(".")))
    except ValueError:  # nothing between two dots
        return None
    key = (0, _trim(release), _FINAL, 0, -1, _INFINITY, ())
    return Version(text, 0, release, None, None, None, (), key)


def build(
    text: str,
    epoch: int,
    release: tuple[int, ...],
    pre: tuple[int, int] | None = None,
    post: int | None = None,
    dev: int | None = None,
    local: tuple[str, ...] = (),
) -> Version:
    """Return the version with these parts; ``text`` is what messages show for it."""
    if pre is not None:
        phase = pre
    elif post is None and dev is not None:
        phase = (_DEV_ONLY, 0)
    else:
        phase = (_FINAL, 0)
    key = (
        epoch,
        _trim(release),
        *phase,
        -1 if post is None else post,
        _INFINITY if dev is None else dev,
        tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in local),
    )
    return Version(text, epoch, release, pre, post, dev, local, key)


def _trim(release: tuple[int, ...]) -> tuple[int, ...]:
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]


def normal_form(version: Version, *, local: bool = True) -> str:
    """Return the version as PEP 440 normalises it."""
    text = f"{version.epoch}!" if version.epoch else ""
    text += ".".join(map(str, version.release))
    if version.pre is not None:
        text += f"{_PRE_NAMES[version.pre[0]]}{version.pre[1]}"
    if version.post is not None:
        text += f".post{version.post}"
    if version.dev is not None:
        text += f".dev{version.dev}"
    if local and version.local:
        text += "+" + ".".join(version.local)
    return text


# A cut is a key and a side: 0 just before the version with that key, 1 just after it.
Cut = tuple[Key, int]
LOWEST: Cut = ((), 0)
HIGHEST: Cut = ((_INFINITY,), 1)
_AFTER_LOCALS: Key = ((2,),)


def before(version: Version) -> Cut:
    """The cut just below a version."""
    return version.key, 0


def after(version: Version) -> Cut:
    """The cut just above a version, below its own local builds."""
    return version.key, 1


def after_locals(version: Version) -> Cut:
    """The cut above a version and every local build of it."""
    return (*version.key[:6], _AFTER_LOCALS), 1


def after_posts(version: Version) -> Cut:
    """The cut above a version, its post-releases and all their local builds."""
    return (*version.key[:4], _INFINITY, _INFINITY, _AFTER_LOCALS), 1


def before_dev(version: Version) -> Cut:
    """The cut below every pre-release of a version: its ``.dev0``."""
    return before(build("", version.epoch, version.release, version.pre, version.post, dev=0))


def before_next(version: Version, places: int) -> Cut:
    """The cut below everything that follows the first ``places`` numbers: 1.2.3, 2 -> 1.3.dev0."""
    release = (*version.release, *(0,) * places)[:places]
    return before(build("", version.epoch, (*release[:-1], release[-1] + 1), dev=0))


def before_prefix(version: Version, places: int) -> Cut:
    """The cut below everything that begins with the first ``places`` numbers."""
    release = (*version.release, *(0,) * places)[:places]
    return before(build("", version.epoch, release, dev=0))
