"""Counts over source files: their lines as they stand, and encoded data in them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dataflow.kernels.characters import WORD, Classes, classes, length_of, point_at
from dataflow.kernels.texts import Texts, run

Bytes = NDArray[np.uint8]
Counts = NDArray[np.int64]

HEAD_LINES = 5
BASE64_RUN = 64
"""Characters of a run of base64, at least."""
CODES_RUN = 8
"""Bytes in hexadecimal, or escapes, of a run, at least."""

COUNTS = {
    "source_lines": "lines, blank ones too: each line feed ends one, and what follows the last is one unless it is empty",
    "source_line_chars": "code points in lines, without line feeds and the carriage returns before these",
    "longest_source_line": "code points of the longest",
    "head_bytes": f"bytes of the first {HEAD_LINES} lines",
    "alphanumerics": "as `str.isalnum`",
    "base64_chars": f"in runs of at least {BASE64_RUN} characters of base64, line feeds among them",
    "hex_chars": f"in runs of at least {CODES_RUN} bytes of two hexadecimal digits, each alone or after `0x` or `\\\\x`, with "
    "commas and white space between, or nothing before `\\\\x`",
    "escape_chars": f"in runs of at least {CODES_RUN} escapes such as `\\\\u0041`",
}
"""What is counted, in the order of the columns."""

_BASE64, _HEX, _GAP, _INSIDE, _ALNUM = 1, 2, 4, 8, 16
"""What a byte can be; one that is `_INSIDE` of words keeps two hexadecimal digits beside it from standing alone."""


def _kinds() -> Bytes:
    """For each byte what it can be, `(256,)`."""
    table = np.zeros(256, np.uint8)
    for byte in range(256):
        c = chr(byte)
        letter = c.isascii() and c.isalnum()
        table[byte] |= _BASE64 if letter or c in "+/=\n" else 0
        table[byte] |= _HEX if c in "0123456789abcdefABCDEF" else 0
        table[byte] |= _GAP if c in ", \t\r\n" else 0
        table[byte] |= _INSIDE if letter or c == "_" or byte >= 0x80 else 0
        table[byte] |= _ALNUM if letter else 0
    return table


def count_source(texts: Texts, out: Counts) -> None:
    """Fill `out`, of a row a text, with `COUNTS`."""
    run(_count, texts, out, classes(), _kinds())


@njit(nogil=True, cache=True)
def _byte_end(data: Bytes, at: int, first: int, end: int, kinds: Bytes) -> int:
    """Where the byte in hexadecimal that begins here ends; 0 where none does."""
    digits = at
    if at + 1 < end and (data[at + 1] | 0x20) == 0x78 and (data[at] == 0x5C or data[at] == 0x30):
        digits = at + 2
    if data[at] != 0x5C and at > first and kinds[data[at - 1]] & 8:
        return 0
    if digits + 2 > end or not kinds[data[digits]] & 2 or not kinds[data[digits + 1]] & 2:
        return 0
    if digits + 2 < end and kinds[data[digits + 2]] & 8:
        return 0
    return digits + 2


@njit(nogil=True, cache=True)
def _hex_chars(data: Bytes, first: int, end: int, kinds: Bytes) -> int:
    at = start = stop = first
    covered = units = 0
    while at < end:
        after = 0
        if kinds[data[at]] & 2 or data[at] == 0x5C:
            after = _byte_end(data, at, first, end, kinds)
        if after:
            start = start if units else at
            units += 1
            at = stop = after
            while at < end and kinds[data[at]] & 4:
                at += 1
            continue
        if units >= CODES_RUN:
            covered += stop - start
        units = 0
        at += 1
    return covered + (stop - start if units >= CODES_RUN else 0)


@njit(nogil=True, cache=True)
def _escape_chars(data: Bytes, first: int, end: int, kinds: Bytes) -> int:
    at = first
    covered = units = 0
    while at < end:
        if data[at] == 0x5C and at + 6 <= end and data[at + 1] == 0x75:
            digits = 0
            for i in range(at + 2, at + 6):
                digits += (kinds[data[i]] & 2) != 0
            if digits == 4:
                units += 1
                at += 6
                continue
        if units >= CODES_RUN:
            covered += 6 * units
        units = 0
        at += 1
    return covered + (6 * units if units >= CODES_RUN else 0)


@njit(nogil=True, cache=True)
def _count(
    data: Bytes, offsets: Counts, first: int, last: int, out: Counts, table: Classes, kinds: Bytes
) -> None:
    for row in range(first, last):
        at, end = offsets[row], offsets[row + 1]
        begin, head = at, end
        lines = line_chars = longest = alphanumerics = base64 = run = size = escapes = 0
        returned = False  # the character before is a carriage return
        while at < end:
            byte = data[at]
            kind = kinds[byte]
            escapes += byte == 0x5C
            if kind & 1:
                run += 1
            else:
                if run >= BASE64_RUN:
                    base64 += run
                run = 0
            if byte == 10:
                at += 1
                size -= returned
                returned = False
                lines += 1
                line_chars += size
                longest = max(longest, size)
                size = 0
                if lines == HEAD_LINES:
                    head = at
                continue
            if byte < 0x80:
                alphanumerics += (kind & 16) != 0
                at += 1
            else:
                alphanumerics += (table[point_at(data, at)] & WORD) != 0
                at += length_of(byte)
            returned = byte == 13
            size += 1
        if run >= BASE64_RUN:
            base64 += run
        if size:
            lines += 1
            line_chars += size
            longest = max(longest, size)
        escaped = _escape_chars(data, begin, end, kinds) if escapes >= CODES_RUN else 0
        out[row] = (
            lines, line_chars, longest, head - begin, alphanumerics, base64,
            _hex_chars(data, begin, end, kinds), escaped,
        )  # fmt: skip
