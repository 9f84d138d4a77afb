"""Which machines an audit judges for: those named on the command line, else the configuration's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from mlenv.config import suggestion
from mlenv.errors import ConfigError, UsageError
from mlenv.machine.build import described, unknown_gpus
from mlenv.machine.keys import Path, machine_fields
from mlenv.model.target import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlenv.config import Config
    from mlenv.machine.local import Local
    from mlenv.model.machine import Machine
    from mlenv.model.target import Target

NONE = "none"


def choose(
    names: tuple[str, ...],
    config: Config,
    environment: Mapping[str, str],
    warn: Callable[[str], None],
    *,
    static: bool = False,
    with_python: bool = True,
    machine: Machine | None = None,
) -> tuple[Target, ...]:
    """Return the targets of an audit, in the order in which they are named, each once.

    Args:
        names: Of the command line: ``local``, ``none``, names of the configuration, files, or
            what describes a machine itself.
        config: Names targets where the command line names none.
        environment: Of the process.
        warn: Takes a line for whoever reads the report.
        static: Whether this machine counts only where the command line names it.
        with_python: Whether the Python of the active environment counts for ``local``.
        machine: What a survey of this machine found, where there was one.

    Raises:
        UsageError: A name stands for nothing, or what it stands for cannot be read.
    """
    named = dict.fromkeys(names or config.target)
    if NONE in named:
        if len(named) > 1:
            raise UsageError("target 'none' goes with no other target")
        return ()

    def looked() -> Local:
        from mlenv.machine.local import look

        return look(environment, machine=machine, with_python=with_python)

    bases = [os.path.basename(name) for name in named]
    found = []
    for name in named:
        if name != LOCAL:
            is_shared = bases.count(os.path.basename(name)) > 1
            found.append(_named(name, config, by_user=bool(names), is_shared=is_shared))
        elif names or not static:
            found.append(_local(looked(), warn))
    if not named and not static:
        found = list(_default(looked(), warn))
    for target in found:
        for gpu in unknown_gpus(target):
            warn(
                f"mlenv: target {target.name}: the compute capability of {gpu!r} is not known: "
                "state compute_capability"
            )
    return tuple(found)


def _named(name: str, config: Config, *, by_user: bool, is_shared: bool) -> Target:
    tables = dict(config.targets)
    if name in tables:
        return described(name, table_fields(name, tables[name], config.path))
    path = name if by_user else os.path.join(os.path.dirname(config.path), name)
    if os.path.isfile(path):
        if not by_user and _leads_out(path, config.path):
            raise ConfigError(f"{config.path}: target {name!r} leads out of the project")
        from mlenv.machine.snapshot import read_snapshot

        return read_snapshot(path, name, "" if is_shared else os.path.basename(name))
    if "=" in name:
        from mlenv.machine.inline import read_inline

        return read_inline(name)
    hint = suggestion(name, (*tables, LOCAL, NONE))
    where = "--target" if by_user else f"{config.path}: 'target'"
    raise UsageError(f"{where}: there is no target and no file {name!r}{hint}")


def _leads_out(path: str, home: str) -> bool:
    top = os.path.realpath(os.path.dirname(home) or os.curdir)
    return not os.path.realpath(path).startswith(top.rstrip(os.sep) + os.sep)


def table_fields(name: str, table: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return what ``[tool.mlenv.targets.NAME]`` says, by the names of a target's attributes.

    Args:
        name: The target's.
        table: What stands there; its keys are known.
        path: The configuration's file, for messages.

    Raises:
        ConfigError: A value is none that its key may have.
    """

    def refuse(at: Path, why: str) -> ConfigError:
        return ConfigError(f"{path}: {'.'.join(map(str, at))!r} {why}")

    return machine_fields(table, ("targets", name), refuse)


def _local(local: Local, warn: Callable[[str], None]) -> Target:
    if local.problem:
        warn(f"mlenv: the GPUs of this machine are not known: {local.problem}")
    return local.target


def _default(local: Local, warn: Callable[[str], None]) -> tuple[Target, ...]:
    """Return this machine where its driver answers."""
    if local.problem:
        warn(f"mlenv: no target is judged, the GPUs are not known: {local.problem}")
    return (local.target,) if local.has_answer else ()
