"""Package managers of operating systems on a command line: apt, apk, yum, dnf and zypper.

Source: apt-get(8), the documentation of apk-tools, dnf(8), zypper(8).
"""

from __future__ import annotations

import re

from mlenv.model.image import InstallCommand, SystemPackage
from mlenv.project.shell.context import InstallContext
from mlenv.project.shell.options import first_operand, option_names, read_arguments
from mlenv.project.shell.scanner import Word
from mlenv.project.shell.wrappers import Call
from mlenv.records import replace

_TOOLS = {
    "apt": "apt",
    "apt-get": "apt",
    "aptitude": "apt",
    "apk": "apk",
    "yum": "yum",
    "dnf": "dnf",
    "microdnf": "microdnf",
    "zypper": "zypper",
}
_VALUED = {
    "apt": option_names("-t -o -c -a --target-release --default-release --option"),
    "apk": option_names("-t --virtual -X --repository -p --root --arch --keys-dir --wait"),
    "zypper": option_names("-r --repo -t --type --from -R --root"),
}
_RPM_VALUED = option_names(
    "-c --config -x --exclude --enablerepo --disablerepo --repo --releasever --installroot"
)
_ACTIONS = {"apk": ("add",), "zypper": ("install", "in")}
_NAME = r"[A-Za-z0-9][A-Za-z0-9.+_-]*(?::\w+)?"
_PACKAGE = rf"({_NAME})(?:(?:~?=|[<>]=?)(\S+)|/\S+|@\S+)?"

SYSTEM_PROGRAMS = frozenset(_TOOLS)


def read_system_tool(call: Call, context: InstallContext) -> InstallCommand | None:
    """Read a call of a package manager; None where it installs nothing."""
    tool = _TOOLS[call.program]
    valued = _VALUED.get(tool, _RPM_VALUED)
    at = first_operand(call.words, valued)
    if at < 0 or call.words[at].text not in _ACTIONS.get(tool, ("install",)):
        return None
    given = read_arguments([*call.words[:at], *call.words[at + 1 :]], valued)
    packages = (_package(word) for word in given.operands)
    return replace(
        context.install(tool, "install"),
        system_packages=tuple(one for one in packages if one is not None),
        options=given.names,
    )


def _package(word: Word) -> SystemPackage | None:
    text = word.text if word.complete else word.head.text
    match = re.fullmatch(_PACKAGE, text) if word.complete else re.match(rf"({_NAME})(=)", text)
    if match is None or match[1].endswith("-") or word.text.endswith((".deb", ".rpm")):
        return None
    version = (match[2] or "") if word.complete else word.text[match.end() :]
    return SystemPackage(match[1], word.fragment.whole, version)
