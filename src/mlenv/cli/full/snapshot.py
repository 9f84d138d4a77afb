"""The options of ``mlenv snapshot``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from mlenv.cli.full.options import Environment, EnvironmentPath, NoBinaries, NoCache, Output
from mlenv.cli.requests import SnapshotRequest


def snapshot(
    *,
    path: EnvironmentPath = ".",
    env: Environment = "auto",
    snapshot_format: Annotated[
        Literal["toml", "json"], typer.Option("--format", "-f", help="How to write it.")
    ] = "toml",
    output: Output = "",
    no_binaries: NoBinaries = False,
    no_cache: NoCache = False,
) -> SnapshotRequest:
    """Write down this machine and its environment."""
    return SnapshotRequest(
        path=path,
        env=env,
        format=snapshot_format,
        output=output,
        no_binaries=no_binaries,
        no_cache=no_cache,
    )
