"""Loads an extension into new connections of Python's sqlite3."""

from __future__ import annotations

import ctypes
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from dataflow.core.errors import ConfigError

_SUFFIXES = {"darwin": ".dylib", "win32": ".dll"}
_opening = threading.Lock()


def opened_with(path: str, entry: str, open_: Callable[[], sqlite3.Connection]) -> sqlite3.Connection:
    """A new connection with an extension; `path` is its file without the suffix, `entry` its function.

    Many builds of Python leave out the loading of extensions. Then the library below Python's sqlite3 is told to give
    the extension to whatever is opened now.

    Raises:
        ConfigError: neither way is open in this Python.
    """
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        connection = open_()
        connection.enable_load_extension(True)
        connection.load_extension(path)
        connection.enable_load_extension(False)
        return connection
    file = Path(path)
    file = file if file.suffix else file.with_suffix(_SUFFIXES.get(sys.platform, ".so"))
    try:
        import _sqlite3

        library = ctypes.CDLL(_sqlite3.__file__)
        start = ctypes.cast(getattr(ctypes.CDLL(str(file)), entry), ctypes.c_void_p)
        give, stop = library.sqlite3_auto_extension, library.sqlite3_cancel_auto_extension
    except (AttributeError, ImportError, OSError) as error:
        raise ConfigError(
            f"{file.name}: this Python was built without extensions of SQLite ({error})"
        ) from None
    give.argtypes = stop.argtypes = [ctypes.c_void_p]
    with _opening:
        give(start)
        try:
            return open_()
        finally:
            stop(start)
