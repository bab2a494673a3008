"""Tables that are elsewhere: which source a name stands for, and where a final table is delivered to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from dataflow.core.errors import ConfigError
from dataflow.storage.source import FileSource, FrameSource

DATABASES = ("sqlite", "duckdb", "postgresql", "postgres")
_NO_OPTIONS: Mapping[str, Any] = {}


def source_of(name: str, options: Mapping[str, Any] = _NO_OPTIONS) -> FileSource | FrameSource:
    """The source that a name stands for.

    That is a path or glob, `hf:dataset[:config][:split]`, `ms:dataset[:split]`, a table or query of a database
    (`sqlite:///shop.db#orders`), or a URL such as `s3://…`.

    Args:
        options: what fsspec, the hub or the database's package is told besides: keys, endpoints.

    Raises:
        MissingSource: nothing is there.
        MissingDependency: the optional package that reads it is not installed.
        ConfigError: a name of the wrong form.
        StorageError: the other side refuses, or cannot be reached.
    """
    if name.startswith("hf:"):
        from dataflow.storage.remote.hub import hub_source

        return hub_source(name, options)
    if name.startswith("ms:"):
        from dataflow.storage.remote.modelscope import modelscope_source

        return modelscope_source(name)
    scheme, colon, _ = name.partition("://")
    if not colon:
        return FileSource(name)
    if scheme in DATABASES:
        from dataflow.storage.databases import database_source

        return database_source(name, options)
    from dataflow.storage.remote.objects import object_source

    return object_source(name, options)


def write_table(
    name: str,
    frames: Iterable[pl.DataFrame],
    schema: pl.Schema,
    options: Mapping[str, Any] = _NO_OPTIONS,
) -> int:
    """Write a table to a path, a URL, a table of a database or a data set of the Hugging Face hub.

    It appears there whole or not at all, in place of what was there. Returns the number of rows.

    Raises:
        MissingDependency: the optional package that writes it is not installed.
        ConfigError: a name of the wrong form.
        StorageError: a column cannot be held there, or the other side refuses or cannot be reached.
    """
    if name.startswith("hf:"):
        from dataflow.storage.remote.push import push_frames

        return push_frames(name, frames, schema, options)
    if name.startswith("ms:"):
        raise ConfigError("ms: can only be read; write files and upload them with the modelscope package")
    scheme, colon, _ = name.partition("://")
    if not colon:
        from dataflow.storage.writing import write_frames

        return write_frames(name, frames, schema)
    if scheme in DATABASES:
        from dataflow.storage.databases import write_database

        return write_database(name, frames, schema, options)
    from dataflow.storage.remote.objects import write_object

    return write_object(name, frames, schema, options)


def hub_parts(name: str, form: str, most: int) -> tuple[str, str | None, str]:
    """Data set, config and split of a hub's name; the split is `train` where none is named.

    Raises:
        ConfigError: the name has too many parts, or an empty one.
    """
    parts = name.partition(":")[2].split(":")
    if len(parts) > most or not all(parts):
        raise ConfigError(f"{name!r} is not of the form {form}")
    return parts[0], parts[1] if len(parts) == 3 else None, parts[-1] if len(parts) > 1 else "train"
