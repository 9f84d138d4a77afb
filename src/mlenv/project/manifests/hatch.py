"""Hatch's environments in pyproject.toml.

Source: Hatch's documentation, "Environment configuration".
"""

from __future__ import annotations

from mlenv.model.requirement import ENV, EXTRA, GROUP, canonical_name, group_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.manifests.toml_draft import TomlDraft
    from mlenv.project.toml_locator import Path

_ENVIRONMENTS = ("tool", "hatch", "envs")
_REQUIREMENTS_HOOK = ("tool", "hatch", "metadata", "hooks", "requirements_txt", "files")
_DEFAULT = "default"


def read(draft: TomlDraft) -> None:
    """Read ``[tool.hatch.envs]``, where each environment is a group, and the files of a hook.

    The hook is hatch-requirements-txt's, which takes the dependencies from requirements files.
    """
    for item in draft.strings(_REQUIREMENTS_HOOK):
        draft.include(item)
    for name in draft.table(_ENVIRONMENTS):
        _environment(draft, (*_ENVIRONMENTS, name), group_key(ENV, name))


def _environment(draft: TomlDraft, path: Path, group: str) -> None:
    table = draft.table(path)
    for key in ("dependencies", "extra-dependencies"):
        for item in draft.strings((*path, key)):
            draft.requirement(item, group)
    for key, kind in (("features", EXTRA), ("dependency-groups", GROUP)):
        names = draft.texts((*path, key))
        draft.bring(group, [group_key(kind, canonical_name(name)) for name in names])
    detached = table.get("detached") is True
    if detached or table.get("skip-install") is True:
        draft.standalone.add(group)
    template = draft.text((*path, "template")) or _DEFAULT
    if not detached and "dependencies" not in table:
        # what an environment does not state itself it takes from its template
        draft.bring(group, (group_key(ENV, template),))
