"""Compose files to the model: the images of services, and which of them want a GPU.

Source: the Compose file reference, "Services" and "GPU support".
"""

from __future__ import annotations

from collections.abc import Iterator

from mlenv.model.source import CONTEXT, Source, Statement
from mlenv.project.images.references import stage
from mlenv.project.yaml_nodes import Node, Sequence, read_yaml
from mlenv.project.yaml_values import member, members, scalar, scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.image import Stage
    from mlenv.model.text import SourceText
    from mlenv.project.yaml_nodes import Scalar


def read(text: SourceText) -> Source:
    """Read a Compose file; never fails.

    Of a service that builds its image, ``image`` names what is built; it gives no stage.
    """
    document = read_yaml(text)
    stages: dict[int, Stage] = {}
    statements: dict[int, Statement] = {}
    for _, service in members(member(document.mapping, "services")):
        image = scalar(member(service, "image"))
        known = image is None or image.span.start in stages
        if image is not None and not known and member(service, "build") is None:
            stages[image.span.start] = stage(image.value, image.fragment.whole, {})
        for value in _gpus(service):
            place = value.fragment.whole
            statements[value.span.start] = Statement("gpu", value.value, place)
    return Source(
        text,
        "compose",
        CONTEXT,
        problems=document.problems,
        statements=tuple(statements.values()),
        stages=tuple(stages.values()),
    )


def _gpus(service: Node) -> Iterator[Scalar]:
    """Yield the values by which a service asks for a GPU."""
    for node in (member(service, "runtime"), member(service, "gpus")):
        value = scalar(node)
        if value is not None and value.value in ("nvidia", "all"):
            yield value
    devices = member(service, "deploy", "resources", "reservations", "devices")
    for device in devices.items if isinstance(devices, Sequence) else ():
        driver = scalar(member(device, "driver"))
        able = [one for one in scalars(member(device, "capabilities")) if one.value == "gpu"]
        if driver is not None and driver.value == "nvidia":
            yield driver
        else:
            yield from able[:1]
