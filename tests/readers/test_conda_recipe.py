"""Recipes of conda packages."""

from __future__ import annotations

from mlenv.model.requirement import BUILD, CONSTRAINT, MAIN, Requirement
from mlenv.model.source import CONTEXT, TEMPLATE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.conda_recipe import read


def source(text: str) -> Source:
    return read(SourceText("meta.yaml", text))


def run(entries: str, head: str = "") -> Source:
    lines = "".join(f"    {line}\n" for line in entries.splitlines())
    return source(f"{head}package:\n  name: lib\nrequirements:\n  run:\n{lines}")


def one(entry: str, head: str = "") -> Requirement:
    (requirement,) = run(f"- {entry}", head).requirements
    return requirement


def test_sections_become_groups() -> None:
    found = source(
        "package:\n  name: My_Lib\nrequirements:\n  build: [cmake]\n  host:\n    - python\n"
        "  run:\n    - python >=3.9\n    - pytorch =2.1=cuda*\n"
        "  run_constrained:\n    - jax >=0.4\ntest:\n  requires: [pytest]\n"
    )
    assert [(r.group, r.name, r.versions.text, r.build) for r in found.requirements] == [
        (BUILD, "cmake", "", ""),
        (BUILD, "python", "", ""),
        (MAIN, "python", ">=3.9", ""),
        (MAIN, "pytorch", "==2.1", "cuda*"),
        (MAIN, "jax", ">=0.4", ""),
        ("group:test", "pytest", "", ""),
    ]
    assert found.requirements[4].kind == CONSTRAINT
    assert found.requirements[3].span.text == "pytorch =2.1=cuda*"
    assert found.packaging is not None
    assert (found.packaging.name, found.packaging.published) == ("my-lib", True)
    assert [(s.subject, s.value) for s in found.statements] == [("python", ">=3.9")]
    assert found.problems == ()


def test_constants_are_filled_in() -> None:
    head = '{% set name = "Torch" %}\n{%- set v = "2.1" -%}\n{% set n = 1 %}\n{% set n = 2 %}\n'
    found = one("{{ name|lower }} =={{ v }}", head)
    assert (found.name, found.versions.text) == ("torch", "==2.1")
    assert found.span.text == "{{ name|lower }} =={{ v }}"
    assert not one("torch =={{ n }}", head).versions.understood
    assert not one("torch =={{ v.split('.')[0] }}", head).versions.understood


def test_what_only_the_build_tells() -> None:
    found = run(
        "- python {{ python }}\n- {{ compiler('c') }}\n- {{ pin_compatible('numpy') }}\n"
        "- {{ pin_subpackage('lib') }}\n- {{ environ.get('TORCH') }}"
    )
    assert [(r.name, r.versions.understood) for r in found.requirements] == [
        ("python", False),
        ("numpy", False),
    ]
    assert [(p.kind, p.span.text, p.fatal) for p in found.problems] == [
        (TEMPLATE, "{{ environ.get('TORCH') }}", False)
    ]


def test_selectors() -> None:
    assert str(one("a >=1  # [linux]").marker) == 'sys_platform == "linux"'
    unclear = one("a >=1  # [py<39 and cuda]")
    assert (unclear.marker, unclear.versions.understood) == (None, False)
    assert one("a >=1  # a remark").versions.understood


def test_what_a_template_may_leave_out_is_not_judged() -> None:
    found = run("- a >=1\n{% if cuda %}\n- b >=1\n{% else %}\n- c >=1\n{% endif %}\n- d >=1")
    assert [(r.name, r.versions.understood) for r in found.requirements] == [
        ("a", True),
        ("b", False),
        ("c", False),
        ("d", True),
    ]


def test_choices_of_rattler_build() -> None:
    found = run(
        "- if: linux\n  then: [a, b >=1]\n  else: c\n- if: cuda == '12'\n  then: d >=1\n"
        "- lib =${{ version }}\n- e ${{ known }}",
        'context:\n  known: "2.0"\n  version: ${{ env.get("V") }}\n',
    )
    assert [(r.name, str(r.marker or "")) for r in found.requirements[:3]] == [
        ("a", 'sys_platform == "linux"'),
        ("b", 'sys_platform == "linux"'),
        ("c", 'sys_platform != "linux"'),
    ]
    rest = [(r.name, r.versions.text, r.versions.understood) for r in found.requirements[3:]]
    assert rest == [("d", ">=1", False), ("lib", "=?", False), ("e", "==2.0", True)]


def test_outputs_are_installed_apart() -> None:
    found = source(
        "recipe:\n  name: split\noutputs:\n  - name: lib\n    requirements: [a]\n"
        "  - package:\n      name: tools\n    requirements:\n      host: [b]\n      run: [c]\n"
        "    tests:\n      - requirements:\n          run: [d]\n"
    )
    assert [(r.group, r.name) for r in found.requirements] == [
        ("group:lib", "a"),
        ("group:tools build", "b"),
        ("group:tools", "c"),
        ("group:tools test", "d"),
    ]
    assert found.groups.standalone == {r.group for r in found.requirements}


def test_old_pins_to_the_build() -> None:
    assert one("numpy x.x").versions.is_any


def test_other_files_of_that_name_say_nothing() -> None:
    for text in ("name: Default\nartifact_location: x\n", "recipe: a\n", "", "- a\n"):
        found = source(text)
        assert (found.role, found.requirements, found.problems) == (CONTEXT, (), ())


def test_a_template_that_shapes_the_file_is_no_error() -> None:
    found = source("package:\n  name: {{ x }}: {{ y }}\n   z: [\n")
    assert {(p.kind, p.fatal) for p in found.problems} == {(TEMPLATE, False)}
