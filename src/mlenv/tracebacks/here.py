"""What of an environment and a machine bears on a message: facts, each with where it is from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from mlenv.knowledge import Knowledge
from mlenv.model.binary import Binary
from mlenv.model.environment import Environment
from mlenv.model.finding import Evidence
from mlenv.model.machine import NO_DRIVER, Machine
from mlenv.model.machine_text import gpu_words
from mlenv.model.requirement import canonical_name
from mlenv.model.surroundings import Surroundings
from mlenv.phrases import listed
from mlenv.records import dataclass
from mlenv.tracebacks.recognise import Recognised

_HERE = "this machine"
_MOST_NAMED = 4
_COMPANIONS = ("torchvision", "torchaudio", "xformers", "triton", "flash-attn")


@dataclass(frozen=True, slots=True, eq=False)
class _About:
    """What facts are sought about.

    Attributes:
        recognised: The message.
        around: The environment and the machine.
        knowledge: The records.
        modules: The modules that the traceback goes through, the last first.
    """

    recognised: Recognised
    around: Surroundings
    knowledge: Knowledge
    modules: Sequence[str]

    @property
    def environment(self) -> Environment | None:
        return self.around.environment

    @property
    def machine(self) -> Machine | None:
        return self.around.machine

    @property
    def binaries(self) -> tuple[Binary, ...]:
        found = self.environment.binaries if self.environment is not None else None
        return found.files if found is not None else ()


def facts_here(
    recognised: Recognised, around: Surroundings, knowledge: Knowledge, modules: Sequence[str]
) -> tuple[Evidence, ...]:
    """Return what is so here and bears on a message.

    Args:
        recognised: The message.
        around: The environment and the machine.
        knowledge: The records.
        modules: The modules that the traceback goes through, the last first.
    """
    about = _About(recognised, around, knowledge, modules)
    found = [*_versions(about)]
    for name in recognised.facts:
        found += SEEKERS[name](about)
    return tuple({one.fact: one for one in found}.values())


def _versions(about: _About) -> Iterator[Evidence]:
    """Yield which of the packages are installed, and that the first of them is not."""
    environment, packages = about.environment, about.recognised.packages
    if environment is None or not packages:
        return
    there = [name for name in packages if _version(environment, name)]
    if there:
        shown = [f"{name} {_version(environment, name)}" for name in there]
        verb = "is" if len(shown) == 1 else "are"
        yield Evidence(f"{', '.join(shown)} {verb} installed", environment.name)
    elif "module" not in about.recognised.facts:
        said = (
            f"neither {packages[0]} nor {packages[1]} is"
            if packages[1:]
            else f"{packages[0]} is not"
        )
        yield Evidence(f"{said} installed", environment.name)


def _version(environment: Environment, name: str) -> str:
    version = environment.version_of(name)
    pytorch = environment.conda.get("pytorch") if name == "torch" else None
    return version or (pytorch.version if pytorch is not None else "")


def _torch(about: _About) -> Iterator[Evidence]:
    environment = about.environment
    truth = environment.torch.get("torch") if environment is not None else None
    if environment is None or truth is None:
        return
    built = f"for CUDA {truth.cuda}"
    if truth.hip:
        built = f"for ROCm {truth.hip}"
    elif truth.cuda in ("", "none"):
        built = "without CUDA"
    yield Evidence(f"torch {truth.version} was built {built}", truth.location or environment.name)


def _companions(about: _About) -> Iterator[Evidence]:
    environment = about.environment
    for name in _COMPANIONS if environment is not None else ():
        truth = environment.torch.get(name) if environment is not None else None
        if environment is not None and truth is not None and truth.cuda:
            cuda = "without CUDA" if truth.cuda == "none" else f"for CUDA {truth.cuda}"
            where = truth.location or environment.name
            yield Evidence(f"{name} {truth.version} was built {cuda}", where)


def _driver(about: _About) -> Iterator[Evidence]:
    if about.machine is None:
        return
    driver = about.machine.driver
    if not driver.problem:
        offers = f" offers CUDA {driver.cuda}" if driver.cuda else ""
        yield Evidence(f"driver {driver.version}{offers or ' answers'}", "NVML")
    elif driver.problem == NO_DRIVER:
        container = about.machine.container
        inside = f" in this container ({container})" if container else ""
        yield Evidence(f"no NVIDIA driver answers{inside}", _HERE)
    else:
        yield Evidence(f"the driver does not answer: {driver.said}", "NVML")


def _gpus(about: _About) -> Iterator[Evidence]:
    machine = about.machine
    if machine is None:
        return
    kinds = dict.fromkeys(gpu_words(gpu) for gpu in machine.gpus)
    yield from (Evidence(f"there is {words}", "NVML") for words in kinds)
    if machine.visible_devices is not None:
        value = machine.visible_devices or "(empty)"
        left = f"leaves {len(machine.visible)} of {len(machine.gpus)} GPUs" if machine.gpus else ""
        said = f"CUDA_VISIBLE_DEVICES is {value}" + (f", which {left}" if left else "")
        yield Evidence(said, "the process's environment")


def _toolkit(about: _About) -> Iterator[Evidence]:
    machine = about.machine
    if machine is None:
        return
    if machine.toolkit_folder:
        version = machine.toolkit or "of a version that its files do not tell"
        yield Evidence(f"nvcc {version} lies in {machine.toolkit_folder}", _HERE)
    else:
        yield Evidence("there is no nvcc in CUDA_HOME, on PATH or in /usr/local/cuda", _HERE)
    if machine.cuda_home:
        yield Evidence(f"CUDA_HOME is {machine.cuda_home}", "the process's environment")


def _numpy(about: _About) -> Iterator[Evidence]:
    """Yield whose binaries were built for another NumPy than the one that is there."""
    environment = about.environment
    version = _version(environment, "numpy") if environment is not None else ""
    users = [one for one in about.binaries if one.numpy is not None and one.owner != "numpy"]
    old = dict.fromkeys(
        one.owner for one in users if one.numpy is not None and one.numpy.old and one.owner
    )
    if environment is None or not version or not users:
        return
    if old and not version.startswith("1."):
        shown = [f"{name} {_version(environment, name)}" for name in old]
        said = f"built for NumPy 1 alone: {listed(shown, _MOST_NAMED)}"
        yield Evidence(said, "the texts in their binaries")
    elif not old:
        yield Evidence(
            "no binary of this environment was built for NumPy 1 alone: the message is from "
            "another environment, or from before a change",
            environment.name,
        )


def _python(about: _About) -> Iterator[Evidence]:
    environment = about.environment
    if environment is not None and environment.interpreter is not None:
        python = environment.interpreter
        shown = " ".join(filter(None, (python.version, f"for {python.system}", python.machine)))
        yield Evidence(f"the environment's Python is {shown}", environment.name)


def _libc(about: _About) -> Iterator[Evidence]:
    if about.machine is not None and about.machine.libc:
        release = f" of {about.machine.release}" if about.machine.release else ""
        yield Evidence(f"the C library{release} is {about.machine.libc}", _HERE)


def _library(about: _About) -> Iterator[Evidence]:
    """Yield what brings a shared library: what is installed, else what could be."""
    soname = about.recognised.said.get("soname", "")
    environment = about.environment
    if not soname:
        return
    stem = soname.partition(".so")[0]
    brought = [one for one in about.binaries if one.path.rpartition("/")[2] == soname]
    others = [
        one.path.rpartition("/")[2]
        for one in about.binaries
        if one.path.rpartition("/")[2].startswith(f"{stem}.so") and one not in brought
    ]
    needs = dict.fromkeys(one.owner for one in about.binaries if soname in one.needed and one.owner)
    name = environment.name if environment is not None else ""
    if needs:
        yield Evidence(f"{listed(list(needs), _MOST_NAMED)} asks for {soname}", name)
    for one in brought[:1]:
        yield Evidence(f"{one.owner or 'a file of nobody'} brings {soname} here", one.path)
    if about.binaries and not brought:
        there = f"; {others[0]} is there instead" if others else ""
        yield Evidence(f"{soname}: no installed package brings it{there}", name)
    if not brought:
        yield from _bringers(soname, about.knowledge)


def _bringers(soname: str, knowledge: Knowledge) -> Iterator[Evidence]:
    known = knowledge.sonames.brings(soname)
    if known is not None:
        apt = known.apt
        if apt and known.renamed:
            apt = f"{apt} ({known.renamed} from Debian 13 and Ubuntu 24.04 on)"
        ways = (("apt", apt), ("conda", known.conda), ("PyPI", known.pypi))
        said = "; ".join(f"{where}: {what}" for where, what in ways if what)
        yield Evidence(f"what brings {soname}: {said}", known.evidence.source)
    elif knowledge.sonames.is_of_driver(soname):
        yield knowledge.sonames.driver_evidence


def _owner(about: _About) -> Iterator[Evidence]:
    yield from _owner_of(about, about.recognised.said.get("file", ""))


def _owner_of_by(about: _About) -> Iterator[Evidence]:
    yield from _owner_of(about, about.recognised.said.get("by", ""))


def _owner_of(about: _About, path: str) -> Iterator[Evidence]:
    environment = about.environment
    name = re.split(r"[/\\]", path)[-1]
    held = [one for one in about.binaries if one.path.rpartition("/")[2] == name and one.owner]
    if environment is not None and name and held:
        owner = held[0].owner
        said = f"{name} is a file of {owner} {_version(environment, owner)}"
        yield Evidence(said.rstrip(), held[0].path)


def _openmp(about: _About) -> Iterator[Evidence]:
    environment = about.environment
    binaries = environment.binaries if environment is not None else None
    runtimes = binaries.runtimes if binaries is not None else ()
    if environment is not None and len(runtimes) > 1:
        shown = [f"{one.family} of {one.owner or 'the system'}" for one in runtimes]
        copies = listed(list(dict.fromkeys(shown)), _MOST_NAMED)
        yield Evidence(f"copies of the OpenMP runtime: {copies}", environment.name)


def _paths(about: _About) -> Iterator[Evidence]:
    """Yield the packages whose files the traceback goes through, the last first."""
    environment = about.environment
    if environment is None or not about.modules:
        return
    owners = environment.files.modules()
    names = [owners.get(module, canonical_name(module)) for module in about.modules]
    known = [name for name in dict.fromkeys(names) if _version(environment, name)]
    shown = [f"{name} {_version(environment, name)}" for name in known[:_MOST_NAMED]]
    if shown:
        said = f"the traceback goes through {', '.join(shown)}"
        yield Evidence(said, "the paths in it, and what is installed")


def _paths_of_libraries(about: _About) -> Iterator[Evidence]:
    machine = about.machine
    for folder in machine.library_folders if machine is not None else ():
        named = [f"{name} {folder.version_of(name)}".rstrip() for name in folder.libraries]
        said = f"{folder.path} in LD_LIBRARY_PATH holds {listed(named, _MOST_NAMED)}"
        yield Evidence(said, "the process's environment")


def _module(about: _About) -> Iterator[Evidence]:
    """Yield which distribution brings a module: an installed one, else the known name of one."""
    environment = about.environment
    module = about.recognised.said.get("module", "").partition(".")[0]
    if environment is None or not module:
        return
    owner = environment.files.modules().get(module, "")
    if owner:
        said = f"{owner} {_version(environment, owner)} brings {module}, and is installed here"
        yield Evidence(said, environment.name)
    else:
        yield Evidence(f"nothing that is installed brings {module}", environment.name)
        known = about.knowledge.names.wrong_name(canonical_name(module))
        if known is not None and known.use:
            yield Evidence(f"{module} is brought by {known.use}", known.evidence.source)


SEEKERS: Mapping[str, Callable[[_About], Iterator[Evidence]]] = {
    "torch": _torch,
    "companions": _companions,
    "driver": _driver,
    "gpus": _gpus,
    "toolkit": _toolkit,
    "numpy": _numpy,
    "python": _python,
    "libc": _libc,
    "library": _library,
    "owner": _owner,
    "owner-of-by": _owner_of_by,
    "openmp": _openmp,
    "paths": _paths,
    "paths-of-libraries": _paths_of_libraries,
    "module": _module,
}
"""What seeks each of :data:`mlenv.knowledge.messages.FACTS`."""
