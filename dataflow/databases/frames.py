"""What goes between this process and those in which engines run: tuples whose first value says what they are."""

from __future__ import annotations

import marshal
from typing import Any


class Told:
    """What a process of an engine says, first in its frames."""

    RESULTS = 0
    """Of each query its number, what came of it, and the seconds: columns and rows, a fault and a message, or a schema."""
    BUSY = 1
    """Something begins that may take so many seconds: the opening of a file, a statement of a schema."""
    RECALLED = 2
    """The queries that were not begun are let go; the number of the one under way, or none."""
    ASKS = 3
    """Texts to be embedded."""


class Asked:
    """What such a process is told."""

    RUN = 0
    """Limits, databases that it does not know yet, queries."""
    RECALL = 1
    VECTORS = 2
    """The vectors of the texts, what went wrong."""


class What:
    """What is to be done with a query."""

    EXECUTE = 0
    EXPLAIN = 1
    SCHEMA = 2


def dump(value: Any) -> bytes:
    """A value as a frame: by `marshal`, which is quick, and where there are values of other kinds by `pickle`."""
    try:
        return b"m" + marshal.dumps(value, 2)
    except ValueError:
        import pickle

        return b"p" + pickle.dumps(value, 5)


def load(frame: bytes) -> Any:
    """The value of a frame; only of a process that we have started ourselves."""
    if frame[:1] == b"m":
        return marshal.loads(memoryview(frame)[1:])  # noqa: S302
    import pickle

    return pickle.loads(memoryview(frame)[1:])  # noqa: S301
