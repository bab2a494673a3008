"""Files that appear whole or not at all, and transparent compression."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, BinaryIO, cast
from uuid import uuid4

import zstandard

from dataflow.core.errors import StorageError

_FLUSH_S = 0.25


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; it takes the place of `path` when the block ends well.

    The file is flushed to the disk before, and its folder after. If the block raises, what was there stays and
    the temporary file is gone.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}.tmp")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
        sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Return when a file, or the entries of a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def reading(path: Path, compression: str) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed.

    Raises:
        StorageError: the compressed data is damaged or cut short.
    """
    try:
        with path.open("rb") as raw:
            if compression == "gz":
                yield cast(BinaryIO, gzip.GzipFile(fileobj=raw))
            elif compression == "zst":
                yield cast(BinaryIO, io.BufferedReader(_Unzstd(raw), 1 << 20))
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as e:
        raise StorageError(f"{path}: the compressed data is damaged: {e}") from e


class _Unzstd(io.RawIOBase):
    """Frames of zstandard, one after the other; unlike the package's own reader it notices a cut."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._ready, self._frame = raw, b"", zstandard.ZstdDecompressor().decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._next()
            if not packed:
                return 0
            self._ready = self._frame.decompress(packed)
        taken = self._ready[: len(buffer)]
        buffer[: len(taken)], self._ready = taken, self._ready[len(taken) :]
        return len(taken)

    def _next(self) -> bytes:
        left = self._frame.unused_data if self._frame.eof else b""
        packed = left or self._raw.read(1 << 18)
        if self._frame.eof and packed:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        elif not packed and not self._frame.eof:
            raise EOFError("it ends in the middle of a frame")
        return packed


@contextmanager
def writing(path: Path, compression: str) -> Iterator[BinaryIO]:
    """A file to write to, compressed on the way."""
    with path.open("wb") as raw, _flushed_meanwhile(raw.fileno()):
        if compression == "gz":
            # no time and no name, so that equal rows give equal files
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        elif compression == "zst":
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as stream:
                yield stream
        else:
            yield raw


@contextmanager
def _flushed_meanwhile(handle: int) -> Iterator[None]:
    """Bring what is written to the disk while more is made, so that little is left to wait for at the end."""
    done = Event()

    def flush() -> None:
        while not done.wait(_FLUSH_S):
            with suppress(OSError):  # told by the flush that counts, before the file takes its place
                os.fsync(handle)

    thread = Thread(target=flush, name="dataflow-flush", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def advance(handle: BinaryIO, position: int, here: int) -> None:
    """Go on from byte `here` to byte `position`, also where the stream cannot seek."""
    if handle.seekable():
        handle.seek(position)
        return
    while here < position:
        here += len(handle.read(min(position - here, 1 << 22))) or position
