"""pip, uv and pipx on a command line.

Source: ``pip install --help`` of pip 26.3, ``uv help`` of uv 0.13, ``pipx install --help``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.image import InstallCommand
from mlenv.model.requirement import ENV, Requirement, group_key
from mlenv.model.source import Include, Index
from mlenv.project.shell.context import InstallContext, indexes
from mlenv.project.shell.options import Arguments, first_operand, option_names, read_arguments
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.wrappers import Call
from mlenv.records import replace

_PIP_GLOBAL = option_names(
    "--python --log --log-file --local-log --keyring-provider --proxy --retries --timeout "
    "--default-timeout --exists-action --trusted-host --cert --client-cert --cache-dir "
    "--use-feature --use-deprecated --resume-retries"
)
_PIP_VALUED = _PIP_GLOBAL | option_names(
    "-r --requirement -c --constraint --build-constraint --requirements-from-script "
    "-e --editable -t --target --platform --python-version --implementation --abi --root "
    "--prefix --src --source --source-dir --source-directory -b --build --build-dir "
    "--upgrade-strategy -C --config-settings --config-setting --progress-bar "
    "--root-user-action --report --group --all-releases --only-final --no-binary "
    "--only-binary -i --index-url --pypi-url --extra-index-url --refresh-package "
    "-f --find-links --uploaded-prior-to --hash --global-option --install-option "
    "--build-option -w --wheel-dir -d --dest --dest-dir"
)
_PIP_FLAGS = frozenset(("--upgrade", "--pre", "--no-index", "--no-cache-dir", "--no-deps"))
_UV_GLOBAL = option_names(
    "--cache-dir --color --allow-insecure-host --directory --project --config-file"
)
_UV_COMMON = _UV_GLOBAL | option_names(
    "--cert --python-platform --output-format --torch-backend --index --default-index "
    "-i --index-url --extra-index-url -f --find-links --index-strategy --keyring-provider "
    "-P --upgrade-package --upgrade-group --resolution --prerelease --prerelease-package "
    "--fork-strategy --exclude-newer --exclude-newer-package --no-sources-package "
    "--reinstall-package --link-mode -C --config-setting --config-settings "
    "--config-settings-package --no-build-isolation-package --refresh-package "
    "--no-build-package --no-binary-package --no-editable-package -p --python "
    "--extra --group --python-version"
)
_UV_PIP = _UV_COMMON | option_names(
    "-r --requirement --requirements -e --editable -c --constraint --constraints "
    "--overrides --override --excludes --exclude -b --build-constraints "
    "--build-constraint -t --target --prefix --no-binary --only-binary --trusted-host"
)
_UV_PROJECT = _UV_COMMON | option_names(
    "--no-extra --no-group --only-group --no-install-package --package --script -r "
    "--requirements --requirement -c --constraints --constraint -m --marker --optional "
    "--bounds --rev --tag --branch -w --with --with-requirements --with-editable "
    "--with-executables-from --overrides --override --excludes -b --build-constraints "
    "--format -o --output-file --no-emit-package --prune"
)
_PIPX_VALUED = option_names(
    "--suffix --python --spec -i --index-url --pip-args --preinstall --backend "
    "--fetch-python --installer"
)
_INDEXES = {
    "-i": "index",
    "--index-url": "index",
    "--pypi-url": "index",
    "--default-index": "index",
    "--extra-index-url": "extra",
    "--index": "extra",
    "-f": "find-links",
    "--find-links": "find-links",
    "--trusted-host": "trusted-host",
    "--allow-insecure-host": "trusted-host",
}
PIP_VARIABLES = {
    "PIP_INDEX_URL": "index",
    "PIP_EXTRA_INDEX_URL": "extra",
    "PIP_FIND_LINKS": "find-links",
    "PIP_TRUSTED_HOST": "trusted-host",
}
"""Variables that name indexes for pip. Source: pip's documentation, "Configuration"."""
UV_VARIABLES = {
    "UV_INDEX_URL": "index",
    "UV_DEFAULT_INDEX": "index",
    "UV_EXTRA_INDEX_URL": "extra",
    "UV_INDEX": "extra",
    "UV_FIND_LINKS": "find-links",
    "UV_INSECURE_HOST": "trusted-host",
}
"""Variables that name indexes for uv. Source: uv's documentation, "Environment variables"."""
_REQUIREMENT_FILES = ("-r", "--requirement", "--requirements", "--with-requirements")
_CONSTRAINT_FILES = (
    "-c",
    "--constraint",
    "--constraints",
    "--override",
    "--overrides",
)


def read_pip(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of pip; None where it installs nothing."""
    at = first_operand(call.words, _PIP_VALUED)
    if at < 0:
        return None
    action = call.words[at].text
    words = [*call.words[:at], *call.words[at + 1 :]]
    if action == "config":
        _pip_config(words, context)
    if action not in ("install", "download", "wheel"):
        return None
    given = read_arguments(words, _PIP_VALUED, flags=_PIP_FLAGS)
    if given.has("--help", "-h"):
        return None
    return _pip_like("pip", action, given, call, context)


def _pip_config(words: Sequence[Word], context: InstallContext) -> None:
    """Keep the index that ``pip config set`` sets for what comes after."""
    operands = [word for word in words if not word.text.startswith("-")]
    if len(operands) < 3 or operands[0].text != "set":
        return
    key = operands[1].text.rpartition(".")[2]
    name = f"PIP_{key.upper().replace('-', '_')}"
    if name in PIP_VARIABLES:
        context.ambient[name] = list(indexes(PIP_VARIABLES[name], operands[2]))


def _pip_like(
    tool: str, action: str, given: Arguments, call: Call, context: InstallContext
) -> InstallCommand:
    requirements: list[Requirement] = []
    projects: list[str] = []
    for word in given.values("-e", "--editable"):
        projects.append(context.project(word, editable=True))
        found = context.requirement(word) if "://" in word.text else None
        if found is not None:
            requirements.append(replace(found, editable=True))
    for word in given.operands:
        projects.append(context.project(word))
        found = context.requirement(word)
        if found is not None:
            requirements.append(found)
    requirements.sort(key=lambda one: one.span.start)
    return replace(
        context.install(tool, action),
        requirements=tuple(requirements),
        files=tuple(_files(given, context)),
        project=next((one for one in projects if one), ""),
        indexes=tuple(_indexes(given, call, context, uv=tool != "pip")),
        options=given.names,
    )


def _files(given: Arguments, context: InstallContext) -> Iterator[Include]:
    for option in given.options:
        if option.value is None:
            continue
        if option.name in _REQUIREMENT_FILES:
            yield from context.include(option.value)
        elif option.name in _CONSTRAINT_FILES:
            yield from context.include(option.value, constraint=True)


def _indexes(given: Arguments, call: Call, context: InstallContext, *, uv: bool) -> list[Index]:
    """Return the places that a command looks at: its options go before its variables."""
    found: list[Index] = []
    for option in given.options:
        if option.name == "--no-index":
            found.append(Index("none", "", context.span))
        elif option.value is not None and option.name in _INDEXES:
            found += indexes(_INDEXES[option.name], option.value)
    variables = UV_VARIABLES if uv else PIP_VARIABLES
    assigned = [
        index
        for name, word in call.assignments
        if name in variables
        for index in indexes(variables[name], word)
    ]
    outside = [one for name in variables for one in context.ambient.get(name, ())]
    for behind in (assigned, outside):
        # pip adds to what its variables name, but for the one main index; uv replaces all of it
        replaced = {one.kind for one in found if uv or one.kind == "index"}
        found += [one for one in behind if one.kind not in replaced]
    return found


def read_uv(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of uv; None where it installs nothing."""
    at = first_operand(call.words, _UV_COMMON)
    if at < 0:
        return None
    action, before, rest = call.words[at].text, call.words[:at], call.words[at + 1 :]
    if action == "pip":
        return _uv_pip([*before, *rest], call, context)
    if action == "tool":
        return _uv_tool([*before, *rest], call, context)
    given = read_arguments([*before, *rest], _UV_PROJECT)
    if action == "sync":
        return replace(
            context.install("uv", action),
            indexes=tuple(_indexes(given, call, context, uv=True)),
            options=given.names,
            follows_lock=True,
        )
    if action == "export":
        return replace(context.install("uv", action), options=given.names, follows_lock=True)
    return _uv_add(given, call, context) if action == "add" else None


def _uv_pip(words: Sequence[Word], call: Call, context: InstallContext) -> InstallCommand | None:
    at = first_operand(words, _UV_PIP)
    action = words[at].text if at >= 0 else ""
    if action not in ("install", "sync"):
        return None
    given = read_arguments([*words[:at], *words[at + 1 :]], _UV_PIP)
    if action == "install":
        return _pip_like("uv pip", action, given, call, context)
    files = [one for word in given.operands for one in context.include(word)]
    return replace(
        context.install("uv pip", action),
        files=(*files, *_files(given, context)),
        indexes=tuple(_indexes(given, call, context, uv=True)),
        options=given.names,
    )


def _uv_add(given: Arguments, call: Call, context: InstallContext) -> InstallCommand:
    found = (context.requirement(word) for word in given.operands)
    return replace(
        context.install("uv", "add"),
        requirements=tuple(one for one in found if one is not None),
        files=tuple(_files(given, context)),
        indexes=tuple(_indexes(given, call, context, uv=True)),
        options=given.names,
    )


def _uv_tool(words: Sequence[Word], call: Call, context: InstallContext) -> InstallCommand | None:
    at = first_operand(words, _UV_PROJECT)
    if at < 0 or words[at].text != "install":
        return None
    given = read_arguments([*words[:at], *words[at + 1 :]], _UV_PROJECT)
    tools = [*given.operands[:1], *given.values("-w", "--with")]
    return replace(
        context.install("uv", "tool install"),
        requirements=_isolated(tools, context),
        indexes=tuple(_indexes(given, call, context, uv=True)),
        options=given.names,
    )


def _isolated(words: Sequence[Word], context: InstallContext) -> tuple[Requirement, ...]:
    """Return the requirements of a tool that gets an environment of its own."""
    found = [one for one in map(context.requirement, words) if one is not None]
    group = group_key(ENV, found[0].name) if found else ""
    return tuple(replace(one, group=group) for one in found)


def read_pipx(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of pipx; None where it installs nothing."""
    at = first_operand(call.words, _PIPX_VALUED)
    if at < 0 or call.words[at].text not in ("install", "inject"):
        return None
    action = call.words[at].text
    given = read_arguments([*call.words[:at], *call.words[at + 1 :]], _PIPX_VALUED)
    requirements = (
        tuple(one for word in given.operands for one in _isolated([word], context))
        if action == "install"
        else _isolated(given.operands, context)
    )
    return replace(context.install("pipx", action), requirements=requirements, options=given.names)
