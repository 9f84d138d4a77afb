"""What prose says of the versions of Python and CUDA that a project works with.

Read leniently and without guessing: what is no plain promise is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from itertools import islice
from operator import or_

from mlenv.model.source import Statement
from mlenv.project.manifests.python_version import release_versions
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Fragment
    from mlenv.versions.version_set import VersionSet

_RELEASES = {
    "python": r"3\.\d{1,2}(?:\.\d{1,2})?",
    "cuda": r"(?:[89]|1\d)(?:\.\d{1,2}(?:\.\d{1,3})?|(?=\+))",
}
_SUBJECTS = {"python": "python3?", "cuda": "cuda(?:[ -]toolkit)?"}
_BEFORE = r"(?<![\w./\\:=+@-])"
_LINK = r"(?:\]\([^()\s]{1,200}\))?"
_GAP = rf"{_LINK}[*_`)\]]{{0,4}}[ ]{{0,3}}(?:\|[ ]{{0,20}}|[:(\[*_`]{{1,4}}[ ]{{0,2}})?"
_OPERATOR = r"(?:(?P<operator>>=|=>|≥|&gt;=|==|~=|<=|≤|&lt;=|>|<|=)[ ]{0,2})?"
_OPERATORS = {"=>": ">=", "≥": ">=", "&gt;=": ">=", "≤": "<=", "&lt;=": "<="}
_SEPARATOR = r"[ ]{0,2}(?:,[ ]?(?:and|or)?|\||/|&|and|or)[ ]{0,2}"
_RANGE = r"[ ]{0,2}(?:[-~\u2013\u2014]|to|through|until)[ ]{0,2}"
_ABOVE = (
    r"\+|[*_`]{0,2}[ ,(\[]{1,3}(?:or|and)[ ](?:any[ ])?"
    r"(?:newer|later|higher|above|greater|up|upwards?|onwards?|more[ ]recent)\b"
)
_AT_LEAST = r"(?:at[ ]least|minimum|minimal|min\.)[ ]{1,2}[*_`]{0,2}$"
_HISTORY = (
    r"\b(?:drop(?:s|ped|ping)?|no[ ]longer|deprecat\w+|remov(?:e|es|ed|ing)|unsupported|"
    r"not[ ](?:yet[ ])?(?:supported?|work\w*|compatible|available|tested|recommended)|"
    r"(?:does|do|did|will|is|are)(?:n't|[ ]not)|won't|cannot|can't|except|instead|issues?|bugs?|"
    r"fix(?:e[sd])?|fail(?:s|ed|ure)?|errors?|add(?:s|ed)?|introduced?|end[ ]of[ ]life|"
    r"older|below|earlier|lower|ships?|shipped|bundled|built-?in|since|ended|released?)\b"
)
_PROMISE = (
    r"\b(?:requir\w+|support\w*|needs?|needed|works?|compatib\w+|tested|prerequisit\w+|depend\w*|"
    r"must|recommend\w*|minimum|minimal|at[ ]least|have|make[ ]sure|ensure|runs|"
    r"install(?:ed)?[ ](?:\w+[ ])?python)\b"
)
_MENTION = (
    rf"{_PROMISE}|\b(?:uses?|used|using|with|implemented|developed|environments?|versions?)\b"
)
_OPENING = r"[^\w]{0,20}(?:\d{1,2}\.[ ])?[^\w]{0,10}|.{0,200}!\["
_DATED = r"\s*(?:[-*+>#|]\s*)?[\[(*_]{0,3}(?:v?\d+\.\d+\.\d+|\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?)\b"
_BADGE = (
    r"/badge/(?:[\w%.]{1,40}[-_ ])?(?P<subject>python|cuda)(?:(?:%20|_)versions?)?"
    r"-(?P<value>[^\s)\"'?#]{1,80})"
)
_PYTHON_ASKED = (
    rf"(?:(?<![\w.-])python={{1,2}}|--python[ =][\"']?)(?P<value>{_RELEASES['python']})(?!\.?\d)"
)
_CUDA_ASKED = (
    r"(?<![\w.-])(?:pytorch-cuda|cudatoolkit|cuda-toolkit|cuda-version)={1,2}"
    r"(?P<value>\d{1,2}\.\d{1,2}(?:\.\d{1,3})?)(?!\.?\d)"
)
_WHEELS_ASKED = r"(?:[/+]|torch-backend[ =])(?P<value>cu(?:[89]|1\d)\d)\b"
_ASKED = (("python", _PYTHON_ASKED), ("cuda", _CUDA_ASKED), ("cuda", _WHEELS_ASKED))
_FLAGS = re.IGNORECASE | re.ASCII
_MAX_LINE = 1000
_MAX_MENTIONS = 8
"""How many phrases of a line are looked at for each subject."""


def promises(line: Fragment) -> Iterator[Statement]:
    """Yield what a line of prose promises, each version once.

    Args:
        line: The line; what comes after its first thousand characters is passed over.
    """
    text = line.text[:_MAX_LINE]
    low = text.lower()
    if ("python" not in low and "cuda" not in low) or re.match(_DATED, text):
        return
    seen: set[tuple[str, str]] = set()
    for statement in (*_spoken(line, text), *_badges(line, text)):
        key = statement.subject, statement.versions.text if statement.versions else statement.value
        if key not in seen:
            seen.add(key)
            yield statement


def asked_for(line: Fragment) -> Iterator[Statement]:
    """Yield the versions that a command asks for, which are no bounds on what else works."""
    text = line.text[:_MAX_LINE]
    for subject, pattern in _ASKED:
        for match in re.finditer(pattern, text, re.ASCII):
            span = line.span(*match.span("value"))
            yield Statement(subject, match["value"], span, binding=False)


def _badges(line: Fragment, text: str) -> Iterator[Statement]:
    """Source: the documentation of Shields.io, "Static Badge", for the text of a badge."""
    for match in re.finditer(_BADGE, text, _FLAGS) if "/badge/" in text else ():
        from urllib.parse import unquote

        # a badge ends with its colour; the hyphens of its text are doubled
        value = re.sub(r"(?<!-)-(?!-)[^-]*$", "", match["value"])
        shown = unquote(value).replace("--", "-").replace("_", " ").strip()
        subject = match["subject"].lower()
        found = re.match(_pattern(subject), f"{subject} {shown}", _FLAGS)
        if found is not None and value:
            start = match.start("value")
            span = line.span(start, start + len(value))
            yield Statement(subject, value, span, _versions(found), binding=False)


def _spoken(line: Fragment, text: str) -> Iterator[Statement]:
    for subject in _SUBJECTS:
        found = re.finditer(_pattern(subject), text, _FLAGS)
        for match in islice(found, _MAX_MENTIONS):
            if match["operator"] == "=":  # what a command asks for is no bound
                place = line.span(*match.span("first"))
                yield Statement(subject, match["first"], place, binding=False)
                continue
            versions = _versions(match)
            if _is_promise(text, match, bounded=versions is not None):
                if versions is None and _says(_AT_LEAST, text[: match.start()]):
                    versions = pep440(f">={match['first']}")
                place = line.span(*match.span("value"))
                yield Statement(subject, match["value"], place, versions, binding=False)


def _is_promise(text: str, match: re.Match[str], *, bounded: bool) -> bool:
    """Whether a phrase tells what the project works with: by its sentence, or by its place.

    Notes on changes and on what other things bring along name versions as well.
    """
    begin = text.rfind(". ", 0, match.start()) + 1
    end = text.find(". ", match.end())
    sentence = text[begin : end if end >= 0 else len(text)]
    if _says(_HISTORY, sentence):
        return False
    if not bounded and text[match.start("value") - 1].isalnum():
        return False  # python3.10 is the name of a program
    stands_first = re.fullmatch(_OPENING, text[begin : match.start()]) is not None
    return stands_first or _says(_PROMISE if bounded else _MENTION, sentence)


def _says(words: str, text: str) -> bool:
    return re.search(words, text, re.IGNORECASE) is not None


def _pattern(subject: str) -> str:
    release = rf"{_RELEASES[subject]}(?!\.?\d)"
    bound = rf",?[ ]{{0,2}}(?:<=?|!=|>=?|~=)[ ]{{0,2}}{release}"
    return (
        rf"{_BEFORE}{_SUBJECTS[subject]}(?:[ ]versions?)?{_GAP}"
        rf"(?P<value>{_OPERATOR}v?(?P<first>{release})"
        rf"(?:(?P<above>{_ABOVE})|{_RANGE}(?P<last>{release})|(?P<bounds>(?:{bound}){{1,4}})"
        rf"|(?P<others>(?:{_SEPARATOR}{release}(?!\+)){{1,9}}))?)"
    )


def _versions(match: re.Match[str]) -> VersionSet | None:
    """Return the versions that a phrase admits; None where one is named and nothing beside it."""
    first = match["first"]
    operator = _OPERATORS.get(match["operator"] or "", match["operator"] or "")
    if match["bounds"]:
        return pep440(f"{operator or '>='}{first}{_commas(match['bounds'])}")
    if match["above"] and operator in ("", ">="):
        return pep440(f">={first}")
    if match["last"]:
        above = _following(match["last"])
        return pep440(f">={first},<{above}")
    if match["others"]:
        others = re.findall(r"\d+\.\d+(?:\.\d+)?", match["others"])
        found = [release_versions(one) for one in (first, *others)]
        return reduce(or_, (one for one in found if one is not None))
    if operator == "==":
        return release_versions(first)
    if operator == "<=":
        return pep440(f"<{_following(first)}")
    return pep440(f"{operator}{first}") if operator else None


def _commas(bounds: str) -> str:
    return "".join(
        f",{operator}{release}"
        for operator, release in re.findall(r"([<>=!~]+)\s*([\d.]+)", bounds)
    )


def _following(release: str) -> str:
    """Return the first release after all that begin with one."""
    head, _, tail = release.rpartition(".")
    return f"{head}.{int(tail) + 1}" if head else str(int(tail) + 1)
