"""A setup.py followed from top to bottom without running it, up to its call of ``setup``."""

from __future__ import annotations

import ast

from mlenv.project.manifests.setup_conditions import dotted, is_entry, sides
from mlenv.project.manifests.setup_evaluator import Env, Evaluator
from mlenv.project.manifests.setup_values import (
    NOTHING,
    File,
    Function,
    Item,
    Items,
    Table,
    Text,
    Unknown,
    Value,
    members,
    merged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlenv.model.marker import Marker
    from mlenv.project.manifests.setup_values import Places

_SETUP = frozenset(
    (
        *("setup", "setuptools.setup", "skbuild.setup", "distutils.core.setup", "core.setup"),
        *("numpy.distutils.core.setup", "torch.utils.cpp_extension.setup"),
    )
)
_MAX_CALLS = 6
_MAX_BLOCKS = 20
_MAX_ROUNDS = 200
_UNTOLD = (None, None)


class Script(Evaluator):
    """Follows statements, with what each name stands for.

    Attributes:
        setups: The arguments of each call of ``setup``, with the call.
    """

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self.setups: list[tuple[ast.Call, dict[str, Value], tuple[Unknown, ...]]] = []
        self.calls = 0
        self.blocks = 0
        self.module: Env = {}

    def follow(self, module: ast.Module) -> None:
        """Follow a whole file; where it calls ``setup`` only in functions, these as well.

        Raises:
            TooMuchError: It takes too many steps.
        """
        self.run(module.body, self.module)
        if self.setups:
            return
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and not self.setups:
                self.run(node.body, dict(self.module))

    def run(self, body: Sequence[ast.stmt], env: Env) -> list[Value]:
        """Follow statements; return what they may give back to a caller."""
        returned: list[Value] = []
        if self.blocks >= _MAX_BLOCKS:
            return returned
        self.blocks += 1
        for statement in body:
            self.charge()
            returned += self._statement(statement, env)
            if isinstance(statement, ast.Return):
                break
        self.blocks -= 1
        return returned

    def _statement(self, node: ast.stmt, env: Env) -> list[Value]:
        if isinstance(node, ast.Assign):
            value = self.value(node.value, env)
            for target in node.targets:
                self._assign(target, value, env)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._assign(node.target, self.value(node.value, env), env)
        elif isinstance(node, ast.AugAssign):
            self._augment(node, env)
        elif isinstance(node, ast.FunctionDef):
            env[node.name] = Function(node)
        elif isinstance(node, ast.Expr):
            self._expression(node.value, env)
        elif isinstance(node, ast.Return):
            return [self.value(node.value, env)] if node.value is not None else []
        else:
            return self._block(node, env)
        return []

    def _block(self, node: ast.stmt, env: Env) -> list[Value]:
        if isinstance(node, ast.If):
            return self._if(node, env)
        if isinstance(node, ast.With):
            for item in node.items:
                value = self.value(item.context_expr, env)
                if item.optional_vars is not None:
                    self._assign(item.optional_vars, value, env)
            return self.run(node.body, env)
        if isinstance(node, ast.For):
            return self._for(node, env)
        if isinstance(node, ast.While):
            return self._perhaps(node.body, env, _UNTOLD)
        if isinstance(node, ast.Try):
            return self._try(node, env)
        return []

    def _if(self, node: ast.If, env: Env) -> list[Value]:
        answer = is_entry(node.test) or self.holds(node.test, env)
        if answer is not None:
            return self.run(node.body if answer else node.orelse, env)
        other = self._copy(env)
        self.guessing += 1
        returned = self.run(node.body, env)
        returned += self.run(node.orelse, other)
        self.guessing -= 1
        self._merge(env, other, sides(node.test))
        return returned

    def _try(self, node: ast.Try, env: Env) -> list[Value]:
        self.guessing += 1
        returned = self.run(node.body, env)
        for handler in node.handlers:
            self._additions(handler.body, env)
        self.guessing -= 1
        returned += self.run(node.orelse, env)
        return returned + self.run(node.finalbody, env)

    def _additions(self, body: Sequence[ast.stmt], env: Env) -> None:
        """Follow what happens where something failed: it may add, and replaces nothing."""
        inner = self._copy(env)
        self.run(body, inner)
        for name, value in inner.items():
            before = env.get(name)
            if before is None:
                env[name] = value
            elif before is value:
                continue
            elif isinstance(before, Items | File) and isinstance(value, Items):
                known = {id(item.value) for item in members(before)}
                added = [Item(i.value, i.marker, is_unsure=True) for i in value.items
                         if id(i.value) not in known]  # fmt: skip
                env[name] = Items((*members(before), *added))

    def _perhaps(
        self, body: Sequence[ast.stmt], env: Env, markers: tuple[Marker | None, Marker | None]
    ) -> list[Value]:
        other = self._copy(env)
        self.guessing += 1
        returned = self.run(body, env)
        self.guessing -= 1
        self._merge(env, other, markers)
        return returned

    def _copy(self, env: Env) -> Env:
        self.charge(1 + len(env) // 8)
        return dict(env)

    def _merge(self, env: Env, other: Env, markers: tuple[Marker | None, Marker | None]) -> None:
        """Join what names stand for on both ways past a condition."""
        self.charge(1 + len(env) // 8)
        for name in [*env, *(name for name in other if name not in env)]:
            one, two = env.get(name), other.get(name)
            if one is None or two is None:
                known = one or two or NOTHING
                # a name that only one way defines is used on that way alone
                env[name] = known
            elif one is not two:
                self.charge(len(members(one)) + len(members(two)))
                env[name] = merged(one, two, markers)

    def _for(self, node: ast.For, env: Env) -> list[Value]:
        source = self.value(node.iter, env)
        if isinstance(source, File):
            before = self._copy(env)
            self._assign(node.target, source, env)
            returned = self.run(node.body, env)
            for name, value in env.items():
                if isinstance(value, Items) and before.get(name) is not value:
                    env[name] = Items(tuple(map(_sure_of_files, value.items)))
            return returned
        plain = isinstance(source, Items) and not any(i.marker or i.is_unsure for i in source.items)
        if plain and isinstance(source, Items) and len(source.items) <= _MAX_ROUNDS:
            returned = []
            for item in source.items:
                self._assign(node.target, item.value, env)
                returned += self.run(node.body, env)
            return returned
        self._assign(node.target, Unknown(self.span(node.iter)), env)
        return self._perhaps(node.body, env, _UNTOLD)

    def _assign(self, target: ast.expr, value: Value, env: Env) -> None:
        if isinstance(target, ast.Name):
            env[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for one in target.elts:
                self._assign(one, Unknown(self.span(one)), env)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            base = env.get(target.value.id)
            if isinstance(base, Table):
                env[target.value.id] = self._with_entry(base, target, value, env)

    def _with_entry(self, base: Table, target: ast.Subscript, value: Value, env: Env) -> Table:
        key = self.value(target.slice, env)
        self.charge(1 + len(base.values) // 8)
        if isinstance(key, Text):
            return Table({**base.values, key.value: value}, base.rest)
        return Table(base.values, (*base.rest, Unknown(self.span(target))))

    def _augment(self, node: ast.AugAssign, env: Env) -> None:
        load = self._loaded(node.target)
        if load is None or not isinstance(node.op, ast.Add):
            self._assign(node.target, Unknown(self.places.span(node)), env)
            return
        total = ast.BinOp(load, ast.Add(), node.value)
        self._assign(node.target, self.value(ast.copy_location(total, node), env), env)

    @staticmethod
    def _loaded(target: ast.expr) -> ast.expr | None:
        return target if isinstance(target, ast.Name | ast.Subscript) else None

    def _expression(self, node: ast.expr, env: Env) -> None:
        """Follow a call that changes a list or dict, or any other for what it may set off."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            target = self._loaded(node.func.value)
            method = node.func.attr
            if target is not None and method in ("append", "extend", "insert", "update"):
                given = [self.value(one, env) for one in node.args]
                self._change(target, method, given, env)
                return
        self.value(node, env)

    def _change(self, target: ast.expr, method: str, given: list[Value], env: Env) -> None:
        base = self.value(target, env)
        if not given:
            return
        if method == "update" and isinstance(base, Table) and isinstance(given[0], Table):
            values = {**base.values, **given[0].values}
            self._assign(target, Table(values, (*base.rest, *given[0].rest)), env)
        elif isinstance(base, Items | File) and method == "extend":
            self._assign(target, self.items([*members(base), *members(given[0])]), env)
        elif isinstance(base, Items | File) and method in ("append", "insert"):
            self._assign(target, self.items([*members(base), Item(given[-1])]), env)
        elif isinstance(base, Table):
            rest = Unknown(self.span(target))
            self._assign(target, Table(base.values, (*base.rest, rest)), env)

    def _call(self, node: ast.Call, env: Env) -> Value:
        name = dotted(node.func)
        if name in _SETUP and name not in env:
            table = self._dict_call(None, node, env)
            if isinstance(table, Table):
                self.setups.append((node, table.values, table.rest))
            return NOTHING
        return super()._call(node, env)

    def call_function(self, function: Function, node: ast.Call, env: Env) -> Value:
        """Return what a function of the file gives back, by following its statements."""
        given = [self.value(one, env) for one in node.args]
        is_global = self.module.get(function.node.name) is function
        inner = self._copy(self.module if is_global else env)
        arguments = self._arguments(function.node.args, given)
        arguments.update((one.arg, self.value(one.value, env)) for one in node.keywords if one.arg)
        inner.update(arguments)
        if self.calls >= _MAX_CALLS:
            return Unknown(self.span(node))
        opened = len(self.opened)
        self.calls += 1
        self.guessing += 1
        returned = self.run(function.node.body, inner)
        self.guessing -= 1
        self.calls -= 1
        found = _one_of(returned)
        if found is not None:
            return found
        # what opens one file and gives back something unclear gives back what stands in the file
        files = {file.target: file for file in self.opened[opened:]}
        if len(files) == 1:
            return next(iter(files.values()))
        named = (self._read_by(one) for one in arguments.values() if self._is_list_file(one))
        return next(named, Unknown(self.span(node)))

    def _arguments(self, parameters: ast.arguments, given: list[Value]) -> Env:
        """Return what the parameters of a function stand for, defaults included."""
        names = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
        found: Env = {}
        defaults = zip(reversed(names), reversed(parameters.defaults), strict=False)
        for name, default in defaults:
            found[name] = self.value(default, self.module)
        found.update(zip(names, given, strict=False))
        if parameters.vararg is not None:
            found[parameters.vararg.arg] = self.items([Item(one) for one in given[len(names) :]])
        return found


def _one_of(returned: list[Value]) -> Value | None:
    """Return what a function gives back where that is one thing; None where it is not known."""
    files = [value for value in returned if isinstance(value, File)]
    nothing = [value for value in returned if isinstance(value, Items) and not value.items]
    if files and len(files) + len(nothing) == len(returned):
        return files[0] if len({one.target for one in files}) == 1 else None
    known = [value for value in returned if not isinstance(value, Unknown)]
    return known[0] if len(known) == len(returned) == 1 else None


def _sure_of_files(item: Item) -> Item:
    """Return a line of a file without the condition that passes over comments and blank lines."""
    return Item(item.value) if isinstance(item.value, File) else item
