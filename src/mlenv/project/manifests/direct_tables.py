"""Direct references that tables state: ``{ git = …, rev = … }``, ``{ path = … }``, ``{ url = … }``.

uv, Poetry and pixi agree on these keys but for how they mark an editable install.
Source: uv's documentation, "Dependency sources"; Poetry's, "Dependency specification"; pixi's
manifest reference.
"""

from __future__ import annotations

from mlenv.model.requirement import is_commit
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.requirement import Requirement


def refer(requirement: Requirement, table: dict[str, object]) -> Requirement:
    """Return a requirement with the direct reference that a table states, if it states one."""
    git, path, url = _text(table, "git"), _text(table, "path", "file"), _text(table, "url")
    revision = _text(table, "rev") if git else ""
    fixed = is_commit(revision)
    if git and not git.startswith("git+"):
        git = f"git+{git}"
    return replace(
        requirement,
        url=git or url or requirement.url,
        path=path or requirement.path,
        commit=revision if fixed else requirement.commit,
        floating="" if fixed else revision or _text(table, "branch", "tag"),
        editable=requirement.editable or True in (table.get("editable"), table.get("develop")),
        workspace=requirement.workspace or table.get("workspace") is True,
    )


def _text(table: dict[str, object], *keys: str) -> str:
    for key in keys:
        value = table.get(key)
        if isinstance(value, str):
            return value
    return ""
