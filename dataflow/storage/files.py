"""A pipeline's tables as files, one a step."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError, DataFlowError, MissingSource, did_you_mean
from dataflow.core.frames import ROW, numbered, visible
from dataflow.core.merge import Merge, merged
from dataflow.core.protocols import Source
from dataflow.storage.base import DataFlowStorage
from dataflow.storage.exchange import given, taken
from dataflow.storage.remote import source_of
from dataflow.storage.remote.outlet import Outlet
from dataflow.storage.source import FileSource, FrameSource
from dataflow.storage.writing import write_frames

log = logging.getLogger(__name__)
_EXPORTED = 8192
CACHE_TYPES = ("jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx")


class FileStorage(Outlet, DataFlowStorage):
    """Reads the first table from anywhere, and writes the table of every step as a file.

    Step 0 is `first_entry_file_name`: a file, folder or glob (JSONL, JSON, CSV, TSV, Parquet, Arrow, XLSX; the text
    ones also .gz or .zst), `hf:dataset[:config][:split]`, `ms:dataset[:split]`, a URL such as `s3://…`, a table or query
    of a database (`sqlite:///shop.db#orders`), or "" for a pipeline that makes its own rows. Step n is
    `{cache_path}/{file_name_prefix}_step{n}.{cache_type}`.

    Args:
        output: what the final table of a compiled run is also written to: a path, a URL, a table of a database,
            `hf:dataset[:split]`. Pipelines that are not compiled call `export()`.
        storage_options: what fsspec, the hub or the database's package is told: keys, tokens, endpoints. They are
            in no fingerprint, log or report.

    Raises:
        ConfigError: an unknown cache type.
    """

    def __init__(
        self,
        first_entry_file_name: str,
        cache_path: str = "./cache",
        file_name_prefix: str = "dataflow_cache_step",
        cache_type: str = "jsonl",
        *,
        output: str = "",
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.first_entry_file_name, self.output = str(first_entry_file_name), str(output)
        self._options = dict(storage_options or {})
        self.cache_path, self.file_name_prefix = str(cache_path), file_name_prefix
        self.cache_type = _checked(cache_type)
        self.operator_step = -1
        self.run_dir = Path(cache_path) / file_name_prefix
        self._wrote: tuple[int, int] | None = None

    def path_of(self, step: int) -> str:
        """Where the table of a step is: what operator number `step`, counted from 1, writes."""
        if step == 0:
            return self.first_entry_file_name
        return str(Path(self.cache_path) / f"{self.file_name_prefix}_step{step}.{self.cache_type}")

    def source(self) -> Source:
        """The table of this step, to be read in batches.

        Raises:
            MissingSource: it is not there.
        """
        return self._source(self._begun())

    def read(self, output_type: str = "dataframe") -> Any:
        """The table of this step as a pandas frame (`dataframe`), a list of dicts (`dict`) or a frame (`polars`).

        Raises:
            ValueError: `step()` has not been called, or the output type is unknown.
            MissingSource: the table is not there.
            StorageError: it cannot be read.
        """
        return given(self.frame(), output_type)

    def write(self, data: Any) -> str:
        """Write a list of dicts, a pandas or a polars frame as the next step's table, and return its path.

        Columns that do not change keep the type they were read with.
        """
        self._begun()
        return self.put(data if isinstance(data, pl.DataFrame) else taken(data, self._hint()))

    def frame(self) -> pl.DataFrame:
        source = self._source(self._begun())
        _warn_of_bad_lines(source)
        return source.frame()

    def put(self, frame: pl.DataFrame) -> str:
        self._begun()
        step = self.writes
        if self._wrote and self._wrote[0] == step:
            log.warning(
                "%s is written twice in one step: %d rows, then %d; only the second table stays. "
                "Call storage.step() once for each operator.", self.path_of(step), self._wrote[1], frame.height,
            )  # fmt: skip
        self._keep(step, frame)
        self.note_new_rows(frame.height)
        self._wrote = (step, frame.height)
        return self.path_of(step)

    def export(self) -> int | None:
        """Write the table that the last step wrote to `output`, and return its number of rows.

        Raises:
            MissingSource: the step has written nothing.
        """
        source = self._source(self.writes)
        return self.deliver(source.batches(_EXPORTED), source.schema)

    def get_keys_from_dataframe(self) -> list[str]:
        return list(self.source().schema)

    def apply_merge(self, merge: Merge, tables: Sequence[int]) -> None:
        frames = [self._with_ids(t) for t in tables]
        table, lost = merged(merge, frames)
        self.put(visible(table))
        self.keep_row_ids(table[ROW])
        log.info("merge of %s: %d rows, %d dropped", ", ".join(merge.names), table.height, lost.height)

    def _with_ids(self, table: int) -> pl.DataFrame:
        """A table of a branch with the ids of its rows."""
        frame = self._source(table).frame()
        assert self._tables is not None
        ids = self._tables.ids.get(table)
        return numbered(frame) if ids is None else frame.insert_column(0, ids.alias(ROW))

    def _keep(self, step: int, frame: pl.DataFrame) -> None:
        write_frames(self.path_of(step), [frame], frame.schema)

    def _source(self, step: int) -> FileSource | FrameSource:
        name = self.path_of(step)
        if step == 0:
            return source_of(self._first, self._options) if name else FrameSource(pl.DataFrame())
        if not Path(name).is_file():
            raise MissingSource(
                f"step {step} reads {name}, which is not there: the step before has written nothing"
            )
        return FileSource(name)

    def _hint(self) -> pl.Schema | None:
        try:
            return self._source(self.operator_step).schema
        except DataFlowError:
            return None

    def _begun(self) -> int:
        if self.operator_step < 0:
            raise ConfigError("You must call storage.step() before reading or writing data")
        return self.operator_step


def _checked(cache_type: str) -> str:
    choices = ", ".join(CACHE_TYPES)
    if cache_type in ("pickle", "pkl"):
        raise ConfigError(
            "cache_type='pickle' is not offered: a pickle from outside can run any code when it is read, "
            f"and Parquet keeps every type. Use cache_type='parquet'; there are {choices}"
        )
    if cache_type not in CACHE_TYPES:
        raise ConfigError(
            f"cache_type={cache_type!r} is unknown; there are {choices}.{did_you_mean(cache_type, CACHE_TYPES)}"
        )
    return cache_type


def _warn_of_bad_lines(source: FileSource | FrameSource) -> None:
    if isinstance(source, FileSource) and source.bad_count:
        first = "; ".join(f"{b.file}:{b.line}: {b.reason}" for b in source.bad_lines[:3])
        log.warning("%d lines of %s are no rows and were set aside: %s", source.bad_count, source.path, first)
