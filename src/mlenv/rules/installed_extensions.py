"""Topic ``companions``: installed extensions that were built for another torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.model.binary import MissingSymbols
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.lacking import loading
from mlenv.rules.base import rule
from mlenv.rules.installed import file_of, shown

_TORCH = "torch"
_MOST_NAMED = 3
_LONGEST_SYMBOL = 90
_ON_TORCH = re.compile(r"torch\s{0,4}\(?\s{0,4}([=<>~!][^;()]*)", re.IGNORECASE)
"""A requirement on torch with bounds, as ``Requires-Dist`` has it."""


@rule(
    "CMP004",
    "built-for-other-torch",
    topic="companions",
    severity=Severity.ERROR,
    facts=("sonames",),
    only=("binaries",),
)
def built_for_other_torch(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """An extension that takes symbols from torch which the installed torch does not have.

    Extensions are built for one torch: its functions, and the C++ ABI that it was built with. What
    they ask for is compared with what the installed libraries of torch export, so it holds for
    wheels whose metadata say nothing, for builds from source and for other versions than those on
    record. An error where the package is surely not imported without it, a warning where it may
    go on without its extension.

    Messages that users see: "undefined symbol: _ZN3c105ErrorC2ENS_14SourceLocationESs", "operator
    torchvision::nms does not exist", "Could not load this library: libtorchaudio.so", "xFormers
    can't load C++/CUDA extensions".

    Bad:
        torch 2.13.0
        torchvision 0.24.1

    Good:
        torch 2.9.1
        torchvision 0.24.1
    """
    binaries = environment.binaries
    by_owner: dict[str, list[MissingSymbols]] = {}
    for one in binaries.symbols if binaries is not None else ():
        by_owner.setdefault(one.owner, []).append(one)
    for owner, symbols in by_owner.items():
        yield _for_other_torch(environment, owner, symbols, knowledge)


def _for_other_torch(
    environment: Environment,
    owner: str,
    symbols: Sequence[MissingSymbols],
    knowledge: Knowledge,
) -> Finding:
    paths = tuple(one.path for one in symbols)
    owners = [owner] if owner else []
    loaded = loading(environment, owners, paths, knowledge)
    fails = any(one.imports for one in symbols) or any(one.fails for one in loaded)
    most = max(symbols, key=lambda one: one.count)
    abi = next((one.abi for one in symbols if one.abi), "")
    torch = shown(environment, _TORCH)
    who = shown(environment, owner) if owner else file_of(paths)
    if abi:
        other = {"old": "new", "new": "old"}[abi]
        what = f"was built for the {abi} C++ ABI, and {torch} is built with the {other} one"
    else:
        what = f"was built for another torch: {torch} lacks {_functions(most.count)} it needs"
    outcome = f", and importing {_imported(owner, symbols)} fails" if fails else ""
    return Finding(
        f"{who} {what}{outcome}",
        environment.where(owner),
        (owner, _TORCH) if owner else (_TORCH,),
        None if fails else Severity.WARNING,
        help=_fitting(environment, owner),
        related=(Related(environment.where(_TORCH), "the torch"),),
        evidence=(
            Evidence(
                f"{file_of((most.path,))} needs {most.symbols[0][:_LONGEST_SYMBOL]}, which no "
                "library of torch exports",
                "the files' own tables of symbols (.dynsym)",
            ),
            *(one.evidence for one in loaded),
        ),
    )


def _functions(count: int) -> str:
    return "a function" if count == 1 else f"{count} functions"


def _imported(owner: str, symbols: Sequence[MissingSymbols]) -> str:
    names = sorted({name for one in symbols for name in one.imports})
    return listed(names, _MOST_NAMED) if names else owner


def _fitting(environment: Environment, owner: str) -> str:
    """Return what would fit, by what the distribution itself asks for."""
    one = environment.distributions.get(owner)
    torch = environment.version_of(_TORCH).partition("+")[0]
    for line in one.requires if one is not None else ():
        match = _ON_TORCH.match(line)
        if match is not None and match[1].strip():
            asked = match[1].strip().rstrip(",")
            return f"install torch{asked}, or a {owner} that is built for torch {torch}"
    return f"install {owner or 'what holds it'} again, in a build for torch {torch}"
