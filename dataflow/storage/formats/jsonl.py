"""JSON, one object a line.

A first pass finds the types exactly, and sets lines aside that are no rows; a second pass builds the frames. Both
leave the work to polars where it cannot go wrong. The first pass parses lines until it knows what rows look like;
then it only proves that further blocks look the same (`line_pattern.py`). A block so proven, or written by us, is read
by polars' own parser, which would otherwise turn numbers into text and merge unlike structs without a word.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dataflow.core.ahead import ahead
from dataflow.core.errors import StorageError
from dataflow.core.frames import is_json, merge_types
from dataflow.storage.atomic import advance, reading, writing
from dataflow.storage.formats.base import Format
from dataflow.storage.formats.line_parse import Parsed, parse
from dataflow.storage.formats.line_pattern import Orders, Patterns, Proof, prove
from dataflow.storage.formats.line_text import write_lines
from dataflow.storage.shapes import build_parsed, column_type, table
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import conform, stored
from dataflow.storage.tables import BadLines, Table

if TYPE_CHECKING:
    from dataflow.storage.verbatim import Verbatim

BLOCK = 4 << 20
AGAIN = 8
"""Blocks that are proven once more by types that showed only later in the file."""
BOM = b"\xef\xbb\xbf"


class Jsonl(Format):
    suffixes = (".jsonl", ".ndjson")
    compresses: ClassVar[bool] = True
    remembers: ClassVar[bool] = True

    def scan(self, path: Path, compression: str, known: Known | None) -> Table:
        seen = _Seen(path)
        if known:
            schema, blocks = known.schema, known.blocks
        else:
            with reading(path, compression) as handle:
                blocks = seen.blocks(whole_lines(handle), None if compression else handle)
            schema = pl.Schema(seen.types)

        def chunks(first: int, wanted: pl.Schema) -> Iterator[pl.DataFrame]:
            some = pl.Schema({n: d for n, d in schema.items() if n in wanted})

            def made(part: tuple[int, Block, bytes]) -> pl.DataFrame:
                skip, block, data = part
                return conform(parsed(data, block.rows, some, clean=block.clean), wanted).slice(skip)

            with reading(path, compression) as handle:
                yield from ahead(made, _from_row(handle, blocks, first))

        rows, lines = sum(b.rows for b in blocks), () if compression else blocks
        return Table(schema, rows, chunks, seen.bad, blocks=lines, bounds=seen.bounds)

    def write(
        self,
        path: Path,
        compression: str,
        frames: Iterator[pl.DataFrame],
        schema: pl.Schema,
        lines: Verbatim | None = None,
    ) -> list[Block]:
        """
        Args:
            lines: where the rows lie as lines, by their ids.
        """
        blocks, offset, plain = [], 0, not any(map(is_json, schema.values()))
        encode = write_lines if lines is None else lines.write
        spare: list[io.BytesIO] = []

        def encoded(part: pl.DataFrame) -> tuple[int, io.BytesIO]:
            # memory that is used again costs half of what fresh memory does
            made = spare.pop() if spare else io.BytesIO()
            made.seek(0)
            encode(part, made)
            return part.height, made

        with writing(path, compression) as handle:
            sizes = ((f, _rows_a_block(f) if lines is None else lines.rows_a_block) for f in frames)
            parts = (part for frame, size in sizes for part in frame.iter_slices(size))
            for rows, made in ahead(encoded, parts):
                blocks.append(Block(offset, made.tell(), rows, as_written=plain))
                with made.getbuffer() as data:
                    handle.write(data[: made.tell()])
                offset += made.tell()
                spare.append(made)
        return blocks


class _Seen:
    """What a first pass has found so far."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines, self.bad = path, 0, BadLines()
        self.types: dict[str, pl.DataType] = {}
        self.orders, self.patterns = Orders(), Patterns()
        self.bounds: dict[int, NDArray[np.uint32]] = {}

    def blocks(self, parts: Iterable[tuple[int, bytes]], handle: BinaryIO | None = None) -> tuple[Block, ...]:
        """The blocks of a file; the first is parsed before others are looked at, so that these can be proven.

        Args:
            handle: the file, if its blocks can be read once more at little cost.
        """
        parts = iter(parts)
        proven: list[tuple[Block, Patterns]] = []
        for offset, data in islice(parts, 1):
            proven.append((self._learnt(offset, _text(offset, data), len(data)), self.patterns))
        for offset, data, patterns, tried in ahead(self._tried, parts):
            if not tried.rows:
                patterns, tried = self.patterns, prove(data, self.patterns)
            if tried.rows:
                self.lines += tried.rows
                block = Block(offset, len(data), tried.rows, as_written=self._note_bounds(offset, tried))
            else:
                block, patterns = self._learnt(offset, data, len(data)), self.patterns
            proven.append((block, patterns))
        # what would be written of a row hangs on the types of all
        early = [at for at, (b, p) in enumerate(proven) if b.as_written and p != self.patterns]
        for at in early:
            block, _ = proven[at]
            again = handle is not None and len(early) <= AGAIN and self._proven_again(handle, block)
            proven[at] = block._replace(as_written=again), self.patterns
        return tuple(block for block, _ in proven)

    def _proven_again(self, handle: BinaryIO, block: Block) -> bool:
        handle.seek(block.offset)
        return self._note_bounds(block.offset, prove(handle.read(block.length), self.patterns))

    def _note_bounds(self, offset: int, proof: Proof) -> bool:
        """Keep where the lines of a block are, if it holds what we would write of its rows; whether it does."""
        if proof.bounds is not None:
            self.bounds[offset] = proof.bounds
        return proof.bounds is not None

    def _tried(self, part: tuple[int, bytes]) -> tuple[int, bytes, Patterns, Proof]:
        patterns = self.patterns
        return *part, patterns, prove(part[1], patterns)

    def _learnt(self, offset: int, data: bytes, length: int) -> Block:
        """A block that is parsed, and from which on others may look like it."""
        parsed = parse(data)
        for at, reason, raw in parsed.bad:
            self.bad.add(str(self.path), self.lines + at + 1, reason, raw)
        self.lines += parsed.lines
        self._note_types(parsed)
        self.patterns = self.orders.patterns(self.types)
        proof = prove(data, self.patterns)
        as_written = length == len(data) and self._note_bounds(offset, proof)
        return Block(offset, length, len(parsed.rows), proof.rows > 0, as_written)

    def _note_types(self, parsed: Parsed) -> None:
        orders = dict.fromkeys(map(tuple, parsed.rows))
        for order in orders:
            self.orders.note(order)
        for key in dict.fromkeys(k for order in orders for k in order):
            have = self.types.get(key, pl.Null())
            if not is_json(have):
                cells = [row.get(key) for row in parsed.rows]
                self.types[key] = merge_types(have, column_type(cells, utf8=parsed.utf8))


def whole_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The file in blocks that end with a line, a small one first, each with the byte it starts at."""
    offset, plain = 0, isinstance(getattr(handle, "raw", None), io.FileIO)
    for size in chain([BLOCK // 32 or 1], repeat(BLOCK)):
        data = _until_line_end(handle, offset, size) if plain else handle.read(size) + handle.readline()
        if not data:
            return
        yield offset, data
        offset += len(data)


def _until_line_end(handle: BinaryIO, offset: int, size: int) -> bytes:
    """At least so many bytes of a file on the disk, read at once: joining two reads costs more than a seek."""
    handle.seek(offset + size)
    handle.readline()
    length = handle.tell() - offset
    handle.seek(offset)
    return handle.read(length)


def _text(offset: int, data: bytes) -> bytes:
    return data.removeprefix(BOM) if offset == 0 else data


def _from_row(handle: BinaryIO, blocks: tuple[Block, ...], first: int) -> Iterator[tuple[int, Block, bytes]]:
    """The blocks from a row on, with their text, and how many rows of each come before that row."""
    here = row = 0
    for block in blocks:
        if row + block.rows > first:
            advance(handle, block.offset, here)
            data = handle.read(block.length)
            here = block.offset + block.length
            yield max(first - row, 0), block, _text(block.offset, data)
        row += block.rows


def parsed(data: bytes, rows: int, schema: pl.Schema, *, clean: bool = True) -> pl.DataFrame:
    """Lines as a frame.

    Args:
        rows: how many they are.
        clean: whether every line is an object of plain UTF-8 JSON.

    Raises:
        StorageError: they are more, or less.
    """
    plain = pl.Schema({n: stored(d, n) for n, d in schema.items()})
    if not plain:
        return pl.DataFrame(height=rows)
    if not rows:
        return pl.DataFrame(schema=schema)
    made = _read(data, plain) if clean else _built(data, plain)
    if made.height != rows:
        raise StorageError(
            f"a block of {rows} rows holds {made.height} now; the file has changed while it was read"
        )
    return conform(made, schema)


def _read(data: bytes, schema: pl.Schema) -> pl.DataFrame:
    """A clean block: `json` columns through Python, all others by polars."""
    typed = pl.Schema({n: d for n, d in schema.items() if not is_json(d)})
    if not typed:
        return _built(data, schema)
    try:
        frame = pl.read_ndjson(data, schema=typed)
    except pl.exceptions.ComputeError:
        # inside of a `json` cell there may be a number that its parser does not take
        return _built(data, schema)
    other = _built(data, pl.Schema({n: d for n, d in schema.items() if is_json(d)}))
    # the parser leaves nested columns many times the memory that they need
    return table([(frame[n] if n in typed else other[n]).shrink_to_fit() for n in schema], frame.height)


def _built(data: bytes, schema: pl.Schema) -> pl.DataFrame:
    if not schema:
        return pl.DataFrame()
    rows = parse(data).rows
    return table([build_parsed(n, [r.get(n) for r in rows], d) for n, d in schema.items()], len(rows))


def _rows_a_block(frame: pl.DataFrame) -> int:
    return max(1, int(frame.height * BLOCK / (frame.estimated_size() + 1)))
