"""The arguments of single instructions of a Dockerfile.

Source: Dockerfile reference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from mlenv.model.text import Fragment
from mlenv.project.images.dockerfile_copies import Copy, Files
from mlenv.project.images.dockerfile_instructions import Instruction
from mlenv.project.shell.context import joined
from mlenv.project.shell.scanner import Scanner, Word
from mlenv.project.shell.variables import Variables

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.-]*)=")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SOURCES = ("source", "src")
_TARGETS = ("target", "dst", "destination")


def recipe_words(instruction: Instruction, variables: Variables) -> list[Word]:
    """Return the words of an instruction's arguments, with variables replaced.

    Args:
        instruction: One that is not given to a shell.
        variables: What is known of variables.
    """
    fragment = instruction.arguments
    scanner = Scanner(fragment, 0, variables, escape=instruction.escape)
    found: list[Word] = []
    while scanner.at < len(fragment.text):
        if fragment.text[scanner.at].isspace():
            scanner.at += 1
        else:
            found.extend(scanner.words())
    return found


def expanded(text: str, instruction: Instruction, variables: Variables) -> str:
    """Return a text of an instruction with its variables replaced, so far as they are known."""
    fragment = Fragment.decoded(text, instruction.span)
    words = Scanner(fragment, 0, variables, escape=instruction.escape).words() if text else []
    return words[0].text if words else ""


def flag_values(instruction: Instruction, name: str) -> Iterator[str]:
    """Yield the values of a flag, as written."""
    for flag in instruction.flags:
        if flag.text.partition("=")[0] == f"--{name}":
            yield flag.text.partition("=")[2].strip("\"'")


def assignments(
    instruction: Instruction, variables: Variables, *, is_arg: bool
) -> list[tuple[str, Word | None]]:
    """Return the variables that ``ARG`` or ``ENV`` sets; None for an ``ARG`` without a default."""
    words = recipe_words(instruction, variables)
    if not words:
        return []
    if not is_arg and not _ASSIGNMENT.match(words[0].text):  # ENV name value
        return [(words[0].text, _rest(words))] if len(words) > 1 else []
    found: list[tuple[str, Word | None]] = []
    for word in words:
        match = _ASSIGNMENT.match(word.text)
        if match is not None:
            found.append((match[1], word.tail(match.end())))
        elif is_arg and word.text.isidentifier():
            found.append((word.text, None))
    return found


def _rest(words: list[Word]) -> Word:
    """Return the value of ``ENV name value``, which may hold blanks."""
    first, last = words[1], words[-1]
    if first is last:
        return first
    text = " ".join(word.text for word in words[1:])
    whole = first.fragment.whole
    span = whole.source.span(whole.start, max(last.fragment.whole.end, whole.end))
    fragment = Fragment.decoded(text, span)
    complete = all(word.complete for word in words)
    return Word(text, first.start, last.end, fragment, fragment.part(0, 0), complete)


def read_copy(
    instruction: Instruction,
    variables: Variables,
    folder: str | None,
    origin: Callable[[str], Files],
) -> Copy | None:
    """Read a ``COPY`` or ``ADD``; None where its paths are not known.

    Args:
        instruction: The instruction.
        variables: What is known of variables.
        folder: The working folder.
        origin: Gives for the name of a stage its files.
    """
    names = _json_words(instruction.arguments)
    words = names if names is not None else recipe_words(instruction, variables)
    paths = [word.text for word in words if not word.text.startswith("<<")]
    target = joined(folder, words[-1]) if len(paths) > 1 else None
    if target is None:
        return None
    stage = next(flag_values(instruction, "from"), None)
    is_folder = paths[-1].endswith("/") or paths[-1] in (".", "..") or len(paths) > 2
    return Copy(
        tuple(paths[:-1]),
        target,
        is_folder,
        origin(stage) if stage is not None else None,
        any(flag.text.startswith("--parents") for flag in instruction.flags),
    )


def read_mounts(
    instruction: Instruction,
    variables: Variables,
    folder: str | None,
    origin: Callable[[str], Files],
) -> list[Copy]:
    """Return what ``RUN --mount`` binds from the build context or another stage."""
    found = []
    for value in flag_values(instruction, "mount"):
        options = dict(_pair(part) for part in value.split(","))
        if options.get("type", "bind") != "bind":
            continue
        target = next((options[name] for name in _TARGETS if name in options), "")
        place = None
        if target:
            place = joined(
                folder, _plain_word(expanded(target, instruction, variables), instruction)
            )
        source = next((options[name] for name in _SOURCES if name in options), ".")
        if place is not None:
            files = origin(options["from"]) if "from" in options else None
            source = expanded(source, instruction, variables)
            found.append(Copy((source,), place, origin=files))
    return found


def _plain_word(text: str, instruction: Instruction) -> Word:
    fragment = Fragment.decoded(text, instruction.span)
    return Word(text, 0, 0, fragment, fragment.part(0, 0))


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip().lower(), value.strip()


def exec_form(arguments: Fragment) -> list[Word] | None:
    """Return the words of a command given as a JSON list; None where it is given to a shell."""
    return _json_words(arguments)


def _json_words(arguments: Fragment) -> list[Word] | None:
    text = arguments.text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        return None
    places = list(_STRING.finditer(arguments.text))
    if len(places) != len(values):
        return None
    return [_word(arguments, match, value) for match, value in zip(places, values, strict=True)]


def _word(arguments: Fragment, match: re.Match[str], value: str) -> Word:
    start, end = match.span(1)
    fragment = arguments.part(start, end)
    if fragment.text != value:
        fragment = Fragment.decoded(value, arguments.span(*match.span()))
    head = fragment if fragment.pieces else fragment.part(0, 0)
    return Word(value, match.start(), match.end(), fragment, head, quoted=True)
