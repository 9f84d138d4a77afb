"""From a file's bytes to its text, in the encodings that manifests really have."""

from __future__ import annotations

import codecs
import re

from mlenv.model.text import SourceText

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The marks of UTF-32 come first: that of UTF-16 begins the same way."""

_DECLARED = rb"coding[:=]\s*([-\w.]+)"
_CHARACTER_SETS = (
    r"(?i)(?:utf[-_]?(?:8|16|32)|ascii|latin|iso[-_]?8859|l[1-9]|cp\d|windows|koi8|mac|tis|"
    r"gb|big5|hz|euc|iso[-_]?2022|shift|sjis|johab)"
)
"""What a declaration may name: Python's other codecs (``punycode``, ``unicode_escape``) rewrite
text, some of them in quadratic time or with warnings."""


def decode(path: str, data: bytes) -> SourceText:
    """Return the text of a file; never fails.

    A byte order mark decides, then a declaration in the first two lines (PEP 263), then UTF-8,
    then UTF-16 where every other byte is zero, and Latin-1 last, which has a character for every
    byte. pip reads requirements in the same order, with the locale's encoding as its last resort.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return SourceText(path, data[len(mark) :].decode(encoding, "replace"), encoding)
    declared = _declared(data)
    if declared and re.match(_CHARACTER_SETS, declared):
        try:
            return SourceText(path, data.decode(declared), declared)
        except (LookupError, UnicodeError, ValueError):
            pass
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return SourceText(path, data.decode("latin-1"), "latin-1")
    if "\0" in text:
        encoding = _two_bytes(data)
        if encoding:
            return SourceText(path, data.decode(encoding, "replace"), encoding)
    return SourceText(path, text)


def _declared(data: bytes) -> str:
    if data[:1] != b"#" and b"\n#" not in data[:400]:
        return ""
    for line in data[:400].split(b"\n")[:2]:
        found = re.search(_DECLARED, line) if line.startswith(b"#") else None
        if found:
            return found[1].decode("ascii", "replace")
    return ""


def _two_bytes(data: bytes) -> str:
    sample = data[:512]
    if len(sample) % 2 == 0 and sample:
        if not any(sample[1::2]):
            return "utf-16-le"
        if not any(sample[::2]):
            return "utf-16-be"
    return ""
