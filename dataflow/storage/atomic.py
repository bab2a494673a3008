"""Files that appear whole or not at all, and transparent compression."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from mmap import mmap
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

import zstandard

from dataflow.core.errors import StorageError

_O_DIRECT = getattr(os, "O_DIRECT", 0)
_PIECE = 4 << 20

if _O_DIRECT:
    import fcntl


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
    with cast(BinaryIO, _Direct(path)) as raw:
        if compression == "gz":
            # no time and no name, so that equal rows give equal files
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        elif compression == "zst":
            with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as stream:
                yield stream
        else:
            yield raw


class _Direct(io.RawIOBase):
    """A file written in large pieces past the system's cache, where the system lets us, and else as any other.

    The cache would take a copy of all of it into fresh memory, which costs more than to make the lines, and would
    still have to be brought to the disk before the table counts.
    """

    def __init__(self, path: Path) -> None:
        self._piece, self._filled = mmap(-1, _PIECE), 0  # a whole number of pages, at the start of one
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(path, flags | _O_DIRECT, 0o666)
        except OSError as e:
            if e.errno != EINVAL:
                raise
            self._file = os.open(path, flags, 0o666)

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            taken = min(len(left), _PIECE - self._filled)
            self._piece[self._filled : self._filled + taken] = left[:taken]
            self._filled, left = self._filled + taken, left[taken:]
            if self._filled == _PIECE:
                self._put()
        return size

    def close(self) -> None:
        if not self.closed:
            try:
                self._through_cache()  # the rest is no whole number of pages
                self._put()
            finally:
                os.close(self._file)
                super().close()

    def _put(self) -> None:
        with memoryview(self._piece) as piece:
            put = 0
            while put < self._filled:
                try:
                    put += os.write(self._file, piece[put : self._filled])
                except OSError as e:
                    if e.errno != EINVAL or not self._through_cache():
                        raise
        self._filled = 0

    def _through_cache(self) -> bool:
        """Write as usual from here on; whether that is a change."""
        if not _O_DIRECT:
            return False
        flags = fcntl.fcntl(self._file, fcntl.F_GETFL)
        fcntl.fcntl(self._file, fcntl.F_SETFL, flags & ~_O_DIRECT)
        return bool(flags & _O_DIRECT)


def advance(handle: BinaryIO, position: int, here: int) -> None:
    """Go on from byte `here` to byte `position`, also where the stream cannot seek."""
    if handle.seekable():
        handle.seek(position)
        return
    while here < position:
        here += len(handle.read(min(position - here, 1 << 22))) or position
