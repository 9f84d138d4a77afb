"""The standard tables of pyproject.toml, and the hooks that take dependencies from other files.

Source: PEP 621, PEP 518, PEP 735; setuptools' documentation, "Dynamic Metadata"; the README of
hatch-requirements-txt.
"""

from __future__ import annotations

from mlenv.model.requirement import BUILD, EXTRA, GROUP, MAIN, canonical_name, group_key
from mlenv.model.source import DROPPED_SECTION, UNKNOWN_GROUP, Problem
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.manifests.toml_draft import TomlDraft
    from mlenv.project.toml_locator import Path

_KNOWN_KEYS = {
    "build-system": frozenset(("requires", "build-backend", "backend-path")),
    "project": frozenset(
        (
            *("name", "version", "description", "readme", "requires-python", "license", "authors"),
            *("license-files", "maintainers", "keywords", "classifiers", "urls", "scripts"),
            *("gui-scripts", "entry-points", "dependencies", "optional-dependencies", "dynamic"),
            *("import-names", "import-namespaces"),
        )
    ),
}
"""Source: PEP 518, PEP 621, PEP 639, PEP 794."""
_PROJECT = ("project",)
_GROUPS = ("dependency-groups",)
_SETUPTOOLS = ("tool", "setuptools", "dynamic")
_HATCH_HOOK = ("tool", "hatch", "metadata", "hooks", "requirements_txt")


def read(draft: TomlDraft) -> None:
    """Read ``[build-system]``, ``[project]``, ``[dependency-groups]`` and what they draw on."""
    for path in draft.strings(("build-system", "requires")):
        draft.requirement(path, BUILD)
    draft.standalone.add(BUILD)
    for table, known in _KNOWN_KEYS.items():
        for key in draft.table((table,)):
            if key not in known:
                _unknown_key(draft, table, key)
    if draft.document.get((*_PROJECT, "requires-python")) is not None:
        draft.state_python((*_PROJECT, "requires-python"), pep440, "PEP 440")
    own_name = canonical_name(draft.text((*_PROJECT, "name")))
    _dependencies(draft, (*_PROJECT, "dependencies"), MAIN, own_name)
    optional = (*_PROJECT, "optional-dependencies")
    for extra in draft.table(optional):
        _dependencies(draft, (*optional, extra), _extra(extra), own_name)
    _groups(draft, own_name)
    _files(draft)


def _unknown_key(draft: TomlDraft, table: str, key: str) -> None:
    detail = f"[{table}] has no key {key!r}: build tools refuse the file or pass over it"
    span = draft.document.key_span((table, key))
    advice = "name what the build needs in requires" if table == "build-system" else "remove it"
    draft.parts.problems.append(Problem(DROPPED_SECTION, span, detail, help=advice, fatal=False))


def _dependencies(draft: TomlDraft, path: Path, group: str, own_name: str) -> None:
    for item in draft.strings(path):
        _dependency(draft, item, group, own_name)


def _dependency(draft: TomlDraft, path: Path, group: str, own_name: str) -> None:
    requirement = draft.requirement(path, group)
    if requirement is not None and requirement.name == own_name:
        # a project that names itself with extras brings these extras along
        draft.bring(group, map(_extra, requirement.extras))


def _extra(name: str) -> str:
    return group_key(EXTRA, canonical_name(name))


def _groups(draft: TomlDraft, own_name: str) -> None:
    names = {canonical_name(name) for name in draft.table(_GROUPS)}
    for name in draft.table(_GROUPS):
        group = group_key(GROUP, canonical_name(name))
        for item in draft.items((*_GROUPS, name)):
            value = draft.document.get(item)
            if isinstance(value, str):
                _dependency(draft, item, group, own_name)
            elif isinstance(value, dict) and "include-group" in value:
                _include_group(draft, (*item, "include-group"), group, names)
            else:
                draft.wrong(item, "a string or an include-group table")


def _include_group(draft: TomlDraft, path: Path, group: str, names: set[str]) -> None:
    included = draft.text(path)
    if canonical_name(included) in names:
        draft.bring(group, (group_key(GROUP, canonical_name(included)),))
    elif included:
        span = draft.document.fragment(path).whole
        draft.parts.problems.append(Problem(UNKNOWN_GROUP, span, included))


def _files(draft: TomlDraft) -> None:
    """Note the files that setuptools and hatch-requirements-txt read dependencies from."""
    if draft.document.get(_SETUPTOOLS) is not None:
        _setuptools(draft)
    if draft.document.get(_HATCH_HOOK) is not None:
        for path in draft.strings((*_HATCH_HOOK, "files")):
            draft.include(path)
        optional = (*_HATCH_HOOK, "optional-dependencies")
        for extra in draft.table(optional):
            for path in draft.strings((*optional, extra)):
                draft.include(path, _extra(extra))


def _setuptools(draft: TomlDraft) -> None:
    for path in draft.strings((*_SETUPTOOLS, "dependencies", "file"), lone=True):
        draft.include(path)
    optional = (*_SETUPTOOLS, "optional-dependencies")
    for extra in draft.table(optional):
        for path in draft.strings((*optional, extra, "file"), lone=True):
            draft.include(path, _extra(extra))
