"""Where this copy of mlenv came from, so that hooks and workflows fetch it from there as well."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import unquote, urlsplit

from mlenv import __version__
from mlenv.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_REMOTE = r'(?m)^[ \t]*\[remote "[^"\n]*"\][^\n]*\n(?:(?![ \t]*\[)[^\n]*\n)*?[ \t]*url[ \t]*=[ \t]*'
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Where mlenv is installed from.

    Attributes:
        repository: The URL of its git repository; empty where it comes from a package index.
        revision: The tag or commit there.
    """

    repository: str = ""
    revision: str = f"v{__version__}"

    @property
    def requirement(self) -> str:
        """What pip takes to install this version. Source: PEP 508."""
        if self.repository:
            return f"mlenv @ git+{self.repository}@{self.revision}"
        return f"mlenv=={__version__}"


def find_origin() -> Origin:
    """Return where the running mlenv was installed from.

    Source: PEP 610, which has installers record it.
    """
    record = _direct_url()
    url, vcs = str(record.get("url", "")), record.get("vcs_info")
    if isinstance(vcs, dict):
        commit = vcs.get("commit_id")
        return Origin(without_login(url), str(commit)) if commit else Origin(without_login(url))
    if url.startswith("file:"):
        folder = unquote(urlsplit(url).path)
        remote = next(iter(remotes(folder)), "")
        return Origin(as_https(remote)) if as_https(remote) else Origin()
    return Origin()


def _direct_url() -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        record = json.loads(distribution("mlenv").read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError, OSError):
        return {}
    return record if isinstance(record, dict) else {}


def remotes(folder: str) -> list[str]:
    """Return the URLs of a repository's remotes, read from its configuration; git is not run.

    Args:
        folder: The top of the repository. Source: git-config(1).
    """
    path = os.path.join(folder, ".git", "config")
    try:
        if not os.path.isfile(path):
            return []
        with open(path, "rb") as file:
            text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    return [match[1].strip() for match in re.finditer(_REMOTE + r"([^\r\n]*)", text)]


def as_https(remote: str) -> str:
    """Return a remote's URL as anyone can fetch it, without credentials; empty where none is."""
    scp = re.fullmatch(r"(?:[\w.-]+@)?([\w.-]+\.[\w-]+):(?!//)(?:~?/)?([\w./-]+)", remote)
    if scp:  # git@host:team/mlenv.git
        return f"https://{scp[1]}/{scp[2]}"
    parts = urlsplit(remote)
    if parts.scheme not in ("https", "http", "ssh", "git") or not parts.hostname:
        return ""
    return f"https://{parts.hostname}{parts.path}"


def without_login(url: str) -> str:
    """Return a URL without the user and the password in it."""
    head, sign, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{head}{sign}{authority.rpartition('@')[2]}{slash}{path}" if sign else url
