"""Whether this machine is meant, and a GPU: what of the installations is built with a CUDA."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlenv.model.target import LOCAL, Target
from mlenv.reasoning.cuda_users import CudaUser, cuda_users
from mlenv.reasoning.setting import Setting


def gpu_user(settings: Iterable[Setting]) -> CudaUser | None:
    """Return something that is built with a CUDA; what is installed goes before what is declared.

    Args:
        settings: The installations.
    """
    by_life = sorted(settings, key=lambda one: one.live is None)
    return next((user for setting in by_life for user in cuda_users(setting)), None)


def is_meant_here(targets: Sequence[Target]) -> bool:
    """Whether the work is meant for this machine: no other one is named."""
    return not targets or any(target.name == LOCAL for target in targets)
