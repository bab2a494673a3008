"""What a class of operators is made of: its settings, its ports, the signature of its `run`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter
from typing import Any

from pydantic import BaseModel, ValidationError

from dataflow.core.errors import BindError, ConfigError, DefinitionError, did_you_mean
from dataflow.core.ports import Arg, In, NoPort, Out, Port


def by_position(cls: type[BaseModel], args: tuple[Any, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings given by position, by name.

    Raises:
        ConfigError: too many, or one that is given by name as well.
    """
    names = list(cls.model_fields)
    if len(args) > len(names):
        raise ConfigError(
            f"{cls.__name__} takes at most {len(names)} settings ({', '.join(names)}); {len(args)} were given"
        )
    placed = dict(zip(names, args, strict=False))
    if twice := placed.keys() & settings.keys():
        raise ConfigError(f"{cls.__name__} got two values for {', '.join(sorted(twice))}")
    return placed


def explain(cls: type[BaseModel], error: ValidationError) -> str:
    """What is wrong with the settings, a line a fault."""
    lines = []
    for fault in error.errors():
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            fields = list(cls.model_fields)
            lines.append(
                f"{cls.__name__} has no setting {name!r}; it has {', '.join(fields) or 'none'}.{did_you_mean(name, fields)}"
            )
        elif fault["type"] == "missing":
            lines.append(f"{cls.__name__} needs {name}")
        else:
            lines.append(
                f"{cls.__name__}: {name}={fault['input']!r}: {fault['msg'].removeprefix('Value error, ')}"
            )
    return "\n".join(lines)


def ports_of(cls: type) -> dict[str, Port]:
    """The ports of a class; one that names inputs (or outputs) of its own replaces all that it inherits of them."""
    ports: dict[str, Port] = {}
    for base in reversed(cls.__mro__):
        own = {k: v for k, v in vars(base).items() if isinstance(v, (In, Out, Arg))}
        replaced = tuple({type(v) for v in own.values()} & {In, Out})
        ports = {k: v for k, v in ports.items() if k in own or not (replaced and isinstance(v, replaced))}
        ports = {k: v for k, v in ports.items() if k not in own} | own if replaced else ports | own
        ports = {k: v for k, v in ports.items() if not isinstance(vars(base).get(k), NoPort)}
    return ports


def reorder(fields: dict[str, Any], leading: tuple[str, ...]) -> None:
    """Put the settings named first in front, for callers who give them by position."""
    order = [*leading, *(name for name in fields if name not in leading)]
    moved = {name: fields.pop(name) for name in order}
    fields.update(moved)


def check_arity(cls: type, fn: Callable[..., Any], given: int, names: str, skip: int = 1) -> None:
    """Raise `DefinitionError` unless the kernel takes that many values after its first `skip` parameters."""
    takes = list(inspect.signature(fn).parameters.values())[skip:]
    if any(p.kind is p.VAR_POSITIONAL for p in takes):
        return
    if sum(p.default is p.empty for p in takes) > given or len(takes) < given:
        raise DefinitionError(
            f"{cls.__name__}.{fn.__name__} takes {len(takes)} value(s), but the class reads {given} column(s): {names}"
        )


def column_of(cls: type, port: str, given: Any, declared: In) -> str | tuple[str, ...] | None:
    """The column, or columns, that a port is bound to.

    Raises:
        BindError: it needs one and has none.
    """
    column = declared.default if given is None else given
    if isinstance(column, (list, tuple)) and declared.many:
        return tuple(map(str, column))
    if isinstance(column, str) and column:
        return (column,) if declared.many else column
    if declared.optional and not column:
        return None
    want = "the name of a column" + (" or a list of them" if declared.many else "")
    raise BindError(
        f"{cls.__name__}.run needs {port}, {want}" + ("" if column is None else f"; {column!r} is none")
    )


def run_signature(ports: Mapping[str, Port], open_inputs: bool) -> inspect.Signature:
    """The signature of a `run` that names the keys, so that editors and checks know them."""
    params = [
        Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
        Parameter("storage", Parameter.POSITIONAL_OR_KEYWORD),
    ]
    needed = [k for k, p in ports.items() if isinstance(p, In) and p.default is None and not p.optional]
    kinds: Iterable[tuple[str, Port]] = sorted(ports.items(), key=lambda kp: kp[0] not in needed)
    for name, port in kinds:
        default = Parameter.empty if name in needed else port.default
        params.append(
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=_annotation(port))
        )
    if open_inputs:
        params.append(Parameter("columns", Parameter.VAR_KEYWORD, annotation=str))
    return inspect.Signature(params, return_annotation="str | list[str]")


def _annotation(port: Port) -> str:
    if isinstance(port, Arg):
        return type(port.default).__name__ if port.default is not None else "Any"
    return ("str | list[str]" if isinstance(port, In) and port.many else "str") + (
        "" if port.default else " | None"
    )
