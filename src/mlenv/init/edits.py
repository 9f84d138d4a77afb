"""Additions to files of a repository that leave every other byte as it is, or are refused."""

from __future__ import annotations

from mlenv.model.text import SourceText
from mlenv.project.decode import decode
from mlenv.project.yaml_nodes import Mapping, Node, Scalar, Sequence, read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

HOOK_ID = "mlenv"


def edited(path: str, data: bytes, edit: Callable[[SourceText], str | None]) -> bytes | None:
    """Return a file's bytes with an edit of its text; its encoding and byte order mark stay.

    Args:
        path: The file, for the text.
        data: Its bytes.
        edit: Returns the new text, or None where it cannot be edited safely.

    Returns:
        None where the edit gives none, or the text does not stand for the bytes.
    """
    source = decode(path, data)
    try:
        body = source.text.encode(source.encoding)
        if not data.endswith(body):
            return None
        text = edit(source)
        mark = data[: len(data) - len(body)]
        return None if text is None else mark + text.encode(source.encoding)
    except UnicodeError:
        return None


def with_table(source: SourceText, lines: list[str], table: tuple[str, ...]) -> str | None:
    """Return a TOML text with a table at its end; None where that would not add just this table.

    Args:
        source: The file.
        lines: The table, with its header.
        table: Its name, key by key.
    """
    import tomli

    ending = _ending(source.text)
    gap = ending if source.text.strip() else ""
    text = source.text + _open(source.text, ending) + gap + ending.join([*lines, ""])
    try:
        before = tomli.loads(source.text.replace("\r\n", "\n"))
        after: Any = tomli.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError):
        return None
    parent = after
    for key in table[:-1]:
        parent = parent[key]
    if parent.pop(table[-1], None) is None:
        return None
    if table[0] not in before and not after[table[0]]:
        del after[table[0]]
    # as text, since a value that is no number does not equal itself
    return text if repr(before) == repr(after) else None


def has_hook(source: SourceText) -> bool:
    """Return whether a .pre-commit-config.yaml runs mlenv already."""
    root = read_yaml(source).mapping
    for item in _items(root.get("repos") if root else None):
        hooks = item.get("hooks") if isinstance(item, Mapping) else None
        for hook in _items(hooks):
            name = hook.get("id") if isinstance(hook, Mapping) else None
            if isinstance(name, Scalar) and name.value == HOOK_ID:
                return True
    return False


def _items(node: Node | None) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []


def with_hook(source: SourceText, lines: list[str]) -> str | None:
    """Return a .pre-commit-config.yaml with one more item in ``repos``.

    Args:
        source: The file.
        lines: The item, without its dash.

    Returns:
        None where the file is laid out in a way that does not let it be added and nothing else.
    """
    document = read_yaml(source)
    text = _with_item(source, document.root, lines)
    if document.problems or text is None:
        return None
    again = read_yaml(SourceText(source.path, text))
    before, after = _plain(document.root), _plain(again.root)
    if again.problems or not isinstance(after, dict) or not isinstance(before, (dict, type(None))):
        return None
    repos = (before or {}).get("repos") or []
    grown = after.pop("repos", None)
    rest = {key: value for key, value in (before or {}).items() if key != "repos"}
    same = isinstance(grown, list) and grown[:-1] == repos and len(grown) == len(repos) + 1
    return text if same and after == rest else None


def _with_item(source: SourceText, root: Node | None, lines: list[str]) -> str | None:
    text, ending = source.text, _ending(source.text)
    is_empty = root is None or (isinstance(root, Scalar) and root.is_null)
    if not is_empty and not isinstance(root, Mapping):
        return None
    repos = root.get("repos") if isinstance(root, Mapping) else None
    if repos is None:
        return text + _open(text, ending) + _block(["repos:", *_item(lines, "  ", " ")], ending)
    if isinstance(repos, Sequence) and repos.items:
        return _behind_last(text, repos, lines, ending)
    if repos.span.text in ("[]", ""):
        start, end = repos.span.start, repos.span.end
        head = text[:start].rstrip(" ")
        rest = text[end:]
        item = _block(_item(lines, "  ", " "), ending)
        return f"{head}{ending}{item}{rest.lstrip(' ').removeprefix(ending)}"
    return None


def _behind_last(text: str, repos: Sequence, lines: list[str], ending: str) -> str | None:
    last = repos.items[-1].span
    head = text[last.source.line_starts[last.line - 1] : last.start]
    margin, dash, gap = head.partition("-")
    if not dash or margin.strip() or gap.strip():
        return None
    kept = text[last.start : repos.span.end].splitlines(keepends=True)
    while len(kept) > 1 and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
        kept.pop()
    at = last.start + len("".join(kept))
    item = _block(_item(lines, margin, gap), ending)
    return text[:at] + _open(text[:at], ending) + item + text[at:]


def _item(lines: list[str], margin: str, gap: str) -> list[str]:
    gap = gap if len(gap) < 8 else " "
    first, *others = lines
    return [f"{margin}-{gap or ' '}{first}", *(f"{margin} {gap or ' '}{one}" for one in others)]


def _block(lines: list[str], ending: str) -> str:
    return ending.join([*lines, ""])


def _ending(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _open(text: str, ending: str) -> str:
    """Return what a text needs at its end before a line may follow."""
    return "" if not text or text.endswith(("\n", "\r")) else ending


def _key(node: Node) -> str:
    return node.value if isinstance(node, Scalar) else repr(_plain(node))


def _plain(node: Node | None) -> Any:
    """Return the values of a tree, whose depth and size are bounded."""
    if isinstance(node, Mapping):
        return {_key(key): _plain(value) for key, value in node.pairs}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    if isinstance(node, Scalar):
        return None if node.is_null else (node.value, node.style in ("'", '"'))
    return None
