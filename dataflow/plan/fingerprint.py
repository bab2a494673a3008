"""Fingerprints: equal ones promise equal results, so a finished stage is used again only where nothing changed."""

from __future__ import annotations

import functools
import inspect
import pickle
import types
from collections.abc import Mapping
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
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(v) for v in value), key=dumps)
    if isinstance(value, Path):
        return str(value)
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, Prompt):
        return {"prompt": type(value).__qualname__, "version": value.version, "state": plain(vars(value))}
    if (own := getattr(value, "fingerprint", None)) is not None and not callable(own):
        return plain(own)
    if isinstance(value, functools.partial):
        return ["partial", plain(value.func), plain(value.args), plain(value.keywords)]
    if isinstance(value, type):
        return code_of(value)
    if callable(value) and hasattr(value, "__code__"):
        return code_of_function(value)
    if isinstance(value, BaseModel):
        return {"class": type(value).__qualname__, "state": value.model_dump(mode="json")}
    return {"class": code_of(type(value)), "state": _state(value)}


def _state(value: Any) -> Any:
    """What an object holds: its public attributes, or all of it where it has none."""
    held = getattr(value, "__dict__", {})
    public = {k: plain(v) for k, v in held.items() if not k.startswith("_") and k != "logger"}
    if public or (held and hasattr(value, "generate_from_input")):
        return public
    try:
        return digest(pickle.dumps(value).hex())
    except Exception:  # noqa: BLE001  # whatever cannot be pickled is told apart by how it shows itself
        return repr(value)


def code_of(cls: type) -> str:
    """A class by name and by a hash of its source, with that of the classes it is made from outside the core."""
    bases = [b for b in cls.__mro__ if not b.__module__.startswith(_CORE) and b is not object]
    return f"{cls.__module__}.{cls.__qualname__}#{digest([_source(b) for b in bases])}"


def _source(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        functions = [v for v in vars(cls).values() if isinstance(v, types.FunctionType)]
        return dumps([code_of_function(f) for f in functions])


def code_of_function(function: Any) -> str:
    """A function by its code, its defaults, and the plain values it closes over."""
    code = function.__code__
    names = getattr(function, "__qualname__", "")
    cells = [_cell(c) for c in (function.__closure__ or ())]
    return digest(names, _code(code), plain(list(function.__defaults__ or ())), cells)


def _code(code: types.CodeType) -> list[Any]:
    consts = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), consts]


def _cell(cell: Any) -> Any:
    value = cell.cell_contents
    return (
        plain(value)
        if isinstance(value, (str, int, float, bool, list, tuple, dict, type(None)))
        else repr(type(value))
    )
