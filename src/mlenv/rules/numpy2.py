"""Topic ``numpy2``: packages and NumPy releases that were not made for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.knowledge.numpy2 import ABI, PYTHON, RUNTIME, WARNING, Boundary
from mlenv.model.finding import Certainty, Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.choice import Pick
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.setting import IMAGE, INSTALLED, LOCK, REQUIREMENTS, Setting
from mlenv.reasoning.torch_build import BASE_IMAGE, torch_build
from mlenv.reasoning.verdict import Verdict, judge
from mlenv.records import dataclass
from mlenv.rules.base import rule
from mlenv.rules.pairs import shown_pick

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.project.locks.uploads import Upload

_NUMPY = "numpy"
_TORCH = "torch"
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Met:
    """A distribution in a release that fails with the NumPy beside it.

    Attributes:
        boundary: What is known of it.
        verdict: How sure it is that they meet.
        severity: How bad it is.
    """

    boundary: Boundary
    verdict: Verdict
    severity: Severity

    @property
    def name(self) -> str:
        """The distribution."""
        return self.boundary.package


@rule(
    "NPY001",
    "built-for-older-numpy",
    topic="numpy2",
    severity=Severity.ERROR,
    facts=("numpy2", "requires"),
)
def built_for_older_numpy(setting: Setting) -> Iterator[Finding]:
    """A package beside a NumPy that came after it and that it cannot work with.

    Binaries that were built for NumPy 1 do not load in NumPy 2, and code may use names that NumPy
    2.0 or 2.4 removed. Most of these packages put no upper bound on NumPy, so that installers
    bring them together and ``pip check`` is content. Judged is what is pinned, recorded or
    installed, and what an installer picks on the day where NumPy is left open or is only brought
    along. A warning where only a part of the package fails.

    Messages that users see: "A module that was compiled using NumPy 1.x cannot be run in NumPy
    2.x.y", "numpy.core.multiarray failed to import", "_ARRAY_API not found", "numpy.dtype size
    changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject",
    "RuntimeError: Numpy is not available", "`np.float_` was removed in the NumPy 2.0 release",
    "module 'numpy' has no attribute 'trapz'".

    Bad:
        torch==2.1.0
        numpy

    Good:
        torch==2.1.0
        numpy<2
    """
    met = [one for one in _meetings(setting) if not one.boundary.needs_newer]
    met += [one for one in (_met_in_base(setting),) if one is not None]
    met.sort(key=lambda one: one.boundary.cap)  # the lowest cap serves all
    if met:
        yield _finding(setting, met, _older(met))


@rule(
    "NPY002",
    "needs-newer-numpy",
    topic="numpy2",
    severity=Severity.ERROR,
    facts=("numpy2", "requires"),
)
def needs_newer_numpy(setting: Setting) -> Iterator[Finding]:
    """A package beside a NumPy that is too old for it.

    Some packages need NumPy 2 and do not say so in their metadata, so that installers leave an
    older NumPy where it is. What the metadata do say is a matter of CON003.

    Messages that users see: "numpy.core.multiarray failed to import", "module 'numpy' has no
    attribute '_core'", "No module named 'numpy._core'".

    Bad:
        numpy==1.24.4
        pyarrow==26.0.0

    Good:
        numpy==2.2.6
        pyarrow==26.0.0
    """
    met = [one for one in _meetings(setting) if one.boundary.needs_newer]
    if met:
        verb = "need" if len(met) > 1 else "needs"
        yield _finding(setting, met, f"{verb} {met[0].boundary.cap}")


@rule(
    "NPY004",
    "compiled-before-numpy-2",
    topic="numpy2",
    severity=Severity.NOTE,
    facts=("numpy2",),
    only=(LOCK,),
)
def compiled_before_numpy_2(setting: Setting) -> Iterator[Finding]:
    """A compiled package that is older than the NumPy 2 beside it in a lock.

    Locks of uv and pylock.toml say when each file was uploaded. What was compiled before NumPy 2's
    first release candidate of April 2024 and uses NumPy's C interface does not load beside it. A
    hint: packages that use NumPy from Python only, through pybind11 or through Rust work all the
    same. Packages that were tried are judged by NPY001.

    Messages that users see: "A module that was compiled using NumPy 1.x cannot be run in NumPy
    2.x.y", "numpy.dtype size changed, may indicate binary incompatibility".

    Bad:
        [[package]]
        name = "sfepy"
        version = "2023.4"
        dependencies = [
            { name = "numpy" },
        ]
        wheels = [
            { url = "sfepy-2023.4-cp311-cp311-win_amd64.whl", upload-time = "2023-12-19" },
        ]

        [[package]]
        name = "numpy"
        version = "2.2.6"

    Good:
        [[package]]
        name = "sfepy"
        version = "2024.3"
        dependencies = [
            { name = "numpy" },
        ]
        wheels = [
            { url = "sfepy-2024.3-cp311-cp311-win_amd64.whl", upload-time = "2024-09-27" },
        ]

        [[package]]
        name = "numpy"
        version = "2.2.6"
    """
    numpy = setting.choices.get(_NUMPY)
    if setting.source is None or numpy is None:
        return
    version = numpy.exact
    if version is None or version.release[0] < 2 or numpy.is_conda:
        return
    from mlenv.project.locks.uploads import uploads

    known, evidence = setting.knowledge.numpy2, setting.knowledge.numpy2.candidate_evidence
    for one in uploads(setting.source):
        package = one.package
        if not one.compiled or one.day >= known.first_candidate or package.name == _NUMPY:
            continue
        if known.is_known(package.name) or not _uses_numpy(setting, one):
            continue
        yield Finding(
            f"{package.name} {package.version} was compiled before NumPy 2 was out (its last file "
            f"is of {one.day}), and numpy {version} is locked",
            package.span,
            (package.name, _NUMPY),
            certainty=Certainty.POSSIBLE,
            help="import it with this NumPy; where that fails, take a newer release of it or set "
            "numpy<2",
            related=(Related(numpy.span, f"numpy {version} stands here"),),
            evidence=(evidence,),
        )


def _uses_numpy(setting: Setting, upload: Upload) -> bool:
    """Whether a package depends on NumPy, by the lock or else by the records."""
    if upload.requires is not None:
        return _NUMPY in upload.requires
    choice = setting.choices.get(upload.package.name)
    if choice is None or choice.exact is None:
        return False
    required = dependencies(setting, choice.name, choice.exact) or ()
    return any(one.name == _NUMPY for one in required)


def _meetings(setting: Setting) -> Iterator[_Met]:
    """Yield each distribution that fails with the NumPy beside it, certainly or as picked."""
    if setting.kind == LOCK and setting.source is not None and setting.source.kind == REQUIREMENTS:
        return  # it is judged as what it asks for
    if _NUMPY not in setting.names:
        return
    told: set[str] = set()
    for boundary in setting.knowledge.numpy2.within(setting.names, setting.stated):
        system = setting.target.system if setting.target else "linux"
        if boundary.package in told or (boundary.systems and system not in boundary.systems):
            continue
        if _is_told_by_binaries(setting, boundary):
            continue  # NPY005 and NPY006 speak of them
        verdict = judge(setting, {boundary.package: boundary.broken, _NUMPY: boundary.numpy})
        if verdict is None or verdict.certainty is Certainty.POSSIBLE:
            continue
        severity = _severity(setting, boundary, verdict)
        if severity is not None and not _is_contradiction(setting, boundary, verdict):
            told.add(boundary.package)
            yield _Met(boundary, verdict, severity)


def _is_told_by_binaries(setting: Setting, boundary: Boundary) -> bool:
    """Whether it is an environment where a package's binaries say what there is to say."""
    name, environment = boundary.package, setting.live
    if environment is None or environment.binaries is None:
        return False
    if boundary.why != ABI:
        from mlenv.reasoning.numpy_named import built_for_numpy_1, need_newer_numpy

        return name in built_for_numpy_1(environment) or name in need_newer_numpy(environment)
    return any(one.owner == name for one in environment.binaries.files)


def _met_in_base(setting: Setting) -> _Met | None:
    """Return the torch of a base image, where a NumPy that it cannot work with is put beside it."""
    numpy = setting.choices.get(_NUMPY)
    if setting.kind != IMAGE or numpy is None or numpy.is_conda or _TORCH in setting.choices:
        return None
    build = torch_build(setting)
    if build is None or build.version is None or build.known_by != BASE_IMAGE:
        return None
    for boundary in setting.knowledge.numpy2.about(_TORCH):
        if boundary.systems or not boundary.broken.admits(build.version, prereleases=True):
            continue
        # pip leaves the image's own NumPy where that satisfies what is asked for
        if numpy.versions.implies(boundary.numpy):
            picks = {_TORCH: Pick(build.version)}
            pick = setting.pick(_NUMPY)
            verdict = Verdict(Certainty.CERTAIN, {**picks, _NUMPY: pick} if pick else picks)
            return _Met(boundary, verdict, Severity.ERROR)
    return None


def _severity(setting: Setting, boundary: Boundary, verdict: Verdict) -> Severity | None:
    """Return how bad a meeting is; None where it is not known whether it takes place."""
    is_certain, unsure = verdict.certainty is Certainty.CERTAIN, False
    if not is_certain:
        from mlenv.rules.numpy_picks import has_unknown_pins, is_foreseeable

        if not is_foreseeable(setting, boundary.package, verdict):
            return None
        unsure = _NUMPY in verdict.opened and has_unknown_pins(setting)
    lazy = boundary.how == WARNING or (boundary.how == RUNTIME and boundary.why == PYTHON)
    usual = Severity.WARNING if lazy or unsure else Severity.ERROR
    package, numpy = setting.choices.get(boundary.package), setting.choices.get(_NUMPY)
    if package is None or not package.is_conda:
        return usual
    # conda-forge has built some releases again for NumPy 2, and its metadata say which
    if setting.kind != REQUIREMENTS or not is_certain:
        return None
    return Severity.NOTE if numpy is not None and numpy.is_conda else Severity.WARNING


def _is_contradiction(setting: Setting, boundary: Boundary, verdict: Verdict) -> bool:
    """Whether a package's own metadata rule the NumPy out, which CON003 says."""
    if setting.kind in (LOCK, INSTALLED):
        return False
    pick, numpy = verdict.picks.get(boundary.package), verdict.picks.get(_NUMPY)
    if pick is None or numpy is None:
        return False
    return any(
        one.name == _NUMPY and not one.versions.admits(numpy.version, prereleases=True)
        for one in dependencies(setting, boundary.package, pick.version) or ()
    )


def _finding(setting: Setting, met: Sequence[_Met], what: str) -> Finding:
    certain = [one for one in met if one.verdict.certainty is Certainty.CERTAIN]
    worst = min((one.severity for one in met), key=lambda severity: severity.rank)
    names = (_NUMPY, *(one.name for one in met))
    places = [(name, span) for name in names if (span := setting.place_of(name)) is not None]
    declared = [pair for pair in places if pair[0] in setting.choices] or places
    first = declared[0][1]
    related = {span: name for name, span in reversed(places) if span != first}
    shown = [_shown(setting, one) for one in met]
    return Finding(
        f"{_joined(shown)} {what}, and {_numpy(setting, met[0])}",
        first,
        names,
        worst,
        Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL,
        help=_help(met),
        related=tuple(
            Related(span, f"{name} {'stands' if name in setting.choices else 'comes from'} here")
            for span, name in reversed(related.items())
        ),
        evidence=tuple(_evidence(met)),
    )


def _shown(setting: Setting, one: _Met) -> str:
    """Return a package with its version, or with what is asked for where all of that fails."""
    pick = one.verdict.picks.get(one.name)
    if pick is not None and one.name in one.verdict.opened:
        return f"{one.name} {pick.version}"
    if pick is not None and one.name not in setting.choices:
        return f"{one.name} {pick.version} of the base image"
    return shown_pick(setting, one.name, one.verdict)


def _joined(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) == 2 else listed(names, _MOST_NAMED)


def _older(met: Sequence[_Met]) -> str:
    """Return what is the matter with packages that are too old, as a predicate."""
    several = len(met) > 1
    release = met[0].boundary.cap.partition("<")[2]
    before = "NumPy 1" if release == "2" else f"NumPy before {release}"
    if all(one.boundary.why == ABI for one in met):
        return f"{'were' if several else 'was'} built for {before}"
    if all(one.boundary.why == PYTHON for one in met):
        return f"{'use' if several else 'uses'} what NumPy {release} no longer has"
    return f"work with {before} only"


def _numpy(setting: Setting, one: _Met) -> str:
    """Return how NumPy comes to its version, as half a sentence."""
    pick = one.verdict.picks.get(_NUMPY)
    choice = setting.choices.get(_NUMPY)
    if pick is None or (choice is not None and _NUMPY not in one.verdict.opened):
        if setting.kind == INSTALLED and pick is not None:
            return f"numpy {pick.version} is installed"
        if choice is None or choice.exact is not None:
            return f"numpy {pick.version if pick else ''} is pinned"
        if pick is not None and not choice.versions.implies(one.boundary.numpy):
            return f"the pins beside it leave numpy {pick.version}"
        return f"{choice.specifier} is asked for"
    brought = f", which {pick.chain[-1]} brings along," if pick.chain else ""
    return f"an installer picks numpy {pick.version}{brought} on Python {setting.python.name}"


def _help(met: Sequence[_Met]) -> str:
    cap = f"set {met[0].boundary.cap}"
    others = [_other_release(one.boundary) for one in met]
    stuck = [one.name for one, other in zip(met, others, strict=True) if not other]
    if stuck:
        return f"{cap}; no release of {_joined(stuck)} is known to do without it"
    return f"{cap}, or take {_joined(others)}"


def _other_release(boundary: Boundary) -> str:
    """Return which releases work with the NumPy at hand; empty where none is known."""
    if boundary.needs_newer:
        return boundary.package + boundary.broken.text.replace(">=", "<")
    return f"{boundary.package}>={boundary.first_good}" if boundary.first_good else ""


def _evidence(met: Sequence[_Met]) -> Iterator[Evidence]:
    for one in met:
        known, error = one.boundary.evidence, one.boundary.error
        yield Evidence(f"{known.fact}; users see: {error}", known.source) if error else known
