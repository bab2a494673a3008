"""Where a storage's first table comes from and its last one goes, with no secret shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from dataflow.storage.remote import write_table
from dataflow.storage.remote.secrets import shown


class Outlet:
    """The two outer ends of a storage. Reading them back gives the addresses without passwords and keys."""

    _first = ""
    _output = ""
    _options: Mapping[str, Any] = {}

    @property
    def first_entry_file_name(self) -> str:
        """What the first table is read from."""
        return shown(self._first)

    @first_entry_file_name.setter
    def first_entry_file_name(self, name: str) -> None:
        self._first = str(name)

    @property
    def output(self) -> str:
        """What the final table is also written to; empty for nothing."""
        return shown(self._output)

    @output.setter
    def output(self, name: str) -> None:
        self._output = str(name)

    def deliver(self, frames: Iterable[pl.DataFrame], schema: pl.Schema) -> int | None:
        """Write the final table to `output`, and return the number of rows; null where there is no output.

        Raises:
            StorageError: it cannot be written there.
        """
        return write_table(self._output, frames, schema, self._options) if self._output else None

    def __repr__(self) -> str:
        ends = {"first_entry_file_name": self.first_entry_file_name, "output": self.output}
        told = ", ".join(f"{k}={v!r}" for k, v in ends.items() if v or k != "output")
        return super().__repr__().replace("(", f"({told}, ", 1)
