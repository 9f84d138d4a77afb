"""Topics ``driver`` and ``gpu-arch``: whether this machine's GPUs can be reached at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlenv.model.finding import Certainty, Evidence, Finding, Severity
from mlenv.model.machine import (
    CRASHED,
    HANGS,
    LOST,
    MISMATCH,
    NO_DRIVER,
    NO_PERMISSION,
    NOT_ASKED,
    GpuState,
    Machine,
)
from mlenv.model.machine_text import where
from mlenv.model.target import Target
from mlenv.phrases import counted
from mlenv.reasoning.gpu_wanted import gpu_user, is_meant_here
from mlenv.reasoning.machine_fit import is_newer
from mlenv.reasoning.setting import Setting
from mlenv.rules.base import rule

_NVML = "NVML, NVIDIA's management library, on this machine"
_GUIDE = 'NVIDIA, "NVML API Reference Guide", nvmlReturn_t'


@rule("DRV006", "driver-library-mismatch", topic="driver", severity=Severity.ERROR)
def driver_library_mismatch(
    machine: Machine, settings: Sequence[Setting], targets: Sequence[Target]
) -> Iterator[Finding]:
    """The library of NVIDIA's driver is of another version than the driver in the kernel.

    An update of the driver replaces its libraries at once, while the kernel keeps the old module
    until it is loaded anew; a container keeps the libraries that it was started with when its host
    is updated. Until that is mended no program can use the GPUs, and torch only says that CUDA is
    not available. Nothing has to be installed: a restart brings both together. Found where
    something that is declared or installed is built with CUDA.

    Messages that users see: "Failed to initialize NVML: Driver/library version mismatch", "CUDA
    initialization: Unexpected error from cudaGetDeviceCount()", "system has unsupported display
    driver / cuda driver combination".

    Bad:
        # the kernel runs 535.104.05, the library is libnvidia-ml.so.550.54.15
        torch==2.5.1

    Good:
        # after a restart both are 550.54.15
        torch==2.5.1
    """
    driver = machine.driver
    user = gpu_user(settings) if driver.problem == MISMATCH and is_meant_here(targets) else None
    if user is None:
        return
    pair = "the driver's library is of another version than its module in the kernel"
    if driver.kernel_version and driver.library_version:
        pair = f"the library is {driver.library_version}, the kernel has {driver.kernel_version}"
    yield Finding(
        f"driver/library version mismatch: {pair}, and {user.shown} cannot use the GPUs",
        where(machine, "driver"),
        (user.name,),
        help=_after_update(machine),
        evidence=(
            Evidence(f"the driver says: {driver.said}", _NVML),
            Evidence("the library works with the module of its own version alone", _GUIDE),
        ),
    )


def _after_update(machine: Machine) -> str:
    version = machine.driver.kernel_version
    if machine.container:
        whose = f" of driver {version}" if version else ""
        return f"restart the container, so that it is given the libraries{whose} of its host"
    return (
        "restart the machine, or unload the kernel's modules (nvidia_uvm, nvidia_drm, "
        "nvidia_modeset, nvidia) and load them again while nothing uses the GPUs"
    )


@rule("DRV007", "gpu-does-not-answer", topic="driver", severity=Severity.WARNING)
def gpu_does_not_answer(
    machine: Machine, settings: Sequence[Setting], targets: Sequence[Target]
) -> Iterator[Finding]:
    """An NVIDIA driver that is there and does not answer, or a GPU that it has lost.

    Programs then run as if there were no GPU, or hang. What helps depends on what the driver says:
    a GPU that fell off the bus needs a reset or a restart, missing rights a group or a container's
    option, a container that lost its devices a restart. A note where nothing is built with CUDA.

    Messages that users see: "Unable to determine the device handle for GPU 0000:3B:00.0: GPU is
    lost", "GPU has fallen off the bus", "Failed to initialize NVML: Unknown Error", "Failed to
    initialize NVML: Insufficient Permissions", "NVIDIA-SMI has failed because it couldn't
    communicate with the NVIDIA driver".

    Bad:
        # nvidia-smi hangs
        torch==2.5.1

    Good:
        # nvidia-smi lists every GPU of the machine
        torch==2.5.1
    """
    driver = machine.driver
    # what a container sees of its host's kernel says nothing of a GPU
    if driver.problem in (MISMATCH, NOT_ASKED, NO_DRIVER) or not is_meant_here(targets):
        return
    said = next(filter(None, (driver.said, *driver.silent)), driver.problem)
    if driver.problem:
        message = _UNANSWERED.get(driver.problem, f"the driver does not answer: {said}")
    elif driver.silent:
        gpus = counted(len(driver.silent), "GPU")
        message = f"the driver cannot reach {gpus} of this machine: {said}"
    else:
        return
    user = gpu_user(settings)
    yield Finding(
        message,
        where(machine, "driver" if driver.problem else "silent gpu 0"),
        (user.name,) if user else (),
        None if user else Severity.NOTE,
        help=_unanswered_help(machine),
        evidence=(Evidence(f"the driver says: {said}", _NVML),),
    )


_UNANSWERED = {
    HANGS: "the driver is there and does not answer: it hangs",
    CRASHED: "the driver's library ends the process that asks it",
    LOST: "the driver has lost the GPU",
    NO_PERMISSION: "the driver may not be used by this user",
}


def _unanswered_help(machine: Machine) -> str:
    problem = machine.driver.problem
    if problem == NO_PERMISSION:
        return (
            "run with rights on /dev/nvidia*: the group that owns them, or the container's option "
            "for GPUs"
        )
    if machine.container and problem not in (HANGS, LOST, ""):
        return (
            "restart the container: it loses /dev/nvidia* when systemd reloads the units of its "
            "host, unless the devices are named at its start"
        )
    if problem in (LOST, HANGS, ""):
        return (
            "look for Xid messages in the kernel's log, reset the GPU (nvidia-smi --gpu-reset) or "
            "restart the machine; where it comes back, look at power, heat and the slot"
        )
    return "see whether nvidia-smi answers, and install the driver again where it does not"


@rule("DRV008", "gpu-memory-errors", topic="driver", severity=Severity.WARNING)
def gpu_memory_errors(machine: Machine, targets: Sequence[Target]) -> Iterator[Finding]:
    """A GPU that counted memory errors which could not be corrected.

    A program that met one was ended, and where rows of the memory wait to be replaced that happens
    at the next reset alone. A row that could not be replaced means that the GPU must be. A note
    where the errors are older than the driver's start and nothing is pending.

    Messages that users see: "CUDA error: uncorrectable ECC error encountered", "Xid 48", "Xid 63",
    "Xid 64", "Xid 94", "Xid 95".

    Bad:
        # nvidia-smi -q: Remapped Rows, Pending: Yes
        torch==2.5.1

    Good:
        # after a reset of the GPU: Pending: No
        torch==2.5.1
    """
    for at, gpu in enumerate(machine.gpus if is_meant_here(targets) else ()):
        said = _memory_trouble(gpu)
        if said:
            words, severity, advice = said
            yield Finding(
                f"GPU {at} ({gpu.name}) {words}",
                where(machine, f"gpu {at}"),
                severity=severity,
                help=advice,
                evidence=(
                    Evidence(f"the driver says that it {words}", _NVML),
                    Evidence(
                        "rows that are to be replaced are replaced when the GPU is reset",
                        'NVIDIA, "GPU Memory Error Management"',
                    ),
                ),
                batch=advice,
                batch_message="{count} GPUs have memory errors or rows that wait to be replaced",
            )


def _memory_trouble(gpu: GpuState) -> tuple[str, Severity, str] | None:
    """Return what is wrong with a GPU's memory, how bad it is, and what to do."""
    errors = counted(gpu.recent_ecc_errors or 0, "uncorrected memory error")
    reset = "end what runs on the GPU and reset it (nvidia-smi --gpu-reset), or restart the machine"
    if gpu.is_failing:
        words = "has a memory row that could not be replaced"
        return words, Severity.WARNING, "have the GPU replaced, and do not train on it until then"
    if gpu.retired:
        return "has memory rows that wait to be replaced", Severity.WARNING, reset
    if gpu.recent_ecc_errors:
        return f"counted {errors} since its driver was loaded", Severity.WARNING, reset
    if gpu.ecc_errors:
        errors = counted(gpu.ecc_errors, "uncorrected memory error")
        advice = "nothing has to be done unless the number grows"
        return f"counted {errors} in its life", Severity.NOTE, advice
    return None


@rule("DRV009", "forward-compatibility-here", topic="driver", severity=Severity.WARNING)
def forward_compatibility_here(machine: Machine, targets: Sequence[Target]) -> Iterator[Finding]:
    """A newer libcuda of CUDA's forward compatibility, before the driver's own, on another GPU.

    NVIDIA's images for CUDA hold a libcuda in a folder ``compat`` that lets a newer CUDA run on an
    older driver. That is for GPUs of data centres; on a GeForce it ends every program that starts
    CUDA, while the driver's own library would have worked or told what is missing.

    Messages that users see: "Error 804: forward compatibility was attempted on non supported HW".

    Bad:
        # a GeForce RTX 4090 with driver 535.104.05
        LD_LIBRARY_PATH=/usr/local/cuda-12.4/compat

    Good:
        # a GeForce RTX 4090 with driver 550.54.15
        LD_LIBRARY_PATH=
    """
    own, newer = machine.driver.version, machine.compat_version
    others = [gpu for gpu in machine.gpus if "geforce" in gpu.name.lower()]
    is_told = own and newer and others and is_meant_here(targets)
    if not is_told or not is_newer(newer, own):
        return
    yield Finding(
        f"libcuda {newer} of the forward compatibility package in {machine.compat_folder} goes "
        f"before that of driver {own}, and {others[0].name} does not support that",
        where(machine, "forward compatibility"),
        certainty=Certainty.CERTAIN,
        help=(
            f"take {machine.compat_folder} out of the loader's path, and use an image whose CUDA "
            "the driver serves, or a newer driver"
        ),
        evidence=(
            Evidence(
                "forward compatibility is for GPUs of data centres and a few workstations",
                'NVIDIA, "CUDA Compatibility"',
            ),
            Evidence(f"the machine has {others[0].name}", _NVML),
        ),
    )


@rule("GPU004", "no-gpu-left", topic="gpu-arch", severity=Severity.NOTE)
def no_gpu_left(
    machine: Machine, settings: Sequence[Setting], targets: Sequence[Target]
) -> Iterator[Finding]:
    """Every GPU of the machine is hidden from programs, or divided and no part was made.

    ``CUDA_VISIBLE_DEVICES`` that is empty, ``-1`` or names a GPU that is not there hides them all;
    a shell or a job's script may have left it so. With MIG switched on a GPU computes nothing until
    instances are made on it: that is a warning where something is built with CUDA.

    Messages that users see: "RuntimeError: No CUDA GPUs are available", "CUDA error: no
    CUDA-capable device is detected", "RuntimeError: CUDA error: invalid device ordinal".

    Bad:
        CUDA_VISIBLE_DEVICES=-1

    Good:
        CUDA_VISIBLE_DEVICES=0
    """
    if not machine.gpus or not is_meant_here(targets):
        return
    count = counted(len(machine.gpus), "GPU")
    if not machine.visible:
        yield Finding(
            f"CUDA_VISIBLE_DEVICES={machine.visible_devices} hides {count} from every program",
            where(machine, "CUDA_VISIBLE_DEVICES"),
            help="unset it, or name the GPUs that are meant",
            evidence=(
                Evidence(
                    "of the GPUs named there only those before the first that is missing count",
                    'NVIDIA, "CUDA C++ Programming Guide", CUDA environment variables',
                ),
            ),
        )
    elif all(gpu.mig and not gpu.instances for gpu in machine.visible):
        user = gpu_user(settings)
        yield Finding(
            "MIG is on and no instance was made: no program can compute on the GPU",
            where(machine, "gpu 0"),
            severity=Severity.WARNING if user else Severity.NOTE,
            help="make instances (nvidia-smi mig -cgi … -C), or switch MIG off (nvidia-smi -mig 0)",
            evidence=(
                Evidence(
                    "without GPU and compute instances no CUDA program runs on a GPU in MIG mode",
                    'NVIDIA, "Multi-Instance GPU User Guide"',
                ),
            ),
        )
