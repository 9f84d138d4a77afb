"""conda, mamba, micromamba and conda-lock on a command line.

Source: conda's, mamba's and conda-lock's command references.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlenv.model.image import InstallCommand
from mlenv.model.source import Include
from mlenv.project.shell.context import InstallContext
from mlenv.project.shell.options import Arguments, first_operand, option_names, read_arguments
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.wrappers import Call
from mlenv.records import replace

_VALUED = option_names(
    "-n --name -p --prefix -c --channel -f --file --revision --repodata-fn --solver "
    "--subdir --platform --experimental --channel-priority --clone --rc-file "
    "-r --root-prefix --category --extra --relocate-prefix --safety-checks "
    "--default-channel --log-level --cache-dir --environment-specifier --env-spec"
)
_LOCK_VALUED = _VALUED | frozenset(("--conda", "--mamba", "--micromamba", "-E", "--extras"))
_ACTIONS = ("install", "create", "update", "upgrade")


def read_conda(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of conda, mamba or micromamba; None where it installs nothing."""
    at = first_operand(call.words, _VALUED)
    if at < 0:
        return None
    action, rest = call.words[at].text, [*call.words[:at], *call.words[at + 1 :]]
    if action == "env":
        return _environment(rest, call, context)
    if action not in _ACTIONS:
        return None
    given = read_arguments(rest, _valued(call.program, action))
    if given.has("--help", "-h", "--clone"):
        return None
    if action == "create":
        _enter(given, "", context)
    found = (context.match_spec(word) for word in given.operands)
    return replace(
        context.install(call.program, "update" if action == "upgrade" else action),
        requirements=tuple(one for one in found if one is not None),
        files=_files(given.values("-f", "--file"), context),
        options=given.names,
    )


def _valued(program: str, action: str) -> frozenset[str]:
    """``conda install -f`` was short for ``--force``; micromamba's names a file."""
    if program == "micromamba" or action == "create":
        return _VALUED
    return _VALUED - {"-f", "-r"}


def _environment(
    words: Sequence[Word], call: Call, context: InstallContext
) -> InstallCommand | None:
    at = first_operand(words, _VALUED)
    action = words[at].text if at >= 0 else ""
    if action not in ("create", "update"):
        return None
    given = read_arguments([*words[:at], *words[at + 1 :]], _VALUED)
    files = list(given.values("-f", "--file"))
    if not files and given.operands and given.operands[0].text.endswith((".yml", ".yaml")):
        files = [given.operands[0]]
    if action == "create":
        _enter(given, files[0].text if files else "", context)
    return replace(
        context.install(call.program, f"env {action}"),
        files=_files(files, context),
        options=given.names,
    )


def _enter(given: Arguments, default: str, context: InstallContext) -> None:
    names = given.values("-n", "--name", "-p", "--prefix")
    context.enter_environment(next((word.text for word in names), default))


def _files(words: Iterable[Word], context: InstallContext) -> tuple[Include, ...]:
    return tuple(one for word in words for one in context.include(word))


def read_conda_lock(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of conda-lock; None where it installs nothing."""
    at = first_operand(call.words, _LOCK_VALUED)
    if at < 0 or call.words[at].text != "install":
        return None
    given = read_arguments([*call.words[:at], *call.words[at + 1 :]], _LOCK_VALUED)
    return replace(
        context.install("conda-lock", "install"),
        files=_files(given.operands, context),
        options=given.names,
        follows_lock=True,
    )
