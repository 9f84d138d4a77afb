"""dependencies.yaml of RAPIDS."""

from __future__ import annotations

from mlenv.model.source import CONTEXT, UNREADABLE_LINE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.rapids import read


def source(dependencies: str, head: str = "files: {}\n") -> Source:
    indented = "".join(f"  {line}\n" for line in dependencies.splitlines())
    return read(SourceText("dependencies.yaml", f"{head}dependencies:\n{indented}"))


def listed(found: Source) -> list[tuple[str, str, str, str]]:
    return [(r.group, r.ecosystem, r.written, r.versions.text) for r in found.requirements]


def test_the_output_decides_the_ecosystem() -> None:
    found = source(
        "run:\n  common:\n"
        "    - output_types: conda\n      packages: [pytorch=2.1, cuda-nvcc]\n"
        "    - output_types: [requirements, pyproject]\n      packages:\n        - torch==2.1\n"
        "    - output_types: [pyproject]\n      packages: [torch==2.2]\n"
    )
    assert listed(found) == [
        ("group:run conda", "conda", "pytorch", "==2.1.*"),
        ("group:run conda", "conda", "cuda-nvcc", ""),
        ("group:run", "pypi", "torch", "==2.1"),
        ("group:run pyproject", "pypi", "torch", "==2.2"),
    ]
    assert found.groups.standalone == {"group:run conda", "group:run", "group:run pyproject"}
    assert found.problems == ()


def test_a_list_for_both_is_read_for_each_that_takes_it() -> None:
    found = source(
        "run:\n  common:\n    - output_types: [conda, requirements]\n      packages:\n"
        "        - &np numpy>=2\n        - dask[array]~=1.0\n        - gcc=14.*\n        - *np\n"
        "        - a b c ==\n"
    )
    assert listed(found)[:4] == [
        ("group:run", "pypi", "numpy", ">=2"),
        ("group:run conda", "conda", "numpy", ">=2"),
        ("group:run", "pypi", "dask", "~=1.0"),
        ("group:run conda", "conda", "dask", "~=1.0"),
    ]
    assert ("group:run conda", "conda", "gcc", "==14.*") in listed(found)
    assert ("group:run", "pypi", "gcc", "==14.*") not in listed(found)
    assert found.requirements[0].span.text == "numpy>=2"
    assert [(p.kind, p.span.text) for p in found.problems] == [(UNREADABLE_LINE, "a b c ==")]


def test_each_choice_of_a_matrix_stands_alone() -> None:
    found = source(
        "cuda:\n  specific:\n    - output_types: [conda]\n      matrices:\n"
        "        - matrix: {cuda: '12.2', arch: x86_64}\n          packages: [cuda-version=12.2]\n"
        "        - matrix: {cuda: '12.5'}\n          packages: [cuda-version=12.5]\n"
        "        - matrix:\n          packages:\n"
        "        - matrix:\n          packages: [cuda-version]\n"
    )
    assert [r.group for r in found.requirements] == [
        "group:cuda conda cuda=12.2,arch=x86_64",
        "group:cuda conda cuda=12.5",
        "group:cuda conda otherwise (2)",
    ]


def test_options_and_nested_lists_for_pip() -> None:
    found = source(
        "docs:\n  common:\n    - output_types: [conda]\n      packages:\n"
        "        - sphinx\n        - pip:\n            - theme>=1\n"
        "    - output_types: [requirements]\n      packages:\n"
        "        - --extra-index-url=https://index.example/simple\n        - sphinx\n",
        "files: {}\nchannels: [conda-forge, nvidia]\n",
    )
    assert listed(found)[:2] == [
        ("group:docs conda", "conda", "sphinx", ""),
        ("group:docs conda", "pypi", "theme", ">=1"),
    ]
    assert [(i.kind, i.url) for i in found.indexes] == [("extra", "https://index.example/simple")]
    assert [c.name for c in found.channels] == ["conda-forge", "nvidia"]


def test_other_files_of_that_name_say_nothing() -> None:
    found = read(SourceText("dependencies.yaml", "files:\n  - a\n"))
    assert (found.role, found.requirements) == (CONTEXT, ())
    odd = read(SourceText("dependencies.yaml", "files:\ndependencies: {a: 1, b: {common: x}}\n"))
    assert odd.requirements == ()
