"""What a command really runs, behind ``sudo``, ``env``, ``conda run`` and their like."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlenv.project.shell.options import option_names
from mlenv.project.shell.scanner import Word
from mlenv.records import dataclass

_PREFIXES: dict[str, frozenset[str]] = {
    "sudo": frozenset(("-u", "-g", "-h", "-p", "-C", "-r", "-t", "-U", "-D", "-T", "--user")),
    "env": frozenset(("-u", "-C", "--unset", "--chdir")),
    "nice": frozenset(("-n", "--adjustment")),
    "ionice": frozenset(("-c", "-n", "-p")),
    "timeout": frozenset(("-s", "-k", "--signal", "--kill-after")),
    "xargs": frozenset(
        ("-n", "-L", "-P", "-I", "-a", "-d", "-E", "-s", "--max-args", "--max-procs", "--arg-file")
    ),
    "exec": frozenset(("-a",)),
    "gosu": frozenset(),
    "su-exec": frozenset(),
    "doas": frozenset(("-u", "-C")),
    "runuser": frozenset(("-u", "-g", "-G")),
    "time": frozenset(("-f", "-o")),
    "nohup": frozenset(),
    "command": frozenset(),
    "builtin": frozenset(),
    "eatmydata": frozenset(),
    "dotenv": frozenset(("-f",)),
    "xvfb-run": frozenset(("-s", "-n", "-e", "-f", "-p", "-w")),
}
"""Commands that run another one, with those of their options that take a value."""
_OPERANDS = {"timeout": 1, "gosu": 1, "su-exec": 1}
"""How many words stand before the command."""
_RUNNERS: dict[str, frozenset[str]] = {
    "conda": frozenset(("-n", "--name", "-p", "--prefix", "--cwd")),
    "poetry": frozenset(("-C", "--directory", "-P", "--project")),
    "pipenv": frozenset(),
    "pdm": frozenset(("-p", "--project", "-S", "--script")),
    "pixi": frozenset(("-e", "--environment", "--manifest-path", "-p", "--platform")),
    "rye": frozenset(),
    "uv": option_names(
        "--extra --no-extra --group --no-group --only-group --env-file -w --with "
        "--with-editable --with-requirements --package --python-platform --index "
        "--default-index -i --index-url --extra-index-url -f --find-links --index-strategy "
        "--link-mode -C --config-setting --cache-dir -p --python --color --directory "
        "--project --config-file --resolution --prerelease --exclude-newer --exclude-newer-package "
        "--allow-insecure-host --config-settings-package --fork-strategy --keyring-provider "
        "--no-binary-package --no-build-package --no-build-isolation-package --no-sources-package "
        "--no-editable-package --prerelease-package --refresh-package --reinstall-package "
        "-P --upgrade-package --upgrade-group"
    ),
}
_RUNNERS["mamba"] = _RUNNERS["micromamba"] = _RUNNERS["conda"]
"""Tools whose ``run`` runs another command, with those of its options that take a value."""
_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ash", "ksh"))
_PYTHON = re.compile(r"(?:python|pypy)(?:\d+(?:\.\d+)*)?t?(?:\.exe)?")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_VARIABLE = re.compile(r"\$\{?(\w+?)(?:_?(?:BIN|EXE|CMD|EXECUTABLE|PATH))?\}?", re.IGNORECASE)
_MAX_WRAPPERS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """What a command runs.

    Attributes:
        program: The program's name without its folder, in lower case.
        words: The words behind it.
        assignments: The variables that are set for it.
        script: The script that a shell is given; None where it is no shell.
        is_shell: Whether it is a shell that may read a script from elsewhere.
    """

    program: str
    words: tuple[Word, ...]
    assignments: tuple[tuple[str, Word], ...] = ()
    script: Word | None = None
    is_shell: bool = False


def unwrap(words: Sequence[Word], assignments: tuple[tuple[str, Word], ...]) -> Call | None:
    """Return what a command runs; None where it runs nothing.

    Args:
        words: Its words, without leading assignments.
        assignments: Those assignments.
    """
    rest = list(words)
    given = list(assignments)
    for _ in range(_MAX_WRAPPERS):
        while rest and _ASSIGNMENT.match(rest[0].text):
            name = rest[0].text.partition("=")[0]
            given.append((name, rest.pop(0).tail(len(name) + 1)))
        if not rest:
            return None
        program = program_name(rest[0])
        if program in _PREFIXES:
            rest = _behind(rest[1:], _PREFIXES[program], _OPERANDS.get(program, 0))
        elif program in _RUNNERS and _has_run(rest, _RUNNERS[program]):
            at = next(i for i, word in enumerate(rest) if word.text == "run")
            rest = _behind(rest[at + 1 :], _RUNNERS[program], 0)
        elif _PYTHON.fullmatch(program) and _module(rest) > 0:
            rest = rest[_module(rest) :]
        else:
            break
    if not rest:
        return None
    program = program_name(rest[0])
    if program in _SHELLS or program in ("eval", "su"):
        return _shell(program, rest[1:], tuple(given))
    return Call(program, tuple(rest[1:]), tuple(given))


def program_name(word: Word) -> str:
    """Return the name of the program that a word calls.

    A variable that nobody sets is taken at its name: ``$PIP install`` calls pip.
    """
    name = word.text.replace("\\", "/").rpartition("/")[2]
    variable = _VARIABLE.fullmatch(name)
    if variable is not None:
        name = variable[1]
    return name.lower().removesuffix(".exe")


def _behind(words: list[Word], values: frozenset[str], operands: int) -> list[Word]:
    """Return the words behind a wrapper's options and operands."""
    at = 0
    while at < len(words) and words[at].text.startswith("-"):
        name = words[at].text
        at += 1
        if name == "--":
            break
        if name in values:
            at += 1
    return words[at + operands :]


def _has_run(words: list[Word], values: frozenset[str]) -> bool:
    at = 1
    while at < len(words) and words[at].text.startswith("-"):
        at += 2 if words[at].text in values else 1
    return at < len(words) and words[at].text == "run"


def _module(words: list[Word]) -> int:
    """Return where the module stands that ``python -m`` runs; 0 where it runs none."""
    at = 1
    while at < len(words) and words[at].text.startswith("-") and words[at].text != "-c":
        if re.fullmatch(r"-[A-Za-z]*m", words[at].text):
            return at + 1
        at += 2 if words[at].text in ("-W", "-X") else 1
    return 0


def _shell(program: str, words: list[Word], assignments: tuple[tuple[str, Word], ...]) -> Call:
    if program == "eval":
        script = words[0] if len(words) == 1 else None
        return Call(program, tuple(words), assignments, script)
    at = 0
    while at < len(words) and words[at].text.startswith(("-", "+")):
        name = words[at].text
        if re.fullmatch(r"-[a-zA-Z]*c", name):
            inner = words[at + 1] if at + 1 < len(words) else None
            return Call(program, tuple(words), assignments, inner)
        at += 2 if name in ("-o", "+o", "-O", "-u", "-s", "--rcfile", "--init-file") else 1
    is_shell = program in _SHELLS and at >= len(words)
    if program == "su":
        found = [i for i, word in enumerate(words) if word.text in ("-c", "--command")]
        if found and found[0] + 1 < len(words):
            return Call(program, tuple(words), assignments, words[found[0] + 1])
    return Call(program, tuple(words), assignments, is_shell=is_shell)
