"""Projects whose includes, links and names lead out of the folder, or in circles."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .cases import PASSWORD, case, texts, write

if TYPE_CHECKING:
    from pathlib import Path


def no_links() -> str:
    return "Windows asks for a right to make links" if os.name == "nt" else ""


def no_pipes() -> str:
    return "" if hasattr(os, "mkfifo") else "there are no named pipes here"


texts(
    "a ring of includes",
    {"requirements.txt": "-r a.txt\n", "a.txt": "-r b.txt\n-c c.txt\n", "b.txt": "-r a.txt\n",
     "c.txt": "-c requirements.txt\nnumpy\n"},
)  # fmt: skip
texts("a file that includes itself", {"requirements.txt": "-r requirements.txt\nnumpy\n" * 50})
texts(
    "includes of the system's files",
    {"requirements.txt": "-r ../../../../../../etc/passwd\n-r /etc/passwd\n-r ~/.ssh/id_rsa\n"
     "-c ../secret.txt\n-c /etc/hostname\n--requirement=//etc/passwd\n-r file:///etc/passwd\n"
     "-r file:../secret.txt\n-e file:///etc#egg=x\n-r $HOME/.netrc\nnumpy\n"},
)  # fmt: skip
texts(
    "includes of the system's files from every format",
    {
        "environment.yml": "dependencies:\n- pip:\n  - -r ../secret.txt\n  - -c /etc/passwd\n",
        "pyproject.toml": '[project]\nname = "x"\ndynamic = ["dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = {file = ["../secret.txt", "/etc/passwd"]}\n'
        '[tool.uv.workspace]\nmembers = ["../*", "/", "**/../.."]\n',
        "setup.cfg": "[options]\ninstall_requires = file: ../secret.txt, /etc/passwd\n",
        "setup.py": "from setuptools import setup\nwith open('../secret.txt') as f:\n"
        "    r = f.read().splitlines()\nsetup(name='x', install_requires=r)\n",
        "Dockerfile": "FROM python:3.11\nWORKDIR /../..\nRUN pip install -r ../secret.txt\n"
        "RUN cd / && pip install -r etc/passwd -c ../../../../etc/passwd\n",
        "compose.yaml": "services:\n  a:\n    build:\n      context: ../..\n"
        "      dockerfile: ../secret.txt\n    env_file: /etc/passwd\n",
        ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "../../secret.txt", '
        '"context": "../.."}, "postCreateCommand": "pip install -r ../secret.txt"}',
        ".github/workflows/a.yml": "jobs:\n  a:\n    steps:\n    - run: pip install -r "
        "../secret.txt\n      working-directory: ../..\n",
        "cog.yaml": "build:\n  python_requirements: ../secret.txt\n",
        "bentofile.yaml": "python:\n  requirements_txt: ../secret.txt\n",
        "MLproject": "name: x\nconda_env: ../secret.txt\npython_env: /etc/passwd\n",
        "python_env.yaml": "dependencies:\n- -r ../secret.txt\n",
        "README.md": "```\npip install -r ../secret.txt -r /etc/passwd\n```\n",
        ".gitlab-ci.yml": "include: ../secret.txt\na:\n  script: [pip install -r ../secret.txt]\n",
    },
)


@case("links to files outside", skip=no_links)
def _(root: Path) -> None:
    for name in ("requirements.txt", "uv.lock", "README.md", "Dockerfile", ".gitignore"):
        (root / name).symlink_to("../secret.txt")
    for name in ("environment.yml", "setup.py", "Pipfile"):
        (root / name).symlink_to("/etc/passwd")


@case("links to folders outside", skip=no_links)
def _(root: Path) -> None:
    (root / "out").symlink_to("../elsewhere", target_is_directory=True)
    (root / "up").symlink_to("..", target_is_directory=True)
    (root / "requirements").symlink_to("/etc", target_is_directory=True)
    write(root, "requirements.txt", "-r out/requirements.txt\n-r up/secret.txt\nnumpy\n")


@case("links in a circle", skip=no_links)
def _(root: Path) -> None:
    (root / "requirements.txt").symlink_to("constraints.txt")
    (root / "constraints.txt").symlink_to("requirements.txt")
    (root / "round").symlink_to(".", target_is_directory=True)
    (root / "Dockerfile").symlink_to("Dockerfile")


@case("a pyproject.toml that is a link outside", skip=no_links)
def _(root: Path) -> None:
    (root.parent / "outside.toml").write_text('[tool.mlenv]\nexclude = ["*"]\nfail-on = "never"\n')
    (root / "pyproject.toml").symlink_to("../outside.toml")
    write(root, "requirements.txt", "numpy==1,==2\n")


@case("manifests that are pipes", skip=no_pipes)
def _(root: Path) -> None:
    for name in ("requirements.txt", "pyproject.toml", "Dockerfile", "README.md", "setup.py",
                 ".gitignore", ".gitmodules", "mlenv.toml", ".git"):  # fmt: skip
        os.mkfifo(root / name)
    write(root, "dev-requirements.txt", "-r requirements.txt\nnumpy\n")


@case("manifests that are devices", skip=no_links)
def _(root: Path) -> None:
    devices = {"requirements.txt": "zero", "setup.py": "random", "Dockerfile": "stdin",
               ".git": "zero", "uv.lock": "full"}  # fmt: skip
    for name, device in devices.items():
        (root / name).symlink_to(f"/dev/{device}")


@case("a .git that is a file which leads away")
def _(root: Path) -> None:
    write(root, ".git", "gitdir: ../../../../etc\n")
    write(root, ".gitmodules", '[submodule "x"]\n path = ../elsewhere\n url = ../secret.txt\n')
    write(root, "requirements.txt", "-r elsewhere/requirements.txt\n-r x/a.txt\nnumpy\n")


@case("a .git that is a link", skip=no_links)
def _(root: Path) -> None:
    (root.parent / "repository").mkdir()
    write(root.parent, "repository/config", f"[remote]\nurl = https://u:{PASSWORD}@git.example/a\n")
    (root / ".git").symlink_to("../repository", target_is_directory=True)
    write(root, "requirements.txt", "numpy\n")


@case("a git index that is damaged")
def _(root: Path) -> None:
    # it promises four thousand million entries, and ends
    write(root, ".git/index", b"DIRC\0\0\0\2\xff\xff\xff\xff" + b"\xff" * 200)
    write(root, ".git/HEAD", "ref: refs/heads/main\n")
    write(root, ".git/config", f"[remote]\nurl = https://u:{PASSWORD}@git.example/a.git\n")
    write(root, ".gitignore", "uv.lock\n.venv/\n")
    write(root, ".venv/pyvenv.cfg", "home = /usr\n")
    write(root, "uv.lock", "version = 1\n")
    write(root, "pyproject.toml", '[project]\nname = "x"\ndependencies = ["numpy"]\n')


@case("a git index that is a pipe", skip=no_pipes)
def _(root: Path) -> None:
    (root / ".git").mkdir()
    os.mkfifo(root / ".git" / "index")
    write(root, ".venv/pyvenv.cfg", "home = /usr\n")
    write(root, "requirements.txt", "numpy\n")


texts(
    "folders with the names of files",
    {"requirements.txt/requirements.txt": "numpy\n", "pyproject.toml/a.txt": "x",
     "Dockerfile/Dockerfile": "FROM a\n", "a.whl/requirements.txt": "-r ../../../secret.txt\n",
     "dev-requirements.txt": "-r requirements.txt\n./a.whl\n"},
)  # fmt: skip
texts(
    "names of files that are options",
    {"-r": "numpy\n", "--output=x/requirements.txt": "numpy\n", "-requirements.txt": "-r -r\n",
     "requirements.txt": "-r --help\n-r -requirements.txt\n"},
)  # fmt: skip
