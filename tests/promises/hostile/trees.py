"""Trees that are too large, too deep, closed, or not what they were a moment ago."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .cases import case, texts, write

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1 << 20


@case("a requirements file of 50 MB")
def _(root: Path) -> None:
    with (root / "requirements.txt").open("wb") as file:
        file.truncate(50 * MEBIBYTE)  # it has no blocks on the disk
    write(root, "dev-requirements.txt", "-r requirements.txt\nnumpy\n")


@case("8 MiB of one line", heavy=True)
def _(root: Path) -> None:
    write(root, "requirements.txt", b"a" * (8 * MEBIBYTE - 1))
    write(root, "Dockerfile", b"FROM " + b"a " * (MEBIBYTE // 32))
    write(root, "README.md", b"pip install " + b"a " * (MEBIBYTE // 32))


@case("10,000 files", heavy=True)
def _(root: Path) -> None:
    for folder in range(100):
        (root / f"d{folder}").mkdir()
        for number in range(100):
            (root / f"d{folder}" / f"requirements-{number}.txt").write_bytes(b"numpy\n")


@case("600 nested folders", heavy=True)
def _(root: Path) -> None:
    # the whole path is longer than the system takes at once, so it is made step by step; deeper
    # ones cannot be removed any more, since shutil.rmtree needs a frame for each
    before = os.open(".", os.O_RDONLY)
    try:
        os.chdir(root)
        for _ in range(600):
            os.mkdir("abcdefgh")
            os.chdir("abcdefgh")
            with open("requirements.txt", "w", encoding="utf-8") as file:
                file.write("numpy\n")
    finally:
        os.fchdir(before)
        os.close(before)


@case("a path that is longer than any")
def _(root: Path) -> None:
    long = "a/" * 90_000
    write(root, "requirements.txt", f"-r {long}b.txt\n-r {'a' * 90_000}\n-e {'../' * 90_000}\n")
    write(root, "Dockerfile", f"FROM a\nWORKDIR {long}\nRUN pip install -r {'b/' * 50_000}c\n")


@case("a hub of includes")
def _(root: Path) -> None:
    write(root, "base.txt", "".join(f"-r b{n}.txt\n" for n in range(300)))
    for number in range(300):
        write(root, f"b{number}.txt", f"p{number}\n")
        write(root, f"requirements-{number}.txt", "-r base.txt\n")


@case("a .gitignore that is bait")
def _(root: Path) -> None:
    long = "a" * 240
    lines = ("*a" * 60 + "b", "**/a/" * 80 + "b", "[!b]*" * 60 + "b", "?*" * 90 + "b", "[" * 5_000,
             "\\" * 5_001, "!" * 5_000)  # fmt: skip
    write(root, ".gitignore", "\n".join(lines))
    write(root, f"{long}/{long}/requirements.txt", "numpy\n")


texts(
    "thousands of extras",
    {"pyproject.toml": '[project]\nname = "x"\ndependencies = ['
     + ", ".join(f'"p{n}"' for n in range(2_000)) + "]\n[project.optional-dependencies]\n"
     + "".join(f'e{n} = ["q{n}", "x[e{n + 1}]"]\n' for n in range(2_000))},
    heavy=True,
)  # fmt: skip
texts(
    "a workspace of globs",
    {"pyproject.toml": "[tool.uv.workspace]\nmembers = ["
     + ", ".join(f'"m{n}/*"' for n in range(3_000)) + ', "' + "**/" * 900 + '"]\n',
     "uv.lock": "version = 1\n",
     **{f"m{n}/a/pyproject.toml": '[project]\nname = "x"\n' for n in range(200)}},
    heavy=True,
)  # fmt: skip
texts(
    "findings on one line",
    {"pyproject.toml": '[project]\nname = "x"\ndependencies = ['
     + ", ".join(f"'p{n}==1,==2'" for n in range(2_000)) + "]\n"},
    heavy=True,
)  # fmt: skip
texts(
    "channels and packages",
    {"environment.yml": "channels:\n" + "".join(f"- c{n}\n" for n in range(2_000)) + "- pytorch\n"
     "dependencies:\n" + "".join(f"- p{n}\n" for n in range(2_000)) + "- pytorch=2.6\n"},
    heavy=True,
)  # fmt: skip
