"""The README: the versions it promises, the commands it shows, and the settings of a Space.

Source: CommonMark for code blocks; the documentation of Hugging Face, "Spaces Configuration
Reference" for the settings before the text.
"""

from __future__ import annotations

import re
from itertools import islice

from mlenv.model.source import CONTEXT, MANIFEST, Source
from mlenv.model.text import Fragment, Span
from mlenv.project.context.promises import asked_for, promises
from mlenv.project.context.spaces import read_front_matter
from mlenv.project.pipelines.commands import Commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlenv.model.source import Statement
    from mlenv.model.text import SourceText

_MAX_LINES = 2000
_FENCE = r"[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*(?P<fence>`{3,}|~{3,})(?P<language>[^`\r\n]*)$"
_SHELLS = frozenset(
    ("", "bash", "sh", "shell", "zsh", "console", "shell-session", "sh-session", "bash-session",
     "terminal", "text", "txt", "plaintext", "none", "cmd", "commandline", "command-line")
)  # fmt: skip
_PROMPT = r"(?:\([\w.-]+\)[ ]?)?\$[ ]+|[!%](?=pip\b|conda\b)"
_TOOL = (
    r"(?:python[\d.]*[ ]+-m[ ]+|sudo[ ]+)?"
    r"(?:pip\d?|uv|conda|mamba|micromamba|poetry|pdm|pipenv|pixi|apt|apt-get)[ ]+[a-z]"
)
_NEWS = (
    r"(?i)(?:change ?log|release notes?|news|what'?s new|history|updates?|releases"
    r"|latest (?:news|updates)|\[?v?\d+\.\d+)\b"
)
_UNDERLINE = r"([=~^\"'*+#-])\1{2,}[ \t]*"
_LEVELS = {"=": 1, "-": 2}


def read(text: SourceText) -> Source:
    """Read a README; never fails, and reads its first two thousand lines.

    What its commands install is no requirement of the project: it says so to a reader.
    """
    space = read_front_matter(text)
    reader = _Reader(text)
    reader.run(space.end)
    return Source(
        text,
        "readme",
        MANIFEST if space.requirements else CONTEXT,
        requirements=space.requirements,
        problems=space.problems,
        statements=(*space.statements, *reader.statements.values()),
        commands=tuple(reader.commands.found),
    )


class _Reader:
    """Goes through the lines, and keeps apart what is prose and what is shown as commands."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.commands = Commands()
        self.statements: dict[tuple[str, str, str], Statement] = {}
        self.script: list[Fragment] = []
        self.fence = ""
        self.language = ""
        self.news = 0
        self.previous = ""

    def run(self, start: int) -> None:
        """Read all lines that begin behind an offset."""
        # no line begins at the end: a script would be joined to it by a line end that is not there
        lines = re.compile(r"(?!\Z)([^\r\n]*)(?:\r\n|[\r\n]|\Z)").finditer(self.text.text, start)
        for match in islice(lines, _MAX_LINES):
            line = Fragment.of(self.text, *match.span(1))
            if self.fence:
                self._fenced(line)
            else:
                self._unfenced(line)
        self._end_script()

    def _fenced(self, line: Fragment) -> None:
        fence = re.match(_FENCE, line.text)
        if fence is None or fence["language"].strip() or not fence["fence"].startswith(self.fence):
            self.script.append(line)
            return
        self._end_script()
        self.fence = ""

    def _unfenced(self, line: Fragment) -> None:
        fence = re.match(_FENCE, line.text)
        if fence is not None:
            self._end_script()
            self.fence = fence["fence"]
            self.language = (fence["language"].strip(" \t{.}").lower().split() or [""])[0]
        elif self._is_command(line.text):
            self.language = ""
            self.script.append(line)
        else:
            self._end_script()
            self._prose(line)

    def _is_command(self, line: str) -> bool:
        """Whether a line outside of fences is shown as a command: indented, or behind a prompt."""
        if self.script and self.script[-1].text.rstrip().endswith("\\"):
            return True
        bare = line.lstrip(" \t")
        prompt = re.match(_PROMPT, bare)
        indented = len(bare) < len(line) - 1 or line.startswith("\t")
        if prompt is None and not indented:
            return False
        return re.match(_TOOL, bare[prompt.end() if prompt else 0 :]) is not None

    def _end_script(self) -> None:
        lines, self.script = self.script, []
        if self.language not in _SHELLS:
            return
        if any(re.match(rf"[ \t]*{_PROMPT}", line.text) for line in lines):
            lines = _behind_prompts(lines)
        if not lines:
            return
        self.commands.read(_joined(lines))
        for line in lines:
            self._keep(asked_for(line))

    def _prose(self, line: Fragment) -> None:
        heading = re.match(r"[ ]{0,3}(#{1,6})[ \t]+", line.text)
        if heading is not None:
            self._heading(line.text[heading.end() :], len(heading[1]))
        elif re.fullmatch(_UNDERLINE, line.text):
            self._heading(self.previous, _LEVELS.get(line.text[0], 3))
        self.previous = line.text
        if not self.news:
            self._keep(promises(line))

    def _heading(self, title: str, level: int) -> None:
        """Note whether a section tells of the past, where versions are no promises."""
        if not self.news or level <= self.news:
            is_news = re.match(_NEWS, title.lstrip(" \t*_#:>🔥📢🎉🚀✨📰"))
            self.news = level if is_news else 0

    def _keep(self, statements: Iterable[Statement]) -> None:
        """Keep statements that were not made before; a README repeats itself."""
        for one in statements:
            key = one.subject, one.value, one.versions.text if one.versions else ""
            self.statements.setdefault(key, one)


def _behind_prompts(lines: list[Fragment]) -> list[Fragment]:
    """Return the commands of a session: the lines behind prompts, and what continues them."""
    found: list[Fragment] = []
    continues = False
    for line in lines:
        prompt = re.match(rf"[ \t]*{_PROMPT}", line.text)
        if prompt is not None or continues:
            found.append(line.part(prompt.end() if prompt else 0, len(line.text)))
            continues = line.text.rstrip().endswith("\\")
    return found


def _joined(lines: list[Fragment]) -> Fragment:
    """Return lines as one script, which knows where each of them stands."""
    pieces = []
    at = 0
    for line in lines:
        pieces.append((at, line.whole.start))
        at += len(line.text) + 1
    first, last = lines[0].whole, lines[-1].whole
    whole = Span(first.source, first.start, last.end)
    return Fragment("\n".join(line.text for line in lines), whole, tuple(pieces))
