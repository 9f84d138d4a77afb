"""What is known of GPUs: compute capabilities by name, and the CUDA toolkits that know them."""

from __future__ import annotations

import re
from functools import cached_property

from mlenv.model.finding import Evidence
from mlenv.model.target import Capability, parse_capability
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_FOREIGN = frozenset(
    ("apple", "amd", "radeon", "instinct", "firepro", "intel", "arc", "gaudi", "adreno", "mali")
)
"""Words of other vendors, whose numbers are sometimes the same."""
_GLUED = (
    (r"\b(rtx|gtx|titan|tesla|quadro|geforce)(?=[a-z]?\d)", r"\1 "),
    (r"(?<=\d)(?=(?:ti|super|laptop|mobile)\b)", " "),
)
_GEFORCE = r"(?:rtx|gtx) (\d{3,4}(?: ti)?)"
_WORKSTATION = r"rtx (a\d{4})"


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """A compute capability, and the CUDA toolkits that compile for it.

    Attributes:
        capability: Major and minor.
        name: Of the generation, such as ``Ampere``.
        first_cuda: The first toolkit; None where it is older than the records.
        last_cuda: The last one; None where the newest still does.
        evidence: Who says so.
    """

    capability: Capability
    name: str
    first_cuda: Version | None
    last_cuda: Version | None
    evidence: Evidence

    def is_known_to(self, cuda: Version) -> bool:
        """Whether a CUDA toolkit can compile for it."""
        minor = (*cuda.release, 0)[:2]
        return (self.first_cuda is None or self.first_cuda.release <= minor) and (
            self.last_cuda is None or minor <= self.last_cuda.release
        )


class Gpus:
    """Typed questions on the records of ``gpu.toml``."""

    def __init__(self, records: dict[str, Any]) -> None:
        self._records = records

    def capability_of(self, name: str) -> Capability | None:
        """Return the compute capability of a GPU by any of its names.

        None where the name is not known, is another vendor's, or fits GPUs that differ.
        """
        found = {self._by_words[words] for words in _longest(_words(name), self._by_words)}
        return found.pop() if len(found) == 1 else None

    def is_foreign(self, name: str) -> bool:
        """Whether a name is of a GPU of another vendor than NVIDIA."""
        return not _FOREIGN.isdisjoint(re.findall(r"[a-z]+", name.lower()))

    def is_data_center(self, name: str) -> bool:
        """Whether a GPU is one for data centers, where newer CUDA runs through cuda-compat."""
        found = _longest(_words(name), self._by_words)
        return bool(found) and found <= self._data_center

    def architecture(self, capability: Capability) -> Architecture | None:
        """Return what is known of a compute capability, or None."""
        return self._architectures.get(capability)

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], Capability]:
        found: dict[tuple[str, ...], Capability] = {}
        for record in self._records["gpu"]:
            capability = parse_capability(record["capability"])
            assert capability is not None
            for name in record["names"]:
                found[tuple(name.split())] = capability
                # people leave the family out where the number says it
                short = re.fullmatch(_GEFORCE, name) or re.fullmatch(_WORKSTATION, name)
                if short:
                    found[tuple(short[1].split())] = capability
        return found

    @cached_property
    def _data_center(self) -> set[tuple[str, ...]]:
        return {tuple(name.split()) for name in self._records["data_center"]["names"]}

    @cached_property
    def _architectures(self) -> dict[Capability, Architecture]:
        made = (self._made(record) for record in self._records["architecture"])
        return {one.capability: one for one in made}

    def _made(self, record: dict[str, Any]) -> Architecture:
        capability = parse_capability(record["capability"])
        assert capability is not None
        first, last = record.get("first_cuda", ""), record.get("last_cuda", "")
        said = [f"came with CUDA {first}"] if first else []
        said += [f"went after CUDA {last}"] if last else []
        fact = f"compute capability {record['capability']} ({record['name']})"
        fact += f" {' and '.join(said)}" if said else " is known to every CUDA since 8"
        return Architecture(
            capability,
            record["name"],
            parse_version(first) if first else None,
            parse_version(last) if last else None,
            Evidence(fact, self._records["sources"][record["source"]]),
        )


def _words(name: str) -> list[str]:
    text = re.sub(r"[^a-z0-9]+", " ", name[:200].lower())
    if not _FOREIGN.isdisjoint(text.split()):
        return []
    for pattern, replacement in _GLUED:
        text = re.sub(pattern, replacement, text)
    return text.split()


def _longest(words: list[str], known: dict[tuple[str, ...], Capability]) -> set[tuple[str, ...]]:
    """Return the known names that stand in a row of words, without those within longer ones."""
    most = max(map(len, known))
    found: set[tuple[str, ...]] = set()
    at = 0
    while at < len(words):
        fitting = (tuple(words[at : at + size]) for size in range(most, 0, -1))
        match = next((one for one in fitting if one in known), None)
        if match:
            found.add(match)
        at += len(match) if match else 1
    return found
