"""The tables of a storage and its branches: one count for all, so that each has a number of its own."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import polars as pl

from dataflow.core.errors import ConfigError
from dataflow.core.merge import MAIN, Merge
from dataflow.core.operator import OperatorABC
from dataflow.core.rows import Expand


@dataclass
class Tables:
    """What a storage and its branches share once there is a branch."""

    first: int
    """The table that was there when the first branch was made."""
    last: int
    """The highest number of a table so far."""
    names: set[str] = field(default_factory=lambda: {MAIN})
    ids: dict[int, pl.Series] = field(default_factory=dict)
    """The row ids of tables written by this process: files do not hold them, and merging needs them."""

    def take(self) -> int:
        self.last += 1
        return self.last


@dataclass
class Notes:
    """What was done on the way to the present table of a branch, since the first branch was made."""

    wrote: set[tuple[str, int]] = field(default_factory=set)
    """Columns written, each with the number of the table that it was written to."""
    many: set[int] = field(default_factory=set)
    """The tables in which several rows may have been made of one."""

    def copied(self) -> Notes:
        return Notes({*self.wrote}, {*self.many})


class Stepping:
    """Moves from table to table: a step reads the one that the step before wrote, in its own branch.

    Without branches step `n`, counted from 0, reads table `n` and writes table `n + 1`. Branches take their numbers
    from the same count.
    """

    operator_step: int = -1
    """The number of the table that the present step reads."""
    name: str = MAIN
    _tables: Tables | None = None
    _head: int = 0
    _noted: Notes | None = None

    def step(self) -> Self:
        if self._tables is None:
            self.operator_step += 1
        else:
            self.operator_step, self._head = self._head, self._tables.take()
        return copy.copy(self)

    def reset(self) -> Self:
        self.operator_step, self._tables, self._noted = -1, None, None
        return self

    @property
    def writes(self) -> int:
        """The number of the table that the present step writes."""
        return self.operator_step + 1 if self._tables is None else self._head

    @property
    def branch_name(self) -> str:
        """The name of the branch; none on the main line."""
        return "" if self._tables is None or self.name == MAIN else self.name

    def branch(self, name: str) -> Self:
        """A storage that goes on from the present table by itself, until `merge` brings it back.

        Raises:
            ConfigError: there is a branch of that name already, or the storage has room for one table only.
        """
        if type(self).apply_merge is Stepping.apply_merge:
            raise ConfigError(f"{type(self).__name__} keeps one table only; branches need a FileStorage")
        if self._tables is None:
            self._tables, self._head = Tables(self.writes, self.writes), self.writes
            self._noted = Notes()
        if name in self._tables.names or not name.isidentifier():
            raise ConfigError(f"branch {name!r}: a branch needs a name of its own, of letters, digits and _")
        assert self._noted is not None
        self._tables.names.add(name)
        other = copy.copy(self)
        other.name, other.operator_step, other._noted = name, -1, self._noted.copied()
        return other

    def merge(
        self,
        *branches: Stepping,
        how: Literal["columns", "rows"] = "columns",
        missing: Literal["drop", "null"] = "drop",
    ) -> None:
        """Make one table of several branches, and go on from it; see `dataflow.core.merge.Merge`.

        Raises:
            ConfigError: fewer than two branches, or one that is none of this storage.
        """
        if len(branches) < 2 or any(b._tables is None or b._tables is not self._tables for b in branches):
            raise ConfigError(
                "merge takes two or more branches of this storage, made by storage.branch(name)"
            )
        merge = Merge(**_since_branching(branches), how=how, missing=missing)
        present = [b.writes for b in branches]
        now = self.step()
        now._learn(branches)
        now.note_step(merge.added)
        now.apply_merge(merge, present)

    def note_step(self, columns: Iterable[str], operator: OperatorABC | None = None) -> None:
        """Note down what a step of a branch writes, and whether it makes rows, for when it is merged."""
        if self._noted is not None:
            self._noted.wrote.update((column, self.writes) for column in columns)
            if getattr(operator, "expands", False) or isinstance(operator, Expand):
                self._noted.many.add(self.writes)

    def _learn(self, branches: Sequence[Stepping]) -> None:
        """What was done on the way of the branches was done on the way of the table made of them."""
        for notes in [b._noted for b in branches]:
            if self._noted is not None and notes is not None:
                self._noted.wrote |= notes.wrote
                self._noted.many |= notes.many

    def apply_merge(self, merge: Merge, tables: Sequence[int]) -> None:
        """Make the table of this step of those with these numbers, one a branch."""
        raise NotImplementedError

    @property
    def row_ids(self) -> pl.Series | None:
        """The ids of the rows that this step reads, where this process made them in a branch."""
        return self._tables.ids.get(self.operator_step) if self._tables else None

    def note_new_rows(self, rows: int) -> None:
        """Give the rows that this step writes ids of their own, as those of an operator with a `run` of its own have."""
        if self._tables is not None:
            ids = pl.int_range(rows, eager=True).cast(pl.String)
            self._tables.ids[self.writes] = f"{self.writes}:" + ids

    def keep_row_ids(self, ids: pl.Series) -> None:
        """Keep the ids of the rows that this step writes, where they may be merged."""
        if self._tables is not None:
            self._tables.ids[self.writes] = ids


def _since_branching(branches: Sequence[Stepping]) -> dict[str, tuple[Any, ...]]:
    """The names of branches, the columns that each wrote since they parted, and which of them made rows since."""
    noted = [b._noted or Notes() for b in branches]
    wrote, many = set.intersection(*(n.wrote for n in noted)), set.intersection(*(n.many for n in noted))
    return {
        "names": tuple(b.name for b in branches),
        "wrote": tuple(tuple(sorted({column for column, _ in n.wrote - wrote})) for n in noted),
        "many": tuple(b.name for b, n in zip(branches, noted, strict=True) if n.many - many),
    }
