"""Projects that somebody made to do harm, each built by a small function in an empty folder."""

from . import code, documents, trees, ways_out, words
from .cases import CASES, PASSWORD, SECRET

__all__ = ["CASES", "PASSWORD", "SECRET", "code", "documents", "trees", "ways_out", "words"]
