"""Which Python an installation is known to run on, and where that is stated."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.project import Project
from mlenv.model.requirement import ALL_ENVIRONMENTS, CONDA
from mlenv.model.source import Source
from mlenv.model.text import Span
from mlenv.reasoning.base_image import stage_of
from mlenv.reasoning.image_contents import names_other_python, python_of_base
from mlenv.reasoning.interpreter import admitted_minors
from mlenv.reasoning.setting import IMAGE, REQUIREMENTS, Setting
from mlenv.records import dataclass
from mlenv.rules.python_statements import FILES
from mlenv.versions.version import Version, parse_version


@dataclass(frozen=True, slots=True, eq=False)
class StatedPython:
    """The Python that something names.

    Attributes:
        version: Its version, be it a minor only.
        span: Where it is stated; None where no file of the project does.
    """

    version: Version
    span: Span | None

    @property
    def name(self) -> str:
        """Major and minor, such as ``3.10``."""
        return self.version.minor_line


def stated_python(setting: Setting, project: Project) -> StatedPython | None:
    """Return the Python of an installation, where something states one minor of Python 3.

    An image has its own, whatever the machine has that it runs on. Elsewhere the target's goes
    first, then what the files state, then a .python-version beside them.
    """
    target = setting.target
    if setting.kind == IMAGE:
        found = _known(_of_files(setting) or _of_base(setting))
        source = setting.source
        if found is None or source is None or names_other_python(source, found.version):
            return None
        return found
    if target is not None and target.python_version is not None:
        return _known(StatedPython(target.python_version, target.where("python")))
    found = _of_files(setting)
    if found is None and setting.kind == REQUIREMENTS and setting.source is not None:
        found = _of_neighbour(setting.source, project)
    return _known(found)


def admitted_minors_of(setting: Setting) -> frozenset[int]:
    """Return the minors of Python 3 that the files of an installation admit."""
    # an image may hold several interpreters
    install_set = setting.install_set if setting.kind == REQUIREMENTS else None
    bits = install_set.pythons if install_set is not None else ALL_ENVIRONMENTS
    return frozenset(
        int(minor.partition(".")[2]) for minor in admitted_minors(bits) if minor[0] == "3"
    )


def _known(found: StatedPython | None) -> StatedPython | None:
    if found is None or found.version.release[0] != 3 or len(found.version.release) < 2:
        return None
    return found


def _of_files(setting: Setting) -> StatedPython | None:
    if setting.install_set is None:
        if not setting.python.stated:
            return None
        return StatedPython(setting.python.version, None)
    minors = admitted_minors(setting.install_set.pythons)
    version = parse_version(next(iter(minors))) if len(minors) == 1 else None
    if version is None:
        return None
    return StatedPython(version, next(_places(setting), None))


def _places(setting: Setting) -> Iterator[Span]:
    """Yield where the files of an installation speak of Python."""
    home = setting.source
    if home is None:
        return
    for statement in home.statements:
        if statement.subject == "python" and statement.binding and statement.versions:
            yield statement.span
    for requirement in home.requirements:
        if requirement.name == "python" and requirement.ecosystem == CONDA:
            yield requirement.span


def _of_base(setting: Setting) -> StatedPython | None:
    """Return the Python that an image has from its base, though no file names its minor."""
    source, install_set = setting.source, setting.install_set
    stage = stage_of(setting)
    if source is None or install_set is None or stage is None:
        return None
    version = python_of_base(source, install_set.group, setting.knowledge, setting.day)
    if version is None or version.text not in admitted_minors(install_set.pythons):
        return None
    return StatedPython(version, stage.span)


def _of_neighbour(source: Source, project: Project) -> StatedPython | None:
    """Return the Python of a file that states nothing else, in the folder of a manifest."""
    for one in project.sources.values():
        if one.kind not in FILES or one.directory != source.directory:
            continue
        for statement in one.statements:
            version = parse_version(statement.value)
            if statement.subject == "python" and version is not None:
                return StatedPython(version, statement.span)
    return None
