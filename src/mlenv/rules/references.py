"""Topic ``pins``: repositories, archives and paths that a requirement refers to directly."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.model.finding import Evidence, Finding, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import STAGE, Requirement
from mlenv.model.source import IMAGE, MANIFEST, Source
from mlenv.rules.base import rule
from mlenv.rules.common import LOCKABLE, is_aside, is_auxiliary
from mlenv.rules.places import own_names

_CONDA_BUILD = (
    r"/(?:croot|work|feedstock_root|conda-bld|_build_env|build_artifacts)/|abs_[0-9a-z]{8,}"
)
_HOME = r"/private/var/|/home/(?!jovyan/)[^/]+/|/Users/[^/]+/|^file:///[A-Za-z]:|^[A-Za-z]:[\\/]|^~"
_LONGEST_TAG = 100
_TAG = r"(?:[\w.]*[-_/])?v?\d+(?:\.\d+)*[\w.+-]*"
_ARCHIVE = r"/(?:archive|zipball|tarball)/"
_BRANCH_ARCHIVE = (
    r"/(?:archive|raw|zipball|tarball)/(?:refs/heads/)?(main|master|dev|develop)"
    r"(?:\.zip|\.tar\.gz|/|$)"
)
_COMMIT_ARCHIVE = r"/(?:archive|zipball|tarball)/[0-9a-f]{40}(?![0-9a-f])"


@rule("PIN005", "vcs-without-commit", topic="pins", severity=Severity.WARNING)
def vcs_without_commit(source: Source, project: Project) -> Iterator[Finding]:
    """A repository reference that names no commit or tag.

    A branch moves: two installs of the same line give different code, and a force-push can take
    what was tested away altogether. Tags that look like versions are let pass. A note where a
    project refers to its own repository, which no commit of it can name.

    Bad:
        git+https://github.com/huggingface/peft.git@main

    Good:
        git+https://github.com/huggingface/peft.git@v0.7.1
    """
    if source.path in project.covered or source.is_contested:
        return
    mild = is_auxiliary(source.path) or is_aside(source.path)
    for requirement in source.requirements:
        followed = _followed(requirement)
        if not followed:
            continue
        own = requirement.name in own_names(project)
        # a stage that builds is part of what is built
        group = "" if requirement.group_kind == STAGE else requirement.group_name
        # what an argument of the build decides is the choice of whoever builds
        chosen = source.role == IMAGE and "$" in requirement.span.text
        minor = mild or own or chosen or is_auxiliary("", group)
        yield Finding(
            f"{_named(requirement)} follows {followed}, which moves",
            requirement.span,
            (requirement.name or _named(requirement),),
            Severity.NOTE if minor else None,
            help=_advice(requirement, source, own=own),
            batch="own vcs" if own else "vcs",
            batch_message="{count} references follow a branch, which moves: {packages}",
        )


def _advice(requirement: Requirement, source: Source, *, own: bool) -> str:
    if own:
        return "install what is checked out, or name a tag"
    if not requirement.is_vcs:
        return "name the archive of a tag or commit"
    in_table = source.kind in LOCKABLE and requirement.url not in requirement.span.text
    return f"state the commit {'as rev' if in_table else 'after the URL: @<commit>'}"


def _followed(requirement: Requirement) -> str:
    """Return the branch that a direct reference follows; empty where it names something fixed."""
    if not requirement.url or "$" in requirement.url or "{" in requirement.url:
        return ""
    if not requirement.is_vcs:
        archive = re.search(_BRANCH_ARCHIVE, requirement.url)
        return f"the branch {archive[1]!r}" if archive else ""
    revision = requirement.revision
    # no tag is that long, and the pattern must not be led astray
    is_tag = len(revision) < _LONGEST_TAG and re.fullmatch(_TAG, revision) is not None
    if requirement.has_commit or is_tag:
        return ""
    return f"the branch {revision!r}" if revision else "its default branch"


def _named(requirement: Requirement) -> str:
    """Return what to call a requirement, by its URL where it has no name."""
    if requirement.written:
        return requirement.written
    location = requirement.url.partition("#")[0].partition("?")[0].rstrip("/")
    if not requirement.is_vcs:
        location = re.split(_ARCHIVE, location, maxsplit=1)[0]
    return location.rpartition("/")[2].partition("@")[0].removesuffix(".git") or "this"


@rule("PIN006", "url-without-hash", topic="pins", severity=Severity.NOTE)
def url_without_hash(source: Source, project: Project) -> Iterator[Finding]:
    """An archive by URL without a hash.

    Nothing tells whether the file behind the URL is still the one that was tested. An archive of a
    commit holds what the commit held, and is let pass.

    Bad:
        https://example.org/wheels/tool-1.0-py3-none-any.whl

    Good:
        https://example.org/wheels/tool-1.0-py3-none-any.whl#sha256=9f86d081884c7d65...
    """
    if source.role != MANIFEST or source.path in project.covered or source.is_contested:
        return
    for requirement in source.requirements:
        url = requirement.url.lower()
        if not url.startswith(("http:", "https:")) or requirement.hashes or _followed(requirement):
            continue
        if (
            not re.search(r"(?:sha\d{1,3}|md5)=", url.partition("#")[2])
            and "/releases/download/" not in url
            and not re.search(_COMMIT_ARCHIVE, url)
        ):
            yield Finding(
                f"{_named(requirement)} comes from a URL without a hash",
                requirement.span,
                (requirement.name,) if requirement.name else (),
                help="append #sha256=<digest>",
                batch="urls",
                batch_message="{count} URLs come without a hash: {packages}",
            )


@rule("PIN009", "foreign-path", topic="pins", severity=Severity.ERROR)
def foreign_path(source: Source) -> Iterator[Finding]:
    """A requirement that points at a path of the machine that wrote the file.

    ``pip freeze`` in a conda environment prints the folder in which conda once built the package.
    That folder exists nowhere else, so the install fails at that line.

    Messages that users see: "No such file or directory: '/croot/...'".

    Bad:
        certifi @ file:///croot/certifi_1665076670883/certifi

    Good:
        certifi==2022.9.24
    """
    if source.kind not in ("requirements", "constraints", "conda-env", "pyproject"):
        return
    for requirement in source.requirements:
        place = requirement.path or requirement.url
        if not _is_absolute(place):
            continue
        from_conda = re.search(_CONDA_BUILD, place) is not None
        foreign = from_conda or re.search(_HOME, place) is not None
        yield Finding(
            f"{requirement.written or place} points at a path of one machine",
            requirement.span,
            (requirement.name,) if requirement.name else (),
            None if foreign else Severity.WARNING,
            help="write the version instead; pip list --format=freeze prints versions only"
            if from_conda
            else "write a path within the repository, or publish the package and name its URL",
            evidence=(
                Evidence(
                    "pip freeze prints a direct reference for what was installed from a path",
                    "pip's documentation, pip freeze; PEP 610",
                ),
            ),
            batch="foreign" if foreign else "local",
            batch_message="{count} requirements point at paths of one machine: {packages}",
        )


def _is_absolute(place: str) -> bool:
    """Whether a path or file URL begins at the root of a disk."""
    if place.lower().startswith("file:"):
        return re.match(r"file:(?:\.|//\.|/{0,3}\$\{|[^/])", place) is None
    return re.match(r"/|~|[A-Za-z]:[\\/]", place) is not None and "://" not in place


@rule("PIN010", "dead-protocol", topic="pins", severity=Severity.ERROR)
def dead_protocol(source: Source, project: Project) -> Iterator[Finding]:
    """A repository on GitHub by the git:// protocol, which GitHub has switched off.

    Since March 2022 GitHub answers the unencrypted protocol no more, so the install fails at that
    line. On other hosts it may still work; nothing is said of them.

    Messages that users see: "fatal: remote error: The unauthenticated git protocol on port 9418 is
    no longer supported."

    Bad:
        git+git://github.com/openai/CLIP.git@a9b1bf5920416aaeaec965c25dd9e8f98c864f16

    Good:
        git+https://github.com/openai/CLIP.git@a9b1bf5920416aaeaec965c25dd9e8f98c864f16
    """
    if source.path in project.covered or source.is_contested:
        return
    for requirement in source.requirements:
        if re.match(r"(?:git\+)?git://(?:www\.)?github\.com/", requirement.url, re.IGNORECASE):
            yield Finding(
                f"GitHub answers git:// no more, so {_named(requirement)} cannot be fetched",
                requirement.span,
                (requirement.name,) if requirement.name else (),
                help="write https:// in place of git://",
                evidence=(
                    Evidence(
                        "the unencrypted git protocol was switched off on 2022-03-15",
                        "GitHub's blog, Improving Git protocol security on GitHub",
                    ),
                ),
                batch="git",
                batch_message="GitHub answers git:// no more, so {count} repositories cannot be "
                "fetched: {packages}",
            )
