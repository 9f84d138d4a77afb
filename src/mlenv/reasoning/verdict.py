"""How sure it is that versions meet which fail together: always, as picked today, or perhaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlenv.model.finding import Certainty
from mlenv.reasoning.choice import Choice, Pick
from mlenv.reasoning.domains import dependencies
from mlenv.records import dataclass
from mlenv.versions.version_set import VersionSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.setting import Setting


_FORGE = "conda-forge"
_HOLDS_NOTHING = frozenset(("python", "pip", "setuptools", "wheel"))


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What an installation makes of a condition.

    Attributes:
        certainty: Whether every admitted combination meets it, the one that an installer would
            pick, or some.
        picks: The version of each distribution that it rests on; where it is only possible, of
            those that are known.
        opened: The distributions of which other admitted versions would not meet it.
        unlisted: The distributions without a version on record: what is asked for of them says
            enough, or where they are open, the newest is meant.
        by_conda: Whether conda picks what is open: its packages may come later than PyPI's, with
            metadata of their own.
    """

    certainty: Certainty
    picks: Mapping[str, Pick]
    opened: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    by_conda: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is about."""
        return (*self.picks, *self.unlisted)

    @property
    def guessed(self) -> tuple[str, ...]:
        """Those that are open and not on record, so that the newest is meant."""
        return tuple(name for name in self.opened if name in self.unlisted)


def judge(
    setting: Setting,
    when: Mapping[str, VersionSet],
    latest: Mapping[str, str] | None = None,
    *,
    in_code: bool = False,
) -> Verdict | None:
    """Return how sure it is that every distribution is of versions that a condition names.

    Args:
        setting: The installation.
        when: The versions, by canonical name.
        latest: The days from which on the newest release of a distribution is of these versions,
            for those whose releases are not on record; an empty text for all days. None where no
            more than the records is to be gone by.
        in_code: Whether the project's own code is the evidence, so that what conda compiles counts
            as well.

    Returns:
        None where some distribution is not there, or is never of these versions, or where nothing
        is known of it.
    """
    picks: dict[str, Pick] = {}
    opened, unlisted, newest = [], [], []
    for name, versions in when.items():
        pick = setting.pick(name)
        share = _share(setting, name, versions)
        if share is None and latest is not None and _is_newest(setting, name, versions, latest):
            share = False
            newest.append(name)
        if share is None:
            return None
        if pick is None:
            unlisted.append(name)
        else:
            picks[name] = pick
        if share is False:
            opened.append(name)
    if not opened:
        return Verdict(Certainty.CERTAIN, picks, unlisted=tuple(unlisted))
    is_known = all(name in picks or name not in opened or name in newest for name in when)
    by_conda = _solved_by_conda(setting, when)
    if is_known and _met(picks, when) and (not by_conda or _is_told(setting, opened, in_code)):
        return Verdict(
            Certainty.FRESH_INSTALL, picks, tuple(opened), tuple(unlisted), by_conda=by_conda
        )
    return Verdict(Certainty.POSSIBLE, picks, tuple(opened))


def _is_newest(
    setting: Setting, name: str, versions: VersionSet, latest: Mapping[str, str]
) -> bool:
    """Whether the newest release of what is not on record is taken, and is of some versions."""
    choice = setting.choices.get(name)
    if choice is None or choice.is_direct or choice.is_conda or choice.locked or choice.installed:
        return False
    if setting.knowledge.releases.knows(name) or setting.is_hidden(name):
        return False
    if choice.versions.has_upper_bound or not choice.versions.intersects(versions):
        return False
    if name in latest:
        return setting.day >= latest[name]
    return not versions.has_upper_bound


def _solved_by_conda(setting: Setting, names: Iterable[str]) -> bool:
    """Whether conda installs all of them: its packages have metadata that are not on record."""
    choices = [setting.choices.get(name) for name in names]
    return all(choice is not None and choice.is_conda for choice in choices)


def _is_told(setting: Setting, opened: Iterable[str], in_code: bool) -> bool:
    """Whether conda takes the newest, as far as can be told from PyPI's releases.

    conda-forge follows PyPI within days; what is pure Python there is seldom held back, while what
    is compiled is built against the neighbours, so that their pins hold it back.
    """
    if setting.source is None or not _leads_forge(setting):
        return False
    held = any(
        choice.is_conda and choice.versions.has_upper_bound and name not in _HOLDS_NOTHING
        for name, choice in setting.choices.items()
    )
    return all(
        (_is_pure(setting, name) or (in_code and not held)) and not _is_ruled_out(setting, name)
        for name in opened
    )


def _is_ruled_out(setting: Setting, name: str) -> bool:
    """Whether PyPI's metadata of a neighbour rule a pick out: conda's are most often the same."""
    pick = setting.pick(name)
    return pick is None or any(
        one.name == name and not one.versions.admits(pick.version, prereleases=True)
        for other in setting.choices
        if (beside := setting.pick(other)) is not None
        for one in dependencies(setting, other, beside.version) or ()
    )


def _leads_forge(setting: Setting) -> bool:
    """Whether conda-forge is asked, and before the default channels."""
    channels = [one.name for one in setting.source.channels] if setting.source else []
    if _FORGE not in channels:
        return False
    before = channels[: channels.index(_FORGE)]
    return not any(setting.knowledge.is_defaults(name) for name in before)


def _is_pure(setting: Setting, name: str) -> bool:
    pick = setting.pick(name)
    release = setting.knowledge.releases.find(name, pick.version) if pick is not None else None
    return release is not None and release.files.is_pure


def _met(picks: Mapping[str, Pick], when: Mapping[str, VersionSet]) -> bool:
    return all(when[name].admits(one.version, prereleases=True) for name, one in picks.items())


def _share(setting: Setting, name: str, versions: VersionSet) -> bool | None:
    """Return whether all admitted versions are meant (True), some (False), or none (None)."""
    choice = setting.choices.get(name)
    if choice is None:
        # what is only brought along may be gone with the next release of what brings it
        pick = setting.resolution.picks.get(name)
        return False if pick and versions.admits(pick.version, prereleases=True) else None
    domain = setting.domain(name)
    if domain is None:
        if choice.is_direct or not choice.versions.understood:
            return None
        return True if choice.versions.implies(versions) else None
    # two answers among the newest settle it, and most domains are long
    answers = set()
    for version in domain:
        answers.add(versions.admits(version, prereleases=True))
        if len(answers) > 1:
            return False
    if True not in answers:
        return None
    return _holds_for_every_python(setting, choice, versions)


def _holds_for_every_python(setting: Setting, choice: Choice, versions: VersionSet) -> bool:
    """Whether releases for other Pythons are meant too, where nothing says which Python it is."""
    if setting.python.stated or choice.exact is not None or choice.locked:
        return True
    key = (choice.name, choice.versions.text, versions.text, setting.day)
    known = setting.memory.every_python
    if key not in known:
        known[key] = _holds_for_all_releases(setting, choice, versions)
    return known[key]


def _holds_for_all_releases(setting: Setting, choice: Choice, versions: VersionSet) -> bool:
    return all(
        versions.admits(one.version, prereleases=True)
        for one in setting.knowledge.releases.of(choice.name)
        if one.date <= setting.day and choice.versions.admits(one.version)
    )
