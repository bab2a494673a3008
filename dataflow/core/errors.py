"""Every error this package raises on purpose.

::

    DataFlowError
    ├── ConfigError          a setting that an operator, serving, storage or prompt cannot use   (also ValueError)
    ├── DefinitionError      an operator or prompt class that contradicts itself                 (also TypeError)
    ├── UnknownName          a name that no registry has                                         (also KeyError)
    ├── BindError            a run with unknown keys, or without a key it needs                  (also ValueError)
    ├── CompileError         all the mistakes of one pipeline, found before anything ran         (also KeyError)
    ├── StorageError         a table that cannot be read or written                              (also ValueError)
    │   └── MissingSource    the file, folder or glob is not there                               (also FileNotFoundError)
    ├── MissingDependency    an optional package is needed; names the extra that brings it       (also ImportError)
    ├── RowError             one row cannot be processed; it is set aside, the run goes on       (also ValueError)
    │   ├── ReplyError       a model's reply that cannot be read
    │   └── CallError        a model call that failed for good
    ├── ServingError         a back end that cannot answer at all: wrong key, dead endpoint
    │   ├── BudgetExceeded   the next call could cost more than is left of the budget
    │   └── BatchesPending   a run that does not wait for its batches; run again to collect them
    └── RunStopped           a run that ended early with everything saved; run again to go on
        └── TooManyFailures  a step failed more rows than `max_error_rate` allows
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class DataFlowError(Exception):
    """The root of every error that this package raises on purpose."""


class ConfigError(DataFlowError, ValueError):
    """A setting that an operator, serving, storage or prompt cannot use."""


class DefinitionError(DataFlowError, TypeError):
    """An operator or prompt class that contradicts itself; raised where the class is defined."""


class UnknownName(DataFlowError, KeyError):
    """A name that no registry has."""

    def __str__(self) -> str:
        return str(self.args[0])


class BindError(DataFlowError, ValueError):
    """An operator was run with keys it does not have, or without one it needs."""


class StorageError(DataFlowError, ValueError):
    """A table that cannot be read or written."""


class MissingSource(StorageError, FileNotFoundError):
    """The file, folder or glob to read is not there."""


class MissingDependency(DataFlowError, ImportError):
    """An optional package is needed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f'{purpose} needs {package}: pip install "dataflow-llm[{extra}]"')


class RowError(DataFlowError, ValueError):
    """One row cannot be processed; it is set aside with this message and the run goes on."""


class ReplyError(RowError):
    """A model's reply that cannot be read as what was asked for.

    `told` is what the model is told of it when it is asked again; the message, where left out.
    """

    def __init__(self, message: str = "", *, told: str = "") -> None:
        self.told = told or message
        super().__init__(message)


class CallError(RowError):
    """A model call that failed for good: refused, or out of retries."""

    def __init__(self, message: str, *, status: int | None = None, attempts: int = 1) -> None:
        self.status, self.attempts = status, attempts
        super().__init__(message)


class ServingError(DataFlowError):
    """A back end that cannot answer at all: a rejected key, a dead endpoint, a model that will not load."""


class BudgetExceeded(ServingError):
    """The next call could cost more than is left of the budget; everything is saved."""


class RunStopped(DataFlowError):
    """A run that ended early with everything saved; running it again goes on from there."""


class TooManyFailures(RunStopped):
    """A step failed more rows than the run allows."""


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a pipeline: where it is, what is there, and what may have been meant."""

    step: int
    operator: str
    parameter: str
    message: str

    def __str__(self) -> str:
        where = f"step {self.step} {self.operator}" if self.step else self.operator
        return f"{where}: {self.parameter}{self.message}"


class CompileError(DataFlowError, KeyError):
    """All the mistakes of one pipeline, found before any operator ran."""

    def __init__(self, pipeline: str, mistakes: Sequence[Mistake]) -> None:
        self.pipeline, self.mistakes = pipeline, tuple(mistakes)
        super().__init__(str(self))

    def __str__(self) -> str:
        n = len(self.mistakes)
        lines = [f"{self.pipeline} does not compile: {n} mistake{'s' * (n != 1)}. Nothing has run."]
        return "\n".join(lines + [f"  {i}. {m}" for i, m in enumerate(self.mistakes, 1)])


STOPPING = (ConfigError, MissingDependency, ServingError, StorageError, RunStopped)
"""What stops a run: no fault of one row, for every other row would meet it too."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known name, or nothing."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
