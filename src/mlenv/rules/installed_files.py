"""Topic ``environment``: whether the installed files are those of who recorded them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from mlenv.knowledge import Knowledge
from mlenv.knowledge.names import Overlap as Known
from mlenv.model.environment import TWICE, Environment
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.model.installed_files import Altered, Overlap
from mlenv.model.installed_path import ASIDE, MODULE
from mlenv.phrases import counted, listed
from mlenv.reasoning.installed_requirements import requirements_of
from mlenv.reasoning.installed_verdict import Required
from mlenv.rules.base import rule
from mlenv.rules.installed import shown
from mlenv.rules.installed_requirements import install_command

_MOST_NAMED = 3
_RECORD = "Python Packaging User Guide, Recording installed projects"


@rule(
    "ENV020",
    "files-overwritten",
    topic="environment",
    severity=Severity.WARNING,
    facts=("distributions",),
)
def files_overwritten(environment: Environment, knowledge: Knowledge) -> Iterator[Finding]:
    """Distributions that were installed over each other, so that one lacks its own files.

    Both record the same paths with different contents, and one copy can lie there. No installer
    and no check of requirements looks at that. Told is whose copies lie on the disk; copies that
    are equal, as those of ``mlflow`` and ``mlflow-skinny``, are no finding. A module that a package
    of the same name hides is told too. An error where the files are mixed, or another package needs
    those that are gone, and that is known to fail. A note for what nobody imports, such as two
    folders ``tests`` beside the packages.

    Messages that users see: "module 'cv2' has no attribute 'imshow'", "CUDAExecutionProvider is
    not in available provider names", "undefined symbol: ncclCommRegister".

    Bad:
        opencv-python 4.10.0.84
        opencv-python-headless 4.10.0.84

    Good:
        opencv-python-headless 4.10.0.84
    """
    for overlap in environment.files.overlaps:
        if overlap.conda:
            continue  # ENV022 tells of these
        if overlap.hides:
            yield _hidden(environment, overlap, knowledge)
        elif overlap.weight > MODULE:
            yield _beside(environment, overlap)
        else:
            yield _overwritten(environment, overlap, knowledge)


def _overwritten(environment: Environment, overlap: Overlap, knowledge: Knowledge) -> Finding:
    names, holder = overlap.owners, overlap.holder
    known = _known(knowledge, names)
    losing = [name for name in names if name != holder]
    asking = _needing(environment, losing)
    needing = [one for one in asking if one.origin not in names]
    of_its_own = next((one for one in asking if one.origin == holder), None)
    is_error = known is not None and known.severity is Severity.ERROR and (needing or not holder)
    all_files = overlap.count + overlap.identical
    differ = f"{overlap.count} of {counted(all_files, 'file')} that they share differ"
    message = f"{_joined(environment, names)} are installed over each other"
    if holder:
        message += f": {_inner(environment, overlap.paths[0])} is that of {holder}"
        message += f", and {_needs(environment, needing)}" if needing else ""
    else:
        message += ", and the files on the disk are not those of one of them"
    source = f"RECORD of {' and of '.join(names)}; {overlap.paths[0]}"
    return Finding(
        message,
        environment.where(losing[-1]),
        names,
        Severity.ERROR if is_error else Severity.NOTE if _is_mild(known) else None,
        help=f"both are one project's: install {of_its_own.shown}, which {holder} asks for"
        if of_its_own is not None
        else _way_out(environment, overlap, known, needing),
        related=tuple(
            Related(environment.where(name), name) for name in names if name != losing[-1]
        ),
        evidence=(Evidence(differ, source), *_effect(known)),
    )


def _hidden(environment: Environment, overlap: Overlap, knowledge: Knowledge) -> Finding:
    """Return a finding on a module that a package of the same name hides."""
    losing, holder = overlap.owners
    known = _known(knowledge, overlap.owners)
    needing = _needing(environment, [losing])
    message = (
        f"{shown(environment, holder)} hides {shown(environment, losing)}: both are imported as "
        f"{overlap.hides}"
    )
    return Finding(
        f"{message}, and {_needs(environment, needing)}" if needing else message,
        environment.where(losing),
        overlap.owners,
        Severity.NOTE if _is_mild(known) else None,
        help=known.advice if known is not None else f"keep one of the two, {holder} or {losing}",
        related=(Related(environment.where(holder), holder),),
        evidence=(
            Evidence(
                f"a folder goes before a module: {' and '.join(overlap.paths)}",
                "Python documentation, The import system",
            ),
            *_effect(known),
        ),
    )


def _is_mild(known: Known | None) -> bool:
    """Whether little is known to come of it."""
    return known is not None and known.severity is Severity.NOTE


def _effect(known: Known | None) -> tuple[Evidence, ...]:
    if known is None:
        return ()
    return (Evidence(f"then {known.effect}", known.evidence.source),)


def _known(knowledge: Knowledge, names: Sequence[str]) -> Known | None:
    """Return what is on record of distributions that overwrite each other's files."""
    group = knowledge.names.overlaps_of(names[0])
    return knowledge.names.overlap(names[0]) if set(names) <= set(group) else None


def _needing(environment: Environment, losing: Sequence[str]) -> list[Required]:
    """Return the requirements that ask for those whose files are gone."""
    requirements = requirements_of(environment)
    if requirements is None:
        return []
    asking = (one for name in losing for one in requirements.asking(name))
    return [one for one in asking if one.origin not in losing]


def _needs(environment: Environment, needing: Sequence[Required]) -> str:
    origins = list(dict.fromkeys(shown(environment, one.origin) for one in needing))
    verb = "needs" if len(origins) == 1 else "need"
    return f"{listed(origins, _MOST_NAMED)} {verb} {needing[0].name}"


def _joined(environment: Environment, names: Sequence[str]) -> str:
    found = [shown(environment, name) for name in names]
    return f"{', '.join(found[:-1])} and {found[-1]}"


def _way_out(
    environment: Environment, overlap: Overlap, known: Known | None, needing: Sequence[Required]
) -> str:
    advice = known.advice if known is not None else "keep one of them"
    command = install_command(environment, anew=True)
    if needing:
        return f"{advice}; {command} {_pinned(environment, needing[0].name)} puts its files back"
    kept = overlap.holder or overlap.owners[0]
    others = " ".join(name for name in overlap.owners if name != kept)
    tool = "uv pip" if environment.made_by == "uv" else "pip"
    return (
        f"{advice}, such as by {tool} uninstall {others}, then {command} "
        f"{_pinned(environment, kept)}, some of whose files go with the others"
    )


def _beside(environment: Environment, overlap: Overlap) -> Finding:
    """Return a note on files that no import reads."""
    path = _inner(environment, overlap.paths[0])
    return Finding(
        f"{_joined(environment, overlap.owners)} both install {path}, with different contents",
        environment.where(overlap.owners[-1]),
        overlap.owners,
        Severity.NOTE,
        evidence=(
            Evidence(
                f"{counted(overlap.count, 'file')} recorded by both with other hashes: "
                f"{listed(overlap.paths, _MOST_NAMED)}",
                _RECORD,
            ),
        ),
        batch="beside",
        batch_message="{count} distributions install files over each other's that nobody imports: "
        "{packages}",
    )


def _inner(environment: Environment, path: str) -> str:
    """Return a path as its folder of packages has it."""
    site = next((one for one in environment.sites if path.startswith(f"{one}/")), "")
    return posixpath.relpath(path, site) if site else path


@rule("ENV021", "files-missing-or-altered", topic="environment", severity=Severity.WARNING)
def files_missing_or_altered(environment: Environment) -> Iterator[Finding]:
    """A distribution whose files are gone, or are not those that were installed.

    Folders were deleted by hand, an installation was broken off, a disk was full, something was
    uninstalled that had shared the files, or somebody edited a package where it lies. Installers
    see the metadata, say "already satisfied" and leave it so. Looked at is what each distribution
    has at the top of ``site-packages``, and a sample of the files of those that compute;
    ``--verify-files`` looks at every file and hashes it. An error where modules or libraries are
    missing.

    Messages that users see: "ModuleNotFoundError: No module named 'cv2'", "cannot import name",
    "file too short", "invalid ELF header".

    Bad:
        opencv-python 4.10.0.84, after "pip uninstall opencv-python-headless"

    Good:
        opencv-python 4.10.0.84, after "pip install --force-reinstall --no-deps opencv-python"
    """
    twice = {one.subject for one in environment.oddities if one.kind == TWICE}
    for one in environment.files.altered:
        if one.name not in twice:  # ENV007 tells the cause
            yield _altered(environment, one)


def _altered(environment: Environment, altered: Altered) -> Finding:
    missing, changed = altered.missing, altered.changed
    parts = []
    if missing:
        parts.append(f"{counted(len(missing), 'file')} of it {_are(missing)} missing or empty")
    if changed:
        parts.append(f"{counted(len(changed), 'file')} {_are(changed)} not as installed")
    example = (missing or changed)[0]
    is_error = missing and altered.weight <= MODULE
    is_note = altered.weight == ASIDE or (altered.weight > MODULE and not missing)
    severity = Severity.ERROR if is_error else Severity.NOTE if is_note else None
    facts = [
        f"{word}: {listed(paths, _MOST_NAMED)}"
        for word, paths in (("missing or empty", missing), ("altered", changed))
        if paths
    ]
    looked = f"{altered.looked_at} of {altered.recorded} recorded files were looked at"
    return Finding(
        f"{shown(environment, altered.name)} is not whole: {' and '.join(parts)}, such as "
        f"{example.rpartition('site-packages/')[2]}",
        environment.where(altered.name),
        (altered.name,),
        severity,
        help=f"{install_command(environment, anew=True)} {_pinned(environment, altered.name)}",
        evidence=(Evidence("; ".join((*facts, looked)), _RECORD),),
    )


def _are(paths: Sequence[str]) -> str:
    return "is" if len(paths) == 1 else "are"


def _pinned(environment: Environment, name: str) -> str:
    one = environment.distributions.get(name)
    return f"{name}=={one.version}" if one is not None and one.version else name
