"""Pipfile, setup.cfg and pixi.toml of real repositories, against parses by independent readers."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mlenv.model.requirement import CONDA, PYPI, canonical_name, group_name
from mlenv.project.decode import decode
from mlenv.versions.conda import conda_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.requirement import Requirement
    from mlenv.model.source import Source

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
REFERENCE: dict[str, Any] = (
    json.loads((CORPUS / "reference.json").read_text("utf-8"))["files"] if CORPUS.is_dir() else {}
)
READERS = {"pipfile": "pipfile", "setup-cfg": "setup_cfg", "pixi": "pixi"}
Item = tuple[str, str, str]
"""Group, canonical name and specifier."""

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="no corpus of real manifests lies beside this checkout"
)


def files(kind: str) -> list[str]:
    return sorted(
        path
        for path, known in REFERENCE.items()
        if known["kind"] == kind and (CORPUS / path).is_file()
    )


def read(path: str) -> Source:
    kind = REFERENCE[path]["kind"]
    reader = import_module(f"mlenv.project.manifests.{READERS[kind]}")
    found: Source = reader.read(decode(path, (CORPUS / path).read_bytes()))
    for requirement in found.requirements:
        if requirement.name_span is not None:
            assert requirement.name_span.text == requirement.written
    return found


def specifier(text: str) -> str:
    try:
        return ",".join(sorted(map(str, SpecifierSet("" if text == "*" else text))))
    except InvalidSpecifier:
        return text


def item(requirement: Requirement) -> Item:
    versions = "" if requirement.is_direct else specifier(requirement.versions.text)
    return group_name(requirement.group), canonical_name(requirement.name), versions


def stated(value: object) -> str:
    """Return the version that a table's entry states: a text or a table with one."""
    text = value.get("version", "*") if isinstance(value, dict) else value
    return str(text)


@pytest.mark.parametrize("path", files("pipfile"))
def test_a_pipfile_agrees_with_its_reference(path: str) -> None:
    known, found = REFERENCE[path], read(path)
    groups = (("packages", "main"), ("dev-packages", "dev"))
    wanted = sorted(
        (group, canonical_name(name), specifier(stated(value)))
        for table, group in groups
        for name, value in known.get(table, {}).items()
    )
    assert sorted(map(item, found.requirements)) == wanted
    sources = [(index.name, index.url) for index in found.indexes if index.kind != "trusted-host"]
    assert sources == [(one["name"], one["url"]) for one in known.get("source", [])]
    pythons = [statement.value for statement in found.statements]
    assert pythons == list(known.get("requires", {}).values())
    assert found.problems == ()


@pytest.mark.parametrize("path", files("setup-cfg"))
def test_a_setup_cfg_agrees_with_its_reference(path: str) -> None:
    known, found = REFERENCE[path], read(path)
    wanted = sorted(
        (extra_of(one["where"]), canonical_name(one["name"]), specifier(one["spec"]))
        for one in known["requirements"]
    )
    assert sorted(declared(found)) == wanted
    pythons = [statement.value for statement in found.statements]
    assert pythons == ([known["python_requires"]] if "python_requires" in known else [])
    assert found.problems == ()
    ours = {"metadata", "options"} & set(known["sections"])
    assert ours or found.role == "context"


def extra_of(where: str) -> str:
    if where.startswith("options.extras_require"):
        return canonical_name(where.rpartition(".")[2] if "[" not in where else where[23:-1])
    return "main"


def declared(source: Source) -> Iterator[Item]:
    """Yield what each group holds, with what the groups that it takes over whole hold."""
    groups = {group: {group} for group in (r.group for r in source.requirements)}
    groups.update({group: {group} for group in source.groups.includes})
    for members in groups.values():
        pending = list(members)
        while pending:
            for brought in source.groups.includes.get(pending.pop(), ()):
                if brought not in members:
                    members.add(brought)
                    pending.append(brought)
    for group, members in groups.items():
        for requirement in source.requirements:
            if requirement.group in members:
                yield group_name(group), *item(requirement)[1:]


@pytest.mark.parametrize("path", files("pixi"))
def test_a_pixi_manifest_agrees_with_its_reference(path: str) -> None:
    known, found = REFERENCE[path], read(path)
    parts = {"main": [known, *known.get("target", {}).values()]}
    for name, feature in known.get("feature", {}).items():
        parts[name] = [feature, *feature.get("target", {}).values()]
    wanted = sorted(
        (group, ecosystem, name, pixi_specifier(stated(value), ecosystem))
        for group, tables in parts.items()
        for part in tables
        for table, ecosystem in (("dependencies", CONDA), ("pypi-dependencies", PYPI))
        for name, value in part.get(table, {}).items()
    )
    mine = sorted(
        (group_name(r.group), r.ecosystem, r.written, specifier(r.versions.text))
        for r in found.requirements
    )
    assert mine == wanted
    workspace = known.get("workspace") or known.get("project") or {}
    assert [channel.name for channel in found.channels] == workspace["channels"]
    platforms = [s.value for s in found.statements if s.subject == "platform"]
    assert platforms == workspace["platforms"]
    assert found.problems == ()


def pixi_specifier(text: str, ecosystem: str) -> str:
    return specifier(conda_versions(text).text if ecosystem == CONDA else text)
