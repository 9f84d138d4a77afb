"""How deep the syntax tree of a Python text can be at most, told before it is built.

A chain such as ``a.b.c`` or ``1 + 1 + 1`` nests once for each link without any bracket. Python 3.10
builds such trees by recursion without a limit, and a long chain ends the whole process there.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\"{3}|'{3}|\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?|\#[^\n]*|\\\n"
    r"|[\[({]|[\])}]|[,\n;]|[.+\-*/%@&|^<>~]",
    re.DOTALL,
)
"""A string that does not end goes to the end of its line, lest each quote in it be tried again."""
_MAX_LINKS = 1000


def is_too_deep(text: str) -> bool:
    """Whether some expression of a text may nest deeper than any that a person writes.

    Links are counted for each pair of brackets apart, from one comma or line's end to the next;
    what a bracket holds counts for itself, and the bracket as one link of what it stands in.
    """
    links = [0]
    at = 0
    while (match := _TOKEN.search(text, at)) is not None:
        token = match.group()
        at = match.end()
        if token in ('"""', "'''"):
            end = text.find(token, at)
            at = end + 3 if end >= 0 else len(text)
        elif token in "([{":
            links[-1] += 1
            links.append(0)
        elif token in ")]}":
            if len(links) > 1:
                links.pop()
        elif token in ",;" or (token == "\n" and len(links) == 1):
            links[-1] = 0
        elif len(token) == 1 and token != "\n":
            links[-1] += 1
        if links[-1] > _MAX_LINKS or len(links) > _MAX_LINKS:
            return True
    return False
