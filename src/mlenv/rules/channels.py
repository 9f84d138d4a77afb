"""Topic ``mixing``: conda's channels, and exports that only one platform can install."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge, LastRelease
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import CONDA, Requirement
from mlenv.model.source import Source
from mlenv.rules.base import rule
from mlenv.rules.common import channel_name, distributions
from mlenv.versions.version_set import pep440

_TORCH = "torch"
_EXPORT = "conda env export"


@rule("MIX005", "frozen-channel", topic="mixing", severity=Severity.WARNING, facts=("conda",))
def frozen_channel(source: Source, knowledge: Knowledge) -> Iterator[Finding]:
    """A package from a conda channel that gets no new releases.

    The pytorch channel ended with PyTorch 2.5.1. A newer version asked of that channel by name
    does not exist there: an error. An open requirement stays at the last release for ever: a
    note. Where another channel is listed too, conda takes the newer version from there, built
    differently: a warning.

    Messages that users see: "PackagesNotFoundError", "nothing provides requested pytorch 2.6".

    Bad:
        channels: [pytorch, nvidia]
        dependencies:
          - pytorch=2.6

    Good:
        channels: [conda-forge]
        dependencies:
          - pytorch=2.6
    """
    names = [channel_name(channel.name) for channel in source.channels]
    channels = _Channels(names, knowledge)
    for requirement in source.requirements:
        if requirement.ecosystem == CONDA:
            for channel in (requirement.channel,) if requirement.channel else channels.ended:
                yield from _frozen(requirement, channel, channels, knowledge)


def _frozen(
    requirement: Requirement, channel: str, channels: _Channels, knowledge: Knowledge
) -> Iterator[Finding]:
    last = knowledge.last_release(channel, requirement.name)
    reachable = pep440(f"<={last.version}") if last else None
    if last is None or reachable is None:
        return
    if requirement.versions.intersects(reachable):
        preferred = requirement.channel or channel in channels.preferred
        if preferred and not requirement.versions.has_upper_bound:
            yield _stays(requirement, channel, last)
        return
    elsewhere = not requirement.channel and channels.has_others
    yield Finding(
        f"the {channel} channel ends with {requirement.written} {last.version}"
        + ("; another channel serves this" if elsewhere else f" and has no {requirement.versions}"),
        requirement.specifier_span or requirement.span,
        distributions(requirement, knowledge),
        Severity.ERROR if requirement.channel else None,
        help="take it from conda-forge, or from pip",
        evidence=(last.evidence,),
    )


class _Channels:
    """What is asked of a file's channels for each of its requirements.

    Attributes:
        ended: Those that get no new releases.
        preferred: Those with no channel of all kinds of packages before them.
        has_others: Whether a channel may serve what one that has ended does not.
    """

    def __init__(self, names: list[str], knowledge: Knowledge) -> None:
        general = _general(names)
        before = names[: names.index(general[0])] if general else names
        self.ended = [name for name in dict.fromkeys(names) if knowledge.has_ended(name)]
        self.preferred = frozenset(before + general[:1])
        self.has_others = bool(_others(names))


def _others(channels: list[str]) -> list[str]:
    """The listed channels that may serve what a frozen one does not."""
    return [name for name in channels if name not in ("pytorch", "nvidia", "nodefaults")]


def _general(channels: list[str]) -> list[str]:
    """The listed channels that carry packages of every kind."""
    return [name for name in channels if name in ("conda-forge", "defaults", "anaconda", "main")]


def _stays(requirement: Requirement, channel: str, last: LastRelease) -> Finding:
    return Finding(
        f"from the {channel} channel {requirement.written} stays at {last.version} for ever",
        requirement.span,
        (requirement.name,),
        Severity.NOTE,
        Certainty.FRESH_INSTALL,
        help="take it from conda-forge or from pip, where new releases appear",
        evidence=(last.evidence,),
        batch=f"stays on {channel}",
        batch_message=f"{{count}} packages stay at their last release on the {channel} channel "
        "for ever: {packages}",
    )


@rule("MIX006", "channel-order", topic="mixing", severity=Severity.NOTE)
def channel_order(source: Source) -> Iterator[Finding]:
    """The pytorch channel behind a general one, although its packages are wanted.

    conda prefers the first channel that has a package. With conda-forge or defaults in front,
    ``pytorch`` comes from there, while ``pytorch-cuda`` comes from the pytorch channel and selects
    nothing: often a CPU build. ``cudatoolkit`` is on all of them, and may select a build of theirs.

    Messages that users see: "Torch not compiled with CUDA enabled".

    Bad:
        channels: [conda-forge, pytorch, nvidia]
        dependencies: [pytorch, pytorch-cuda=11.8]

    Good:
        channels: [pytorch, nvidia, conda-forge]
        dependencies: [pytorch, pytorch-cuda=11.8]
    """
    wanted = [
        r
        for r in source.requirements
        if r.ecosystem == CONDA and r.name == "pytorch" and not r.channel
    ]
    selector = [r for r in source.requirements if r.name in ("pytorch-cuda", "cudatoolkit")]
    names = [channel_name(channel.name) for channel in source.channels]
    if not (wanted and selector) or "pytorch" not in names:
        return
    general = _general(names[: names.index("pytorch")])
    if general:
        yield Finding(
            f"{general[0]} comes before the pytorch channel, so pytorch is taken from there"
            + _without_selector(selector[0].name),
            source.channels[names.index("pytorch")].span,
            (_TORCH,),
            certainty=Certainty.POSSIBLE,
            help="list pytorch and nvidia first, or write pytorch::pytorch",
            related=(Related(wanted[0].span, "the package concerned"),),
            evidence=(
                Evidence(
                    "a channel listed earlier is preferred",
                    "conda's documentation, Managing channels",
                ),
            ),
        )


def _without_selector(name: str) -> str:
    """Say what becomes of a choice of CUDA, of which the pytorch channel has its own form."""
    if name == "pytorch-cuda":
        return f" and {name} selects none of that channel's builds"
    return " where there is one that fits: another build, and possibly one for the CPU"


@rule("MIX007", "defaults-beside-conda-forge", topic="mixing", severity=Severity.NOTE)
def defaults_beside_conda_forge(source: Source, knowledge: Knowledge) -> Iterator[Finding]:
    """conda-forge and Anaconda's defaults in one environment.

    The two are built with different compilers and against different libraries. With both listed,
    an update can take a package from the other one: shared libraries that do not fit, and
    environments that cannot be solved.

    Bad:
        channels: [conda-forge, defaults]

    Good:
        channels: [conda-forge, nodefaults]
    """
    forge = next((c for c in source.channels if channel_name(c.name) == "conda-forge"), None)
    defaults = next(
        (c for c in source.channels if knowledge.is_defaults(channel_name(c.name))), None
    )
    if forge is None or defaults is None:
        return
    yield Finding(
        f"the channels conda-forge and {channel_name(defaults.name)} do not mix well",
        defaults.span,
        certainty=Certainty.POSSIBLE,
        help=f"remove {channel_name(defaults.name)}; nodefaults keeps Anaconda's channels out",
        related=(Related(forge.span, "conda-forge is listed here"),),
        evidence=(knowledge.channel_evidence("defaults"),),
    )


@rule("MIX008", "one-platform-export", topic="mixing", severity=Severity.WARNING)
def one_platform_export(source: Source, project: Project) -> Iterator[Finding]:
    """An exported conda environment that installs on one platform only.

    ``conda env export`` writes the build string of every package, system libraries included. On
    another operating system none of these builds exist, and on the same one they vanish from the
    channels in time.

    Messages that users see: "ResolvePackageNotFound", "PackagesNotFoundError".

    Bad:
        dependencies:
          - ld_impl_linux-64=2.38=h1181459_1
          - numpy=1.24.3=py310h5f9d8c6_1

    Good:
        dependencies:
          - numpy=1.24.3
    """
    if source.kind != "conda-env" or source.generated_by != _EXPORT or not source.platform:
        return
    if source.path in project.covered:
        return
    built = [r for r in source.requirements if r.ecosystem == CONDA and r.build]
    if len(built) < 5:
        return
    system, _, architecture = source.platform.partition("-")
    proof = [r for r in built if system in r.name or architecture in r.name]
    yield Finding(
        f"{len(built)} build strings tie this environment to {source.platform}",
        (proof or built)[0].span,
        help="keep what was asked for (conda env export --from-history) and lock the rest with "
        "conda-lock or pixi",
        evidence=(
            Evidence(f"it lists packages that exist for {source.platform} only", "the file"),
        ),
    )
