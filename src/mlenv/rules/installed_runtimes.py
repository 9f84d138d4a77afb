"""Topic ``environment``: copies of one runtime that get into each other's way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.binary import Runtime
from mlenv.model.environment import CONDA, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.target import LINUX, MACOS
from mlenv.phrases import listed
from mlenv.rules.base import rule

_GNU = "libgomp"
_INTEL = "libiomp5"
_STATIC_TLS = frozenset(("aarch64", "arm64"))
_MOST_NAMED = 3
_CHECK = Evidence(
    "the runtimes of Intel and LLVM end a process in which one of them is initialized already",
    "LLVM, openmp/runtime/src/kmp_runtime.cpp (__kmp_register_library_startup)",
)
_TLS = Evidence(
    "on ARM each copy of libgomp takes from the same small store for thread-local data",
    "scikit-learn's documentation, Frequently Asked Questions; GNU C library, static TLS",
)


@rule(
    "ENV030",
    "several-openmp",
    topic="environment",
    severity=Severity.WARNING,
    only=("binaries",),
)
def several_openmp(environment: Environment) -> Iterator[Finding]:
    """More than one OpenMP runtime of Intel's or LLVM's that one process may load.

    conda's MKL brings ``libiomp5``, wheels bring a copy of their own. Each refuses to start where
    the other one runs already, and ends the process. Copies of GNU's ``libgomp`` beside each
    other, as torch and scikit-learn bring them, do no harm on x86 and are not reported; on ARM
    they are worth a note, and so are those of wheels alone, which live with each other mostly.

    Messages that users see: "OMP: Error #15: Initializing libiomp5md.dll, but found libiomp5md.dll
    already initialized", "libgomp.so.1: cannot allocate memory in static TLS block".

    Bad:
        mkl from conda, with libiomp5.so
        torch from PyPI for Windows, with a libiomp5md.dll of its own

    Good:
        torch and MKL both from conda-forge
    """
    binaries = environment.binaries
    found = binaries.runtimes if binaries is not None else ()
    checked = [one for one in found if one.family != _GNU]
    gnu = [one for one in found if one.family == _GNU]
    interpreter = environment.interpreter
    system = interpreter.system if interpreter is not None else LINUX
    arch = interpreter.machine if interpreter is not None else ""
    if len(checked) > 1:
        intel = any(one.family == _INTEL for one in checked)
        # wheels are made to live with each other; conda's MKL and a wheel are not
        mild = system == MACOS or not intel or environment.manager != CONDA
        yield _finding(
            environment,
            checked,
            "which end a process that loads two of them",
            "take MKL, torch and what else uses OpenMP from one source; KMP_DUPLICATE_LIB_OK only "
            "hides it",
            _CHECK,
            Severity.NOTE if mild else Severity.WARNING,
        )
    elif len(gnu) > 1 and system == LINUX and arch in _STATIC_TLS:
        yield _finding(
            environment,
            gnu,
            "of which the last may find no room for its thread-local data",
            "import what fails first, before the others",
            _TLS,
            Severity.NOTE,
        )


def _finding(
    environment: Environment,
    found: Sequence[Runtime],
    outcome: str,
    advice: str,
    evidence: Evidence,
    severity: Severity,
) -> Finding:
    owners = list(dict.fromkeys(one.owner for one in found if one.owner))
    shown = [
        f"{one.path.rpartition('/')[2]} of {one.owner}" if one.owner else one.path for one in found
    ]
    return Finding(
        f"{len(found)} OpenMP runtimes are there, {outcome}: {listed(shown, _MOST_NAMED)}",
        environment.where(owners[0]) if owners else environment.span,
        tuple(owners),
        severity,
        help=advice,
        related=tuple(Related(environment.where(one), one) for one in owners[1:]),
        evidence=(
            Evidence(", ".join(one.path for one in found), "the environment's own files"),
            evidence,
        ),
    )
