"""Conditions of a setup.py that say the same as a marker: the platform and the interpreter."""

from __future__ import annotations

import ast
import re

from mlenv.model.marker import Marker, MarkerError, parse_marker

_VARIABLES = {
    "sys.platform": "sys_platform",
    "os.name": "os_name",
    "platform.system": "platform_system",
    "platform.machine": "platform_machine",
}
_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<"}
_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.GtE: ">=",
}
_PLATFORMS = {"win": "win32", "win32": "win32", "linux": "linux", "darwin": "darwin"}
_NAME_DEPTH = 5


def dotted(node: ast.expr) -> str:
    """Return a name such as ``os.path.join``; empty for any other expression."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < _NAME_DEPTH:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def is_entry(test: ast.expr) -> bool:
    """Whether a condition is ``__name__ == "__main__"``, which holds where setup.py is run."""
    return (
        isinstance(test, ast.Compare)
        and dotted(test.left) == "__name__"
        and len(test.ops) == 1
        and isinstance(test.ops[0], ast.Eq)
    )


def sides(test: ast.expr) -> tuple[Marker | None, Marker | None]:
    """Return the environments where a condition holds and where not; None where untold."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        condition = _condition(test.operand)
        return _marker(condition, opposite=True), _marker(condition)
    condition = _condition(test)
    return _marker(condition), _marker(condition, opposite=True)


def _marker(condition: tuple[str, str, str] | None, *, opposite: bool = False) -> Marker | None:
    if condition is None:
        return None
    variable, operator, value = condition
    operator = _OPPOSITES[operator] if opposite else operator
    try:
        return parse_marker(f'{variable} {operator} "{value}"')
    except MarkerError:
        return None


def _condition(test: ast.expr) -> tuple[str, str, str] | None:
    if isinstance(test, ast.Call) and dotted(test.func) == "sys.platform.startswith":
        known = _PLATFORMS.get(_text(test.args[0])) if test.args else None
        return ("sys_platform", "==", known) if known else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    operator = _OPERATORS.get(type(test.ops[0]), "")
    right = test.comparators[0]
    left = test.left.func if isinstance(test.left, ast.Call) else test.left
    variable = _VARIABLES.get(dotted(left), "")
    if variable and operator in ("==", "!="):
        value = _text(right)
        return (variable, operator, value) if re.fullmatch(r"[\w.-]+", value) else None
    return _python(test.left, operator, right)


def _text(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) else ""


def _python(left: ast.expr, operator: str, right: ast.expr) -> tuple[str, str, str] | None:
    """Return the condition for ``sys.version_info < (3, 8)`` and the like."""
    if isinstance(left, ast.Subscript):
        left = left.value
    if dotted(left) not in ("sys.version_info", "sys.version_info.major"):
        return None
    if operator not in ("<", ">="):
        return None
    parts = right.elts if isinstance(right, ast.Tuple) else [right]
    numbers = [part.value for part in parts if isinstance(part, ast.Constant)]
    if not 0 < len(numbers) == len(parts) < 3 or not all(type(n) is int for n in numbers):
        return None
    return "python_version", operator, ".".join(map(str, numbers))
