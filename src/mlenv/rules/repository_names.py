"""What a requirement from a repository is, where only its URL tells."""

from __future__ import annotations

from mlenv.model.requirement import canonical_name


def repository_name(url: str) -> str:
    """Return the name of the repository that a URL leads to, as distributions are named.

    Empty where it leads to none. Most repositories are named as what they hold.
    """
    path = url.partition("#")[0].partition("://")[2].partition("/")[2]
    name = path.partition("@")[0].rstrip("/").rpartition("/")[2]
    return canonical_name(name.removesuffix(".git"))
