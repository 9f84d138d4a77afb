"""Text that acts on whoever reads the report: a terminal, a CI runner, a browser, a person."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .cases import case, texts, write

if TYPE_CHECKING:
    from pathlib import Path

_ACTING = {
    "escapes of a terminal": "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "links of a terminal": "\x1b]8;;https://x.example\x1b\\click\x1b]8;;\x1b\\",
    "carriage returns": "\r\x08\x08\x08ok",
    "commands of a runner": "::error file=a::owned",
    "output of a runner": "::set-output name=x::y",
    "commands in brackets": "##[command]owned",
    "commands of another runner": "##vso[task.complete result=Failed]",
    "encoded commands": "%0A::error::owned%0D",
    "Markdown": "](javascript:x) **b** `c` | d | ![](https://x.example/a.png) <!-- ",
    "HTML": "<script>alert(1)</script><img src=x onerror=y>&lt;",
    "text from right to left": "\u202egnp.exe\u2066\u2069",
    "text of no width": "nu\u200bm\u2060py\ufeff\u00ad",
    "letters that look alike": "\u0440\u0443t\u043erch\uff1d\uff1d1",
    "line separators": "a\u2028b\u2029c\x85d\x0ce\x0bf\x1ce",
    "tags and variation selectors": "\U000e0041\ufe0f\ufff9\ufffb",
    "half of a pair": "\ud800\udfff\udc00",
    "braces of a template": "{count} {packages} {0} {x!r:>999999} %s %(a)s ${A}",
}


def _files(text: str) -> dict[str, str]:
    quoted = "".join(f"\\U{ord(c):08x}" if not 0xD800 <= ord(c) < 0xE000 else "?" for c in text)
    bare = text.replace("\n", " ")
    return {
        "requirements.txt": f"numpy=={bare}\n{bare}\n-r {bare}\n--{bare}\na[{bare}]==1\n"
        f"b; {bare} == 'x'\nc @ https://x.example/{bare}\nd # mlenv: ignore[{bare}]\n",
        "environment.yml": f'name: "{quoted}"\nchannels: ["{quoted}"]\n"{quoted}": 1\n'
        f'dependencies: ["{quoted}", "a={quoted}", {{pip: ["{quoted}", "b=={quoted}"]}}]\n',
        "pyproject.toml": f'[project]\nname = "{quoted}"\ndependencies = ["{quoted}"]\n'
        f'[project.optional-dependencies]\n"{quoted}" = ["numpy==1", "numpy==2"]\n',
        "Dockerfile": f"ARG A={bare}\nFROM x:{bare} AS {bare}\nFROM $A\nRUN pip install '{bare}' "
        f"numpy=={bare} -r {bare}\nWORKDIR {bare}\nCOPY {bare} .\n{bare}\n",
        "setup.py": f"setup(name='{quoted}', install_requires=['{quoted}', 'a=={quoted}'])\n{bare}",
        "setup.cfg": f"[options]\ninstall_requires =\n    {bare}\n    a=={bare}\n[{bare}]\n",
        "Pipfile": f'[packages]\n"{quoted}" = "{quoted}"\n[requires]\n"{quoted}" = 1\n',
        "compose.yaml": f'services: {{"{quoted}": {{image: "{quoted}", runtime: "{quoted}"}}}}\n',
        "cog.yaml": f'build:\n  cuda: "{quoted}"\n  run: ["{quoted}"]\n',
        ".github/workflows/a.yml": f'jobs: {{"{quoted}": {{runs-on: "{quoted}", steps: [{{run: '
        f'"pip install {quoted}"}}]}}}}\n',
        "meta.yaml": f'package: {{name: "{quoted}"}}\nrequirements: {{run: ["a {quoted}"]}}\n',
        "README.md": f"Python {bare}\n```\npip install {bare}\n```\n",
        "uv.lock": f'version = 1\n[[package]]\nname = "{quoted}"\nversion = "{quoted}"\n',
    }


for _name, _text in _ACTING.items():
    texts(f"texts: {_name}", dict(_files(_text)))


def odd_names() -> str:
    return "file names are Unicode, or cannot hold this, here" if sys.platform != "linux" else ""


@case("names of files that act", skip=odd_names)
def _(root: Path) -> None:
    for text in _ACTING.values():
        name = text.replace("/", "_")
        if "\ud800" in text:
            continue
        write(root, f"{name}/requirements.txt", "numpy==1,==2\nb=1\n-r x.txt\n")
        write(root, f"{name}/Dockerfile", "FROM x\nRUN pip install a>1\n")
    write(root, "a\nb\n::error::c/requirements.txt", "numpy==1,==2\n")
    write(root, "requirements\n::error::owned.txt", "numpy==1,==2\n")


@case("names of files with colons, percents and braces", skip=odd_names)
def _(root: Path) -> None:
    for name in ("a:1:2", "%0a::error::x", "{count}{packages}", "%s%(x)s", "a b", "C:", "'\"`$(x)"):
        write(root, f"{name}/requirements.txt", "numpy==1,==2\n-r y.txt\nb=1\n")
        write(root, f"requirements-{name}.txt", "numpy==1,==2\nb=1\n")


@case("names of files that are no text", skip=odd_names)
def _(root: Path) -> None:
    for name in (b"requirements-\xff\xfe.txt", b"req-\xed\xa0\x80.txt", b"Dockerfile.\x80"):
        with open(os.path.join(os.fsencode(root), name), "wb") as file:
            file.write(b"FROM a\nnumpy==1,==2\n")


texts(
    "zeros",
    {
        "requirements.txt": b"\0" * 5_000 + b"numpy\0==1\n",
        "setup.py": b"\0setup(\0)",
        "Dockerfile": b"FROM a\0\nRUN pip\0install a\n",
        "environment.yml": b"dependencies:\n- a\0\n",
        "uv.lock": b"\0",
    },
)
texts(
    "UTF-16 without a mark",
    {
        "requirements.txt": "numpy==1\ntorch==2\n".encode("utf-16-le"),
        "Dockerfile": "FROM a\nRUN pip install b\n".encode("utf-16-be"),
        "environment.yml": "dependencies:\n- a\n".encode("utf-16-le")[:-1],
        "setup.py": "setup(install_requires=['a'])".encode("utf-16"),
    },
)
_BROKEN = (
    b"numpy==1\xff\n\xc3(\n\xed\xa0\x80\n\xf8\x88\x80\x80\x80\nFROM \x80\nRUN pip install \xff\n"
)
_NAMES = (
    *("requirements.txt", "Dockerfile", "environment.yml", "pyproject.toml", "setup.py"),
    *("setup.cfg", "Pipfile.lock", "README.md", "cog.yaml"),
)
texts("broken UTF-8", dict.fromkeys(_NAMES, _BROKEN))
texts(
    "codecs that are none",
    {
        "requirements.txt": "# coding: unicode_escape\nnumpy\\u003d\\u003d1\n",
        "constraints.txt": "# -*- coding: rot13 -*-\nahzcl\n",
        "setup.py": "# coding: undefined\nsetup(install_requires=['a'])\n",
        "dev-requirements.txt": "# coding: \x00\nnumpy\n",
    },
)
