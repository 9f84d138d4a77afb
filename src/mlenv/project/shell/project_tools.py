"""Poetry, PDM, Pipenv and pixi on a command line.

Source: the command references of the four tools.
"""

from __future__ import annotations

import re

from mlenv.model.image import InstallCommand
from mlenv.model.requirement import PYPI, Requirement, canonical_name
from mlenv.project.shell.context import InstallContext
from mlenv.project.shell.options import Arguments, first_operand, option_names, read_arguments
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.wrappers import Call
from mlenv.records import replace
from mlenv.versions.poetry import poetry_versions

_VALUED = {
    "poetry": option_names(
        "-C --directory -P --project --without --with --only -E --extras -G --group "
        "--python --platform --source -f --format -o --output --markers"
    ),
    "pdm": option_names(
        "-p --project -L --lockfile -G --group --with --without -C --config-setting "
        "--venv -e --editable -k --skip -f --format -o --output"
    ),
    "pipenv": option_names(
        "--python -r --requirements -c --index -i --extra-pip-args --pypi-mirror -e "
        "--editable --categories --from-pipfile"
    ),
    "pixi": option_names(
        "-e --environment --manifest-path -p --platform -f --feature -g --git --branch "
        "--tag --rev -s --subdir --channel -c --expose --with -w --workspace --skip"
    ),
}
_FOLLOWING = {
    "poetry": ("install", "sync", "export"),
    "pdm": ("install", "sync", "export"),
    "pipenv": ("install", "sync", "requirements"),
    "pixi": ("install",),
}
"""Actions that take versions from the lock beside the manifest."""


def read_project_tool(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of Poetry, PDM, Pipenv or pixi; None where it installs nothing."""
    tool = call.program
    at = first_operand(call.words, _VALUED[tool])
    if at < 0:
        return None
    action = call.words[at].text
    given = read_arguments([*call.words[:at], *call.words[at + 1 :]], _VALUED[tool])
    if given.has("--help", "-h"):
        return None
    if action == "add" or (tool == "pipenv" and action == "install" and given.operands):
        return replace(
            context.install(tool, action),
            requirements=_added(tool, given, context),
            options=given.names,
        )
    if action not in _FOLLOWING[tool]:
        return None
    ignores = given.has("--skip-lock", "--no-lock")
    files = [one for word in given.values("-r", "--requirements") for one in context.include(word)]
    return replace(
        context.install(tool, action),
        files=tuple(files) if tool == "pipenv" else (),
        options=given.names,
        follows_lock=not ignores,
        ignores_lock=ignores,
    )


def _added(tool: str, given: Arguments, context: InstallContext) -> tuple[Requirement, ...]:
    is_pypi = tool != "pixi" or given.has("--pypi")
    found = []
    for word in given.operands:
        if tool == "poetry":
            found.append(_poetry(word, context))
        else:
            found.append(context.requirement(word) if is_pypi else context.match_spec(word))
    return tuple(one for one in found if one is not None)


def _poetry(word: Word, context: InstallContext) -> Requirement | None:
    """Read ``name@constraint``, or a requirement as others write it."""
    match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?@([^/:]+)", word.text)
    if match is None or not word.complete:
        return context.requirement(word)
    name, extras, constraint = match.groups()
    constraint = "*" if constraint == "latest" else constraint
    inner = (extras or "[]")[1:-1].split(",")
    at = word.fragment.span(0, len(name)) if word.fragment.pieces else None
    return Requirement(
        canonical_name(name),
        name,
        PYPI,
        word.fragment.whole,
        at if at is not None and at.text == name else None,
        versions=poetry_versions(constraint),
        extras=tuple(sorted(canonical_name(one.strip()) for one in inner if one.strip())),
        group=context.group,
    )
