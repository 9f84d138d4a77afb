"""Configurations of models: which release of a library wrote them.

Source: the files that transformers (``config.json``, ``generation_config.json``), PEFT
(``adapter_config.json``) and diffusers (``model_index.json``, ``config.json``) save.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from mlenv.model.usage import Saved
from mlenv.project.decode import decode
from mlenv.project.files import Tree, Unreadable

_NAMES = frozenset(
    ("config.json", "generation_config.json", "adapter_config.json", "model_index.json")
)
_PACKAGES = {
    "transformers_version": "transformers",
    "peft_version": "peft",
    "_diffusers_version": "diffusers",
}
_KEY = re.compile(
    r'"(?P<key>transformers_version|peft_version|_diffusers_version)"\s*:\s*"(?P<version>[^"\s]+)"'
)
_MOST = 50
_LARGEST = 1 << 18
"""In bytes; these files have some hundred lines."""


def read_models(
    tree: Tree, paths: Sequence[str], leaves_out: Callable[[str], bool]
) -> Iterator[Saved]:
    """Yield what the configurations of models say of who wrote them.

    Args:
        tree: Reads the files.
        paths: Files that may be some, relative to the root; the first fifty are read.
        leaves_out: Whether a file does not count.
    """
    named = [path for path in paths if path.rpartition("/")[2] in _NAMES]
    for path in named[:_MOST]:
        data = tree.read_bytes(path, limit=_LARGEST)
        if isinstance(data, Unreadable) or b"_version" not in data or leaves_out(path):
            continue
        text = decode(path, data)
        for match in _KEY.finditer(text.text):
            span = text.span(*match.span("version"))
            yield Saved(_PACKAGES[match["key"]], match["version"], span)
