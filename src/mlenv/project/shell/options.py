"""The options of a command line told apart from its operands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.project.shell.scanner import Word
from mlenv.records import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One option.

    Attributes:
        name: As written, or in full where it was shortened; without its value.
        value: Its value; None for a flag.
    """

    name: str
    value: Word | None


@dataclass(frozen=True, slots=True, eq=False)
class Arguments:
    """The words behind a command's name.

    Attributes:
        options: The options, in order.
        operands: What is no option and no value of one.
    """

    options: tuple[Option, ...]
    operands: tuple[Word, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the options."""
        return tuple(option.name for option in self.options)

    def values(self, *names: str) -> Iterator[Word]:
        """Yield the values of options with one of some names."""
        for option in self.options:
            if option.name in names and option.value is not None:
                yield option.value

    def has(self, *names: str) -> bool:
        """Return whether one of some options is given."""
        return any(option.name in names for option in self.options)


def option_names(text: str) -> frozenset[str]:
    """Return a set of options from their names with blanks between."""
    return frozenset(text.split())


def read_arguments(
    words: Sequence[Word], valued: frozenset[str], *, flags: frozenset[str] | None = None
) -> Arguments:
    """Tell options from operands.

    Args:
        words: The words behind the command's name.
        valued: The options that take a value.
        flags: Where options may be shortened: the flags that a valued option begins with. None
            where they may not.
    """
    options: list[Option] = []
    operands: list[Word] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.text == "--":
            operands.extend(words[at:])
            break
        if not word.text.startswith("-") or word.text == "-":
            operands.append(word)
            continue
        name, value, wants = _split(word, valued, flags)
        if wants and at < len(words):
            value = words[at]
            at += 1
        options.append(Option(name, value))
    return Arguments(tuple(options), tuple(operands))


def first_operand(words: Sequence[Word], valued: frozenset[str]) -> int:
    """Return the position of the first operand, such as a subcommand; -1 where there is none."""
    at = 0
    while at < len(words):
        word = words[at]
        if not word.text.startswith("-"):
            return at
        at += 2 if _split(word, valued, None)[2] else 1
    return -1


def _split(
    word: Word, valued: frozenset[str], flags: frozenset[str] | None
) -> tuple[str, Word | None, bool]:
    """Return an option's name, the value attached to it, and whether it wants the next word."""
    text = word.text
    if text.startswith("--"):
        name, equals, _ = text.partition("=")
        name = _full_name(name, valued, flags)
        if equals:
            return name, word.tail(text.index("=") + 1), False
        return name, None, name in valued
    if text in valued:
        return text, None, True
    for at in range(1, min(len(text), 8)):
        short = f"-{text[at]}"
        if short in valued:  # a value may be glued to it: -rrequirements.txt
            if at + 1 == len(text):
                return short, None, True
            glued = at + 1 + (text[at + 1] == "=")
            return short, word.tail(glued), False
    return text, None, False


def _full_name(name: str, valued: frozenset[str], flags: frozenset[str] | None) -> str:
    if flags is None or name in valued or name in flags or len(name) < 5:
        return name
    fitting = [one for one in valued if one.startswith(name)]
    return fitting[0] if len(fitting) == 1 else name
