"""A libnvidia-ml.so.1 that says what a test wants, for the real nvidia-ml-py to load."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

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
    return result == 18 ? "Driver/library version mismatch" : "Unknown Error";
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
    }
    code = _SOURCE
    for name, text in texts.items():
        code = code.replace(name, text)
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
