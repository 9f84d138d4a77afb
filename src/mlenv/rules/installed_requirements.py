"""Topic ``environment``: what installed distributions require of each other and of the Python."""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.credentials import mask
from mlenv.model.environment import DIST_INFO, Distribution, Environment, Interpreter
from mlenv.model.finding import Evidence, Finding, Related, Severity
from mlenv.phrases import listed
from mlenv.reasoning.installed_requirements import Requirements, requirements_of
from mlenv.reasoning.installed_tags import is_supported, speaks_against
from mlenv.reasoning.installed_verdict import Required
from mlenv.reasoning.requires_python import is_python_past, refused_python
from mlenv.rules.base import rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.binary import Binary

_MOST = 3
_MOST_BOUNDS = 8
_LONGEST = 200
_OF_SYSTEM = ("debian", "rpm")
"""What packages of operating systems have in ``INSTALLER``; older ones of Debian have none."""


@rule(
    "ENV001",
    "requirement-not-installed",
    topic="environment",
    severity=Severity.ERROR,
)
def requirement_not_installed(environment: Environment) -> Iterator[Finding]:
    """An installed distribution requires another that is not there.

    What ``pip check`` tells, for any environment: uv's have no pip, and one may belong to another
    Python. Requirements are judged with their markers for the environment's own interpreter. It
    comes of ``--no-deps``, of an uninstall that asked nobody, or of an installation that broke off.
    A note where only packages of the operating system ask for it, which leaves out what few need.

    Messages that users see: "ModuleNotFoundError: No module named …", and of pip check "… requires
    …, which is not installed."

    Bad:
        huggingface_hub-0.24.0.dist-info/METADATA: Requires-Dist: fsspec>=2023.5.0
        (fsspec is not installed)

    Good:
        huggingface_hub-0.24.0.dist-info/METADATA: Requires-Dist: fsspec>=2023.5.0
        fsspec-2024.6.1.dist-info
    """
    requirements = requirements_of(environment)
    if requirements is None:
        return
    found: dict[str, list[Required]] = {}
    for one in requirements.missing:
        found.setdefault(one.name, []).append(one)
    for name, asking in found.items():
        first = asking[0]
        wanted = [*asking, *(one for _, one in requirements.of_extras if one.name == name)]
        origin = environment.distributions[first.origin]
        askers = [environment.distributions[one.origin] for one in asking]
        by, own = [one.written for one in askers], not all(map(_is_of_system, askers))
        yield Finding(
            f"{listed(by, _MOST)} {'requires' if len(by) == 1 else 'require'} {first.shown}, "
            "which is not installed",
            origin.span,
            (name, *(one.origin for one in asking)),
            None if own else Severity.NOTE,
            help=f"install it: {install_command(environment)} '{_together(wanted)}'"
            if own
            else "install the system's package of it where it is used",
            related=tuple(
                Related(environment.where(one.origin), f"requires {one.shown}")
                for one in asking[1:]
            ),
            evidence=(_metadata(environment, first), *_chain(requirements, first.origin)),
        )


@rule(
    "ENV002",
    "requirement-not-satisfied",
    topic="environment",
    severity=Severity.ERROR,
)
def requirement_not_satisfied(environment: Environment) -> Iterator[Finding]:
    """An installed distribution requires another in a version that is not the installed one.

    What ``pip check`` tells. An installer that was run twice solved each time only what it was
    asked for, so that the second run moved what the first had settled. Whether it breaks at once
    depends on what changed between the two versions; it is not what the author tested.

    Messages that users see: "ImportError: cannot import name …", "AttributeError: module … has no
    attribute …", and of pip check "… has requirement …, but you have …".

    Bad:
        tokenizers 0.20.0
        transformers 4.39.0 (requires tokenizers<0.19,>=0.14)

    Good:
        tokenizers 0.15.2
        transformers 4.39.0 (requires tokenizers<0.19,>=0.14)
    """
    requirements = requirements_of(environment)
    if requirements is None:
        return
    found: dict[str, list[Required]] = {}
    for one in requirements.conflicts:
        found.setdefault(one.name, []).append(one)
    for name, asking in found.items():
        first, there = asking[0], environment.distributions[name]
        origin = environment.distributions[first.origin]
        yield Finding(
            f"{origin.written} {origin.version} requires {first.shown}, "
            f"but {there.version} is installed",
            there.span,
            (name, *dict.fromkeys(one.origin for one in asking)),
            help=_way_out(environment, requirements, name, asking),
            related=tuple(
                Related(environment.where(one.origin), f"requires {one.shown}") for one in asking
            ),
            evidence=(_metadata(environment, first), *_chain(requirements, first.origin)),
        )


@rule(
    "ENV009",
    "extra-not-installed",
    topic="environment",
    severity=Severity.WARNING,
)
def extra_not_installed(environment: Environment) -> Iterator[Finding]:
    """A requirement asks for an extra of which something is not there.

    ``pip check`` does not look at extras: it says nothing where ``uvicorn[standard]`` is required
    and uvicorn was installed without it. What the extra is for fails when it is used.

    Bad:
        fastapi-cli 0.0.5 (requires uvicorn[standard]>=0.15)
        uvicorn 0.30.0 (httptools, which its extra standard requires, is not installed)

    Good:
        fastapi-cli 0.0.5 (requires uvicorn[standard]>=0.15)
        uvicorn 0.30.0
        httptools 0.6.1
    """
    requirements = requirements_of(environment)
    if requirements is None:
        return
    found: dict[tuple[str, str], list[tuple[Required, Required]]] = {}
    told = {one.name for one in requirements.missing}
    for asking, lacking in requirements.of_extras:
        if lacking.name not in told:  # by ENV001
            found.setdefault((asking.origin, asking.name), []).append((asking, lacking))
    for (origin, name), pairs in found.items():
        asking = pairs[0][0]
        absent = [one.written for _, one in pairs]
        there = environment.distributions[name]
        is_one = len(absent) == 1
        yield Finding(
            f"{environment.distributions[origin].written} requires {asking.shown}, and of that "
            f"extra {listed(absent, _MOST)} {'is' if is_one else 'are'} not installed",
            there.span,
            (name, origin, *(one.name for _, one in pairs)),
            help=f"install the extra: {install_command(environment)} "
            f"'{asking.written}[{','.join(asking.extras)}]=={there.version}'",
            related=(Related(environment.where(origin), f"requires {asking.shown}"),),
            evidence=(_metadata(environment, asking),),
        )


@rule(
    "ENV003",
    "python-not-admitted",
    topic="environment",
    severity=Severity.ERROR,
)
def python_not_admitted(environment: Environment) -> Iterator[Finding]:
    """An installed distribution whose ``Requires-Python`` refuses the environment's Python.

    It comes of ``--ignore-requires-python``, of a folder of packages that was copied, or of an
    environment whose Python was exchanged. ``pip check`` passes over it. A warning where the Python
    is only newer than what is admitted: uv passes over upper bounds.

    Messages that users see: "SyntaxError: invalid syntax" in a package's own files, or
    "ImportError: cannot import name … from 'typing'".

    Bad:
        numpy 2.3.0 (Requires-Python: >=3.11) under Python 3.10

    Good:
        numpy 2.2.6 (Requires-Python: >=3.10) under Python 3.10
    """
    interpreter = environment.interpreter
    if interpreter is None:
        return
    refused: dict[str, bool] = {}
    for one in environment.distributions.values():
        asked = one.requires_python
        if asked not in refused:
            refused[asked] = refused_python(asked, interpreter)
        if refused[asked]:
            yield _not_admitted(environment, one, interpreter)


def _not_admitted(environment: Environment, one: Distribution, interpreter: Interpreter) -> Finding:
    is_past = is_python_past(one.requires_python, interpreter)
    return Finding(
        f"{one.written} {one.version} requires Python {one.requires_python}, and this is "
        f"Python {interpreter.version}",
        one.span,
        (one.name,),
        Severity.WARNING if is_past else None,
        help=f"install a release that admits it: {install_command(environment)} "
        f"--upgrade {one.name}, or make the environment with another Python",
        evidence=(
            Evidence(
                f"Requires-Python of {one.written} is {one.requires_python}",
                f"{one.location}/METADATA",
            ),
        ),
        batch="python too new" if is_past else "python",
        batch_message=f"{{count}} distributions refuse Python {interpreter.version}: {{packages}}",
    )


@rule(
    "ENV004",
    "wheel-for-other-platform",
    topic="environment",
    severity=Severity.ERROR,
)
def wheel_for_other_platform(environment: Environment) -> Iterator[Finding]:
    """An installed wheel that is for another interpreter, system or processor.

    What ``pip check`` tells. Its compiled files cannot be imported: it was installed with
    ``--platform`` or ``--python-version``, copied from another machine, or the environment's Python
    was exchanged. Some wheels only say of themselves that they are for the Python that built them,
    as xgboost 1.7.6 does; so the compiled files are asked: a note where none of them is for another
    interpreter, a warning where they were not read.

    Messages that users see: "ModuleNotFoundError: No module named 'numpy._core._multiarray_umath'",
    and of pip check "… is not supported on this platform".

    Bad:
        numpy-2.0.1.dist-info/WHEEL: Tag: cp312-cp312-manylinux_2_17_x86_64
        (the environment's Python is 3.11)

    Good:
        numpy-2.0.1.dist-info/WHEEL: Tag: cp311-cp311-manylinux_2_17_x86_64
    """
    interpreter = environment.interpreter
    if interpreter is None:
        return
    tags = {one.tags for one in environment.distributions.values()} - {()}
    foreign = {some for some in tags if is_supported(some, interpreter) is False}
    if not foreign:
        return
    refused = [one for one in environment.distributions.values() if one.tags in foreign]
    compiled: dict[str, list[Binary]] = {}
    for binary in environment.binaries.files if environment.binaries is not None else ():
        compiled.setdefault(binary.owner, []).append(binary)
    for one in refused:
        contrary = speaks_against(compiled.get(one.name, ()), interpreter)
        if environment.binaries is None or contrary:
            yield _other_platform(environment, one, interpreter, contrary)
        else:
            yield _only_says_so(one, interpreter)


def _other_platform(
    environment: Environment, one: Distribution, interpreter: Interpreter, contrary: str
) -> Finding:
    return Finding(
        f"{one.written} {one.version} was installed from a wheel for {one.tags[0]}, which "
        f"{_python(interpreter)} cannot use",
        one.span,
        (one.name,),
        Severity.ERROR if contrary else Severity.WARNING,
        help=f"install it anew: {install_command(environment, anew=True)} {one.name}",
        evidence=(
            _tags(one),
            *([Evidence(f"{contrary} is not for it", contrary)] if contrary else []),
        ),
        batch=f"platform {bool(contrary)}",
        batch_message="{count} distributions were installed from wheels for another "
        "interpreter or platform: {packages}",
    )


def _only_says_so(one: Distribution, interpreter: Interpreter) -> Finding:
    return Finding(
        f"{one.written} {one.version} says that its wheel is for {one.tags[0]}, though nothing "
        f"compiled in it is for another interpreter than {_python(interpreter)}",
        one.span,
        (one.name,),
        Severity.NOTE,
        help="where it works nothing is to do; pip check refuses it all the same",
        evidence=(_tags(one),),
        batch="platform by its own account",
        batch_message="{count} distributions say that their wheels are for another interpreter, "
        "though nothing compiled in them is: {packages}",
    )


def _python(interpreter: Interpreter) -> str:
    name = "PyPy for Python" if interpreter.implementation == "pypy" else "CPython"
    return f"{name} {interpreter.version} on {interpreter.system} ({interpreter.machine})"


def _tags(one: Distribution) -> Evidence:
    return Evidence(f"the tags of its wheel are {listed(one.tags, _MOST)}", f"{one.location}/WHEEL")


def install_command(environment: Environment, *, anew: bool = False) -> str:
    """Return the command that installs into an environment, by the tool that made it.

    Args:
        environment: The environment.
        anew: Whether what is there is to be replaced by the same version.
    """
    if environment.made_by == "uv":
        return "uv pip install --reinstall" if anew else "uv pip install"
    return "pip install --force-reinstall --no-deps" if anew else "pip install"


def _is_of_system(one: Distribution) -> bool:
    """Whether the operating system's own packages brought a distribution."""
    return one.site.endswith("lib/python3/dist-packages") or one.installer in _OF_SYSTEM


def _together(asking: list[Required]) -> str:
    """Return a requirement that asks for what all of some ask for, as text."""
    parts = dict.fromkeys(part for one in asking for part in one.specifier.split(",") if part)
    return asking[0].written + ",".join([*parts][:_MOST_BOUNDS])


def _way_out(
    environment: Environment, requirements: Requirements, name: str, asking: list[Required]
) -> str:
    """Return the command that moves what is installed to where everybody is content."""
    wanted = [one for one in requirements.asking(name) if one.specifier]
    from mlenv.versions.version_set import intersection, pep440  # few environments are broken

    sets = [found for found in (pep440(one.specifier) for one in wanted) if found is not None]
    if intersection(sets).is_empty:
        others = [one for one in wanted if requirements.admits(one)]
        against = environment.distributions[others[0].origin].written if others else ""
        asked = environment.distributions[asking[0].origin].written
        return (
            f"no version of {asking[0].written} satisfies both {asked} and {against}: install "
            "another release of one of them"
        )
    return f"install one that all admit: {install_command(environment)} '{_together(wanted)}'"


def _metadata(environment: Environment, required: Required) -> Evidence:
    origin = environment.distributions[required.origin]
    line = mask(required.line)
    if environment.home:
        line = line.replace(environment.home, "~/")
    return Evidence(
        f"{origin.written} {origin.version} has Requires-Dist: {line[:_LONGEST]}",
        f"{origin.location}/METADATA" if origin.form == DIST_INFO else origin.location,
    )


def _chain(requirements: Requirements, name: str) -> Iterator[Evidence]:
    """Yield what brought a distribution in, where it was not asked for itself."""
    chain = requirements.chain_to(name)
    if len(chain) > 1:
        yield Evidence(f"it came along with {' -> '.join(chain)}", "metadata of each")
