"""Which NumPy the binaries of an environment were built for, by their own account."""

from __future__ import annotations

from collections.abc import Mapping

from mlenv.versions.version import Version, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.binary import Binary
    from mlenv.model.environment import Environment

NUMPY = "numpy"
_NEW_MAJOR = 2


def installed_numpy(environment: Environment) -> Version | None:
    """Return the version of the NumPy that is installed; None where there is none."""
    one = environment.distributions.get(NUMPY) or environment.conda.get(NUMPY)
    return parse_version(one.version) if one is not None else None


def built_for_numpy_1(environment: Environment) -> Mapping[str, list[Binary]]:
    """Return the binaries that NumPy 2 refuses, by distribution; none beside NumPy 1."""
    numpy = installed_numpy(environment)
    if environment.binaries is None or numpy is None or numpy.release[0] < _NEW_MAJOR:
        return {}
    old: dict[str, list[Binary]] = {}
    for binary in environment.binaries.files:
        if binary.numpy is not None and binary.numpy.old and binary.owner not in ("", NUMPY):
            old.setdefault(binary.owner, []).append(binary)
    return old


def need_newer_numpy(environment: Environment) -> Mapping[str, tuple[Version, Binary]]:
    """Return the distributions that need a newer NumPy, each with the least and who names it.

    A distribution of which a binary does with the NumPy that is there may load the others beside
    a newer one only.
    """
    numpy = installed_numpy(environment)
    if environment.binaries is None or numpy is None:
        return {}
    least: dict[str, tuple[Version, Binary]] = {}
    for binary in environment.binaries.files:
        minimum = parse_version(binary.numpy.minimum) if binary.numpy else None
        if minimum is None or binary.owner in ("", NUMPY):
            continue
        if binary.owner not in least or minimum < least[binary.owner][0]:
            least[binary.owner] = minimum, binary
    there = numpy.release[:2]
    return {name: one for name, one in least.items() if one[0].release[:2] > there}
