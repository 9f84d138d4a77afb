"""From a prefix to the model: one pass over its folders of packages; nothing of it is run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlenv.credentials import mask
from mlenv.environment.blas import read_blas
from mlenv.environment.disk import modified, names_in, read_text
from mlenv.environment.earlier import open_earlier
from mlenv.environment.found import Found
from mlenv.environment.interpreter import base_folder, executable, read_interpreter
from mlenv.environment.known import KnownMetadata, open_known
from mlenv.environment.layout import Layout, find_layout, made_by
from mlenv.environment.marks import WrittenMarks
from mlenv.environment.page import Page
from mlenv.environment.paths import (
    Link,
    base_sites,
    links_of,
    python_path,
    takes_base,
    user_site,
)
from mlenv.environment.pythons import managed_marker, other_pythons
from mlenv.environment.record_cache import RecordCache, open_record_cache
from mlenv.environment.records import Records
from mlenv.environment.truth import SPEAKING, read_truths
from mlenv.homes import home_of, without_home
from mlenv.model.environment import (
    BROKEN_BASE,
    BROKEN_PTH,
    CONDA,
    DAMAGED_METADATA,
    DIST_INFO,
    EGG_LINK,
    LEFTOVER,
    MANAGED,
    MISSING_EDITABLE,
    OTHER_PYTHON,
    PYTHON_PATH,
    SHADOWED,
    SYSTEM_SITE,
    TWICE,
    USER_SITE,
    VENV,
    CondaChange,
    CondaPackage,
    Distribution,
    Environment,
    Noted,
    Oddity,
    TorchTruth,
)
from mlenv.model.requirement import canonical_name
from mlenv.model.text import Span
from mlenv.phrases import counted
from mlenv.records import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.environment.conda_meta import Record

_METADATA = (".dist-info", ".egg-info", ".egg-link", ".egg")
_LONGEST = 200
"""In characters, of what an oddity quotes."""
_MOST = 20_000
"""So many distributions are read at most."""


def read_environment(
    prefix: str,
    name: str = "",
    *,
    variables: Mapping[str, str] | None = None,
    is_project: bool = False,
    verify: bool = False,
    use_cache: bool = False,
    audited: tuple[str, ...] = (),
) -> Environment | None:
    """Return what is installed under a prefix; None where it is no environment.

    Args:
        prefix: The environment's folder, its interpreter, a folder of packages, or a tree that
            holds a whole system.
        name: How messages call it; by default by the prefix.
        variables: Of the process: ``HOME``, ``PYTHONPATH`` and the like tell what else is on the
            path; none for an environment that nobody is in.
        is_project: Whether it belongs to the project that is audited.
        verify: Whether every file is to be held against its record.
        use_cache: Whether what is known of metadata and records from an earlier run counts, and is
            kept.
        audited: Folders beside the environment in which nothing is written.
    """
    layout = find_layout(prefix)
    if layout is None:
        return None
    untouched = (layout.prefix, *audited)
    known = open_known(layout.prefix, untouched) if use_cache else None
    cache = open_record_cache(layout.prefix, untouched) if use_cache else None
    shown = name or os.path.basename(os.path.abspath(prefix)) or prefix
    reader = _Reader(layout, shown, known)
    found = reader.read(variables or {}, is_project=is_project, verify=verify, cache=cache)
    if known is None:
        return found
    known.close()
    state = known.state(reader.count)
    earlier = open_earlier(layout.prefix, untouched, state) if state is not None else None
    return replace(found, earlier=earlier) if earlier is not None else found


class _Reader:
    """Reads one environment."""

    def __init__(self, layout: Layout, name: str, known: KnownMetadata | None) -> None:
        self.layout = layout
        self.known = known
        self.page = Page(name)
        self.name = name
        self.oddities: list[Oddity] = []
        self.distributions: dict[str, Distribution] = {}
        self.hidden: list[Distribution] = []
        self.links: dict[str, Link] = {}
        self.count = 0
        self.has_links = False
        self.home = ""

    def read(
        self,
        variables: Mapping[str, str],
        *,
        is_project: bool,
        verify: bool,
        cache: RecordCache | None,
    ) -> Environment:
        layout = self.layout
        self.home = home_of(variables)
        interpreter = read_interpreter(layout)
        self.page.add(_title(self.name, layout, interpreter.version if interpreter else ""))
        base, user = base_sites(layout), user_site(layout, variables)
        path = (*filter(None, (user,)), *layout.sites, *base)
        for site in path:
            self._site(site)
        conda = self._conda()
        self._surroundings(variables, base, user)
        sites = tuple(self._shown(site) for site in layout.sites)
        changes: tuple[CondaChange, ...] = ()
        if conda:
            from mlenv.environment.conda_history import read_history

            changes = read_history(layout.prefix)
        own = [one for one in self.distributions.values() if one.site in sites]
        return Environment(
            layout.prefix,
            self.name,
            self.page.close(),
            layout.manager,
            interpreter,
            made_by(layout),
            sites,
            self.distributions,
            tuple(self.hidden),
            conda,
            tuple(self.oddities),
            self._torch(path, conda),
            self._blas(path, conda),
            Records(
                layout.prefix,
                own,
                conda.values(),
                whole=verify,
                home=self.home,
                cache=cache,
                signs=self.known.records if self.known is not None else None,
            ),
            is_project=is_project,
            root=layout.root,
            conda_changes=changes,
            home=self.home,
        )

    def _torch(
        self, path: tuple[str, ...], conda: Mapping[str, CondaPackage]
    ) -> Mapping[str, TorchTruth]:
        if "pytorch" in conda or any(one in self.distributions for one in (*SPEAKING, "pytorch")):
            return read_truths(((site, self._shown(site)) for site in path), self.known)
        return {}

    def _blas(self, path: tuple[str, ...], conda: Mapping[str, CondaPackage]) -> str:
        if "numpy" in self.distributions or "numpy" in conda:
            builds = {one.name: (one.version, one.build) for one in conda.values()}
            return read_blas(path, builds, self.known)
        return ""

    def _shown(self, path: str) -> str:
        """Return a path as messages have it: relative to the prefix, or to the user's home.

        Nothing else of a home is shown: it tells the user's name.
        """
        prefix = self.layout.prefix.rstrip(os.sep) + os.sep
        path = path.removeprefix(prefix)
        return without_home(path, self.home).replace(os.sep, "/")

    def _odd(
        self, kind: str, path: str, detail: str = "", subject: str = "", span: Span | None = None
    ) -> None:
        # a credential that is cut in two would not be known as one
        shown, detail = self._shown(path), mask(detail)[:_LONGEST]
        place = span or self.page.add(f"{shown}: {detail}" if detail else shown)
        self.oddities.append(Oddity(kind, place, shown, detail, subject))

    def _site(self, site: str) -> None:
        names = names_in(site)
        links = list(links_of(site, names))
        self.has_links = bool(links)
        here: dict[str, Distribution] = {}
        for name in names:
            if name[0] == "~":
                self._odd(LEFTOVER, os.path.join(site, name))
            elif name.endswith(_METADATA) and self.count < _MOST:
                self.count += 1
                self._entry(site, name, here)
        for name, one in here.items():
            other = self.distributions.setdefault(name, one)
            if other is not one:
                self._hide(one, other)
        for link in links:
            self._link(link)

    def _entry(self, site: str, entry: str, here: dict[str, Distribution]) -> None:
        if entry.endswith(".egg-link"):
            one = self._of_link(site, entry)
        else:
            one = self._of_found(site, self._read(site, entry))
        if one is None:
            return
        other = here.get(one.name)
        if other is None:
            here[one.name] = one
        elif other.form == EGG_LINK or other.location == one.location:
            return
        else:
            self.hidden.append(one)
            if one.version == other.version:  # Debian writes both forms
                return
            shown = f"{other.version or 'no version'} and {one.version or 'no version'}"
            self._odd(TWICE, os.path.join(site, entry), shown, one.name, other.span)

    def _read(self, site: str, entry: str) -> Found:
        """Return the metadata of an entry, from an earlier run where they are what they were."""
        known = self.known if entry.endswith(".dist-info") else None
        path = f"{site}{os.sep}{entry}"
        if known is not None and (remembered := known.find(path)) is not None:
            return remembered
        from mlenv.environment.metadata import read_found, read_tags  # what is known needs none

        signs = known.signs_of(path) if known is not None else None
        found = read_found(site, entry)
        if known is None or signs is None or found.damage:
            return found
        found = replace(found, tags=read_tags(os.path.join(path, "WHEEL")))
        known.remember(found, signs)
        return found

    def _of_found(self, site: str, found: Found) -> Distribution | None:
        said = found.metadata
        if not said.name:
            self._odd(DAMAGED_METADATA, found.path, found.damage)
            return None
        name = canonical_name(said.name)
        span = self.page.add(f"{said.name} {said.version}")
        if found.damage:
            self._odd(DAMAGED_METADATA, found.path, found.damage, name, span)
            if not said.version:
                return None
        is_wheel = found.form == DIST_INFO
        marks = (
            WrittenMarks(found.path, found.tags)
            if is_wheel
            else Noted(installed_at=modified(found.path))
        )
        # an editable installation always leaves a .pth file: few environments have one of theirs
        origin = marks.origin if self.has_links else None
        if origin is not None and origin.editable and origin.exists is False:
            self._odd(MISSING_EDITABLE, found.path, "", name, span)
        return Distribution(
            name,
            said.name,
            said.version,
            span,
            self._shown(found.path),
            self._shown(site),
            found.form,
            said.requires,
            said.requires_python,
            said.extras,
            marks,
        )

    def _of_link(self, site: str, entry: str) -> Distribution | None:
        """Return what setuptools' ``develop`` left; its metadata lie beside the sources."""
        folder = read_text(os.path.join(site, entry)).partition("\n")[0].strip()
        stem = entry.removesuffix(".egg-link")
        name = canonical_name(stem)
        if not folder or "\0" in folder or not os.path.isdir(folder):
            self._odd(MISSING_EDITABLE, os.path.join(site, entry), "", name)
            return None
        from mlenv.environment.metadata import read_found

        for inner in names_in(folder):
            if inner.endswith(".egg-info") and canonical_name(inner[:-9]) == name:
                found = self._of_found(folder, read_found(folder, inner))
                return replace(found, form=EGG_LINK) if found else None
        return None

    def _hide(self, one: Distribution, other: Distribution) -> None:
        self.hidden.append(one)
        if one.version != other.version:
            detail = f"{other.site} has {other.version}, {one.site} has {one.version}"
            self._odd(SHADOWED, one.location, detail, one.name, other.span)

    def _link(self, link: Link) -> None:
        if link.is_code or link.folder in self.links:
            return
        self.links[link.folder] = link
        if not link.exists:
            self._odd(BROKEN_PTH, link.file, self._shown(link.line))
            return
        if not os.path.isdir(link.folder):
            return
        here: dict[str, Distribution] = {}
        for name in names_in(link.folder):
            if name.endswith(_METADATA) and not name.startswith("~") and self.count < _MOST:
                self.count += 1
                self._entry(link.folder, name, here)
        for name, one in here.items():
            # the sources of an editable hold its metadata once more
            if self.distributions.setdefault(name, one) is not one:
                self.hidden.append(one)

    def _conda(self) -> dict[str, CondaPackage]:
        if self.layout.manager != CONDA:
            return {}
        from mlenv.environment.conda_meta import read_records

        found: dict[str, CondaPackage] = {}
        for record in read_records(self.layout.prefix):
            span = self.page.add(f"{record.name} {record.version} {record.build} (conda)")
            if record.damage:
                self._odd(DAMAGED_METADATA, record.path, record.damage, record.name, span)
            found[record.name] = _package(record, span)
        return found

    def _surroundings(self, variables: Mapping[str, str], base: tuple[str, ...], user: str) -> None:
        layout = self.layout
        home = base_folder(layout)
        if layout.manager == VENV and home and not executable(layout) and not layout.root:
            self._odd(BROKEN_BASE, os.path.join(layout.prefix, "pyvenv.cfg"), self._shown(home))
        if user and any(name.endswith(_METADATA) for name in names_in(user)):
            held = [
                one.written for one in self.distributions.values() if one.site == self._shown(user)
            ]
            self._odd(USER_SITE, user, ", ".join(sorted(held)))
        if base or (layout.manager == VENV and takes_base(layout)):
            self._odd(SYSTEM_SITE, os.path.join(layout.prefix, "pyvenv.cfg"))
        for folder, count in other_pythons(layout):
            self._odd(OTHER_PYTHON, folder, counted(count, "distribution"))
        marker = managed_marker(layout)
        if marker:
            self._odd(MANAGED, marker)
        for folder, names in python_path(variables):
            shadowed = {canonical_name(name) for name in names} & self.distributions.keys()
            self._odd(PYTHON_PATH, folder, ", ".join(sorted(shadowed)))


def _title(name: str, layout: Layout, version: str) -> str:
    made = made_by(layout)
    said = [f"Python {version}" if version else "no Python", f"made by {made}" if made else ""]
    return f"{name}: {', '.join(filter(None, said))}"


def _package(record: Record, span: Span) -> CondaPackage:
    return CondaPackage(
        record.name,
        record.version,
        record.build,
        record.channel,
        record.depends,
        record.files,
        span,
        record.installed_at,
    )
