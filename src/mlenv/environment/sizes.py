"""How much of the disk each distribution takes, by the sizes in its ``RECORD``."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlenv.environment.disk import place_of, read_bytes
from mlenv.model.environment import DIST_INFO, Environment

_MOST_BYTES = 64 << 20


def sizes_of(environment: Environment) -> Mapping[str, int]:
    """Return bytes by canonical name, of those distributions whose records tell sizes.

    Args:
        environment: What is installed.

    Source: Recording installed projects, "The RECORD file".
    """
    found = {}
    for one in environment.distributions.values():
        if one.form != DIST_INFO:
            continue
        folder = place_of(one.location, environment.prefix, environment.home)
        data = read_bytes(os.path.join(folder, "RECORD"), _MOST_BYTES)
        if data:
            lasts = (line.rpartition(b",")[2] for line in data.splitlines())
            found[one.name] = sum(int(last[:15]) for last in lasts if last.isdigit())
    return found
