"""Keeping the questions of benchmarks out of training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
from pydantic import Field

from dataflow.core.errors import ConfigError, MissingDependency
from dataflow.core.frames import loads
from dataflow.core.outcome import Outcome, dropped
from dataflow.core.ports import Binding
from dataflow.operators._lib.text_filter import TextFilter

_SHOWN = 160


class DecontaminationFilter(TextFilter):
    """Keep texts that have no run of words in common with given evaluation files.

    As in Brown et al. 2020 (GPT-3, arXiv 2005.14165, appendix C): case and punctuation make no difference, white space parts
    words. A file is read by its ending: `.jsonl`, `.json`, `.csv`, `.tsv`, `.parquet`, else as text of one item a line;
    all texts in it are items, or those of `eval_fields`. An item of fewer than `ngram` words is not looked for. A dropped row is told
    the file and the first run of words found. Null is dropped,
    a blank text kept. Memory: 24 bytes a word of the files.

    Raises:
        ConfigError: a file cannot be read, or has no such field.
    """

    kernel: ClassVar[str] = "transform"
    judges_blank: ClassVar[bool] = True

    eval_files: str | tuple[str, ...]
    """The files of evaluations, or one of them."""
    ngram: int = Field(13, ge=1)
    """How many words in a row must agree."""
    eval_fields: tuple[str, ...] = ()
    """The fields of the files that are read; all where left empty."""

    @property
    def files(self) -> tuple[str, ...]:
        return (self.eval_files,) if isinstance(self.eval_files, str) else self.eval_files

    def check(self, binding: Binding) -> Iterator[tuple[str, str]]:
        yield from super().check(binding)
        for file in self.files:
            if not Path(file).is_file():
                yield "eval_files", f": there is no file {file!r}"

    def _kept(self, frame: pl.DataFrame, binding: Binding) -> Outcome:
        texts = self.typed(frame, binding)[str(binding.first_read)]
        stamps = tuple((file, _stamp(file)) for file in self.files)
        grams, owners = _grams_of(stamps, self.eval_fields, self.ngram)
        found = grams.first_in(texts)
        null = texts.is_null()
        keep = pl.Series(found[:, 0] < 0) & ~null
        labels = [pl.lit(1, pl.Int64).alias(c) for c in binding.writes.values()]
        done = Outcome(frame.with_columns(labels).filter(keep))
        lost = (~keep).arg_true().to_list()
        if lost:
            reasons = [
                "null"
                if null[i]
                else f"in {self.files[owners[found[i, 0]]]}: {_run(texts[i], *found[i, 1:])}"
                for i in lost
            ]
            done.dropped = dropped(frame, lost, reasons, binding.first_read)
        return done


def _run(text: str, begin: int, end: int) -> str:
    words = " ".join(text.encode()[begin:end].decode().split())
    return words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"


def _stamp(file: str) -> tuple[int, int]:
    """What changes when the file does."""
    try:
        stat = Path(file).stat()
    except OSError as error:
        raise ConfigError(f"DecontaminationFilter: eval_files: {file!r} cannot be read: {error}") from error
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=4)
def _grams_of(
    stamps: tuple[tuple[str, tuple[int, int]], ...], fields: tuple[str, ...], n: int
) -> tuple[Any, list[int]]:
    """The runs of words of all files, and for each item the number of its file."""
    try:
        from dataflow.kernels.ngrams import Grams  # compiled: loads numba
    except ModuleNotFoundError as error:
        raise MissingDependency(str(error.name), "text", "Looking for runs of words") from None
    items: list[str] = []
    owners: list[int] = []
    for number, (file, _) in enumerate(stamps):
        found = items_of(file, fields)
        items += found
        owners += [number] * len(found)
    return Grams.of(pl.Series(items, dtype=pl.String), n), owners


def items_of(file: str, fields: Sequence[str] = ()) -> list[str]:
    """The texts in an evaluation file, in order, those within lists and objects too."""
    try:
        rows = _rows(Path(file))
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ConfigError(f"DecontaminationFilter: eval_files: {file!r} cannot be read: {error}") from error
    if fields:
        records = [r for r in rows if isinstance(r, dict)]
        if absent := [f for f in fields if not any(f in r for r in records)]:
            raise ConfigError(f"DecontaminationFilter: eval_fields: {file!r} has no field {absent[0]!r}")
        rows = [r.get(f) for r in records for f in fields]
    return [text for row in rows for text in _texts(row)]


def _rows(path: Path) -> list[Any]:
    match path.suffix.lower():
        case ".jsonl" | ".ndjson":
            return [loads(line) for line in path.read_text("utf-8-sig").split("\n") if line.strip()]
        case ".json":
            found = loads(path.read_text("utf-8-sig"))
            return found if isinstance(found, list) else [found]
        case ".csv" | ".tsv" as kind:
            separator = "\t" if kind == ".tsv" else ","
            return pl.read_csv(path, separator=separator, infer_schema=False).to_dicts()
        case ".parquet":
            return pl.read_parquet(path).to_dicts()
        case _:
            return path.read_text("utf-8-sig").split("\n")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
