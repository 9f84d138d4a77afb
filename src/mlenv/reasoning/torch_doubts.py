"""Whether a torch that nothing asks for by name is there, and in the version that is picked."""

from __future__ import annotations

import re

from mlenv.knowledge.bases import PYTORCH
from mlenv.knowledge.builds import IMPORTS, SKIPS
from mlenv.reasoning.base_image import first_stage
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.setting import IMAGE, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import TORCH, TorchBuild
from mlenv.reasoning.torch_index import groups_of


def is_doubtful(setting: Setting, build: TorchBuild) -> bool:
    """Whether another torch may be there than the one that an installer would bring along.

    What is compiled against torch finds one installed; so may what stands on an image of which
    nothing is known, or follows a project or a repository that brings its own. Requirements that
    a file beside them completes with a torch are not installed alone.

    Args:
        setting: The installation.
        build: Its torch.
    """
    if not build.chain:
        return False
    if _compiles_against(setting, build.chain[-1]) and not _is_brought_otherwise(setting):
        return True
    if setting.kind == IMAGE:
        return _may_hold_torch(setting)
    return setting.kind == REQUIREMENTS and _is_stated_beside(setting)


def _compiles_against(setting: Setting, name: str) -> bool:
    """Whether the build of a distribution takes the torch that it finds."""
    build = setting.knowledge.builds.of(name)
    return build is not None and build.only_source and build.torch in (IMPORTS, SKIPS)


def _is_brought_otherwise(setting: Setting) -> bool:
    """Whether something requires torch that need not be compiled against it."""
    for name in setting.names:
        pick, choice = setting.pick(name), setting.choices.get(name)
        extras = choice.extras if choice is not None else ()
        if name == TORCH or pick is None or _compiles_against(setting, name):
            continue
        required = dependencies(setting, name, pick.version, extras) or ()
        if any(one.name == TORCH for one in required):
            return True
    return False


def _may_hold_torch(setting: Setting) -> bool:
    """Whether an image's base, or what its commands install unseen, may bring a torch."""
    assert setting.install_set is not None
    home = setting.install_set.home
    stage = first_stage(home, setting.install_set.group)
    base = setting.knowledge.bases.of(stage, setting.day) if stage is not None else None
    if home.stages and (base is None or base.family == PYTORCH):
        return True
    if any(one.is_vcs or one.is_local for one in setting.requirements):
        return True
    groups = groups_of(setting)
    return any(bool(one.project) for one in home.commands if one.group in groups)


def _is_stated_beside(setting: Setting) -> bool:
    """Whether a requirements file in the same folder asks for torch by name."""
    source, project = setting.source, setting.project
    if source is None or project is None or source.kind != "requirements":
        return False
    folder = source.path.rpartition("/")[0]
    return any(
        other.kind == source.kind
        and other.path.rpartition("/")[0] == folder
        and not re.search(r"(?i)test|doc|dev|lint", other.path.rpartition("/")[2])
        and any(one.name == TORCH for one in other.requirements)
        for other in project.sources.values()
        if other is not source
    )
