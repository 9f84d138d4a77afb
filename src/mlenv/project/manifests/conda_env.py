"""conda's environment.yml to the model.

Source: conda's documentation, "Creating an environment from an environment.yml file"; conda 26's
reader of these files, and conda-lock's for what it adds (``platforms``, ``category``, selectors).
"""

from __future__ import annotations

import re

from mlenv.model.requirement import BUILD, CONDA, PYPI, Requirement, canonical_name
from mlenv.model.source import (
    DROPPED_SECTION,
    NOT_A_MANIFEST,
    UNREADABLE_LINE,
    Channel,
    Problem,
    Source,
    Statement,
)
from mlenv.model.text import Fragment, SourceText, Span
from mlenv.project.authorship import stated_author
from mlenv.project.collect import Collector
from mlenv.project.manifests.conda_platforms import (
    comment_selector,
    is_key_selector,
    key_selector,
    platform_of,
)
from mlenv.project.manifests.requirement_options import read_entry
from mlenv.project.manifests.yaml_templates import without_templates
from mlenv.project.matchspec import read_match_spec
from mlenv.project.pep508 import Refusal
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml
from mlenv.records import replace
from mlenv.versions.version_set import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.marker import Marker

_PIP_COMMENT = re.compile(r"(?:^|\s)#.*")
_TEMPLATED_NAME = re.compile(r"[\"']?([A-Za-z0-9_][A-Za-z0-9._-]*)\s*(?=[<>=!~ ])")
_READ = ("dependencies", "channels")
_OTHERS = frozenset(
    ("name", "prefix", "platforms", "category", "variables", "python", "build_dependencies")
)
_MAX_UNKNOWN = 20
_ONLY_LISTS = "conda takes a list of strings here"


def read(text: SourceText) -> Source:
    """Read an environment file; never fails.

    Args:
        text: The file.

    Returns:
        The source: conda's and pip's requirements in one group, since they are installed together.
    """
    reader = _Reader(text)
    reader.run()
    return reader.source()


class _Reader:
    """Goes through the tree of one file."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.collector = Collector()
        self.problems = self.collector.problems
        self.channels: list[Channel] = []
        self.pip_sections: list[tuple[Scalar, Node]] = []
        self.has_selectors = "# [" in text.text or "#[" in text.text
        self.has_templates = False
        self.has_prefix = False
        self.is_python_env = False
        self.unknown_count = 0

    def source(self) -> Source:
        """Return what was found."""
        collector = self.collector
        conda = [r for r in collector.requirements if r.ecosystem == CONDA]
        frozen = [r for r in conda if r.build and "*" not in r.build and r.versions.clauses]
        exported = self.has_prefix or (len(frozen) > 2 and 2 * len(frozen) > len(conda))
        return Source(
            self.text,
            "python-env" if self.is_python_env else "conda-env",
            requirements=tuple(collector.requirements),
            problems=tuple(sorted(self.problems, key=lambda problem: problem.span.start)),
            includes=tuple(collector.includes),
            indexes=tuple(collector.indexes),
            channels=tuple(self.channels),
            statements=tuple(collector.statements),
            generated_by="conda env export" if exported else stated_author(self.text.text),
            platform=platform_of(r.name for r in conda if not r.versions.is_any),
        )

    def run(self) -> None:
        """Read the whole file."""
        stand_in, templates = without_templates(self.text)
        self.has_templates = bool(templates)
        document = read_yaml(self.text, stand_in)
        self.problems += [*templates, *document.problems]
        root = document.root
        if isinstance(root, Mapping):
            self._root(root)
        elif not document.problems:
            span = self.text.line_span(1)
            is_empty = root is None or (isinstance(root, Scalar) and root.is_null)
            what = "the file is empty" if is_empty else "the file holds no sections"
            self.problems.append(Problem(NOT_A_MANIFEST, span, what))

    def _root(self, root: Mapping) -> None:
        seen: dict[str, Scalar] = {}
        twice: set[str] = set()
        sections = list(root.entries())
        names = {name for name, _, _ in sections}
        self.is_python_env = "build_dependencies" in names and "channels" not in names
        category = root.get("category")
        if isinstance(category, Scalar) and category.value:
            self.collector.group = category.value
        for name, key, value in sections:
            if seen.setdefault(name, key) is not key and name not in twice:
                twice.add(name)
                self._twice(key, seen[name])
            self._section(name, key, value)
        if not names.intersection(_READ) and not self.problems:
            self._no_manifest(sections)
        self._dropped_pip_sections()

    def _section(self, name: str, key: Scalar, value: Node) -> None:
        if name == "dependencies":
            self._dependencies(key, value)
        elif name == "build_dependencies" and self.is_python_env:
            group, self.collector.group = self.collector.group, BUILD
            self._pip(key, value)
            self.collector.group = group
        elif name == "channels":
            self._channels(key, value)
        elif name == "platforms":
            self._platforms(value)
        elif name == "prefix" and isinstance(value, Scalar) and value.value:
            self.has_prefix = True
            self.collector.statements.append(
                Statement("prefix", value.value, value.span, binding=False)
            )
        elif name == "name" and isinstance(value, Scalar) and value.value:
            self.collector.statements.append(
                Statement("environment", value.value, value.span, binding=False)
            )
        elif name == "python" and self.is_python_env and isinstance(value, Scalar):
            self._python_env(value)
        elif name not in _OTHERS and self.unknown_count < _MAX_UNKNOWN:
            self._unknown_section(name, key)

    def _python_env(self, value: Scalar) -> None:
        found = read_match_spec(Fragment.decoded(f"python=={value.value}", value.span))
        if isinstance(found, Requirement):
            self.collector.statements.append(
                Statement("python", value.value, value.span, found.versions)
            )

    def _twice(self, key: Scalar, first: Scalar) -> None:
        detail = f"conda refuses a file that states {key.value} twice"
        related = ((first.span, "stated first"),)
        self.problems.append(
            Problem(DROPPED_SECTION, key.span, detail, help="join the two", related=related)
        )

    def _no_manifest(self, sections: list[tuple[str, Scalar, Node]]) -> None:
        names = ", ".join(name for name, _, _ in sections[:4])
        detail = f"the file has neither dependencies nor channels, but {names or 'no section'}"
        span = sections[0][1].span if sections else self.text.line_span(1)
        self.problems.append(Problem(NOT_A_MANIFEST, span, detail, fatal=False))

    def _unknown_section(self, name: str, key: Scalar) -> None:
        self.unknown_count += 1
        if name == "pip":
            advice = "pip: belongs into the list of dependencies, as one of its entries"
        else:
            from difflib import get_close_matches  # here: for rare mistakes only

            close = get_close_matches(name, _READ, 1, 0.75)
            advice = f"write {close[0]}" if close else ""
        if advice:
            detail = f"conda passes over the section {name}"
            self.problems.append(
                Problem(DROPPED_SECTION, key.span, detail, help=advice, fatal=False)
            )

    def _channels(self, key: Scalar, value: Node) -> None:
        if isinstance(value, Sequence):
            for item in value.items:
                if isinstance(item, Scalar) and not item.is_null:
                    self.channels.append(Channel(item.value, item.fragment.whole))
                else:
                    self._refuse(item.span, "conda takes a channel's name or URL here")
        elif isinstance(value, Scalar) and not value.is_null:
            self.channels.append(Channel(value.value, value.fragment.whole))
            self._refuse(value.span, _ONLY_LISTS, f"put - before {value.value}, on its own line")
        elif isinstance(value, Mapping):
            self._refuse(key.span, _ONLY_LISTS)

    def _platforms(self, value: Node) -> None:
        if isinstance(value, Sequence):
            for item in value.items:
                if isinstance(item, Scalar):
                    self.collector.statements.append(
                        Statement("platform", item.value, item.fragment.whole)
                    )

    def _dependencies(self, key: Scalar, value: Node) -> None:
        if isinstance(value, Sequence):
            if self.is_python_env:
                self._pip(key, value)
                return
            for item in value.items:
                self._dependency(item)
        elif isinstance(value, Mapping):
            self._refuse(key.span, _ONLY_LISTS, "begin each entry with - and a blank")
            for _, name, _ in value.entries():
                self._conda(name)
        elif isinstance(value, Scalar) and not value.is_null:
            self._refuse(value.span, _ONLY_LISTS, f"put - before {value.value}, on its own line")
            self._conda(value)

    def _dependency(self, item: Node) -> None:
        if isinstance(item, Mapping):
            for name, key, value in item.entries():
                self._keyed(name, key, value)
        elif isinstance(item, Scalar) and (item.is_text or self._is_templated(item)):
            self._conda(item)
        else:
            what = f"{item.value!r} is no text" if isinstance(item, Scalar) else "a list in a list"
            advice = "remove the empty entry" if isinstance(item, Scalar) and item.is_null else ""
            self._refuse(item.span, f"{what}; conda takes package names and pip: here", advice)

    def _keyed(self, name: str, key: Scalar, value: Node) -> None:
        if name == "pip":
            self.pip_sections.append((key, value))
            self._pip(key, value)
        elif is_key_selector(name):
            items = value.items if isinstance(value, Sequence) else [value]
            for item in items:
                if isinstance(item, Scalar):
                    self._conda(item, key_selector(name))
        else:
            self._colon(name, key, value)

    def _colon(self, name: str, key: Scalar, value: Node) -> None:
        """A package with a colon behind it, which YAML makes a mapping of."""
        version = value.value if isinstance(value, Scalar) else ""
        span = Span(self.text, key.span.start, value.span.end if version else key.span.end)
        meant = f"{name}{version}" if version[:1] in "<>=!~" else f"{name}={version}"
        detail = f"conda knows no installer {name}: behind a colon it takes only pip's packages"
        found = read_match_spec(Fragment.decoded(meant if version else name, span))
        if isinstance(found, Refusal):
            self._refuse(span, detail)
            return
        advice = f"write {meant}" if version else "drop the colon"
        self.problems.append(Problem(UNREADABLE_LINE, span, detail, found.name, advice))
        at = key.fragment.whole
        named = at if at.text == found.written else None
        self.collector.requirements.append(
            replace(found, group=self.collector.group, name_span=named)
        )

    def _conda(self, item: Scalar, marker: Marker | None = None) -> None:
        if self._is_templated(item):
            self._outline(item, CONDA)
            return
        fragment = item.fragment
        found = read_match_spec(fragment, group=self.collector.group)
        if isinstance(found, Refusal):
            self.collector.refuse(fragment, found)
            return
        if marker is None and self.has_selectors:
            marker = comment_selector(self.text.text, item.span.end)
        if marker is not None:
            found = replace(found, marker=marker)
        self.collector.requirements.append(found)
        if found.name == "python" and not found.versions.is_any:
            at = found.specifier_span or found.span
            self.collector.statements.append(Statement("python", at.text, at, found.versions))

    def _pip(self, key: Scalar, value: Node) -> None:
        if isinstance(value, Sequence):
            for item in value.items:
                self._pip_item(item)
        elif isinstance(value, Mapping):
            self._refuse(key.span, "pip's packages are a list", "begin each entry with -")
        elif isinstance(value, Scalar) and not value.is_null and value.value.strip():
            advice = f"put - before {value.value.strip().splitlines()[0]}, on its own line"
            self._refuse(value.span, "pip's packages are a list", advice)
            self._pip_item(value)

    def _pip_item(self, item: Node) -> None:
        if not isinstance(item, Scalar) or not (item.is_text or self._is_templated(item)):
            self._refuse(item.span, "pip takes one line of a requirements file here")
        elif self._is_templated(item):
            self._outline(item, PYPI)
        else:
            for line in _lines(item.fragment):
                read_entry(line, self.collector)

    def _is_templated(self, item: Scalar) -> bool:
        return self.has_templates and "{{" in item.span.text

    def _outline(self, item: Scalar, ecosystem: str) -> None:
        """Keep the name of an entry whose version a template fills in."""
        fragment = Fragment.of(self.text, item.span.start, item.span.end)
        match = _TEMPLATED_NAME.match(fragment.text)
        if match is None:
            return
        name = canonical_name(match[1]) if ecosystem == PYPI else match[1].lower()
        self.collector.requirements.append(
            Requirement(
                name,
                match[1],
                ecosystem,
                item.span,
                fragment.span(*match.span(1)),
                versions=unknown(fragment.text[match.end() :].strip("'\" ")),
                group=self.collector.group,
            )
        )

    def _refuse(self, span: Span, detail: str, advice: str = "") -> None:
        self.problems.append(Problem(UNREADABLE_LINE, span, detail, help=advice))

    def _dropped_pip_sections(self) -> None:
        for key, value in self.pip_sections[:-1]:
            if not isinstance(value, Sequence) or not value.items:
                continue
            last = self.pip_sections[-1][0].span
            self.problems.append(
                Problem(
                    DROPPED_SECTION,
                    key.span,
                    f"conda installs only the last of {len(self.pip_sections)} pip sections; "
                    "mamba installs all of them",
                    help="join the sections into one",
                    related=((last, "the section that conda keeps"),),
                    fatal=False,
                )
            )


def _lines(fragment: Fragment) -> list[Fragment]:
    """Return the lines of a value without comments; a value is one line but for block scalars."""
    text = fragment.text
    if "\n" not in text and "#" not in text:
        return [fragment]
    found = []
    at = 0
    for line in text.split("\n"):
        comment = _PIP_COMMENT.search(line)
        end = at + (comment.start() if comment else len(line))
        if text[at:end].strip():
            found.append(fragment.part(at, end))
        at += len(line) + 1
    return found
