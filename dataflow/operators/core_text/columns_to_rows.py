"""Several columns under each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from dataflow.core.errors import BindError
from dataflow.core.ports import Binding, In, Out
from dataflow.core.rows import Expand


class ColumnsToRowsGenerator(Expand):
    """Make a row of each of several columns: the cells under each other in one column.

    Nulls make no row; a row with nothing but nulls is dropped. The other columns are repeated.
    """

    accepts_none: ClassVar[bool] = True

    names: tuple[str, ...] = ()
    """What `output_name_key` says of each column, in their order; their numbers, from 1, where left empty."""

    input_keys = In(None, "the columns", type="any", many=True)
    output_key = Out("value", "the cell")
    output_name_key = Out(doc="which of the columns it is from; written where it is named", optional=True)

    def bind(self, **keys: Any) -> Binding:
        binding = super().bind(**keys)
        columns = binding.reads["input_keys"]
        if self.names and isinstance(columns, tuple) and len(columns) != len(self.names):
            raise BindError(f"{type(self).__name__} has {len(self.names)} names for {len(columns)} columns")
        return binding

    def expand(self, cells: list[Any] | Any) -> Iterator[tuple[Any, str]]:
        for i, cell in enumerate(cells if isinstance(cells, list) else [cells]):
            if cell is not None:
                yield cell, self.names[i] if self.names else str(i + 1)
