"""Topics ``cohorts`` and ``removed-api``: families that move together, and interfaces that went."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge.breaks import Break
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.profile import LIBRARY
from mlenv.model.project import Project
from mlenv.model.requirement import CONDA
from mlenv.phrases import listed
from mlenv.reasoning.choice import Choice
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.verdict import Verdict, judge
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.rules.common import channel_name, profile_of
from mlenv.rules.pairs import pair_finding, possible_ways, shown_pick
from mlenv.versions.version_set import VersionSet

_SETUPTOOLS = "setuptools"
_WITHOUT_SETUPTOOLS = 12
"""The minor of Python from which on venv installs no setuptools."""
_BUILD = r"cu\d|cpu|rocm|xpu|pt\d|torch|git|g[0-9a-f]{6}"
"""How the local parts begin that name what a build is for."""


@rule("COH001", "cohort-mismatch", topic="cohorts", severity=Severity.ERROR, facts=("breaks",))
def cohort_mismatch(setting: Setting, project: Project) -> Iterator[Finding]:
    """Packages of one family in versions that do not work together.

    Families such as tensorflow with its extensions, transformers with torch, or mmdet with mmcv are
    developed together and tested only together. Judged is what is pinned, and what an installer
    picks on the day where one side is left open: an error in both cases, a warning where it hangs
    on a Python that nothing states. Where only some admitted versions fail, nothing is said, and
    what the metadata rule out themselves is said as ``contradicts-metadata``.

    Messages that users see: see ``mlenv rules --facts``, which lists them with each record.

    Bad:
        torch==2.1.0
        transformers>=4.31

    Good:
        torch==2.1.0
        transformers==4.51.3
    """
    yield from _broken(setting, project, "cohorts")


@rule(
    "RMV001", "removed-interface", topic="removed-api", severity=Severity.ERROR, facts=("breaks",)
)
def removed_interface(setting: Setting, project: Project) -> Iterator[Finding]:
    """A package beside a release that no longer has what it uses.

    The import fails, or the first call: ``cached_download`` of huggingface-hub, ``PyExtensionType``
    of pyarrow, ``proxies`` of httpx. The older package allows every newer release of the other, so
    installers bring them together. Judged is what is pinned, and what an installer picks on the
    day where one side is left open.

    Messages that users see: "cannot import name 'cached_download' from 'huggingface_hub'",
    "module 'pyarrow' has no attribute 'PyExtensionType'", "got an unexpected keyword argument
    'proxies'".

    Bad:
        diffusers==0.24.0

    Good:
        diffusers==0.24.0
        huggingface-hub<0.26
    """
    yield from _broken(setting, project, "removed-api")


def _broken(setting: Setting, project: Project, topic: str) -> Iterator[Finding]:
    if setting.kind == LOCK and setting.source is not None and setting.source.kind == REQUIREMENTS:
        return  # it is judged as what it asks for
    groups: dict[tuple[str, str], list[tuple[Break, Verdict, Finding]]] = {}
    for record, verdict, finding in _found(setting, project, topic):
        cause = (_culprit(record), record.fix[0])
        groups.setdefault(cause if cause[0] else (record.id, ""), []).append(
            (record, verdict, finding)
        )
    for members in groups.values():
        yield _together(setting, members)


def _culprit(record: Break) -> str:
    """Return the distribution that is too new for another one; empty where that is not so clear."""
    newer = [name for name, versions in record.when.items() if not versions.has_upper_bound]
    return newer[0] if len(newer) == 1 and len(record.when) > 1 else ""


def _together(setting: Setting, members: Sequence[tuple[Break, Verdict, Finding]]) -> Finding:
    """Return the finding on one cause, with all that fail for it."""
    record, verdict, first = min(members, key=lambda one: (one[2].severity or Severity.ERROR).rank)
    others = [one for one in members if one[2] is not first]
    if not others:
        return first
    culprit = _culprit(record)
    seen = dict.fromkeys(verdict.names)
    shown = []
    for _, other, _ in others:
        new = [name for name in other.names if name != culprit and name not in seen]
        shown += [shown_pick(setting, name, other) for name in new]
        seen.update(dict.fromkeys(new))
    places = {related.span: related for _, _, one in others for related in one.related}
    spans = {
        one.span: Related(one.span, f"{_dependent(one, culprit)} stands here")
        for _, _, one in others
    }
    related = {one.span: one for one in first.related} | spans | places
    related.pop(first.span, None)
    verb = "fails" if len(shown) == 1 else "fail"
    return replace(
        first,
        message=f"{first.message}; {listed(shown, 3)} {verb} for the same reason"
        if shown
        else first.message,
        packages=tuple(seen),
        help=possible_ways(setting, record.fix)[0],
        related=tuple(related.values()),
        evidence=tuple(
            dict.fromkeys((*first.evidence, *(e for _, _, o in others for e in o.evidence)))
        ),
    )


def _dependent(finding: Finding, culprit: str) -> str:
    return next((name for name in finding.packages if name != culprit), culprit)


def _found(
    setting: Setting, project: Project, topic: str
) -> Iterator[tuple[Break, Verdict, Finding]]:
    records = setting.knowledge.breaks
    for record in records.within(setting.names, (topic,), setting.stated, in_code=False):
        if record.conflict_only or not may_apply(record, setting):
            continue
        verdict = judge(setting, record.when, record.latest)
        if verdict is None or verdict.certainty is Certainty.POSSIBLE:
            continue
        if verdict.certainty is Certainty.CERTAIN and _is_told(setting, record):
            continue
        if _SETUPTOOLS in verdict.opened and not _is_bare(setting):
            continue
        if record.python is not None and not setting.python.stated and verdict.guessed:
            continue  # neither the Python nor the release is known
        found = _finding(setting, project, record, verdict)
        if found is not None:
            yield record, verdict, found


def _finding(setting: Setting, project: Project, record: Break, verdict: Verdict) -> Finding | None:
    evidence = [record.evidence]
    if record.error:
        evidence.append(Evidence(f"users see: {record.error}", record.evidence.source))
    effect, severity = record.effect, record.severity
    if record.without and not setting.complete:
        names = listed(record.without, 3)
        if setting.kind == INSTALLED:
            # what a snapshot does not list may be there all the same
            effect = f"{effect}; {names} is not among what is stated as installed"
        elif setting.kind == IMAGE:
            # the base may hold it
            severity = Severity.WARNING if severity is Severity.ERROR else severity
    is_milder = (
        _is_guess(setting, record, verdict)
        or verdict.by_conda
        or any(name not in record.latest for name in verdict.guessed)
        or _rests_on_torch(setting, verdict)
        or (bool(verdict.opened) and _leaves_it_to_users(setting, project, record))
        or may_be_capped(setting, verdict)
        or not _is_used(setting, project, record)
    )
    if is_milder and severity is Severity.ERROR:
        severity = Severity.WARNING
    is_possible = effect != record.effect
    if _SETUPTOOLS in verdict.opened:
        effect = f"{effect} (environments that hold an older setuptools keep it)"
    found = pair_finding(setting, verdict, effect, record.fix, evidence, severity)
    if found is None:
        return None
    if is_possible:
        return replace(found, certainty=Certainty.POSSIBLE)
    if record.since and found.certainty is Certainty.CERTAIN:
        return replace(found, certainty=Certainty.FRESH_INSTALL)
    return found


def may_be_capped(setting: Setting, verdict: Verdict) -> bool:
    """Whether a pin of which nothing is known may cap what is only brought along.

    Args:
        setting: The installation.
        verdict: How sure it is that some versions meet.
    """
    is_picked = verdict.certainty is Certainty.FRESH_INSTALL
    if not is_picked or all(name in setting.choices for name in verdict.names):
        return False
    from mlenv.rules.numpy_picks import has_unknown_pins

    return has_unknown_pins(setting, exact=True)


def _is_used(setting: Setting, project: Project, record: Break) -> bool:
    """Whether the code uses what fails; taken for granted where there is no code to look into."""
    if not record.used or not project.code.paths:
        return True
    from mlenv.rules.ownership import realm_of

    realm = realm_of(setting, project)
    # one search for all that any rule may ask for
    found = project.code.uses(setting.knowledge.breaks.code)
    return any(realm.holds(use.span.path) for name in record.used for use in found.get(name, ()))


def _is_guess(setting: Setting, record: Break, verdict: Verdict) -> bool:
    """Whether it depends on the Python, and nothing says which one it is."""
    depends = record.python is not None or _SETUPTOOLS in verdict.opened
    return depends and not setting.python.stated


def _rests_on_torch(setting: Setting, verdict: Verdict) -> bool:
    """Whether a pick rests on a torch that nothing declares: people install that one first."""
    return "torch" not in setting.choices and any(
        name == "torch" or "torch" in verdict.picks[name].chain
        for name in verdict.opened
        if name in verdict.picks
    )


def _is_bare(setting: Setting) -> bool:
    """Whether setuptools gets installed anew: environments of Python 3.11 and older hold one."""
    return setting.python.minor >= _WITHOUT_SETUPTOOLS


def _is_told(setting: Setting, record: Break) -> bool:
    """Whether the metadata rule out the same versions, which is said of them elsewhere."""
    if setting.kind == LOCK or len(record.when) < 2:
        return False
    names = frozenset(record.when)
    if setting.live is not None:
        # no environment is looked at where nothing else has loaded this
        from mlenv.reasoning.installed_requirements import requirements_of

        requirements = requirements_of(setting.live)
        conflicts = requirements.conflicts if requirements is not None else ()
        return any(names == {one.origin, one.name} for one in conflicts)
    from mlenv.reasoning.contradiction import contradictions  # what is installed needs none of it

    return any(frozenset(one.names) == names for one in contradictions(setting))


def _leaves_it_to_users(setting: Setting, project: Project, record: Break) -> bool:
    """Whether a library bounds nothing from above, so that those who use it choose."""
    if setting.source is None or profile_of(setting.source, project) != LIBRARY:
        return False
    declared = [setting.choices[name] for name in record.when if name in setting.choices]
    return not any("<" in one.versions.text or "=" in _upper(one) for one in declared)


def _upper(choice: Choice) -> str:
    """Return what bounds a distribution to few versions: ``==`` and ``~=``."""
    return "".join(
        part for part in choice.versions.text.split(",") if part.strip()[:2] in ("==", "~=")
    )


def may_apply(record: Break, setting: Setting) -> bool:
    """Whether the machine is one on which it breaks, and nothing that averts it is there."""
    if not _is_on(record, setting) or not _is_due(record, setting):
        return False
    if any(_is_patched(setting.choices.get(name)) for name in record.when):
        return False
    if any(_is_within(setting, name, versions) for name, versions in record.unless.items()):
        return False
    if record.without and _is_open(record, setting):
        return False
    return not any(_is_there(setting, name) for name in record.without)


def _is_open(record: Break, setting: Setting) -> bool:
    """Whether it is not known what else gets installed."""
    if setting.complete:
        return False
    if setting.kind == INSTALLED:
        return bool(record.code)
    return not setting.resolution.is_solved


def _is_on(record: Break, setting: Setting) -> bool:
    """Whether the Python, the system and the use of the machine are those of a record."""
    python = setting.python
    # with older Pythons a setuptools comes mostly; what is really there is seen in an environment
    is_seen = setting.live is not None and record.without == (_SETUPTOOLS,)
    if record.python is not None and not is_seen:
        if not record.python.admits(python.version, prereleases=True):
            return False
        # of a Python that nothing states only what is grave is worth a word
        if not python.stated and (record.since or record.severity is not Severity.ERROR):
            return False
    system = setting.target.system if setting.target else "linux"
    if record.systems and system not in record.systems:
        return False
    builds = setting.target is not None and setting.target.builds_extensions
    return builds or not record.builds


def _is_due(record: Break, setting: Setting) -> bool:
    """Whether a record holds on the day, and for what is installed from these channels."""
    if record.since and (setting.day < record.since or setting.kind == INSTALLED):
        return False
    return not record.channels or _is_from(record, setting)


def _is_patched(choice: Choice | None) -> bool:
    """Whether a version names a build that somebody has changed: ``4.37.2+custom.20``."""
    local = choice.exact.local if choice is not None and choice.exact is not None else ()
    return bool(local) and re.match(_BUILD, local[0]) is None


def _is_there(setting: Setting, name: str) -> bool:
    # conda's pip brings setuptools along
    if any(one.name == name for one in setting.requirements):
        return True  # also what is no distribution of PyPI, such as conda's mkl
    return name in setting.names or (
        name == _SETUPTOOLS and any(one.ecosystem == CONDA for one in setting.requirements)
    )


def _is_within(setting: Setting, name: str, versions: VersionSet) -> bool:
    """Whether a distribution is of some versions, be it stated or picked."""
    choice = setting.choices.get(name)
    if choice is not None and choice.versions.implies(versions):
        return True
    pick = setting.pick(name)
    return pick is not None and versions.admits(pick.version, prereleases=True)


def _is_from(record: Break, setting: Setting) -> bool:
    """Whether conda takes it all from the channels of a record, with its own NumPy aside.

    Where the defaults come before conda-forge, NumPy is theirs and bounds mkl by itself.
    """
    declared = [setting.choices[name] for name in record.when if name in setting.choices]
    if setting.source is None or not all(one.is_conda for one in declared):
        return False
    channels = [channel_name(one.name) for one in setting.source.channels]
    if not set(record.channels) <= set(channels):
        return False
    forge = channels.index("conda-forge") if "conda-forge" in channels else len(channels)
    return not any(setting.knowledge.is_defaults(name) for name in channels[:forge])
