"""What speaks of the environment and installs nothing: CUDA as files say it, and saved models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlenv.knowledge.torch import cuda_of_label
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.model.project import Project
from mlenv.model.source import MANIFEST, Source, Statement
from mlenv.model.usage import Code, Saved
from mlenv.reasoning.setting import LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import DEFAULT, TorchBuild, torch_build
from mlenv.reasoning.verdict import judge
from mlenv.records import replace
from mlenv.rules.base import rule
from mlenv.rules.pairs import met, pair_finding
from mlenv.versions.version import Version, parse_version
from mlenv.versions.version_set import pep440

_CUDA = "cuda"
_README = "readme"
_MOST_NAMED = 3


@rule(
    "CTX001",
    "cuda-told-otherwise",
    topic="cuda-build",
    severity=Severity.WARNING,
    facts=("torch",),
    only=(REQUIREMENTS, LOCK),
)
def cuda_told_otherwise(setting: Setting, project: Project) -> Iterator[Finding]:
    """A torch for another CUDA than a comment or the README promises.

    Whoever installs the project prepares the machine that is described: its driver, its toolkit,
    the extensions that are compiled for it. A comment of the same file that names another major
    version of CUDA is a warning, a README's a note, and so is a build for a newer minor version
    than a comment names. An older minor version is fine: newer drivers run it.

    Bad:
        # CUDA: 11.8
        torch==2.1.0+cu121

    Good:
        # CUDA: 12.1
        torch==2.1.0+cu121
    """
    if setting.source is None:
        return
    told = [source for source in _speaking(setting.source, project) if _said(source)]
    build = torch_build(setting) if told else None
    if build is None or build.cuda is None or (build.is_cpu and build.known_by == DEFAULT):
        return
    for source in told:
        against = _against(build, _said(source))
        if against is not None:
            severity = _severity(build, against, source, setting.source)
            if severity is not None:
                yield _told_otherwise(build, against, severity)


def _speaking(source: Source, project: Project) -> Iterator[Source]:
    """Yield the files that speak of what one installs: itself, and the README beside it."""
    if source.role == MANIFEST:
        yield source
    yield from (
        other
        for other in project.sources.values()
        if other.kind == _README and other.directory == source.directory
    )


def _said(source: Source) -> list[Statement]:
    """Return what a file says of CUDA without any tool acting on it."""
    return [one for one in source.statements if one.subject == _CUDA and not one.binding]


def _against(build: TorchBuild, said: Sequence[Statement]) -> Statement | None:
    """Return the first statement that a build does not fit, if it fits none of them."""
    if any(_fits(build, one) for one in said):
        return None
    return next((one for one in said if _release(one) is not None), None)


def _fits(build: TorchBuild, said: Statement) -> bool:
    stated = _release(said)
    cuda = parse_version(build.cuda) if build.cuda else None
    if stated is None or cuda is None:
        return False
    if said.versions is not None and said.versions.admits(cuda, prereleases=True):
        return True
    major, minor = (*cuda.release, 0)[:2]
    # a major alone stands for all of its minors
    return major == stated.release[0] and (len(stated.release) == 1 or minor <= stated.release[1])


def _release(said: Statement) -> Version | None:
    """Return the first version that a statement names; ``cu118`` stands for 11.8."""
    cuda = cuda_of_label(said.value)
    if cuda:
        return parse_version(cuda)
    number = re.search(r"\d+(?:\.\d+)*", said.value)
    return parse_version(number[0]) if number else None


def _severity(
    build: TorchBuild, said: Statement, source: Source, stating: Source
) -> Severity | None:
    stated = _release(said)
    assert stated is not None
    same_major = (build.cuda or "").partition(".")[0] == str(stated.release[0])
    if source.path == stating.path:
        return Severity.NOTE if same_major else Severity.WARNING
    # prose is read with less care, and is often about the machine it was tried on
    return None if same_major else Severity.NOTE


def _told_otherwise(build: TorchBuild, said: Statement, severity: Severity) -> Finding:
    path = said.span.path
    picked = build.certainty is Certainty.FRESH_INSTALL
    return Finding(
        f"{'an installer picks ' if picked else ''}{build.text}, and {path} speaks of CUDA "
        f"{_release(said)}",
        build.span,
        ("torch",),
        severity,
        build.certainty,
        help="install the build for that CUDA, or correct what the text says",
        related=(Related(said.span, "CUDA is spoken of here"),),
        evidence=(build.evidence,),
    )


@rule("CTX002", "model-is-newer", topic="cohorts", severity=Severity.WARNING)
def model_is_newer(setting: Setting, project: Project, code: Code) -> Iterator[Finding]:
    """A saved model that a newer release wrote than the one that is to load it.

    transformers, diffusers and PEFT write their version into a model's configuration. An older
    release may not know its architecture, its fields or their form. Releases that differ only in
    the patch are not compared, nor are the models of tests and examples.

    Messages that users see: "KeyError: 'qwen2'", "`rope_scaling` must be a dictionary with two
    fields", "LoraConfig.__init__() got an unexpected keyword argument".

    Bad:
        requirements.txt: transformers==4.36.2
        config.json:      "transformers_version": "4.43.0"

    Good:
        requirements.txt: transformers==4.44.2
        config.json:      "transformers_version": "4.43.0"
    """
    known = setting.names & {"transformers", "diffusers", "peft"}
    if not known or not code.saved:
        return
    from mlenv.rules.ownership import realm_of  # few projects hold a model

    by_package: dict[str, list[Saved]] = {}
    realm = realm_of(setting, project)
    folder = setting.source.directory if setting.source is not None else ""
    for saved in code.saved:
        path = saved.span.path
        beside = not folder or path.startswith(f"{folder}/")
        if saved.package in known and (realm.holds(path) or (realm.folder is None and beside)):
            by_package.setdefault(saved.package, []).append(saved)
    for package, models in by_package.items():
        own = [one for one in models if not realm.is_aside(one.span.path)]
        finding = _newer(setting, package, own)
        if finding is not None:
            yield finding


def _newer(setting: Setting, package: str, models: Sequence[Saved]) -> Finding | None:
    """Return the finding on the models that are newer than a package, the newest first."""
    dated = [(parse_version(one.version), one) for one in models]
    known = sorted(
        ((version, one) for version, one in dated if version is not None and version.release[1:]),
        key=lambda pair: pair[0],
        reverse=True,
    )
    if not known:
        return None
    newest, model = known[0]
    line = newest.minor_line
    older = pep440(f"<{line}")
    verdict = judge(setting, {package: older}) if older is not None else None
    if verdict is None or verdict.certainty is Certainty.POSSIBLE:
        return None
    fact = f"the configuration of the model says that {package} {model.version} wrote it"
    finding = pair_finding(
        setting,
        verdict,
        "",
        (f"{package}>={line}", "a model that this release wrote"),
        (Evidence(fact, model.span.path),),
        Severity.WARNING,
    )
    if finding is None:
        return None
    release = next(iter(verdict.picks.values())).version if verdict.picks else None
    newer = [
        one
        for version, one in known
        if release is None or version.release[:2] > release.release[:2]
    ]
    return replace(
        finding,
        message=f"{met(setting, verdict)}: {model.span.path} was written by {package} "
        f"{model.version}, which is newer",
        related=tuple(
            Related(one.span, f"written by {package} {one.version}") for one in newer[:_MOST_NAMED]
        ),
    )
