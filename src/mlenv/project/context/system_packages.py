"""packages.txt, the list of what apt installs beside an application.

Source: the documentation of Hugging Face Spaces, "Dependencies", and of Streamlit's cloud.
"""

from __future__ import annotations

import re

from mlenv.model.image import InstallCommand, SystemPackage
from mlenv.model.source import CONTEXT, Source
from mlenv.model.text import Fragment, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText


def read(text: SourceText) -> Source:
    """Read the list; never fails. All of it is one installation."""
    names = [
        Fragment.of(text, word.start(), word.end())
        for word in re.finditer(r"#[^\r\n]*|[^\s#]+", text.text)
        if not word.group().startswith("#")
    ]
    commands = (system_install(names),) if names else ()
    return Source(text, "system-packages", CONTEXT, commands=commands)


def system_install(names: list[Fragment]) -> InstallCommand:
    """Return the installation that a list of packages for apt stands for.

    Args:
        names: The packages, at least one, each perhaps with ``=`` and a version.
    """
    first, last = names[0].whole, names[-1].whole
    span = Span(first.source, first.start, max(first.end, last.end))
    return InstallCommand("apt", "install", span, system_packages=tuple(map(_package, names)))


def _package(entry: Fragment) -> SystemPackage:
    entry = entry.stripped()
    name, _, version = entry.text.partition("=")
    return SystemPackage(name, entry.span(0, len(name)), version)
