"""Topic ``numpy2``: whether installed binaries were built for the NumPy beside them."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.binary import Binary
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.numpy_named import (
    NUMPY,
    built_for_numpy_1,
    installed_numpy,
    need_newer_numpy,
)
from mlenv.rules.base import rule
from mlenv.rules.installed import installed_version, shown
from mlenv.versions.version import Version

_MOST_NAMED = 5
_MODULES = Evidence(
    "NumPy 2 refuses its C interface to what was built with the headers of NumPy 1, which know "
    "only the module numpy.core._multiarray_umath",
    "NumPy's migration guide for 2.0; numpy/_core/include/numpy/__multiarray_api.h",
)
_MINIMUM = Evidence(
    "an extension names the least NumPy that it runs with and refuses an older one",
    "numpy/_core/include/numpy/__multiarray_api.h",
)


@rule(
    "NPY005",
    "numpy-1-binary",
    topic="numpy2",
    severity=Severity.ERROR,
    facts=("numpy2",),
    only=("binaries",),
)
def numpy_1_binary(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """An installed package whose binaries were built for NumPy 1, beside NumPy 2.

    Such an extension asks NumPy for a table that NumPy 2 no longer gives out, and its import
    fails. Metadata rarely say so: ``pip check`` finds nothing. Judged is what stands in the
    binaries, so it holds for packages and releases that nobody has on record, and for what was
    built here. What is built with pybind11 or in Rust works with either NumPy and is not
    reported.

    Messages that users see: "A module that was compiled using NumPy 1.x cannot be run in NumPy
    2.2.6", "numpy.core.multiarray failed to import", "numpy.dtype size changed, may indicate
    binary incompatibility".

    Bad:
        numpy 2.2.6
        opencv-python-headless 4.9.0.80

    Good:
        numpy 2.2.6
        opencv-python-headless 4.10.0.84
    """
    old, numpy = built_for_numpy_1(environment), installed_numpy(environment)
    if numpy is None:
        return
    newer = [_newer(environment, name, numpy, knowledge) for name in old]
    for name, binaries in old.items():
        yield Finding(
            f"{shown(environment, name)} was built for NumPy 1, and numpy {numpy} is installed",
            environment.where(name),
            (name,),
            help=f"install {listed(newer, _MOST_NAMED)}, or numpy<2",
            related=(Related(environment.where(NUMPY), "the NumPy"),),
            evidence=(
                Evidence(f"{_named(binaries)} NumPy 1's module only", binaries[0].path),
                _MODULES,
            ),
            batch=f"built for NumPy 1, {numpy}",
            batch_message="{count} packages were built for NumPy 1, and "
            f"numpy {numpy} is installed: {{packages}}",
        )


def _named(binaries: list[Binary]) -> str:
    name = binaries[0].path.rpartition("/")[2]
    if len(binaries) == 1:
        return f"{name} knows"
    return f"{name} and {len(binaries) - 1} more of its binaries know"


def _newer(environment: Environment, name: str, numpy: Version, knowledge: Knowledge) -> str:
    """Return the releases of a package that work with a NumPy, as far as known."""
    version = installed_version(environment, name)
    for boundary in knowledge.numpy2.about(name):
        if boundary.needs_newer or not boundary.numpy.admits(numpy, prereleases=True):
            continue
        is_broken = version is None or boundary.broken.admits(version, prereleases=True)
        if is_broken and boundary.first_good:
            return f"{name}>={boundary.first_good}"
    return f"a newer {name}"


@rule(
    "NPY006",
    "numpy-too-old",
    topic="numpy2",
    severity=Severity.ERROR,
    only=("binaries",),
)
def numpy_too_old(environment: Environment) -> Iterator[Finding]:
    """An installed package whose binaries name a newer NumPy than the one beside them.

    What is built with the headers of NumPy 2 says in the binary which NumPy it needs at least,
    and its import fails beside an older one. Installers see to it only where the metadata say
    the same; a NumPy that was set back by hand, or a package that was built here, is not seen.
    Reported is a package all of whose binaries that name one need a newer NumPy: h5py and blosc2
    have single ones that they load beside NumPy 2 only.

    Messages that users see: "module was compiled against NumPy C-API version 0x12 (NumPy 2.0) but
    the running NumPy has C-API version 0x10", "numpy.core.multiarray failed to import".

    Bad:
        numpy 1.24.4
        an extension that was built for NumPy 2 only

    Good:
        numpy 2.0.2
        the same extension
    """
    numpy = installed_numpy(environment)
    for name, (minimum, binary) in need_newer_numpy(environment).items():
        file = binary.path.rpartition("/")[2]
        yield Finding(
            f"{shown(environment, name)} needs NumPy {minimum} or newer, and numpy {numpy} is "
            "installed",
            environment.where(name),
            (name,),
            help=f"install numpy>={minimum}, or an older {name}",
            related=(Related(environment.where(NUMPY), "the NumPy"),),
            evidence=(
                Evidence(f"{file} names NumPy {minimum} as the least", binary.path),
                _MINIMUM,
            ),
            batch=f"needs newer than {numpy}",
            batch_message=f"{{count}} packages need a newer NumPy than numpy {numpy}, which is "
            "installed: {packages}",
        )
