"""The door to the records: typed questions; each file is read when first asked about."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from mlenv.model.finding import Evidence
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

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

    def is_toolkit_part(self, name: str) -> bool:
        """Whether a conda package is of the CUDA toolkit, whose version one package selects."""
        return name in self._toolkit["selectors"] or name.startswith(self._toolkit_prefixes)

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

    @cached_property
    def _frameworks(self) -> frozenset[str]:
        return frozenset(self._names["frameworks"]["names"])

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
