"""Topic ``system-libraries``: shared libraries and programs that wheels do not bring along."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.knowledge.system_libraries import IMPORT, PROGRAM, Need
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.reasoning.setting import IMAGE, Setting
from mlenv.rules.base import rule
from mlenv.rules.repository_names import repository_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.reasoning.image_contents import ImageContents

_GIT = Evidence(
    "pip and uv run git to fetch a requirement from a repository",
    "pip's documentation, VCS Support",
)
_HEADLESS = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
}
_OPENCV = frozenset((*_HEADLESS, *_HEADLESS.values()))


@rule(
    "SYS001",
    "missing-library",
    topic="system-libraries",
    severity=Severity.ERROR,
    facts=("system_libraries", "system_packages"),
    only=(IMAGE, "missing_libraries"),
)
def missing_library(setting: Setting) -> Iterator[Finding]:
    """A package that loads a shared library which is not there.

    Wheels hold most of the libraries that they link, but not all: OpenCV leaves out OpenGL and
    GLib, LightGBM the OpenMP runtime. Installing works, importing fails. Judged is what a target
    says is missing, and images whose base is known not to hold it, with what their commands
    install and what those packages bring along. A warning where the base image is known from
    reports only. What conda installs brings its own libraries.

    Messages that users see: "ImportError: libGL.so.1: cannot open shared object file: No such file
    or directory", "OSError: libgomp.so.1: cannot open shared object file", "OSError: sndfile
    library not found".

    Bad:
        FROM python:3.11-slim
        RUN pip install opencv-python==4.10.0.84

    Good:
        FROM python:3.11-slim
        RUN apt-get update && apt-get install -y libgl1 libglib2.0-0
        RUN pip install opencv-python==4.10.0.84
    """
    target = setting.target
    if not setting.platform.startswith("linux"):
        return
    contents = _contents(setting)
    missing = frozenset(target.missing_libraries) if target is not None else frozenset()
    if contents is None and not missing:
        return
    for need in _needs(setting, IMPORT):
        absent = [one for one in need.libraries if one in missing]
        if absent and target is not None:
            yield _missing_there(setting, need, absent)
        elif contents is not None:
            lacking = [one for one in need.apt if contents.lacks(one)]
            if lacking:
                yield _missing_in(setting, need, lacking, contents)


@rule(
    "SYS003",
    "missing-program",
    topic="system-libraries",
    severity=Severity.WARNING,
    facts=("system_libraries", "system_packages"),
    only=(IMAGE,),
)
def missing_program(setting: Setting) -> Iterator[Finding]:
    """A package that runs a program which the image does not hold.

    Some packages are wrappers around a program: pytesseract around tesseract, pdf2image around
    Poppler, pydub around ffmpeg. They import, and fail when they are used. An error where git is
    missing for a requirement from a repository: that stops the installation. Judged are images
    whose base is known not to hold the program.

    Messages that users see: "Cannot find command 'git' - do you have 'git' installed and in your
    PATH?", "tesseract is not installed or it's not in your PATH", "Unable to get page count. Is
    poppler installed and in PATH?".

    Bad:
        FROM python:3.11-slim
        RUN pip install git+https://github.com/openai/CLIP.git

    Good:
        FROM python:3.11-slim
        RUN apt-get update && apt-get install -y git
        RUN pip install git+https://github.com/openai/CLIP.git
    """
    contents = _contents(setting)
    if contents is None or not setting.platform.startswith("linux"):
        return
    for need in _needs(setting, PROGRAM, direct=True):
        lacking = [one for one in need.apt if contents.lacks(one)]
        if lacking:
            yield _missing_in(setting, need, lacking, contents)
    if contents.lacks("git"):
        for requirement in setting.requirements:
            if requirement.is_vcs and requirement.url.lower().startswith("git+"):
                name = requirement.name or repository_name(requirement.url)
                yield Finding(
                    f"{contents.stage.image} has no git, which is needed to fetch {name} from its "
                    "repository",
                    requirement.span,
                    (name,) if name else (),
                    Severity.ERROR if contents.base.certain else None,
                    help="install the system's package git before this, or name an archive: "
                    "https://…/archive/COMMIT.zip",
                    related=(Related(contents.stage.span, "the base image"),),
                    evidence=(_GIT, contents.base.evidence),
                    batch="no git",
                    batch_message=f"{contents.stage.image} has no git, which is needed to fetch "
                    "{count} requirements from their repositories: {packages}",
                )


def _contents(setting: Setting) -> ImageContents | None:
    """Return what the image of an installation holds; None where it is in none that is known."""
    if setting.kind != IMAGE:
        return None
    from mlenv.reasoning.image_contents import image_contents

    return image_contents(setting)


def _needs(setting: Setting, kind: str, *, direct: bool = False) -> Iterator[Need]:
    """Yield what the distributions of an installation need.

    Args:
        setting: The installation.
        kind: The kind of need.
        direct: Whether only what is declared counts, and not what that brings along.
    """
    libraries = setting.knowledge.system_libraries
    names = {**setting.choices} if direct else {**setting.choices, **setting.resolution.picks}
    for name in names:
        choice = setting.choices.get(name)
        if choice is not None and choice.is_conda:
            continue
        if _HEADLESS.get(name, "") in names:
            continue  # both hold cv2, and the one that was installed last counts
        for need in libraries.needs_of(name, kind):
            if need.through and not _OPENCV.isdisjoint(names):
                continue
            if _applies(setting, need):
                yield need
                break


def _applies(setting: Setting, need: Need) -> bool:
    """Whether the version that is or would be installed has a need."""
    pick = setting.pick(need.name)
    if pick is not None:
        return need.versions.admits(pick.version, prereleases=True)
    choice = setting.choices.get(need.name)
    if choice is None or not choice.versions.understood:
        return False
    return need.versions.is_any or choice.versions.implies(need.versions)


def _missing_there(setting: Setting, need: Need, absent: Sequence[str]) -> Finding:
    target = setting.target
    assert target is not None
    there = Related(target.where("missing_libraries"), "not there, as stated here")
    return Finding(
        f"{_shown(setting, need)} loads {' and '.join(absent)}, which {target.name} lacks",
        setting.place_of(need.name) or target.span,
        (need.name, *need.apt),
        certainty=_certainty(setting, need),
        help=_way_out(need, need.apt),
        related=(there,) if there.span != setting.place_of(need.name) else (),
        evidence=_evidence(need),
    )


def _missing_in(
    setting: Setting, need: Need, lacking: Sequence[str], contents: ImageContents
) -> Finding:
    place = setting.place_of(need.name)
    verb = "needs" if need.kind == IMPORT else "runs a program of"
    return Finding(
        f"{_shown(setting, need)} {verb} {' and '.join(lacking)}, which {contents.stage.image} "
        "lacks and nothing here installs",
        contents.stage.span,
        (need.name, *lacking),
        None if contents.base.certain else Severity.WARNING,
        _certainty(setting, need),
        help=_way_out(need, lacking),
        related=(Related(place, f"{need.name} is installed by this"),) if place else (),
        evidence=(*_evidence(need), contents.base.evidence),
    )


def _shown(setting: Setting, need: Need) -> str:
    pick = setting.pick(need.name)
    shown = f"{need.name} {pick.version}" if pick is not None else need.name
    if pick is not None and pick.chain:
        return f"{shown} (brought by {pick.chain[-1]})"
    return shown


def _certainty(setting: Setting, need: Need) -> Certainty:
    choice = setting.choices.get(need.name)
    if choice is not None and (choice.exact is not None or need.versions.is_any):
        return Certainty.CERTAIN
    return Certainty.FRESH_INSTALL


def _way_out(need: Need, lacking: Sequence[str]) -> str:
    ways = [f"apt-get install -y {' '.join(lacking)}"]
    if need.instead:
        ways.append(f"use {need.instead}")
    if need.conda:
        ways.append(f"with conda install {' '.join(need.conda)}")
    return ", or ".join(ways)


def _evidence(need: Need) -> tuple[Evidence, ...]:
    if not need.error:
        return (need.evidence,)
    return need.evidence, Evidence(f"users see: {need.error}", need.evidence.source)
