"""The door to the records: typed questions; each file is read when first asked about."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

if TYPE_CHECKING:
    from mlenv.knowledge.indexes import Indexes
    from mlenv.knowledge.interpreters import Interpreters
    from mlenv.knowledge.names import Names

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
    """The records of one version of mlenv."""

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

        return Names(_records)

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

        return Indexes(_records("indexes"))

    @cached_property
    def interpreters(self) -> Interpreters:
        """What is known of CPython's releases."""
        from mlenv.knowledge.interpreters import Interpreters

        return Interpreters(_records("python"))

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

    path = os.path.join(os.path.dirname(__file__), f"{name}.toml")
    with open(path, "rb") as file:
        return tomli.load(file)
