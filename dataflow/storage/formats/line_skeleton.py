"""JSON lines without what stands in their texts: short enough for a regular expression to prove the rest of them.

Nearly all bytes of a corpus stand in texts, and whether a text is well-formed can be told from its few quotes,
backslashes and control characters. numpy finds these several times faster than an automaton walks over all bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

CHUNK = 1 << 17
"""Bytes looked at together; they stay in the cache of a core."""
_QUOTE, _BACKSLASH, _U = b'"\\u'
_ESCAPED = np.isin(np.arange(256), list(b'"\\/bfnrtu'))
_WRITTEN = np.isin(np.arange(256), list(b'"\\bfnrt'))
_HEX = np.isin(np.arange(256), list(b"0123456789abcdefABCDEF"))
_AFTER_VALUE = np.isin(np.arange(256), list(b",}]"))

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class Skeleton(NamedTuple):
    """Lines with `""` for each text that is a value."""

    lines: bytes
    as_written: bool = True
    """Whether all escapes, also those in what is left, are such as we write."""


def skeleton(data: bytes) -> Skeleton | None:
    """The lines without their texts; null where a text is not well-formed, or might not be.

    Texts that have been taken out are UTF-8, hold no control characters, and no escapes but those of JSON; of a
    surrogate this cannot be told. Keys stay, and so do texts that are followed by white space.
    """
    if not _is_utf8(data):
        return None
    a = np.frombuffer(data, np.uint8)
    special = _special(a)
    kinds = a[special]
    quotes = special[kinds == _QUOTE]
    slashes = special[kinds == _BACKSLASH]
    as_written = True
    if len(slashes):
        escaped = _escaped(slashes)
        if escaped[-1] >= len(a) or not _well_escaped(a, escaped):
            return None
        as_written = bool(_WRITTEN[a[escaped]].all())
        quotes = quotes[~_among(quotes, escaped)]
    if len(quotes) % 2:
        return None
    controls = special[kinds < 32]
    if (np.searchsorted(quotes, controls) % 2).any():
        return None
    begins, ends = quotes[::2], quotes[1::2]
    is_value = _AFTER_VALUE[a[np.minimum(ends + 1, len(a) - 1)]]
    return Skeleton(_without(a, begins[is_value] + 1, ends[is_value]), as_written)


def _is_utf8(data: bytes) -> bool:
    if not np.frombuffer(data, np.uint8).max(initial=0) & 0x80:
        return True
    try:
        pl.Series([data], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _special(a: Bytes) -> Places:
    """Where quotes, backslashes and control characters are."""
    found = []
    for first in range(0, len(a), CHUNK):
        part = a[first : first + CHUNK]
        mask = (part ^ 2) < 33  # so the quote, 34, is next to the control characters, and the space is not
        mask |= part == _BACKSLASH
        found.append(np.flatnonzero(mask) + first)
    return np.concatenate([np.zeros(0, np.int64), *found])


def _escaped(slashes: Places) -> Places:
    """The places of the bytes that a backslash escapes: of a run of backslashes every second one does."""
    leads = np.diff(slashes, prepend=-2) != 1
    begins = slashes[leads][np.cumsum(leads) - 1]
    found: Places = slashes[(slashes - begins) % 2 == 0] + 1
    return found


def _well_escaped(a: Bytes, escaped: Places) -> bool:
    """Whether JSON knows all these escapes, and none is of a surrogate."""
    letters = a[escaped]
    if not _ESCAPED[letters].all():
        return False
    units = escaped[letters == _U]
    if not len(units):
        return True
    if units[-1] + 4 >= len(a):
        return False
    digits = a[units[:, None] + np.arange(1, 5)]
    surrogate = np.isin(digits[:, 0], list(b"dD")) & np.isin(digits[:, 1], list(b"89abcdefABCDEF"))
    return bool(_HEX[digits].all() and not surrogate.any())


def _among(places: Places, some: Places) -> NDArray[np.bool_]:
    """Which places are among some others, of which there are any; both are sorted."""
    at = np.minimum(np.searchsorted(some, places), len(some) - 1)
    found: NDArray[np.bool_] = some[at] == places
    return found


def _without(a: Bytes, begins: Places, ends: Places) -> bytes:
    """The bytes outside of spans, which are sorted and do not overlap."""
    first, last = np.append(0, ends), np.append(begins, len(a))
    lengths = last - first
    skipped = first - np.append(0, np.cumsum(lengths)[:-1])
    left: Bytes = a[np.repeat(skipped, lengths) + np.arange(lengths.sum())]
    return left.tobytes()
