"""The machines that an audit judges for and the code beside it, read from no project's disk."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING

from machine_samples import OTHER_PATHS, WELL_KNOWN

from mlenv.errors import UsageError
from mlenv.machine.inline import read_inline
from mlenv.machine.snapshot import read_snapshot
from mlenv.project.code.models import read_models
from mlenv.project.code.search import Search
from mlenv.project.files import Tree, Unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from random import Random

    from mlenv.model.target import Target
    from mlenv.model.usage import Saved, Use


def described(kind: str, data: bytes) -> list[Target]:
    """Return the target that a file or a text describes; none where it is refused."""
    try:
        if kind == "target-inline":
            target = read_inline(os.fsdecode(data).replace("\0", ""))
        else:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, OTHER_PATHS[kind])
                with open(path, "wb") as file:
                    file.write(data)
                target = read_snapshot(path, OTHER_PATHS[kind])
    except UsageError:
        return []
    spans = [target.span, *target.spans.values()]
    spans += target.installed.spans.values() if target.installed else ()
    for span in spans:
        assert 0 <= span.start <= span.end <= len(span.source.text), (kind, span)
    return [target]


def any_machine(rng: Random) -> bytes:
    """Return a machine with some GPU and driver, where some well-known things are installed."""
    machine = {
        "os": rng.choice(("linux", "linux", "windows", "macos")),
        "python": f"3.{rng.randrange(6, 15)}",
        "driver": f"{rng.choice((390, 418, 450, 470, 525, 535, 550, 580))}.{rng.randrange(200)}",
        "gpus": [f"{rng.randrange(1, 9)}x{rng.choice(('K80', 'T4', 'A100', 'H100', 'B200'))}"],
        "glibc": f"2.{rng.randrange(17, 40)}",
        "cuda_toolkit": rng.choice(("10.2", "11.3", "11.8", "12.1", "12.8", "13.0")),
        "builds_extensions": True,
        "wants_gpu": rng.random() < 0.5,
    }
    pins = [one.split("==") for one in rng.sample(WELL_KNOWN, 12) if one.count("==") == 1]
    packages = {name.partition("[")[0]: version for name, version in pins}
    stated = rng.sample(sorted(machine), rng.randrange(1, len(machine)))
    document: dict[str, object] = {"machine": {key: machine[key] for key in stated}}
    if rng.random() < 0.7:
        document["environment"] = {"packages": packages, "complete": rng.random() < 0.5}
    return json.dumps(document).encode()


class _Memory(Tree):
    """Files that lie on no disk."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(".")
        self._files = files

    def read_bytes(self, path: str, *, limit: int) -> bytes | Unreadable:
        data = self._files[path]
        return data if len(data) <= limit else Unreadable("too large")


class MemoryCode:
    """The code of a project; see :class:`mlenv.model.usage.Code`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._tree = _Memory(files)
        self._every = sorted(files)

    @property
    def paths(self) -> Sequence[str]:
        return [path for path in self._every if not path.endswith(".json")]

    def uses(self, names: Collection[str]) -> Mapping[str, Sequence[Use]]:
        found = Search(self._tree, self.paths, lambda _path: False).run(names)
        for name, uses in found.items():
            for use in uses:
                assert 0 <= use.span.start < use.span.end <= len(use.span.source.text), use
                keyword = name.partition(":")[2]
                assert keyword in use.span.text or use.span.path.endswith(".ipynb"), use
        return {name: uses for name, uses in found.items() if uses}

    @property
    def saved(self) -> Sequence[Saved]:
        others = [path for path in self._every if path.endswith(".json")]
        found = tuple(read_models(self._tree, others, lambda _path: False))
        assert all(one.span.text == one.version for one in found)
        return found
