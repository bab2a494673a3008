"""Tables that are only in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core.errors import StorageError
from dataflow.storage.base import DataFlowStorage
from dataflow.storage.exchange import given, taken
from dataflow.storage.source import FrameSource
from dataflow.storage.writing import write_frames


class MemoryStorage(DataFlowStorage):
    """A table in memory: every step reads what the last one wrote.

    Takes a list of dicts, a pandas or a polars frame. All steps share the table, so `result` is what was last written.
    """

    def __init__(self, rows: Any = ()) -> None:
        self._box = [taken(rows)]
        self.operator_step = -1

    @property
    def result(self) -> pl.DataFrame:
        return self._box[0]

    def source(self) -> FrameSource:
        return FrameSource(self.result)

    def read(self, output_type: str = "dataframe") -> Any:
        return given(self.result, output_type)

    def write(self, data: Any) -> None:
        self._box[0] = taken(data, self.result.schema)

    def frame(self) -> pl.DataFrame:
        return self.result

    def put(self, frame: pl.DataFrame) -> None:
        self._box[0] = taken(frame)

    def get_keys_from_dataframe(self) -> list[str]:
        return self.result.columns


InMemoryStorage = MemoryStorage


class DummyStorage(DataFlowStorage):
    """Hands on the very object that was set or written; writes it to a file too where `cache_type` is given."""

    def __init__(
        self,
        cache_path: str | None = None,
        file_name_prefix: str | None = None,
        cache_type: str | None = None,
    ) -> None:
        self.cache_path, self.file_name_prefix, self.cache_type = cache_path, file_name_prefix, cache_type
        self.operator_step = -1
        self._data: list[Any] = [[]]

    def set_data(self, data: Any) -> None:
        self._data[0] = data

    def set_file_name_prefix(self, file_name_prefix: str) -> None:
        self.file_name_prefix = file_name_prefix

    def read(self, output_type: str = "dataframe") -> Any:
        """What was set or written, as it is, whatever the output type."""
        return self._data[0]

    def write(self, data: Any) -> str | None:
        """Keep the data, and return the path it was written to, if any.

        Raises:
            StorageError: a cache type without a cache path or prefix.
        """
        self._data[0] = data
        if not self.cache_type:
            return None
        if not self.cache_path or not self.file_name_prefix:
            raise StorageError("DummyStorage writes a file only with cache_path and file_name_prefix")
        frame, path = taken(data), Path(self.cache_path) / f"{self.file_name_prefix}.{self.cache_type}"
        write_frames(path, [frame], frame.schema)
        return str(path)

    def frame(self) -> pl.DataFrame:
        return taken(self._data[0])

    def put(self, frame: pl.DataFrame) -> str | None:
        return self.write(taken(frame))

    def get_keys_from_dataframe(self) -> list[str]:
        return self.frame().columns
