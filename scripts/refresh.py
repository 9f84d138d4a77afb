"""Regenerates the parts of the documentation that the program itself says.

Between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` stands what a run printed: ``rules`` is
the table of rules, ``audit FOLDER`` the report on a folder, relative to the file that shows it,
with the options behind it; ``env`` and ``diff`` likewise. Pictures show what a terminal shows. The
list of rules in the program is made first, since all that follows rests on it.
With ``--check`` nothing is written, and the exit code is 1 where something is not current.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from picture import picture
from rule_table import TABLE, rule_table

from mlenv.knowledge import KNOWLEDGE_DATE

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- begin (?P<name>[^>]+?) -->\n).*?(<!-- end (?P=name) -->)", re.DOTALL)
_DAY = KNOWLEDGE_DATE
OPTIONS = {
    # on another day a Python may have reached its end of life
    "audit": ("--no-config", "--as-of", _DAY),
    "env": ("--as-of", _DAY),
    "diff": (),
}
"""What each command takes that is not shown, so that all machines print the same."""
PICTURES = {
    "examples/works-on-my-machine/env.svg": ("env", "--target cluster.toml"),
}
"""Which command's output each picture shows, run in its folder."""


def main() -> int:
    """Refresh every documentation file, or check that all are current; return the exit code."""
    check = "--check" in sys.argv[1:]
    stale = []
    listed = rule_table()
    if TABLE.read_text("utf-8") != listed:
        stale.append(str(TABLE.relative_to(ROOT)))
        if not check:
            TABLE.write_text(listed, "utf-8", newline="\n")
    made = pictures()
    for file in [*ROOT.glob("*.md"), *ROOT.glob("examples/**/*.md"), *made]:
        text = file.read_text("utf-8") if file.exists() else ""
        fresh = made.get(file) or refreshed(text, file.parent)
        if fresh == text:
            continue
        stale.append(str(file.relative_to(ROOT)))
        if not check:
            file.write_text(fresh, "utf-8", newline="\n")
    for name in stale:
        print(f"{name} {'is not current' if check else 'refreshed'}")  # noqa: T201
    return int(check and bool(stale))


def refreshed(text: str, folder: Path) -> str:
    """Return a file's text with every generated block made anew."""
    return BLOCK.sub(lambda match: match[1] + generated(match["name"], folder) + match[3], text)


def generated(name: str, folder: Path) -> str:
    """Return what belongs into the block of a name.

    Raises:
        ValueError: There is no such block.
    """
    if name == "rules":
        return rules_table()
    command, _, argument = name.partition(" ")
    if command not in OPTIONS:
        message = f"no block is called {name!r}"
        raise ValueError(message)
    return output(folder, command, argument or ".")


def rules_table() -> str:
    """Return the table of all rules in Markdown."""
    from mlenv.rules.registry import RULES  # its list may have been written just now

    rows = [
        f"| {rule.code} | {rule.name} | {rule.topic} | {rule.severity.value} | {rule.summary} |"
        for rule in RULES
    ]
    head = ["| code | name | topic | severity | what it finds |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def output(folder: Path, command: str, argument: str) -> str:
    """Return what ``mlenv`` prints in a folder, as a fenced block with the exit code."""
    done = run(folder, command, argument)
    shown = f"$ mlenv {command} {argument}\n{done.stdout}$ echo $?\n{done.returncode}\n"
    return f"```console\n{shown}```\n"


def run(folder: Path, command: str, argument: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run ``mlenv`` in a folder, so that it prints the same on every day and every machine."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    # whoever has a GPU, or an environment that is active, writes the same
    environment.update({"CONDA_OVERRIDE_CUDA": "", "VIRTUAL_ENV": "", "CONDA_PREFIX": ""})
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "mlenv", command, *argument.split(), *OPTIONS[command], *more],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def pictures() -> dict[Path, str]:
    """Return what belongs into each picture, by its file."""
    found = {}
    for name, (command, argument) in PICTURES.items():
        folder = (ROOT / name).parent
        text = run(folder, command, argument, "--color", "always").stdout
        found[ROOT / name] = picture(text, f"mlenv {command} {argument}")
    return found


if __name__ == "__main__":
    sys.exit(main())
