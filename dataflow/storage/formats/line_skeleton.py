"""JSON lines without what stands in their texts: short enough for a regular expression to prove the rest of them.

Nearly all bytes of a corpus stand in texts, and whether a text is well-formed can be told from its few quotes,
backslashes and control characters. numpy finds these several times faster than an automaton walks over all bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

_QUOTE, _BACKSLASH, _U = b'"\\u'
_WRITTEN, _FOREIGN, _UNIT = 1, 2, 3
_ESCAPES = np.zeros(256, np.uint8)
"""What an escape is by its letter: one that we write, one that others do, one by its number, or none at all."""
_ESCAPES[list(b'"\\bfnrt')] = _WRITTEN
_ESCAPES[list(b"/")] = _FOREIGN
_ESCAPES[_U] = _UNIT
_HEX = np.isin(np.arange(256), list(b"0123456789abcdefABCDEF"))
_AFTER_VALUE = np.isin(np.arange(256), list(b",}]"))

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class Skeleton(NamedTuple):
    """Lines with `""` for each text that is a value."""

    lines: bytes
    as_written: bool
    """Whether all escapes, also those in what is left, are such as we write."""
    controls: Places
    """Where the control characters stand in the lines as they were, line ends among them."""


def skeleton(data: bytes) -> Skeleton | None:
    """The lines without their texts; null where a text is not well-formed, or might not be.

    Texts that have been taken out are UTF-8, hold no control characters, and no escapes but those of JSON; of a
    surrogate this cannot be told. Keys stay, and so do texts that are followed by white space.
    """
    if not _is_utf8(data):
        return None
    a = np.frombuffer(data, np.uint8)
    # `^ 2` puts the quote, 34, next to the control characters
    special = np.flatnonzero(((a ^ 2) < 33) | (a == _BACKSLASH))
    kinds = a[special]
    quotes = special[kinds == _QUOTE]
    slashes = special[kinds == _BACKSLASH]
    as_written = True
    if len(slashes):
        escaped = _leading(slashes) + 1
        if escaped[-1] >= len(a):
            return None
        letters = a[escaped]
        escapes = _ESCAPES[letters]
        as_written = bool(escapes.max() == _WRITTEN)
        if not escapes.all() or not _are_units(a, escaped[escapes == _UNIT]):
            return None
        quotes = np.delete(quotes, np.searchsorted(quotes, escaped[letters == _QUOTE]))
    if len(quotes) % 2:
        return None
    controls = special[kinds < 32]
    if (np.searchsorted(quotes, controls) % 2).any():
        return None
    begins, ends = quotes[::2], quotes[1::2]
    is_value = _AFTER_VALUE[a[np.minimum(ends + 1, len(a) - 1)]]
    return Skeleton(_without(a, begins[is_value] + 1, ends[is_value]), as_written, controls)


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _leading(slashes: Places) -> Places:
    """The backslashes that escape what follows: of a run of them every second one does not."""
    follows = np.flatnonzero(np.diff(slashes) == 1) + 1
    leads = np.diff(follows, prepend=-1) != 1
    begins = follows[leads][np.cumsum(leads) - 1] - 1
    return np.delete(slashes, follows[(follows - begins) % 2 == 1])


def _are_units(a: Bytes, units: Places) -> bool:
    """Whether all these `u` are followed by four digits, and none of them is of a surrogate."""
    if not len(units):
        return True
    if units[-1] + 4 >= len(a):
        return False
    digits = a[units[:, None] + np.arange(1, 5)]
    surrogate = np.isin(digits[:, 0], list(b"dD")) & np.isin(digits[:, 1], list(b"89abcdefABCDEF"))
    return bool(_HEX[digits].all() and not surrogate.any())


def _without(a: Bytes, begins: Places, ends: Places) -> bytes:
    """The bytes outside of spans, which are sorted and do not overlap."""
    first, last = np.append(0, ends), np.append(begins, len(a))
    lengths = last - first
    skipped = first - np.append(0, np.cumsum(lengths)[:-1])
    left: Bytes = a[np.repeat(skipped, lengths) + np.arange(lengths.sum())]
    return left.tobytes()
