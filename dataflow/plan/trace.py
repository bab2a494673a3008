"""The symbolic storage: what `forward()` runs on while a pipeline compiles. It notes calls down and holds no rows."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflow.core.errors import BindError, DataFlowError
from dataflow.core.merge import Merge
from dataflow.core.operator import Operator, OperatorABC
from dataflow.core.ports import Binding, In, Out, Port
from dataflow.storage.branches import Stepping


@dataclass
class Call:
    """One call of `run` that `forward()` made, or one merge of branches."""

    step: int
    """The table it writes."""
    inputs: tuple[int, ...]
    """The tables it reads, 0 being the source: one, but for a merge."""
    operator: OperatorABC
    binding: Binding
    storage: Any = None
    free_form: inspect.BoundArguments | None = None
    """The arguments of a free-form operator's own `run`."""
    branch: str = ""
    """The branch that it is a step of; none on the main line."""
    error: BindError | None = None
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return type(self.operator).__name__

    @property
    def op(self) -> Operator | None:
        """The operator, unless it is free-form."""
        return self.operator if isinstance(self.operator, Operator) and self.free_form is None else None

    def names_read(self) -> list[str]:
        """What it reads: columns, or for a merge branches."""
        if isinstance(self.operator, Merge):
            return list(self.operator.names)
        return [column for _, column in self.binding.columns_read()]

    def ports(self) -> Mapping[str, Port]:
        """The ports of the operator; those of a free-form one are read off its signature."""
        if self.op is not None:
            return {**self.op.inputs, **self.op.outputs}
        return {k: In(type="any") for k in self.binding.reads} | {
            k: Out(type="any") for k in self.binding.writes
        }


class TraceStorage(Stepping):
    """Stands in for a storage while a pipeline compiles. Reading it is an error: there are no rows yet."""

    def __init__(self, real: Any, calls: list[Call]) -> None:
        self.real, self.calls = real, calls

    def apply(self, operator: Operator, binding: Binding) -> None:
        self._add(operator, binding)

    def note(self, operator: OperatorABC, bound: inspect.BoundArguments) -> Any:
        """Note down the call of a free-form operator; what it returns is what it would most likely return."""
        bound.apply_defaults()
        binding = keys_of(bound)
        self._add(operator, binding, free_form=bound)
        return binding.returned if binding.writes else binding.first_read or ""

    def mistake(self, operator: OperatorABC, keys: dict[str, Any], error: BindError) -> str:
        self._add(operator, Binding(), error=error, given=keys)
        return next((str(v) for k, v in keys.items() if k.startswith("output")), "")

    def apply_merge(self, merge: Merge, tables: Sequence[int]) -> None:
        self._add(merge, Binding(), inputs=tuple(tables))

    def _add(self, operator: OperatorABC, binding: Binding, **more: Any) -> None:
        if self.operator_step < 0:
            raise DataFlowError("call storage.step() before giving the storage to an operator")
        self.note_step(binding.writes.values(), operator)
        self.calls.append(
            Call(
                self.writes,
                more.pop("inputs", (self.operator_step,)),
                operator,
                binding,
                self.real,
                branch=self.branch_name,
                **more,
            )
        )

    def read(self, output_type: str = "dataframe") -> Any:
        raise DataFlowError(
            "forward() reads the table itself while the pipeline compiles, when there are no rows yet. Put that code "
            "into an operator (derive from OperatorABC and override run), or run the pipeline without compile()."
        )

    write = frame = put = get_keys_from_dataframe = read

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "real":
            raise AttributeError(name)
        return getattr(self.real, name)


def keys_of(bound: inspect.BoundArguments) -> Binding:
    """The columns that the arguments of a free-form `run` name: every `input_…` and `output_…` that is text."""
    named = list(_named(bound))
    reads = {k: v for k, v in named if k.startswith("input_")}
    writes = {k: v for k, v in named if k.startswith("output_") and isinstance(v, str)}
    return Binding(reads, writes)


def own_arguments(bound: inspect.BoundArguments) -> dict[str, Any]:
    """The arguments of a free-form `run`, without the operator itself and the storage."""
    return {k: v for k, v in bound.arguments.items() if k not in list(bound.signature.parameters)[:2]}


def with_storage(bound: inspect.BoundArguments, storage: Any) -> inspect.BoundArguments:
    """The same call on another storage."""
    other = copy.copy(bound)
    other.arguments = bound.arguments | {list(bound.signature.parameters)[1]: storage}
    return other


def _named(bound: inspect.BoundArguments) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    arguments = own_arguments(bound)
    for name, value in list(arguments.items()):
        if isinstance(value, dict) and bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= arguments.pop(name)
    for name, value in arguments.items():
        if isinstance(value, str) and value:
            yield name, value
        elif isinstance(value, (list, tuple)) and value and all(isinstance(v, str) for v in value):
            yield name, tuple(value)
