"""What an installation in an image stands on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from mlenv.model.image import Stage, stage_group
from mlenv.reasoning.setting import IMAGE, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge.bases import BaseImage
    from mlenv.model.source import Source


def first_stage(source: Source, group: str) -> Stage | None:
    """Return the stage from elsewhere that what is installed in a group stands on.

    Args:
        source: The recipe of an image.
        group: The group of a stage, or of what it installs under a condition.
    """
    name = stage_group(group)
    at = positions(source).get(name)
    found = source.stages[at] if at is not None else None
    while found is not None and found.parent is not None:
        found = source.stages[found.parent]
    return found


@lru_cache(maxsize=64)
def positions(source: Source) -> Mapping[str, int]:
    """Return the position of each stage by its group."""
    found: dict[str, int] = {}
    for at, stage in enumerate(source.stages):
        found.setdefault(stage.group, at)
    return found


def stage_of(setting: Setting) -> Stage | None:
    """Return the stage from elsewhere that an installation in an image stands on."""
    if setting.kind != IMAGE or setting.source is None or setting.install_set is None:
        return None
    return first_stage(setting.source, setting.install_set.group)


def base_of(setting: Setting) -> BaseImage | None:
    """Return what the base image of an installation holds; None where its name tells nothing."""
    stage = stage_of(setting)
    return setting.knowledge.bases.of(stage, setting.day) if stage is not None else None
