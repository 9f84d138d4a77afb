"""setup.py, read from its syntax tree."""

from __future__ import annotations

import pytest

from mlenv.model.requirement import BUILD, MAIN
from mlenv.model.source import CONTEXT, MANIFEST, TEMPLATE, UNREADABLE_FILE, Source
from mlenv.model.text import SourceText
from mlenv.project.manifests.setup_py import read


def source(text: str) -> Source:
    return read(SourceText("setup.py", text))


def required(body: str, expression: str = "reqs") -> Source:
    return source(f"{body}\nsetup(install_requires={expression})\n")


def listed(found: Source) -> list[str]:
    return [f"{r.written}{r.versions.text}" for r in found.requirements]


def included(found: Source) -> list[tuple[str, str]]:
    return [(include.target, include.group) for include in found.includes]


def test_fields_become_groups_with_exact_spans() -> None:
    found = source(
        "import setuptools\n"
        "setuptools.setup(\n"
        "    name='My_Lib', python_requires='>=3.9',\n"
        "    install_requires=['torch >=2.1', \"numpy[x]; python_version < '3.12'\"],\n"
        "    setup_requires='cython', tests_require=['pytest>=8'],\n"
        "    extras_require={'GPU': ['cupy'], ':sys_platform==\"win32\"': 'colorama'},\n"
        "    url='https://lib.example')\n"
    )
    assert [(r.group, r.written, r.versions.text) for r in found.requirements] == [
        (MAIN, "torch", ">=2.1"),
        (MAIN, "numpy", ""),
        (BUILD, "cython", ""),
        ("group:tests_require", "pytest", ">=8"),
        ("extra:gpu", "cupy", ""),
        (MAIN, "colorama", ""),
    ]
    torch = found.requirements[0]
    assert torch.span.text == "torch >=2.1"
    assert torch.specifier_span is not None
    assert torch.specifier_span.text == ">=2.1"
    assert str(found.requirements[-1].marker) == 'sys_platform == "win32"'
    assert [(s.value, s.span.text) for s in found.statements] == [(">=3.9", ">=3.9")]
    assert found.packaging is not None
    assert (found.packaging.name, found.packaging.published) == ("my-lib", True)
    assert (found.role, found.problems) == (MANIFEST, ())


def test_columns_are_counted_in_characters() -> None:
    found = source("s = 'é😀'; setup(name='ü', install_requires=['torch', 'numpy>=1'])\n")
    assert [r.span.text for r in found.requirements] == ["torch", "numpy>=1"]
    assert found.requirements[1].span.column == 55


DEPENDENCY_TABLE = """
_deps = ["a>=1", "b"]
deps = {b: a for a, b in (re.findall("^(([^>]+)(?:>.*)?)$", x)[0] for x in _deps)}
def some(*names):
    return [deps[name] for name in names]
"""


@pytest.mark.parametrize(
    ("body", "expression", "expected"),
    [
        ("reqs = ['a'] + ['b']", "reqs", ["a", "b"]),
        ("reqs = ('a',)\nreqs += ('b',)", "list(reqs)", ["a", "b"]),
        ("reqs = []\nreqs.append('a')\nreqs.extend(['b', 'c'])", "reqs", ["a", "b", "c"]),
        ("reqs = '''\n  a>=1\n\n  # no\n  b\n'''", "reqs", ["a>=1", "b"]),
        ("reqs = 'a b'.split()", "reqs", ["a", "b"]),
        ("reqs = 'a, b'.split(',')", "reqs", ["a", "b"]),
        ("reqs = 'a\\nb'.splitlines()", "reqs", ["a", "b"]),
        ("v = '2'", "[f'a=={v}', 'b>={}'.format(v), 'c<%s' % v]", ["a==2", "b>=2", "c<2"]),
        ("v = '1'", "['a>={0},<{b}'.format(v, b='2'), 'c>%s,<%s' % (v, '3')]",
         ["a<2,>=1", "c<3,>1"]),
        ("base = ['a']", "[*base, 'b']", ["a", "b"]),
        ("d = {'x': ['a']}\nd['y'] = d['x'] + ['b']", "d['y']", ["a", "b"]),
        ("d = dict(x=['a'])\nd.update({'y': ['b']})", "d['x'] + d['y']", ["a", "b"]),
        ("def reqs():\n    found = ['a']\n    return found + ['b']", "reqs()", ["a", "b"]),
        ("def pin(name, v='1'):\n    return name + '==' + v", "[pin('a'), pin('b', v='2')]",
         ["a==1", "b==2"]),
        (DEPENDENCY_TABLE, "some('b') + [deps['a']]", ["a>=1", "b"]),
        ("reqs = []\nfor n in ['a', 'b']:\n    reqs.append(n + '>=1')", "reqs", ["a>=1", "b>=1"]),
        ("names = ['a', 'b']", "[n + '>1' for n in names]", ["a>1", "b>1"]),
        ("if __name__ == '__main__':\n    reqs = ['a']", "reqs", ["a"]),
        ("", "None", []),
    ],
)  # fmt: skip
def test_what_needs_no_running_is_told(body: str, expression: str, expected: list[str]) -> None:
    found = required(body, expression)
    assert listed(found) == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    ("condition", "marker"),
    [
        ("sys.platform == 'linux'", 'sys_platform == "linux"'),
        ("sys.platform != 'win32'", 'sys_platform != "win32"'),
        ("sys.platform.startswith('win')", 'sys_platform == "win32"'),
        ("not platform.system() == 'Darwin'", 'platform_system != "Darwin"'),
        ("os.name == 'nt'", 'os_name == "nt"'),
        ("sys.version_info < (3, 9)", 'python_version < "3.9"'),
        ("sys.version_info >= (3,)", 'python_version >= "3"'),
    ],
)
def test_conditions_on_the_platform_become_markers(condition: str, marker: str) -> None:
    for body in (
        f"reqs = []\nif {condition}:\n    reqs += ['a']",
        f"reqs = ['a'] if {condition} else []",
    ):
        found = required(body)
        assert [(r.written, str(r.marker)) for r in found.requirements] == [("a", marker)]
        assert found.problems == ()


def test_the_other_side_of_a_condition_has_the_opposite_marker() -> None:
    found = required(
        "import sys\nif sys.platform == 'darwin':\n    reqs = ['a']\nelse:\n    reqs = ['b']"
    )
    assert [(r.written, str(r.marker)) for r in found.requirements] == [
        ("a", 'sys_platform == "darwin"'),
        ("b", 'sys_platform != "darwin"'),
    ]


@pytest.mark.parametrize(
    ("body", "expression", "kept", "told"),
    [
        ("reqs = ['a']\nif cuda():\n    reqs.append('b')", "reqs", ["a"], ["b"]),
        ("reqs = ['a']\ntry:\n    import b\nexcept ImportError:\n    reqs += ['b']", "reqs",
         ["a"], ["b"]),
        ("if cuda():\n    reqs = ['a', 'b']\nelse:\n    reqs = ['a']", "reqs", ["a"], ["b"]),
        ("def needs():\n    exec(open('v.py').read())\n    return v", "needs()", [], ["v.py"]),
        ("", "['a', name()]", ["a"], ["name()"]),
        ("", "[f'a=={version()}', 'b']", ["a==", "b"], ["f'a=={version()}'"]),
        ("v = '1' if x else '2'", "['a', 'b==' + v]", ["a", "b=="], ["'b==' + v"]),
        ("", "sum(groups, [])", [], ["sum(groups, [])"]),
        ("", "['a'] + other", ["a"], ["other"]),
    ],
)  # fmt: skip
def test_what_only_running_tells_is_said(
    body: str, expression: str, kept: list[str], told: list[str]
) -> None:
    found = required(body, expression)
    assert listed(found) == kept
    assert all(not r.versions.understood for r in found.requirements if r.versions.text == "==")
    assert [(p.kind, p.span.text, p.fatal) for p in found.problems] == [
        (TEMPLATE, text, False) for text in told
    ]


def test_extras_that_take_over_others_bring_them_along() -> None:
    found = source(
        "e = {'a': ['x'], 'b': ['y', 'z']}\ne['both'] = e['a'] + e['b'] + ['w']\n"
        "e['same'] = e['both']\nsetup(extras_require=e)\n"
    )
    assert [(r.group, r.written) for r in found.requirements] == [
        ("extra:a", "x"),
        ("extra:b", "y"),
        ("extra:b", "z"),
        ("extra:both", "w"),
    ]
    assert found.groups.includes == {
        "extra:both": ("extra:a", "extra:b"),
        "extra:same": ("extra:a", "extra:b", "extra:both"),
    }


def test_extras_that_are_computed_are_said() -> None:
    found = source("e = {'x': ['a']}\ne['all'] = sum(e.values(), [])\nsetup(extras_require=e)\n")
    assert [(r.group, r.written) for r in found.requirements] == [("extra:x", "a")]
    assert [p.kind for p in found.problems] == [TEMPLATE]
    (problem,) = source("setup(extras_require={k: [k] for k in names})\n").problems
    assert problem.kind == TEMPLATE


@pytest.mark.parametrize(
    "body",
    [
        "reqs = open('reqs.txt').read().splitlines()",
        "with open('reqs.txt', encoding='utf-8') as f:\n    reqs = f.read().strip().split('\\n')",
        "reqs = [line.strip() for line in open('reqs.txt') if not line.startswith('#')]",
        "reqs = list(map(str.strip, open('reqs.txt').readlines()))",
        "reqs = parse_requirements('reqs.txt', session=False)",
        "reqs = [str(r.req) for r in parse_requirements('reqs.txt')]",
        (
            "here = os.path.dirname(os.path.abspath(__file__))\n"
            "reqs = open(os.path.join(here, 'reqs.txt')).readlines()"
        ),
        (
            "here = Path(__file__).resolve().parent\n"
            "reqs = (here / 'reqs.txt').read_text().splitlines()"
        ),
        "here = os.path.dirname(__file__)\nreqs = open(f'{here}/reqs.txt').read().split()",
        (
            "reqs = []\nwith open('reqs.txt') as f:\n"
            "    for line in f:\n        line = line.strip()\n"
            "        if line and not line.startswith('#'):\n            reqs.append(line)"
        ),
        (
            "def load(name):\n    with open(name) as f:\n        return f.read().splitlines()\n"
            "reqs = load('reqs.txt')"
        ),
        (
            "def load():\n    found = open('reqs.txt').readlines()\n    return [x for x in found]\n"
            "reqs = load()"
        ),
        "from tools import load\nreqs = load('reqs.txt')",
        (
            "def load(folder, name='reqs.txt'):\n"
            "    def lines():\n        return open(os.path.join(folder, name)).readlines()\n"
            "    return [parsed(line) for line in lines() if line]\nreqs = load('.')"
        ),
        (
            "def load(names):\n    if not isinstance(names, (list, tuple)):\n"
            "        names = [names]\n    found = []\n    for name in names:\n"
            "        with open(name) as f:\n"
            "            found += [line.strip() for line in f.readlines()]\n    return found\n"
            "reqs = load('reqs.txt')"
        ),
        (
            "def load(names):\n    names = [names] if isinstance(names, str) else names\n"
            "    found = []\n    for name in names:\n        found += open(name).readlines()\n"
            "    return found\nreqs = load('reqs.txt')"
        ),
    ],
)
def test_files_that_are_read_are_included(body: str) -> None:
    found = required(body)
    assert included(found) == [("reqs.txt", MAIN)]
    assert found.problems == ()


@pytest.mark.parametrize(
    "change", ["reqs.append('numpy>=1')", "reqs.extend(['numpy>=1'])", "reqs.insert(0, 'numpy>=1')"]
)
def test_what_is_added_to_the_lines_of_a_file_is_read(change: str) -> None:
    found = required(f"reqs = open('reqs.txt').readlines()\n{change}")
    assert included(found) == [("reqs.txt", MAIN)]
    assert [one.name for one in found.requirements] == ["numpy"]


def test_what_is_added_to_the_lines_of_a_file_where_an_import_fails_is_said() -> None:
    body = "reqs = open('reqs.txt').readlines()\n"
    found = required(f"{body}try:\n    import cv2\nexcept ImportError:\n    reqs.append('b>=3')")
    assert included(found) == [("reqs.txt", MAIN)]
    assert [problem.span.text for problem in found.problems] == ["b>=3"]


def test_a_file_beside_a_list_and_in_an_extra() -> None:
    found = source(
        "def load(name):\n    return open('requirements/' + name).read().split('\\n')\n"
        "setup(install_requires=['a'] + load('base.txt'), extras_require={'x': load('x.txt')})\n"
    )
    assert listed(found) == ["a"]
    assert included(found) == [("requirements/base.txt", MAIN), ("requirements/x.txt", "extra:x")]


def test_setup_is_found_wherever_it_is_called() -> None:
    inside = "from setuptools import setup\ndef main():\n    setup(install_requires=['a'])\n"
    assert listed(source(inside)) == ["a"]
    assert listed(source(f"{inside}if __name__ == '__main__':\n    main()\n")) == ["a"]
    keywords = "kw = dict(name='x')\nkw['install_requires'] = ['a']\nsetup(**kw, version='1')\n"
    assert listed(source(keywords)) == ["a"]
    other = "def setup(**kw): pass\nsetup(install_requires=['a'])\n"
    assert source(other).role == CONTEXT
    (problem,) = source("setup(**read_all())\n").problems
    assert problem.kind == TEMPLATE


def test_what_leaves_all_to_another_file_is_no_manifest() -> None:
    for text in ("from setuptools import setup\nsetup()\n", "x = 1\n", ""):
        found = source(text)
        assert (found.role, found.packaging, found.problems) == (CONTEXT, None, ())


@pytest.mark.parametrize(
    "text",
    [
        "print 'Python 2'\nsetup(install_requires=['a'])\n",
        "x = 1\0\n",
        "x = '\ud800'\n",
        f"x = {'-' * 100_000}1\n",
        f"x = a{'.b' * 100_000}\n",
        f"x = a{'(1, 2)' * 100_000}\n",
        f"x = 1{' + 1' * 100_000}\n",
        f"x = {'(' * 1000}\n",
        "if a:\n pass\n" + "elif a:\n pass\n" * 20_000,
    ],
)
def test_what_python_cannot_parse_is_a_problem(text: str) -> None:
    (problem,) = source(text).problems
    assert (problem.kind, problem.fatal) == (UNREADABLE_FILE, False)


def test_old_escapes_raise_no_warning() -> None:
    assert listed(source("p = '\\d'\nsetup(install_requires=['a'])\n")) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        "reqs = ['a']\n" + "reqs = reqs + reqs\n" * 60,
        "def f(x):\n    return [f(x) for _ in ['1', '2', '3']]\nreqs = f('a')\n" * 10,
        "reqs = []\nfor a in LIST:\n for b in LIST:\n  for c in LIST:\n   reqs.append(a + b)\n"
        .replace("LIST", repr(["x"] * 150)),
    ],
)  # fmt: skip
def test_what_grows_without_end_is_given_up(body: str) -> None:
    found = required(body)
    assert found.requirements == ()
    assert {problem.kind for problem in found.problems} == {TEMPLATE}
