"""Topic ``system-libraries``: whether a system's C and C++ libraries are as new as binaries ask."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.binary import Binaries, NotFoundVersion
from mlenv.model.environment import CONDA, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.lacking import owners_of
from mlenv.rules.base import rule
from mlenv.rules.installed import file_of, needs, shown

_MOST_NAMED = 3


@rule(
    "SYS007",
    "interface-version-missing",
    topic="system-libraries",
    severity=Severity.ERROR,
    only=("binaries",),
)
def interface_version_missing(environment: Environment) -> Iterator[Finding]:
    """A binary that needs a newer C or C++ library than the one it gets.

    Binaries name the versions of the interfaces that they use. What is compared is the C library
    of the system and the C++ library that the binary's own search finds: that of its wheel, of
    conda or of the system. An error where importing a package surely loads such a binary, a
    note elsewhere.

    Messages that users see: "version `GLIBCXX_3.4.30' not found", "version `GLIBC_2.38' not
    found".

    Bad:
        an extension that was built on Ubuntu 24.04, in an environment on Ubuntu 20.04

    Good:
        a wheel for manylinux_2_28 on a system with glibc 2.28 or newer
    """
    for one in environment.binaries.not_found if environment.binaries is not None else ():
        assert environment.binaries is not None
        yield _not_found(environment, environment.binaries, one)


def _not_found(environment: Environment, binaries: Binaries, one: NotFoundVersion) -> Finding:
    owners = owners_of(binaries, one.needed_by)
    fails = f", and importing {listed(one.imports, _MOST_NAMED)} fails" if one.imports else ""
    who = listed([shown(environment, owner) for owner in owners], _MOST_NAMED)
    if one.version.startswith("GLIBC_"):
        help_ = f"take an older {owners[0] if owners else 'build'}, or a newer system or image"
    elif environment.manager == CONDA:
        help_ = "conda install -c conda-forge libstdcxx"
    else:
        help_ = "take a system or image with a newer GCC, or an older build"
    return Finding(
        f"{who or file_of(one.needed_by)} {needs(owners)} "
        f"{one.version}, and {one.library} ends with {one.has}{fails}",
        environment.where(owners[0]) if owners else environment.span,
        tuple(owners),
        None if one.imports else Severity.NOTE,
        help=help_,
        related=tuple(Related(environment.where(owner), owner) for owner in owners[1:]),
        evidence=(
            Evidence(
                f"{file_of(one.needed_by)} {needs(one.needed_by)} {one.version}, and "
                f"{one.library} defines up to {one.has}",
                "the files' own tables of versions (.gnu.version_r and .gnu.version_d)",
            ),
        ),
    )
