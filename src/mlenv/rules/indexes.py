"""Topic ``index``: which of several indexes a package comes from, and who decides that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import PYPI, REQUIREMENT, Requirement
from mlenv.model.source import CONTEXT, Index, Source, Statement
from mlenv.reasoning.installations import Installation, Installers
from mlenv.rules.base import rule
from mlenv.rules.common import distributions
from mlenv.versions.version import Version
from mlenv.versions.version_set import intersection

_PRIVATE = (
    r"://[^/@\s]+@"  # credentials
    r"|/api/pypi/|/repository/[^/\s]+/simple|/api/v4/(?:projects|groups)/|/_packaging/"
    r"|://(?:[^/.:\s]+|[^/:\s]+\.(?:internal|local|corp|lan|intranet))(?:[:/]|$)"
    r"|://(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+(?:[:/]|$)"
)
_WITH_CUDA = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)
"""The systems for which there are builds for CUDA and for the CPU."""
_UV_LOCKS = frozenset(("sync", "lock", "run"))
_PIP = "pip's documentation, pip install: Finding Packages"
_ALL_EQUAL = Evidence(
    "pip looks at all indexes and takes the highest version, whichever of them has it", _PIP
)


@rule(
    "IDX002",
    "extra-index-does-not-decide",
    topic="index",
    severity=Severity.WARNING,
    facts=("indexes", "torch"),
)
def extra_index_does_not_decide(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """An extra index of builds beside a torch that no version ties to it.

    pip gives no index precedence: it takes the highest version there is. As soon as PyPI has a
    newer release than the extra index, its default build is installed, for another CUDA or for
    none. A warning where that is so today, a note where it waits for the next release. uv asks
    the extra index first and is not concerned, unless it is told otherwise.

    Messages that users see: "Torch not compiled with CUDA enabled", "The NVIDIA driver on your
    system is too old".

    Bad:
        --extra-index-url https://index.example/whl/cu118
        torch

    Good:
        --extra-index-url https://index.example/whl/cu118
        torch==2.5.1+cu118
    """
    for installation in Installers(project).installations():
        torch = _undecided(installation.requirements)
        wanted = _extra_builds(installation) if torch and installation.indexes else None
        if wanted is not None and not installation.has_torch:
            index, label = wanted
            newest = knowledge.indexes.newest(intersection(one.versions for one in torch))
            built = knowledge.indexes.newest(intersection(one.versions for one in torch), label)
            if newest is not None and built is not None and torch[0].kind == REQUIREMENT:
                yield from _undecided_finding(installation, torch[0], index, label, newest, built)


def _undecided(requirements: Iterable[Requirement]) -> list[Requirement]:
    """Return the statements on torch where none of them fixes its version or its place."""
    found = [r for r in requirements if r.name == "torch" and r.ecosystem == PYPI]
    found.sort(key=lambda one: one.kind != REQUIREMENT)
    settled = any(r.versions.is_exact or r.is_direct or not r.versions.understood for r in found)
    return [] if settled else found


def _extra_builds(installation: Installation) -> tuple[Index, str] | None:
    """Return the extra index of builds, and its label, where nothing replaces PyPI beside it."""
    from mlenv.knowledge.indexes import wheel_index

    found = None
    for index in installation.indexes:
        wheels = wheel_index(index.url)
        if index.kind in ("index", "none"):
            return None  # a mirror of PyPI, or the builds themselves: not for us to tell
        if index.kind in ("extra", "find-links") and wheels is not None:
            if not wheels.label or wheels.nightly:
                return None
            found = found or (index, wheels.label)
    return found


def _undecided_finding(
    installation: Installation,
    torch: Requirement,
    index: Index,
    label: str,
    newest: Version,
    built: Version,
) -> Iterator[Finding]:
    outdone = built < newest
    if not outdone and (label == "cpu" or torch.versions.has_upper_bound):
        return  # every release has a CPU build, and a label sorts above the release without it
    only_told = installation.home.role == CONTEXT
    yield Finding(
        f"this does not bring {label} builds, which end with torch {built}: pip takes what PyPI "
        f"has newer, up to {newest}"
        if outdone
        else f"nothing ties torch to the {label} builds: once PyPI has a newer one, pip takes that",
        index.span,
        ("torch",),
        Severity.WARNING if outdone and not only_told else Severity.NOTE,
        Certainty.FRESH_INSTALL if outdone else Certainty.POSSIBLE,
        help=f"pin torch with its label (torch=={built}+{label}), or make this the only index "
        "with --index-url; uv asks the extra index first",
        related=(Related(torch.span, "leaves the version open"),),
        evidence=(_ALL_EQUAL,),
        batch="undecided",
    )


@rule("IDX003", "dependency-confusion", topic="index", severity=Severity.NOTE)
def dependency_confusion(project: Project) -> Iterator[Finding]:
    """A private index that pip asks beside PyPI.

    pip gives no index precedence. Whoever registers one of the private names on PyPI, with a
    higher version, has their code installed. Indexes are taken for private where their address
    says so: credentials, a host of an internal network, the paths of the usual repository servers.
    uv, which asks the extra index first, is not concerned.

    Bad:
        --extra-index-url https://user:token@packages.internal/simple

    Good:
        --index-url https://user:token@packages.internal/pypi-and-ours/simple
    """
    for installation in Installers(project).installations():
        if any(index.kind in ("index", "none") for index in installation.indexes):
            continue
        for index in installation.indexes:
            if index.kind == "extra" and re.search(_PRIVATE, index.url):
                yield Finding(
                    "anyone can answer for this private index: pip takes a higher version of the "
                    "same name from PyPI",
                    index.span,
                    certainty=Certainty.POSSIBLE,
                    help="let the private index pass PyPI's packages on and name it with "
                    "--index-url, or use uv with an explicit index",
                    evidence=(_ALL_EQUAL,),
                    batch="confusion",
                    batch_message="anyone can answer for these {count} private indexes: pip takes "
                    "a higher version of the same name from PyPI",
                )


@rule("IDX004", "indexes-disagree", topic="index", severity=Severity.WARNING)
def indexes_disagree(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """Indexes of different builds for one installation, or two that both replace PyPI.

    Of two indexes of builds pip takes whichever has the highest version, and of equal versions the
    label that sorts last: nobody chose that CUDA. Of two --index-url pip reads the last one only.
    In uv's configuration, torch and torchvision from different indexes do not fit each other:
    their compiled parts must be built for one CUDA.

    Messages that users see: "Detected that PyTorch and torchvision were compiled with different
    CUDA versions", "operator torchvision::nms does not exist".

    Bad:
        --extra-index-url https://index.example/whl/cu118
        --extra-index-url https://index.example/whl/cu121
        torch>=2.1

    Good:
        --extra-index-url https://index.example/whl/cu121
        torch>=2.1
    """
    for installation in Installers(project).installations():
        yield from _several_builds(installation, knowledge)
        yield from _several_defaults(installation)
    for install_set in project.install_sets:
        if install_set.home.kind == "pyproject":
            yield from _companions_apart(install_set, knowledge)


def _several_builds(installation: Installation, knowledge: Knowledge) -> Iterator[Finding]:
    if len(installation.indexes) < 2:
        return
    from mlenv.knowledge.indexes import wheel_index

    labels: dict[str, Index] = {}
    for index in installation.indexes:
        wheels = wheel_index(index.url) if index.kind in ("index", "extra", "find-links") else None
        if wheels is not None and wheels.label:
            labels.setdefault(wheels.label, index)
    undecided = [
        r
        for r in installation.requirements
        if r.ecosystem == PYPI and knowledge.indexes.serves(r.name) and _may_take_any(r)
    ]
    if len(labels) < 2 or not undecided:
        return
    first, *others = labels.values()
    names = " and ".join(labels)
    last = others[-1]
    yield Finding(
        f"{names} builds are both asked for: the highest version decides which are installed",
        last.span,
        tuple(dict.fromkeys(r.name for r in undecided)),
        Severity.NOTE if installation.home.role == CONTEXT else None,
        Certainty.POSSIBLE,
        help="keep the index of the CUDA that is meant",
        related=(Related(first.span, "the other index"), Related(undecided[0].span, "is open")),
        evidence=(_ALL_EQUAL,),
    )


def _may_take_any(requirement: Requirement) -> bool:
    """Whether a requirement leaves the build open on a system for which there are several."""
    marker = requirement.marker
    has_several = marker is None or any(map(marker.holds_in, _WITH_CUDA))
    return has_several and not _has_label(requirement)


def _has_label(requirement: Requirement) -> bool:
    version = requirement.versions.exact
    return requirement.is_direct or (version is not None and bool(version.local))


def _several_defaults(installation: Installation) -> Iterator[Finding]:
    defaults = [index for index in installation.indexes if index.kind == "index"]
    if len({index.url.rstrip("/") for index in defaults}) < 2:
        return
    first, last = defaults[0], defaults[-1]
    yield Finding(
        "the index is named twice, and pip asks only the one that it reads last",
        last.span,
        help="name the second with --extra-index-url, or keep one of the two",
        related=(Related(first.span, "the other one"),),
        evidence=(Evidence("the last --index-url of an installation counts", _PIP),),
    )


def _companions_apart(install_set: InstallSet, knowledge: Knowledge) -> Iterator[Finding]:
    """Judge where uv finds torch and what is compiled against it."""
    places = {index.name: index for index in install_set.home.indexes if index.name}
    if not places or install_set.home.is_contested:
        return
    from mlenv.knowledge.indexes import wheel_index

    found: dict[str, tuple[Requirement, str]] = {}
    for requirement in install_set.requirements:
        if (
            requirement.kind != REQUIREMENT
            or requirement.is_direct
            or requirement.ecosystem != PYPI
        ):
            continue
        index = places.get(requirement.index)
        wheels = wheel_index(index.url) if index is not None else None
        if wheels is not None and wheels.label and index is not None and index.kind == "explicit":
            found.setdefault(requirement.name, (requirement, wheels.label))
        elif (
            not requirement.index and not requirement.index_choices and not _has_label(requirement)
        ):
            found.setdefault(requirement.name, (requirement, ""))
    torch = found.get("torch")
    if torch is None or not torch[1]:
        return
    for name in knowledge.companions_of("torch"):
        other = found.get(name)
        if other is not None and other[1] != torch[1] and _is_compiled(name):
            yield _apart(torch[0], torch[1], *other)


def _is_compiled(name: str) -> bool:
    return name in ("torchvision", "torchaudio")


def _apart(torch: Requirement, label: str, other: Requirement, place: str) -> Finding:
    where = f"the {place} index" if place else "PyPI"
    return Finding(
        f"torch comes from the {label} index and {other.written} from {where}: they are built for "
        "different CUDAs",
        other.name_span or other.span,
        ("torch", other.name),
        certainty=Certainty.CERTAIN if place else Certainty.POSSIBLE,
        help=f"give {other.written} the index of torch in [tool.uv.sources]",
        related=(Related(torch.span, f"from the {label} index"),),
        evidence=(
            Evidence(
                "torch and torchvision are both to be assigned to the index of the build",
                "uv's documentation, Using uv with PyTorch",
            ),
        ),
        batch="apart",
        batch_message="{count} packages come from indexes of different builds: {packages}",
    )


@rule("IDX005", "torch-backend-ignored", topic="index", severity=Severity.NOTE)
def torch_backend_ignored(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A ``torch-backend`` in uv's configuration, which uv lock and uv sync pass over.

    Only ``uv pip`` and ``uv tool`` look at it. A locked project gets PyPI's default build of torch
    on every machine, whatever the setting says. A warning where the project has a uv.lock or is
    installed with ``uv sync``.

    Bad:
        [tool.uv]
        torch-backend = "cu126"

    Good:
        [tool.uv.sources]
        torch = { index = "pytorch-cu126" }
    """
    for source in project.sources.values():
        backend = next((s for s in source.statements if s.subject == "torch-backend"), None)
        if backend is None or source.is_contested:
            continue
        routed = [
            requirement
            for requirement in source.requirements
            if requirement.kind == REQUIREMENT
            and any(map(knowledge.indexes.serves, distributions(requirement, knowledge)))
        ]
        open_ones = [r for r in routed if not (r.index or r.index_choices or r.is_direct)]
        if open_ones:
            yield _ignored(backend, open_ones, _is_synced(source, project))


def _is_synced(source: Source, project: Project) -> bool:
    """Whether a project is installed from what ``uv lock`` writes."""
    return project.covered.get(source.path, "").endswith("uv.lock") or any(
        command.tool == "uv" and command.action in _UV_LOCKS
        for other in project.sources.values()
        for command in other.commands
    )


def _ignored(backend: Statement, routed: list[Requirement], synced: bool) -> Finding:
    first = routed[0]
    return Finding(
        f"uv lock and uv sync pass torch-backend over: {first.written} comes from PyPI, whatever "
        "this says",
        backend.span,
        tuple(dict.fromkeys(r.name for r in routed)),
        Severity.WARNING if synced else None,
        Certainty.CERTAIN if synced else Certainty.POSSIBLE,
        help=f"give {first.written} an index in [tool.uv.sources], with explicit = true at the "
        "index, or install with uv pip",
        related=(Related(first.span, "comes from PyPI"),),
        evidence=(
            Evidence(
                "uv lock and uv sync do not use the setting: a lock that uv 0.13.9 made with it "
                "holds PyPI's build",
                "astral-sh/uv, pull request 21535, and a trial",
            ),
        ),
        batch="torch-backend",
    )
