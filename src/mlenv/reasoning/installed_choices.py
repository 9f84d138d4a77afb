"""What is installed, as choices of which each is made when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlenv.knowledge import Knowledge
from mlenv.model.requirement import CONDA, PYPI, canonical_name
from mlenv.model.target import Installed, Target
from mlenv.reasoning.choice import Choice
from mlenv.versions.version import parse_version
from mlenv.versions.version_set import exactly, unknown


class InstalledChoices(Mapping[str, Choice]):
    """The distributions on a machine, by canonical name on PyPI.

    An environment holds hundreds, and the records speak of a few of them.

    Args:
        target: The machine.
        installed: What is installed on it.
        knowledge: Which distributions conda's packages hold.
    """

    def __init__(self, target: Target, installed: Installed, knowledge: Knowledge) -> None:
        self._target = target
        self._spans = installed.spans
        self._packages = installed.packages
        self._of_conda = {
            name: (written, version)
            for written, version in installed.conda_packages.items()
            for name in knowledge.distributions_of(canonical_name(written))
        }
        # what pip shows of them is what Python finds
        self._names = dict.fromkeys((*self._of_conda, *self._packages))
        self._made: dict[str, Choice] = {}

    def __getitem__(self, name: str) -> Choice:
        """Return what is installed under a name."""
        made = self._made.get(name)
        if made is None:
            if name not in self._names:
                raise KeyError(name)
            made = self._made[name] = self._choice(name)
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _choice(self, name: str) -> Choice:
        written, ecosystem, version = name, PYPI, self._packages.get(name)
        if version is None:
            (written, version), ecosystem = self._of_conda[name], CONDA
        exact = parse_version(version)
        return Choice(
            name,
            written,
            self._spans.get(canonical_name(written), self._target.span),
            exactly(exact) if exact is not None else unknown(version),
            installed=version,
            ecosystem=ecosystem,
            exact=exact,
        )
