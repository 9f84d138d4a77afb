"""What setup.cfg and setup.py share: the fields of setuptools, and a source in the making.

Source: setuptools' documentation, "Keywords" and "Configuring setuptools using setup.cfg files".
"""

from __future__ import annotations

import re

from mlenv.model.requirement import BUILD, EXTRA, GROUP, MAIN, canonical_name, group_key
from mlenv.model.source import (
    CONTEXT,
    DROPPED_SECTION,
    MANIFEST,
    UNREADABLE_LINE,
    GroupRelation,
    Include,
    Index,
    Packaging,
    Problem,
    Source,
    Statement,
)
from mlenv.project.collect import Collector
from mlenv.records import replace
from mlenv.versions.version_set import pep440

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlenv.model.marker import Marker
    from mlenv.model.text import Fragment, SourceText, Span

GROUPS = {
    "install_requires": MAIN,
    "setup_requires": BUILD,
    "tests_require": group_key(GROUP, "tests_require"),
}
"""The fields that hold requirements, each with the group that they form."""
METADATA = frozenset(
    ("classifiers", "classifier", "url", "home_page", "project_urls", "long_description")
)
"""What only a distribution for an index needs."""
_COMMENT = re.compile(r"(?:^|\s)#.*")


def extra_group(name: str) -> str:
    """Return the group of an extra."""
    return group_key(EXTRA, canonical_name(name.strip()))


class SetupDraft:
    """The parts of a source in the making.

    Attributes:
        text: The file.
        parts: Requirements, problems, includes, indexes and statements found so far.
    """

    def __init__(self, text: SourceText, problems: Iterable[Problem] = ()) -> None:
        self.text = text
        self.parts = Collector(problems=list(problems))
        self.name: Fragment | None = None
        self.includes: dict[str, dict[str, None]] = {}

    def requirement(self, line: Fragment, group: str, marker: Marker | None = None) -> None:
        """Read one line of requirements; a comment or nothing is passed over."""
        text = line.text
        comment = _COMMENT.search(text) if "#" in text else None
        entry = line.part(0, comment.start() if comment else len(text)).stripped()
        if not entry.text:
            return
        self.parts.group = group
        found = self.parts.add_requirement(entry)
        if found is None:
            return
        if marker is not None:
            from mlenv.model.marker import conjunction

            self.parts.requirements[-1] = replace(found, marker=conjunction(found.marker, marker))
        if self.name is not None and found.name == canonical_name(self.name.text):
            # a project that names itself with extras brings these extras along
            self.bring(group, map(extra_group, found.extras))

    def bring(self, group: str, others: Iterable[str]) -> None:
        """Note that a group brings others along."""
        brought = self.includes.setdefault(group, {})
        brought.update((other, None) for other in others if other != group)

    def include(self, target: str, span: Span, group: str, *, anywhere: bool = False) -> None:
        """Keep a file that requirements are taken from."""
        self.parts.includes.append(Include(target, span, group=group, anywhere=anywhere))

    def state_python(self, value: Fragment) -> None:
        """Keep the Pythons that the project admits, or the problem with what it says of them."""
        if not value.text:
            return
        versions = pep440(value.text)
        if versions is None:
            detail = f"{value.text!r} is no version constraint of PEP 440"
            self.parts.problems.append(Problem(UNREADABLE_LINE, value.whole, detail, "python"))
        self.parts.statements.append(Statement("python", value.text, value.whole, versions))

    def drop_links(self, key: Span, links: Iterable[Fragment]) -> None:
        """Keep the places of ``dependency_links``, which no installer asks any more."""
        found = [Index("find-links", link.text, link.whole) for link in links if link.text]
        self.parts.indexes += found
        if found:
            detail = "pip passes over dependency_links since version 19"
            advice = "name the place where pip is called, or write name @ URL"
            self.parts.problems.append(
                Problem(DROPPED_SECTION, key, detail, help=advice, fatal=False)
            )

    def finish(self, kind: str, *, published: bool) -> Source:
        """Return the source that came together.

        It counts as a manifest where it declares something, be it a name; else it holds settings
        of tools or leaves all to another file.
        """
        parts, name = self.parts, self.name
        declares = bool(parts.requirements or parts.includes or parts.statements or parts.problems)
        packaging = None
        if name is not None or published:
            packaging = Packaging(
                canonical_name(name.text) if name is not None else "",
                name.whole if name is not None else None,
                published,
            )
        return Source(
            self.text,
            kind,
            MANIFEST if declares or packaging is not None else CONTEXT,
            tuple(sorted(parts.requirements, key=lambda r: r.span.start)),
            problems=tuple(sorted(parts.problems, key=lambda problem: problem.span.start)),
            includes=tuple(parts.includes),
            indexes=tuple(parts.indexes),
            statements=tuple(parts.statements),
            groups=GroupRelation(
                {group: tuple(brought) for group, brought in self.includes.items() if brought},
                frozenset((BUILD,)),
            ),
            packaging=packaging,
        )
