"""What shows that code is prepared for a name not to be there."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from itertools import islice

from mlenv.project.code.bindings import dotted_parts

_CAUGHT = frozenset(
    ("ImportError", "ModuleNotFoundError", "AttributeError", "NameError", "TypeError", "Exception",
     "BaseException")
)  # fmt: skip
_CHECKS = re.compile(
    r"version|major|minor|hasattr|getattr|(?<!^is)_available|installed|find_spec|type_checking|compat|legacy|greater"
    r"|^has_|_has_|^(?:dir|vars|__dict__|is_old|is_new|py[23])$|_(?:ge|gt|le|lt)_|\d_\d"
    r"|(?:^|_)(?:tf|np|numpy|torch|pil|pillow|keras|tensorflow|transformers|hf)_?v?\d+(?:$|_)",
    re.IGNORECASE,
)
"""Names by which code asks what it runs with: ``np.__version__``, ``is_tf_available``, ``TF2``."""
_SUPPRESSING = frozenset(("suppress", "raises", "assertRaises", "assertRaisesRegex"))
_MOST_NODES = 200
"""Of one condition; conditions nest, and each would be walked for every one around it."""
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def is_check(test: ast.AST) -> bool:
    """Whether a condition asks for a version or for what is there, or never holds."""
    if isinstance(test, ast.Constant):
        return not test.value
    for node in islice(ast.walk(test), _MOST_NODES):
        word = ""
        if isinstance(node, ast.Name):
            word = node.id
        elif isinstance(node, ast.Attribute):
            word = node.attr
        if word and _CHECKS.search(word):
            return True
    return False


def catches(handler: ast.ExceptHandler) -> bool:
    """Whether a handler deals with what is not there, and does not only say so and stop."""
    if any(isinstance(one, ast.Raise) for one in handler.body) or _exits(handler.body):
        return False
    kind = handler.type
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(_last(one) in _CAUGHT for one in kinds)


def suppresses(item: ast.withitem) -> bool:
    """Whether ``with`` makes nothing of an exception."""
    call = item.context_expr
    return isinstance(call, ast.Call) and _last(call.func) in _SUPPRESSING


def ends(body: Sequence[ast.stmt]) -> bool:
    """Whether nothing that follows some statements runs after them."""
    return bool(body) and (isinstance(body[-1], _LEAVING) or _exits(body))


def _exits(body: Sequence[ast.stmt]) -> bool:
    last = body[-1]
    return (
        isinstance(last, ast.Expr)
        and isinstance(last.value, ast.Call)
        and _last(last.value.func) in ("exit", "_exit")
    )


def _last(node: ast.AST) -> str:
    parts = dotted_parts(node)
    return parts[-1] if parts else ""
