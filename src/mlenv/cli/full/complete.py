"""What shells complete where rules are named; choices, options and commands typer knows itself."""

from __future__ import annotations

from collections.abc import Iterator


def rule(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield the codes and topics that begin with a text, each with what it stands for."""
    from mlenv.rules.registry import RULES  # only who presses the key pays for it

    topics = dict.fromkeys((one.topic for one in RULES), "a topic")
    for word, meaning in {**{one.code: one.name for one in RULES}, **topics}.items():
        if word.startswith(incomplete):
            yield word, meaning


def selectors(incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield what can follow in comma-separated rules, with what stands there already."""
    before, comma, last = incomplete.rpartition(",")
    for word, meaning in rule(last):
        yield before + comma + word, meaning
