"""Topic ``companions``: what is built for another torch, CUDA or cuDNN than stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlenv.knowledge.companions import Binding
from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.model.profile import LIBRARY
from mlenv.reasoning.choice import Pick
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.setting import IMAGE, INSTALLED, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import BASE_IMAGE
from mlenv.reasoning.torch_there import TorchThere, torch_there
from mlenv.reasoning.verdict import Verdict
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.rules.common import profile_of
from mlenv.rules.installed import lacks_symbols
from mlenv.rules.pairs import pair_finding
from mlenv.versions.version import Version

_TORCH = "torch"
_METADATA = "Requires-Dist in the wheels' own metadata"


@rule(
    "CMP001",
    "companion-for-another-torch",
    topic="companions",
    severity=Severity.ERROR,
    facts=("companions",),
)
def companion_for_another_torch(setting: Setting) -> Iterator[Finding]:
    """A companion of torch that was built for another torch, though its metadata lets it pass.

    torchvision, torchaudio, xformers and their like load beside one torch only. Most say so in
    their metadata, and installers see to it. Said here is what they do not see: torchaudio from
    2.11 on and the last torchtext admit a torch that they do not load beside, pip does not know
    which torch conda installed, and jax checks jaxlib only when it is imported. Judged is what is
    pinned, and what an installer picks today where one side is open.

    Messages that users see: "libtorchaudio.so: undefined symbol", "xFormers was built for PyTorch
    2.0.1 (you have 2.1.0+cu121)", "operator torchvision::nms does not exist", "jaxlib version
    0.4.38 is newer than and incompatible with jax version 0.4.26".

    Bad:
        torch==2.10.0
        torchaudio

    Good:
        torch==2.10.0
        torchaudio==2.10.0
    """
    torch = torch_there(setting)
    if torch is not None:
        yield from _misbound(setting, torch)
        if torch.is_conda:
            yield from _beside_conda(setting, torch)
    yield from _refused(setting)
    yield from _jaxlib(setting)


def _refused(setting: Setting) -> Iterator[Finding]:
    """Yield what refuses to be imported beside the version of another distribution."""
    companions = setting.knowledge.companions
    for name in sorted(setting.names & companions.checking):
        pick = setting.pick(name)
        for check in companions.checks(name, pick.version) if pick else ():
            other = setting.pick(check.other)
            accepted = other is None or check.accepts.admits(other.version, prereleases=True)
            if pick is not None and other is not None and not accepted:
                effect = (
                    f"{name} takes {check.other}{check.accepts.text} and refuses to be imported"
                )
                fix = (f"{check.other}{check.accepts.text}", f"another release of {name}")
                picked = {name: pick, check.other: other}
                yield from _pair(setting, (name, check.other), picked, effect, fix, check.evidence)


def _misbound(setting: Setting, torch: TorchThere) -> Iterator[Finding]:
    for name in sorted(setting.names & setting.knowledge.companions.bound):
        pick = setting.pick(name)
        binding = pick and _broken_binding(setting, name, pick.version, torch)
        if not binding or (setting.kind == IMAGE and _is_guess(setting, name, torch)):
            continue
        if setting.live is not None and lacks_symbols(setting.live, name):
            continue  # CMP004 says it of its binaries
        verdict = _verdict(setting, torch, name)
        found = verdict and pair_finding(
            setting,
            verdict,
            binding.effect,
            _ways_out(setting, binding, torch),
            binding.evidence,
            _severity(setting, torch, name, binding),
        )
        if found:
            yield found


def _severity(setting: Setting, torch: TorchThere, name: str, binding: Binding) -> Severity:
    is_open = torch.certainty is not Certainty.CERTAIN and not _is_settled(setting, name)
    mild = binding.is_mild or not torch.is_stated or (is_open and is_for_users(setting))
    return Severity.WARNING if mild else Severity.ERROR


def is_for_users(setting: Setting) -> bool:
    """Whether a library is judged, whose users choose the versions that it leaves open."""
    source, project = setting.source, setting.project
    if setting.kind != REQUIREMENTS or source is None or project is None:
        return False
    return profile_of(source, project) == LIBRARY


def is_misbound(setting: Setting, name: str, version: Version, torch: TorchThere) -> bool:
    """Whether a release of a companion does not load beside a torch, whatever its metadata say."""
    return _broken_binding(setting, name, version, torch) is not None


def _broken_binding(
    setting: Setting, name: str, version: Version, torch: TorchThere
) -> Binding | None:
    choice = setting.choices.get(name)
    if choice is not None and (choice.is_conda or choice.is_direct):
        return None
    binding = setting.knowledge.companions.binding(name, version)
    if binding is None or binding.fits.admits(torch.version, prereleases=True):
        return None
    return binding if _is_served(setting, name, version) else None


def _is_served(setting: Setting, name: str, version: Version) -> bool:
    """Whether the place that a companion is taken from has its picked version, as far as known.

    An index of PyTorch's ends with the last torch that was built for its label, and so do the
    companions there that have torch's version.
    """
    choice = setting.choices.get(name)
    if choice is None or choice.exact is not None or not setting.knowledge.indexes.serves(name):
        return True
    from mlenv.reasoning.torch_index import place_of  # what is installed comes from no index

    place = place_of(setting, name)
    if place is None or place.beside_pypi:
        return True
    release = setting.knowledge.torch.release(version)
    return release is not None and place.label in release.labels


def _is_guess(setting: Setting, name: str, torch: TorchThere) -> bool:
    """Whether an image ends up with other versions than one resolution of it all would take.

    Its commands install one after the other, and its base image may hold them already.
    """
    if _is_settled(setting, name):
        return not torch.is_stated
    return torch.certainty is not Certainty.CERTAIN or torch.build.known_by == BASE_IMAGE


def _ways_out(setting: Setting, binding: Binding, torch: TorchThere) -> tuple[str, ...]:
    """Return the release of a companion that goes with torch, and the torch that goes with it."""
    other = f"torch{_fitting_torch(setting, binding)}"
    name, companions = binding.name, setting.knowledge.companions
    for release in reversed(setting.knowledge.releases.of(name)):
        own = companions.binding(name, release.version)
        if own is not None:
            fits = own.fits.admits(torch.version, prereleases=True)
        else:
            required = dependencies(setting, name, release.version) or ()
            bound = next((one for one in required if one.name == _TORCH and one.text), None)
            fits = bound is not None and bound.versions.admits(torch.version, prereleases=True)
        if fits:
            return f"{name}=={release.version}", other
    return (other,)


def _fitting_torch(setting: Setting, binding: Binding) -> str:
    """Return the torch that a companion goes with; the first minor where no last one is named."""
    known = setting.knowledge.torch.releases
    fitting = [one.version for one in known if binding.fits.admits(one.version)]
    if not fitting or fitting[-1] != known[-1].version:
        return binding.fits.text
    return f"=={fitting[0].minor_line}.*"


def _verdict(setting: Setting, torch: TorchThere, *names: str) -> Verdict | None:
    """Return how sure it is that what is picked meets: certain where all of it is stated."""
    picks = {_TORCH: setting.pick(_TORCH) or Pick(torch.version)}
    opened = [] if torch.certainty is Certainty.CERTAIN else [_TORCH]
    for name in names:
        pick = setting.pick(name)
        if pick is None:
            return None
        picks[name] = pick
        if not _is_settled(setting, name):
            opened.append(name)
    picks[_TORCH] = Pick(torch.version, picks[_TORCH].chain)
    certainty = Certainty.FRESH_INSTALL if opened else Certainty.CERTAIN
    return Verdict(certainty, picks, tuple(opened))


def _is_settled(setting: Setting, name: str) -> bool:
    choice = setting.choices.get(name)
    if choice is None:
        return False
    domain = setting.domain(name)  # conda's =2.1.0 admits more than one, of which there is one
    return choice.exact is not None or bool(choice.locked) or len(domain or ()) == 1


def _beside_conda(setting: Setting, torch: TorchThere) -> Iterator[Finding]:
    """Yield what pip takes for another torch than conda installs."""
    for name, choice in setting.choices.items():
        # pip takes the newest one, whatever torch conda has
        domain = () if choice.is_conda or choice.is_direct else setting.domain(name)
        if not domain or not _is_companion(setting, name):
            continue
        pick = Pick(domain[0])
        asked = [
            one
            for one in dependencies(setting, name, pick.version) or ()
            if one.name == _TORCH and not one.versions.admits(torch.version, prereleases=True)
        ]
        if not asked:
            continue
        opened = tuple(one for one in (_TORCH, name) if not _is_settled(setting, one))
        certainty = Certainty.FRESH_INSTALL if opened else Certainty.CERTAIN
        verdict = Verdict(certainty, {_TORCH: Pick(torch.version), name: pick}, opened)
        text = asked[0].text
        outcome = (
            "" if setting.kind == INSTALLED else ", and pip replaces conda's torch or breaks it"
        )
        found = pair_finding(
            setting,
            verdict,
            f"{name} is built for torch{text}{outcome}",
            (f"pin a {name} that is built for torch {torch.version.public}", f"torch{text}"),
            (Evidence(f"{name} {pick.version} requires torch{text}", _METADATA),),
            Severity.ERROR,
        )
        if found is not None:
            yield found


def _is_companion(setting: Setting, name: str) -> bool:
    """Whether a distribution is linked to torch."""
    build = setting.knowledge.builds.of(name)
    served = name != _TORCH and setting.knowledge.indexes.serves(name)
    return served or (build is not None and bool(build.torch))


def _jaxlib(setting: Setting) -> Iterator[Finding]:
    """Yield what jax refuses when it is imported, and plugins that it passes over."""
    picked: dict[str, Pick] = {}
    for name in setting.names:
        if not name.startswith("jax"):
            continue
        choice, pick = setting.choices.get(name), setting.pick(name)
        if pick is not None and not (choice and choice.is_conda):
            picked[name] = pick
    jax, jaxlib = picked.get("jax"), picked.get("jaxlib")
    if jaxlib is None:
        return
    library = jaxlib.version.release
    if jax is not None and library > jax.version.release:
        stated = dependencies(setting, "jax", jax.version) or ()
        bounds = [one.versions for one in stated if one.name == "jaxlib"]
        if all(one.admits(jaxlib.version, prereleases=True) for one in bounds):
            yield from _pair(
                setting,
                ("jax", "jaxlib"),
                picked,
                "jaxlib is newer than jax, and jax refuses to be imported",
                (f"jaxlib=={jax.version.public}",),
                setting.knowledge.companions.newer_jaxlib(),
            )
    for name, pick in sorted(picked.items()):
        evidence = setting.knowledge.companions.equal_to_jaxlib(name)
        if evidence and pick.version.release != library:
            effect = (
                f"JAX does not use {name} of another version than jaxlib and computes on the CPU"
            )
            fix = (f"{name}=={jaxlib.version.public}",)
            yield from _pair(setting, ("jaxlib", name), picked, effect, fix, evidence)


def _pair(
    setting: Setting,
    names: tuple[str, ...],
    picked: Mapping[str, Pick],
    effect: str,
    fix: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> Iterator[Finding]:
    picks = {name: picked[name] for name in names}
    opened = tuple(name for name in names if not _is_settled(setting, name))
    certainty = Certainty.FRESH_INSTALL if opened else Certainty.CERTAIN
    verdict = Verdict(certainty, picks, opened)
    found = pair_finding(setting, verdict, effect, fix, evidence, Severity.ERROR)
    if found is not None:
        # what brings the other one along differs between the groups of a project
        declared = {setting.choices[name].span for name in names if name in setting.choices}
        yield replace(found, related=tuple(r for r in found.related if r.span in declared))
