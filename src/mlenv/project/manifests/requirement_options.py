"""One entry of a requirements file: a requirement, a URL, a path or options.

pip reads a line as a requirement with options or, where it begins with an option, as options
alone, and drops in silence what does not fit: a global option behind a requirement, a requirement
behind an option, a second ``-r``. Each of these is a problem here.
"""

from __future__ import annotations

import re

from mlenv.model.requirement import Requirement
from mlenv.model.source import (
    DROPPED_OPTION,
    DROPPED_REQUIREMENT,
    TEMPLATE,
    UNREADABLE_LINE,
    Include,
    Index,
    Problem,
)
from mlenv.model.text import Fragment
from mlenv.project.collect import Collector, is_template
from mlenv.project.direct import is_path, is_url, read_direct
from mlenv.project.pep508 import Refusal
from mlenv.records import dataclass, replace

_VALUE, _FLAG = True, False
_GLOBAL = {
    "--index-url": _VALUE,
    "--pypi-url": _VALUE,
    "--extra-index-url": _VALUE,
    "--no-index": _FLAG,
    "--constraint": _VALUE,
    "--requirement": _VALUE,
    "--editable": _VALUE,
    "--find-links": _VALUE,
    "--no-binary": _VALUE,
    "--only-binary": _VALUE,
    "--prefer-binary": _FLAG,
    "--require-hashes": _FLAG,
    "--no-require-hashes": _FLAG,
    "--pre": _FLAG,
    "--all-releases": _VALUE,
    "--only-final": _VALUE,
    "--trusted-host": _VALUE,
    "--use-feature": _VALUE,
}
_PER_REQUIREMENT = {
    "--hash": _VALUE,
    "--config-settings": _VALUE,
    "--config-setting": _VALUE,
}
_LEGACY = {"--global-option": _VALUE, "--install-option": _VALUE}
"""Options of requirements that pip took until version 25."""
_KNOWN = {**_GLOBAL, **_PER_REQUIREMENT, **_LEGACY}
_SHORT = {
    "-i": "--index-url",
    "-c": "--constraint",
    "-r": "--requirement",
    "-e": "--editable",
    "-f": "--find-links",
    "-C": "--config-settings",
}
_INDEX_KINDS = {
    "--index-url": "index",
    "--pypi-url": "index",
    "--extra-index-url": "extra",
    "--find-links": "find-links",
    "--no-index": "none",
    "--trusted-host": "trusted-host",
}
_WORD = r"(?:[^\s\"'\\]|\\.|\"(?:[^\"\\]|\\.)*\"|'[^']*')+"
_QUOTES = r"\\(.)|\"((?:[^\"\\]|\\.)*)\"|'([^']*)'"
_OPTION_STARTS = r"(?:^| )-"


@dataclass(frozen=True, slots=True, eq=False)
class _Option:
    """An option with its value, or a word that stands where an option should.

    Attributes:
        name: The long name; empty for a stray word, the text itself for an unknown option.
        value: Without quotes.
        whole: The option with its value, as it stands.
        at: The value, as it stands.
    """

    name: str
    value: str
    whole: Fragment
    at: Fragment


class _OptionError(ValueError):
    """Options that pip refuses."""


def read_entry(fragment: Fragment, collector: Collector) -> None:
    """Read one logical line, without its comment, into the collector.

    Args:
        fragment: The line.
        collector: Where requirements, includes, indexes and problems go.
    """
    fragment = fragment.stripped()
    opens = re.search(_OPTION_STARTS, fragment.text) if "-" in fragment.text else None
    if opens is None:
        if fragment.text:
            _add(fragment, fragment, collector, ())
        return
    head = fragment.part(0, opens.start()).stripped()
    try:
        options = _options(fragment.part(opens.start(), len(fragment.text)).stripped())
    except _OptionError as error:
        _refuse_options(fragment, str(error), collector)
        if head.text:
            _add(head, fragment, collector, ())
        return
    if head.text:
        _with_options(head, fragment, options, collector)
    elif any(option.name == "--editable" for option in options):
        _editable(fragment, options, collector)
    else:
        _option_line(fragment, options, collector)


def _options(fragment: Fragment) -> list[_Option]:
    words = _words(fragment.text)
    found: list[_Option] = []
    at = 0
    while at < len(words):
        start, end = words[at]
        word = fragment.part(start, end)
        at += 1
        name, value = _split(word.text)
        if not name:
            # words that belong to no option go together: a requirement may hold blanks
            while at < len(words) and not fragment.text.startswith("-", words[at][0]):
                at += 1
            word = fragment.part(start, words[at - 1][1])
            found.append(_Option("", word.text, word, word))
        elif not _KNOWN[name]:
            found.append(_Option(name, "", word, word))
        elif value is not None:
            value_at = word.part(len(word.text) - len(value), len(word.text))
            found.append(_Option(name, _unquoted(value), word, value_at))
        elif at >= len(words):
            raise _OptionError(f"{name} wants a value")
        else:
            value_at = fragment.part(*words[at])
            whole = fragment.part(start, words[at][1])
            found.append(_Option(name, _unquoted(value_at.text), whole, value_at))
            at += 1
    return found


def _words(text: str) -> list[tuple[int, int]]:
    """Return where the words of a command line stand, quotes kept together."""
    found = []
    at = 0
    for match in re.finditer(_WORD, text):
        if text[at : match.start()].strip():
            break
        found.append(match.span())
        at = match.end()
    if text[at:].strip():
        raise _OptionError("a quote is opened and not closed")
    return found


def _split(word: str) -> tuple[str, str | None]:
    """Return an option's long name and the value attached to it; no name for a plain word."""
    if word.startswith("--") and len(word) > 2:
        name, equals, value = word.partition("=")
        return _long_name(name), value if equals else None
    if word.startswith("-") and len(word) > 1:
        name = _SHORT.get(word[:2], "")
        if not name:
            raise _OptionError(f"pip knows no option {word[:2]} in a requirements file")
        return name, word[2:] or None
    return "", None


def _long_name(name: str) -> str:
    if name in _KNOWN:
        return name
    matches = [known for known in _KNOWN if known.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    raise _OptionError(f"pip knows no option {name} in a requirements file")


def _unquoted(word: str) -> str:
    if "'" in word or '"' in word or "\\" in word:
        return re.sub(_QUOTES, lambda m: m[1] or (m[2] or "").replace("\\", "") or m[3] or "", word)
    return word


def _refuse_options(fragment: Fragment, reason: str, collector: Collector) -> None:
    if is_template(fragment.text):
        problem = Problem(
            TEMPLATE, fragment.whole, "filled in by a template or the shell", fatal=False
        )
    else:
        problem = Problem(UNREADABLE_LINE, fragment.whole, reason)
    collector.problems.append(problem)


def _with_options(
    head: Fragment, fragment: Fragment, options: list[_Option], collector: Collector
) -> None:
    hashes = tuple(option.value for option in options if option.name == "--hash")
    before = len(collector.problems)
    _add(head, fragment, collector, hashes)
    if len(collector.problems) > before:
        return  # what is wrong with the requirement comes first
    for option in options:
        if not option.name:
            _drop_requirement(option, collector)
        elif option.name in _GLOBAL:
            _drop_option(option, head, collector)


def _drop_option(option: _Option, head: Fragment, collector: Collector) -> None:
    advice = f"put {option.whole.text} on a line of its own, above the requirement"
    collector.problems.append(
        Problem(
            DROPPED_OPTION,
            option.whole.whole,
            option.name or option.value,
            help=advice if option.name else "",
            related=((head.whole, "the requirement"),),
            fatal=False,
        )
    )


def _drop_requirement(option: _Option, collector: Collector) -> None:
    found = read_direct(option.at, collector.group, collector.kind)
    name = found.name if isinstance(found, Requirement) else ""
    collector.problems.append(
        Problem(
            DROPPED_REQUIREMENT,
            option.whole.whole,
            option.value,
            name,
            help=f"put {option.value} on a line of its own",
        )
    )


def _editable(fragment: Fragment, options: list[_Option], collector: Collector) -> None:
    at = next(i for i, option in enumerate(options) if option.name == "--editable")
    first, rest = options[at], options[:at] + options[at + 1 :]
    found = read_direct(_editable_text(fragment, options, at), collector.group, collector.kind)
    if isinstance(found, Refusal):
        collector.refuse(first.at, found)
        return
    collector.requirements.append(replace(found, editable=True, span=fragment.whole))
    if at + 1 < len(options) and not options[at + 1].name and _is_cut_short(first.value):
        collector.problems.append(
            Problem(
                UNREADABLE_LINE,
                fragment.whole,
                f"pip takes the one word after -e, {first.value!r}, for the path",
                help="write it without blanks, or without -e",
            )
        )
        return
    for option in rest:
        if option.name == "--editable":
            _drop_requirement(option, collector)
        elif option.name in _GLOBAL or not option.name:
            _drop_option(option, first.whole, collector)


def _is_cut_short(word: str) -> bool:
    return word.count("[") != word.count("]") or ";" in word or word.endswith("#")


def _editable_text(fragment: Fragment, options: list[_Option], at: int) -> Fragment:
    """Return what an ``-e`` installs, with extras or a marker that stand behind a blank.

    pip stops at the blank and uv reads on; what is meant is what uv reads.
    """
    first = options[at].at
    if at + 1 < len(options) and not options[at + 1].name:
        start = first.whole.start - fragment.whole.start
        end = options[at + 1].at.whole.end - fragment.whole.start
        return fragment.part(start, end) if len(fragment.pieces) == 1 else first
    value = options[at].value
    return first if value == first.text else Fragment.decoded(value, first.whole)


def _followed(options: list[_Option]) -> _Option | None:
    """Return the include that pip follows: the first -r of a line, else its first -c."""
    for name in ("--requirement", "--constraint"):
        for option in options:
            if option.name == name:
                return option
    return None


def _option_line(fragment: Fragment, options: list[_Option], collector: Collector) -> None:
    followed = _followed(options)
    for option in options:
        if not option.name:
            _drop_requirement(option, collector)
        elif option is followed:
            is_constraint = option.name == "--constraint"
            collector.includes.append(
                Include(option.value, option.at.whole, is_constraint, collector.group)
            )
        elif followed is not None and option.name in _GLOBAL:
            _drop_option(option, fragment, collector)
        elif option.name in _INDEX_KINDS:
            collector.indexes.append(
                Index(_INDEX_KINDS[option.name], option.value, option.at.whole)
            )


def _add(head: Fragment, fragment: Fragment, collector: Collector, hashes: tuple[str, ...]) -> None:
    if is_url(head.text) or is_path(head.text):
        found = read_direct(head, collector.group, collector.kind)
        if isinstance(found, Refusal):
            collector.refuse(head, found)
            return
        collector.requirements.append(replace(found, span=fragment.whole, hashes=hashes))
        return
    read = collector.add_requirement(head)
    if read is not None and (hashes or fragment is not head):
        collector.requirements[-1] = replace(read, span=fragment.whole, hashes=hashes)
