"""Operators: frozen settings, ports, and one kernel. The base class owns everything else."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from inspect import Signature
from typing import Any, ClassVar, TypeVar

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from dataflow.core.background import current_scope, tracing
from dataflow.core.definition import (
    by_position,
    check_arity,
    column_of,
    explain,
    ports_of,
    reorder,
    run_signature,
)
from dataflow.core.errors import BindError, ConfigError, DataFlowError, did_you_mean
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
        protected_namespaces=(),
    )

    kind: ClassVar[str] = "Operator"
    kernel: ClassVar[str] = ""
    streams: ClassVar[bool] = True
    """Whether rows pass one by one; false for operators that must see whole columns."""
    calls_models: ClassVar[bool] = False
    runs_model: ClassVar[bool] = False
    """Whether it runs a model in this process, so that a text takes far longer than by rules."""
    deterministic: ClassVar[bool] = True
    """Whether the same row always fares the same, replies of models aside; false keeps it from being moved."""
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
            super().__init__(**by_position(cls, args, settings), **settings)
        except ValidationError as error:
            raise ConfigError(explain(cls, error)) from None

    @property
    def logger(self) -> logging.Logger:  # type: ignore[override]
        return logging.getLogger(type(self).__module__)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        ports = ports_of(cls)
        cls.inputs = {k: p for k, p in ports.items() if isinstance(p, In)}
        cls.outputs = {k: p for k, p in ports.items() if isinstance(p, Out)}
        cls.run_args = {k: p for k, p in ports.items() if isinstance(p, Arg)}
        reorder(cls.__pydantic_fields__, cls.leading)
        cls.check_definition()
        if "run" not in vars(cls):
            cls.run = _signed_run(run_signature(ports, cls.open_inputs))  # type: ignore[method-assign]

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
        reads = {k: column_of(type(self), k, keys.get(k), p) for k, p in self.inputs.items()}
        reads |= {k: column_of(type(self), k, v, In()) for k, v in extra.items()}
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


def _signed_run(signature: Signature) -> Callable[..., Any]:
    """A `run` of that signature, whose keys may also be given by position."""
    keyed = list(signature.parameters.values())[2:]
    names = [p.name for p in keyed if p.kind is p.POSITIONAL_OR_KEYWORD]

    def run(self: Operator, storage: Storage, *args: Any, **keys: Any) -> str | list[str]:
        if args:
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
