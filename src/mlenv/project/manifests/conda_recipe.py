"""Recipes of conda packages: meta.yaml of conda-build and recipe.yaml of rattler-build.

Both are read leniently: what depends on the build is kept by name, with versions that nobody
judges. Source: conda-build's documentation, "Defining metadata (meta.yaml)"; rattler-build's,
"Recipe file".
"""

from __future__ import annotations

import re

from mlenv.model.requirement import (
    BUILD,
    CONDA,
    CONSTRAINT,
    GROUP,
    MAIN,
    REQUIREMENT,
    Requirement,
    canonical_name,
    group_key,
)
from mlenv.model.source import (
    CONTEXT,
    TEMPLATE,
    UNREADABLE_FILE,
    GroupRelation,
    Packaging,
    Problem,
    Source,
    Statement,
)
from mlenv.project.collect import Collector
from mlenv.project.manifests.conda_entries import add_spec
from mlenv.project.manifests.conda_platforms import comment_selector, key_selector
from mlenv.project.manifests.recipe_templates import (
    UNKNOWN,
    Conditions,
    constants,
    filled,
    is_of_the_build,
    pinned_name,
)
from mlenv.project.manifests.yaml_templates import without_templates
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml
from mlenv.records import replace
from mlenv.versions.version_set import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.marker import Marker
    from mlenv.model.text import SourceText

KIND = "conda-recipe"
_SECTIONS = {
    "run": (MAIN, REQUIREMENT),
    "host": (BUILD, REQUIREMENT),
    "build": (BUILD, REQUIREMENT),
    "run_constrained": (MAIN, CONSTRAINT),
    "run_constraints": (MAIN, CONSTRAINT),
}
_TEST = group_key(GROUP, "test")
_NAME = re.compile(r"\s*([A-Za-z0-9_][A-Za-z0-9._-]*)(?=[\s<>=!~]|$)")
_COMMENT = re.compile(r"[ \t]*#[ \t]*\[")
_ANY_BUILD = re.compile(r"\s+x\.x\s*$")
_MAX_DEPTH = 10


def read(text: SourceText) -> Source:
    """Read a recipe; never fails.

    Args:
        text: The file.

    Returns:
        The source; its role is ``context`` where the file describes no package.
    """
    stand_in, templates = without_templates(text)
    document = read_yaml(text, stand_in)
    reader = _Reader(text)
    for problem in document.problems:
        if templates and problem.kind == UNREADABLE_FILE:
            detail = "Jinja shapes the file, and without it it is no YAML"
            problem = Problem(TEMPLATE, problem.span, detail, fatal=False)  # noqa: PLW2901
        reader.collector.problems.append(problem)
    root = document.mapping
    if root is None or not _describes_a_package(root):
        return Source(text, KIND, CONTEXT, problems=tuple(reader.collector.problems))
    reader.recipe(root)
    return reader.source()


def _describes_a_package(root: Mapping) -> bool:
    return any(isinstance(root.get(key), Mapping) for key in ("package", "recipe"))


class _Reader:
    """Goes through the tree of one recipe."""

    def __init__(self, text: SourceText) -> None:
        self.text = text
        self.collector = Collector()
        self.known = constants(text.text)
        self.conditions = Conditions(text.text)
        self.packaging = Packaging(published=True)
        self.output = ""

    def source(self) -> Source:
        """Return what was found."""
        parts = self.collector
        groups = {r.group for r in parts.requirements}
        return Source(
            self.text,
            KIND,
            requirements=tuple(sorted(parts.requirements, key=lambda r: r.span.start)),
            problems=tuple(parts.problems),
            statements=tuple(parts.statements),
            groups=GroupRelation(standalone=frozenset(groups - {MAIN, _TEST})),
            packaging=self.packaging,
        )

    def recipe(self, root: Mapping) -> None:
        """Read a whole recipe."""
        context = root.get("context")
        for key, _, value in context.entries() if isinstance(context, Mapping) else ():
            if isinstance(value, Scalar) and "{{" not in value.span.text:
                self.known[key] = value.value
        package = root.get("package") or root.get("recipe")
        name = package.get("name") if isinstance(package, Mapping) else None
        written = filled(name, self.known) if isinstance(name, Scalar) else None
        if written is not None and written.text and UNKNOWN not in written.text:
            own = canonical_name(written.text)
            self.packaging = replace(self.packaging, name=own, span=written.whole)
        self._part(root)
        outputs = root.get("outputs")
        for position, output in enumerate(outputs.items if isinstance(outputs, Sequence) else ()):
            if isinstance(output, Mapping):
                self.output = self._output_name(output) or f"output {position + 1}"
                self._part(output)

    def _output_name(self, output: Mapping) -> str:
        package = output.get("package")
        name = (package if isinstance(package, Mapping) else output).get("name")
        written = filled(name, self.known).text if isinstance(name, Scalar) else ""
        return "" if UNKNOWN in written else written

    def _part(self, part: Mapping) -> None:
        """Read what a recipe or one of its outputs requires, and what its tests do."""
        requirements = part.get("requirements")
        if isinstance(requirements, Mapping):
            for name, _, value in requirements.entries():
                if name in _SECTIONS:
                    self._section(value, *_SECTIONS[name])
        elif isinstance(requirements, Sequence):
            self._section(requirements, MAIN, REQUIREMENT)
        test = part.get("test")
        if isinstance(test, Mapping):
            self._section(test.get("requires"), _TEST, REQUIREMENT)
        tests = part.get("tests")
        for one in tests.items if isinstance(tests, Sequence) else ():
            needs = one.get("requirements") if isinstance(one, Mapping) else None
            if isinstance(needs, Mapping):
                self._section(needs.get("run"), _TEST, REQUIREMENT)

    def _section(self, value: Node | None, group: str, kind: str) -> None:
        if value is None:
            return
        if self.output:
            said = {BUILD: f"{self.output} build", _TEST: f"{self.output} test"}
            group = group_key(GROUP, said.get(group, self.output))
        self.collector.group, self.collector.kind = group, kind
        self._entries(value, None, 0, is_sure=True)

    def _entries(self, value: Node, marker: Marker | None, depth: int, *, is_sure: bool) -> None:
        """Read a list, an entry, or a choice of such: ``if``, ``then`` and ``else``."""
        if isinstance(value, Sequence) and depth < _MAX_DEPTH:
            for item in value.items:
                self._entries(item, marker, depth + 1, is_sure=is_sure)
        elif isinstance(value, Mapping) and depth < _MAX_DEPTH:
            test = value.get("if")
            said = test.value if isinstance(test, Scalar) else ""
            for key, condition in (("then", said), ("else", _opposite(said))):
                branch = value.get(key)
                narrowed = key_selector(f"sel({condition})")
                if branch is not None:
                    sure = is_sure and narrowed is not None and marker is None
                    self._entries(branch, narrowed, depth + 1, is_sure=sure)
        elif isinstance(value, Scalar) and not value.is_null:
            self._entry(value, marker, is_sure=is_sure)

    def _entry(self, item: Scalar, marker: Marker | None, *, is_sure: bool) -> None:
        if _COMMENT.match(self.text.text, item.span.end):
            selector = comment_selector(self.text.text, item.span.end)
            is_sure = is_sure and selector is not None
            marker = marker or selector
        is_sure = is_sure and not self.conditions.covers(item.span.start)
        fragment = filled(item, self.known)
        if UNKNOWN in fragment.text:
            self._outline(item, fragment.text)
            return
        old_pin = _ANY_BUILD.search(fragment.text[-20:])  # whatever the build was made with
        if old_pin is not None:
            fragment = fragment.part(0, len(fragment.text) - len(old_pin.group())).stripped()
        found = add_spec(fragment, self.collector)
        if found is None:
            return
        versions = found.versions if is_sure else unknown(found.versions.text)
        kept = replace(found, marker=marker, versions=versions)
        self.collector.requirements[-1] = kept
        is_python = kept.name == "python" and kept.group == MAIN and kept.kind == REQUIREMENT
        if is_python and is_sure and not versions.is_any:
            at = kept.specifier_span or kept.span
            self.collector.statements.append(Statement("python", at.text, at, versions))

    def _outline(self, item: Scalar, text: str) -> None:
        """Keep the name of an entry whose version only the build tells."""
        if is_of_the_build(item.span.text):
            return
        match = _NAME.match(text)
        name = match[1] if match else pinned_name(item.span.text)
        if not name:
            detail = "only the build tells what stands here"
            self.collector.problems.append(Problem(TEMPLATE, item.span, detail, fatal=False))
            return
        self.collector.requirements.append(
            Requirement(
                name.lower(),
                name,
                CONDA,
                item.span,
                versions=unknown(
                    text[match.end() :].replace(UNKNOWN, "?").strip() if match else ""
                ),
                group=self.collector.group,
                kind=self.collector.kind,
            )
        )


def _opposite(condition: str) -> str:
    """Return the selector that holds where another does not."""
    said = condition.strip()
    return said.removeprefix("not ").strip() if said.startswith("not ") else f"not {said}"
