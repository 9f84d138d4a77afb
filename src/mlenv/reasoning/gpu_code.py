"""The GPUs that the binaries of an installed distribution have code for."""

from __future__ import annotations

from collections.abc import Iterable

from mlenv.knowledge.torch import Architectures, read_architectures
from mlenv.model.binary import Binary, supported
from mlenv.model.finding import Evidence


def gpu_code(binaries: Iterable[Binary]) -> Architectures | None:
    """Return the architectures that some binaries hold code for; None where they hold none.

    A distribution may bring one library for each CUDA or GPU, of which it loads the fitting one,
    so what any of them has counts.

    Args:
        binaries: Those of one distribution.
    """
    names: dict[str, None] = {}
    files: list[str] = []
    for binary in binaries:
        if binary.kernels is not None:
            found = supported(binary.kernels)
            names.update(dict.fromkeys(found))
            files += [binary.path] if found else []
    if not names:
        return None
    first = files[0].rpartition("/")[2]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    fact = f"{first}{more}: GPU code for {', '.join(names)}"
    return read_architectures(tuple(names), Evidence(fact, files[0]))
