"""What a base image says of Python and CUDA by its name and tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.image import Stage
from mlenv.model.source import Statement
from mlenv.model.text import Span
from mlenv.project.shell.scanner import Word
from mlenv.versions.version_set import VersionSet, pep440

_PYTHON_VARIABLES = frozenset(
    ("PYTHON_VERSION", "PYTHON_VER", "PY_VERSION", "PYTHONVERSION", "PY_VER", "PYVERSION")
)
_PYTHON_TAG = re.compile(r"(?:^|-)((?:3|2)\.\d+(?:\.\d+)?)(?=[-.a-z]|$)|^(3|2)(?=-|$)")
_PYTHON_IN_TAG = re.compile(r"(?:^|[-_])(?:python|py)-?((?:3|2)\.?\d+(?:\.\d+)?)(?=[-_]|$)")
_CUDA_TAG = re.compile(r"^(\d+\.\d+(?:\.\d+)?)(?=-|$)")
_CUDA_IN_TAG = re.compile(r"(?:^|[-_])(?:cuda|cu)[-_]?(\d+\.\d+(?:\.\d+)?)(?=[-_]|$)")


def statements(stage: Stage) -> Iterator[Statement]:
    """Yield what a base image from elsewhere states.

    Args:
        stage: The stage that begins with it.
    """
    name = stage.repository.rpartition("/")[2].lower()
    tag = stage.tag
    python = _PYTHON_TAG.search(tag) if name == "python" else _PYTHON_IN_TAG.search(tag)
    if python is not None:
        yield _statement("python", _dotted(python[1] or python[2]), stage)
    is_cuda = stage.repository.lower().endswith("nvidia/cuda")
    cuda = _CUDA_TAG.search(tag) if is_cuda else _CUDA_IN_TAG.search(tag)
    if cuda is not None:
        yield _statement("cuda", cuda[1], stage)


def _dotted(version: str) -> str:
    """``310`` in a tag is Python 3.10."""
    return version if "." in version or len(version) == 1 else f"{version[0]}.{version[1:]}"


def _statement(subject: str, value: str, stage: Stage) -> Statement:
    at = stage.span.text.find(value, stage.span.text.find(":"))
    span = stage.span
    if at >= 0:
        span = Span(span.source, span.start + at, span.start + at + len(value))
    return Statement(subject, value, span, admitted(value), group=stage.group)


def library_path(value: str, span: Span, group: str) -> Statement:
    """Return what a stage says of the folders in which libraries are looked for first."""
    return Statement("library-path", value, span, group=group)


def admitted(value: str) -> VersionSet | None:
    """Return the versions that one stands for: fewer than three numbers leave the rest open."""
    if not re.fullmatch(r"\d+(?:\.\d+)*", value):
        return None
    return pep440(f"=={value}" if value.count(".") >= 2 else f"=={value}.*")


class PythonVariables:
    """Variables that name a version of Python, which count where something uses them."""

    def __init__(self) -> None:
        self._found: dict[str, list[Statement]] = {}
        self._used: set[str] = set()

    def add(self, name: str, word: Word, group: str, *, is_env: bool = False) -> None:
        """Note an assignment.

        Args:
            name: The variable.
            word: Its value.
            group: The stage that it stands in.
            is_env: Whether the programs of the image see it.
        """
        if name == "UV_PYTHON" and is_env:
            self._used.add(name)
        elif name.upper() not in _PYTHON_VARIABLES:
            return
        value = word.text
        is_literal = bool(word.fragment.pieces)
        if is_literal and re.fullmatch(r"3\.\d+(?:\.\d+)*", value):
            span = word.fragment.whole
            statement = Statement("python", value, span, admitted(value), group=group)
            self._found.setdefault(name, []).append(statement)

    def see(self, script: str) -> None:
        """Note the variables that a command uses."""
        for name in self._found:
            if name not in self._used and re.search(rf"\$\{{?{re.escape(name)}\b", script):
                self._used.add(name)

    def statements(self) -> list[Statement]:
        """Return what the variables state that are used."""
        return [one for name in self._found if name in self._used for one in self._found[name]]
