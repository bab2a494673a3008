"""Files in object stores and behind other URLs, through fsspec."""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import aiohttp
import polars as pl

from dataflow.core.errors import ConfigError, MissingDependency, MissingSource, StorageError
from dataflow.storage.atomic import replacing
from dataflow.storage.formats import format_of, known_format
from dataflow.storage.remote.fetched import FetchedSource
from dataflow.storage.remote.packages import cache_folder, package, retried
from dataflow.storage.remote.secrets import shown, telling
from dataflow.storage.source import FileSource
from dataflow.storage.writing import write_frames

log = logging.getLogger(__name__)
T = TypeVar("T")
_LOST = (OSError, EOFError, aiohttp.ClientError)
_REFUSED = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
_HASHES = ("ETag", "etag", "md5Hash", "md5", "Content-MD5", "generation")
_TIMES = ("LastModified", "last_modified", "Last-Modified", "mtime", "updated", "modified", "created")


def object_source(url: str, options: Mapping[str, Any]) -> FileSource:
    """The files that a URL, or a folder or glob behind one, names.

    Raises:
        MissingSource: nothing is there.
        MissingDependency: the package that speaks with that store is not installed.
        StorageError: the store refuses, or cannot be reached.
    """
    system, place = _system(url, options)
    if "file" in _protocols(system):
        return FileSource(place)
    with telling("reading", url, options):
        system.invalidate_cache()
        found = _retried(partial(_found, system, place))
    if not found:
        raise MissingSource(f"{shown(url)!r} holds no table of a known kind")
    return _ObjectSource(url, [_object(system, url, options, info) for info in found])


def write_object(
    url: str, frames: Iterable[pl.DataFrame], schema: pl.Schema, options: Mapping[str, Any]
) -> int:
    """Write a table to a URL and return the number of rows. It appears there whole or not at all."""
    name = Path(url.partition("?")[0]).name
    format_of(Path(name))
    system, place = _system(url, options)
    if "file" in _protocols(system):
        return write_frames(place, frames, schema)
    with TemporaryDirectory(prefix="dataflow-") as folder:
        rows = write_frames(made := Path(folder, name), frames, schema)
        with telling("writing", url, options):
            _retried(partial(_upload, system, made, place))
    return rows


def _upload(system: Any, made: Path, place: str) -> None:
    """In a transaction, which makes the object visible only when all its bytes are there."""
    with made.open("rb") as rows, system.transaction, system.open(place, "wb") as there:
        shutil.copyfileobj(rows, there, 8 << 20)


class _ObjectSource(FetchedSource):
    """Objects as one table; those whose store tells no version are kept only as long as this lives."""

    def __init__(self, url: str, found: list[_Object]) -> None:
        super().__init__(shown(url), found)
        self._unversioned = TemporaryDirectory(prefix="dataflow-")
        for file in found:
            if not file.version:
                file.folder = Path(self._unversioned.name, file.folder.name)


@dataclass
class _Object:
    """One object, kept in the cache under its version."""

    name: str
    size: int
    version: str
    system: Any = field(repr=False)
    folder: Path
    url: str = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)

    def kept(self) -> Path | None:
        path = self.folder / Path(self.name).name
        return path if path.is_file() else None

    def fetch(self) -> Path:
        if (kept := self.kept()) is not None:
            return kept
        path = self.folder / Path(self.name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        with telling("reading", self.url, self.options), replacing(path) as temporary:
            _retried(lambda: self.system.get_file(self.name, str(temporary)))
            self._check(temporary.stat().st_size)
        log.info("fetched %s, %d bytes", self.name, self.size)
        return path

    def tail(self, length: int) -> bytes:
        start = max(0, self.size - length)
        with telling("reading", self.url, self.options):
            return bytes(_retried(lambda: self.system.cat_file(self.name, start=start, end=self.size)))

    def _check(self, size: int) -> None:
        """That what came is what was listed."""
        self.system.invalidate_cache()
        key, now = self.version.partition(":")[0], self.system.info(self.name)
        if size != self.size or (now.get(key) and _version({key: now[key], "size": size}) != self.version):
            raise StorageError(f"{self.name} was changed while it was read; run again")


def _object(system: Any, url: str, options: Mapping[str, Any], info: Mapping[str, Any]) -> _Object:
    store = shown(url).partition("://")[0] + "://" + shown(url).partition("://")[2].partition("/")[0]
    version = _version(info)
    key = hashlib.blake2b(f"{store}\0{info['name']}\0{version}".encode(), digest_size=16).hexdigest()
    size = int(info.get("size") or 0)
    return _Object(str(info["name"]), size, version, system, cache_folder("objects") / key, url, options)


def _version(info: Mapping[str, Any]) -> str:
    """What tells one state of a file from another, and under which name: its hash, else its time of change."""
    for key in (*_HASHES, *_TIMES):
        if found := info.get(key):
            return f"{key}:{found.timestamp() if isinstance(found, datetime) else found} {info.get('size')}"
    return ""


def _found(system: Any, place: str) -> list[Mapping[str, Any]]:
    """The tables at a place, by name."""
    if any(c in place for c in "*?["):
        found = list(system.glob(place, detail=True).values())
    else:
        here = system.info(place)
        if here["type"] != "directory":
            return [here]
        found = system.ls(place, detail=True)
    tables = [f for f in found if f["type"] == "file" and _is_table(Path(f["name"]))]
    return sorted(tables, key=lambda f: str(f["name"]))


def _is_table(path: Path) -> bool:
    return known_format(path) is not None and not path.name.startswith(".")


def _system(url: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    scheme = url.partition("://")[0]
    fsspec = package("fsspec", "remote", f"{scheme}://")
    known = package("fsspec.registry", "remote", f"{scheme}://").known_implementations.get(scheme)
    if known is None and scheme not in fsspec.available_protocols():
        raise ConfigError(
            f"{scheme}:// is unknown; there are hf:, ms:, sqlite://, duckdb://, postgresql:// and those of fsspec"
        )
    try:
        system, place = fsspec.core.url_to_fs(url, **options)
    except ImportError as e:
        raise _missing(scheme, str(known["class"]).partition(".")[0]) from e
    except (TypeError, ValueError, OSError) as e:
        with telling("opening", url, options):
            raise e
    return system, place


def _missing(scheme: str, name: str) -> Exception:
    if name == "s3fs":
        return MissingDependency("s3fs", "remote", f"{scheme}://")
    return ConfigError(
        f"{scheme}:// needs a package of its own; fsspec names {name}: install it beside fsspec"
    )


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _retried(call: Callable[[], T]) -> T:
    return retried(call, _is_lost)


def _is_lost(error: Exception) -> bool:
    """Whether it is the connection that failed, or the server was busy."""
    status = getattr(error, "status", 503)
    return isinstance(error, _LOST) and not isinstance(error, _REFUSED) and (status == 429 or status >= 500)
