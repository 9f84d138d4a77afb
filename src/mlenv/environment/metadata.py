"""What a distribution's metadata say: one folder or file of them, in each of its forms.

Sources: Core metadata specifications; Recording installed projects; PEP 610; setuptools, "Eggs".
"""

from __future__ import annotations

import json
import os
import re

from mlenv.environment.disk import names_in, read_bytes
from mlenv.environment.found import Found, Metadata
from mlenv.model.environment import DIST_INFO, EGG_INFO, Origin
from mlenv.model.requirement import canonical_name
from mlenv.versions.version import parse_version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zipfile import ZipFile

_MOST_BYTES = 4 << 20
_FIRST_BYTES = 1 << 15
"""Nearly all headers end within these."""
_MOST_REQUIRES = 5_000
_LONGEST = 2_000
_LONGEST_SHOWN = 80
_SINGLE = ("Name", "Version", "Requires-Python")
_SEVERAL = ("Requires-Dist", "Provides-Extra")
_KNOWN = frozenset((*_SINGLE, *_SEVERAL))
_BLANKS = frozenset(("", " ", "\t"))


def read_metadata(path: str) -> Metadata | None:
    """Return the fields of a ``METADATA`` or ``PKG-INFO``; None where it cannot be read."""
    data = read_bytes(path, _FIRST_BYTES)
    if data is None:
        return None
    end = _end_of_header(data)
    if end < 0 and len(data) == _FIRST_BYTES:
        data = read_bytes(path, _MOST_BYTES) or data
        end = _end_of_header(data)
    return parse_metadata(data[:end] if end >= 0 else data)


def _end_of_header(data: bytes) -> int:
    """Return where the first empty line begins; -1 where there is none."""
    end = data.find(b"\n\n")
    other = data.find(b"\n\r\n", 0, end if end >= 0 else len(data))
    return other if other >= 0 else end


def parse_metadata(header: bytes) -> Metadata:
    """Return the fields of the header of some metadata."""
    text = header.decode("utf-8", "replace")
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    name, version = _plain_field(text, "Name"), _plain_field(text, "Version")
    requires = _plain_fields(text, "Requires-Dist")
    extras = _plain_fields(text, "Provides-Extra")
    lowered = header.lower()
    is_plain = (
        requires is not None
        and extras is not None
        and lowered.count(b"\nrequires-dist") == len(requires)
        and lowered.count(b"\nprovides-extra") == len(extras)
    )
    if not name or not version or not is_plain:
        return _parse_any(text)
    assert requires is not None
    assert extras is not None
    return Metadata(name, version, requires, _plain_field(text, "Requires-Python"), extras)


def _plain_field(text: str, key: str) -> str:
    """Return a field as all tools write it: at the beginning of one line; empty where it is not."""
    start = text.find(f"\n{key}: ")
    if start < 0:
        return ""
    start += len(key) + 3
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)][:_LONGEST].strip()


def _plain_fields(text: str, key: str) -> tuple[str, ...] | None:
    """Return all fields of a name; None where one goes on over several lines."""
    parts = text.split(f"\n{key}: ")
    if len(parts) == 1:
        return ()
    if len(parts) > _MOST_REQUIRES:
        return None
    found = []
    for part in parts[1:]:
        line, _, rest = part.partition("\n")
        if rest[:1] in (" ", "\t") and rest:
            return None
        found.append(line[:_LONGEST].strip())
    return tuple(found)


def _parse_any(text: str) -> Metadata:
    """Return the fields of a header that is written in any way that is allowed."""
    single = dict.fromkeys(_SINGLE, "")
    several: dict[str, list[str]] = {name: [] for name in _SEVERAL}
    key = ""
    for line in text.split("\n"):
        if line[:1] in _BLANKS:
            # what goes on from the line before
            if line and key in several and several[key]:
                several[key][-1] = _joined(several[key][-1], line)
            elif line and key in single:
                single[key] = _joined(single[key], line)
            continue
        name, colon, value = line.partition(":")
        key = name if name in _KNOWN else name.strip().title() if colon else ""
        if key in several:
            if len(several[key]) < _MOST_REQUIRES:
                several[key].append(value[:_LONGEST].strip())
        elif key in single:
            single[key] = single[key] or value[:_LONGEST].strip()
    return Metadata(
        single["Name"],
        single["Version"],
        tuple(several["Requires-Dist"]),
        single["Requires-Python"],
        tuple(several["Provides-Extra"]),
    )


def _joined(text: str, line: str) -> str:
    return text if len(text) >= _LONGEST else f"{text} {line[:_LONGEST].strip()}"


def read_egg_requires(text: str) -> tuple[str, ...]:
    """Return the requirements of an egg's ``requires.txt`` as lines of ``Requires-Dist``."""
    found: list[str] = []
    condition = ""
    for line in text.splitlines()[:_MOST_REQUIRES]:
        said = line.strip()
        section = re.fullmatch(r"\[([^\]:]*)(?::(.*))?\]", said)
        if section:
            parts = [f'extra == "{section[1]}"'] if section[1] else []
            parts += [f"({section[2]})"] if section[2] else []
            condition = " and ".join(parts)
        elif said and not said.startswith("#"):
            found.append(f"{said} ; {condition}" if condition else said)
    return tuple(found)


def read_origin(path: str) -> Origin | None:
    """Return where a ``direct_url.json`` says that a distribution is from. Source: PEP 610."""
    data = read_bytes(path, 1 << 16)
    if data is None:
        return None
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return Origin("")
    if not isinstance(said, dict):
        return Origin("")
    url = said.get("url")
    url = url[:_LONGEST] if isinstance(url, str) else ""
    local, repository = said.get("dir_info"), said.get("vcs_info")
    commit = repository.get("commit_id") if isinstance(repository, dict) else ""
    folder = local_path(url)
    return Origin(
        url,
        isinstance(local, dict) and local.get("editable") is True,
        commit[:_LONGEST] if isinstance(commit, str) else "",
        isinstance(local, dict) or bool(folder),
        os.path.exists(folder) if folder else None,
    )


def local_path(url: str) -> str:
    """Return the path of a ``file:`` URL; empty for any other."""
    if not url.lower().startswith("file:"):
        return ""
    from urllib.parse import unquote, urlsplit  # few distributions lie on a disk

    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost") or "\0" in path:
        return ""
    return path[1:] if re.match(r"/[A-Za-z]:", path) else path


def read_tags(path: str) -> tuple[str, ...]:
    """Return the tags of a ``WHEEL`` file; none where there is none. Source: PEP 427."""
    data = read_bytes(path, 1 << 16) or b""
    if b"Tag:" not in data:
        return ()
    text = data.decode("utf-8", "replace")
    return tuple(re.findall(r"(?m)^Tag:[ \t]*(\S{1,300})", text)[:200])


def read_line(path: str) -> str:
    """Return the first word of a small file, such as ``INSTALLER``; empty where there is none."""
    words = (read_bytes(path, 200) or b"").decode("utf-8", "replace").split()
    return words[0] if words else ""


def read_found(site: str, entry: str) -> Found:
    """Return the metadata of an entry of a folder of packages, whatever state they are in."""
    path = os.path.join(site, entry)
    if entry.endswith(".dist-info"):
        return _judged(path, DIST_INFO, read_metadata(f"{path}{os.sep}METADATA"), "METADATA")
    inner = os.path.join(path, "EGG-INFO") if entry.endswith(".egg") else path
    if entry.endswith(".egg") and os.path.isfile(path):
        return _judged(path, EGG_INFO, _zipped(path), "PKG-INFO")
    if os.path.isdir(inner):
        found = read_metadata(os.path.join(inner, "PKG-INFO"))
        if found is not None and not found.requires:
            text = read_bytes(os.path.join(inner, "requires.txt")) or b""
            requires = read_egg_requires(text.decode("utf-8", "replace"))
            found = Metadata(
                found.name, found.version, requires, found.requires_python, found.extras
            )
        return _judged(inner, EGG_INFO, found, "PKG-INFO")
    return _judged(path, EGG_INFO, read_metadata(path), "PKG-INFO")


def _zipped(path: str) -> Metadata | None:
    """Return the metadata of an egg that is one file."""
    import zipfile  # setuptools wrote such until 2022

    try:
        if os.path.getsize(path) > _MOST_BYTES << 4:
            return None
        with zipfile.ZipFile(path) as egg:
            text, requires = (
                _member(egg, f"EGG-INFO/{name}") for name in ("PKG-INFO", "requires.txt")
            )
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile):
        return None
    if text is None:
        return None
    end = _end_of_header(text)
    found = parse_metadata(text[:end] if end >= 0 else text)
    listed = read_egg_requires((requires or b"").decode("utf-8", "replace"))
    return Metadata(found.name, found.version, listed, found.requires_python, found.extras)


def _member(egg: ZipFile, name: str) -> bytes | None:
    import zlib

    try:
        with egg.open(name) as file:
            return file.read(_FIRST_BYTES)
    except (KeyError, NotImplementedError, zlib.error):
        return None


def _judged(path: str, form: str, metadata: Metadata | None, file: str) -> Found:
    stem = os.path.basename(path if not path.endswith("EGG-INFO") else os.path.dirname(path))
    if metadata is not None and metadata.name and metadata.version:
        return _by_folder(path, form, metadata, stem)
    name, version = _of_stem(stem)
    if metadata is None:
        empty = os.path.isdir(path) and not names_in(path)
        damage = "the folder is empty" if empty else f"there is no {file}"
        return Found(path, form, Metadata(name, version), damage)
    missing = "Name" if not metadata.name else "Version"
    stated = Metadata(
        metadata.name or name,
        metadata.version or version,
        metadata.requires,
        metadata.requires_python,
        metadata.extras,
    )
    return Found(path, form, stated, f"{file} has no {missing}")


def _by_folder(path: str, form: str, metadata: Metadata, stem: str) -> Found:
    """Return metadata with the name and version of the folder, which installers go by."""
    name, version = metadata.name, metadata.version
    if form == DIST_INFO:
        written, _, numbered = stem.removesuffix(".dist-info").partition("-")
        if written != name and canonical_name(written) != canonical_name(name) and written:
            name = written
        if numbered != version and _is_other(numbered, version):
            version = numbered
    damage = ""
    if parse_version(version) is None:
        damage = f"its version {version[:_LONGEST_SHOWN]} is none"
    if (name, version) != (metadata.name, metadata.version):
        said = f"{metadata.name} {metadata.version}"[:_LONGEST_SHOWN]
        damage = f"METADATA say {said}, the folder {name} {version}"[: _LONGEST_SHOWN * 2]
        metadata = Metadata(
            name, version, metadata.requires, metadata.requires_python, metadata.extras
        )
    return Found(path, form, metadata, damage)


def _is_other(written: str, stated: str) -> bool:
    """Whether a folder's name has another version than the metadata, and not just otherwise."""
    ours = parse_version(written)
    return ours is not None and ours != parse_version(stated)


def _of_stem(stem: str) -> tuple[str, str]:
    """Return the name and the version of a folder such as ``numpy-2.0.1.dist-info``."""
    stem = re.sub(r"\.(dist-info|egg-info|egg)$", "", stem)
    stem = re.sub(r"-(?:py|pypy)\d+(?:\.\d+)?(?:-.*)?$", "", stem)
    name, _, version = stem.partition("-")
    return name, version
