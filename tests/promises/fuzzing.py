"""Makes inputs that no person writes, and puts each through all that the program does to a file.

An input follows from a seed and a number alone, so whoever has the two has the input.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from machine_samples import (
    CODE_KINDS,
    MACHINE_KINDS,
    OTHER_KINDS,
    OTHER_PATHS,
    OTHER_PIECES,
    OTHER_SAMPLES,
    WELL_KNOWN,
)
from outputs import assert_harmless
from places import assert_places
from surroundings import MemoryCode, any_machine, described
from wellformed import PATHS, SAMPLES, pieces_of

from mlenv.config import Config
from mlenv.model.project import Project, ResolvedInclude
from mlenv.model.report import Report
from mlenv.model.source import IMAGE
from mlenv.model.surroundings import Surroundings
from mlenv.project.classify import by_content, by_name, rejection
from mlenv.project.coverage import coverage
from mlenv.project.decode import decode
from mlenv.project.install_sets import install_sets, membership
from mlenv.project.profiles import profiles
from mlenv.project.readers import KINDS, read_as
from mlenv.report.registry import DEPS, REPORTS, deps_renderer, report_renderer
from mlenv.report.view import View
from mlenv.rules.engine import run
from mlenv.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlenv.model.report import Reported
    from mlenv.model.source import Source
    from mlenv.model.target import Target
    from mlenv.model.text import Span

TRIED = (*KINDS, *OTHER_KINDS)
OWN_SEEDS: Mapping[str, Sequence[str]] = {
    kind: (text,) for kind, text in {**SAMPLES, **OTHER_SAMPLES}.items()
}
_DAYS = ("2026-01-01", "2024-06-20", "2021-03-01")
_WINDOW = 700
"""How much of a large seed is taken: most errors of a reader need few lines."""

_RARE = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1")
_NESTING = (
    *("(", "[", "{", "- ", "[[", "{a: ", "((", "a.", "? ", "> ", "$(", "${a:-", '"', "`"),
    *("if x; then ", "bash -c '", "{{", "{% if x %}", "not ", "| ", "  ", "'"),
)
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_VIEWS = (View(width=60), View(width=100, verbose=True, prefix="sub/"), View(quiet=True))


@dataclass(frozen=True)
class Input:
    """One file that is tried.

    Attributes:
        kind: The format that it is read as.
        path: What it is called.
        data: What it holds.
        maker: Which of the generators made it.
    """

    kind: str
    path: str
    data: bytes
    maker: str


def make(seed: int, number: int, seeds: Mapping[str, Sequence[str]] = OWN_SEEDS) -> Input:
    """Return the input with a number, of the kind whose turn it is.

    Args:
        seed: Another one gives other inputs.
        number: Which of them.
        seeds: Well-formed files by kind, to be spoilt.
    """
    rng = Random(f"{seed}/{number}")
    kind = TRIED[number % len(TRIED)]
    maker = rng.choices(tuple(_MAKERS), (1, 6, 3))[0]
    path = PATHS.get(kind) or OTHER_PATHS[kind]
    return Input(kind, path, _MAKERS[maker](rng, kind, seeds), maker)


def _pieces(kind: str) -> tuple[str, ...]:
    return (*pieces_of(kind), *OTHER_PIECES.get(kind, ()) * 2)


def _arbitrary(rng: Random, kind: str, _seeds: Mapping[str, Sequence[str]]) -> bytes:
    size = int(rng.expovariate(0.015))
    shape = rng.randrange(4)
    if shape == 0:
        return rng.randbytes(size)
    if shape == 1:
        return "".join(map(chr, rng.choices(range(1, 127), k=size))).encode()
    if shape == 2:
        text = "".join(map(chr, rng.choices(range(0x2FFF), k=size // 2)))
        return _encoded(rng, text)
    few = rng.sample(_pieces(kind), 2)
    return _encoded(rng, "".join(rng.choices(few, k=size // 2)))


def _soup(rng: Random, kind: str, seeds: Mapping[str, Sequence[str]]) -> bytes:
    known = _pieces(kind)
    words = _TOKEN.findall(_window(rng, rng.choice(seeds[kind])))
    # newlines hold most grammars together, and pieces of the grammar go before those of all
    pool = ("\n", *rng.sample(known, min(12, len(known))), *known[-12:], *words[:60])
    pool += tuple(f"{one}\n" for one in rng.sample(WELL_KNOWN, 5))
    return _encoded(rng, "".join(rng.choices(pool, k=int(rng.expovariate(0.05)))))


def _mutated(rng: Random, kind: str, seeds: Mapping[str, Sequence[str]]) -> bytes:
    text = _window(rng, rng.choice(seeds[kind]))
    for _ in range(1 + int(rng.expovariate(0.7))):
        change = rng.choice(_CHANGES)
        text = change(rng, text, kind, seeds)
    data = _encoded(rng, text)
    if data and rng.random() < 0.1:
        spoilt = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        return bytes(spoilt)
    return data


_MAKERS: dict[str, Callable[[Random, str, Mapping[str, Sequence[str]]], bytes]] = {
    "bytes": _arbitrary,
    "mutation": _mutated,
    "soup": _soup,
}


def _window(rng: Random, text: str) -> str:
    """Return a text, or its head with a stretch of a long one."""
    if len(text) <= _WINDOW:
        return text
    lines = text.splitlines(keepends=True)
    start = rng.randrange(len(lines))
    kept = lines[: rng.choice((0, 2, 8))]
    size = sum(map(len, kept))
    for line in lines[max(start, len(kept)) :]:
        size += len(line)
        if size > _WINDOW:
            break
        kept.append(line)
    return "".join(kept)[: 2 * _WINDOW]


def _encoded(rng: Random, text: str) -> bytes:
    if rng.random() < 0.06:
        text = text.replace("\n", rng.choice(("\r\n", "\r", "\n\n", "\u2028", "\x0b")))
    encoding = rng.choice(_RARE) if rng.random() < 0.17 else "utf-8"
    return text.encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass")


def _lines_moved(rng: Random, text: str, kind: str, seeds: Mapping[str, Sequence[str]]) -> str:
    lines = text.splitlines(keepends=True) or [""]
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(5)
    if what == 0:
        del lines[min(one, two) : min(one, two) + rng.randint(1, 3)]
    elif what == 1:
        lines[one:one] = lines[two : two + rng.randint(1, 5)]
    elif what == 2:
        lines[one], lines[two] = lines[two], lines[one]
    elif what == 3:
        lines[one] = " " * rng.randrange(9) + lines[one].lstrip()
    else:
        lines[one] = rng.choice(rng.choice(seeds[kind]).splitlines(keepends=True) or [""])
    return "".join(lines)


def _spliced(rng: Random, text: str, _kind: str, seeds: Mapping[str, Sequence[str]]) -> str:
    """Return a text with a few of its tokens replaced by a few of another file of any kind."""
    other = _window(rng, rng.choice(seeds[rng.choice(TRIED)]))
    start, place = rng.randint(0, len(text)), rng.randint(0, len(other))
    cut = other[place : place + rng.randint(1, 40)]
    return text[:start] + cut + text[start + rng.choice((0, 0, len(cut))) :]


def _cut_short(rng: Random, text: str, _kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    place = rng.randint(0, len(text))
    return text[:place] if rng.random() < 0.7 else text[place:]


def _pieced(rng: Random, text: str, kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    """Return a text with a piece of its grammar in place of a few characters."""
    start = rng.randint(0, len(text))
    length = rng.choice((0, 0, 1, 1, 3, 10))
    return text[:start] + rng.choice(_pieces(kind)) + text[start + length :]


def _renamed(rng: Random, text: str, _kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    """Return a text that asks for something else, of which the records speak."""
    old = rng.choice(("numpy", "torch", "scipy", "pandas", "x", "tqdm", "pytest"))
    parts = re.split(rf"(?<![\w-]){old}(?![\w-])(?:==[\d.]+)?", text)
    return "".join(part + rng.choice(WELL_KNOWN) for part in parts[:-1]) + parts[-1]


def _character(rng: Random, text: str, _kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    start = rng.randint(0, len(text))
    wide = rng.random() < 0.2
    return text[:start] + chr(rng.randrange(0x11000 if wide else 128)) + text[start + 1 :]


def _nested(rng: Random, text: str, _kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    start = rng.randint(0, len(text))
    depth = rng.choice((5, 20, 20, 100, 100, 1500))
    opening = rng.choice(_NESTING)
    closing = {"(": ")", "[": "]", "{": "}"}.get(opening[-1], "") * rng.choice((0, 1)) * depth
    return text[:start] + opening * depth + closing + text[start:]


def _repeated(rng: Random, text: str, kind: str, _seeds: Mapping[str, Sequence[str]]) -> str:
    start = rng.randint(0, len(text))
    piece = rng.choice(_pieces(kind))[:20]
    return text[:start] + piece * rng.choice((3, 30, 30, 100)) + text[start:]


_CHANGES = (
    *(_lines_moved, _lines_moved, _spliced, _spliced, _pieced, _pieced, _pieced),
    *(_character, _character, _cut_short, _nested, _repeated, _renamed, _renamed),
)


def check(inputs: Sequence[Input]) -> None:
    """Fail where a project of some files makes the program fail, or say what it may not.

    Each file lies in a folder of its own, the first one at the root; descriptions of machines are
    its targets.
    """
    sources: dict[str, Source] = {}
    codes: dict[str, bytes] = {}
    rng = Random(b"".join(one.data for one in inputs))
    targets = []
    for number, one in enumerate(inputs):
        path = f"{number}/{one.path}" if number else one.path
        if one.kind in MACHINE_KINDS:
            targets += described(one.kind, one.data)
            continue
        if one.kind in CODE_KINDS:
            codes[path] = one.data
            continue
        text = decode(path, one.data)
        by_content(by_name(path), text.text)
        rejection(by_name(path), text.text)
        source = read_as(one.kind, text)
        assert_places(source)
        sources[path] = source
    if rng.random() < 0.5:
        targets += described("target-json", any_machine(rng))
    _check_project(_project(sources, MemoryCode(codes)), targets, rng)


def _check_project(project: Project, targets: Sequence[Target], rng: Random) -> None:
    day = rng.choice(_DAYS)
    findings, silenced = run(RULES, project, Config(), day, around=Surroundings(tuple(targets)))
    for finding in findings:
        _assert_inside(finding)
    report = Report(
        ".", project.profile, (), (), findings, silenced, 1, day, targets=tuple(targets)
    )
    view = rng.choice(_VIEWS)
    for name in REPORTS:
        assert_harmless(report_renderer(name)(report, view), name)
    for name in DEPS:
        assert_harmless(deps_renderer(name)(project, view), f"deps {name}")


def _project(sources: dict[str, Source], code: MemoryCode) -> Project:
    """Return the project of some files, put together as the loader does without a disk."""
    includes = tuple(
        ResolvedInclude(path, include, target)
        for path, source in sources.items()
        for include in source.includes
        for target in _targets(path, include.target, sources)
    )
    covered = coverage(sources, includes)
    every_set = install_sets(sources, includes, covered)
    sets = tuple(one for one in every_set if one.home.role != IMAGE)
    each, overall = profiles(sources)
    return Project(
        ".",
        sources,
        includes,
        (),
        sets,
        each,
        overall,
        covered,
        membership(sets),
        tuple(one for one in every_set if one.home.role == IMAGE),
        code=code,
    )


def _targets(origin: str, target: str, sources: dict[str, Source]) -> list[str]:
    """Return the files that an include is taken to lead to: one of that name in any folder."""
    name = posixpath.basename(target)
    return [path for path in sources if path != origin and posixpath.basename(path) == name]


def _assert_inside(finding: Reported) -> None:
    spans: list[Span | None] = [finding.span, *(related.span for related in finding.related)]
    for span in spans:
        if span is not None:
            assert 0 <= span.start <= span.end <= len(span.source.text), (finding.rule, span)
    assert finding.message, finding.rule


def smallest(one: Input, fails: Callable[[Input], bool], tries: int = 400) -> Input:
    """Return a part of an input, as small as can be found, that fails as the whole does."""
    data, size = one.data, max(len(one.data) // 2, 1)
    while size and tries > 0:
        start = 0
        while start < len(data) and tries > 0:
            shorter = data[:start] + data[start + size :]
            tries -= 1
            if fails(Input(one.kind, one.path, shorter, one.maker)):
                data = shorter
            else:
                start += size
        size //= 2
    return Input(one.kind, one.path, data, one.maker)
