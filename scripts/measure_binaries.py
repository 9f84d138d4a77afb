"""Measures what binaries tell of NumPy, and holds it against what their import really does.

Each release of ``tests/numpy_binaries.toml`` is installed by ``uv`` alone into a folder of its own
and its binaries are read; what they tell must be what is recorded. What came of its import beside
NumPy 2 stands in ``tests/numpy2_pairs.toml``, or, for releases that are not there, beside the
marks. With names as arguments only those packages are measured. ``--record`` writes what was
found; ``--import`` measures the import again as well, for the releases that only this file has.
The exit code is 1 where something is not as recorded.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import tomli
from measure_numpy2 import NUMPYS, PYTHON, RECORD, Smoke, measured

from mlenv.binaries.scan import read_binaries

MARKS = RECORD.with_name("numpy_binaries.toml")
_HEAD = """\
# What the binaries of releases tell of NumPy: how many there are (`read`), how many of them do not
# load beside NumPy 2 (`old`), the lowest NumPy that one of them names as its least (`minimum`), and
# how they reach NumPy (`kinds`). Python 3.11, Linux x86_64, 2026-11-21. What came of the import
# stands in numpy2_pairs.toml, or here for releases that are not there. Written by
# scripts/measure_binaries.py --record; test_numpy_binaries.py holds the verdicts to it.
"""


def main(arguments: Sequence[str]) -> int:
    """Measure the recorded releases of some packages, or of all; return the exit code."""
    names = [one for one in arguments if not one.startswith("--")]
    document = tomli.loads(MARKS.read_text("utf-8"))
    differ = 0
    for table in document["package"]:
        if names and table["name"] not in names:
            continue
        for row in table["releases"]:
            found = marks(table["name"], row["version"])
            if "imports" in table and "--import" in arguments:
                smoke = Smoke(
                    table["imports"], table.get("use", ""), tuple(table.get("beside", ()))
                )
                came = dict(measured(table["name"], row["version"], smoke))
                found.update({numpy: came[numpy][0] for numpy in NUMPYS})
            recorded = {key: row.get(key) for key in found}
            differ += found != recorded
            said = "as recorded" if found == recorded else f"recorded {recorded}"
            print(f"{table['name']} {row['version']}: {found}: {said}", flush=True)  # noqa: T201
            row.update(found)
    if "--record" in arguments:
        MARKS.write_text(_HEAD + "".join(map(_written, document["package"])), "utf-8")
    return int(differ > 0)


def marks(package: str, version: str) -> dict[str, Any]:
    """Return what the binaries of a release tell; nothing where it has no wheel."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--no-cache",
            "--python-version", PYTHON, "--target", folder, f"{package}=={version}",
        ]  # fmt: skip
        run = subprocess.run(command, capture_output=True, check=False, timeout=900)  # noqa: S603 - what the record names
        if run.returncode != 0:
            return {}
        found = read_binaries(folder, (".",), lambda _: package)
    uses = [one.numpy for one in found.files if one.numpy is not None]
    minimum = min((one.minimum for one in uses if one.minimum), key=_order, default="")
    return {
        "read": len(found.files),
        "old": sum(one.old for one in uses),
        "minimum": minimum,
        "kinds": sorted({one.kind for one in uses}),
    }


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _written(table: dict[str, Any]) -> str:
    lines = [
        "",
        "[[package]]",
        *(f"{key} = {_toml(table[key])}" for key in table if key != "releases"),
    ]
    lines.append("releases = [")
    for row in table["releases"]:
        pairs = (f"{_key(key)} = {_toml(value)}" for key, value in row.items())
        lines.append(f"    {{ {', '.join(pairs)} }},")
    return "\n".join([*lines, "]", ""])


def _key(key: str) -> str:
    return f'"{key}"' if "." in key else key


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value) if isinstance(value, int) else f'"{value}"'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
