"""Which files speak of the environment, by name and, where the name is not enough, by content."""

from __future__ import annotations

import re

REQUIREMENTS = "requirements"
CONSTRAINTS = "constraints"
CONDA_ENV = "conda-env"
CONDA_LIST = "conda-list"
CONDA_EXPLICIT = "conda-explicit"

_RECORDS = (
    r"(?:^|/)(?:wandb|mlruns|testdata|test-data|test_data)/"
    r"|(?:^|/)(?:tests?|__tests__)/(?:[^/]+/)*"
    r"(?:assets|fixtures?|data|resources|samples?|sample_projects|support)/"
)
_BY_NAME = {
    "pyproject.toml": "pyproject",
    "setup.cfg": "setup-cfg",
    "setup.py": "setup-py",
    "Pipfile": "pipfile",
    "pixi.toml": "pixi",
    "meta.yaml": "conda-recipe",
    "recipe.yaml": "conda-recipe",
    "dependencies.yaml": "rapids-dependencies",
    "MLproject": "mlproject",
    "python_env.yaml": "mlflow-python-env",
    "uv.toml": "uv-toml",
    "cog.yaml": "cog",
    "bentofile.yaml": "bentofile",
    "devcontainer.json": "devcontainer",
    ".devcontainer.json": "devcontainer",
    ".gitlab-ci.yml": "gitlab-ci",
    "uv.lock": "uv-lock",
    "poetry.lock": "poetry-lock",
    "pdm.lock": "pdm-lock",
    "pixi.lock": "pixi-lock",
    "Pipfile.lock": "pipfile-lock",
    "pylock.toml": "pylock",
    "conda-lock.yml": "conda-lock",
    ".python-version": "python-version",
    "runtime.txt": "runtime-txt",
    ".tool-versions": "tool-versions",
}
_NOT_YET = {"hatch.toml": "a configuration of Hatch"}
# What few projects need is a string, which is compiled when it is first used.
_IMAGE = (
    r"(?i)(?:.*[._-])?(?:dockerfile|containerfile)(?:[._-].*)?$|.*\.(?:dockerfile|containerfile)$"
)
_NO_IMAGE = (
    r"(?i).*\.(?:py|sh|md|rst|txt|json|ya?ml|toml|dockerignore|ipynb|html|lock|cfg|js|ts|go|rs)$"
)
_SIGNS = {
    "dockerfile": r"(?mi)^[ \t]*FROM[ \t]+\S",
    "conda-recipe": r"(?m)^(?:package|requirements|recipe|outputs)\s*:",
    "rapids-dependencies": r"(?m)^files\s*:",
    "cog": r"(?m)^(?:build|image|predict|train)\s*:",
    "compose": r"(?m)^services\s*:",
    "github-workflow": r"(?m)^(?:jobs|runs)\s*:",
    "runtime-txt": r"(?im)^[ \t]*(?:(?:c?python|py)[-@]?)?\d+(?:\.\d[\w.+-]*)?[ \t\r]*(?:#.*)?$",
}
"""What a file must hold to be what its name says."""
_OF_ENVIRONMENT = (
    r"(?i)install|\bpip|\buvx?\b|conda|mamba|poetry|\bpdm\b|pixi|\bapt|\bapk\b|\byum\b|\bdnf\b"
    r"|zypper|image|container|docker|\bpy[\w -]*[\"']?\s*:|pythons"
)
"""Words without which a workflow has no Python, no image and no command that installs."""
_COMPOSE = r"(?:docker-)?compose(?:[._-].*)?\.ya?ml"
_WORKFLOW = r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$|(?:^|/)action\.ya?ml$"
_READMES = frozenset(("readme", "readme.md", "readme.rst", "readme.txt"))
_SYSTEM_PACKAGES = (
    r"(?:lib[a-z0-9.+-]+|ffmpeg|git(?:-lfs)?|build-essential|cmake|wget|curl|[a-z0-9.+-]+-dev)"
)
_OTHERWISE = {
    "conda-recipe": "it does not read as a conda recipe",
    "cog": "it does not read as a cog.yaml",
    "rapids-dependencies": "it does not read as a RAPIDS dependency file",
}
_PYLOCK = r"pylock\.[^.]+\.toml"
_CONDA_LOCK = r".*conda-lock\.ya?ml"
_CONDA_LOCKS = r"(?i).*(?:conda|explicit|linux|osx|win).*\.lock"
_TEXT = (".txt", ".in", ".pip", ".lock")
_CONSTRAINTS = r"(?i)(?:.*[-_.])?constraints?(?:[-_.].*)?$"
_REQUIREMENTS = r"(?i).*require?ments?.*|(?:.*[-_.])?reqs?(?:[-_.].*)?$|.*pip-compile.*"
_FOLDERS = r"(?i)(?:.*[-_.])?(?:require?ments?|reqs?|constraints?)(?:[-_.].*)?$"
_PERHAPS = (
    r"(?i)(?:.*[-_.])?(?:packages?|dependenc(?:y|ies)|deps|pip|conda|env|environment)(?:[-_.].*)?$"
)
_ENVIRONMENT = (
    r"(?i)(?:.*[-_.])?(?:env|envs|environment|environments|conda)(?:[-_.].*)?$"
    r"|environment.*|conda.*"
)
_DEPENDENCIES = r"(?m)^[\"']?dependencies[\"']?\s*:"
_MISSPELT = r"(?m)^(?:dep[a-z]{3,6}[cs][a-z]{2,4}s|ch[an]{2,4}n?els?)[ \t]*:[ \t]*$"
"""What is meant for one of conda's keys, so that the file is worth naming."""
_CHANNELS = r"(?m)^[\"']?channels[\"']?\s*:"
_INTERPRETER = r"(?m)^[ \t]*-[ \t]*[\"']?(?:python|pip)\b"
_MAPPINGS = (
    r"(?m)^dependencies[ \t]*:[ \t]*\n(?:[ \t]*(?:#.*)?\n)*(?:[ \t]*-[ \t]*\w+:[ \t]|[ \t]+\w+:)"
)
_HELM = r"(?m)^apiVersion\s*:"
_CONDA_HINT = r"(?m)^[ \t]*[\w.-]+=[^=\s]|::|^_libgcc|^#.*conda"
_TOP_KEYS = r"(?m)^([A-Za-z_-]+)\s*:"
_CONDA_KEYS = frozenset(
    ("name", "channels", "dependencies", "prefix", "variables", "platforms", "category")
)
_LINE_OF_REQUIREMENT = (
    r"[A-Za-z0-9][\w.-]*(?:\[[\w., -]*\])?(?:\s*[<>=!~].*|\s*@\s*\S+|)(?:\s*;.*)?$"
)


def by_name(path: str) -> str:
    """Return the kind that a file's name promises; empty where it promises none.

    A kind that ends in ``?`` is only likely: :func:`by_content` decides.

    Args:
        path: The file, relative to the root.
    """
    folder, _, name = path.rpartition("/")
    if name in _BY_NAME and not _is_listed(folder, name):
        return _BY_NAME[name]
    if is_image(path):
        return "dockerfile?"
    if not folder and name.lower() in _READMES:
        return "readme"
    if name.startswith("pylock.") and re.fullmatch(_PYLOCK, name):
        return "pylock"
    if name.endswith((".yml", ".yaml")):
        if re.fullmatch(_CONDA_LOCK, name):
            return "conda-lock"
        if re.fullmatch(_COMPOSE, name):
            return "compose"
        if re.search(_WORKFLOW, path):
            return "github-workflow"
        return CONDA_ENV if _is_environment(name) else CONDA_ENV + "?"
    if name.lower().endswith(_TEXT):
        return _text_kind(folder.rpartition("/")[2], name.rpartition(".")[0], name)
    return ""


def not_yet(path: str) -> str:
    """Return what a file is that speaks of the environment in a form that is not read."""
    name = path.rpartition("/")[2]
    return _NOT_YET.get(name, "")


def is_deployed_image(path: str) -> bool:
    """Whether a file is a recipe for an image that serves more than the work on the project."""
    name = path.rpartition("/")[2].lower()
    words = re.split(r"[._-]", name)
    return is_image(path) and not {"ci", "lint", "test", "tests", "benchmark", "dev"} & set(words)


def is_image(path: str) -> bool:
    """Whether a file is a recipe for an image, by its name."""
    name = path.rpartition("/")[2]
    if "file" not in name.lower():
        return False
    return re.fullmatch(_IMAGE, name) is not None and re.fullmatch(_NO_IMAGE, name) is None


def is_record(path: str) -> bool:
    """Whether nobody installs from a file: a run left it there, or it is data of a test."""
    return re.search(_RECORDS, path) is not None


def submodules(text: str) -> list[str]:
    """Return the folders that a .gitmodules names.

    Args:
        text: The file. Source: gitmodules(5).
    """
    found = re.findall(r"^[ \t]*path[ \t]*=[ \t]*(\S[^\r\n]*)", text, re.MULTILINE)
    return [name.strip().strip('"').strip("/") for name in found]


def _is_environment(name: str) -> bool:
    return re.fullmatch(_ENVIRONMENT, name.rpartition(".")[0]) is not None


def _is_listed(folder: str, name: str) -> bool:
    """Whether a file is one list of several: ``requirements/runtime.txt`` states no Python."""
    return name == "runtime.txt" and re.fullmatch(_FOLDERS, folder.rpartition("/")[2]) is not None


def _text_kind(folder: str, stem: str, name: str) -> str:
    if name.endswith(".lock"):
        return CONDA_EXPLICIT + "?" if re.fullmatch(_CONDA_LOCKS, name) else ""
    if re.fullmatch(_CONSTRAINTS, stem):
        return CONSTRAINTS
    if re.fullmatch(_REQUIREMENTS, stem) or name.endswith(".pip"):
        return REQUIREMENTS
    if re.fullmatch(_FOLDERS, folder):
        return CONSTRAINTS if "constraint" in folder.lower() else REQUIREMENTS
    return REQUIREMENTS + "?" if re.fullmatch(_PERHAPS, stem) else ""


def by_content(kind: str, text: str) -> str:
    """Return the kind that a file really has; empty where it is nothing that is read here.

    Args:
        kind: What :func:`by_name` said, with its ``?``.
        text: The whole file.
    """
    vague = kind.endswith("?")
    kind = kind.rstrip("?")
    if kind in _SIGNS:
        # most workflows that label, lint or release say nothing of an environment
        says = kind != "github-workflow" or re.search(_OF_ENVIRONMENT, text) is not None
        return kind if says and re.search(_SIGNS[kind], text) else ""
    if kind in (REQUIREMENTS, CONSTRAINTS, CONDA_EXPLICIT):
        return _text_content(kind, text, vague=vague)
    if kind != CONDA_ENV:
        return kind
    if re.search(_DEPENDENCIES, text) is None or _is_other_yaml(text):
        return ""
    return CONDA_ENV if not vague or _is_conda_shaped(text) else ""


def _is_other_yaml(text: str) -> bool:
    return re.search(_HELM, text) is not None or re.search(_MAPPINGS, text) is not None


def _is_conda_shaped(text: str) -> bool:
    """Whether a YAML file says what only conda environments say.

    Other tools keep lists of dependencies too (Ansible, Helm, Flutter).
    """
    if re.search(_CHANNELS, text) or re.search(_INTERPRETER, text):
        return True
    keys = set(re.findall(_TOP_KEYS, text))
    return keys <= _CONDA_KEYS and ("name" in keys or "variables" in keys)


def rejection(kind: str, text: str) -> str:
    """Return why a file is not what its name suggests; empty where the name suggests nothing.

    Args:
        kind: What :func:`by_name` said, with its ``?``.
        text: The whole file.
    """
    keys = (_DEPENDENCIES, _CHANNELS, _MISSPELT)
    hints = any(re.search(key, text) for key in keys)
    if kind == CONDA_ENV + "?" and (not hints or _is_other_yaml(text)):
        return ""
    if kind in ("conda-recipe", "cog", "rapids-dependencies"):
        return _OTHERWISE[kind]
    if kind.startswith(CONDA_ENV):
        return "it does not read as a conda environment"
    return "it does not read as a list of requirements" if kind.startswith(REQUIREMENTS) else ""


def _text_content(kind: str, text: str, *, vague: bool) -> str:
    if "@EXPLICIT" in text[:4000]:
        return CONDA_EXPLICIT
    if kind == CONDA_EXPLICIT:
        return ""
    if re.search(_CONDA_HINT, text) and _is_conda_list(text):
        return CONDA_LIST
    if not vague or _reads_as_requirements(text):
        return kind
    return "system-packages" if _lists_system_packages(text) else ""


def _is_conda_list(text: str) -> bool:
    from mlenv.project.manifests import conda_list

    return conda_list.looks_like(text)


def _lists_system_packages(text: str) -> bool:
    """Return whether a text is a list for apt, as Hugging Face Spaces takes in packages.txt."""
    words = [word for line in text.splitlines() for word in line.partition("#")[0].split()]
    known = any(re.fullmatch(_SYSTEM_PACKAGES, word) for word in words)
    return known and all(re.fullmatch(r"[a-z0-9][a-z0-9.+-]+(?:=\S+)?", word) for word in words)


def _reads_as_requirements(text: str) -> bool:
    """Return whether a text with a vague name (``packages.txt``) is a list of requirements."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "-"))]
    versioned = [line for line in lines if re.search(r"[<>=~]=|@ ", line)]
    fitting = sum(re.match(_LINE_OF_REQUIREMENT, line) is not None for line in lines)
    return bool(versioned) and fitting == len(lines)
