"""Requirements that contradict the metadata of their neighbours, with the chain between them."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge.releases import Dependency
from mlenv.reasoning.domains import candidates, dependencies
from mlenv.records import dataclass
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import VersionSet, pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting

_MOST_CANDIDATES = 60
_DEEPEST = 3
"""How many distributions a chain may pass through."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """One step: a distribution requires another one.

    Attributes:
        name: The distribution that requires.
        version: Its version; None where all that come into question require it.
        required: What is required, by canonical name.
        text: The specifier of the newest that comes into question.
    """

    name: str
    version: Version | None
    required: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Contradiction:
    """A distribution that no version admitted by the project can be beside another one.

    Attributes:
        links: From a declared distribution to the one whose versions are ruled out.
        versions: The versions that the last link admits.
    """

    links: tuple[Link, ...]
    versions: VersionSet

    @property
    def names(self) -> tuple[str, ...]:
        """Who requires what: the first and the last."""
        return self.links[0].name, self.links[-1].required


def contradictions(setting: Setting) -> Iterator[Contradiction]:
    """Yield what contradicts itself in an installation, so far as the records tell.

    Every admitted version of the first distribution leads there: whichever an installer takes, it
    finds no version of the last one. What conda installs is left out: its packages have metadata
    of their own.
    """
    search = _Search(setting)
    for name, choice in setting.choices.items():
        if choice.is_conda or choice.is_direct:
            continue
        domain = setting.domain(name)
        if domain is None or not _is_known(setting, name):
            continue
        if choice.exact is None and not setting.python.stated:
            continue  # on an older Python there may be others
        if len(domain) <= _MOST_CANDIDATES:
            yield from search.from_(name, domain, ())


class _Search:
    """Follows what is required of one installation; each question is answered once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._leading: dict[tuple[str, str, int], bool] = {}

    def from_(
        self, name: str, domain: tuple[Version, ...], chain: tuple[Link, ...]
    ) -> Iterator[Contradiction]:
        """Yield what every version of a distribution leads to.

        Args:
            name: The distribution.
            domain: Its versions, the newest first.
            chain: What leads to it.
        """
        # what the newest version does not lead to, all of them do not lead to
        if not self._version_leads(name, domain[0], len(chain)):
            return
        setting = self._setting
        passed = {link.name for link in chain} | {name}
        for required, asked in _always_required(setting, name, domain).items():
            if required in passed or (name == "torch" and _is_of_cuda(setting, required)):
                continue
            exact = domain[0] if len(domain) == 1 else None
            links = (*chain, Link(name, exact, required, asked[0].text))
            versions = asked[0].versions
            for one in asked[1:]:
                versions = versions | one.versions if one.versions != versions else versions
            if required in setting.choices:
                if _is_ruled_out(setting, required, versions):
                    yield Contradiction(links, versions)
            elif len(links) < _DEEPEST:
                if not versions.is_exact and not setting.python.stated:
                    continue  # as above
                following = candidates(setting, required, versions)
                if 0 < len(following) <= _MOST_CANDIDATES:
                    yield from self.from_(required, following, links)

    def _version_leads(self, name: str, version: Version, depth: int) -> bool:
        """Return whether one version leads to something that is ruled out."""
        choice = self._setting.choices.get(name)
        extras = choice.extras if choice is not None else ()
        required = dependencies(self._setting, name, version, extras) or ()
        return any(self._leads(one, depth + 1) for one in required if not one.versions.is_any)

    def _leads(self, one: Dependency, depth: int) -> bool:
        key = (one.name, one.text, depth)
        if key not in self._leading:
            self._leading[key] = False  # of a circle nothing new can come
            self._leading[key] = self._does_lead(one, depth)
        return self._leading[key]

    def _does_lead(self, one: Dependency, depth: int) -> bool:
        if one.name in self._setting.choices:
            return _is_ruled_out(self._setting, one.name, one.versions)
        if depth >= _DEEPEST:
            return False
        following = candidates(self._setting, one.name, one.versions)
        return bool(following) and self._version_leads(one.name, following[0], depth)


def _is_known(setting: Setting, name: str) -> bool:
    """Whether a pin is a release on record: of nightly builds and the like nothing is known."""
    exact, releases = setting.choices[name].exact, setting.knowledge.releases
    if exact is None or releases.find(name, exact) is not None:
        return True
    return releases.is_read(name, parse_version(exact.public) or exact)


def _is_of_cuda(setting: Setting, required: str) -> bool:
    """Whether only PyPI's build of torch requires something, and the installation has another."""
    if required != "triton" and not required.startswith("nvidia-"):
        return False
    from mlenv.reasoning.torch_build import torch_build

    build = torch_build(setting)
    return build is not None and bool(build.label) and not build.label.startswith("cu")


def _always_required(
    setting: Setting, name: str, domain: tuple[Version, ...]
) -> dict[str, list[Dependency]]:
    """Return what each of some versions requires and bounds, if they all do."""
    choice = setting.choices.get(name)
    extras = choice.extras if choice is not None else ()
    found: dict[str, list[Dependency]] = {}
    for version in domain:
        required = dependencies(setting, name, version, extras)
        if required is None:
            return {}
        public = parse_version(version.public) or version
        is_read = setting.knowledge.releases.is_read(name, public)
        for one in required:
            if one.versions.is_exact and not is_read:
                continue  # exact pins change from patch to patch
            found.setdefault(one.name, []).append(one)
    return {
        other: asked
        for other, asked in found.items()
        if len(asked) >= len(domain) and not any(one.versions.is_any for one in asked)
    }


def _is_ruled_out(setting: Setting, name: str, versions: VersionSet) -> bool:
    choice = setting.choices[name]
    if choice.is_conda or choice.is_overridden or not versions.understood:
        return False
    domain = setting.domain(name)
    if domain is None or choice.is_direct:
        return False
    # a local part in metadata is that of the build, which an exact pin without one admits
    public = pep440(",".join(part.partition("+")[0] for part in versions.text.split(",")))
    return not any((public or versions).admits(one, prereleases=True) for one in domain)
