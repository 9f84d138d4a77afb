"""What a stage of a Dockerfile builds from a repository that it clones."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.image import stage_group
from mlenv.reasoning.setting import IMAGE
from mlenv.records import dataclass
from mlenv.rules.repository_names import repository_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.builds import Build
    from mlenv.model.source import Source
    from mlenv.model.text import Span
    from mlenv.reasoning.setting import Setting

_CLONE = (
    r"\bgit clone\b[^\n;&|]{0,200}?(https?://[^\s;&|'\"]{1,300})(?:[ \t]+([^\s;&|'\"-]\S{0,200}))?"
)
_STEP = (
    r"(?:\bcd|(?m:^)WORKDIR)[ \t]+(?P<folder>[^\s;&|]{1,200})"
    r"|\bpip3? install\b(?P<words>[^\n;&|]{0,500})"
    r"|\bsetup\.py[ \t]+(?P<setup>install|develop|build_ext|bdist_wheel)\b"
)
_NEAR = 1500
"""How far behind the clone its build is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Cloned:
    """A repository that is cloned and built.

    Attributes:
        build: What is known of such builds.
        span: The repository's address.
    """

    build: Build
    span: Span


def cloned_builds(setting: Setting) -> Iterator[Cloned]:
    """Yield the repositories that a stage of an image clones and builds, so far as known."""
    source = setting.source
    if setting.kind != IMAGE or source is None or setting.install_set is None:
        return
    if source.kind != "dockerfile":
        return
    group = stage_group(setting.install_set.group)
    for start, end in _parts(source, group):
        text = source.text.text[start:end]
        for match in re.finditer(_CLONE, text):
            name = repository_name(match[1])
            build = setting.knowledge.builds.of(name) if name else None
            if build is None:
                continue
            folders = {name, name.replace("-", "_"), _last(match[2] or "")}
            if _is_built(text[match.end() : match.end() + _NEAR], folders - {""}):
                span = source.text.span(start + match.start(1), start + match.end(1))
                yield Cloned(build, span)


def _parts(source: Source, group: str) -> Iterator[tuple[int, int]]:
    """Yield where the text of a stage and of those that it continues begins and ends."""
    stages = source.stages
    at = next((i for i, stage in enumerate(stages) if stage.group == group), None)
    while at is not None:
        later = stages[at + 1].span.start if at + 1 < len(stages) else len(source.text.text)
        yield stages[at].span.start, later
        parent = stages[at].parent
        at = parent if parent is not None and parent < at else None


def _is_built(behind: str, folders: set[str]) -> bool:
    """Whether what follows a clone builds it, from within its folder or by the folder's name."""
    behind = re.sub(r"\\\r?\n", " ", behind)
    is_inside = False
    for match in re.finditer(_STEP, behind):
        if match["folder"] is not None:
            is_inside = _last(match["folder"]) in folders
        elif match["setup"] is not None:
            if is_inside:
                return True
        elif any(
            _last(path) in folders or (path == "." and is_inside) for path in _paths(match["words"])
        ):
            return True
    return False


def _paths(words: str) -> Iterator[str]:
    """Yield the folders among the words of ``pip install``."""
    before = ""
    for word in words.split():
        path = re.sub(r"\[[^\]]*\]$", "", word.strip("\"'")).rstrip("/")
        is_named = before in ("-e", "--editable") or "/" in word
        if before in ("-r", "-c", "-f", "-t", "--requirement", "--constraint", "--find-links"):
            is_named = False
        elif path == ".":
            yield path
        if is_named and not path.startswith("-") and "://" not in path:
            yield path
        before = word


def _last(path: str) -> str:
    return path.strip("\"'").rstrip("/").rpartition("/")[2].lower()
