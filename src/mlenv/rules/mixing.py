"""Topic ``mixing``: conda and pip in one environment, and channels that do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import InstallSet, Project
from mlenv.model.requirement import CONDA, MAIN, PYPI, REQUIREMENT, Requirement
from mlenv.model.source import MANIFEST, Source
from mlenv.rules.base import rule
from mlenv.rules.common import distributions, is_aside, is_auxiliary
from mlenv.rules.conflicts import meet

_CONDA_ADVICE = "Anaconda's documentation, Using pip in a conda environment"
_TORCH = "torch"


def _pairs(
    install_set: InstallSet, knowledge: Knowledge
) -> Iterator[tuple[str, Requirement, Requirement]]:
    """Yield distributions that both conda and pip bring to one environment, with the requirements.

    pixi resolves the two together and a lock proves that they fit, so neither is looked at.
    """
    if install_set.lock or install_set.home.kind != "conda-env":
        return
    from_conda: dict[str, Requirement] = {}
    for requirement in install_set.requirements:
        if requirement.ecosystem == CONDA and requirement.kind == REQUIREMENT:
            for name in distributions(requirement, knowledge):
                from_conda.setdefault(name, requirement)
    seen: set[str] = set()
    for requirement in install_set.requirements:
        if requirement.ecosystem != PYPI or requirement.kind != REQUIREMENT:
            continue
        twin = from_conda.get(requirement.name)
        if (
            twin is not None
            and requirement.name not in seen
            and meet(install_set, twin, requirement)
        ):
            seen.add(requirement.name)
            yield requirement.name, twin, requirement


@rule("MIX001", "conda-and-pip", topic="mixing", severity=Severity.WARNING, facts=("conda",))
def conda_and_pip(install_set: InstallSet, knowledge: Knowledge) -> Iterator[Finding]:
    """The same distribution from conda and from pip in one environment.

    pip runs after conda and knows nothing of conda's records: where its requirement asks for
    another version it writes its files over conda's, and conda goes on believing in the old ones.
    A note where pip takes whatever conda installs, since it then leaves conda's copy alone.

    Messages that users see: "ImportError: ... undefined symbol", "The environment is
    inconsistent".

    Bad:
        dependencies:
          - numpy=1.26
          - pip:
            - numpy==1.24.3

    Good:
        dependencies:
          - numpy=1.24.3
    """
    for name, conda, pip in _pairs(install_set, knowledge):
        if name == _TORCH or knowledge.is_tool(name):
            continue
        clash = not conda.versions.intersects(pip.versions) or pip.is_direct
        agrees = not clash and conda.versions.implies(pip.versions)
        message = f"conda and pip both install {name}"
        if clash:
            message += ", and pip will write its version over conda's"
        yield Finding(
            message,
            pip.name_span or pip.span,
            (name,),
            Severity.NOTE if agrees else None,
            Certainty.CERTAIN if clash else Certainty.POSSIBLE,
            help="keep one of the two",
            related=(Related(conda.span, "conda installs it here"),),
            evidence=(
                Evidence("pip and conda do not see each other's dependencies", _CONDA_ADVICE),
            ),
            batch="" if clash else "both" + str(agrees),
            batch_message="conda and pip both install {count} distributions: {packages}",
        )


@rule("MIX002", "torch-from-both", topic="mixing", severity=Severity.WARNING, facts=("conda",))
def torch_from_both(install_set: InstallSet, knowledge: Knowledge) -> Iterator[Finding]:
    """PyTorch from conda and from pip in one environment.

    Two builds of libtorch, often for two versions of CUDA, then lie in one folder: the extension
    of one loads the library of the other. An error where their versions exclude each other, since
    pip then certainly replaces conda's files; a note where pip takes whatever conda installs.

    Messages that users see: "libtorch_cuda_cu.so: cannot open shared object file", "undefined
    symbol: _ZN2at4_ops", "Torch not compiled with CUDA enabled".

    Bad:
        dependencies:
          - pytorch=2.1.0
          - pip:
            - torch==2.2.0

    Good:
        dependencies:
          - pytorch=2.1.0
    """
    for name, conda, pip in _pairs(install_set, knowledge):
        if name != _TORCH:
            continue
        replaces = not conda.versions.intersects(pip.versions) or pip.is_direct
        local = pip.versions.exact is not None and bool(pip.versions.exact.local)
        agrees = not (replaces or local) and conda.versions.implies(pip.versions)
        yield Finding(
            "conda and pip both install PyTorch"
            + (", and pip writes its build over conda's" if replaces or local else ""),
            pip.name_span or pip.span,
            (_TORCH,),
            Severity.ERROR if replaces else Severity.NOTE if agrees else None,
            Certainty.CERTAIN if replaces or local else Certainty.POSSIBLE,
            help="take torch, torchvision and torchaudio from one of the two; from pip is what "
            "PyTorch itself supports",
            related=(Related(conda.span, "conda installs it here"),),
            evidence=(
                Evidence("pip and conda do not see each other's dependencies", _CONDA_ADVICE),
                knowledge.channel_evidence("pytorch"),
            ),
        )


@rule("MIX003", "pip-not-listed", topic="mixing", severity=Severity.NOTE, facts=("conda",))
def pip_not_listed(source: Source) -> Iterator[Finding]:
    """A pip section in environment.yml without pip among conda's dependencies.

    conda then adds pip itself and warns; which pip is used is not stated.

    Messages that users see: "Warning: you have pip-installed dependencies in your environment
    file, but you do not list pip itself as one of your conda dependencies."

    Bad:
        dependencies:
          - python=3.10
          - pip:
            - einops

    Good:
        dependencies:
          - python=3.10
          - pip
          - pip:
            - einops
    """
    if source.kind != "conda-env" or source.is_contested:
        return
    conda = [r for r in source.requirements if r.ecosystem == CONDA]
    pip = [r for r in source.requirements if r.ecosystem == PYPI]
    if not pip or any(r.name == "pip" for r in conda):
        return
    yield Finding(
        "the pip section needs pip, which conda's dependencies do not list",
        pip[0].span,
        ("pip",),
        help="add a line '- pip' above the pip section",
        evidence=(Evidence("conda warns and adds pip by itself", "conda 26.7, conda/env/env.py"),),
    )


@rule("MIX004", "pip-over-conda", topic="mixing", severity=Severity.NOTE, facts=("conda",))
def pip_over_conda(install_set: InstallSet, knowledge: Knowledge) -> Iterator[Finding]:
    """A pin of pip on a distribution that a conda package brings along.

    conda resolved its packages against its own copy; pip replaces that copy if the pin asks for
    another version, and conda's packages then run against what they were not built for.

    Bad:
        dependencies:
          - scipy=1.11
          - pip:
            - numpy==1.23.5

    Good:
        dependencies:
          - scipy=1.11
          - numpy=1.23.5
    """
    if install_set.lock or install_set.home.kind != "conda-env":
        return
    listed = {r.name: r for r in install_set.requirements if r.ecosystem == CONDA}
    pinned = {
        r.name: r
        for r in install_set.requirements
        if r.ecosystem == PYPI and r.versions.exact is not None and r.kind == REQUIREMENT
    }
    said: set[str] = set()
    for name, conda in listed.items():
        for brought in knowledge.brought_by(name):
            for distribution in knowledge.distributions_of(brought):
                pip = pinned.get(distribution)
                if pip is None or brought in listed or distribution in said:
                    continue
                said.add(distribution)
                yield Finding(
                    f"pip pins {pip.written}, of which conda's {name} brings its own copy",
                    pip.span,
                    (distribution,),
                    certainty=Certainty.POSSIBLE,
                    help=f"pin {brought} among conda's dependencies instead",
                    related=(Related(conda.span, f"brings {brought} from conda"),),
                )


@rule("MIX009", "manifests-disagree", topic="mixing", severity=Severity.WARNING)
def manifests_disagree(project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """Two manifests of one folder that ask for versions which exclude each other.

    A folder with environment.yml and requirements.txt offers two ways to install one project. When
    they disagree, what a colleague runs depends on the way that was taken. A note in folders for
    documentation, tests and examples.

    Bad:
        environment.yml: numpy=1.26        requirements.txt: numpy==1.24.3

    Good:
        environment.yml: numpy=1.24.3      requirements.txt: numpy==1.24.3
    """
    folders: dict[str, list[Source]] = {}
    for source in project.sources.values():
        if source.role == MANIFEST and _is_principal(source):
            folders.setdefault(source.directory, []).append(source)
    joined = {(i.origin, i.target) for i in project.includes}
    for sources in folders.values():
        for at, one in enumerate(sources):
            for two in sources[at + 1 :]:
                apart = (one.path, two.path) not in joined and (two.path, one.path) not in joined
                if one.kind != two.kind and apart:
                    yield from _disagreements(one, two, knowledge)


def _is_principal(source: Source) -> bool:
    name = source.path.rpartition("/")[2].lower()
    stem = name.rpartition(".")[0]
    return stem in ("requirements", "environment", "conda", "pyproject", "pixi", "environment-gpu")


def _disagreements(one: Source, two: Source, knowledge: Knowledge) -> Iterator[Finding]:
    wanted: dict[str, Requirement] = {}
    for requirement in one.requirements:
        if requirement.group == MAIN and requirement.kind == REQUIREMENT and not requirement.marker:
            for name in distributions(requirement, knowledge):
                wanted.setdefault(name, requirement)
    for requirement in two.requirements:
        if requirement.group != MAIN or requirement.marker or requirement.kind != REQUIREMENT:
            continue
        for name in distributions(requirement, knowledge):
            other = wanted.get(name)
            if other is None or other.versions.intersects(requirement.versions):
                continue
            yield Finding(
                f"{one.path} and {two.path} disagree on {name}: {other.versions} and "
                f"{requirement.versions}",
                requirement.specifier_span or requirement.span,
                (name,),
                Severity.NOTE if is_auxiliary(two.path) or is_aside(two.path) else None,
                help="make them say the same, or keep one of the two files",
                related=(
                    Related(other.specifier_span or other.span, f"asks for {other.versions}"),
                ),
                batch=f"disagree with {one.path}",
                batch_message=f"{one.path} and {two.path} disagree on {{count}} distributions: "
                "{packages}",
            )
