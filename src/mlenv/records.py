"""The standard library's dataclasses, built when first used.

Every start of a program pays for the dataclasses that it defines: the module itself imports
``inspect`` and with it half of the compiler, and each class has its methods generated and
compiled, whether a run makes one or not. For mlenv that came to 34 of 75 milliseconds. This
decorator makes the same classes (slots, frozen, equality, repr, ``replace``) from shared functions,
and generates a class's ``__init__`` when more than a few of them are made. To a type checker, and
to whoever reads the code, they are dataclasses; the tests make the same classes with both and
compare.
"""

from __future__ import annotations

__all__ = ["dataclass", "field", "replace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field, replace
else:
    from operator import attrgetter

    _MISSING = object()
    _FEW = 32

    class _Factory:
        __slots__ = ("make",)

        def __init__(self, make):
            self.make = make

    def field(*, default_factory):
        """Return a default that is made anew for each instance."""
        return _Factory(default_factory)

    def dataclass(*, frozen=False, slots=True, eq=True, repr=True):  # noqa: A002
        """Make a dataclass; the options mean what they mean in the standard library."""
        assert slots

        def decorate(cls):
            fields = {name: cls.__dict__.get(name, _MISSING) for name in cls.__annotations__}
            kept = {
                name: value
                for name, value in cls.__dict__.items()
                if name not in fields and name not in ("__dict__", "__weakref__")
            }
            made = type(cls)(
                cls.__name__,
                cls.__bases__,
                {**_methods(fields, frozen, eq, repr, kept), **kept, "__slots__": tuple(fields)},
            )
            made.__qualname__ = cls.__qualname__
            made.__init__ = _first_init(made, fields)
            return made

        return decorate

    def _methods(fields, frozen, eq, shown, kept):
        methods = {"__match_args__": tuple(fields), "__record__": fields}
        if frozen:
            methods["__setattr__"] = methods["__delattr__"] = _refuse
        if shown:
            methods["__repr__"] = _repr
        if eq:
            key = attrgetter(*fields) if fields else _nothing
            methods["__eq__"] = _equality(key)
            # what may change has no hash, and a class that brings its own equality brings its hash
            methods["__hash__"] = (lambda self: hash(key(self))) if frozen else None
        elif "__eq__" in kept:
            kept.setdefault("__hash__", None)
        return methods

    def _equality(key):
        def equal(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            return key(self) == key(other)

        return equal

    def _first_init(made, fields):
        """Return an ``__init__`` that gives way to one generated for the class.

        Most classes have a handful of instances in a run, and generating takes as long as filling
        a hundred of them.
        """
        left, setters = _FEW, ()

        def first(self, /, *args, **kwargs):
            nonlocal left, setters
            left -= 1
            if not setters:
                # a slot's own setter passes by a frozen class's __setattr__
                setters = [getattr(made, name).__set__ for name in fields]
            values = (
                args if not kwargs and len(args) == len(fields) else _values(fields, args, kwargs)
            )
            if left and values is not None:
                for put, value in zip(setters, values, strict=True):
                    put(self, value)
                return
            # this one refuses what does not fit, as every function does
            made.__init__ = generated = _init(made, fields)
            generated(self, *args, **kwargs)

        return first

    def _values(fields, args, kwargs):
        """Return the values of all fields in order; None where the arguments do not fit them."""
        given = dict(zip(fields, args, strict=False))
        if len(given) < len(args) or not given.keys().isdisjoint(kwargs):
            return None
        given.update(kwargs)
        if not fields.keys() >= given.keys():
            return None
        values = []
        for name, default in fields.items():
            value = given.get(name, default)
            if value is _MISSING:
                return None
            is_made = name not in given and isinstance(default, _Factory)
            values.append(default.make() if is_made else value)
        return values

    def _init(made, fields):
        scope = {"_missing": _MISSING}
        parameters, lines = [], []
        for name, default in fields.items():
            scope[f"set_{name}"] = getattr(made, name).__set__
            value = name
            if isinstance(default, _Factory):
                scope[f"make_{name}"] = default.make
                value = f"make_{name}() if {name} is _missing else {name}"
                parameters.append(f"{name}=_missing")
            elif default is _MISSING:
                parameters.append(name)
            else:
                scope[f"default_{name}"] = default
                parameters.append(f"{name}=default_{name}")
            lines.append(f" set_{name}(self, {value})")
        body = "\n".join(lines) or " pass"
        exec(f"def __init__(self, {', '.join(parameters)}):\n{body}", scope)  # noqa: S102
        return scope["__init__"]

    def _refuse(self, name, *_value):
        raise AttributeError(f"cannot change {name!r} of a frozen {type(self).__name__}")

    def _repr(self):
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record__)
        return f"{type(self).__qualname__}({inner})"

    def _nothing(_self):
        return ()

    def replace(one, /, **changes):
        """Return a copy with some fields changed."""
        kept = {name: getattr(one, name) for name in one.__record__ if name not in changes}
        return type(one)(**kept, **changes)
