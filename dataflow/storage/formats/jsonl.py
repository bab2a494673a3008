"""JSON, one object a line.

A first pass parses every line exactly, finds the types and sets lines aside that are no rows; a second pass
builds the frames. polars' own reader is used only for blocks of lines that the first pass, or our own writer,
proved to be of one type: it would otherwise turn numbers into text and merge unlike structs without a word.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import orjson
import polars as pl

from dataflow.core.errors import StorageError
from dataflow.core.frames import dumps, is_json, loads, merge_types
from dataflow.storage.atomic import advance, reading, writing
from dataflow.storage.formats.base import Format, as_stored
from dataflow.storage.shapes import build_parsed, column_type, is_utf8, table
from dataflow.storage.sidecar import Block, Known
from dataflow.storage.stored import applied, conform, stored
from dataflow.storage.tables import BadLines, Table

BLOCK = 8 << 20
BOM = b"\xef\xbb\xbf"
_LONG = b"0" * 19
_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")


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
                blocks = tuple(seen.block(o, data) for o, data in whole_lines(handle))
            schema = pl.Schema(seen.types)

        def chunks(first: int, wanted: pl.Schema) -> Iterator[pl.DataFrame]:
            with reading(path, compression) as handle:
                for skip, block, data in _from_row(handle, blocks, first):
                    yield conform(_frame(data, block, schema), wanted).slice(skip)

        return Table(schema, sum(b.rows for b in blocks), chunks, seen.bad)

    def write(
        self, path: Path, compression: str, frames: Iterator[pl.DataFrame], schema: pl.Schema
    ) -> list[Block]:
        blocks, offset = [], 0
        with writing(path, compression) as handle:
            for frame in frames:
                for part in frame.iter_slices(_rows_a_block(frame)):
                    data = lines(part)
                    handle.write(data)
                    blocks.append(Block(offset, len(data), part.height))
                    offset += len(data)
        return blocks


class Parsed(NamedTuple):
    """The rows of a block of lines."""

    rows: list[dict[str, Any]]
    bad: list[tuple[int, str, bytes]]
    """Line in the block, counted from 0; reason; the line."""
    lines: int
    clean: bool


def parse(data: bytes) -> Parsed:
    """The rows of a block of lines, exactly; a line that is no row never raises."""
    split = data.split(b"\n")
    if not split[-1]:
        split.pop()
    try:
        rows = list(map(orjson.loads, split))
        if set(map(type, rows)) <= {dict}:
            exact = list(map(loads, split)) if _has_long_number(data) else rows
            return Parsed(exact, [], len(split), clean=exact is rows or repr(exact) == repr(rows))
    except orjson.JSONDecodeError:
        pass
    rows, bad = [], []
    for at, line in enumerate(split):
        if line.strip():
            row, reason = _row(line)
            rows.append(row) if not reason else bad.append((at, reason, line))
    return Parsed(rows, bad, len(split), clean=False)


def _has_long_number(data: bytes) -> bool:
    """Whether there may be an integer beyond 64 bits, of which orjson makes a float."""
    digits = data.translate(_AS_ZEROS)
    at = digits.find(_LONG)
    while at > 0 and data[at - 1 : at] == b".":
        at = digits.find(_LONG, at + len(_LONG))
    return at >= 0


def _row(line: bytes) -> tuple[dict[str, Any], str]:
    try:
        row = loads(line.decode())
    except UnicodeDecodeError as e:
        return {}, f"not UTF-8: {e.reason} at byte {e.start + 1}"
    except RecursionError:
        return {}, "nested too deeply"
    except ValueError as e:
        return {}, f"not JSON: {e}"
    if not isinstance(row, dict):
        return {}, f"not an object but {_KINDS.get(type(row), 'null')}"
    return (row, "") if all(map(is_utf8, row)) else ({}, "a key that UTF-8 cannot hold")


_KINDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a truth value"}


class _Seen:
    """What a first pass has found so far."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines, self.bad = path, 0, BadLines()
        self.types: dict[str, pl.DataType] = {}

    def block(self, offset: int, data: bytes) -> Block:
        parsed = parse(data.removeprefix(BOM) if offset == 0 else data)
        for at, reason, raw in parsed.bad:
            self.bad.add(str(self.path), self.lines + at + 1, reason, raw)
        self.lines += parsed.lines
        self._note_types(parsed)
        return Block(offset, len(data), len(parsed.rows), parsed.clean)

    def _note_types(self, parsed: Parsed) -> None:
        for key in dict.fromkeys(k for names in dict.fromkeys(map(tuple, parsed.rows)) for k in names):
            have = self.types.get(key, pl.Null())
            if not is_json(have):
                cells = [row.get(key) for row in parsed.rows]
                self.types[key] = merge_types(have, column_type(cells, utf8=parsed.clean))


def whole_lines(handle: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The file in blocks that end with a line, each with the byte it starts at."""
    offset = 0
    while data := handle.read(BLOCK):
        data += handle.readline()
        yield offset, data
        offset += len(data)


def _from_row(handle: BinaryIO, blocks: tuple[Block, ...], first: int) -> Iterator[tuple[int, Block, bytes]]:
    """The blocks from a row on, with their text, and how many rows of each come before that row."""
    here = row = 0
    for block in blocks:
        if row + block.rows > first:
            advance(handle, block.offset, here)
            data = handle.read(block.length)
            here = block.offset + block.length
            yield max(first - row, 0), block, data.removeprefix(BOM) if block.offset == 0 else data
        row += block.rows


def _frame(data: bytes, block: Block, schema: pl.Schema) -> pl.DataFrame:
    plain = pl.Schema({n: stored(d, n) for n, d in schema.items()})
    if not plain:
        return pl.DataFrame(height=block.rows)
    if block.clean and not any(map(is_json, plain.dtypes())):
        made = _compact(pl.read_ndjson(data, schema=plain))
    else:
        rows = parse(data).rows
        made = table([build_parsed(n, [r.get(n) for r in rows], d) for n, d in plain.items()], len(rows))
    if made.height != block.rows:
        raise StorageError(
            f"a block of {block.rows} rows holds {made.height} now; the file has changed while it was read"
        )
    return conform(made, schema)


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    """A copy where there are nested columns: polars' parser leaves them twenty times the memory they need."""
    if not any(d.is_nested() for d in frame.dtypes):
        return frame
    frame.write_ipc(copy := io.BytesIO())
    return pl.read_ipc(copy.getvalue())


def _rows_a_block(frame: pl.DataFrame) -> int:
    return max(1, int(frame.height * BLOCK / (frame.estimated_size() + 1)))


def lines(frame: pl.DataFrame) -> bytes:
    """The rows as JSON objects, a line each, keys in column order; the cells of `json` columns as they are."""
    if not frame.width:
        return b"{}\n" * frame.height
    if not frame.height:
        return b""
    parts = [_members(run) for run in _runs(frame)]
    text = pl.concat_str([pl.lit("{"), pl.concat_str(pl.all(), separator=","), pl.lit("}")])
    numbered = pl.DataFrame({f"{at}": part for at, part in enumerate(parts)})
    numbered.select(text).write_csv(made := io.BytesIO(), include_header=False, quote_style="never")
    return made.getvalue()


def _runs(frame: pl.DataFrame) -> list[list[pl.Series]]:
    """Columns that are next to each other and can be encoded together; a `json` column is alone."""
    runs: list[list[pl.Series]] = [[]]
    for column in map(as_stored, frame.get_columns()):
        if is_json(column.dtype):
            runs += [[column], []]
        else:
            runs[-1].append(column)
    return [run for run in runs if run]


def _members(run: list[pl.Series]) -> pl.Series:
    if not is_json(run[0].dtype):
        texts = table(run, len(run[0])).to_struct().struct.json_encode()
        return applied(texts, lambda c: c.str.strip_prefix("{").str.strip_suffix("}"))
    key = orjson.dumps(run[0].name).decode() + ":"
    cells = _standard(run[0].ext.storage())
    return applied(cells, lambda c: pl.lit(key) + c.str.replace_all(r"[\r\n]", " ").fill_null("null"))


def _standard(cells: pl.Series) -> pl.Series:
    """JSON texts with NaN and infinity, which JSON does not have, as null; as for columns of numbers."""
    odd = cells.str.contains("NaN|Infinity").fill_null(value=False).to_list()
    if not any(odd):
        return cells
    texts = [dumps(_finite(loads(c))) if o else c for c, o in zip(cells.to_list(), odd, strict=True)]
    return pl.Series(cells.name, texts, dtype=pl.String)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value
