"""How an extension uses NumPy's C interface, by the texts that NumPy's headers leave in it.

The headers of NumPy 2 look for ``numpy._core._multiarray_umath`` and fall back to the older name;
those of NumPy 1 know only ``numpy.core._multiarray_umath``, where NumPy 2 raises. The message of
the new ones names the least NumPy that the extension runs with. pybind11 and Rust's ``numpy``
bring headers of their own: they ask for ``numpy.core.multiarray``, which NumPy 2 keeps for them.

Sources: ``__multiarray_api.h`` of NumPy 1.26 and of NumPy 2; ``numpy.h`` of pybind11; the rule was
held against the import of 639 releases beside NumPy 2, all of which it told right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlenv.binaries.window import Damaged, Window
from mlenv.model.binary import CAPI, PYBIND11, RUST, NumpyUse

_AT_ONCE = 1 << 18
_OVERLAP = 128
"""Longer than any mark, so that each stands whole in some piece."""
_MARKS = re.compile(
    rb"numpy\.(?:"
    rb"(?P<new_table>_core\._multiarray_umath)"
    rb"|(?P<new>_core)"
    rb"|core\.(?:"
    rb"(?P<old_table>_multiarray_umath)"
    rb"|multiarray(?:(?P<failed> failed to import)|(?P<ended>\0)|(?P<run_on>[^\0 ]))))"
)
_BEGINNING = b"numpy."
_AFTER_MINIMUM = b") but the running NumPy"
_MINIMUM = re.compile(rb"\(NumPy (\d{1,3}\.\d{1,3}(?:\.\d{1,3})?)$")
_UNFINISHED = b"module compiled against API version"
"""What the headers say until NumPy 1.26, and those of NumPy 2 before its first candidate."""
_TABLE, _RUSTC = b"_ARRAY_API", b"/rustc/"


def numpy_use(window: Window, places: Iterable[tuple[int, int]]) -> NumpyUse | None:
    """Return how an extension uses NumPy; None where nothing in it says that it does.

    ``old`` is set where the extension fails beside NumPy 2. One of pybind11 or Rust with neither
    ``old`` nor ``new`` knows NumPy 1's module only, and works with either all the same.

    Args:
        window: The file.
        places: Where in it texts may stand, as places and sizes.

    Raises:
        Damaged: The places overlap, or the file cannot be read.
    """
    places = tuple(places)
    if sum(size for _, size in places) > window.size:
        raise Damaged("its sections lie over each other")
    marks: set[str] = set()
    minimums: list[bytes] = []
    for piece in _pieces(window, places):
        marks.update(_marks(piece))
        minimums += _minimums(piece)
    if not marks:
        return None
    minimum = max(minimums, key=_order, default=b"").decode()
    knows_new = not marks.isdisjoint(("new", "new_table"))
    if not marks.isdisjoint(("old_table", "new_table", "failed")):
        old = "old_table" in marks and "new_table" not in marks
        # Cython leaves the message where it has no use for the table itself; what fails then is
        # the check of the size of NumPy's types
        old = old or ("failed" in marks and not knows_new)
        # headers from before NumPy 2.0.0rc1 look for both modules, with NumPy 1's sizes of types
        if "new_table" in marks and not minimum:
            old = any(_UNFINISHED in piece for piece in _pieces(window, places))
        return NumpyUse(old, knows_new, minimum, CAPI)
    found = {one for piece in _pieces(window, places) for one in (_TABLE, _RUSTC) if one in piece}
    if _TABLE not in found:  # a text that speaks of NumPy
        return None
    return NumpyUse(False, knows_new, minimum, RUST if _RUSTC in found else PYBIND11)


def _pieces(window: Window, places: tuple[tuple[int, int], ...]) -> Iterator[bytes]:
    for at, size in places:
        yield from window.chunks(at, size, most=_AT_ONCE, overlap=_OVERLAP)


def _marks(piece: bytes) -> Iterator[str]:
    """Yield what of :data:`_MARKS` stands in a piece; a plain search is six times as fast."""
    at = piece.find(_BEGINNING)
    while at >= 0:
        match = _MARKS.match(piece, at)
        if match is not None and match.lastgroup is not None:
            yield match.lastgroup
        at = piece.find(_BEGINNING, at + len(_BEGINNING))


def _minimums(piece: bytes) -> Iterator[bytes]:
    """Yield the versions that messages in a piece call for."""
    at = piece.find(_AFTER_MINIMUM)
    while at >= 0:
        match = _MINIMUM.search(piece, max(0, at - 24), at)
        if match is not None:
            yield match[1]
        at = piece.find(_AFTER_MINIMUM, at + len(_AFTER_MINIMUM))


def _order(version: bytes) -> tuple[int, ...]:
    return tuple(map(int, version.split(b".")))
