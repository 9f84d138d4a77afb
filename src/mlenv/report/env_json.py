"""``mlenv env`` as JSON: schema 1, stable; keys may be added and none changes its meaning."""

from __future__ import annotations

from mlenv import __version__
from mlenv.model.finding import Severity
from mlenv.report.discreet import everywhere
from mlenv.report.json_report import dumps, finding_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from mlenv.model.environment import Environment
    from mlenv.model.ladder import Ladder, Rung
    from mlenv.model.machine import Machine
    from mlenv.model.report import Report

SCHEMA = 1


def render(
    ladder: Ladder,
    report: Report,
    document: Mapping[str, Any],
    found: tuple[Machine | None, Environment | None],
    discreet: Callable[[str], str],
) -> str:
    """Return the ladder and all that it rests on as JSON in ASCII.

    Args:
        ladder: The rungs and the verdict.
        report: The audit of the environment.
        document: The snapshot.
        found: The machine and the environment, where they were looked at.
        discreet: Takes out of a text what tells who and where somebody is.
    """
    machine, environment = found
    said = {
        "schema": SCHEMA,
        "tool": {"name": "mlenv", "version": __version__, "knowledge": report.knowledge},
        "machine": {**document.get("machine", {}), **(_machine(machine) if machine else {})},
        "environment": _environment(environment, document),
        "ladder": [_rung(rung) for rung in ladder.rungs],
        "verdict": {
            "state": ladder.verdict.state,
            "text": ladder.verdict.text,
            "help": ladder.verdict.help,
        },
        "findings": [finding_document(one) for one in report.findings],
        "summary": {severity.value: report.count(severity) for severity in Severity},
        "exit_code": report.exit_code,
    }
    return dumps(everywhere(said, discreet))


def _machine(machine: Machine) -> dict[str, object]:
    """Return what a target's file has no key for."""
    said = {
        "release": machine.release,
        "kernel": machine.kernel,
        "libc": machine.libc,
        "cpus": machine.cpus,
        "memory": machine.memory,
        "container": machine.container,
        "wsl": machine.wsl,
        "rocm": machine.rocm,
        "amd_gpus": list(machine.amd_gpus),
        "apple_gpu": machine.apple_gpu,
        "visible_devices": machine.visible_devices,
        "driver_problem": machine.driver.problem
        and (machine.driver.said or machine.driver.problem),
    }
    return {key: value for key, value in said.items() if value not in ("", 0, [], None, False)}


def _environment(
    environment: Environment | None, document: Mapping[str, Any]
) -> dict[str, Any] | None:
    said = document.get("environment")
    if environment is None or said is None:
        return said
    interpreter = environment.interpreter
    return {
        "name": environment.name,
        "made_by": environment.made_by,
        "implementation": interpreter.implementation if interpreter else "",
        "free_threaded": interpreter.free_threaded if interpreter else False,
        **said,
    }


def _rung(rung: Rung) -> dict[str, object]:
    codes = dict.fromkeys(one.rule for one in rung.findings)
    return {"rung": rung.key, "state": rung.state, "text": rung.text, "rules": list(codes)}
