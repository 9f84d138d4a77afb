"""setup.cfg, as setuptools reads it.

Source: setuptools' documentation, "Configuring setuptools using setup.cfg files"; setuptools 80's
reader of these files where the documentation is silent.
"""

from __future__ import annotations

import re

from mlenv.model.source import UNREADABLE_LINE, Problem, Source
from mlenv.project.collect import is_template
from mlenv.project.conflicts import without_conflicts
from mlenv.project.ini_lines import IniDocument, IniSection, IniValue, InterpolationError, read_ini
from mlenv.project.manifests.setup_draft import GROUPS, METADATA, SetupDraft, extra_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Fragment, SourceText, Span

KIND = "setup-cfg"
_EXTRAS = "options.extras_require"
_OURS = ("metadata", "options", _EXTRAS)
_FILE = re.compile(r"file:\s*")
_WHOLE_REFERENCE = re.compile(r"%\(([^()]+)\)s")


def read(text: SourceText) -> Source:
    """Read a setup.cfg; never raises.

    Args:
        text: The file.

    Returns:
        The source; its role is ``context`` where the file holds settings of tools alone.
    """
    stand_in, problems = without_conflicts(text)
    reader = _Reader(SetupDraft(text, problems), read_ini(text, stand_in))
    reader.run()
    return reader.draft.finish(KIND, published=reader.is_published())


class _Reader:
    """Goes through the sections that setuptools takes fields from."""

    def __init__(self, draft: SetupDraft, document: IniDocument) -> None:
        self.draft = draft
        self.document = document
        self.metadata = self._fields("metadata")
        self.options = self._fields("options")

    def _fields(self, section: str) -> dict[str, IniValue]:
        """Return the values of a section by the names that setuptools has for them."""
        found = self.document.sections.get(section)
        values = found.values if found is not None else {}
        return {key.replace("-", "_").lower(): value for key, value in values.items()}

    def is_published(self) -> bool:
        """Whether the metadata is such as only an index needs."""
        value = self.metadata.get("classifiers")
        private = value is not None and "Private ::" in value.text
        return not METADATA.isdisjoint(self.metadata) and not private

    def run(self) -> None:
        """Read the whole file."""
        contested = bool(self.draft.parts.problems)
        for error in self.document.errors:
            if error.section in _OURS and not contested and not is_template(error.at.text):
                self._refuse(error.at, f"{error.reason}, and setuptools stops at it")
        name = self._lines("metadata", self.metadata.get("name"))
        if len(name) == 1 and not is_template(name[0].text):
            self.draft.name = name[0]
        for line in self._lines("options", self.options.get("python_requires")):
            self.draft.state_python(line)
        for field, group in GROUPS.items():
            self._requirements("options", self.options.get(field), group)
        links = self.options.get("dependency_links")
        if links is not None:
            self.draft.drop_links(links.at, self._lines("options", links))
        section = self.document.sections.get(_EXTRAS)
        for key, value in section.values.items() if section is not None else ():
            self._requirements(_EXTRAS, value, extra_group(key))

    def _lines(self, section: str, value: IniValue | None) -> list[Fragment]:
        """Return the lines of a value that say something, with its references resolved."""
        if value is None:
            return []
        try:
            lines = self.document.resolved(self.document.sections[section], value)
        except InterpolationError as error:
            self._refuse(value.at, f"{value.key}: {error}")
            return []
        return [line for line in lines if line.text]

    def _requirements(self, section: str, value: IniValue | None, group: str) -> None:
        if value is None:
            return
        if section == _EXTRAS:
            value = self._without_extras(self.document.sections[section], value, group)
        lines = self._lines(section, value)
        if lines and _FILE.match(lines[0].text):
            self._files(lines, group)
        elif len(value.lines) == 1 and ";" in value.text and len(lines) == 1:
            self._one_line(lines[0], group)
        else:
            for line in lines:
                self.draft.requirement(line, group)

    def _without_extras(self, section: IniSection, value: IniValue, group: str) -> IniValue:
        """Note the extras that an extra takes over whole, and return it without these lines."""
        kept = []
        for line in value.lines:
            reference = _WHOLE_REFERENCE.fullmatch(line.text)
            if reference and reference[1] in section.values and reference[1] != value.key:
                self.draft.bring(group, (extra_group(reference[1]),))
            else:
                kept.append(line)
        return IniValue(value.key, value.at, kept)

    def _files(self, lines: list[Fragment], group: str) -> None:
        """Keep the files of ``file: one.txt, two.txt``, which may go on over several lines."""
        for at, line in enumerate(lines):
            head = _FILE.match(line.text) if not at else None
            rest = line.part(head.end(), len(line.text)) if head else line
            begin = 0
            for name in rest.text.split(","):
                path = rest.part(begin, begin + len(name)).stripped()
                begin += len(name) + 1
                if path.text:
                    self.draft.include(path.text, path.whole, group)

    def _one_line(self, line: Fragment, group: str) -> None:
        """Read ``a; b``: on a line of its own a semicolon parts requirements, markers included."""
        begin = 0
        for entry in line.text.split(";"):
            self.draft.requirement(line.part(begin, begin + len(entry)), group)
            begin += len(entry) + 1

    def _refuse(self, span: Span, detail: str) -> None:
        self.draft.parts.problems.append(Problem(UNREADABLE_LINE, span, detail))
