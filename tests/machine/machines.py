"""Makes machines for tests of what a table describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlenv.model.machine import NO_DRIVER, Driver, GpuState, LibraryFolder, Machine, Toolkit


def machine_of(table: Mapping[str, Any]) -> Machine:
    """Return the machine that a table describes.

    Every key is an attribute of :class:`Machine` and optional; ``driver``, ``gpus``,
    ``library_folders``, ``home_nvcc`` and ``path_nvcc`` are tables of their attributes.
    """
    given = dict(table)
    gpus = [
        GpuState(**{**one, "capability": tuple(one.get("capability", (9, 0)))})
        for one in given.pop("gpus", ())
    ]
    folders = [
        LibraryFolder(one["path"], tuple(one["libraries"]), tuple(one["libraries"].values()))
        for one in given.pop("library_folders", ())
    ]
    known = {"version": "535.104.05"} if gpus else {"problem": NO_DRIVER}
    driver = _driver({**known, **given.pop("driver", {})})
    return Machine(
        **{
            "os": "linux",
            **given,
            "driver": driver,
            "gpus": tuple(gpus),
            "library_folders": tuple(folders),
            "home_nvcc": _toolkit(given.get("home_nvcc")),
            "path_nvcc": _toolkit(given.get("path_nvcc")),
        }
    )


def _driver(table: Mapping[str, Any]) -> Driver:
    known: dict[str, Any] = {"problem": "", **table}
    return Driver(**{**known, "silent": tuple(table.get("silent", ()))})


def _toolkit(table: Mapping[str, str] | None) -> Toolkit | None:
    return None if table is None else Toolkit(**table)
