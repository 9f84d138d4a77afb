"""Makes environments whose files no installer writes, and does to each all that is done to one.

An environment follows from a seed and a number alone, so whoever has the two has it again.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout, suppress
from random import Random
from typing import TYPE_CHECKING

import tomli
from outputs import assert_harmless, shown

from mlenv.audit import audit_surroundings
from mlenv.cli.environments import environment_of
from mlenv.cli.full.app import parse
from mlenv.cli.run import run
from mlenv.config import Config
from mlenv.errors import UsageError
from mlenv.model.project import Project
from mlenv.model.surroundings import Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlenv.model.environment import Environment
    from mlenv.model.report import Report

_LONGEST = 3_000
"""Of a message, in characters; a metadata line must not fill the screen."""
SITE = "lib/python3.11/site-packages"
_PIECES = (
    *(b"\0", b"\n", b"\r\n", b"\n\n", b":", b",", b'"', b"'", b"[", b"]", b"{", b"}", b"(", b";"),
    *(b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\xe2\x80\xae", b"::error::x\n", b"##[error]x"),
    *(b"../../../../etc/passwd", b"/etc/passwd", b"~/x", b"C:\\x", b"file:///", b"\\\\host\\x"),
    *(b"Requires-Dist: ", b"\n\tmore", b"Name: ", b"Version: ", b"Tag: ", b"Requires-Python: "),
    *(b"9" * 400, b"1!", b"==", b"===", b" and ", b"extra == 'x'", b"python_version", b"sha256="),
    *(b"null", b"true", b"1e999", b"-1", b"[[[[[[", b"{}", b"\\u0000", b"\xed\xa0\x80", b"%00"),
)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _metadata(name: str, version: str, *lines: str) -> bytes:
    return "\n".join(
        ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""]
    ).encode()


def whole(*, is_condas: bool = False) -> dict[str, bytes]:
    """Return the files of an environment with one of everything, by path.

    Args:
        is_condas: Whether it is one of conda's; else it is a virtual environment.
    """
    files = _files()
    for path in [path for path in files if path.startswith("conda-meta") is not is_condas]:
        if path == "pyvenv.cfg" or path.startswith("conda-meta"):
            del files[path]
    return files


def _files() -> dict[str, bytes]:
    wheel = b"Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_17_x86_64\n"
    plain = ("Requires-Python: >=3.9", "Requires-Dist: torch>=2", "Provides-Extra: fast")
    needs = (
        *plain,
        'Requires-Dist: absent (>=1.0) ; extra == "fast" or python_version < "4"',
    )
    record = (
        b"numpy/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\nnumpy/x.so,,\n"
    )
    history = "==> 2026-01-01 10:00:00 <==\n# cmd: conda create -n x\n+defaults::numpy-1.24-0\n"
    conda = {"name": "numpy", "version": "1.24.0", "build": "0", "channel": "https://x:y@c.example"}
    return {
        "pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.7\ninclude-system-site-packages = false\n",
        "conda-meta/history": history.encode(),
        "conda-meta/numpy-1.24.0-0.json": _json(
            {**conda, "depends": ["python >=3.9"], "files": [f"{SITE}/numpy/__init__.py"]}
        ),
        "bin/python": b"\x7fELF\x02\x01\x01" + bytes(57),
        f"{SITE}/numpy/__init__.py": b"",
        f"{SITE}/numpy/x.so": b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0\x3e\0" + bytes(120),
        f"{SITE}/numpy-2.0.1.dist-info/METADATA": _metadata("numpy", "2.0.1", *needs),
        f"{SITE}/numpy-2.0.1.dist-info/RECORD": record,
        f"{SITE}/numpy-2.0.1.dist-info/WHEEL": wheel,
        f"{SITE}/numpy-2.0.1.dist-info/INSTALLER": b"pip\n",
        f"{SITE}/numpy-2.0.1.dist-info/entry_points.txt": b"[console_scripts]\nf2py = numpy:f\n",
        f"{SITE}/torch-2.1.0+cu118.dist-info/METADATA": _metadata(
            "torch", "2.1.0+cu118", "Requires-Dist: numpy<2", "Requires-Dist: nvidia-nccl-cu12"
        ),
        f"{SITE}/torch-2.1.0+cu118.dist-info/RECORD": record,
        f"{SITE}/torch-2.1.0+cu118.dist-info/WHEEL": wheel,
        f"{SITE}/torch/version.py": b"__version__ = '2.1.0+cu118'\ncuda = '11.8'\nhip = None\n",
        f"{SITE}/mine-0.1.dist-info/METADATA": _metadata("mine", "0.1"),
        f"{SITE}/mine-0.1.dist-info/direct_url.json": _json(
            {"url": "file:///nowhere/mine", "dir_info": {"editable": True}}
        ),
        f"{SITE}/mine.pth": b"/nowhere/mine\nimport sys; sys.exit(1)\n../here\n",
        f"{SITE}/old.egg-link": b"/nowhere/old\n.\n",
        f"{SITE}/older-1.0-py3.11.egg-info/PKG-INFO": _metadata("older", "1.0"),
        f"{SITE}/older-1.0-py3.11.egg-info/requires.txt": b"torch\n[x:os_name=='nt']\nabsent\n",
        f"{SITE}/flat-1.0.egg-info": _metadata("flat", "1.0", "Requires: torch"),
        f"{SITE}/~umpy/__init__.py": b"",
    }


def make(seed: int, number: int) -> dict[str, bytes]:
    """Return the files of the environment with a number."""
    rng = Random(f"installed/{seed}/{number}")
    files = whole(is_condas=rng.random() < 0.3)
    for path in rng.sample(sorted(files), min(1 + int(rng.expovariate(0.5)), len(files))):
        if rng.random() < 0.1:
            del files[path]
        elif rng.random() < 0.1:
            files[_renamed(rng, path)] = files.pop(path)
        else:
            files[path] = _spoilt(rng, files[path], files)
    return files


def _renamed(rng: Random, path: str) -> str:
    folder, _, name = path.rpartition("/")
    start = rng.randint(0, len(name))
    piece = rng.choice(
        ("\x1b[2J", "::error::", "-", ".", "..", " ", "\u202e", "[x](y)", "é", "x" * 120)
    )
    return f"{folder}/{(name[:start] + piece + name[start:])[:200].strip('/.') or 'x'}".lstrip("/")


def _spoilt(rng: Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    for _ in range(1 + int(rng.expovariate(0.6))):
        start = rng.randint(0, len(data))
        what = rng.randrange(7)
        if what == 0:
            data = data[:start]
        elif what == 1:
            data = data[:start] + rng.randbytes(rng.randint(1, 8)) + data[start:]
        elif what in (2, 3):
            data = data[:start] + rng.choice(_PIECES) + data[start + rng.choice((0, 0, 1, 5)) :]
        elif what == 4:
            data = data[:start] + rng.choice(_PIECES) * rng.choice((3, 100, 3000)) + data[start:]
        elif what == 5:
            other = files[rng.choice(sorted(files))]
            data = data[:start] + other[: rng.randint(0, 200)] + data[start:]
        else:
            data = data.decode("latin-1").encode(rng.choice(("utf-16", "utf-32", "utf-8-sig")))
    return data


def write(prefix: Path, files: Mapping[str, bytes]) -> None:
    """Write an environment; what this system has no name for is left out."""
    for path, data in files.items():
        assert not path.startswith("/"), path
        with suppress(OSError, ValueError):
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            (prefix / path).write_bytes(data)


COMMANDS = (
    ("env", "{}", "--no-cache", "--target", "gpu=A100,driver=535.104"),
    ("env", "{}", "--no-cache", "--format", "json"),
    ("env", "{}", "--no-binaries", "--format", "markdown"),
    ("snapshot", "{}", "--no-binaries"),
    ("snapshot", "{}", "--no-binaries", "--format", "json"),
    ("diff", "{}", "{other}"),
    ("diff", "{other}", "{}", "--format", "json"),
    ("diff", "{other}", "{}", "--format", "markdown"),
    ("tree", "--env", "{}"),
    ("tree", "--env", "{}", "--reverse", "--format", "json"),
    ("tree", "--env", "{}", "--format", "mermaid"),
    ("tree", "--env", "{}", "--heaviest"),
)
"""Whatever else looks at an environment; ``other`` is a whole one."""


def printed(prefix: Path, other: Path) -> dict[str, str]:
    """Return what each of the other commands prints of an environment."""
    found = {}
    for arguments in COMMANDS:
        given = [word.format(prefix, other=other) for word in arguments]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                run(parse(given))
            except UsageError as error:
                err.write(f"{error}\n")
        found[" ".join(arguments)] = out.getvalue()
        found[f"{' '.join(arguments)} (stderr)"] = err.getvalue()
    return found


def check_commands(prefix: Path, other: Path) -> None:
    """Fail where a command fails on an environment, or prints what it may not."""
    for command, text in printed(prefix, other).items():
        is_json = "json" in command and "stderr" not in command and text
        assert_harmless(text, command if is_json else "text")
        if command.startswith("snapshot") and not is_json and "stderr" not in command:
            tomli.loads(text)


def report_of(prefix: Path) -> dict[str, str]:
    """Return all that could be printed of an environment, by format."""
    return shown(audited(prefix)[1], Project(".", {}))


def check(prefix: Path) -> Environment:
    """Fail where an environment makes the program fail, or say what it may not; return it."""
    environment, report = audited(prefix)
    for finding in report.findings:
        for span in (finding.span, *(related.span for related in finding.related)):
            assert span is None or 0 <= span.start <= span.end <= len(span.source.text), finding
        assert finding.message, finding.rule
        assert len(finding.message) < _LONGEST, finding.rule
    for form, text in shown(report, Project(".", {})).items():
        assert_harmless(text, form)
    return environment


def audited(prefix: Path, *, cache: bool = False) -> tuple[Environment, Report]:
    """Return an environment, and what the rules say of it."""
    environment = environment_of(str(prefix), str(prefix.parent), cache=cache)
    assert environment is not None
    around = Surroundings((), environment)
    return environment, audit_surroundings(around, Config(), "2026-01-01")
