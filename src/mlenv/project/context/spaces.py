"""The settings of a Hugging Face Space, which stand before the text of its README.

Source: the documentation of Hugging Face, "Spaces Configuration Reference" and "Using GPU Spaces".
"""

from __future__ import annotations

import re

from mlenv.model.requirement import PYPI, Requirement
from mlenv.model.source import Problem, Statement
from mlenv.project.yaml_values import is_clipped, member, scalar, version_statement
from mlenv.records import dataclass
from mlenv.versions.version_set import ANY, pep440, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import SourceText
    from mlenv.project.yaml_nodes import Scalar
    from mlenv.versions.version_set import VersionSet

_SDKS = ("gradio", "streamlit")
"""What Spaces installs itself; the others bring an image, or nothing that runs."""
_FENCED = r"---[ \t]*\r?\n(?P<settings>(?:(?!---[ \t]*\r?$).*\n){0,300}?)---[ \t]*$"
_GPU = r"(?:zero-)?(?:t4|l4|l40s|a10g|a100|h100|h200)"


@dataclass(frozen=True, slots=True, eq=False)
class FrontMatter:
    """What stands before the text.

    Attributes:
        end: Where the text begins.
        requirements: The SDK that the Space runs on.
        statements: What it says of Python and the machine.
        problems: What could not be read.
    """

    end: int = 0
    requirements: tuple[Requirement, ...] = ()
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_front_matter(text: SourceText) -> FrontMatter:
    """Read the settings of a README; of one that is no Space only where they end."""
    block = re.match(_FENCED, text.text, re.MULTILINE)
    if block is None:
        return FrontMatter()
    if re.search(r"^sdk[ \t]*:", block["settings"], re.MULTILINE) is None:
        return FrontMatter(block.end())
    from mlenv.project.yaml_nodes import read_yaml

    # the second line of dashes would begin a document of its own
    settings = text.text[: block.end("settings")]
    document = read_yaml(text, settings.ljust(len(text.text)))
    root = document.mapping
    sdk = scalar(member(root, "sdk"))
    statements = []
    python = scalar(member(root, "python_version"))
    if python is not None:
        statements.append(version_statement("python", python))
    hardware = scalar(member(root, "suggested_hardware"))
    if hardware is not None and re.match(_GPU, hardware.value):
        statements.append(Statement("gpu", hardware.value, hardware.fragment.whole))
    requirements = _sdk(sdk, scalar(member(root, "sdk_version"))) if sdk is not None else ()
    return FrontMatter(block.end(), requirements, tuple(statements), document.problems)


def _sdk(sdk: Scalar, version: Scalar | None) -> tuple[Requirement, ...]:
    if sdk.value not in _SDKS:
        return ()
    place = sdk.fragment.whole
    span = place if version is None else version.fragment.whole
    return (Requirement(sdk.value, sdk.value, PYPI, span, place, versions=_exactly(version)),)


def _exactly(version: Scalar | None) -> VersionSet:
    if version is None:
        return ANY
    exact = None if is_clipped(version) else pep440(f"=={version.value}")
    return exact or unknown(version.value)
