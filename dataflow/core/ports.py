"""Ports: the columns an operator reads and writes, and their binding to the columns of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class In:
    """A column that an operator reads."""

    default: str | None = None
    """The column read where the run names none."""
    doc: str = ""
    type: str = "text"
    """One of `dataflow.core.frames.TYPES`; `any` takes every column."""
    optional: bool = False
    """Whether the operator works without it; its kernel is then given null."""
    many: bool = False
    """Whether the run may name a list of columns; the kernel is then given a list of values."""


@dataclass(frozen=True)
class Out:
    """A column that an operator writes."""

    default: str | None = None
    doc: str = ""
    type: str = "text"
    optional: bool = False
    """Whether it is written only where the run names it."""
    like: str | None = None
    """The input port whose column it overwrites where the run names none: a refinement in place."""
    takes_over: bool = False
    """Whether the operator minds what the column holds already, so that no value is lost unseen."""


@dataclass(frozen=True)
class Arg:
    """An argument of `run` that is not a column."""

    default: Any = None
    doc: str = ""


@dataclass(frozen=True)
class NoPort:
    """Takes away a port that the class would inherit."""


Port = In | Out | Arg


@dataclass(frozen=True)
class Binding:
    """An operator's ports tied to columns: what one `run` reads and writes."""

    reads: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    """Port to column, in the order the kernel takes them; null for an optional port left out."""
    writes: Mapping[str, str] = field(default_factory=dict)
    args: dict[str, Any] = field(default_factory=dict)

    def columns_read(self) -> Iterator[tuple[str, str]]:
        """Each port with each column it reads."""
        for port, column in self.reads.items():
            for name in (column,) if isinstance(column, str) else column or ():
                yield port, name

    @property
    def first_read(self) -> str | None:
        return next((column for _, column in self.columns_read()), None)

    @property
    def returned(self) -> str | list[str]:
        """What `run` gives back: the column written, or the list of them."""
        columns = list(self.writes.values())
        return columns[0] if len(columns) == 1 else columns


def short(port: str) -> str:
    """The prompt slot of a port: `input_question_key` is `question`, a lone `input_key` is `input`."""
    head, _, tail = port.removesuffix("_key").partition("_")
    return tail or head
