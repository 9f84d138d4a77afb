"""What compiled files tell of themselves, read and never loaded."""

from __future__ import annotations

from mlenv.records import dataclass

ELF = "elf"
MACHO = "macho"
PE = "pe"
"""The formats of compiled files."""

CAPI = "c-api"
"""C and Cython: the extension imports NumPy's table when it is imported itself."""
PYBIND11 = "pybind11"
RUST = "rust"
"""How an extension reaches NumPy: Rust's loads the table when it is first used."""


@dataclass(frozen=True, slots=True)
class NumpyUse:
    """How an extension uses NumPy's C interface, by the texts that its headers leave in it.

    Attributes:
        old: Whether it knows the module of NumPy 1 only, so that it fails beside NumPy 2.
        new: Whether it knows the module of NumPy 2.
        minimum: The least NumPy that it runs with, by its own account (``1.20``); may be empty.
        kind: ``c-api``, ``pybind11`` or ``rust``.
    """

    old: bool
    new: bool
    minimum: str
    kind: str


@dataclass(frozen=True, slots=True)
class Kernels:
    """The GPU code in a binary.

    Attributes:
        cubins: For each architecture (``sm_90``, ``sm_90a``) the number of containers with
            machine code for it.
        ptx: The same for intermediate code, which a driver compiles (``compute_90``).
        containers: How many containers there are.
    """

    cubins: tuple[tuple[str, int], ...]
    ptx: tuple[tuple[str, int], ...]
    containers: int


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """One compiled file.

    Attributes:
        path: Relative to the prefix, with ``/``.
        owner: The canonical name of the distribution that records it; empty for none.
        format: ``elf``, ``macho`` or ``pe``.
        machine: The processor's architecture (``x86_64``, ``aarch64`` …).
        size: In bytes.
        soname: Its own name; may be empty.
        needed: The libraries that it names, in their order.
        rpath: Folders of ``DT_RPATH``, as they stand.
        runpath: Folders of ``DT_RUNPATH``, as they stand.
        versions: The highest version of each family that it needs (``GLIBC``, ``GLIBCXX``,
            ``CXXABI``), as ``GLIBC_2.28``.
        is_extension: Whether Python imports it.
        numpy: How it uses NumPy; None where it does not.
        kernels: The GPU code in it; None where there is none.
        damage: Why some part of it could not be read, which is then as if it were not there;
            empty where all was read.
    """

    path: str
    owner: str
    format: str
    machine: str
    size: int
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    is_extension: bool = False
    numpy: NumpyUse | None = None
    kernels: Kernels | None = None
    damage: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MissingLibrary:
    """A library that a binary needs and that the loader would not find.

    Attributes:
        soname: The library.
        needed_by: The binaries that name it, by path.
        other: A library of another major that is there instead (``libcudart.so.13``).
        imports: The packages whose import surely fails for it, as code names them.
        bundled: Whether a wheel brought it along, by the name that such libraries get.
    """

    soname: str
    needed_by: tuple[str, ...]
    other: str = ""
    imports: tuple[str, ...] = ()
    bundled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MissingSymbols:
    """Symbols that a binary takes from torch and that the installed torch does not have.

    Attributes:
        path: The binary.
        owner: The canonical name of its distribution.
        symbols: The first few, as they are in the file.
        count: How many there are.
        abi: ``old`` or ``new`` where it was built for that C++ ABI and torch for the other.
        imports: The packages whose import surely fails for it, as code names them.
    """

    path: str
    owner: str
    symbols: tuple[str, ...]
    count: int
    abi: str = ""
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class NotFoundVersion:
    """A version of a system library's interface that a binary needs and the library lacks.

    Attributes:
        version: ``GLIBCXX_3.4.30``.
        library: The library that was looked at, as its soname.
        has: The highest version of the family that it has.
        needed_by: The binaries, by path.
        imports: The packages whose import surely fails for it, as code names them.
    """

    version: str
    library: str
    has: str
    needed_by: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Runtime:
    """A copy of an OpenMP runtime that some binary of the environment loads.

    Attributes:
        family: ``libgomp``, ``libiomp5`` or ``libomp``.
        path: Relative to the prefix; the soname alone for one of the system.
        owner: The canonical name of the distribution that brings it; may be empty.
    """

    family: str
    path: str
    owner: str


@dataclass(frozen=True, slots=True, eq=False)
class Binaries:
    """What the compiled files of an environment tell.

    Attributes:
        files: Every one that was read, in order of path.
        missing: Libraries that nothing provides.
        symbols: Symbols of torch that are not there.
        not_found: Versions of system libraries that are not there.
        runtimes: The OpenMP runtimes.
        provided: The names of all libraries that the environment and its system hold; empty
            where that system cannot be looked at.
        unread: Files that could not be read, or not wholly, each with the reason.
        from_cache: How many were known from an earlier scan.
        seconds: How long the scan took.
    """

    files: tuple[Binary, ...]
    missing: tuple[MissingLibrary, ...] = ()
    symbols: tuple[MissingSymbols, ...] = ()
    not_found: tuple[NotFoundVersion, ...] = ()
    runtimes: tuple[Runtime, ...] = ()
    provided: frozenset[str] = frozenset()
    unread: tuple[tuple[str, str], ...] = ()
    from_cache: int = 0
    seconds: float = 0.0


def supported(kernels: Kernels) -> tuple[str, ...]:
    """Return the architectures that a binary as a whole was built for, machine code first.

    One that only a few containers have is of a special kernel beside the others, and says
    nothing of the rest: libtorch_cuda.so has 8.9 in one of some four hundred. The containers of
    a binary need not hold the same ones, since some kernels are written for one GPU only; so
    an architecture counts where it is in one for twenty of the most frequent one.
    """
    counted = (*kernels.cubins, *kernels.ptx)
    most = max((count for _, count in counted), default=0)
    return tuple(name for name, count in counted if count * 20 >= most)
