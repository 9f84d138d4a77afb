"""Well-formed files of every kind, the pieces that they are made of, and ways to spoil them."""

from __future__ import annotations

from hypothesis import strategies as st
from more_samples import MORE_ALIKE, MORE_PATHS, MORE_PIECES, MORE_SAMPLES

INDEX = "https://index.example/simple"

SAMPLES = {
    "requirements": f"""\
# Python 3.10
--index-url {INDEX}
-r base.txt
-c constraints.txt
numpy>=1.24,<2 ; python_version >= "3.9"  # mlenv: ignore[PIN002] reason
torch==2.1.0+cu118 \\
    --hash=sha256:0123456789abcdef
-e git+https://git.example/a/b.git@main#egg=b[extra]
scikit_learn[all, extra] ~= 1.3.1
./wheels/foo-1.0-py3-none-any.whl
name @ https://files.example/name-1.0.tar.gz
<<<<<<< HEAD
pandas==1
=======
pandas==2
>>>>>>> other
""",
    "constraints": "numpy<2\npandas>=2.0\n",
    "conda-env": """\
name: x
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.10
  - pytorch::pytorch=2.1.0=py3.10_cuda11.8*  # [linux]
  - "numpy >=1.22,<2|3.*"
  - scipy[version='>=1.0',build=py310*]
  - sel(linux): gcc
  - pip:
    - -r requirements.txt
    - transformers==4.35.2
    - |
      tqdm
      rich>=13
platforms: [linux-64, osx-arm64]
prefix: /opt/conda/envs/x
""",
    "conda-list": """\
# packages in environment at /opt/conda:
#
# Name                    Version                   Build  Channel
_libgcc_mutex             0.1                 conda_forge    conda-forge
numpy                     1.24.3          py310h5f9d8c6_1    conda-forge
tqdm                      4.66.1                   pypi_0    pypi
""",
    "pyproject": f"""\
[build-system]
requires = ["setuptools>=61"]
[project]
name = "x"
requires-python = ">=3.9,<3.13"
dependencies = [
  "numpy>=1.24",  # a comment
  'torch==2.1.0; sys_platform == "linux"', "x[dev]",
]
[project.optional-dependencies]
dev = ["pytest>=7", \"\"\"rich
\"\"\"]
[dependency-groups]
test = ["hypothesis", {{include-group = "lint"}}]
lint = ["ruff"]
[tool.setuptools.dynamic]
dependencies = {{file = ["requirements.txt"]}}
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.9"
pandas = {{version = "^2.0", extras = ["s3"], markers = "python_version > '3.8'", source = "a"}}
scipy = [{{version = "1.9", python = "<3.8"}}, {{version = "~1.11", platform = "linux"}}]
[tool.poetry.group.dev.dependencies]
black = {{git = "https://git.example/b.git", rev = "0123456"}}
[[tool.poetry.source]]
name = "a"
url = "{INDEX}"
priority = "explicit"
[tool.pdm.dev-dependencies]
d = ["-e file:///x#egg=y", "z<2"]
[tool.pdm.resolution.overrides]
q = "1.0"
[tool.hatch.envs.default]
dependencies = ["coverage"]
[tool.uv]
override-dependencies = ["numpy==1.26"]
constraint-dependencies = ["scipy<2"]
[tool.uv.sources]
torch = [{{index = "cu", marker = "sys_platform == 'linux'"}}]
[[tool.uv.index]]
name = "cu"
url = "{INDEX}"
[tool.uv.workspace]
members = ["packages/*"]
[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
[tool.pixi.dependencies]
cuda = {{version = ">=12,<13", channel = "nvidia"}}
""",
    "pixi": """\
[workspace]
channels = ["conda-forge", { channel = "pytorch", priority = 1 }]
platforms = ["linux-64", "win-64"]
[dependencies]
python = "3.11.*"
"numpy" = { version = ">=1.24", build = "py*" }
[target.linux-64.dependencies]
gcc = "*"
[pypi-dependencies]
torch = { version = "==2.1.0", extras = ["x"] }
local = { path = ".", editable = true }
[feature.cuda.dependencies]
cuda-version = "12.*"
[environments]
default = ["cuda"]
""",
    "python-version": "# the one\n3.10.12\n3.9\n",
    "runtime-txt": "python-3.10.12\n",
    "tool-versions": "nodejs 20\npython 3.10.12 3.9 # both\n",
    "uv-lock": f"""\
version = 1
requires-python = ">=3.9"

[[package]]
name = "numpy"
version = "1.24.3"
source = {{ registry = "{INDEX}" }}
sdist = {{ url = "https://files.example/numpy.tar.gz", hash = "sha256:00", size = 1 }}
wheels = [
    {{ url = "https://files.example/numpy.whl", hash = "sha256:00", size = 1 }},
]

[[package]]
name = "x"
source = {{ editable = "." }}
[package.optional-dependencies]
dev = [{{ name = "numpy" }}]
""",
    "poetry-lock": """\
[[package]]
name = "numpy"
version = "1.24.3"
description = "arrays \\"fast\\""
optional = false
python-versions = ">=3.8"
files = [
    {file = "numpy.whl", hash = "sha256:00"},
]

[metadata]
lock-version = "2.0"
python-versions = "^3.9"
content-hash = "00"
""",
    "pdm-lock": """\
[metadata]
groups = ["default"]
lock_version = "4.4"

[[package]]
name = "numpy"
version = "1.24.3"
requires_python = ">=3.8"
groups = ["default"]
files = [
    {file = "numpy.whl", hash = "sha256:00"},
]
""",
    "pylock": """\
lock-version = "1.0"
requires-python = ">=3.9"
[[packages]]
name = "numpy"
version = "1.24.3"
wheels = [{ url = "https://files.example/numpy.whl", hashes = { sha256 = "00" } }]
[[packages]]
name = "x"
vcs = { type = "git", url = "https://git.example/x.git", commit-id = "00" }
""",
    "pipfile-lock": """\
{
    "_meta": {
        "requires": {"python_version": "3.10"},
        "sources": [{"name": "pypi", "url": "https://index.example/simple"}]
    },
    "default": {
        "numpy": {"hashes": ["sha256:00"], "index": "pypi", "version": "==1.24.3"},
        "x": {"git": "https://git.example/x.git", "ref": "00", "markers": "os_name == 'nt'"}
    },
    "develop": {"pyt\\u0065st": {"version": "==7.0"}}
}
""",
    "conda-lock": """\
version: 1
metadata:
  channels:
    - url: conda-forge
package:
- name: numpy
  version: 1.24.3
  manager: conda
  platform: linux-64
  url: https://conda.example/linux-64/numpy-1.24.3-py310_0.conda
  hash:
    md5: 00
    sha256: 00
- name: tqdm
  version: '4.66'
  manager: pip
  platform: linux-64
""",
    "pixi-lock": """\
version: 6
environments:
  default:
    packages:
      linux-64:
      - conda: https://conda.example/linux-64/numpy-1.24.3-py310_0.conda
packages:
- conda: https://conda.example/linux-64/numpy-1.24.3-py310_0.conda
  sha256: 00
- pypi: https://files.example/tqdm-4.66-py3-none-any.whl
  name: tqdm
  version: '4.66'
""",
    "conda-explicit": """\
# platform: linux-64
@EXPLICIT
https://conda.example/linux-64/numpy-1.24.3-py310_0.conda#0123456789abcdef0123456789abcdef
# pip tqdm @ https://files.example/tqdm-4.66-py3-none-any.whl#sha256=00
""",
    **MORE_SAMPLES,
}
"""A file of each kind that holds nearly all that its reader looks for."""

PATHS = {
    "requirements": "requirements.txt",
    "constraints": "constraints.txt",
    "conda-env": "environment.yml",
    "conda-list": "requirements-conda.txt",
    "pyproject": "pyproject.toml",
    "pixi": "pixi.toml",
    "python-version": ".python-version",
    "runtime-txt": "runtime.txt",
    "tool-versions": ".tool-versions",
    "uv-lock": "uv.lock",
    "poetry-lock": "poetry.lock",
    "pdm-lock": "pdm.lock",
    "pylock": "pylock.toml",
    "pipfile-lock": "Pipfile.lock",
    "conda-lock": "conda-lock.yml",
    "pixi-lock": "pixi.lock",
    "conda-explicit": "conda-linux-64.lock",
    **MORE_PATHS,
}
"""What a file of each kind is called."""

_EVERYWHERE = (
    *(" ", "  ", "\t", "\n", "\r\n", "\r", "\n\n", "\\", "\\\n", '"', "'", '"""', "'''", "`", "\0"),
    *("#", "# ", "=", "==", ">=", "<", "!=", "~=", "===", "^", "*", ".*", ",", ";", "|", "||", "&"),
    *(
        "(",
        ")",
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "{{ x }}",
        "{% if %}",
        "${X}",
        "<<<<<<< a\n",
        "=======\n",
    ),
    *(
        "-",
        "- ",
        "--",
        "_",
        ".",
        "..",
        "/",
        "../",
        "://",
        ":",
        ": ",
        "::",
        "@",
        "@ ",
        "+",
        "%",
        "~",
        "$",
    ),
    *(
        "a",
        "numpy",
        "torch",
        "python",
        "x" * 300,
        "é",
        "\u202e",
        "\ud800",
        "\ufeff",
        "\x1b[2J",
        "\x85",
    ),
    *(
        "1",
        "1.0",
        "0" * 50,
        "3.10",
        "1.0+cu118",
        "1!2.0a1.post2.dev3",
        "9" * 5000,
        "\u0661",
        "1.0rc1",
    ),
)
_BY_KIND = {
    "requirements": (
        *("-r ", "-c ", "-e ", "-i ", "--hash=sha256:0", "--extra-index-url ", "--pre", " -", "-f"),
        *("git+https://git.example/a#egg=b", "file:///a", "; ", " and ", " or ", " in ", "not "),
        *(
            "os_name == 'nt'",
            "python_version",
            "name[extra]",
            "# mlenv: ignore[PIN001] until=2020-01-01",
        ),
    ),
    "conda-env": (
        *(
            "dependencies:\n",
            "channels:\n",
            "  - ",
            "- pip:\n    - ",
            "name: x\n",
            "&a ",
            "*a",
            "<<: ",
        ),
        *(
            "!!str ",
            "---\n",
            "...\n",
            "|\n",
            ">-\n",
            "? ",
            "%TAG ! x\n",
            "conda-forge::",
            "=py3*",
            "[linux]",
        ),
        *("[version='>1']", "sel(linux): ", "prefix: /x\n", "null", "~", "1e3", "yes"),
    ),
    "pyproject": (
        *(
            "[project]\n",
            "[tool.poetry]\n",
            "[tool.poetry.dependencies]\n",
            "[tool.uv]\n",
            "[tool.pixi]\n",
        ),
        *("[[tool.uv.index]]\n", "[dependency-groups]\n", "[tool.pdm]\n", "[tool.hatch.envs.a]\n"),
        *(
            "dependencies = [",
            "]\n",
            "version = ",
            "name = ",
            "include-group = ",
            '"a>1"',
            "'b'",
            "{a = 1}",
        ),
        *(
            "a.b.c = 1\n",
            "\\u0061",
            "true",
            "1979-05-27 07:32:00",
            "0x1f",
            "inf",
            "1_000",
            "python = ",
        ),
    ),
    "uv-lock": (
        *(
            "[[package]]\n",
            'name = "a"\n',
            'version = "1"\n',
            "[package.metadata]\n",
            "version = 1\n",
        ),
        *(
            "source = { registry = ",
            "wheels = [\n",
            "    { url = ",
            ' hash = "sha256:0" }',
            "files = [\n",
        ),
        *("[metadata]\n", "[[packages]]\n", "    ", "true", "[metadata.files]\n", "\\u00e9"),
    ),
    "pipfile-lock": (
        *(
            '"default": ',
            '"_meta": ',
            '"version": ',
            '"==1"',
            '"hashes": ',
            "null",
            "true",
            "1e9",
            "\\u0065",
        ),
        *("{", "}", ": ", ", ", '"a": {', '"requires": {"python_version": '),
    ),
    "conda-lock": (
        *(
            "package:\n",
            "packages:\n",
            "- name: a\n",
            "  version: 1\n",
            "- conda: ",
            "- pypi: ",
            "  hash:\n",
        ),
        *(
            "    md5: 0\n",
            "version: 6\n",
            "https://c.example/linux-64/a-1-0.conda",
            "  ",
            "''",
            "[]",
        ),
    ),
    "conda-explicit": (
        "@EXPLICIT\n",
        "https://c.example/linux-64/a-1-0.tar.bz2",
        "# pip a @ b",
        "#0",
    ),
    "conda-list": (
        "# packages in environment at x\n",
        "a 1 2\n",
        "a=1=py_0\n",
        "pypi",
        "_libgcc_mutex=0",
    ),
    **MORE_PIECES,
}
_SAME = {
    "constraints": "requirements",
    "pixi": "pyproject",
    "poetry-lock": "uv-lock",
    "pdm-lock": "uv-lock",
    "pylock": "uv-lock",
    "pixi-lock": "conda-lock",
    **MORE_ALIKE,
}


def pieces_of(kind: str) -> tuple[str, ...]:
    """Return what files of a kind are made of, what is a kind's own twice."""
    return (*_EVERYWHERE, *_BY_KIND.get(_SAME.get(kind, kind), ()) * 2)


def soup(kind: str) -> st.SearchStrategy[str]:
    """Return texts that are made of what a format is made of, in no order."""
    return st.lists(st.sampled_from(pieces_of(kind)), max_size=30).map("".join)


def mutated(kind: str) -> st.SearchStrategy[str]:
    """Return a well-formed file with a few stretches cut, doubled or replaced by other pieces."""
    sample = SAMPLES[kind]
    pieces = st.sampled_from((*pieces_of(kind), ""))
    place = st.integers(0, len(sample))
    change = st.tuples(place, st.integers(0, 40), pieces, st.sampled_from((0, 1, 1, 2)))
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: _changed(sample, changes))


def _changed(text: str, changes: list[tuple[int, int, str, int]]) -> str:
    for start, length, piece, copies in changes:
        text = text[:start] + piece + text[start : start + length] * copies + text[start + length :]
    return text


def contents(kind: str) -> st.SearchStrategy[bytes]:
    """Return the bytes of files that may or may not be of a kind."""
    texts = soup(kind) | mutated(kind)
    encodings = st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32"))
    encoded = st.builds(lambda text, name: text.encode(name, "surrogatepass"), texts, encodings)
    declared = st.sampled_from(
        (b"# coding: punycode\n", b"# coding: unicode_escape\n", b"# coding: idna\n",
         b"# coding: latin-1\n", b"# coding: utf-7\n", b"# coding: hex\n", b"# coding: cp037\n")
    )  # fmt: skip
    return st.binary(max_size=200) | encoded | st.builds(lambda a, b: a + b, declared, encoded)
