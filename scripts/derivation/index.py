"""Reads a package index: what was released of a distribution, and parts of its files."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from packaging.version import InvalidVersion, Version

from mlenv.records import dataclass

_AGENT = "mlenv-derive (reads the metadata of releases for mlenv's records)"
_TRIES = 4
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """One file of a release.

    Attributes:
        name: Its file name.
        url: Where it is.
        size: Its length in bytes.
        uploaded: The day of its upload.
        python: Requires-Python; empty for none.
        yanked: Whether it was withdrawn.
        has_metadata: Whether the index serves its metadata beside it (PEP 658).
    """

    name: str
    url: str
    size: int
    uploaded: str
    python: str = ""
    yanked: bool = False
    has_metadata: bool = False


Fetch = Callable[[str, "tuple[int, int] | None"], bytes]
"""Returns the content at an address, or the bytes from one offset to another, both inclusive.

Raises OSError where it cannot be had.
"""


def fetch(url: str, part: tuple[int, int] | None = None) -> bytes:
    """Return what stands at an address; waits and tries again where the server is busy.

    Raises:
        OSError: There is no such thing, or the server did not answer.
        ValueError: The address is not one of the web.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"not an address of the web: {url}")
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310 - checked
    if part is not None:
        request.add_header("Range", f"bytes={part[0]}-{part[1]}")
    for attempt in range(_TRIES):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - checked
                content: bytes = answer.read()
                whole = part is not None and answer.status == 200
                return content[part[0] : part[1] + 1] if part is not None and whole else content
        except urllib.error.HTTPError as error:
            if error.code not in (429, 500, 502, 503, 504) or attempt == _TRIES - 1:
                raise
        except (urllib.error.URLError, TimeoutError):
            if attempt == _TRIES - 1:
                raise
        time.sleep(2**attempt)
    raise OSError(f"no answer from {url}")


class Index:
    """A package index with PyPI's JSON interface, read politely: what was read is kept on disk.

    Args:
        address: Where the index is; ``/pypi/NAME/json`` is asked below it.
        cache: A folder for what was read; it is made where it is missing.
        day: Files uploaded after it are left out.
        fetch: How an address is read.
    """

    def __init__(self, address: str, cache: Path, day: str, fetch: Fetch = fetch) -> None:
        self._address = address.rstrip("/")
        self._cache = cache
        self._day = day
        self._fetch = fetch
        cache.mkdir(parents=True, exist_ok=True)

    def releases(self, name: str) -> dict[Version, tuple[File, ...]]:
        """Return the releases of a distribution up to the day, in ascending order, with files.

        Source: PyPI, JSON API.

        Raises:
            OSError: The index has no such distribution, or did not answer.
        """
        address = f"{self._address}/pypi/{name}/json"
        answer = json.loads(self._kept(address, lambda: self._fetch(address, None)))
        found = {}
        for text, entries in answer["releases"].items():
            files = tuple(_file(entry, address) for entry in entries)
            files = tuple(file for file in files if file.uploaded <= self._day)
            version = _version(text)
            if files and version is not None:
                found[version] = files
        final = [one for one in found if not one.is_prerelease]
        return {one: found[one] for one in sorted(final or found)}

    def metadata(self, wheel: File) -> str:
        """Return the METADATA of a wheel, of which no more than that member is read.

        Source: PEP 658; else a range request for the member, as RFC 9110 section 14 has it.

        Raises:
            OSError: It cannot be had.
        """
        if wheel.has_metadata:
            address = f"{wheel.url}.metadata"
            return self._kept(address, lambda: self._fetch(address, None)).decode(
                "utf-8", "replace"
            )
        return self._kept(wheel.url, lambda: self._member(wheel)).decode("utf-8", "replace")

    def _member(self, wheel: File) -> bytes:
        try:
            with zipfile.ZipFile(_RemoteFile(wheel, self._fetch)) as archive:
                for member in archive.namelist():
                    if member.count("/") == 1 and member.endswith(".dist-info/METADATA"):
                        return archive.read(member)
        except zipfile.BadZipFile as error:
            raise OSError(f"{wheel.name} is not a zip file") from error
        raise OSError(f"{wheel.name} has no METADATA")

    def _kept(self, address: str, read: Callable[[], bytes]) -> bytes:
        place = self._cache / hashlib.sha256(address.encode()).hexdigest()
        if place.exists():
            return place.read_bytes()
        content = read()
        unfinished = place.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(place)
        return content


class _RemoteFile(io.RawIOBase):
    """A file at an address, read in blocks by range requests."""

    def __init__(self, file: File, fetch: Fetch) -> None:
        self._file = file
        self._fetch = fetch
        self._at = 0
        self._blocks: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        end = self._file.size if size < 0 else min(self._at + size, self._file.size)
        parts = []
        while self._at < end:
            number, offset = divmod(self._at, _BLOCK)
            part = self._block(number)[offset : offset + end - self._at]
            if not part:
                raise OSError(f"{self._file.name} is shorter than the index says")
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            start = number * _BLOCK
            last = min(start + _BLOCK, self._file.size) - 1
            self._blocks[number] = self._fetch(self._file.url, (start, last))
        return self._blocks[number]


def _file(entry: dict[str, Any], address: str) -> File:
    return File(
        name=entry["filename"],
        url=urljoin(address, entry["url"]),
        size=entry["size"],
        uploaded=entry["upload_time"][:10],
        python=(entry.get("requires_python") or "").replace(" ", ""),
        yanked=bool(entry.get("yanked")),
        has_metadata=bool(entry.get("core-metadata")),
    )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
