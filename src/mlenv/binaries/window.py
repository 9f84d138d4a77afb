"""Reading a large file in a few places: bounded, and with one exception for whatever is wrong."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

_TEXT_AT_ONCE = 256
_SMALL = 1 << 11
_AT_ONCE = 1 << 14
"""What is small is read with what follows it: headers and tables lie together."""
_MOST_AT_ONCE = 1 << 24
"""The most bytes that are held at a time; larger tables are read in pieces."""
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class Damaged(Exception):  # noqa: N818
    """A compiled file is not what it says it is, or cannot be read; the text says why."""


class Window:
    """An open file, of which parts are read.

    Nothing is mapped into memory: the pages of a mapping count as the process's own, and a file
    that shrinks meanwhile would end the process.

    Attributes:
        size: In bytes.
        base: Where in the file position 0 is, for a file within a file.
    """

    def __init__(self, handle: int, size: int, base: int = 0) -> None:
        self._handle = handle
        self.size = size
        self.base = base
        self._held_at = 0
        self._held = b""

    def within(self, at: int, size: int) -> Window:
        """Return a part of the file as a window of its own.

        Raises:
            Damaged: The file is not as long.
        """
        self._check(at, size)
        return Window(self._handle, size, self.base + at)

    def read(self, at: int, size: int) -> bytes:
        """Return what stands at a place.

        Raises:
            Damaged: The file is not as long, cannot be read, or that much is never needed.
        """
        self._check(at, size)
        if size > _MOST_AT_ONCE:
            raise Damaged("its headers name tables of an absurd size")
        if size > _SMALL:
            return self._content(at, size)
        start = at - self._held_at
        if start < 0 or start + size > len(self._held):
            self._held = self._content(at, min(_AT_ONCE, self.size - at))
            self._held_at, start = at, 0
        return self._held[start : start + size]

    def _content(self, at: int, size: int) -> bytes:
        try:
            data = _read_at(self._handle, size, self.base + at)
        except OSError as error:
            raise Damaged(f"it cannot be read: {error.strerror}") from error
        if len(data) != size:
            raise Damaged("it became shorter while it was read")
        return data

    def up_to(self, at: int, size: int) -> bytes:
        """Return what stands at a place, less where the file ends before; see :meth:`read`."""
        return self.read(at, max(0, min(size, self.size - at)))

    def text(self, at: int, end: int) -> str:
        """Return the text at a place up to its NUL, which must stand before ``end``.

        Raises:
            Damaged: There is no NUL.
        """
        found = b""
        while at < end:
            part = self.up_to(at, min(_TEXT_AT_ONCE, end - at))
            if not part:
                break
            at += len(part)
            found += part
            cut = found.find(b"\0", len(found) - len(part))
            if cut >= 0:
                return as_text(found[:cut])
        raise Damaged("a name in it does not end")

    def chunks(self, at: int, size: int, *, most: int, overlap: int) -> Iterator[bytes]:
        """Yield a stretch of the file in pieces.

        Args:
            at: Where it begins.
            size: How long it is; what is beyond the file's end is left out.
            most: How long a piece is.
            overlap: How much of the end of a piece the next one has again.
        """
        end = min(at + size, self.size)
        while at < end:
            piece = self.read(at, min(most, end - at))
            yield piece
            at += len(piece) - (overlap if at + len(piece) < end else 0)

    def _check(self, at: int, size: int) -> None:
        if at < 0 or size < 0 or at + size > self.size:
            raise Damaged("it ends before what its headers name")


@contextmanager
def opened(path: str) -> Iterator[Window]:
    """Open a file for as long as it is read.

    Args:
        path: As the system takes it.

    Raises:
        Damaged: It is no regular file, or cannot be opened.
    """
    try:
        # opening a FIFO or a device would block; O_NONBLOCK lets the check below refuse it
        handle = os.open(path, _OPEN)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else ""
        raise Damaged(f"it cannot be read: {(reason or str(error)).lower()}") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise Damaged("not a regular file")
        yield Window(handle, status.st_size)
    finally:
        os.close(handle)


def as_text(name: bytes) -> str:
    """Return a name in a compiled file as text, whatever its bytes."""
    return name.decode("utf-8", "backslashreplace")


def _seek_and_read(handle: int, size: int, at: int) -> bytes:
    os.lseek(handle, at, os.SEEK_SET)
    return os.read(handle, size)


_read_at = getattr(os, "pread", _seek_and_read)  # Windows has no pread
