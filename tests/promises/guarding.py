"""Promise 5, as a hook: a process that runs, writes or connects to something is ended at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# An audit hook sees whatever Python does, by whichever way it is asked to. It tells and ends the
# process at once, since an exception could be caught.
GUARD = """\
import os, sys

ROOT = os.environ["GUARDED"]
MAY_WRITE = os.environ.get("MAY_WRITE", "")
MAKING = ("os.mkdir", "os.rename", "os.remove", "tempfile.", "os.chmod", "os.utime")
FORBIDDEN = (
    "socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
    "os.startfile", "pty.", "urllib.", "http.", "ftplib.", "smtplib.", "webbrowser.",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "os.utime", "shutil.", "tempfile.", "ctypes.dlopen",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def is_allowed(paths):
    inner = [path for path in paths if isinstance(path, str) and os.path.isabs(path)]
    return bool(MAY_WRITE and inner) and all(path.startswith(MAY_WRITE) for path in inner)


def refuses(event, arguments):
    if event.startswith(MAKING) and is_allowed(arguments):
        return False
    if event.startswith(FORBIDDEN):
        return True
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(flags, int) and flags & WRITING
        named = isinstance(path, (str, bytes)) and os.fspath(path) != os.devnull
        return bool(writes) and named and not is_allowed([path])
    if event == "compile":
        return ROOT in str(arguments[1])
    if event == "exec":
        return ROOT in getattr(arguments[0], "co_filename", "")
    if event == "import":
        return ROOT in str(arguments[1])
    return False


def hook(event, arguments):
    if refuses(event, arguments):
        os.write(2, f"refused: {event} {arguments!r}\\n".encode("utf-8", "replace"))
        os._exit(99)


sys.addaudithook(hook)
"""


def plant(folder: Path, module: str) -> None:
    mark = str(folder / "RAN")
    code = f"with open({mark!r}, 'a') as file:\n    file.write({module!r} + ' ')\n"
    (folder / f"{module}.py").write_text(code)


def ran(root: Path) -> str:
    return "".join(path.read_text() for path in root.rglob("RAN"))
