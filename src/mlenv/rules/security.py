"""Topic ``security``: secrets in manifests, connections that anyone can tamper with, and slips."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlenv.credentials import CREDENTIAL, exposed
from mlenv.knowledge import Knowledge
from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.model.project import Project
from mlenv.model.requirement import PYPI, REQUIREMENT, Requirement
from mlenv.model.source import CONTEXT, LOCK, MANIFEST, Source
from mlenv.model.text import Span
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.places import (
    TRUSTED_HOST,
    host_of,
    indexes_of,
    may_come_from_elsewhere,
    own_names,
)

_PLAIN = r"(?:(?:git|hg|svn|bzr)\+)?http://|git(?:\+git)?://"
_PRIVATE = (
    r"localhost|127\.[\d.]+|0\.0\.0\.0|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|"
    r"169\.254\.[\d.]+|[^.\[]+|.+\.(?:local|localhost|internal|intranet|lan|corp|home)|"
    r"\[(?:::1|f[cde][0-9a-f:]*)\]"
)
_INDEX = "an index"
_LINKS = "a page of links"
_ENDED = r"git(?:\+git)?://github\.com[:/]"
_GIT_ENDED = Evidence(
    "GitHub ended the unauthenticated git protocol in March 2022",
    "GitHub's blog, Improving Git protocol security on GitHub",
)
_IGNORED = Evidence(
    "pip ignores an index over http unless its host is trusted", "pip's documentation"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Url:
    """A URL that a file names.

    Attributes:
        text: As written.
        span: Where.
        what: What it leads to.
        hashed: Whether a hash tells what it must lead to.
    """

    text: str
    span: Span
    what: str
    hashed: bool = False


def _urls(source: Source) -> Iterator[_Url]:
    for index in indexes_of(source):
        if index.kind != TRUSTED_HOST:
            what = _LINKS if index.kind == "find-links" else _INDEX
            yield _Url(index.url, index.span, what)
    commanded = (r for command in source.commands for r in command.requirements)
    for requirement in (*source.requirements, *commanded):
        for url in (requirement.url, requirement.index):
            if "://" in url:
                hashed = bool(requirement.hashes) or "#sha" in url
                what = requirement.written or "a distribution"
                yield _Url(url, _within(requirement, url), what, hashed)
    for include in source.includes:
        yield _Url(include.target, include.span, "an included file")
    for channel in source.channels:
        yield _Url(channel.name, channel.span, "a channel")
    if source.role == LOCK:
        first = {package.origin: package for package in reversed(source.locked)}
        for origin, package in first.items():
            yield _Url(origin, package.span, package.written, package.hashed)


def _within(requirement: Requirement, url: str) -> Span:
    """Return where a URL stands in a requirement; all of it where it is written otherwise."""
    whole = requirement.span
    at = whole.text.find(url)
    start = whole.start + at
    return whole if at < 0 else whole.source.span(start, start + len(url))


@rule("SEC001", "credentials-in-url", topic="security", severity=Severity.ERROR)
def credentials_in_url(project: Project) -> Iterator[Finding]:
    """A password or token in the URL of an index, a repository or a file.

    Whoever reads the repository has it, now and in every old commit, and so have build logs and the
    layers of images. Variables and the user of an SSH address are fine. A warning where only the
    name of a query parameter speaks for a secret.

    Bad:
        --extra-index-url https://me:s3cret@packages.example/simple

    Good:
        --extra-index-url https://me:${INDEX_PASSWORD}@packages.example/simple
    """
    for source in project.sources.values():
        seen: set[Span] = set()
        for url in _urls(source):
            kind = exposed(url.text) if "://" in url.text else ""
            if kind and url.span not in seen:
                seen.add(url.span)
                certain = kind == CREDENTIAL
                held = "a credential" if certain else "a parameter that looks like one"
                yield Finding(
                    f"the URL of {url.what} holds {held}",
                    url.span,
                    severity=None if certain else Severity.WARNING,
                    certainty=Certainty.CERTAIN if certain else Certainty.POSSIBLE,
                    help="revoke it, since old commits keep it; then let the installer take one "
                    "from an environment variable, a netrc file or a keyring",
                    batch=kind,
                    batch_message="the URLs of {count} places hold credentials",
                )


@rule("SEC002", "trusted-host", topic="security", severity=Severity.WARNING)
def trustedhost_of(project: Project) -> Iterator[Finding]:
    """A host whose certificate is not checked.

    Anyone between the two can hand over other packages, and what they hold runs at installation. A
    note for a host of a private network. Where the host is asked over plain http, SEC003 says it.

    Bad:
        --trusted-host packages.example.org

    Good:
        --cert /etc/ssl/company.pem
    """
    for source in project.sources.values():
        plain = {host_of(url.text) for url in _urls(source) if _is_plain(url.text)}
        for index in indexes_of(source):
            host = host_of(index.url)
            if index.kind != TRUSTED_HOST or host in plain or not host:
                continue
            yield Finding(
                f"the certificate of {host} is not checked",
                index.span,
                severity=Severity.NOTE if _is_private(host) else None,
                help="let the host have a valid certificate, or name the company's own with --cert",
                evidence=(
                    Evidence("a trusted host needs no valid certificate", "pip's documentation"),
                ),
                batch="trusted",
                batch_message="the certificates of {count} hosts are not checked",
            )


@rule("SEC003", "plain-http", topic="security", severity=Severity.WARNING)
def plain_http(project: Project) -> Iterator[Finding]:
    """An index, a repository or a file that is fetched without encryption.

    Anyone between the two can hand over something else. A note where a hash of the file is given,
    which tells; hosts of a private network and of this machine are left out. An error for
    git://github.com, which answers no more, so that the installation fails.

    Messages that users see: "The repository located at ... is not a trusted or secure host and is
    being ignored", "The unauthenticated git protocol on port 9418 is no longer supported".

    Bad:
        --extra-index-url http://packages.example.org/simple

    Good:
        --extra-index-url https://packages.example.org/simple
    """
    for source in project.sources.values():
        for url in _urls(source) if not source.is_contested else ():
            host = host_of(url.text)
            if not _is_plain(url.text) or _is_private(host):
                continue
            if re.match(_ENDED, url.text, re.IGNORECASE):
                yield _unanswered(url, source)
                continue
            yield Finding(
                f"{url.what} is fetched from {host} without encryption",
                url.span,
                severity=Severity.NOTE if url.hashed else None,
                help="write https, and drop --trusted-host for it where there is one",
                evidence=(_IGNORED,) if url.what in (_INDEX, _LINKS) else (),
                batch=f"plain {host}",
                batch_message=f"{{count}} URLs lead to {host} without encryption",
            )


def _unanswered(url: _Url, source: Source) -> Finding:
    return Finding(
        f"{url.what} cannot be fetched: GitHub answers git:// no more",
        url.span,
        severity=None if source.role == CONTEXT else Severity.ERROR,
        help="write git+https:// in place of it",
        evidence=(_GIT_ENDED,),
        batch="git ended",
        batch_message="{count} repositories cannot be fetched: GitHub answers git:// no more",
    )


def _is_plain(url: str) -> bool:
    return re.match(_PLAIN, url, re.IGNORECASE) is not None


def _is_private(host: str) -> bool:
    return re.fullmatch(_PRIVATE, host) is not None


@rule(
    "SEC004",
    "likely-typo",
    topic="security",
    severity=Severity.NOTE,
    facts=("popular", "neighbours"),
)
def likely_typo(source: Source, project: Project, knowledge: Knowledge) -> Iterator[Finding]:
    """A name that no project on PyPI has, one slip away from a well-known one.

    The installation fails today. Names like these are what others register, to be installed by
    mistake. Files that name another index are left out, as it may have the name.

    Messages that users see: "No matching distribution found for pstuil".

    Bad:
        pstuil==5.9.8

    Good:
        psutil==5.9.8
    """
    if source.role == LOCK or (source.role == MANIFEST and source.is_contested):
        return
    for requirement in source.requirements:
        if requirement.ecosystem != PYPI or requirement.kind != REQUIREMENT:
            continue
        meant = knowledge.names.meant_by(requirement.name)
        if not meant or requirement.name in own_names(project):
            continue
        if may_come_from_elsewhere(requirement, project):
            continue
        yield Finding(
            f"{requirement.written} is probably a slip for {meant}",
            requirement.name_span or requirement.span,
            (requirement.name,),
            certainty=Certainty.POSSIBLE,
            help=f"write {meant}",
            evidence=(knowledge.names.slip_evidence,),
        )
