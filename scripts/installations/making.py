"""Makes one environment of the list: a Python, what is installed into it, what is done to it."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from installations.scrambling import scramble
from mlenv.records import dataclass, field

_SECONDS = 900
_LEFT_OUT = ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class NotMadeError(Exception):
    """An environment could not be made here."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One environment of the list.

    Attributes:
        name: Its name, and its folder's.
        wrong: What is wrong with it, in a few words; empty for a sound one.
        made_by: ``uv``, ``venv``, ``virtualenv``, ``copy`` (of a whole Python), ``hand`` (by
            ``change`` alone) or ``there`` (it lies at ``folder`` already).
        python: Its Python, such as ``3.11``; for ``hand`` only where its folders say so.
        options: For whatever makes it.
        folder: Where it lies within its own folder, if not in ``env``.
        judged: The prefix that is judged, within its own folder, where that is another one.
        install: Arguments of ``uv pip install``, one list after the other.
        change: What is done to it then; see :func:`_changed`.
        files: The project beside it, by path.
        arguments: Further arguments of ``mlenv audit``.
        variables: Variables that every command gets.
        finds: What mlenv must find: a rule and a package, such as ``ENV020 opencv-python``.
        allowed: Rules that may speak above a note on a sound one, each with the reason.
        unplanned: Whether nobody knows what else is to be found in it.
        differs: Why mlenv and ``pip check`` do not say the same; empty where they must.
    """

    name: str
    wrong: str = ""
    made_by: str = "uv"
    python: str = "3.11"
    options: tuple[str, ...] = ()
    folder: str = "env"
    judged: str = ""
    install: tuple[tuple[str, ...], ...] = ()
    change: tuple[Mapping[str, Any], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    finds: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    unplanned: bool = False
    differs: str = ""


class Made(NamedTuple):
    """An environment that lies on the disk."""

    prefix: Path
    python: Path | None
    project: Path
    variables: Mapping[str, str]


def wheels(tables: list[Mapping[str, Any]], folder: Path) -> None:
    """Write the small wheels that environments install beside real ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        stem = f"{table['name'].replace('-', '_')}-{table['version']}"
        tag = table.get("tag", "py3-none-any")
        files = {**table.get("files", {})}
        info = f"{stem}.dist-info"
        files[f"{info}/METADATA"] = metadata(table["name"], table["version"], table)
        files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        files[f"{info}/RECORD"] = record(files, f"{info}/RECORD")
        with zipfile.ZipFile(folder / f"{stem}-{tag}.whl", "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)


def metadata(name: str, version: str, table: Mapping[str, Any]) -> str:
    """Return the METADATA of a distribution; ``lines`` of the table stand as they are."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    return "\n".join([*lines, *table.get("lines", ())]) + "\n"


def record(files: Mapping[str, str], own: str) -> str:
    """Return the RECORD of some files, itself among them. Source: the specification of it."""
    lines = []
    for path, text in files.items():
        data = text.encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join([*lines, f"{own},,"]) + "\n"


def make(plan: Plan, folder: Path) -> Made:
    """Make an environment in a folder of its own.

    Raises:
        NotMadeError: A Python or a tool is not here, or an installation fails.
    """
    prefix = folder / plan.folder
    prefix.parent.mkdir(parents=True, exist_ok=True)
    project = folder / "project"
    for path, text in {".keep": "", **plan.files}.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, "utf-8")
    places = {"prefix": str(prefix), "folder": str(folder), "wheels": str(folder.parent / "wheels")}
    given = {name: text.format(**places) for name, text in plan.variables.items()}
    variables = {name: text for name, text in os.environ.items() if name not in _LEFT_OUT}
    variables.update(given)
    _begun(plan, prefix, variables)
    windows = (prefix / "Scripts").is_dir()
    python = prefix / ("Scripts/python.exe" if windows else "bin/python")
    for arguments in plan.install:
        words = [word.format(**places) for word in arguments]
        target = () if "--target" in words or "--prefix" in words else ("--python", str(python))
        command = ["uv", "pip", "install", "-q", "--find-links", places["wheels"], *target, *words]
        _run(command, variables)
    site = next(iter(_sites(prefix)), prefix)
    for change in plan.change:
        _changed(change, prefix, {**places, "site": str(site)}, variables)
    if plan.judged:
        prefix = folder / plan.judged
        python = prefix / "bin/python"
    is_there = python.exists() and plan.made_by != "hand"
    return Made(prefix, python if is_there else None, project, variables)


def _begun(plan: Plan, prefix: Path, variables: Mapping[str, str]) -> None:
    if plan.made_by == "there":
        return
    interpreter = shutil.which(f"python{plan.python}", path=variables.get("PATH"))
    if interpreter is None and plan.made_by != "hand":
        raise NotMadeError(f"no Python {plan.python} here")
    if plan.made_by == "uv":
        _run(["uv", "venv", "-q", "--python", str(interpreter), *plan.options, str(prefix)])
    elif plan.made_by == "venv":
        _run([str(interpreter), "-m", "venv", *plan.options, str(prefix)])
    elif plan.made_by == "virtualenv":
        module = (sys.executable, "-m", "virtualenv", "-q", "-p", str(interpreter))
        _run([*module, *plan.options, str(prefix)])
    elif plan.made_by == "copy":
        _copied_python(Path(str(interpreter)), prefix)
    else:
        prefix.mkdir(parents=True)


def _copied_python(interpreter: Path, prefix: Path) -> None:
    """Copy a whole Python, so that the prefix is one of its own and no virtual environment."""
    base = interpreter.resolve().parent.parent
    ignored = shutil.ignore_patterns("test", "__pycache__", "*.a", "share", "site-packages")
    shutil.copytree(base, prefix, symlinks=True, ignore=ignored)
    for site in (prefix / "lib").glob("python3.*"):
        (site / "site-packages").mkdir(exist_ok=True)


def _sites(prefix: Path) -> Iterator[Path]:
    yield from sorted(prefix.glob("lib/python3*/site-packages"))
    yield from sorted(prefix.glob("Lib/site-packages"))


def _run(command: list[str], variables: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - what the list names
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=dict(variables) if variables is not None else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotMadeError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotMadeError(f"{' '.join(command[:4])} …: {' '.join(said[-3:])}")


def _changed(
    change: Mapping[str, Any],
    prefix: Path,
    places: Mapping[str, str],
    variables: Mapping[str, str],
) -> None:
    """Do one thing to an environment.

    A change has one of the keys ``delete``, ``write`` (with ``text``), ``replace`` (with ``old``
    and ``new``), ``move`` and ``copy`` (with ``to``), ``link`` (with ``to``), ``dist`` (with
    ``version`` and more), ``scramble`` (a seed, with ``removed`` and ``changed``) and ``run``.
    Paths are patterns below the prefix, where ``{site}`` is its site-packages; what they match
    must be there.
    """
    verb = next(iter(change))
    if verb == "run":
        _run(
            [word.format(python=f"{prefix}/bin/python", **places) for word in change[verb]],
            variables,
        )
    elif verb == "scramble":
        scramble(Path(places["site"]), change[verb], change["removed"], change["changed"])
    elif verb == "dist":
        _dist(change, Path(change["in"].format(**places)) if "in" in change else prefix, prefix)
    elif verb == "write":
        path = prefix / change[verb].format(**places)
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, change["text"].format(**places))
    elif verb == "link":
        path = prefix / change[verb].format(**places)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(change["to"].format(**places))
    else:
        _changed_matches(verb, change, prefix, places)


def _changed_matches(
    verb: str, change: Mapping[str, Any], prefix: Path, places: Mapping[str, str]
) -> None:
    pattern = os.path.relpath(prefix / change[verb].format(**places), prefix.parent)
    found = sorted(prefix.parent.glob(pattern))
    if not found:
        raise NotMadeError(f"nothing is called {change[verb]}")
    for path in found:
        if verb == "delete":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        elif verb == "replace":
            text = path.read_text("utf-8")
            if change["old"] not in text:
                raise NotMadeError(f"{change['old']!r} is not in {path.name}")
            _put(path, text.replace(change["old"], change["new"].format(**places)))
        else:
            target = prefix / change["to"].format(**places)
            target.parent.mkdir(parents=True, exist_ok=True)
            if verb == "move":
                shutil.move(path, target)
            elif path.is_dir():
                shutil.copytree(path, target, dirs_exist_ok=True)
            else:
                shutil.copy(path, target)


def _put(path: Path, text: str) -> None:
    """Write a file anew: what an installer linked from its cache must not be written into."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text, "utf-8", newline="")
    beside.replace(path)


def _dist(change: Mapping[str, Any], folder: Path, prefix: Path) -> None:
    """Write a distribution's files and metadata into a folder, as an installer leaves them."""
    site = prefix / folder
    info = f"{change['dist'].replace('-', '_')}-{change['version']}.dist-info"
    files = {**change.get("files", {})}
    files[f"{info}/METADATA"] = metadata(change["dist"], change["version"], change)
    tags = "".join(f"Tag: {tag}\n" for tag in change.get("tags", ("py3-none-any",)))
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{tags}"
    files[f"{info}/INSTALLER"] = change.get("installer", "pip") + "\n"
    files[f"{info}/RECORD"] = record(files, f"{info}/RECORD")
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        _put(site / path, text)
