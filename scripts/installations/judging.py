"""Asks ``pip check``, ``uv pip check`` and mlenv about an environment, and reads what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from installations.making import Made, Plan

_SECONDS = 300
_OLDEST_FOR_PIP = (3, 10)
MISSING, CONFLICT, PLATFORM, PYTHON = "missing", "conflict", "platform", "python"

_PIP_LINES = (
    (MISSING, re.compile(r"(?P<who>\S+) \S+ requires (?P<what>.+), which is not installed\.")),
    (CONFLICT, re.compile(r"(?P<who>\S+) \S+ has requirement (?P<what>.+), but you have .+\.")),
    (PLATFORM, re.compile(r"(?P<who>\S+) \S+ is not supported on this platform(?P<what>)")),
)
_OF_UV = r"The package `(?P<who>[^`]+)` "
_UV_LINES = (
    (MISSING, re.compile(_OF_UV + r"requires `(?P<what>.+)`, but it's not installed")),
    (CONFLICT, re.compile(_OF_UV + r"requires `(?P<what>.+)`, but `.+` is installed")),
    (PYTHON, re.compile(_OF_UV + r"requires Python (?P<what>.+), but .*")),
    (PLATFORM, re.compile(_OF_UV + r"was built for a different platform(?P<what>)")),
)


class Conflict(NamedTuple):
    """One thing that a checker has to say of a package's requirements."""

    kind: str
    package: str
    requirement: str


class Finding(NamedTuple):
    """One finding of mlenv."""

    rule: str
    severity: str
    packages: tuple[str, ...]
    message: str
    related: tuple[str, ...]


def pip_check(made: Made, plan: Plan) -> frozenset[Conflict] | None:
    """Return what ``pip check`` says; None where it cannot look at the environment.

    pip is the one beside this interpreter, which looks at another environment through that one's
    Python; for a Python that it does not support, the environment's own pip.
    """
    if made.python is None:
        return None
    version = tuple(int(part) for part in plan.python.split("."))
    if version >= _OLDEST_FOR_PIP:
        command = [sys.executable, "-m", "pip", "--python", str(made.python), "check"]
    else:
        command = [str(made.python), "-m", "pip", "check"]
    done = _run(command, made.variables)
    if done.returncode not in (0, 1) or (done.returncode == 1 and not done.stdout.strip()):
        if "Error parsing dependencies" in done.stderr and "Traceback" not in done.stderr:
            return frozenset()
        return None
    return _conflicts(done.stdout, _PIP_LINES)


def uv_check(made: Made) -> frozenset[Conflict] | None:
    """Return what ``uv pip check`` says; None where it cannot look at the environment."""
    done = _run(["uv", "pip", "check", "--python", str(made.prefix)], made.variables)
    if "Checked " not in done.stderr:
        return None
    return _conflicts(done.stderr, _UV_LINES)


def mlenv_audit(made: Made, plan: Plan) -> list[Finding]:
    """Return what ``mlenv audit`` finds.

    Raises:
        ValueError: It prints no report.
    """
    places = {"prefix": str(made.prefix), "folder": str(made.project.parent)}
    given = [word.format(**places) for word in plan.arguments]
    target = () if "--target" in given else ("--target", "none")
    env = () if "--env" in given else ("--env", str(made.prefix))
    options = ("--format", "json", "--allow-empty", *target, *env, *given)
    done = _run(
        [sys.executable, "-P", "-m", "mlenv", "audit", ".", *options],
        made.variables,
        str(made.project),
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise ValueError(f"exit {done.returncode}: {done.stderr.strip()[-300:]}") from error
    return [
        Finding(
            one["rule"],
            one["severity"],
            tuple(one["packages"]),
            one["message"],
            tuple(related["message"] for related in one["related"]),
        )
        for one in report["findings"]
    ]


def mlenv_conflicts(findings: Iterable[Finding]) -> frozenset[Conflict]:
    """Return what findings say of requirements that are not met.

    A finding names what is asked for first, and then who asks; ``related`` says how each asks.
    """
    found: set[Conflict] = set()
    for one in findings:
        if one.rule == "ENV001":
            found.update(Conflict(MISSING, who, one.packages[0]) for who in one.packages[1:])
        elif one.rule == "ENV002":
            asked = [said.removeprefix("requires ") for said in one.related]
            for who, what in zip(one.packages[1:], asked, strict=True):
                found.add(Conflict(CONFLICT, who, requirement(what)))
        elif one.rule in ("ENV003", "ENV004"):
            kind = PLATFORM if one.rule == "ENV004" else PYTHON
            found.update(Conflict(kind, who, "") for who in one.packages)
    return frozenset(found)


def requirement(text: str) -> str:
    """Return a requirement in one form, whichever tool wrote it: name and versions alone."""
    try:
        read = Requirement(text)
    except InvalidRequirement:
        return text
    return f"{canonicalize_name(read.name)}{read.specifier}"


def _conflicts(said: str, patterns: tuple[tuple[str, re.Pattern[str]], ...]) -> frozenset[Conflict]:
    found = set()
    for line in said.splitlines():
        for kind, pattern in patterns:
            match = pattern.fullmatch(line.strip())
            if match is not None:
                what = requirement(match["what"])
                found.add(Conflict(kind, canonicalize_name(match["who"]), what))
                break
    return frozenset(found)


def _run(
    command: list[str], variables: Mapping[str, str], folder: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the tools that are compared
        command,
        env=dict(variables),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=_SECONDS,
    )
