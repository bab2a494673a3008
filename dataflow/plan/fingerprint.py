"""Fingerprints: equal ones promise equal results, so a finished stage is used again only where nothing changed."""

from __future__ import annotations

import functools
import inspect
import pickle
import re
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dataflow import __version__
from dataflow.core.frames import dumps
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.prompt import Prompt
from dataflow.plan.trace import Call, own_arguments

_CORE = ("dataflow.core", "pydantic", "typing", "abc")
_parsing = threading.Lock()
"""Python 3.11 may raise SystemError where two threads parse code at once, as two pipelines that compile do."""
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def digest(*parts: Any) -> str:
    """A short text that changes when any part does."""
    return blake2b(dumps(list(parts)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def of_call(call: Call) -> dict[str, Any]:
    """All that decides what a step does to its rows, as plain values."""
    bound = own_arguments(call.free_form) if call.free_form else {}
    return {
        "operator": code_of(type(call.operator)),
        "version": __version__,
        "prompts": [code_of(p) for p in getattr(call.operator, "ALLOWED_PROMPTS", ())],
        "settings": settings_of(call.operator),
        "reads": call.binding.reads,
        "writes": call.binding.writes,
        "args": plain(call.binding.args),
        "call": {k: plain(v) for k, v in bound.items()},
    }


def settings_of(operator: OperatorABC) -> dict[str, Any]:
    """An operator's settings as plain values: servings and prompts by what decides their answers."""
    if isinstance(operator, Operator):
        settings = dict(operator)
        default = getattr(operator, "default_prompt", None)
        return {k: plain(v) for k, v in settings.items()} | (
            {"default_prompt": plain(default)} if default else {}
        )
    return {k: plain(v) for k, v in vars(operator).items() if k != "logger"}


def plain(value: Any) -> Any:
    """A value as JSON, such that things that behave alike look alike."""
    return _Reader().plain(value)


def code_of(cls: type) -> str:
    """A class by name and by a hash of its source, with that of the classes it is made from outside the core."""
    return _Reader().code_of(cls)


class _Reader:
    """Turns values and code into JSON. What it is inside of already, and code seen before, is named by a number."""

    def __init__(self) -> None:
        self.inside: list[int] = []
        self.seen: dict[Any, int] = {}

    def plain(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, int, float, bool)):
            return value
        if isinstance(value, Path):
            return str(value)
        if id(value) in self.inside:
            return ["again", self.inside.index(id(value))]
        if isinstance(value, (types.FunctionType, type)):
            if value in self.seen:
                return ["seen", self.seen[value]]
            self.seen[value] = len(self.seen)
        self.inside.append(id(value))
        try:
            return self._collection(value)
        finally:
            self.inside.pop()

    def _collection(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(k): self.plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(v) for v in value]
        if isinstance(value, (set, frozenset)):
            return sorted((self.plain(v) for v in value), key=dumps)
        return self._callable(value) if callable(value) else self._object(value)

    def _callable(self, value: Any) -> Any:
        if isinstance(value, functools.partial):
            return ["partial", *map(self.plain, (value.func, value.args, value.keywords))]
        if isinstance(value, type):
            return self.code_of(value)
        if isinstance(value, types.MethodType):
            return [self.plain(value.__func__), self.plain(value.__self__)]
        return self.code_of_function(value) if hasattr(value, "__code__") else self._object(value)

    def _object(self, value: Any) -> Any:
        if isinstance(value, Prompt):
            name = type(value).__qualname__
            return {"prompt": name, "version": value.version, "state": self.plain(vars(value))}
        if (own := getattr(value, "fingerprint", None)) is not None and not callable(own):
            repairs = getattr(value, "repairs", None)
            return self.plain(own if repairs is None else {**own, "repairs": repairs})
        if isinstance(value, BaseModel):
            return {"class": self.code_of(type(value)), "state": self.plain(dict(value))}
        if hasattr(value, "forward"):
            return self._pipeline(value)
        return {"class": self.code_of(type(value)), "state": self._state(value)}

    def _pipeline(self, value: Any) -> Any:
        """What a function may use of the pipeline it belongs to: its other methods, and the data among its attributes."""
        methods = [f for c in type(value).__mro__ if _is_own(c) for f in _functions_in(c)]
        own = [self.plain(f) for f in methods if f.__name__ not in ("__init__", "forward")]
        state = {
            k: self.plain(v)
            for k, v in vars(value).items()
            if k not in ("_plan", "_allowed", "_optimise") and _is_data(v)
        }
        return {"class": type(value).__qualname__, "methods": own, "state": state}

    def _state(self, value: Any) -> Any:
        """What an object holds: its public attributes and hidden data, or all of it where it has none."""
        held = getattr(value, "__dict__", {})
        serves = hasattr(value, "generate_from_input")
        state = {
            k: self.plain(v)
            for k, v in held.items()
            if k != "logger" and (not k.startswith("_") or (not serves and _is_data(v)))
        }
        if state or (held and serves):
            return state
        try:
            return digest(pickle.dumps(value).hex())
        except Exception:  # noqa: BLE001  # whatever cannot be pickled is told apart by how it shows itself
            return _ADDRESS.sub("", repr(value))

    def code_of(self, cls: type) -> str:
        bases = [b for b in cls.__mro__ if not b.__module__.startswith(_CORE) and b is not object]
        return f"{cls.__module__}.{cls.__qualname__}#{digest([self._class(b) for b in bases])}"

    def _class(self, cls: type) -> Any:
        """The source of a class as it is on disk, and for the user's own its functions as they are loaded."""
        try:
            with _parsing:
                source = inspect.getsource(cls)
        except (OSError, TypeError):
            source = ""
        if source and not _is_own(cls):
            return source
        return [source, [self.plain(f) for f in _functions_in(cls)]]

    def code_of_function(self, function: Any) -> str:
        """A function by its code, its defaults, what it closes over, and what it uses of the user's own modules."""
        code, cells = function.__code__, function.__closure__ or ()
        defaults = [function.__defaults__, function.__kwdefaults__]
        closed = [self.plain(c.cell_contents) for c in cells if not _is_empty(c)]
        used = {k: self.plain(v) for k, v in _used(function)} if _is_own(function) else {}
        return digest(getattr(function, "__qualname__", ""), _code(code), self.plain(defaults), closed, used)


def _is_data(value: Any) -> bool:
    """Whether a value is nothing but text, numbers and collections of them."""
    if isinstance(value, Mapping):
        return all(map(_is_data, value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_data, value))
    return value is None or isinstance(value, (str, bytes, int, float, bool, Path))


def _is_own(thing: Any) -> bool:
    """Whether a class or function is the user's: neither this package's, nor Python's, nor an installed one's."""
    root = (getattr(thing, "__module__", None) or "").partition(".")[0]
    if root == "dataflow" or root in sys.stdlib_module_names - {"__main__"}:
        return False
    file = getattr(sys.modules.get(root), "__file__", None) or ""
    return not {"site-packages", "dist-packages"} & set(Path(file).parts)


def _functions_in(cls: type) -> Iterator[Any]:
    for member in vars(cls).values():
        function = inspect.unwrap(
            member.__func__ if isinstance(member, (classmethod, staticmethod)) else member
        )
        function = function.fget if isinstance(function, property) else function
        if isinstance(function, types.FunctionType) and function.__module__ == cls.__module__:
            yield function


def _used(function: Any) -> Iterator[tuple[str, Any]]:
    """The functions, classes and plain values of its module, or imported into it, that a function names."""
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        code = isinstance(value, (types.FunctionType, functools.partial, type)) and _is_own(value)
        if code or (name in function.__globals__ and (_is_data(value) or isinstance(value, re.Pattern))):
            yield name, value


def _names(code: types.CodeType) -> set[str]:
    inner = (_names(c) for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*inner)


def _code(code: types.CodeType) -> list[Any]:
    return [code.co_code.hex(), list(code.co_names), [_const(c) for c in code.co_consts]]


def _const(value: Any) -> Any:
    if isinstance(value, types.CodeType):
        return _code(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _is_empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:  # a function that names itself before it is bound
        return True
