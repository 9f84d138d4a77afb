"""MLproject: the environment that an MLflow project runs in.

Source: MLflow's documentation, "MLflow Projects", "Project Environments".
"""

from __future__ import annotations

from mlenv.model.image import Stage
from mlenv.model.source import Include, Source
from mlenv.project.collect import is_template
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlenv.model.text import SourceText

KIND = "mlproject"
_FILES = ("python_env", "conda_env")


def read(text: SourceText) -> Source:
    """Read an MLproject; never fails."""
    document = read_yaml(text)
    root = document.mapping
    return Source(
        text,
        KIND,
        problems=document.problems,
        includes=tuple(_files(root)) if root is not None else (),
        stages=tuple(_image(root.get("docker_env"))) if root is not None else (),
    )


def _files(root: Mapping) -> Iterator[Include]:
    for key in _FILES:
        value = root.get(key)
        if isinstance(value, Scalar) and not value.is_null:
            # the file named is in a format of its own, which is told by its name and content
            yield Include(value.value, value.fragment.whole, anywhere=True)


def _image(value: Node | None) -> Iterator[Stage]:
    image = value.get("image") if isinstance(value, Mapping) else None
    if isinstance(image, Scalar) and not image.is_null:
        yield Stage(image.value, image.fragment.whole, is_complete=not is_template(image.value))
