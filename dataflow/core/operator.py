"""Operators: frozen settings, ports, and one kernel. The base class owns everything else."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter
from typing import Any, ClassVar, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from dataflow.core.background import current_scope, tracing
from dataflow.core.errors import BindError, ConfigError, DataFlowError, DefinitionError, did_you_mean
from dataflow.core.outcome import Outcome
from dataflow.core.ports import Arg, Binding, In, NoPort, Out, Port
from dataflow.core.prompt import HasPrompts
from dataflow.core.protocols import Scope, Storage

F = TypeVar("F", bound=Callable[..., Any])


class OperatorABC(HasPrompts):
    """The root of every operator, and of free-form ones: override `run` and do with the storage what you like.

    A free-form operator reads with `storage.read("dataframe")` and writes with `storage.write(frame)`. While a
    pipeline compiles, its call is noted down instead of run; in a compiled run it sees the whole table at once.
    """

    def __init__(self) -> None:
        self.logger = logging.getLogger(type(self).__module__)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "run" in vars(cls) and not getattr(cls.run, "traced", False):
            cls.run = _noting(cls.run)  # type: ignore[method-assign]

    def run(self, storage: Any, *args: Any, **keys: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define run")

    @classmethod
    def get_desc(cls, lang: str = "zh") -> str:
        """What the operator does, reads, writes and can be set to; in English where it is not translated."""
        from dataflow.core.catalogue import get_desc  # reads sources: not needed to run anything

        return get_desc(cls, lang)


def _noting(run: F) -> F:
    """`run`, but noted down by a storage that only traces."""

    @functools.wraps(run)
    def noted(self: Any, storage: Any = None, *args: Any, **keys: Any) -> Any:
        note = getattr(storage, "note", None)
        if note is None:
            must_not_trace(self)
            return run(self, storage, *args, **keys)
        signature = inspect.signature(run)
        try:
            bound = signature.bind(self, storage, *args, **keys)
        except TypeError as error:
            wrong = next((k for k in keys if k not in signature.parameters), "")
            hint = did_you_mean(wrong, list(signature.parameters)[2:])
            return storage.mistake(self, keys, BindError(f"{type(self).__name__}.run {error}.{hint}"))
        return note(self, bound)

    noted.traced = True  # type: ignore[attr-defined]
    return noted  # type: ignore[return-value]


def must_not_trace(operator: object) -> None:
    """Raise where an operator would really run while its pipeline only compiles."""
    if tracing.get():
        raise DataFlowError(
            f"{type(operator).__name__}.run was given a storage that compile() does not know. "
            "Make it an attribute of the pipeline, and hand operators self.storage.step()."
        )


class Operator(BaseModel, OperatorABC):
    """Reads some columns of a table, and writes, drops or adds others.

    A subclass declares its settings as fields, its columns as ports, and one kernel: a function of the
    values, free of storage, batches, logging and progress. Settings may be given by position, in the order
    of the fields.

    Raises:
        ConfigError: a setting that does not exist or is out of range.
        DefinitionError: where a class is defined whose kernel does not take the columns its ports name.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        ignored_types=(In, Out, Arg, NoPort),
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )

    kind: ClassVar[str] = "Operator"
    kernel: ClassVar[str] = ""
    streams: ClassVar[bool] = True
    """Whether rows pass one by one; false for operators that must see whole columns."""
    calls_models: ClassVar[bool] = False
    open_inputs: ClassVar[bool] = False
    """Whether `run` takes any further keyword as a column to read; the kernel is then given one dict."""
    makes_rows: ClassVar[bool] = False
    leading: ClassVar[tuple[str, ...]] = ()
    """The settings that come first by position, where it is not the order in which they are declared."""
    inputs: ClassVar[Mapping[str, In]] = {}
    outputs: ClassVar[Mapping[str, Out]] = {}
    run_args: ClassVar[Mapping[str, Arg]] = {}

    def __init__(self, *args: Any, **settings: Any) -> None:
        cls = type(self)
        try:
            super().__init__(**_by_position(cls, args, settings), **settings)
        except ValidationError as error:
            raise ConfigError(_explain(cls, error)) from None

    @property
    def logger(self) -> logging.Logger:  # type: ignore[override]
        return logging.getLogger(type(self).__module__)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        ports = _ports(cls)
        cls.inputs = {k: p for k, p in ports.items() if isinstance(p, In)}
        cls.outputs = {k: p for k, p in ports.items() if isinstance(p, Out)}
        cls.run_args = {k: p for k, p in ports.items() if isinstance(p, Arg)}
        _inherit_descriptions(cls)
        _reorder(cls.__pydantic_fields__, cls.leading)
        cls.check_definition()
        if "run" not in vars(cls):
            cls.run = _signed_run(ports, cls.open_inputs)  # type: ignore[method-assign]

    @classmethod
    def check_definition(cls) -> None:
        """Raise `DefinitionError` if the kernel does not take one value a port."""
        fn = vars(cls).get(cls.kernel)
        if fn is None or cls.open_inputs:
            return
        check_arity(cls, fn, len(cls.inputs), ", ".join(cls.inputs))

    def bind(self, **keys: Any) -> Binding:
        """Tie the ports to columns. Pure: a pipeline is checked by it before anything runs.

        Raises:
            BindError: a key that the operator does not have, or a missing one.
        """
        known: dict[str, Port] = {**self.inputs, **self.outputs, **self.run_args}
        extra = {k: v for k, v in keys.items() if k not in known}
        if extra and not self.open_inputs:
            name = next(iter(extra))
            have = ", ".join(known) or "none"
            raise BindError(
                f"{type(self).__name__}.run has no key {name!r}; it has {have}.{did_you_mean(name, known)}"
            )
        reads = {k: _column(type(self), k, keys.get(k), p) for k, p in self.inputs.items()}
        reads |= {k: _column(type(self), k, v, In()) for k, v in extra.items()}
        writes = {
            k: keys.get(k) or (None if p.optional else p.default or reads.get(p.like or ""))
            for k, p in self.outputs.items()
        }
        if absent := [k for k, v in writes.items() if not v and not self.outputs[k].optional]:
            raise BindError(f"{type(self).__name__}.run needs {', '.join(absent)}")
        args = {k: keys.get(k, p.default) for k, p in self.run_args.items()}
        return Binding(reads, {k: str(v) for k, v in writes.items() if v}, args)

    def run(self, storage: Storage, *args: Any, **keys: Any) -> str | list[str]:
        """Run over the table of `storage`, and name the columns written."""
        try:
            binding = self.bind(**keys)
        except BindError as error:
            mistake = getattr(storage, "mistake", None)
            if mistake is None:
                raise
            return str(mistake(self, keys, error))
        if not hasattr(storage, "note"):
            must_not_trace(self)
        storage.apply(self, binding)
        return self.returned(binding)

    run.traced = True  # type: ignore[attr-defined]

    def returned(self, binding: Binding) -> str | list[str]:
        """What `run` gives back."""
        return binding.returned

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        """What is wrong with this operator as bound, besides its keys: pairs of a parameter and a message."""
        yield from ()

    def publish(self, metrics: Mapping[str, Any]) -> None:
        """Leave what a finished step leaves outside the table, such as a file of statistics; not in a preview."""

    async def apply(self, frame: pl.DataFrame, binding: Binding, scope: Scope) -> Outcome:
        """What becomes of a batch of rows (with row ids); by default the work of `transform` on a worker thread."""
        token = current_scope.set(scope)
        try:
            return await asyncio.to_thread(self.transform, frame, binding)
        finally:
            current_scope.reset(token)

    def transform(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        """What becomes of a batch of rows, where no model is awaited."""
        raise NotImplementedError


def _by_position(cls: type[Operator], args: tuple[Any, ...], settings: Mapping[str, Any]) -> dict[str, Any]:
    names = list(cls.model_fields)
    if len(args) > len(names):
        raise ConfigError(
            f"{cls.__name__} takes at most {len(names)} settings ({', '.join(names)}); {len(args)} were given"
        )
    placed = dict(zip(names, args, strict=False))
    if twice := placed.keys() & settings.keys():
        raise ConfigError(f"{cls.__name__} got two values for {', '.join(sorted(twice))}")
    return placed


def _explain(cls: type[Operator], error: ValidationError) -> str:
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


def _ports(cls: type) -> dict[str, Port]:
    """The ports of a class; one that names inputs (or outputs) of its own replaces all that it inherits of them."""
    ports: dict[str, Port] = {}
    for base in reversed(cls.__mro__):
        own = {k: v for k, v in vars(base).items() if isinstance(v, (In, Out, Arg))}
        replaced = tuple({type(v) for v in own.values()} & {In, Out})
        ports = {k: v for k, v in ports.items() if k in own or not (replaced and isinstance(v, replaced))}
        ports = {k: v for k, v in ports.items() if k not in own} | own if replaced else ports | own
        ports = {k: v for k, v in ports.items() if not isinstance(vars(base).get(k), NoPort)}
    return ports


def _reorder(fields: dict[str, Any], leading: tuple[str, ...]) -> None:
    order = [*leading, *(name for name in fields if name not in leading)]
    moved = {name: fields.pop(name) for name in order}
    fields.update(moved)


def _inherit_descriptions(cls: type[BaseModel]) -> None:
    """A field whose default a subclass changes keeps the description it inherits."""
    for name, info in cls.model_fields.items():
        if info.description is None:
            above = (getattr(base, "model_fields", {}).get(name) for base in cls.__mro__[1:])
            info.description = next((f.description for f in above if f and f.description), None)


def check_arity(cls: type, fn: Callable[..., Any], given: int, names: str, skip: int = 1) -> None:
    """Raise `DefinitionError` unless the kernel takes that many values after its first `skip` parameters."""
    takes = list(inspect.signature(fn).parameters.values())[skip:]
    if any(p.kind is p.VAR_POSITIONAL for p in takes):
        return
    if sum(p.default is p.empty for p in takes) > given or len(takes) < given:
        raise DefinitionError(
            f"{cls.__name__}.{fn.__name__} takes {len(takes)} value(s), but the class reads {given} column(s): {names}"
        )


def _column(cls: type, port: str, given: Any, declared: In) -> str | tuple[str, ...] | None:
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


def _signed_run(ports: Mapping[str, Port], open_inputs: bool) -> Callable[..., Any]:
    """A `run` whose signature names the keys, so that editors and checks know them."""
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
    signature = inspect.Signature(params, return_annotation="str | list[str]")

    def run(self: Operator, storage: Storage, *args: Any, **keys: Any) -> str | list[str]:
        if args:
            names = [p.name for p in params[2:] if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
            placed = dict(zip(names, args, strict=False))
            if len(args) > len(names) or placed.keys() & keys.keys():
                have = ", ".join(names) or "none"
                raise BindError(
                    f"{type(self).__name__}.run takes each key once, in the order {have}; {len(args)} were given by position"
                )
            keys = placed | keys
        return Operator.run(self, storage, **keys)

    run.__doc__ = Operator.run.__doc__
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.traced = True  # type: ignore[attr-defined]
    return run


def _annotation(port: Port) -> str:
    if isinstance(port, Arg):
        return type(port.default).__name__ if port.default is not None else "Any"
    return ("str | list[str]" if isinstance(port, In) and port.many else "str") + (
        "" if port.default else " | None"
    )
