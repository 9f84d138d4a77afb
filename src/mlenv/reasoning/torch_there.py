"""The torch that a companion meets: its version and build, and whether anything states them."""

from __future__ import annotations

from mlenv.model.finding import Certainty
from mlenv.reasoning.domains import dependencies
from mlenv.reasoning.torch_build import BASE_IMAGE, TORCH, TorchBuild, torch_build
from mlenv.records import dataclass
from mlenv.versions.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.model.text import Span
    from mlenv.reasoning.choice import Choice
    from mlenv.reasoning.setting import Setting


@dataclass(frozen=True, slots=True, eq=False)
class TorchThere:
    """The torch of an installation.

    Attributes:
        version: Its version.
        certainty: Whether it is stated, or picked on the day.
        build: Its build.
        span: The place that stands for it.
        is_stated: Whether the installation asks for torch, or leaves one version of it only: else
            it may be there already, in whatever version.
        is_conda: Whether conda installs it.
    """

    version: Version
    certainty: Certainty
    build: TorchBuild
    span: Span
    is_stated: bool
    is_conda: bool

    @property
    def minor(self) -> str:
        """Major and minor, such as ``2.4``."""
        return ".".join(map(str, (*self.version.release, 0)[:2]))

    @property
    def cuda_major(self) -> str | None:
        """The CUDA major of its build; empty for a build without; None where it is not known."""
        cuda = self.build.cuda
        return None if cuda is None else cuda.partition(".")[0]


def torch_there(setting: Setting) -> TorchThere | None:
    """Return the torch of an installation; None where it has none, or its version is not known."""
    build = torch_build(setting)
    if build is None or build.version is None:
        return None
    choice = setting.choices.get(TORCH)
    pinned = choice is not None and choice.exact is not None
    in_image = build.known_by == BASE_IMAGE
    domain = setting.domain(TORCH) if not pinned and not in_image else None
    is_single = domain is not None and len(domain) == 1
    certain = pinned or in_image or is_single
    return TorchThere(
        build.version,
        Certainty.CERTAIN if certain else Certainty.FRESH_INSTALL,
        build,
        build.span,
        choice is not None or certain,
        choice is not None and choice.is_conda,
    )


def has_release_for(setting: Setting, asked: Choice, torch: Version) -> bool:
    """Return whether a release of a companion that goes with a torch is among what is asked for.

    Args:
        setting: The installation.
        asked: The companion.
        torch: The version of torch.
    """
    for release in setting.knowledge.releases.of(asked.name):
        if not asked.versions.admits(release.version):
            continue
        required = dependencies(setting, asked.name, release.version) or ()
        if any(one.name == TORCH and one.text and one.versions.admits(torch) for one in required):
            return True
    return False
