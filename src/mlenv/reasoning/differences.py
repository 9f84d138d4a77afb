"""What differs between two machines with their environments, and what that can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlenv.knowledge.torch import cuda_of_label
from mlenv.model.difference import DECISIVE, LIKELY, MINOR, WEIGHTS, Difference
from mlenv.model.target import Capability, Target
from mlenv.reasoning.standing import COMPANIONS
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlenv.knowledge import Knowledge

_PYTORCH = "PyTorch's documentation, Reproducibility"
_SEMANTICS = "PyTorch's documentation, CUDA semantics"
_CUBLAS = "NVIDIA, cuBLAS, Results Reproducibility"
_NEP50 = "NumPy, NEP 50"
_TF32 = (8, 0)
"""The first compute capability with TF32."""


def differences(left: Target, right: Target, knowledge: Knowledge) -> tuple[Difference, ...]:
    """Return what differs between two machines, first what surrounds the packages.

    What one of them does not state is not known, and is no difference. A package is missing only
    where all that is installed is known.

    Args:
        left: The first machine.
        right: The second.
        knowledge: Tells frameworks and tools apart from the rest.
    """
    found = [
        *_python(left, right),
        *_torch(left, right),
        *_cuda(left, right),
        *_driver(left, right),
        *_gpus(left, right),
        *_numpy(left, right),
        *_blas(left, right),
        *_system(left, right),
    ]
    told = {one.key for one in found} | {"torch", "numpy"}
    return (*found, *sorted(_packages(left, right, told, knowledge), key=_order))


def _order(one: Difference) -> tuple[int, int, int, str]:
    place = COMPANIONS.index(one.key) if one.key in COMPANIONS else len(COMPANIONS)
    return WEIGHTS.index(one.weight), place, one.change != "changed", one.key


def _release(text: str) -> tuple[int, ...]:
    version = parse_version(text)
    return (*version.release, 0, 0)[:3] if version is not None else ()


def _version(target: Target, name: str) -> str:
    return target.installed.packages.get(name, "") if target.installed is not None else ""


def _python(left: Target, right: Target) -> Iterator[Difference]:
    one, other = left.python, right.python
    if not one or not other or one == other:
        return
    is_short = min(one.count("."), other.count(".")) < 2
    is_minor = _release(one)[:2] == _release(other)[:2]
    if is_minor and is_short:  # the patch of one is not known
        return
    if is_minor:
        reason = "another patch of Python: fixes, seldom another result"
        yield Difference("python", "Python", one, other, MINOR, reason)
    else:
        reason = "another minor Python: other wheels get installed, and the language differs"
        yield Difference("python", "Python", one, other, DECISIVE, reason)


def _torch(left: Target, right: Target) -> Iterator[Difference]:
    one, other = _version(left, "torch"), _version(right, "torch")
    if one == other or left.installed is None or right.installed is None:
        return
    if not one or not other:
        missing = left.installed if not one else right.installed
        if missing.complete:
            yield Difference("torch", "torch", one, other, DECISIVE, "only one of them has torch")
        return
    if one.partition("+")[0] == other.partition("+")[0]:
        if "+" in one and "+" in other:  # else the build of one is not known
            reason = "another build of torch, with other libraries for the GPU"
            yield Difference("torch", "torch", one, other, DECISIVE, reason, _PYTORCH)
    elif _release(one)[:2] == _release(other)[:2]:
        reason = "another patch of torch, which does not promise the same results"
        yield Difference("torch", "torch", one, other, LIKELY, reason, _PYTORCH)
    else:
        reason = "another minor torch: kernels and defaults change from release to release"
        yield Difference("torch", "torch", one, other, DECISIVE, reason, _PYTORCH)


def _cuda(left: Target, right: Target) -> Iterator[Difference]:
    one, other = _torch_cuda(left), _torch_cuda(right)
    if one and other and one != other:
        shown = ["without CUDA" if text == "none" else text for text in (one, other)]
        reason = "another CUDA brings other cuBLAS and cuDNN, which may sum in another order"
        if "none" in (one, other):
            reason = "one of them computes on the CPU only"
        title = "CUDA of torch"
        yield Difference("cuda", title, shown[0], shown[1], DECISIVE, reason, _CUBLAS)
    for key, title in (("cuda_toolkit", "nvcc"), ("cudnn", "cuDNN of the system")):
        one, other = getattr(left, key), getattr(right, key)
        if one and other and one != other:
            yield Difference(key, title, one, other, MINOR, "it counts where CUDA is compiled")


def _torch_cuda(target: Target) -> str:
    installed = target.installed
    if installed is None:
        return ""
    label = installed.packages.get("torch", "").partition("+")[2]
    told = cuda_of_label(label) if label else None
    return installed.torch_cuda or ("none" if told == "" else told or "")


def _driver(left: Target, right: Target) -> Iterator[Difference]:
    one, other = left.driver, right.driver
    if not (one or left.gpus or left.driver_cuda) or not (other or right.gpus or right.driver_cuda):
        return
    if one and other and one != other:
        is_branch = one.partition(".")[0] != other.partition(".")[0]
        reason = "the driver decides which CUDA runs, and compiles kernels that a build lacks"
        weight = LIKELY if is_branch else MINOR
        yield Difference("driver", "driver", one, other, weight, reason if is_branch else "")
    elif left.driver_cuda and right.driver_cuda and left.driver_cuda != right.driver_cuda:
        pair = left.driver_cuda, right.driver_cuda
        yield Difference("driver_cuda", "CUDA of the driver", *pair, LIKELY)


def _gpus(left: Target, right: Target) -> Iterator[Difference]:
    one, other = _gpu_text(left), _gpu_text(right)
    if one == other:
        return
    if not one or not other:
        # an empty list says that there is none; no word of GPUs says nothing
        if "gpus" in (right if one else left).spans:
            reason = "only one of them has a GPU"
            yield Difference("gpu", "GPU", one, other, DECISIVE, reason)
        return
    pairs = _capabilities(left), _capabilities(right)
    if pairs[0] == pairs[1]:
        same = {gpu.name for gpu in left.gpus} == {gpu.name for gpu in right.gpus}
        reason = "another number of GPUs: batches and sums are split in another way"
        if not same:
            reason = "the same kernels on another number of multiprocessors may sum otherwise"
        yield Difference("gpu", "GPU", one, other, LIKELY, reason, _CUBLAS)
        return
    reason = "another compute capability: other kernels run"
    source = _CUBLAS
    if all(pairs) and (min(pairs[0]) < _TF32) != (min(pairs[1]) < _TF32):
        reason += ", and from 8.0 on cuDNN computes float32 convolutions in TF32 by default"
        source = _SEMANTICS
    yield Difference("gpu", "GPU", one, other, DECISIVE, reason, source)


def _gpu_text(target: Target) -> str:
    """Return the GPUs in as few words as tell them apart."""
    said = []
    for one in target.gpus:
        name = one.name.removeprefix("NVIDIA ")
        shown = ".".join(map(str, one.capability)) if one.capability else ""
        text = f"{name} ({shown})" if name and shown else name or f"compute capability {shown}"
        said.append(f"{one.count} x {text}" if one.count > 1 else text)
    return ", ".join(said)


def _capabilities(target: Target) -> frozenset[Capability]:
    return frozenset(one.capability for one in target.gpus if one.capability is not None)


def _numpy(left: Target, right: Target) -> Iterator[Difference]:
    one, other = _version(left, "numpy"), _version(right, "numpy")
    if not one or not other or one == other:
        return
    if _release(one)[:1] != _release(other)[:1]:
        reason = "NumPy 2 promotes types by other rules, and binaries for NumPy 1 fail beside it"
        yield Difference("numpy", "NumPy", one, other, DECISIVE, reason, _NEP50)
    else:
        yield Difference("numpy", "NumPy", one, other, LIKELY)


def _blas(left: Target, right: Target) -> Iterator[Difference]:
    one = left.installed.blas if left.installed is not None else ""
    other = right.installed.blas if right.installed is not None else ""
    if not one or not other or one == other:
        return
    is_other = one.partition(" ")[0] != other.partition(" ")[0]
    reason = "another BLAS sums in another order, so that last digits differ" if is_other else ""
    yield Difference("blas", "BLAS", one, other, LIKELY if is_other else MINOR, reason)


def _system(left: Target, right: Target) -> Iterator[Difference]:
    fields = (
        ("os", "system", DECISIVE, "other wheels get installed on another system"),
        ("arch", "processor", DECISIVE, "other wheels get installed on another processor"),
        ("glibc", "glibc", MINOR, "wheels may need a newer one than there is"),
        ("image_cuda", "CUDA of the image", LIKELY, ""),
    )
    for key, title, weight, reason in fields:
        one, other = getattr(left, key), getattr(right, key)
        if one and other and one != other:
            yield Difference(key, title, one, other, weight, reason)


def _packages(
    left: Target, right: Target, told: set[str], knowledge: Knowledge
) -> Iterator[Difference]:
    if left.installed is None or right.installed is None:
        return
    has_all = left.installed.complete, right.installed.complete
    for one, other in (
        (left.installed.packages, right.installed.packages),
        (left.installed.conda_packages, right.installed.conda_packages),
    ):
        for name in sorted({*one, *other} - told):
            pair = one.get(name, ""), other.get(name, "")
            if pair[0] == pair[1] or (not pair[0] and not has_all[0]):
                continue
            if not pair[1] and not has_all[1]:
                continue
            told.add(name)
            yield _package(name, pair, knowledge)
    yield from _origins(left.installed.origins, right.installed.origins, told)


def _package(name: str, pair: tuple[str, str], knowledge: Knowledge) -> Difference:
    weight, reason = MINOR, ""
    if name in COMPANIONS or knowledge.is_framework(name):
        weight, reason = LIKELY, "a framework's version decides what a model computes"
    elif not knowledge.is_tool(name) and all(pair) and _is_major(*pair):
        weight, reason = LIKELY, "another major version"
    return Difference(name, name, pair[0], pair[1], weight, reason, "", True)


def _is_major(one: str, other: str) -> bool:
    """Whether versions differ in their first number; in their second one where that is 0."""
    depth = 2 if _release(one)[:1] == (0,) else 1
    return _release(one)[:depth] != _release(other)[:depth]


def _origins(
    left: Mapping[str, str], right: Mapping[str, str], told: set[str]
) -> Iterator[Difference]:
    for name in sorted({*left, *right} - told):
        one, other = left.get(name, "an index"), right.get(name, "an index")
        if one != other:
            reason = "the same version from another place need not be the same code"
            shown = f"from {one}", f"from {other}"
            yield Difference(name, name, *shown, LIKELY, reason, "", True)
