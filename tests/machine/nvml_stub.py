"""A libnvidia-ml.so.1 that says what a test wants, for the real nvidia-ml-py to load."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from mlenv.model.machine import GpuState

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = GpuState("")
COMPILER = shutil.which("gcc") or shutil.which("cc")

_SOURCE = """\
#include <string.h>
#include <unistd.h>
#include <stdlib.h>

static const char *names[] = {NAMES};
static const int majors[] = {MAJORS};
static const int minors[] = {MINORS};

int nvmlInitWithFlags(unsigned flags) { BEFORE; return INIT; }
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int result) {
    switch (result) {
    case 4: return "Insufficient Permissions";
    case 9: return "Driver Not Loaded";
    case 15: return "GPU is lost";
    case 18: return "Driver/library version mismatch";
    }
    return "Unknown Error";
}
int nvmlSystemGetDriverVersion(char *text, unsigned length) {
    strncpy(text, DRIVER, length);
    return 0;
}
int nvmlSystemGetCudaDriverVersion(int *number) { *number = CUDA; return CUDA ? 0 : 3; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = COUNT; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    if (index == LOST) return 15;
    *device = (void *)(size_t)(index + 1);
    return 0;
}
int nvmlDeviceGetName(void *device, char *text, unsigned length) {
    strncpy(text, names[(size_t)device - 1], length);
    return 0;
}
int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *sizes) {
    sizes[0] = MEMORY;
    sizes[1] = MEMORY - USED;
    sizes[2] = USED;
    return MEMORY ? 0 : 3;
}
int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *next) {
    *now = *next = MIG;
    return MIG < 0 ? 3 : 0;
}
int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *count) { *count = 7; return 0; }
int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **part) {
    *part = device;
    return index < PARTS ? 0 : 6;
}
int nvmlDeviceGetTotalEccErrors(
    void *device, int kind, int counter, unsigned long long *count
) {
    *count = kind != 1 ? 1000 : counter == 0 ? RECENT : ERRORS;
    return ERRORS < 0 ? 3 : 0;
}
int nvmlDeviceGetRemappedRows(
    void *device, unsigned *corrected, unsigned *uncorrected, unsigned *waiting, unsigned *failed
) {
    *corrected = *uncorrected = 0;
    *waiting = WAITING;
    *failed = FAILED;
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
    *major = majors[(size_t)device - 1];
    *minor = minors[(size_t)device - 1];
    return 0;
}
"""


def build(
    folder: Path,
    *gpus: tuple[str, int, int],
    driver: str = "535.104.05",
    cuda: int = 12020,
    init: int = 0,
    before: str = "",
    lost: int = -1,
    state: GpuState = PLAIN,
) -> str:
    """Compile the library and return its folder.

    Args:
        folder: Where to.
        gpus: Name and compute capability of each.
        driver: The driver's version.
        cuda: The CUDA version that it reports; 0 for a driver that reports none.
        init: What the initialisation returns: 0, or an error's number.
        before: C code that runs before it does.
        lost: The index of a GPU that does not answer.
        state: What every GPU says of its memory and of its parts.
    """
    assert COMPILER is not None
    shown = gpus or (("", 0, 0),)
    texts = {
        "NAMES": ", ".join(_quoted(one[0]) for one in shown),
        "MAJORS": ", ".join(str(one[1]) for one in shown),
        "MINORS": ", ".join(str(one[2]) for one in shown),
        "BEFORE": before,
        "INIT": str(init),
        "DRIVER": f'"{driver}"',
        "CUDA": str(cuda),
        "COUNT": str(len(gpus)),
        "LOST": str(lost & 0xFFFFFFFF),
        "MEMORY": f"{state.memory}ULL",
        "USED": f"{state.memory_used}ULL",
        "MIG": str(-1 if state.mig is None else int(state.mig)),
        "PARTS": str(state.instances),
        "RECENT": str(state.recent_ecc_errors or 0),
        "ERRORS": str(-1 if state.ecc_errors is None else state.ecc_errors),
        "WAITING": str(int(state.retired)),
        "FAILED": str(int(state.is_failing)),
    }
    code = re.sub(rf"\b({'|'.join(texts)})\b", lambda match: texts[match[0]], _SOURCE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nvml.c").write_text(code, "utf-8")
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-o", "libnvidia-ml.so.1", "nvml.c"],
        cwd=folder,
        check=True,
        timeout=60,
    )
    return str(folder)


def _quoted(text: str) -> str:
    return '"' + text.encode("unicode_escape").decode() + '"'
