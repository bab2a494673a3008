"""The names under which open-dataflow 1.x read tables in parts. Every `FileStorage` does so now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataflow.core.errors import ConfigError
from dataflow.storage.exchange import given
from dataflow.storage.files import FileStorage


class BatchedFileStorage(FileStorage):
    """A `FileStorage` of JSONL or CSV files; `batch_size`, `batch_step` and `record_count` are kept for old pipelines."""

    def __init__(
        self,
        first_entry_file_name: str,
        cache_path: str = "./cache",
        file_name_prefix: str = "dataflow_cache_step",
        cache_type: str = "jsonl",
        **elsewhere: Any,
    ) -> None:
        if cache_type not in ("jsonl", "csv"):
            raise ConfigError(f"cache_type={cache_type!r} cannot be batched; there are jsonl, csv")
        super().__init__(first_entry_file_name, cache_path, file_name_prefix, cache_type, **elsewhere)
        self.batch_size: int | None = None
        self.batch_step = 0
        self.record_count: int | None = None


class StreamBatchedFileStorage(BatchedFileStorage):
    """A `BatchedFileStorage` that can also be read part by part."""

    def get_record_count(self) -> int:
        """The number of rows of this step's table."""
        self.record_count = self.source().height
        return self.record_count

    def iter_chunks(self, chunk_size: int | None = None, output_type: str = "dataframe") -> Iterator[Any]:
        """The table of this step in parts of `chunk_size` rows, else of `batch_size`, else of 10,000."""
        for frame in self.source().batches(chunk_size or self.batch_size or 10_000):
            yield given(frame, output_type)
