"""An environment with what its compiled files tell, each for itself and together."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

from mlenv.binaries.cache import open_cache
from mlenv.binaries.link import link
from mlenv.binaries.scan import read_binaries
from mlenv.environment.records import Records
from mlenv.model.binary import Binaries
from mlenv.model.environment import CONDA, VENV, Environment
from mlenv.records import replace


def with_binaries(
    environment: Environment,
    variables: Mapping[str, str],
    *,
    use_cache: bool = True,
    audited: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Environment:
    """Return an environment with its compiled files read.

    Args:
        environment: As it was read from its prefix.
        variables: Of the process that is in it: ``LD_LIBRARY_PATH``; none where nobody is.
        use_cache: Whether what is known of files from an earlier run counts.
        audited: Folders beside the environment in which nothing is written.
        progress: Called with how many files are done, and how many there are.
    """
    start = time.perf_counter()
    files = environment.files
    owner_of = files.owner_of if isinstance(files, Records) else _nobody
    folders = [site for site in environment.sites if not os.path.isabs(site)]
    if environment.manager in (CONDA, VENV):  # wheels of mkl and tbb put libraries there, too
        folders += ["lib", "Library"]
    cache = open_cache((environment.prefix, *audited)) if use_cache else None
    scan = read_binaries(environment.prefix, folders, owner_of, cache=cache, progress=progress)
    library_path = [one for one in variables.get("LD_LIBRARY_PATH", "").split(os.pathsep) if one]
    interpreter = environment.interpreter
    links = link(
        scan.files,
        environment.prefix,
        environment.sites,
        machine=interpreter.machine if interpreter else "",
        root=environment.root,
        library_path=library_path,
    )
    made = Binaries(
        scan.files,
        links.missing,
        links.symbols,
        links.not_found,
        links.runtimes,
        links.provided,
        scan.unread,
        scan.from_cache,
        time.perf_counter() - start,
    )
    return replace(environment, binaries=made)


def _nobody(_path: str) -> str:
    return ""
