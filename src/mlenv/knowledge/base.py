"""The door to the records: typed questions; each file is read when first asked about."""

from __future__ import annotations

import os
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.knowledge.bases import Bases
    from mlenv.knowledge.breaks import Breaks
    from mlenv.knowledge.builds import Builds
    from mlenv.knowledge.companions import Companions
    from mlenv.knowledge.cuda import Cuda
    from mlenv.knowledge.extra import Extra, Forbidden
    from mlenv.knowledge.gpu_needs import GpuNeeds
    from mlenv.knowledge.gpus import Gpus
    from mlenv.knowledge.indexes import Indexes
    from mlenv.knowledge.interpreters import Interpreters
    from mlenv.knowledge.messages import Messages
    from mlenv.knowledge.names import Names
    from mlenv.knowledge.numpy2 import Numpy2
    from mlenv.knowledge.releases import Releases
    from mlenv.knowledge.sonames import Sonames
    from mlenv.knowledge.system_libraries import SystemLibraries
    from mlenv.knowledge.system_packages import SystemPackages
    from mlenv.knowledge.torch import Torch

KNOWLEDGE_DATE = "2026-11-20"
"""The day up to which the records hold."""


@dataclass(frozen=True, slots=True, eq=False)
class LastRelease:
    """A channel that gets no new releases of a package.

    Attributes:
        channel: Its name.
        version: The newest there is.
        evidence: Who says so.
    """

    channel: str
    version: Version
    evidence: Evidence


class Knowledge:
    """The records of one version of mlenv, and those that a team adds.

    Args:
        extra: What a team adds; None where it adds nothing.
    """

    def __init__(self, extra: Extra | None = None) -> None:
        self._extra = extra

    @property
    def forbidden(self) -> tuple[Forbidden, ...]:
        """The versions that the team does not allow."""
        return self._extra.forbidden if self._extra is not None else ()

    def is_framework(self, name: str) -> bool:
        """Whether a distribution's exact version decides what a model computes."""
        return name in self._frameworks

    def is_tool(self, name: str) -> bool:
        """Whether a distribution serves the work on a project and changes no result."""
        return name in self._tools or name.startswith(self._tool_prefixes)

    def is_development_tool(self, name: str) -> bool:
        """Whether a distribution tests, formats or checks code and has no part in a run."""
        return name in self._named("development", "names")

    def trains(self, name: str) -> bool:
        """Whether a distribution is used while a model is trained and not afterwards."""
        return name in self._named("roles", "training")

    def serves(self, name: str) -> bool:
        """Whether a distribution answers requests."""
        return name in self._named("roles", "serving")

    def needs_gpu(self, name: str) -> bool:
        """Whether a distribution is of no use without a GPU."""
        return name in self._named("roles", "gpu")

    def is_toolkit_part(self, name: str) -> bool:
        """Whether a conda package is of the CUDA toolkit, whose version one package selects."""
        return name in self._toolkit["selectors"] or name.startswith(self._toolkit_prefixes)

    @cached_property
    def names(self) -> Names:
        """What is known of names on PyPI."""
        from mlenv.knowledge.names import Names

        return Names(_records, _text)

    def companions_of(self, name: str) -> tuple[str, ...]:
        """Return the distributions that fit one version of each other only, this one included."""
        for record in self._names["companions"]:
            if name in record["names"]:
                return tuple(record["names"])
        return (name,)

    def distributions_of(self, conda_name: str) -> tuple[str, ...]:
        """Return the PyPI distributions that a conda package holds, by canonical name."""
        if conda_name in self._software:
            return ()
        return self._distributions.get(conda_name, (conda_name.replace("_", "-"),))

    def brought_by(self, conda_name: str) -> tuple[str, ...]:
        """Return the conda packages that a conda package brings along as dependencies."""
        return self._brought.get(conda_name, ())

    def is_defaults(self, channel: str) -> bool:
        """Whether a channel is Anaconda's own, under any of its names."""
        record = self._channels["defaults"]
        return channel == "defaults" or channel in record["aliases"]

    def has_ended(self, channel: str) -> bool:
        """Whether a channel of conda's has stopped getting releases of some packages."""
        return bool(self._channels.get(channel, {}).get("last_of"))

    def last_release(self, channel: str, package: str) -> LastRelease | None:
        """Return the last release of a conda package on a channel that has stopped, or None."""
        record = self._channels.get(channel, {})
        last = record.get("last_of", {}).get(package)
        version = parse_version(last) if last else None
        if version is None:
            return None
        return LastRelease(channel, version, Evidence(record["fact"], record["source"]))

    def channel_evidence(self, channel: str) -> Evidence:
        """Return what is known of a channel."""
        record = self._channels[channel]
        return Evidence(record["fact"], record["source"])

    def is_environment_image(self, name: str) -> bool:
        """Whether the tags of an image stand for a Python, a CUDA or a framework.

        Args:
            name: The last part of the repository's name.
        """
        return name in self._environment_images

    @cached_property
    def indexes(self) -> Indexes:
        """What is known of wheel indexes."""
        from mlenv.knowledge.indexes import Indexes

        return Indexes(_records("indexes"), lambda: self.torch)

    @cached_property
    def numpy2(self) -> Numpy2:
        """Which releases work with which NumPy."""
        from mlenv.knowledge.numpy2 import Numpy2

        return Numpy2(_text)

    @cached_property
    def interpreters(self) -> Interpreters:
        """What is known of CPython's releases."""
        from mlenv.knowledge.interpreters import Interpreters

        return Interpreters(_records("python"))

    @cached_property
    def torch(self) -> Torch:
        """What is known of torch's builds."""
        from mlenv.knowledge.torch import Torch

        return Torch(_records("torch"))

    @cached_property
    def cuda(self) -> Cuda:
        """What is known of CUDA toolkits and drivers."""
        from mlenv.knowledge.cuda import Cuda

        return Cuda(_records("cuda"))

    @cached_property
    def gpus(self) -> Gpus:
        """What is known of GPUs."""
        from mlenv.knowledge.gpus import Gpus

        return Gpus(_records("gpu"))

    @cached_property
    def bases(self) -> Bases:
        """What is known of base images."""
        from mlenv.knowledge.bases import Bases

        return Bases(_records("bases"))

    @cached_property
    def releases(self) -> Releases:
        """What was released when, and what it requires."""
        from mlenv.knowledge.releases import Releases

        return Releases(self._text)

    @cached_property
    def breaks(self) -> Breaks:
        """Which versions of which distributions do not work together."""
        from mlenv.knowledge.breaks import Breaks

        return Breaks(self._text, self._extra.breaks if self._extra is not None else ())

    def _text(self, name: str) -> str:
        """Return a file of records, with what the team says of its own packages before it."""
        before = self._extra.blocks.get(name, "") if self._extra is not None else ""
        return before + _text(name)

    @cached_property
    def gpu_needs(self) -> GpuNeeds:
        """What distributions other than torch ask of a GPU."""
        from mlenv.knowledge.gpu_needs import GpuNeeds

        return GpuNeeds(_text)

    @cached_property
    def companions(self) -> Companions:
        """What is built for one torch or CUDA beyond what its metadata says."""
        from mlenv.knowledge.companions import Companions

        return Companions(_text)

    @cached_property
    def builds(self) -> Builds:
        """What has to be built from source."""
        from mlenv.knowledge.builds import Builds

        return Builds(_text)

    @cached_property
    def system_libraries(self) -> SystemLibraries:
        """What Python packages need of the operating system."""
        from mlenv.knowledge.system_libraries import SystemLibraries

        return SystemLibraries(_text)

    @cached_property
    def sonames(self) -> Sonames:
        """Which packages bring a shared library."""
        from mlenv.knowledge.sonames import Sonames

        return Sonames(_records("sonames"))

    @cached_property
    def messages(self) -> Messages:
        """What programs print when an environment is at fault."""
        from mlenv.knowledge.messages import Messages

        return Messages(_records("messages"))

    @cached_property
    def system_packages(self) -> SystemPackages:
        """What base images and the packages of operating systems hold."""
        from mlenv.knowledge.system_packages import SystemPackages

        return SystemPackages(_records("system_packages"))

    @cached_property
    def _environment_images(self) -> frozenset[str]:
        return frozenset(_records("images")["environments"]["names"])

    @cached_property
    def _frameworks(self) -> frozenset[str]:
        return frozenset(self._names["frameworks"]["names"])

    def _named(self, table: str, key: str) -> frozenset[str]:
        if (table, key) not in self._lists:
            self._lists[table, key] = frozenset(self._names[table][key])
        return self._lists[table, key]

    @cached_property
    def _lists(self) -> dict[tuple[str, str], frozenset[str]]:
        return {}

    @cached_property
    def _tools(self) -> frozenset[str]:
        return frozenset(self._names["tools"]["names"])

    @cached_property
    def _tool_prefixes(self) -> tuple[str, ...]:
        return tuple(self._names["tools"]["prefixes"])

    @cached_property
    def _toolkit(self) -> dict[str, list[str]]:
        toolkit: dict[str, list[str]] = self._names["toolkit"]
        return toolkit

    @cached_property
    def _toolkit_prefixes(self) -> tuple[str, ...]:
        return tuple(self._toolkit["prefixes"])

    @cached_property
    def _names(self) -> dict[str, Any]:
        return _records("frameworks")

    @cached_property
    def _conda(self) -> dict[str, Any]:
        return _records("conda")

    @cached_property
    def _distributions(self) -> dict[str, tuple[str, ...]]:
        return {record["conda"]: tuple(record["pypi"]) for record in self._conda["package"]}

    @cached_property
    def _software(self) -> frozenset[str]:
        return frozenset(self._conda["software"]["names"])

    @cached_property
    def _channels(self) -> dict[str, dict[str, Any]]:
        return {record["name"]: record for record in self._conda["channel"]}

    @cached_property
    def _brought(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for record in self._conda["brings"]:
            for package in record["packages"]:
                found[package] = (*found.get(package, ()), record["conda"])
        return found


def _records(name: str) -> dict[str, Any]:
    import tomli

    return tomli.loads(_text(name))


def _text(name: str) -> str:
    path = os.path.join(os.path.dirname(__file__), f"{name}.toml")
    with open(path, "rb") as file:
        return file.read().decode()
