"""How a hostile project is named and built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "sentinelpackage==6.6.6\n"
"""What the files outside of the audited folder hold."""
PASSWORD = "hunter2hunter2"
"""What no output may show, wherever a project has it."""


@dataclass(frozen=True)
class Case:
    """One project.

    Attributes:
        name: What it tries.
        build: Writes it into an empty folder, beside which lie files that hold ``SECRET``.
        skip: Returns why it cannot be tried here; empty where it can.
        heavy: Whether it is large, so that it is shown in few formats.
    """

    name: str
    build: Callable[[Path], None]
    skip: Callable[[], str] = lambda: ""
    heavy: bool = False


CASES: dict[str, Case] = {}


def case(
    name: str, *, skip: Callable[[], str] = lambda: "", heavy: bool = False
) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Make a case of the function that builds its project."""

    def keep(build: Callable[[Path], None]) -> Callable[[Path], None]:
        assert name not in CASES
        CASES[name] = Case(name, build, skip, heavy)
        return build

    return keep


def texts(name: str, files: dict[str, str | bytes], *, heavy: bool = False) -> None:
    """Make a case of the files that a project holds."""

    def build(root: Path) -> None:
        for path, content in files.items():
            write(root, path, content)

    case(name, heavy=heavy)(build)


def write(root: Path, path: str, content: str | bytes) -> None:
    """Write a file of a project with the folders above it."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    place.write_bytes(data)
